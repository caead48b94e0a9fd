//! `portolan emit`, the real program, to a scripted endpoint behind TLS: what it counts, what it says
//! of a failure, and ctrl-C.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "transfer/home.rs"]
mod home;

use std::io::Write as _;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use portolan_servers::{Authority, Scripted, WebhookStandIn};
use serde_json::{Value, json};

use home::{Home, errors};

const HOST: &str = "hooks.example";

/// A home whose connection `hook` leads to the endpoint.
fn started() -> (Home, WebhookStandIn) {
    let authority = Authority::new("of the servers");
    let endpoint = WebhookStandIn::start(&authority, &[HOST], "/s3cr3t-path?token=s3cr3t-token");
    let home = Home::new();
    let file = home.path("authority.pem");
    std::fs::write(&file, authority.pem()).expect("written");
    let config = format!(
        "[egress.connect_to]\n\"{HOST}:443\" = \"{}\"\n[tls]\nextra_ca = [\"{}\"]\n",
        endpoint.address(),
        file.display()
    );
    std::fs::write(home.path("store/portolan.toml"), config).expect("written");
    let uri = format!("webhook-https://{HOST}/s3cr3t-path?token=s3cr3t-token");
    let sql = format!("CREATE EXTERNAL CONNECTION hook AS '{uri}' WITH VALIDATE = 'full'");
    home.done(&["sql", "-e", &sql]);
    (home, endpoint)
}

fn emitting(home: &Home, more: &[&str]) -> Child {
    let mut arguments = vec!["emit", "external://hook", "--topic", "t"];
    arguments.extend(more);
    let mut command = home.command(&arguments);
    command.stdin(Stdio::piped()).spawn().expect("it runs")
}

/// Runs it to its end with this input.
fn emit(home: &Home, more: &[&str], input: &str) -> Output {
    let mut child = emitting(home, more);
    let mut stdin = child.stdin.take().expect("a pipe");
    // It need not read what it is given.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn printed(output: &Output) -> String {
    assert!(!errors(output).contains("s3cr3t"), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn lines_become_messages_and_what_is_acknowledged_is_counted() {
    let (home, endpoint) = started();
    let output = emit(&home, &["--key", "k"], "one\ntwo\n");
    assert_eq!(
        (printed(&output), errors(&output)),
        ("2 messages acknowledged\n".to_owned(), String::new())
    );
    let message = |value: &str| json!({"topic": "t", "key": "k", "value": value});
    assert_eq!(endpoint.messages(), [message("one"), message("two")]);

    let input: String = (0..20_000)
        .map(|number| format!("{{\"number\":{number}}}\n"))
        .collect();
    endpoint.script([
        Scripted::Status(200),
        Scripted::Status(503),
        Scripted::Status(429),
    ]);
    let output = emit(&home, &["--format", "ndjson"], &input);
    assert_eq!(printed(&output), "20000 messages acknowledged\n");
    let numbers = endpoint.messages();
    let numbers: Vec<_> = numbers[2..]
        .iter()
        .map(|message| message["number"].clone())
        .collect();
    assert_eq!(numbers, (0..20_000).map(Value::from).collect::<Vec<_>>());
}

#[test]
fn a_failure_says_how_many_were_acknowledged_and_ends_with_one() {
    let (home, endpoint) = started();
    let input: String = (0..5_000)
        .map(|number| format!("{{\"number\":{number}}}\n"))
        .collect();
    endpoint.script([
        Scripted::Status(200),
        Scripted::Status(200),
        Scripted::Status(401),
    ]);
    let output = emit(&home, &["--format", "ndjson"], &input);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(printed(&output), "");
    let told = errors(&output);
    let acknowledged = endpoint.messages().len();
    assert!(
        told.starts_with("ERROR: the endpoint answered 401\nSQLSTATE: 28000\nDETAIL: "),
        "{told}"
    );
    assert!(
        told.contains(&format!("DETAIL: {acknowledged} of ")),
        "{told}"
    );
    assert!(
        told.contains("\nHINT: Check the credentials in the URI"),
        "{told}"
    );
}

#[test]
fn ctrl_c_stops_reading_and_waits_for_what_was_read() {
    let (home, endpoint) = started();
    let mut child = emitting(&home, &[]);
    let stdin = child.stdin.as_mut().expect("a pipe");
    stdin.write_all(b"one\ntwo\nunfinished").expect("written");
    let since = Instant::now();
    while endpoint.messages().len() < 2 {
        assert!(since.elapsed() < Duration::from_secs(30), "nothing is sent");
        assert_eq!(child.try_wait().expect("its state"), None, "it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    #[expect(clippy::disallowed_methods, reason = "the test is about a signal")]
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
    // Standard input is open still: nobody waits for its end.
    let stdin = child.stdin.take();
    let output = child.wait_with_output().expect("its end");
    drop(stdin);
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(printed(&output), "");
    assert_eq!(
        errors(&output),
        "ERROR: interrupted\nSQLSTATE: 57014\nDETAIL: 2 of 2 messages acknowledged\nHINT: what was \
         read is acknowledged; emit the rest of the input\n"
    );
}
