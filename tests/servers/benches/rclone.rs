//! The command line beside rclone: one large file and many small ones, there and back.
//!
//! Both are processes, started anew for each measurement, and talk plain HTTP to one S3 server on
//! loopback: `s3s` with `s3s-fs`, in a process of its own: this program, started again. Both may have
//! the same number of things under way, files or parts of a file, in parts of the same size. They take
//! turns, nine pairs of them, and each begins with a target that is not there. What is printed is the
//! median ratio of the times, and for both the median of the time and of the processor time that the
//! client used, the server's not included.
//!
//! Before it lists what lies below a name, rclone asks for an object of that name. Where it is a
//! directory, `s3s-fs` answers that it is broken (500), which rclone waits more than a minute for to
//! pass; here the server answers as S3 does, that there is no such object.
//!
//! rclone is the one in the path: `tests/servers/install rclone` brings Debian's. Portolan is the one
//! that lies beside this program: `cargo build --release` builds it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, its figures are its output, and it starts programs"
)]

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http_body_util::BodyExt;
use portolan_figures::{Figure, Quantity, median_ratio};
use portolan_servers::s3::{self, BUCKET, KEY, SECRET};
use tempfile::TempDir;

/// How many things are under way at once.
const AT_ONCE: &str = "8";

/// How often each goes each way.
const ROUNDS: usize = 9;

/// The large file.
const LARGE: u64 = 1 << 30;

/// The small ones: how many, and their size.
const SMALL: (usize, usize) = (5_000, 4 << 10);

/// Tells this program that it is the server, and where its files are to lie.
const SERVER: &str = "PORTOLAN_BENCH_RCLONE_SERVER";

fn main() {
    if let Some(root) = std::env::var_os(SERVER) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(serve(Path::new(&root)));
    }
    let setting = Setting::new();
    println!("{}", setting.version());
    for (what, source) in [
        ("one file of 1 GiB", setting.large()),
        ("5,000 files of 4 KiB", setting.small()),
    ] {
        for way in [Way::Put, Way::Get] {
            setting.compare(what, &source, way);
        }
    }
}

/// Serves the bucket in plain HTTP until standard input ends.
async fn serve(root: &Path) {
    std::fs::create_dir_all(root.join(BUCKET)).expect("a bucket");
    let files = s3s_fs::FileSystem::new(root).expect("a file system");
    let mut builder = s3s::service::S3ServiceBuilder::new(files);
    builder.set_auth(s3s::auth::SimpleAuth::from_single(KEY, SECRET));
    let service = builder.build();
    let root: Arc<Path> = root.into();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (service, root) = (service.clone(), Arc::clone(&root));
            tokio::spawn(s3::serve(stream, move |request| {
                let (service, root) = (service.clone(), Arc::clone(&root));
                async move {
                    let path = request.uri().path().trim_start_matches('/');
                    if request.method() == Method::HEAD && root.join(path).is_dir() {
                        return Ok(s3::xml(404, String::new()));
                    }
                    let request = request.map(s3s::Body::from);
                    let answer = service.call(request).await.expect("an answer");
                    let answer = answer.map(|body| s3::Body::new(body.map_err(Into::into)));
                    Ok::<_, Infallible>(answer)
                }
            }));
        }
    });
    let ended = tokio::task::spawn_blocking(|| {
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest)
    });
    let _ = ended.await;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Put,
    Get,
}

/// What a process took.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    time: Duration,
    processor: Duration,
}

/// The server, and a home for both clients.
struct Setting {
    home: TempDir,
    server: Child,
    address: String,
    portolan: PathBuf,
}

