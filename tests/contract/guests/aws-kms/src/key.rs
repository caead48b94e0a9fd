//! Encrypt and decrypt: JSON around a plaintext that stays in the host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::bindings::exports::portolan::provider::kms::Encrypted;
use crate::bindings::portolan::host::http::{OpaqueMember, Request, send};
use crate::bindings::portolan::host::parts::{Encoding, Opaque, Part, encode};
use crate::bindings::portolan::types::types::{Failure, FailureClass, PlanEntry};
use crate::plans::read;
use crate::step::failed;

const SERVICE: u32 = 0;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ToDecrypt<'a> {
    ciphertext_blob: String,
    key_id: &'a str,
}

/// Every answer, whatever of it there is.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    ciphertext_blob: String,
    key_id: String,
    #[serde(rename = "__type")]
    error: String,
    #[serde(alias = "message")]
    message: String,
}

/// Encrypts under the key of the plan.
pub(crate) fn encrypt(plan: &[PlanEntry], plaintext: Opaque) -> Result<Encrypted, Failure> {
    let key = quoted(read(plan, "key").unwrap_or_default())?;
    let body = vec![
        Part::Bytes(format!("{{\"KeyId\":{key},\"Plaintext\":\"").into_bytes()),
        Part::Secret(encode(plaintext, &Encoding::Base64)?),
        Part::Bytes(b"\"}".to_vec()),
    ];
    let (answer, _) = ask("encrypt", body, Vec::new())?;
    let ciphertext = STANDARD.decode(&answer.ciphertext_blob);
    match ciphertext {
        Ok(ciphertext) if !ciphertext.is_empty() && !answer.key_id.is_empty() => Ok(Encrypted {
            ciphertext,
            key: answer.key_id,
            // The service finds the version in the ciphertext and does not name it.
            key_version: None,
        }),
        _ => Err(garbled("its answer holds no ciphertext and key")),
    }
}

/// Decrypts, and accepts only the answer of the very key.
pub(crate) fn decrypt(_plan: &[PlanEntry], encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let body = serde_json::to_vec(&ToDecrypt {
        ciphertext_blob: STANDARD.encode(&encrypted.ciphertext),
        key_id: &encrypted.key,
    });
    let body = body.map_err(|error| garbled(&error.to_string()))?;
    let (answer, plaintext) = ask(
        "decrypt",
        vec![Part::Bytes(body)],
        vec![OpaqueMember {
            pointer: "/Plaintext".to_owned(),
            encoding: Encoding::Base64,
        }],
    )?;
    if answer.key_id != encrypted.key {
        return Err(
            garbled("it decrypted with another key than the one that was asked for").with_hint(
                "Look whether the endpoint is the one of the key's own region and account.",
            ),
        );
    }
    plaintext.ok_or_else(|| garbled("its answer holds no plaintext"))
}

/// Sends one request; the visible answer, and the opaque member if one was kept.
fn ask(
    rule: &str,
    body: Vec<Part>,
    keep_opaque: Vec<OpaqueMember>,
) -> Result<(Answer, Option<Opaque>), Failure> {
    let response = send(Request {
        rule: rule.to_owned(),
        endpoint: SERVICE,
        method: "POST".to_owned(),
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body,
        keep_opaque,
    })?;
    let mut document = Vec::new();
    let mut opaque = None;
    for part in response.body {
        match part {
            Part::Bytes(bytes) => document.extend(bytes),
            Part::Secret(secret) => opaque = Some(secret),
        }
    }
    let answer = serde_json::from_slice::<Answer>(&document);
    match (response.status, answer) {
        (200, Ok(answer)) => Ok((answer, opaque)),
        (200, Err(_)) => Err(garbled("its answer is no JSON")),
        (status, answer) => Err(refusal(status, &answer.unwrap_or_default())),
    }
}

/// What the service said, classed by the name of its error.
fn refusal(status: u16, answer: &Answer) -> Failure {
    let name = answer.error.rsplit('#').next().unwrap_or_default();
    let (class, hint) = match name {
        "AccessDeniedException" => (
            FailureClass::Denied,
            "Allow kms:Encrypt and kms:Decrypt on this key in its policy or in the role's.",
        ),
        "NotFoundException" => (
            FailureClass::NotFound,
            "Look at the key's id, REGION and account.",
        ),
        "DisabledException" | "KMSInvalidStateException" => {
            (FailureClass::Denied, "Enable the key.")
        }
        "UnrecognizedClientException" | "InvalidSignatureException" => (
            FailureClass::RefusedCredentials,
            "Look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and this machine's clock.",
        ),
        "ExpiredTokenException" => (FailureClass::RefusedCredentials, "Renew AWS_SESSION_TOKEN."),
        _ if status >= 500 || status == 429 => (FailureClass::Unreachable, "Try again later."),
        _ => (
            FailureClass::Protocol,
            "Look whether the endpoint is AWS KMS.",
        ),
    };
    let message = format!("AWS KMS answered {status} {name}: {}", answer.message);
    failed(class, message).with_hint(hint)
}

fn garbled(what: &str) -> Failure {
    failed(
        FailureClass::Protocol,
        format!("this is not what AWS KMS answers: {what}"),
    )
}

fn quoted(text: &str) -> Result<String, Failure> {
    serde_json::to_string(text).map_err(|error| garbled(&error.to_string()))
}
