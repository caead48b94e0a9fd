//! Misdeeds on connections.

use std::hint::black_box;
use std::mem::forget;

use crate::bindings::portolan::host::net::{self, Connection};
use crate::bindings::portolan::host::parts::{self, Encoding, Opaque, Part};
use crate::bindings::portolan::host::steps::{self, Outcome};
use crate::bindings::portolan::types::types::{Failure, Fragment, PlanEntry};
use crate::told;

pub(crate) const CLEAR: u32 = 0;
pub(crate) const ENCRYPTED: u32 = 1;

fn ok(details: &[(&str, String)]) {
    let details: Vec<_> = details
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.clone()))
        .collect();
    steps::end(&Outcome::Ok, &details);
}

/// One step; what it gives, if it worked.
pub(crate) fn step<T>(name: &str, act: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
    steps::begin(name);
    match act() {
        Ok(given) => {
            told(Ok(()));
            Some(given)
        }
        Err(failure) => {
            told(Err(failure));
            None
        }
    }
}

fn dial(endpoint: u32) -> Option<Connection> {
    step("dial", || net::connect(endpoint))
}

fn write(connection: &Connection, bytes: &[u8]) -> Result<(), Failure> {
    connection.write(vec![Part::Bytes(bytes.to_vec())])
}

/// All that comes until the end.
pub(crate) fn read_all(connection: &Connection) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    loop {
        let bytes = connection.read(u32::MAX)?;
        if bytes.is_empty() {
            return Ok(all);
        }
        all.extend(bytes);
    }
}

pub(crate) fn dials_an_endpoint_that_is_not_planned(_: &[PlanEntry]) {
    dial(2);
}

pub(crate) fn dials_what_the_policy_denies(_: &[PlanEntry]) {
    step("resolve", || net::resolve(CLEAR));
    dial(CLEAR);
}

pub(crate) fn dials_a_further_host(_: &[PlanEntry]) {
    step("dial", || {
        net::connect_further(CLEAR, "b-2.example.com", 9092)
    });
}

/// A name that a server made of what it was sent.
pub(crate) fn dials_a_host_with_a_secret_in_its_name(_: &[PlanEntry]) {
    step("dial", || {
        net::connect_further(
            CLEAR,
            "x704073732f77c3b672645c37222b263d78.example.com",
            9092,
        )
    });
}

/// Its own server, under a port of its own each time.
pub(crate) fn dials_65_further_hosts(_: &[PlanEntry]) {
    for port in 1..=65 {
        drop(black_box(net::connect_further(CLEAR, "127.0.0.1", port)));
    }
}

/// The same server may stand on any port, but what the policy denies there is not dialled.
pub(crate) fn dials_a_further_port(_: &[PlanEntry]) {
    step("dial", || net::connect_further(CLEAR, "127.0.0.1", 1));
}

pub(crate) fn dials_what_is_no_host(_: &[PlanEntry]) {
    for host in ["", "a b", "u@127.0.0.1", "127.0.0.1:1", "%31"] {
        step("dial", || net::connect_further(CLEAR, host, 9092));
    }
    step("dial", || net::connect_further(CLEAR, "127.0.0.1", 0));
}

pub(crate) fn holds_65_connections(_: &[PlanEntry]) {
    let held: Vec<_> = (0..65).map(|_| dial_quietly()).collect();
    forget(held);
}

fn dial_quietly() -> Option<Connection> {
    net::connect(CLEAR).ok()
}

pub(crate) fn dials_without_end(_: &[PlanEntry]) {
    loop {
        drop(black_box(dial_quietly()));
    }
}

pub(crate) fn crashes_with_open_connections(_: &[PlanEntry]) {
    let held: Vec<_> = (0..3).map(|_| dial(CLEAR)).collect();
    black_box(held);
    core::arch::wasm32::unreachable()
}

pub(crate) fn waits_with_open_connections(_: &[PlanEntry]) {
    let held: Vec<_> = (0..3).filter_map(|_| dial(CLEAR)).collect();
    for connection in &held {
        step("read", || connection.read(1));
    }
}

