//! Misdeeds in requests.

use std::hint::black_box;
use std::mem::forget;

use crate::bindings::portolan::host::http::{self, OpaqueMember, Request, Response};
use crate::bindings::portolan::host::parts::{self, Encoding, Opaque, Part};
use crate::bindings::portolan::host::steps::{self, Outcome};
use crate::bindings::portolan::types::types::Failure;
use crate::told;

/// A request that the rule `look` describes.
pub(crate) fn look() -> Request {
    Request {
        rule: "look".to_owned(),
        endpoint: 0,
        method: "GET".to_owned(),
        path: vec!["look".to_owned(), "here".to_owned()],
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        keep_opaque: Vec::new(),
    }
}

/// One that the rule `decrypt` describes, around this part.
pub(crate) fn decrypt(part: Part) -> Request {
    Request {
        rule: "decrypt".to_owned(),
        method: "POST".to_owned(),
        path: vec!["decrypt".to_owned()],
        body: vec![
            Part::Bytes(b"{\"Ciphertext\":\"".to_vec()),
            part,
            Part::Bytes(b"\"}".to_vec()),
        ],
        ..look()
    }
}

fn secret() -> Result<Opaque, Failure> {
    parts::named("key")
}

pub(crate) fn encoded() -> Result<Part, Failure> {
    Ok(Part::Secret(parts::encode(secret()?, &Encoding::Base64)?))
}

fn step(ask: impl FnOnce() -> Result<Response, Failure>) {
    steps::begin("ask");
    told(ask().map(drop));
}

fn send(request: Request) {
    step(|| http::send(request));
}

pub(crate) fn sends_what_no_rule_describes() {
    send(Request {
        rule: "exfiltrate".to_owned(),
        method: "EXFILTRATE".to_owned(),
        ..look()
    });
}

pub(crate) fn sends_to_an_endpoint_that_is_not_planned() {
    send(Request {
        endpoint: 7,
        ..look()
    });
}

/// Endpoint 2 is planned by `dials` alone; here it is what the plan adds for this misdeed.
pub(crate) fn sends_to_another_host() {
    send(Request {
        endpoint: 2,
        ..look()
    });
}

pub(crate) fn sends_another_method() {
    send(Request {
        method: "DELETE".to_owned(),
        ..look()
    });
}

pub(crate) fn sends_another_path() {
    send(Request {
        path: vec!["keys".to_owned()],
        ..look()
    });
}

pub(crate) fn sends_a_parameter_that_is_not_allowed() {
    send(Request {
        query: vec![("admin".to_owned(), Part::Bytes(b"1".to_vec()))],
        ..look()
    });
}

pub(crate) fn sends_a_header_of_the_host() {
    send(Request {
        headers: vec![("authorization".to_owned(), "Bearer mine".to_owned())],
        ..look()
    });
}

pub(crate) fn sends_a_secret_in_its_query() {
    step(|| {
        http::send(Request {
            query: vec![("q".to_owned(), encoded()?)],
            ..look()
        })
    });
}

pub(crate) fn sends_a_secret_in_another_member() {
    step(|| {
        http::send(Request {
            body: vec![
                Part::Bytes(b"{\"Ciphertext\":\"\",\"note\":\"".to_vec()),
                encoded()?,
                Part::Bytes(b"\"}".to_vec()),
            ],
            ..decrypt(Part::Bytes(Vec::new()))
        })
    });
}

pub(crate) fn sends_a_secret_where_none_may_be() {
    step(|| {
        http::send(Request {
            body: vec![encoded()?],
            ..look()
        })
    });
}

pub(crate) fn sends_no_secret_where_one_has_to_be() {
    send(decrypt(Part::Bytes(b"mine".to_vec())));
}

/// As it is, the secret has a quote in it.
pub(crate) fn sends_a_secret_that_ends_its_string() {
    step(|| http::send(decrypt(Part::Secret(secret()?))));
}

