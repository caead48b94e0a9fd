//! Misdeeds of a key in use.

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use crate::bindings::exports::portolan::provider::kms::{self, Encrypted};
use crate::bindings::portolan::host::http::{self, Request};
use crate::bindings::portolan::host::keys::Marker;
use crate::bindings::portolan::host::net;
use crate::bindings::portolan::host::parts::{self, Encoding, Opaque, Part};
use crate::bindings::portolan::host::steps::Depth;
use crate::bindings::portolan::types::types::{Failure, Fragment, PlanEntry};
use crate::planning::{ESCAPES, spin};
use crate::requesting::{decrypt, encoded, keep, look};
use crate::{Hostile, misdeed_of, refusal, use_key};

/// What the host asks for, and what it is asked with.
pub(crate) enum Asked {
    Encrypt(Vec<PlanEntry>, Opaque),
    Decrypt,
}

/// What is answered.
pub(crate) enum Answer {
    Encrypted(Result<Encrypted, Failure>),
    Decrypted(Result<Opaque, Failure>),
}

impl kms::Guest for Hostile {
    fn probe(_plan: Vec<PlanEntry>, _marker: Option<Marker>, _depth: Depth) {}

    fn encrypt(plan: Vec<PlanEntry>, plaintext: Opaque) -> Result<Encrypted, Failure> {
        match use_key(&misdeed_of(&plan), Asked::Encrypt(plan, plaintext)) {
            Answer::Encrypted(encrypted) => encrypted,
            Answer::Decrypted(_) => Err(refusal("it is asked to encrypt")),
        }
    }

    fn decrypt(plan: Vec<PlanEntry>, _encrypted: Encrypted) -> Result<Opaque, Failure> {
        match use_key(&misdeed_of(&plan), Asked::Decrypt) {
            Answer::Decrypted(decrypted) => decrypted,
            Answer::Encrypted(_) => Err(refusal("it is asked to decrypt")),
        }
    }
}

fn encrypted(bytes: usize, key: &str) -> Answer {
    Answer::Encrypted(Ok(Encrypted {
        ciphertext: vec![1; bytes],
        key: key.to_owned(),
        key_version: None,
    }))
}

/// Encrypts to something, and decrypts nothing.
pub(crate) fn good(asked: Asked) -> Answer {
    match asked {
        Asked::Encrypt(..) => encrypted(10, "a key"),
        Asked::Decrypt => Answer::Decrypted(Err(refusal("it decrypts nothing"))),
    }
}

pub(crate) fn gives_out_a_secret_of_the_plan(_: Asked) -> Answer {
    Answer::Decrypted(parts::named("key"))
}

pub(crate) fn gives_out_an_encoded_secret_of_the_plan(_: Asked) -> Answer {
    let secret = parts::named("key").map(|secret| secret.duplicate());
    Answer::Decrypted(secret.and_then(|secret| parts::encode(secret, &Encoding::Hex)))
}

/// Has the service take a credential for a plaintext, and hands out what comes back.
pub(crate) fn launders_a_secret_of_the_plan_through_the_key(_: Asked) -> Answer {
    let asked = encoded().map(|part| Request {
        keep_opaque: vec![keep("/Plaintext", Encoding::Base64)],
        ..decrypt(part)
    });
    let answered = asked.and_then(http::send);
    let secret = answered.and_then(|answered| {
        let mut parts = answered.body.into_iter();
        let secret = parts.find_map(|part| match part {
            Part::Secret(secret) => Some(secret),
            Part::Bytes(_) => None,
        });
        secret.ok_or_else(|| refusal("the answer has no secret"))
    });
    Answer::Decrypted(secret)
}

/// Where no rule describes what is sent, and nobody looks at what comes back.
pub(crate) fn writes_a_plaintext_to_a_connection(asked: Asked) -> Answer {
    match asked {
        Asked::Encrypt(_, plaintext) => Answer::Encrypted(written(plaintext)),
        Asked::Decrypt => good(asked),
    }
}

pub(crate) fn writes_a_secret_of_the_plan_to_a_connection(_: Asked) -> Answer {
    Answer::Encrypted(parts::named("key").and_then(written))
}

fn written(secret: Opaque) -> Result<Encrypted, Failure> {
    let connection = net::connect(0)?;
    connection.write(vec![Part::Secret(secret)])?;
    Err(refusal("it was written"))
}

pub(crate) fn encrypts_to_nothing(_: Asked) -> Answer {
    encrypted(0, "a key")
}

pub(crate) fn encrypts_to_more_than_64_kib(_: Asked) -> Answer {
    encrypted((64 << 10) + 1, "a key")
}

pub(crate) fn names_a_key_of_3_kib(_: Asked) -> Answer {
    encrypted(10, &"k".repeat(3 << 10))
}

pub(crate) fn names_a_key_with_terminal_escapes(_: Asked) -> Answer {
    encrypted(10, ESCAPES)
}

/// The manifest reveals it.
pub(crate) fn names_a_key_after_a_secret(asked: Asked) -> Answer {
    let Asked::Encrypt(plan, _) = asked else {
        return good(asked);
    };
    let secret = plan.iter().find_map(|entry| match entry {
        PlanEntry::Secret(secret) if secret.name == "key" => match &secret.fragments[..] {
            [Fragment::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    });
    encrypted(10, &secret.unwrap_or_default())
}

pub(crate) fn refuses_to_encrypt_with_terminal_escapes(_: Asked) -> Answer {
    Answer::Encrypted(Err(refusal(ESCAPES)))
}

pub(crate) fn spins_while_it_encrypts(_: Asked) -> Answer {
    spin()
}

pub(crate) fn crashes_while_it_decrypts(_: Asked) -> Answer {
    core::arch::wasm32::unreachable()
}

/// Asks a server that says nothing, as often as it may.
pub(crate) fn waits_while_it_encrypts(_: Asked) -> Answer {
    loop {
        let _ = black_box(http::send(look()));
    }
}

/// What it encoded is used up.
pub(crate) fn uses_a_plaintext_twice(asked: Asked) -> Answer {
    let Asked::Encrypt(_, plaintext) = asked else {
        return good(asked);
    };
    let handle = plaintext.handle();
    let _ = parts::encode(plaintext, &Encoding::Base64);
    // SAFETY: the number is the host's to judge.
    let again = unsafe { Opaque::from_handle(handle) };
    let length = again.length();
    encrypted(usize::try_from(length).unwrap_or(1), "a key")
}

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static KEPT: RefCell<Option<Opaque>> = const { RefCell::new(None) };
}

/// Tells how many calls its instance has had.
pub(crate) fn remembers_the_calls_before(asked: Asked) -> Answer {
    let calls = CALLS.get() + 1;
    CALLS.set(calls);
    match asked {
        Asked::Encrypt(..) => Answer::Encrypted(Ok(Encrypted {
            ciphertext: vec![1; 10],
            key: "a key".to_owned(),
            key_version: Some(calls.to_string()),
        })),
        Asked::Decrypt => Answer::Decrypted(Err(refusal("it decrypts nothing"))),
    }
}

/// Keeps a handle to a plaintext, and reads from it in the next call.
pub(crate) fn keeps_a_part_for_the_next_call(asked: Asked) -> Answer {
    let Asked::Encrypt(_, plaintext) = asked else {
        return good(asked);
    };
    match KEPT.take() {
        None => {
            KEPT.set(Some(plaintext.duplicate()));
            encrypted(10, "a key")
        }
        Some(kept) => encrypted(kept.length() as usize, "a key of the call before"),
    }
}