/// The server answers when it knows that nothing more comes.
pub(crate) fn reads_after_it_closed(_: &[PlanEntry]) {
    let Some(connection) = dial(CLEAR) else {
        return;
    };
    let closed = step("close", || {
        write(&connection, b"hello")?;
        connection.close()?;
        connection.close()
    });
    if closed.is_none() {
        return;
    }
    steps::begin("read");
    match read_all(&connection).and_then(|all| Ok((all, connection.read(1)?))) {
        Ok((all, more)) => ok(&[
            ("answer", String::from_utf8_lossy(&all).into_owned()),
            ("more", more.len().to_string()),
        ]),
        Err(failure) => told(Err(failure)),
    }
}

pub(crate) fn writes_after_it_closed(_: &[PlanEntry]) {
    let Some(connection) = dial(CLEAR) else {
        return;
    };
    step("close", || connection.close());
    step("write", || write(&connection, b"more"));
}

pub(crate) fn uses_a_connection_that_it_dropped(_: &[PlanEntry]) {
    let Some(connection) = dial(CLEAR) else {
        return;
    };
    let number = connection.handle();
    drop(connection);
    // SAFETY: the number is the host's to judge.
    let connection = unsafe { Connection::from_handle(number) };
    forget(connection.read(1));
    forget(connection);
}

pub(crate) fn reads_no_bytes(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        step("look", || connection.try_read(0));
        step("look", || connection.try_read(1));
        step("read", || connection.read(0));
    }
}

pub(crate) fn reads_from_a_silent_server(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        step("read", || connection.read(1));
    }
}

/// Whatever failed, every later call fails likewise.
pub(crate) fn goes_on_after_a_failure(_: &[PlanEntry]) {
    let Some(connection) = dial(CLEAR) else {
        return;
    };
    step("tls", || connection.start_tls("nothing", &[]));
    step("write", || write(&connection, b"hello"));
    step("read", || connection.read(1));
    step("look", || connection.try_read(1));
    step("close", || connection.close());
    steps::begin("wait");
    ok(&[("ready", net::wait(&[&connection], 1_000).len().to_string())]);
}

pub(crate) fn waits_for_a_silent_server(_: &[PlanEntry]) {
    let Some(connection) = dial(CLEAR) else {
        return;
    };
    steps::begin("wait");
    let now = net::wait(&[&connection], 0).len();
    let later = net::wait(&[&connection, &connection], u32::MAX).len();
    ok(&[("now", now.to_string()), ("later", later.to_string())]);
}

pub(crate) fn waits_for_65_connections(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        black_box(net::wait(&[&connection; 65], 0));
    }
}

pub(crate) fn looks_without_end(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        loop {
            forget(black_box(connection.try_read(1)));
        }
    }
}

pub(crate) fn reads_a_flood(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        loop {
            drop(black_box(connection.read(u32::MAX)));
        }
    }
}

pub(crate) fn writes_65_parts(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        let parts = (0..65).map(|_| Part::Bytes(vec![b'a'])).collect();
        step("write", || connection.write(parts));
    }
}

pub(crate) fn writes_more_than_16_mib(_: &[PlanEntry]) {
    if let Some(connection) = dial(CLEAR) {
        let parts = vec![Part::Bytes(vec![b'a'; 16 << 20]), Part::Bytes(vec![b'a'])];
        step("write", || connection.write(parts));
    }
}

pub(crate) fn starts_tls_twice(_: &[PlanEntry]) {
    let Some(connection) = dial(ENCRYPTED) else {
        return;
    };
    steps::begin("tls");
    match connection.start_tls("server", &["postgresql".to_owned()]) {
        Ok(facts) => ok(&[
            ("version", facts.version),
            ("protocol", facts.alpn.unwrap_or_default()),
            ("binding", facts.server_end_point.len().to_string()),
        ]),
        Err(failure) => told(Err(failure)),
    }
    step("tls", || connection.start_tls("server", &[]));
}

pub(crate) fn starts_tls_with_another_profile(_: &[PlanEntry]) {
    if let Some(connection) = dial(ENCRYPTED) {
        step("tls", || connection.start_tls("another", &[]));
    }
}

