//! Every mechanism, with right and with wrong credentials.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan_broker::{Cluster, Login};
use portolan_servers::{Authority, HttpServer, RsaKey, answer};

use crate::setting::{HOST, LOGGED_IN, PLAIN, cluster, in_clear, sink, to, uri, world};
use crate::told::{escaped, expect, failing, made};

const AUTHENTICATING: &str = "resolve ok, dial ok, tls ok, versions ok, authenticate failed";

fn tls() -> (Authority, portolan_servers::Identity) {
    let authority = Authority::new("of the cluster");
    let identity = authority.issue(&[HOST]);
    (authority, identity)
}

fn login(mechanism: &str, user: Option<&str>) -> Login {
    Login {
        mechanism: mechanism.to_owned(),
        user: user.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_lets_everybody_in_gets_one_message() {
    let cluster = cluster(3, 6).start();
    let uri = uri(&cluster, "topic_name=orders");
    assert_eq!(made(in_clear(&cluster), &uri).await, PLAIN);
    let stored = cluster.messages("orders");
    let values: Vec<_> = stored.iter().filter_map(|it| it.value.clone()).collect();
    // One of CREATE and one of VALIDATE.
    assert_eq!(values, [&br#"{"payload":[],"length":0}"#[..]; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_right_or_wrong_in_every_mechanism() {
    let (authority, identity) = tls();
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let cluster = cluster(2, 2)
            .tls(&identity)
            .mechanisms(&[mechanism])
            .user("ada", "r1ght-w0rd")
            .start();
        let with = |user: &str, password: &str| {
            let query = format!(
                "topic_name=orders&tls_enabled=true&sasl_enabled=true&sasl_mechanism={mechanism}\
                 &sasl_user={user}&sasl_password={password}"
            );
            uri(&cluster, &query)
        };
        let options = || to(&authority, &cluster);
        assert_eq!(made(options(), &with("ada", "r1ght-w0rd")).await, LOGGED_IN);
        assert!(cluster.logins().contains(&login(mechanism, Some("ada"))));
        for (user, password) in [("ada", "wr0ng-w0rd"), ("eve", "r1ght-w0rd")] {
            let told = failing(options(), &with(user, password), &[password]).await;
            assert!(
                told.starts_with(&format!("{AUTHENTICATING}\n28000\n")),
                "{told}"
            );
            assert!(told.contains("password") || told.contains("user"), "{told}");
        }
        assert!(cluster.logins().contains(&login(mechanism, None)));
        assert_eq!(cluster.messages("orders").len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_know_the_password_is_found_out() {
    let (authority, identity) = tls();
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let cluster = cluster(1, 1)
            .tls(&identity)
            .mechanisms(&[mechanism])
            .user("ada", "r1ght-w0rd")
            .tamper_with_server_signatures()
            .start();
        let query = format!(
            "topic_name=orders&tls_enabled=true&sasl_enabled=true&sasl_mechanism={mechanism}\
             &sasl_user=ada&sasl_password=r1ght-w0rd"
        );
        let told = failing(
            to(&authority, &cluster),
            &uri(&cluster, &query),
            &["r1ght-w0rd"],
        )
        .await;
        assert!(
            told.starts_with(&format!(
                "{AUTHENTICATING}\n28000\ninvalid changefeed sink URI: the server did not prove that \
                 it knows the password"
            )),
            "{told}"
        );
        assert_eq!(cluster.messages("orders"), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mechanism_that_is_not_offered_is_told_with_those_that_are() {
    let (authority, identity) = tls();
    let cluster = cluster(1, 1)
        .tls(&identity)
        .mechanisms(&["PLAIN", "SCRAM-SHA-512"])
        .user("ada", "r1ght-w0rd")
        .start();
    let uri = uri(
        &cluster,
        "tls_enabled=true&sasl_enabled=true&sasl_mechanism=SCRAM-SHA-256&sasl_user=ada\
         &sasl_password=r1ght-w0rd",
    );
    expect(
        &failing(to(&authority, &cluster), &uri, &["r1ght-w0rd"]).await,
        [
            AUTHENTICATING,
            "0A000",
            "invalid changefeed sink URI: the broker does not offer SCRAM-SHA-256",
            "It offers PLAIN, SCRAM-SHA-512: set sasl_mechanism to one of them.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_asks_for_nobody_says_so_and_one_that_does_too() {
    let open = cluster(1, 1).start();
    let query = "topic_name=orders&sasl_enabled=true&sasl_user=ada&sasl_password=r1ght-w0rd";
    expect(
        &failing(in_clear(&open), &uri(&open, query), &["r1ght-w0rd"]).await,
        [
            "resolve ok, dial ok, tls skipped, versions ok, authenticate failed",
            "0A000",
            "invalid changefeed sink URI: choice of a mechanism: the broker answered ILLEGAL_SASL_STATE",
            "This port of the broker does not authenticate: leave out sasl_enabled, or write the \
             port that does.",
        ],
    );
    let closed = cluster(1, 1)
        .mechanisms(&["PLAIN"])
        .user("ada", "x")
        .start();
    expect(
        &failing(in_clear(&closed), &uri(&closed, "topic_name=orders"), &[]).await,
        [
            "resolve ok, dial ok, tls skipped, versions ok, authenticate skipped, metadata failed",
            "08001",
            "invalid changefeed sink URI: the broker closed the connection",
            "The broker may want clients to authenticate (sasl_enabled=true), or to show a \
             certificate (client_cert and client_key).",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_wants_no_handshake_gets_the_bare_exchange() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let proxy = cluster(1, 1)
            .mechanisms(&[mechanism])
            .user("ada", "r1ght-w0rd")
            .without_handshake()
            .start();
        let with = |password: &str| {
            let query = format!(
                "topic_name=orders&sasl_enabled=true&sasl_handshake=false&sasl_user=ada\
                 &sasl_mechanism={mechanism}&sasl_password={password}"
            );
            uri(&proxy, &query)
        };
        assert_eq!(
            made(in_clear(&proxy), &with("r1ght-w0rd")).await,
            LOGGED_IN.replace("tls ok", "tls skipped")
        );
        let told = failing(in_clear(&proxy), &with("wr0ng-w0rd"), &["wr0ng-w0rd"]).await;
        assert!(told.contains("authenticate failed\n28000\n"), "{told}");
    }
}

/// A service that hands out tokens for one client.
fn token_service(authority: &Authority, key: &Arc<RsaKey>, seconds: i64) -> HttpServer {
    let key = Arc::clone(key);
    HttpServer::encrypted(authority, &["login.example"], move |request| {
        let basic = format!("Basic {}", BASE64_STANDARD.encode("me:s3cr3t-client"));
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let is_right = request
            .headers()
            .get("authorization")
            .is_some_and(|it| *it == *basic)
            && body.contains("grant_type=client_credentials")
            && body.contains("scope=one+two");
        let answer = match is_right {
            true => {
                let token = token(&key, seconds);
                let told = serde_json::json!({"access_token": token, "token_type": "bearer", "expires_in": 300});
                answer(
                    200,
                    &[("content-type", "application/json")],
                    told.to_string(),
                )
            }
            false => answer(401, &[], r#"{"error":"invalid_client"}"#),
        };
        Box::pin(async move { answer })
    })
}

fn token(key: &RsaKey, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let now = i64::try_from(now.as_secs()).expect("a time");
    key.sign(&serde_json::json!({"aud": "kafka", "sub": "me", "exp": now + seconds}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_fetched_where_the_uri_says_and_a_broker_takes_it_or_not() {
    let (authority, identity) = tls();
    let key = Arc::new(RsaKey::generate());
    let cluster = cluster(2, 2)
        .tls(&identity)
        .mechanisms(&["OAUTHBEARER"])
        .tokens(Arc::clone(&key), "kafka")
        .start();
    let query = |secret: &str| {
        format!(
            "topic_name=orders&tls_enabled=true&sasl_enabled=true&sasl_mechanism=OAUTHBEARER\
             &sasl_client_id=me&sasl_client_secret={}&sasl_scopes=one&sasl_scopes=two\
             &sasl_token_url={}",
            escaped(&BASE64_STANDARD.encode(secret)),
            escaped("https://login.example/oauth2/token")
        )
    };
    let options = |service: &HttpServer| {
        let mut options = to(&authority, &cluster);
        let address = service.address().to_string();
        options
            .connect_to
            .add("login.example:443", &address)
            .expect("a line");
        options
    };
    let service = token_service(&authority, &key, 300);
    let right = uri(&cluster, &query("s3cr3t-client"));
    assert_eq!(made(options(&service), &right).await, LOGGED_IN);
    assert!(cluster.logins().contains(&login("OAUTHBEARER", Some("me"))));
    let wrong = uri(&cluster, &query("an0ther-secret"));
    let told = failing(options(&service), &wrong, &["an0ther-secret"]).await;
    assert!(
        told.starts_with(&format!("{AUTHENTICATING}\n28000\n")),
        "{told}"
    );
    let expired = token_service(&authority, &key, -10);
    let told = failing(options(&expired), &right, &["s3cr3t-client"]).await;
    assert!(
        told.starts_with(&format!("{AUTHENTICATING}\n28000\n")) && told.contains("token"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_is_put_together_by_the_host() {
    let (authority, identity) = tls();
    let string = format!(
        "Endpoint=sb://{HOST}/;SharedAccessKeyName=send;SharedAccessKey=k3y+of/the+policy="
    );
    let hub = cluster(1, 1)
        .tls(&identity)
        .mechanisms(&["PLAIN"])
        .user("$ConnectionString", &string)
        .start();
    let with = |key: &str| {
        let query = format!(
            "topic_name=orders&shared_access_key_name=send&shared_access_key={}",
            escaped(key)
        );
        uri(&hub, &query).replace("kafka://", "azure-event-hub://")
    };
    let options = || to(&authority, &hub);
    assert_eq!(
        made(options(), &with("k3y+of/the+policy=")).await,
        LOGGED_IN
    );
    let told = failing(options(), &with("an0ther/key="), &["an0ther"]).await;
    assert!(
        told.ends_with("Look at shared_access_key_name and shared_access_key."),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_confluent_cloud_is_a_user_and_its_secret_a_password() {
    let (authority, identity) = tls();
    let cloud = cluster(3, 3)
        .tls(&identity)
        .mechanisms(&["PLAIN"])
        .user("ABCDEFGH", "s3cr3t-of-key")
        .start();
    let with = |secret: &str| {
        let query = format!("topic_name=orders&api_key=ABCDEFGH&api_secret={secret}");
        uri(&cloud, &query).replace("kafka://", "confluent-cloud://")
    };
    let options = || to(&authority, &cloud);
    assert_eq!(made(options(), &with("s3cr3t-of-key")).await, LOGGED_IN);
    let told = failing(options(), &with("an0ther-one"), &["an0ther-one"]).await;
    assert!(told.ends_with("Look at api_key and api_secret."), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_authenticate_again_does_so_in_time() {
    let cluster: Cluster = cluster(1, 1)
        .mechanisms(&["SCRAM-SHA-256"])
        .user("ada", "r1ght-w0rd")
        .session_lifetime(Duration::from_secs(1))
        .start();
    let query = "sasl_enabled=true&sasl_mechanism=SCRAM-SHA-256&sasl_user=ada\
                 &sasl_password=r1ght-w0rd";
    let world = world(in_clear(&cluster), &uri(&cluster, query)).await;
    let sink = sink(&world.root()).await;
    for number in 0..30 {
        let messages = crate::setting::numbered(number..=number, 1);
        sink.emit(messages).await.expect("emitted");
        sink.flush().await.expect("flushed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    crate::setting::holds(&cluster.messages("orders"), 30, 30, 1);
    assert!(cluster.logins().len() >= 4, "{:?}", cluster.logins());
    assert!(cluster.connections() <= 3, "the connections were kept");
}
