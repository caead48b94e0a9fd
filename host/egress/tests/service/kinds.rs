//! Each kind of authentication but signatures: what is sent, and where it is never sent.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use portolan_contract::FailureClass;
use portolan_egress::Piece;
use portolan_egress::service::ServiceError;
use portolan_secret::SecretBytes;
use portolan_servers::{
    Authority, EntraApplication, EntraStandIn, GoogleStandIn, HttpServer, ServiceAccount, answer,
};

use crate::setting::{Asked, Setting, shown};

const OWN: &str = "host = \"{authority}\"\nmethod = \"POST\"\n";

/// A server with TLS that keeps what came and answers tokens with one.
struct Keeping {
    authority: Authority,
    server: HttpServer,
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Keeping {
    fn new(names: &[&str]) -> Self {
        let authority = Authority::new("tests");
        let seen = Arc::<Mutex<Vec<Request<Bytes>>>>::default();
        let keeps = Arc::clone(&seen);
        let server = HttpServer::encrypted(&authority, names, move |request| {
            let body = match request.uri().path() {
                "/token" => r#"{"access_token":"t0k3n","expires_in":3600}"#,
                "/unauthorized" => "no",
                _ => "yes",
            };
            let status = if body == "no" { 401 } else { 200 };
            keeps.lock().expect("a lock").push(request);
            async move { answer(status, &[], body) }.boxed()
        });
        Self {
            authority,
            server,
            seen,
        }
    }

    /// The requests that came, each as its line and the header asked for.
    fn seen(&self, header: &str) -> Vec<(String, Option<String>)> {
        let seen = self.seen.lock().expect("a lock");
        let told = seen.iter().map(|request| {
            let value = request.headers().get(header);
            let value = value.map(|value| value.to_str().expect("text").to_owned());
            (format!("{} {}", request.method(), request.uri()), value)
        });
        told.collect()
    }
}

fn elsewhere(refused: Result<impl std::fmt::Debug, ServiceError>) -> String {
    let error = refused.expect_err("refused");
    assert_eq!(error.class(), FailureClass::Denied, "{error}");
    error.to_string()
}

#[tokio::test]
async fn user_and_password_go_to_the_uri_s_own_authority_where_the_plan_has_them() {
    let keeping = Keeping::new(&["own.example.com", "other.example.com"]);
    let rule = format!("{OWN}path = \"/a\"\nauthentication = \"basic\"\n");
    let hosts = ["own.example.com", "other.example.com"];
    for (secrets, expected) in [
        (
            &[("basic", "us:er pass")][..],
            Some("Basic dXM6ZXIgcGFzcw=="),
        ),
        (&[], None),
    ] {
        let setting =
            Setting::new(&rule, &hosts, &[], secrets).of_authority("Own.Example.com", None);
        let client = setting.client(&keeping.authority, keeping.server.address());
        let asked = Asked {
            path: &["a"],
            ..Asked::default()
        };
        setting
            .send(&client, asked.clone())
            .await
            .expect("an answer");
        let seen = keeping.seen("authorization").pop();
        assert_eq!(
            seen,
            Some(("POST /a".to_owned(), expected.map(str::to_owned)))
        );
        let refused = setting
            .send(
                &client,
                Asked {
                    endpoint: 1,
                    ..asked
                },
            )
            .await;
        assert_eq!(
            elsewhere(refused),
            "the password of the connection is not sent to other.example.com: it is for the host \
             that the URI names"
        );
    }
    // Another port of the same host is another authority.
    let setting = Setting::new(&rule, &hosts, &[], &[("basic", "a:b")])
        .of_authority("own.example.com", Some(8443));
    let client = setting.client(&keeping.authority, keeping.server.address());
    elsewhere(setting.send(&client, Asked::default()).await);
    assert_eq!(keeping.seen("host").len(), 2);
}

#[tokio::test]
async fn no_secret_goes_out_unencrypted_where_the_uri_promises_tls() {
    let authority = Authority::new("tests");
    let seen = Arc::<Mutex<usize>>::default();
    let counted = Arc::clone(&seen);
    let server = HttpServer::plain(move |_| {
        *counted.lock().expect("a lock") += 1;
        async move { answer(200, &[], "yes") }.boxed()
    });
    for (path, rest, secret) in [
        (
            "/a",
            "authentication = \"basic\"\n",
            ("basic", "us:er pass"),
        ),
        (
            "/a",
            "authentication = \"secret-header\"\nheader = \"x-token\"\n",
            ("header", "hunter2"),
        ),
        (
            "/a",
            "authentication = \"secret-query\"\nparameter = \"*\"\n",
            ("query.key", "hunter2"),
        ),
        ("/{path}", "", ("path", "/hunter2")),
    ] {
        let rule = format!("{OWN}path = \"{path}\"\n{rest}");
        let asked = Asked {
            path: if path == "/a" { &["a"] } else { &[] },
            ..Asked::default()
        };
        let setting = || Setting::in_clear_with(&rule, server.address(), &[secret]);
        for scheme in ["https", "webhook-https", "FILE-HTTPS"] {
            let setting = setting().of_scheme(scheme);
            let client = setting.client(&authority, server.address());
            let told = elsewhere(setting.send(&client, asked.clone()).await);
            assert!(
                told.ends_with("to service.example.com without TLS, which the URI asks for"),
                "{told}"
            );
        }
        let before = *seen.lock().expect("a lock");
        let setting = setting().of_scheme("http");
        let client = setting.client(&authority, server.address());
        setting.send(&client, asked).await.expect("an answer");
        assert_eq!(*seen.lock().expect("a lock"), before + 1, "{rest}");
    }
    assert_eq!(*seen.lock().expect("a lock"), 4);
    // Nor does a token, or a body with what the provider may not see.
    let signed = format!("{OWN}path = \"/a\"\nauthentication = \"sigv4\"\nservice = \"kms\"\n");
    let setting = Setting::in_clear(&signed, server.address()).of_scheme("https");
    let client = setting.client(&authority, server.address());
    let asked = Asked {
        path: &["a"],
        ..Asked::default()
    };
    elsewhere(setting.send(&client, asked.clone()).await);
    let opaque = format!("{OWN}path = \"/a\"\nopaque_body = [\"/p\"]\n");
    let setting = Setting::in_clear(&opaque, server.address()).of_scheme("https");
    let client = setting.client(&authority, server.address());
    let secret = SecretBytes::new("hunter2");
    let body = [
        Piece::Shown(b"{\"p\":\""),
        Piece::Secret(&secret),
        Piece::Shown(b"\"}"),
    ];
    elsewhere(
        setting
            .send(
                &client,
                Asked {
                    body: &body,
                    ..asked
                },
            )
            .await,
    );
    assert_eq!(*seen.lock().expect("a lock"), 4);
}

#[tokio::test]
async fn a_webhook_s_secrets_stand_in_header_query_and_path() {
    let keeping = Keeping::new(&["hooks.example.com"]);
    let rule = format!(
        "{OWN}path = \"/{{path}}\"\nauthentication = [\"secret-header\", \"secret-query\"]\n\
         header = \"authorization\"\nparameter = \"*\"\n"
    );
    let secrets = [
        ("path", "/services/T0/B%2F0"),
        ("header", "Token hunter2"),
        ("query.key", "a+b"),
        ("query.second", "\u{e9}"),
        ("unused", "x"),
    ];
    let setting = Setting::new(&rule, &["hooks.example.com"], &[], &secrets)
        .of_authority("hooks.example.com", None);
    let client = setting.client(&keeping.authority, keeping.server.address());
    setting
        .send(&client, Asked::default())
        .await
        .expect("an answer");
    assert_eq!(
        keeping.seen("authorization"),
        [(
            "POST /services/T0/B%2F0?key=a%2Bb&second=%C3%A9".to_owned(),
            Some("Token hunter2".to_owned())
        )]
    );
    let other = Setting::new(&rule, &["hooks.example.com"], &[], &secrets)
        .of_authority("else.example.com", None);
    let client = other.client(&keeping.authority, keeping.server.address());
    assert_eq!(
        elsewhere(other.send(&client, Asked::default()).await),
        "the secret path of the connection is not sent to hooks.example.com: it is for the host \
         that the URI names"
    );
    let broken = [("path", "/a"), ("header", "hunter2\r\nx: y")];
    let setting = Setting::new(&rule, &["hooks.example.com"], &[], &broken)
        .of_authority("hooks.example.com", None);
    let client = setting.client(&keeping.authority, keeping.server.address());
    let error = setting
        .send(&client, Asked::default())
        .await
        .expect_err("no header");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(keeping.seen("host").len(), 1);
}

#[tokio::test]
async fn a_client_certificate_is_shown_only_where_a_rule_says_so() {
    let keeping = Keeping::new(&["own.example.com"]);
    let identity = keeping.authority.issue_client("client");
    let secrets = [
        ("certificate", identity.certificate.as_str()),
        ("key", identity.key.as_str()),
    ];
    let with = "path = \"/\"\nauthentication = \"client-certificate\"\n";
    for (rule, authority, sent) in [
        (with, "own.example.com", true),
        (with, "other.example.com", false),
        ("path = \"/\"\n", "own.example.com", false),
    ] {
        let setting = Setting::new(&format!("{OWN}{rule}"), &["own.example.com"], &[], &secrets)
            .of_authority(authority, None)
            .with_certificate();
        let client = setting.client(&keeping.authority, keeping.server.address());
        let answered = setting.send(&client, Asked::default()).await;
        match sent {
            true => assert_eq!(shown(&answered.expect("an answer")), "yes"),
            false => assert_eq!(
                elsewhere(answered),
                "the client certificate of the connection is not sent to own.example.com: it is \
                 for the host that the URI names"
            ),
        }
    }
    assert_eq!(keeping.seen("host").len(), 1);
}

#[tokio::test]
async fn client_credentials_go_to_the_token_url_of_the_uri_and_to_no_other() {
    let hosts = ["api.example.com", "login.example.com"];
    let keeping = Keeping::new(&hosts);
    let rule = "host = \"*.example.com\"\nmethod = \"GET\"\npath = \"/*\"\n\
                authentication = \"oauth-client-credentials\"\nscope = \"all of it\"\n";
    // What a provider plans as its token URL counts for nothing.
    let settings = [
        ("client-id", "cl ient"),
        ("token-url", "https://evil.example/"),
    ];
    let setting = Setting::new(rule, &hosts, &settings, &[("client-secret", "s:3/+")])
        .of_option("token_at", "https://login.example.com/token");
    let client = setting.client(&keeping.authority, keeping.server.address());
    let asked = Asked {
        path: &["a"],
        ..Asked::default()
    };
    setting
        .send(&client, asked.clone())
        .await
        .expect("an answer");
    setting
        .send(&client, asked.clone())
        .await
        .expect("an answer");
    let bearer = || Some("Bearer t0k3n".to_owned());
    assert_eq!(
        keeping.seen("authorization"),
        [
            (
                "POST /token".to_owned(),
                Some("Basic Y2wraWVudDpzJTNBMyUyRiUyQg==".to_owned())
            ),
            ("GET /a".to_owned(), bearer()),
            ("GET /a".to_owned(), bearer()),
        ]
    );
    assert_eq!(
        keeping.seen.lock().expect("a lock")[0].body(),
        "grant_type=client_credentials&scope=all+of+it"
    );
    // A token that is not taken is forgotten, and the next request asks for another one.
    let refused = Asked {
        path: &["unauthorized"],
        ..Asked::default()
    };
    let answer = setting.send(&client, refused).await.expect("an answer");
    assert_eq!((answer.status, shown(&answer)), (401, "no".to_owned()));
    setting
        .send(&client, asked.clone())
        .await
        .expect("an answer");
    let asked_for = |seen: &[(String, Option<String>)]| {
        seen.iter()
            .filter(|(line, _)| line == "POST /token")
            .count()
    };
    assert_eq!(asked_for(&keeping.seen("host")), 2);

    for (url, message) in [
        (
            "http://login.example.com/token",
            "no token service with HTTPS",
        ),
        (
            "https://elsewhere.example.com/token",
            "elsewhere.example.com:443 is no endpoint",
        ),
        ("token", "no token service with HTTPS"),
    ] {
        let setting = Setting::new(rule, &hosts, &settings, &[("client-secret", "s")])
            .of_option("token_at", url);
        let client = setting.client(&keeping.authority, keeping.server.address());
        let error = setting.send(&client, asked.clone()).await.expect_err(url);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[tokio::test]
async fn a_token_of_google_goes_to_google_only() {
    let authority = Authority::new("tests");
    let account = ServiceAccount::new("kms@project.iam.gserviceaccount.com");
    let credentials = account.json();
    let google = GoogleStandIn::start(&authority, "bucket", account);
    let rule = "host = \"storage.googleapis.com\"\nmethod = \"GET\"\npath = \"/**\"\n\
                authentication = \"google\"\n\
                scope = \"https://www.googleapis.com/auth/devstorage.read_write\"\n";
    let hosts = [
        "storage.googleapis.com",
        "oauth2.googleapis.com",
        "evil.example.com",
    ];
    let asked = Asked {
        path: &["bucket", "missing"],
        ..Asked::default()
    };
    for (secrets, status) in [
        (("credentials", credentials.as_str()), 404),
        (("bearer-token", "not-a-token"), 401),
    ] {
        let setting = Setting::new(rule, &hosts, &[], &[secrets]);
        let client = setting.client(&authority, google.address());
        let answer = setting
            .send(&client, asked.clone())
            .await
            .expect("an answer");
        assert_eq!(answer.status, status);
        // Even if a rule let it.
        let elsewhere = Asked {
            endpoint: 2,
            ..asked.clone()
        };
        let error = setting.send(&client, elsewhere).await.expect_err("refused");
        assert_eq!(
            error.to_string(),
            "the connection's token is not sent to evil.example.com: it is for *.googleapis.com \
             over TLS only"
        );
    }
    assert_eq!(google.given(), 1);
}

#[tokio::test]
async fn a_token_of_entra_is_for_the_service_in_the_plan_s_cloud() {
    let authority = Authority::new("tests");
    let application = EntraApplication {
        tenant: "tenant".to_owned(),
        client: "client".to_owned(),
        secret: "hunter2".to_owned(),
    };
    let hosts = [
        "login.microsoftonline.us",
        "v.vault.usgovcloudapi.net",
        "v.vault.azure.net",
    ];
    let entra = EntraStandIn::start(&authority, &hosts, application);
    let rule = "host = \"**.example.com\"\nmethod = \"GET\"\npath = \"/**\"\n\
                authentication = \"entra\"\nservice = \"key-vault\"\n";
    let settings = [
        ("environment", "AzureUSGovernmentCloud"),
        ("tenant", "tenant"),
        ("client-id", "client"),
    ];
    let setting = Setting::new(rule, &hosts, &settings, &[("client-secret", "hunter2")]);
    let client = setting.client(&authority, entra.address());
    let vault = |endpoint| Asked {
        endpoint,
        path: &["keys"],
        ..Asked::default()
    };
    let answer = setting.send(&client, vault(1)).await.expect("an answer");
    assert_eq!((answer.status, entra.given()), (404, 1));
    let error = setting
        .send(&client, vault(2))
        .await
        .expect_err("another cloud");
    assert_eq!(
        error.to_string(),
        "the connection's token is not sent to v.vault.azure.net: it is for \
         *.vault.usgovcloudapi.net over TLS only"
    );
    let wrong = Setting::new(rule, &hosts, &settings, &[("client-secret", "wrong")]);
    let client = wrong.client(&authority, entra.address());
    let error = wrong.send(&client, vault(1)).await.expect_err("refused");
    assert_eq!(error.class(), FailureClass::RefusedCredentials);
}

#[tokio::test]
async fn the_operator_s_switches_hold_for_a_plan_that_is_older_than_they_are() {
    let server = Keeping::new(&["a.example.com"]).server;
    let rule = "host = \"*.example.com\"\nmethod = \"GET\"\npath = \"/\"\n";
    for (setting, flag) in [
        (
            ("custom-endpoint", "true"),
            "custom endpoints disallowed due to --external-io-disable-http flag",
        ),
        (
            ("credentials", "implicit"),
            "implicit credentials disallowed due to --external-io-disable-implicit-credentials flag",
        ),
    ] {
        let setting = Setting::new(rule, &["a.example.com"], &[setting], &[]);
        let refused = setting.client_with(server.address(), |options| {
            options.disable_http = true;
            options.disable_implicit_credentials = true;
        });
        assert_eq!(elsewhere(refused), flag);
    }
}