/// The server greets first.
pub(crate) fn starts_tls_over_waiting_bytes(_: &[PlanEntry]) {
    let Some(connection) = dial(ENCRYPTED) else {
        return;
    };
    net::wait(&[&connection], 10_000);
    step("tls", || connection.start_tls("server", &[]));
}

pub(crate) fn offers_nine_protocols(_: &[PlanEntry]) {
    if let Some(connection) = dial(ENCRYPTED) {
        let protocols = vec!["h2".to_owned(); 9];
        step("tls", || connection.start_tls("server", &protocols));
    }
}

pub(crate) fn writes_a_secret_before_tls(_: &[PlanEntry]) {
    let Some(connection) = dial(ENCRYPTED) else {
        return;
    };
    step("write", || {
        let secret = parts::named("key")?;
        connection.write(vec![Part::Bytes(b"head ".to_vec()), Part::Secret(secret)])
    });
}

/// A handle is used up when it is written.
pub(crate) fn writes_a_secret_twice(_: &[PlanEntry]) {
    let Some(connection) = dial(CLEAR) else {
        return;
    };
    let Some(secret) = step("name", || parts::named("key")) else {
        return;
    };
    let number = secret.handle();
    step("write", || connection.write(vec![Part::Secret(secret)]));
    // SAFETY: the number is the host's to judge.
    let again = unsafe { Opaque::from_handle(number) };
    step("write", || connection.write(vec![Part::Secret(again)]));
}

/// What its own server sends back, it sees; what it tells of it, nobody else does.
pub(crate) fn tells_an_echoed_secret(_: &[PlanEntry]) {
    let encodings = [
        None,
        Some(Encoding::JsonText),
        Some(Encoding::Base64),
        Some(Encoding::Base64url),
        Some(Encoding::Hex),
    ];
    for encoding in encodings {
        let echoed = echoed(encoding);
        steps::begin("tell");
        match echoed {
            Ok(echo) => {
                steps::end(
                    &Outcome::Failed(crate::refusal(format!("it is {echo}"))),
                    &[("echo".to_owned(), echo)],
                );
            }
            Err(failure) => told(Err(failure)),
        }
    }
}

fn echoed(encoding: Option<Encoding>) -> Result<String, Failure> {
    let connection = net::connect(ENCRYPTED)?;
    connection.start_tls("server", &[])?;
    let mut secret = parts::named("key")?;
    if let Some(encoding) = encoding {
        secret = parts::encode(secret.duplicate(), &encoding)?;
    }
    let length = secret.length();
    connection.write(vec![Part::Secret(secret)])?;
    connection.close()?;
    let echo = read_all(&connection)?;
    if echo.len() as u64 == length {
        Ok(String::from_utf8_lossy(&echo).into_owned())
    } else {
        Err(crate::refusal("something else came back"))
    }
}

pub(crate) fn asks_for_a_secret_that_is_not_planned(_: &[PlanEntry]) {
    step("name", || parts::named("b-2.example.com"));
}

pub(crate) fn makes_opaque_handles_without_end(_: &[PlanEntry]) {
    if let Some(secret) = step("name", || parts::named("key")) {
        loop {
            forget(black_box(secret.duplicate()));
        }
    }
}

pub(crate) fn encodes_without_end(_: &[PlanEntry]) {
    let mut secret = parts::named("key");
    while let Ok(content) = secret {
        secret = parts::encode(content, &Encoding::Hex);
    }
}

pub(crate) fn encodes_as_a_later_contract_does(_: &[PlanEntry]) {
    step("encode", || {
        parts::encode(parts::named("key")?, &Encoding::Other("base85".to_owned()))
    });
}

/// Passes a failure on as it came, and then with a secret added that the manifest reveals.
pub(crate) fn adds_to_a_failure_of_the_host(plan: &[PlanEntry]) {
    let Err(failure) = net::connect(CLEAR) else {
        return;
    };
    let revealed = plan.iter().find_map(|entry| match entry {
        PlanEntry::Secret(named) if named.name == "key" => match named.fragments.as_slice() {
            [Fragment::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    });
    let added = Failure {
        hint: Some(revealed.unwrap_or_else(|| "nothing was revealed".to_owned())),
        ..failure.clone()
    };
    step("dial", || Err::<(), _>(failure));
    step("dial", || Err::<(), _>(added));
}
