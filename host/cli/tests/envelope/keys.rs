//! A home whose configuration leads to moto, with connections to its key.

use std::io::Write as _;
use std::process::{Output, Stdio};

use portolan_servers::{Authority, Moto, MotoUser};

use crate::home::Home;

const KMS: &str = "kms.eu-central-1.amazonaws.com";

/// Moto, and a home with the connections `key` and `encrypts` to its key; with `encrypts` nobody may
/// decrypt.
pub(crate) struct Keys {
    pub(crate) home: Home,
    pub(crate) moto: Moto,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("of the servers");
        let moto = Moto::start(&authority, &[KMS]);
        let home = Home::new();
        let trusted = home.path("authority.pem");
        std::fs::write(&trusted, authority.pem()).expect("written");
        let config = format!(
            "[egress.connect_to]\n\"{KMS}:443\" = \"{}\"\n[tls]\nextra_ca = [\"{}\"]\n",
            moto.address(),
            trusted.display()
        );
        std::fs::write(home.path("store/portolan.toml"), config).expect("written");
        let keys = Self { home, moto };
        for (name, user) in [("key", "all"), ("encrypts", "encrypts")] {
            let user = keys.moto.user(user);
            keys.create(name, &user, "");
        }
        keys
    }

    /// Names the key for one user.
    pub(crate) fn create(&self, name: &str, user: &MotoUser, more: &str) {
        let uri = format!(
            "aws-kms:///{}?REGION={}&AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={}{more}",
            Moto::ALIAS,
            Moto::REGION,
            user.id,
            escaped(&user.secret)
        );
        let sql = format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = 'none'");
        self.home.done(&["sql", "-e", &sql]);
    }

    /// Runs the program with this standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.home.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        let writing = std::thread::spawn(move || {
            // It need not read what it is given.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("it ends");
        writing.join().expect("written");
        output
    }

    /// What `encrypt` makes of a content.
    pub(crate) fn encrypted(&self, content: &[u8]) -> Vec<u8> {
        let output = self.run(&["encrypt", "external://key"], content);
        assert!(output.status.success(), "{}", crate::home::errors(&output));
        assert!(output.stderr.is_empty(), "{}", crate::home::errors(&output));
        output.stdout
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A content in which no chunk is like another.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at % 251) as u8 ^ (at >> 16) as u8)
        .collect()
}
