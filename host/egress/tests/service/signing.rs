//! Signatures, which the stand-in recomputes from what came.

use portolan_contract::{AssumedRole, PlanEntry};
use portolan_egress::Piece;
use portolan_egress::credentials::Lent;
use portolan_egress::credentials::aws::HostEnvironment;
use portolan_secret::SecretBytes;
use portolan_servers::{Authority, SIGV4_REGION, SigV4StandIn};

use crate::setting::{Asked, Setting, shown};

const KMS: &str = "kms.eu-central-1.amazonaws.com";
const KEY: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
const RULE: &str = "host = \"kms.*.amazonaws.com\"\nmethod = \"POST\"\npath = \"/**\"\n\
                    query = { b = \"2 3\" }\nallow_query = [\"a\"]\n\
                    headers = { x-amz-target = \"TrentService.Encrypt\" }\n\
                    authentication = \"sigv4\"\nservice = \"kms\"\nopaque_body = [\"/Plaintext\"]\n";

struct Signed {
    authority: Authority,
    server: SigV4StandIn,
}

impl Signed {
    fn new() -> Self {
        let authority = Authority::new("tests");
        Self {
            server: SigV4StandIn::start(&authority, &[KMS], "kms", KEY),
            authority,
        }
    }

    /// Sends one request with this key.
    async fn send_as(&self, key: &str, secret: &str) -> (u16, String) {
        self.send(key, &[("secret-access-key", secret)]).await
    }

    async fn send(&self, key: &str, secrets: &[(&str, &str)]) -> (u16, String) {
        let settings = &[("region", SIGV4_REGION), ("access-key-id", key)];
        let setting = Setting::new(RULE, &[KMS], settings, secrets);
        let client = setting.client(&self.authority, self.server.address());
        let plaintext = SecretBytes::new(*b"aHVudGVyMg==");
        let asked = Asked {
            path: &["keys", "a/b c:d~\u{e9}"],
            query: &[("a", "x/y+z"), ("a", "")],
            body: &[
                Piece::Shown(b"{\"Plaintext\":\""),
                Piece::Secret(&plaintext),
                Piece::Shown(b"\"}"),
            ],
            ..Asked::default()
        };
        let answer = setting.send(&client, asked).await.expect("an answer");
        (answer.status, shown(&answer))
    }
}

#[tokio::test]
async fn a_server_that_recomputes_the_signature_over_the_body_takes_it() {
    let signed = Signed::new();
    let answer = signed.send_as(KEY.0, KEY.1).await;
    assert_eq!(answer, (200, "{}".to_owned()));
    let accepted = signed.server.accepted();
    assert_eq!(accepted.len(), 1);
    assert_eq!(
        accepted[0].0,
        "POST /keys/a%2Fb%20c:d~%C3%A9?b=2%203&a=x%2Fy%2Bz&a="
    );
    assert_eq!(accepted[0].1, r#"{"Plaintext":"aHVudGVyMg=="}"#);
}

#[tokio::test]
async fn a_body_that_is_changed_on_the_way_is_refused() {
    let signed = Signed::new();
    signed.server.spoil_bodies();
    let (status, body) = signed.send_as(KEY.0, KEY.1).await;
    assert_eq!(status, 400);
    assert!(body.contains("InvalidSignatureException"), "{body}");
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_are_refused() {
    let signed = Signed::new();
    for (key, secret, error) in [
        (KEY.0, "wrong", "InvalidSignatureException"),
        ("AKIDOTHER", KEY.1, "UnrecognizedClientException"),
    ] {
        let (status, body) = signed.send_as(key, secret).await;
        assert_eq!(status, 400);
        assert!(body.contains(error), "{body}");
    }
    assert!(signed.server.accepted().is_empty());
}

#[tokio::test]
async fn the_token_of_a_temporary_key_is_signed_along() {
    let signed = Signed::new();
    signed.server.set_token("t0k3n/+=");
    let with = [("secret-access-key", KEY.1), ("session-token", "t0k3n/+=")];
    assert_eq!(signed.send(KEY.0, &with).await.0, 200);
    assert_eq!(signed.send(KEY.0, &with[..1]).await.0, 400);
}

#[tokio::test]
async fn the_key_of_the_hosts_variables_signs_where_the_host_lends_it() {
    let signed = Signed::new();
    signed.server.set_token("t0k3n/+=");
    let settings = &[("region", SIGV4_REGION), ("credentials", "implicit")];
    let setting = Setting::new(RULE, &[KMS], settings, &[]);
    for (secret, token, status) in [
        (KEY.1, "t0k3n/+=", 200),
        ("wrong", "t0k3n/+=", 400),
        (KEY.1, "", 400),
    ] {
        let variables = HostEnvironment::of([
            ("AWS_ACCESS_KEY_ID", KEY.0),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", token),
        ]);
        let lent = Lent::default().with_environment(variables);
        let client = setting.lending(&signed.authority, signed.server.address(), lent);
        let answer = setting.send(&client, Asked::default()).await;
        assert_eq!(answer.expect("an answer").status, status, "{secret}");
    }
    assert_eq!(signed.server.accepted().len(), 1);
}

#[tokio::test]
async fn what_a_plan_lacks_is_told_before_anything_is_sent() {
    let signed = Signed::new();
    let region = [("region", SIGV4_REGION)];
    let key = [("access-key-id", KEY.0)];
    let both = [("region", SIGV4_REGION), ("access-key-id", KEY.0)];
    let lent = [("region", SIGV4_REGION), ("credentials", "implicit")];
    for (settings, message) in [
        (
            &key[..],
            "the plan of the connection has no region, which authenticates the request",
        ),
        (
            &region,
            "the plan of the connection has no access key that can be used",
        ),
        (
            &both,
            "the plan of the connection has no secret access key that can be used",
        ),
        (
            &lent,
            "this host lends its connections no credentials of AWS",
        ),
    ] {
        let setting = Setting::new(RULE, &[KMS], settings, &[]);
        let client = setting.client(&signed.authority, signed.server.address());
        let refused = setting.send(&client, Asked::default()).await;
        assert_eq!(refused.expect_err("refused").to_string(), message);
    }
    let mut setting = Setting::new(RULE, &[KMS], &both, &[("secret-access-key", KEY.1)]);
    let role = AssumedRole {
        role: "arn:aws:iam::1:role/a".to_owned(),
        external_id: None,
    };
    setting.plan.plan.entries.push(PlanEntry::AssumeRole(role));
    let client = setting.client(&signed.authority, signed.server.address());
    let refused = setting.send(&client, Asked::default()).await;
    assert_eq!(
        refused.expect_err("refused").to_string(),
        "the plan of the connection has no endpoint of the token service"
    );
    assert!(signed.server.accepted().is_empty());
}