/// A handle is used up, whatever became of its request.
pub(crate) fn sends_a_secret_that_is_used_up() {
    let Ok(secret) = secret() else {
        return;
    };
    let number = secret.handle();
    step(|| {
        http::send(Request {
            body: vec![Part::Secret(secret)],
            ..look()
        })
    });
    // SAFETY: the number is the host's to judge.
    let again = unsafe { Opaque::from_handle(number) };
    send(decrypt(Part::Secret(again)));
}

pub(crate) fn climbs_out_of_its_path() {
    send(Request {
        path: vec!["look".to_owned(), "..".to_owned()],
        ..look()
    });
}

pub(crate) fn splits_a_header() {
    send(Request {
        headers: vec![("x-a".to_owned(), "1\r\nauthorization: mine".to_owned())],
        ..look()
    });
}

pub(crate) fn sends_65_segments() {
    send(Request {
        path: vec!["a".to_owned(); 65],
        ..look()
    });
}

pub(crate) fn sends_a_segment_of_2_kib() {
    send(Request {
        path: vec!["look".to_owned(), "a".repeat(2 << 10)],
        ..look()
    });
}

pub(crate) fn sends_257_parameters() {
    let parameter = || ("q".to_owned(), Part::Bytes(Vec::new()));
    send(Request {
        query: (0..257).map(|_| parameter()).collect(),
        ..look()
    });
}

pub(crate) fn sends_65_headers() {
    send(Request {
        headers: vec![("x-a".to_owned(), String::new()); 65],
        ..look()
    });
}

pub(crate) fn sends_17_kib_of_headers() {
    send(Request {
        headers: vec![("x-a".to_owned(), "a".repeat(17 << 10))],
        ..look()
    });
}

pub(crate) fn sends_65_parts() {
    send(Request {
        body: (0..65).map(|_| Part::Bytes(vec![b'a'])).collect(),
        ..look()
    });
}

pub(crate) fn sends_more_than_16_mib() {
    send(Request {
        body: vec![Part::Bytes(vec![b'a'; 16 << 20]), Part::Bytes(vec![b'a'])],
        ..look()
    });
}

pub(crate) fn keep(pointer: &str, encoding: Encoding) -> OpaqueMember {
    OpaqueMember {
        pointer: pointer.to_owned(),
        encoding,
    }
}

pub(crate) fn keeps_17_members_opaque() {
    send(Request {
        keep_opaque: (0..17).map(|_| keep("/a", Encoding::Hex)).collect(),
        ..look()
    });
}

pub(crate) fn keeps_what_is_no_member_opaque() {
    send(Request {
        keep_opaque: vec![keep("a/~2", Encoding::Hex)],
        ..look()
    });
}

pub(crate) fn keeps_a_member_opaque_as_a_later_contract_does() {
    send(Request {
        keep_opaque: vec![keep("/a", Encoding::Other("base85".to_owned()))],
        ..look()
    });
}

pub(crate) fn sends_without_end() {
    loop {
        forget(black_box(http::send(look())));
    }
}

pub(crate) fn sends_to_a_silent_server() {
    send(look());
}

pub(crate) fn sends_to_a_server_that_drips() {
    send(look());
}

pub(crate) fn takes_answers_without_end() {
    loop {
        drop(black_box(http::send(look())));
    }
}

pub(crate) fn takes_opaque_answers_without_end() {
    while let Ok(part) = encoded() {
        drop(black_box(http::send(decrypt(part))));
    }
}

/// Tells all that it sees of an answer, and what it learns of the rest.
pub(crate) fn looks_into_an_opaque_answer() {
    steps::begin("ask");
    let answered = encoded().and_then(|part| http::send(decrypt(part)));
    match answered {
        Err(failure) => told(Err(failure)),
        Ok(response) => {
            let mut seen = String::new();
            for part in response.body {
                match part {
                    Part::Bytes(bytes) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                    Part::Secret(secret) => seen.push_str(&format!("<{}>", secret.length())),
                }
            }
            let details = [
                ("status".to_owned(), response.status.to_string()),
                ("seen".to_owned(), seen),
            ];
            steps::end(&Outcome::Ok, &details);
        }
    }
}
