//! Servers that are no PostgreSQL, or lie. Each is a stand-in that answers as its script says; that
//! PostgreSQL answers so is not proved.

use std::io::{Read, Write};
use std::time::Duration;

use portolan::EgressOptions;
use portolan_servers::{Authority, Identity, Postgres, PostgresStandIn, ReadWrite};

use super::servers::{NAME, told};
use super::told::{escaped, expect, ways};

struct Setting {
    authority: Authority,
}

impl Setting {
    fn new() -> Self {
        Self {
            authority: Authority::new("of the stand-ins"),
        }
    }

    fn identity(&self) -> Identity {
        self.authority.issue(&[NAME])
    }

    fn options(&self, server: &PostgresStandIn) -> EgressOptions {
        let mut options = ways(
            &self.authority,
            &[("db.example.com:5432", server.address())],
        );
        options.silence_timeout = Duration::from_secs(2);
        options
    }

    async fn told(&self, server: &PostgresStandIn, mode: &str) -> String {
        let (user, password) = Postgres::user();
        let password = escaped(password);
        let uri = format!("postgres://{user}:{password}@{NAME}/bank?sslmode={mode}");
        told(self.options(server), &uri).await
    }
}

const GARBLED: &str = "this is not what a PostgreSQL server answers: ";
const LOOK: &str = "Check that host and port are those of the database, and look at its log.";

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_answers_tls_with_something_else_is_found_out() {
    let setting = Setting::new();
    let with = |answer: &'static [u8]| {
        PostgresStandIn::raw(move |stream| {
            let _ = PostgresStandIn::startup(stream);
            let _ = stream.write_all(answer);
            let _ = stream.read(&mut [0; 64]);
        })
    };
    for (answer, sqlstate, message, hint) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "08P01",
            format!("{GARBLED}neither yes nor no to TLS"),
            LOOK,
        ),
        (
            b"",
            "08P01",
            format!("{GARBLED}the server closed the connection"),
            LOOK,
        ),
        // Nothing that came in clear may pass for encrypted.
        (
            b"SR\0\0\0\x08\0\0\0\0",
            "42501",
            "the server sent something in clear that would pass for encrypted".to_owned(),
            "check the port; if it is right, look for something on the way that adds to what the \
             server says",
        ),
    ] {
        let server = with(answer);
        expect(
            &setting.told(&server, "verify-full").await,
            ["resolve ok, dial ok, tls failed", sqlstate, &message, hint],
        );
    }
}

/// Goes through SCRAM as far as `last`, whose signature it makes up.
fn scram(stream: &mut dyn ReadWrite, iterations: u32, last: &[Vec<u8>]) {
    let offer = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
    let _ = stream.write_all(&PostgresStandIn::authentication(10, offer));
    let _ = stream.flush();
    let first = PostgresStandIn::message(stream);
    let first = String::from_utf8_lossy(&first).into_owned();
    // The nonce has no comma, and may well have `r=` in it.
    let nonce = first.split_once(",r=").map_or("", |(_, nonce)| nonce);
    let challenge = format!("r={nonce}x,s=c2FsdA==,i={iterations}");
    let _ = stream.write_all(&PostgresStandIn::authentication(11, challenge.as_bytes()));
    let _ = stream.flush();
    let _ = PostgresStandIn::message(stream);
    for message in last {
        let _ = stream.write_all(message);
    }
    let _ = stream.flush();
    let _ = stream.read(&mut [0; 64]);
}

fn let_in() -> Vec<u8> {
    PostgresStandIn::authentication(0, b"")
}

fn ready() -> Vec<u8> {
    PostgresStandIn::tagged(b'Z', b"I")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_does_not_know_the_password_lets_nobody_in() {
    let setting = Setting::new();
    let forged =
        PostgresStandIn::authentication(12, b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let server = PostgresStandIn::encrypted(&setting.identity(), move |stream| {
        scram(stream, 4096, &[forged.clone(), let_in(), ready()]);
    });
    let steps = "resolve ok, dial ok, tls ok, authenticate failed";
    expect(
        &setting.told(&server, "verify-full").await,
        [
            steps,
            "28000",
            "the server did not prove that it knows the password",
            "somebody may stand between and answer in the server's place: verify its certificate, \
             and do not send this password there until it is understood",
        ],
    );
    let server = PostgresStandIn::encrypted(&setting.identity(), |stream| {
        scram(stream, 4096, &[let_in(), ready()]);
    });
    expect(
        &setting.told(&server, "verify-full").await,
        [
            steps,
            "28000",
            "the server accepted without proving that it knows the password",
            "Somebody may stand between: do not send this password there.",
        ],
    );
    let server = PostgresStandIn::encrypted(&setting.identity(), |stream| {
        scram(stream, u32::MAX, &[]);
    });
    expect(
        &setting.told(&server, "verify-full").await,
        [
            steps,
            "08P01",
            "the server asks for more than 1000000 iterations of the password's hash",
            "lower the iterations of the user's password at the server; 4096 is usual",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_sends_what_no_login_has_is_cut_off() {
    let setting = Setting::new();
    let notice = PostgresStandIn::tagged(b'N', b"SNOTICE\0C00000\0Mhello\0\0");
    for (messages, what) in [
        (
            vec![b'R', 0x7f, 0xff, 0xff, 0xff],
            "a message is longer than a login needs",
        ),
        (vec![b'R', 0, 0, 0, 0], "a broken message"),
        (notice.repeat(600), "more messages than a login has"),
        (b"!\0\0\0\x04".to_vec(), "a broken message"),
        (PostgresStandIn::tagged(b'T', b"\0\0"), ""),
    ] {
        let server = PostgresStandIn::encrypted(&setting.identity(), move |stream| {
            let _ = stream.write_all(&messages);
            let _ = stream.flush();
            let _ = stream.read(&mut [0; 64]);
        });
        let told = setting.told(&server, "verify-full").await;
        assert!(
            told.starts_with("resolve ok, dial ok, tls ok, authenticate failed\n"),
            "{told}"
        );
        assert!(told.contains(what), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_sends_the_password_back_has_nothing_of_it_shown() {
    let setting = Setting::new();
    let server = PostgresStandIn::encrypted(&setting.identity(), |stream| {
        let _ = stream.write_all(&PostgresStandIn::authentication(3, b""));
        let _ = stream.flush();
        let mut password = PostgresStandIn::message(stream);
        password.pop();
        let mut fields = b"SFATAL\0C28P01\0Mwrong is ".to_vec();
        fields.extend(password);
        fields.extend(b"\0\0");
        let _ = stream.write_all(&PostgresStandIn::tagged(b'E', &fields));
        let _ = stream.flush();
        let _ = stream.read(&mut [0; 64]);
    });
    let told = setting.told(&server, "verify-full").await;
    assert!(
        told.contains("\n28000\nthe server answered: wrong is redacted\n"),
        "{told}"
    );
}

/// It takes what comes and says nothing, or has closed its side.
#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_says_nothing_is_given_up() {
    let setting = Setting::new();
    let server = PostgresStandIn::raw(|stream| {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
    });
    let silent = setting.told(&server, "verify-full").await;
    assert!(
        silent.starts_with("resolve ok, dial ok, tls failed\n"),
        "{silent}"
    );
    let server = PostgresStandIn::encrypted(&setting.identity(), |stream| {
        let _ = stream.write_all(&let_in());
        let _ = stream.flush();
    });
    let closed = setting.told(&server, "verify-full").await;
    assert!(
        closed
            .starts_with("resolve ok, dial ok, tls ok, authenticate ok, metadata failed\n08P01\n"),
        "{closed}"
    );
}
