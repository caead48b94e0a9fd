//! nginx as a server of files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::child::free_address;
use crate::{Authority, Child, Identity};

/// The name and password that its protected server takes.
const USER: (&str, &str) = ("reader", "p+ss:w%rd@1");

/// How often it is started at most.
const ATTEMPTS: usize = 5;

/// nginx with WebDAV, four servers over one folder of files.
#[derive(Debug)]
pub struct Nginx {
    plain: SocketAddr,
    encrypted: SocketAddr,
    protected: SocketAddr,
    mutual: SocketAddr,
    files: PathBuf,
    process: Child,
}

impl Nginx {
    /// Starts it with certificates of `authority` for these names; clients' certificates are those
    /// of `clients`.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str], clients: &Authority) -> Self {
        let mut printed = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(&authority.issue(names), &clients.pem()) {
                Ok(started) => return started,
                Err(ended) => printed = ended,
            }
        }
        panic!("nginx does not start: run tests/servers/install. It printed:\n{printed}")
    }

    /// It ends where another process takes one of its ports first; gives what it printed then.
    fn try_start(identity: &Identity, clients: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write("certificate.pem", &identity.certificate);
        write("key.pem", &identity.key);
        write("clients.pem", clients);
        // The form that nginx reads without help of the system: an unsalted SHA-1.
        let (user, password) = USER;
        let digest =
            ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        write(
            "passwords",
            &format!("{user}:{{SHA}}{}\n", BASE64_STANDARD.encode(digest)),
        );
        let files = folder.path().join("files");
        std::fs::create_dir(&files).expect("a folder");
        let [plain, encrypted, protected, mutual] = std::array::from_fn(|_| free_address());
        write(
            "nginx.conf",
            &configuration(folder.path(), [plain, encrypted, protected, mutual]),
        );
        let conf = folder.path().join("nginx.conf");
        let prefix = format!("{}/", folder.path().display());
        let arguments = ["-p", &prefix, "-c", conf.to_str().expect("a path")];
        // It writes this file when it listens.
        let listens = folder.path().join("pid");
        let mut process = Child::start("nginx", Path::new("/usr/sbin/nginx"), &arguments, folder);
        process.try_until(|_| listens.exists().then_some(()))?;
        Ok(Self {
            plain,
            encrypted,
            protected,
            mutual,
            files,
            process,
        })
    }

    /// Without TLS. `/no-dav/` below it has the same files and knows no method of WebDAV; `/strict/`
    /// makes no folder by itself; `/read-only/` lets nobody write, `/keep/` nobody delete and
    /// `/write-only/` nobody read; whoever reads in `/forgets/` gets nothing, and in `/confuses/`
    /// something else; `/redirect/` leads elsewhere, `/busy/` answers 503 and `/broken/` 500.
    #[must_use]
    pub fn plain(&self) -> SocketAddr {
        self.plain
    }

    /// With TLS.
    #[must_use]
    pub fn encrypted(&self) -> SocketAddr {
        self.encrypted
    }

    /// With TLS, for those who know [`Nginx::user`].
    #[must_use]
    pub fn protected(&self) -> SocketAddr {
        self.protected
    }

    /// With TLS, for those who show a certificate.
    #[must_use]
    pub fn mutual(&self) -> SocketAddr {
        self.mutual
    }

    /// The name and password that the protected server takes.
    #[must_use]
    pub fn user() -> (&'static str, &'static str) {
        USER
    }

    /// The folder of files.
    #[must_use]
    pub fn files(&self) -> &Path {
        &self.files
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

fn configuration(folder: &Path, servers: [SocketAddr; 4]) -> String {
    let [plain, encrypted, protected, mutual] = servers;
    let methods = "dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS;";
    let dav = format!("{methods} create_full_put_path on;");
    let tls = "ssl_certificate certificate.pem; ssl_certificate_key key.pem;";
    let folder = folder.display();
    format!(
        r"
daemon off;
master_process off;
user root;
pid {folder}/pid;
error_log {folder}/errors info;
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/requests;
  client_max_body_size 0;
  client_body_temp_path {folder}/uploads;
  proxy_temp_path {folder}/unused; fastcgi_temp_path {folder}/unused;
  uwsgi_temp_path {folder}/unused; scgi_temp_path {folder}/unused;
  root {folder}/files;
  server {{
    listen {plain};
    location / {{ {dav} }}
    location /no-dav/ {{ alias {folder}/files/; }}
    location /strict/ {{ {methods} }}
    location /read-only/ {{ {dav} limit_except GET PROPFIND OPTIONS {{ deny all; }} }}
    location /keep/ {{ {dav} limit_except GET PUT PROPFIND OPTIONS MKCOL MOVE {{ deny all; }} }}
    location /write-only/ {{ {dav} limit_except PUT DELETE PROPFIND OPTIONS MKCOL MOVE {{ deny all; }} }}
    location /forgets/ {{ {dav} if ($request_method = GET) {{ return 200 ''; }} }}
    location /confuses/ {{ {dav} if ($request_method = GET) {{ return 200 'something else'; }} }}
    location /redirect/ {{ return 307 https://elsewhere.example/secret?token=hunter2; }}
    location /busy/ {{ add_header Retry-After 1 always; return 503; }}
    location /broken/ {{ return 500; }}
  }}
  server {{ listen {encrypted} ssl; {tls} location / {{ {dav} }} }}
  server {{
    listen {protected} ssl; {tls}
    location / {{ auth_basic files; auth_basic_user_file passwords; {dav} }}
  }}
  server {{
    listen {mutual} ssl; {tls}
    ssl_client_certificate clients.pem; ssl_verify_client on;
    location / {{ {dav} }}
  }}
}}
"
    )
}
