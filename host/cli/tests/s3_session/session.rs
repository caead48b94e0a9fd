//! A session from CREATE to `rm -r`, and that no secret is in anything that it prints or keeps.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use http::{HeaderValue, Method};
use portolan_servers::s3::{BUCKET, CHATTER, Front, HOST, KEY, REGION, SECRET, Server, start};

use crate::home::{Home, files};

/// The secret as a URI has it.
fn escaped() -> String {
    SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A home whose configuration leads to the server, and what was seen there so far.
struct Terminal {
    home: Home,
    seen: String,
    /// Everything that was printed.
    all: String,
}

impl Terminal {
    fn new(server: &Server) -> Self {
        let home = Home::new();
        let authority = home.path("authority.pem");
        std::fs::write(&authority, &server.authority).expect("written");
        let config = format!(
            "[egress.connect_to]\n\"{HOST}:443\" = \"{}\"\n[tls]\nextra_ca = [\"{}\"]\n",
            server.address,
            authority.display()
        );
        std::fs::write(home.path("store/portolan.toml"), config).expect("written");
        Self {
            home,
            seen: String::new(),
            all: String::new(),
        }
    }

    /// Runs the program with this standard input; notes what it prints as a terminal shows it.
    fn run_with(&mut self, input: &str, arguments: &[&str]) -> String {
        let mut command = self.home.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // It need not read what it is given.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let printed =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
        let printed = printed.concat();
        let shown = arguments.join(" ").replace(&escaped(), "…");
        writeln!(self.seen, "$ portolan {shown}").expect("text");
        self.seen.push_str(&printed);
        if !output.status.success() {
            writeln!(
                self.seen,
                "(exit {})",
                output.status.code().expect("a status")
            )
            .expect("text");
        }
        self.all.push_str(&printed);
        printed
    }

    fn run(&mut self, arguments: &[&str]) -> String {
        self.run_with("", arguments)
    }

    /// What was seen since the last time, without the times of objects.
    fn seen(&mut self) -> String {
        let untimed = |line: &str| match line.rsplit_once('\t') {
            Some((before, time)) if time.ends_with('Z') => format!("{before}\t…\n"),
            _ => format!("{line}\n"),
        };
        std::mem::take(&mut self.seen)
            .lines()
            .map(untimed)
            .collect()
    }
}

fn create(name: &str, secret: &str) -> String {
    format!(
        "CREATE EXTERNAL CONNECTION {name} AS 's3://{BUCKET}/daily?AWS_ACCESS_KEY_ID={KEY}&\
         AWS_SECRET_ACCESS_KEY={secret}&AWS_REGION={REGION}'"
    )
}

const FILLED_AND_EMPTIED: &str = "\
$ portolan put - external://bucket/one.txt
$ portolan put -r many external://bucket/many
$ portolan ls external://bucket
path\tsize\tmodified
many/\t\t
crdb_external_storage_location\t76\t…
one.txt\t4\t…
$ portolan cat external://bucket/one.txt
one
$ portolan cp external://bucket/one.txt external://bucket/two & 2.txt
$ portolan cp external://bucket/two%20%26%202.txt external://a/
$ portolan get external://bucket/many/07 seven
$ portolan rm external://bucket/one.txt
$ portolan cat external://bucket/one.txt
ERROR: there is no object 'one.txt'
SQLSTATE: 58P01
HINT: list what is there, and mind that names are case-sensitive
(exit 1)
$ portolan rm -r external://bucket/many
$ portolan ls -r external://bucket
path\tsize\tmodified
crdb_external_storage_location\t76\t…
two & 2.txt\t4\t…
$ portolan sql -e SHOW EXTERNAL CONNECTIONS --format csv
connection_name,connection_uri,connection_type
a,nodelocal://self/a,STORAGE
b,nodelocal://self/b,STORAGE
bucket,s3://harbour/daily?AWS_ACCESS_KEY_ID=AKIAPORTOLANTESTKEY1&AWS_REGION=eu-north-1&AWS_SECRET_ACCESS_KEY=redacted,STORAGE
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_named_validated_filled_read_copied_and_emptied_and_no_secret_is_told() {
    let server = start(Front::open()).await;
    let mut terminal = Terminal::new(&server);

    let refused = terminal.run(&["sql", "-e", &create("wrong", "swordfish-of-another-key")]);
    assert_eq!(
        refused,
        "ERROR: failed to construct External Connection details: failed to create s3 external \
         connection: failed to write a sentinel ExternalStorage file: S3 refused \
         AWS_SECRET_ACCESS_KEY: it is not that of AWS_ACCESS_KEY_ID (SignatureDoesNotMatch)\n\
         SQLSTATE: 28000\n\
         HINT: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one and the same key; in a URI a \
         + is written %2B\n"
    );
    assert_eq!(
        terminal.run(&["sql", "-e", &create("bucket", &escaped())]),
        ""
    );

    let validated = terminal.run(&[
        "sql",
        "-e",
        "VALIDATE EXTERNAL CONNECTION bucket",
        "--format",
        "csv",
    ]);
    let steps: Vec<Vec<&str>> = validated
        .lines()
        .map(|line| line.splitn(4, ',').collect())
        .collect();
    let steps: Vec<_> = steps
        .iter()
        .map(|row| format!("{} {}", row[0], row[1]))
        .collect();
    assert_eq!(
        steps,
        [
            "step outcome",
            "plan ok",
            "policy ok",
            "resolve ok",
            "dial ok",
            "tls ok",
            "write ok",
            "list ok",
            "read back ok",
            "compare ok",
        ]
    );
    terminal.seen();

    terminal.run_with("one\n", &["put", "-", "external://bucket/one.txt"]);
    let many = terminal.home.path("many");
    std::fs::create_dir(&many).expect("a directory");
    for number in 0..50 {
        std::fs::write(many.join(format!("{number:02}")), format!("{number}")).expect("written");
    }
    terminal.run(&["put", "-r", "many", "external://bucket/many"]);
    terminal.run(&["ls", "external://bucket"]);
    terminal.run(&["cat", "external://bucket/one.txt"]);
    terminal.run(&[
        "cp",
        "external://bucket/one.txt",
        "external://bucket/two & 2.txt",
    ]);
    terminal.run(&["cp", "external://bucket/two%20%26%202.txt", "external://a/"]);
    terminal.run(&["get", "external://bucket/many/07", "seven"]);
    terminal.run(&["rm", "external://bucket/one.txt"]);
    terminal.run(&["cat", "external://bucket/one.txt"]);
    terminal.run(&["rm", "-r", "external://bucket/many"]);
    terminal.run(&["ls", "-r", "external://bucket"]);
    terminal.run(&["sql", "-e", "SHOW EXTERNAL CONNECTIONS", "--format", "csv"]);
    assert_eq!(terminal.seen(), FILLED_AND_EMPTIED);
    assert_eq!(
        std::fs::read(terminal.home.path("seven")).expect("got"),
        b"7"
    );

    // Within the connection the store copied; from it to another the bytes came here.
    let copies = server.requests().into_iter();
    let copies: Vec<_> = copies
        .filter(|seen| seen.headers.contains_key("x-amz-copy-source"))
        .map(|seen| seen.uri.path().to_owned())
        .collect();
    assert_eq!(copies, ["/daily/two%20%26%202.txt"]);

    // Fifty objects went by one request.
    let deletes = |method| {
        let requests = server.requests();
        let of = requests.iter().filter(|seen| seen.method == method);
        of.filter(|seen| method == Method::DELETE || seen.uri.query() == Some("delete"))
            .count()
    };
    assert_eq!((deletes(Method::DELETE), deletes(Method::POST)), (1, 1));

    terminal.run(&["sql", "-e", "SHOW AUDIT", "--format", "json"]);
    terminal.run(&["doctor"]);
    for forbidden in [
        SECRET,
        &escaped(),
        CHATTER,
        "swordfish",
        "wJalr",
        "Signature=",
    ] {
        assert!(
            !terminal.all.contains(forbidden),
            "{forbidden} in {}",
            terminal.all
        );
    }
    // Nor does anything lie in the store as it is.
    let store = terminal.home.path("store");
    for file in files(&store) {
        let content = std::fs::read(store.join(&file)).expect("a file");
        for forbidden in [SECRET, "wJalr", "swordfish"] {
            let found = content
                .windows(forbidden.len())
                .any(|part| part == forbidden.as_bytes());
            assert!(!found, "{forbidden} in {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_from_one_connection_to_another_is_compared_with_what_was_sent() {
    // Of an object of four bytes the server says that it has three.
    let front = Front {
        after: Box::new(|answer| {
            if answer
                .headers
                .get("content-length")
                .is_some_and(|length| length == "4")
            {
                answer
                    .headers
                    .insert("content-length", HeaderValue::from_static("3"));
            }
        }),
        ..Front::open()
    };
    let server = start(front).await;
    let mut terminal = Terminal::new(&server);
    terminal.run(&["sql", "-e", &create("bucket", &escaped())]);
    terminal.run_with("one\n", &["put", "-", "external://a/one.txt"]);
    terminal.run_with("three\n", &["put", "-", "external://a/three.txt"]);
    terminal.seen();
    terminal.run(&[
        "cp",
        "-r",
        "external://a",
        "external://bucket/all",
        "--parallel",
        "1",
    ]);
    assert_eq!(
        terminal.seen(),
        "$ portolan cp -r external://a external://bucket/all --parallel 1\n\
         not copied: external://a/one.txt\n\
         ERROR: external://bucket/all/one.txt has 3 bytes, its source 4 bytes\n\
         SQLSTATE: 08P01\n\
         HINT: the source changed meanwhile, or the target lost bytes; copy again\n\
         ERROR: 1 of 2 was not copied\n\
         SQLSTATE: 58030\n\
         DETAIL: copied: external://a/three.txt; not copied: external://a/one.txt\n\
         HINT: do what the errors above say, and run it again for the rest\n\
         (exit 1)\n"
    );
}