impl Drop for Setting {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

impl Setting {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let mut server = Command::new(std::env::current_exe().expect("this program"))
            .env(SERVER, home.path().join("server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut address = String::new();
        let output = server.stdout.take().expect("a pipe");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("an address");
        let setting = Self {
            home,
            server,
            address: address.trim().to_owned(),
            portolan: portolan(),
        };
        let secret: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let create = format!(
            "CREATE EXTERNAL CONNECTION bucket AS 's3://{BUCKET}?AWS_ENDPOINT=http://{}&\
             AWS_ACCESS_KEY_ID={KEY}&AWS_SECRET_ACCESS_KEY={secret}' WITH VALIDATE = 'none'",
            setting.address
        );
        let mut sql = setting.portolan();
        sql.args(["sql", "-e", &create]);
        timed(&sql);
        setting
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn portolan(&self) -> Command {
        let mut command = Command::new(&self.portolan);
        command
            .env("PORTOLAN_STORE", self.path("store"))
            .args(["--allow-egress", &self.address]);
        command
    }

    fn rclone(&self) -> Command {
        let mut command = Command::new("rclone");
        let threads = ["--multi-thread-streams", AT_ONCE];
        command
            .env("RCLONE_CONFIG", self.path("rclone.conf"))
            .env("RCLONE_CONFIG_S_TYPE", "s3")
            .env("RCLONE_CONFIG_S_PROVIDER", "Other")
            .env(
                "RCLONE_CONFIG_S_ENDPOINT",
                format!("http://{}", self.address),
            )
            .env("RCLONE_CONFIG_S_ACCESS_KEY_ID", KEY)
            .env("RCLONE_CONFIG_S_SECRET_ACCESS_KEY", SECRET)
            .args(["--transfers", AT_ONCE, "--checkers", AT_ONCE])
            .args(["--s3-upload-concurrency", AT_ONCE, "--s3-chunk-size", "8Mi"])
            .args(["--s3-upload-cutoff", "8Mi", "--s3-no-check-bucket"])
            .args(threads)
            .args(["--multi-thread-cutoff", "8Mi", "--stats", "0"]);
        command
    }

    fn version(&self) -> String {
        let version = self.rclone().arg("version").output();
        let version = version.expect("rclone is not there: run tests/servers/install rclone");
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        version.lines().next().unwrap_or_default().to_owned()
    }

    /// A folder with the large file, whose bytes do not repeat soon.
    fn large(&self) -> PathBuf {
        let folder = self.path("large");
        std::fs::create_dir(&folder).expect("a folder");
        let mut file = File::create(folder.join("file")).expect("a file");
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut piece = vec![0; 1 << 20];
        for _ in 0..LARGE / piece.len() as u64 {
            for word in piece.chunks_exact_mut(8) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                word.copy_from_slice(&seed.to_le_bytes());
            }
            file.write_all(&piece).expect("written");
        }
        folder
    }

    /// A folder with the small files.
    fn small(&self) -> PathBuf {
        let folder = self.path("small");
        std::fs::create_dir(&folder).expect("a folder");
        for number in 0..SMALL.0 {
            let content = vec![(number % 251) as u8; SMALL.1];
            std::fs::write(folder.join(format!("{number:04}")), content).expect("written");
        }
        folder
    }

    /// Moves what lies in `source` nine times with each client, in turns.
    fn compare(&self, what: &str, source: &Path, way: Way) {
        let name = source.file_name().expect("a name");
        let name = name.to_str().expect("text").to_owned();
        if way == Way::Get {
            // Both read what one of them wrote.
            self.run(true, Way::Put, source, &name);
        }
        let mut costs: [Vec<Cost>; 2] = Default::default();
        for round in 0..=ROUNDS {
            for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                let cost = self.run(which == 0, way, source, &name);
                // The first one warms both.
                if round > 0 {
                    costs[which].push(cost);
                }
                if way == Way::Put {
                    let there = self.path("server").join(BUCKET).join(&name);
                    std::fs::remove_dir_all(there).expect("it was put");
                }
            }
        }
        let way = format!("{way:?}").to_lowercase();
        let times = costs.each_ref().map(|costs| of(costs, |cost| cost.time));
        let ratio = median_ratio(&times[0], &times[1]);
        let name = format!("{way} {what} against rclone");
        println!("{}", Figure::new(name, ratio, Quantity::ratio(1.0)));
        for (who, costs) in ["portolan", "rclone"].iter().zip(&costs) {
            let time = seconds(costs, |cost| cost.time);
            let processor = seconds(costs, |cost| cost.processor);
            println!("  {who}: {time:.2} s, of the processor {processor:.2} s");
        }
    }

    /// Runs one client once.
    fn run(&self, ours: bool, way: Way, source: &Path, name: &str) -> Cost {
        let target = self.path("target");
        let _ = std::fs::remove_dir_all(&target);
        let (source, target) = (
            source.to_str().expect("text"),
            target.to_str().expect("text"),
        );
        let (url, remote) = (
            format!("external://bucket/{name}"),
            format!("s:{BUCKET}/{name}"),
        );
        let mut command = match ours {
            true => self.portolan(),
            false => self.rclone(),
        };
        match (ours, way) {
            (true, Way::Put) => command.args(["put", "-r", "--parallel", AT_ONCE, source, &url]),
            (true, Way::Get) => command.args(["get", "-r", "--parallel", AT_ONCE, &url, target]),
            (false, Way::Put) => command.args(["copy", source, &remote]),
            (false, Way::Get) => command.args(["copy", &remote, target]),
        };
        let cost = timed(&command);
        if way == Way::Get {
            let files = std::fs::read_dir(target).expect("it was got").count();
            let all = std::fs::read_dir(source).expect("a folder").count();
            assert_eq!(files, all, "{command:?}");
        }
        cost
    }
}

/// The program that was built in this profile.
fn portolan() -> PathBuf {
    let this = std::env::current_exe().expect("this program");
    let folder = this.parent().and_then(Path::parent).expect("a folder");
    let portolan = folder.join("portolan");
    assert!(
        portolan.exists(),
        "{} is not there: run cargo build --release",
        portolan.display()
    );
    portolan
}

fn of(costs: &[Cost], what: impl Fn(&Cost) -> Duration) -> Vec<Duration> {
    costs.iter().map(what).collect()
}

/// The median, in seconds.
fn seconds(costs: &[Cost], what: impl Fn(&Cost) -> Duration) -> f64 {
    let mut all = of(costs, what);
    all.sort_unstable();
    all[all.len() / 2].as_secs_f64()
}

/// Runs a command below a shell, which knows what its children used of the processor; in an
/// environment of its own, because both clients read theirs.
fn timed(command: &Command) -> Cost {
    let mut shell = Command::new("bash");
    shell
        .args(["-c", "TIMEFORMAT='%R %U %S'; time \"$@\"", "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell.output().expect("bash runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {told}");
    let line = told.lines().last().expect("what time says");
    let seconds: Vec<Duration> = line
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .map(Duration::from_secs_f64)
        .collect();
    let [time, user, system] = seconds.try_into().expect("three numbers");
    Cost {
        time,
        processor: user + system,
    }
}
