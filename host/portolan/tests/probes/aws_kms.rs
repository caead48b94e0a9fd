//! `aws-kms`: a stand-in for AWS KMS, which answers in the words of AWS's documentation and looks at
//! no signature. That the real service answers so is not proved. What a signature is refused for is
//! told by moto, in `aws_kms` beside this folder.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use portolan::EgressOptions;
use portolan_servers::{Answer, Authority, HttpServer, answer};
use serde_json::{Value, json};

use super::told::{
    ALL, DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, expect, failing, made, named,
    nobody, ways,
};

const KMS: &str = "kms.eu-central-1.amazonaws.com";
const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/0a1b";
const SECRET: &str = "s3cr3t-of-forty-letters";

/// What the stand-in refuses an action with: its status, the error's code and message.
type Refusal = (&'static str, u16, &'static str, &'static str);

struct Setting {
    authority: Authority,
    service: HttpServer,
}

impl Setting {
    /// A service that encrypts and decrypts, but for what is refused.
    fn refusing(refusal: Option<Refusal>) -> Self {
        let authority = Authority::new("of the servers");
        let service = HttpServer::encrypted(&authority, &[KMS], move |request| {
            Box::pin(std::future::ready(answered(&request, refusal)))
        });
        Self { authority, service }
    }

    fn options(&self) -> EgressOptions {
        ways(
            &self.authority,
            &[(&format!("{KMS}:443"), self.service.address())],
        )
    }
}

fn answered(request: &Request<bytes::Bytes>, refusal: Option<Refusal>) -> Answer {
    let headers = [("content-type", "application/x-amz-json-1.1")];
    let target = request.headers().get("x-amz-target").expect("an action");
    let action = target.to_str().expect("text").strip_prefix("TrentService.");
    let action = action.expect("an action of KMS");
    if let Some((refused, status, code, message)) = refusal
        && refused == action
    {
        let body = json!({ "__type": code, "message": message });
        return answer(status, &headers, body.to_string());
    }
    let asked: Value = serde_json::from_slice(request.body()).expect("JSON");
    // A cipher of sorts: the bytes from the last to the first.
    let reversed = |name: &str| {
        let bytes = BASE64_STANDARD.decode(asked[name].as_str().expect("text"));
        let bytes: Vec<_> = bytes.expect("base64").into_iter().rev().collect();
        BASE64_STANDARD.encode(bytes)
    };
    let body = match action {
        "Encrypt" => json!({ "CiphertextBlob": reversed("Plaintext"), "KeyId": KEY }),
        "Decrypt" => json!({ "Plaintext": reversed("CiphertextBlob"), "KeyId": KEY }),
        _ => {
            return answer(
                400,
                &headers,
                json!({"__type": "UnknownOperationException"}).to_string(),
            );
        }
    };
    answer(200, &headers, body.to_string())
}

fn uri() -> String {
    format!(
        "aws-kms:///{KEY}?REGION=eu-central-1&AWS_ACCESS_KEY_ID=AKIAEXAMPLE\
         &AWS_SECRET_ACCESS_KEY={SECRET}"
    )
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, expected: [&str; 4]) {
    let told = failing(options, &uri(), &[SECRET]).await;
    let [steps, state, message, hint] = expected;
    let message = format!("failed to create AWS KMS external connection: {message}");
    expect(&told, [steps, state, &message, hint]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_out_over_a_stand_in() {
    let setting = Setting::refusing(None);
    assert_eq!(made(setting.options(), &uri()).await, ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_the_documentation_is_told_whole_over_a_stand_in() {
    let clock = "Set the clock of this server, and keep it by NTP.";
    let key = "Check the key's name and REGION: a key is in one region of one account.";
    for (action, code, message, state, hint) in [
        (
            "Encrypt",
            "DisabledException",
            "the key is disabled.",
            "42501",
            "Enable the key.",
        ),
        (
            "Encrypt",
            "KMSInvalidStateException",
            "the key is pending deletion.",
            "42501",
            "Look at the state of the key: it may be disabled, or about to be deleted.",
        ),
        // The wrong region: the key is in another one.
        (
            "Encrypt",
            "NotFoundException",
            "Invalid arn us-east-1",
            "42704",
            key,
        ),
        (
            "Encrypt",
            "AccessDeniedException",
            "User is not authorized to perform: kms:Encrypt",
            "42501",
            "Allow kms:Encrypt on this key, in its policy or in that of the user or role.",
        ),
        (
            "Decrypt",
            "AccessDeniedException",
            "User is not authorized to perform: kms:Decrypt",
            "42501",
            "Allow kms:Decrypt on this key, in its policy or in that of the user or role.",
        ),
        (
            "Encrypt",
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "28000",
            "Give temporary credentials that are still valid.",
        ),
        (
            "Encrypt",
            "InvalidSignatureException",
            "Signature expired: 20261126T100000Z is now earlier than 20261126T101500Z",
            "28000",
            clock,
        ),
        (
            "Encrypt",
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
            "28000",
            "Check AWS_SECRET_ACCESS_KEY; in a URI a + is written %2B.",
        ),
        (
            "Encrypt",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "28000",
            "Check AWS_ACCESS_KEY_ID, and AWS_SESSION_TOKEN of temporary credentials.",
        ),
        (
            "Encrypt",
            "InvalidKeyUsageException",
            "the key usage is SIGN_VERIFY",
            "0A000",
            "Give a symmetric key that is for encryption and decryption.",
        ),
        (
            "Encrypt",
            "ThrottlingException",
            "Rate exceeded",
            "08001",
            "Try again later.",
        ),
    ] {
        let setting = Setting::refusing(Some((action, 400, code, message)));
        let (steps, what) = match action {
            "Encrypt" => (ENCRYPTING, NOT_ENCRYPTED),
            _ => (DECRYPTING, NOT_DECRYPTED),
        };
        let told = format!("{what}AWS KMS answered 400 {code} {message}");
        fails(setting.options(), [steps, state, &told, hint]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_reached_is_told_by_where_it_ends() {
    let setting = Setting::refusing(None);
    let told = failing(named(&[]), &uri(), &[SECRET]).await;
    assert!(told.starts_with("resolve failed\n08001\n"), "{told}");
    let lead = |address| ways(&setting.authority, &[(&format!("{KMS}:443"), address)]);
    let told = failing(lead(nobody()), &uri(), &[SECRET]).await;
    assert!(
        told.starts_with("resolve ok, dial failed\n08001\n"),
        "{told}"
    );
    let stranger = Authority::new("of nobody here");
    let options = ways(
        &stranger,
        &[(&format!("{KMS}:443"), setting.service.address())],
    );
    let told = failing(options, &uri(), &[SECRET]).await;
    assert!(
        told.starts_with("resolve ok, dial ok, tls failed\n"),
        "{told}"
    );
    let told = failing(named(&[[10, 0, 0, 7]]), &uri(), &[SECRET]).await;
    assert!(told.contains("\n42501\n"), "{told}");
    assert!(
        told.contains("the name stands for a private address"),
        "{told}"
    );
}
