//! `gcpubsub`: a stand-in for Google's token services and Pub/Sub. That the real services answer like
//! it is not proved.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::{EgressOptions, Message, SqlState};
use portolan_servers::{Authority, GoogleStandIn, ServiceAccount};
use serde_json::{Value, json};

use crate::support::{World, refused, rows, run};
use crate::told::{escaped, expect, failing, made, metadata, nobody, ways};
use crate::{numbered, sink};

const ACCOUNT: &str = "feed@p.iam.gserviceaccount.com";
const LAST: &str = "last@p.iam.gserviceaccount.com";
const HOSTS: [&str; 3] = [
    "us-east1-pubsub.googleapis.com:443",
    "oauth2.googleapis.com:443",
    "iamcredentials.googleapis.com:443",
];
const ALL: &str = "resolve ok, dial ok, tls ok, metadata ok, authorise ok, publish ok";

struct Setting {
    authority: Authority,
    google: GoogleStandIn,
    key: String,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new(ACCOUNT);
        let key = account.json();
        Self {
            google: GoogleStandIn::start(&authority, "harbour", account),
            authority,
            key,
        }
    }

    fn options(&self) -> EgressOptions {
        let address = self.google.address();
        ways(&self.authority, &HOSTS.map(|host| (host, address)))
    }

    fn uri(&self, more: &str) -> String {
        with_key(&self.key, more)
    }

    async fn world(&self, more: &str) -> World {
        let world = World::with(|builder| builder.egress(self.options())).await;
        let uri = self.uri(more);
        let sql = format!("CREATE EXTERNAL CONNECTION topics AS '{uri}' WITH VALIDATE = 'none'");
        run(&world.root(), &sql).await;
        world
    }

    async fn fails(&self, uri: &str, expected: [&str; 4]) {
        let forbidden = ["PRIVATE", "ya29", "a text of the service"];
        let told = failing(self.options(), uri, &forbidden).await;
        let [steps, state, message, hint] = expected;
        let message = format!("invalid changefeed sink URI: {message}");
        expect(&told, [steps, state, &message, hint]);
    }
}

fn with_key(json: &str, more: &str) -> String {
    let json = escaped(&BASE64_STANDARD.encode(json));
    let project = GoogleStandIn::PROJECT;
    format!("gcpubsub://{project}?region=us-east1&CREDENTIALS={json}{more}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_tried_out_with_a_key_a_user_and_a_role_over_a_stand_in() {
    let setting = Setting::new();
    let topic = "&topic_name=orders";
    assert_eq!(made(setting.options(), &setting.uri(topic)).await, ALL);
    let user = with_key(&setting.google.user(), topic);
    assert_eq!(made(setting.options(), &user).await, ALL);
    setting.google.allow(ACCOUNT, LAST);
    setting.google.own_topics(LAST, &["get", "publish"]);
    let role = setting.uri(&format!("{topic}&ASSUME_ROLE={LAST}"));
    assert_eq!(made(setting.options(), &role).await, ALL);
    assert_eq!(
        setting.google.published("orders").len(),
        6,
        "at CREATE and at VALIDATE"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machines_own_account_is_lent_where_the_host_lends() {
    let key = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS");
    assert!(key.is_none(), "unset it: this test is of a machine without");
    let setting = Setting::new();
    let machine = setting.google.machine(ACCOUNT);
    let options = EgressOptions {
        metadata: metadata(&machine),
        ..setting.options()
    };
    let project = GoogleStandIn::PROJECT;
    let uri = format!("gcpubsub://{project}?region=us-east1&topic_name=orders&AUTH=implicit");
    let create = format!("CREATE EXTERNAL CONNECTION topics AS '{uri}'");
    let lending = World::with(|builder| builder.egress(options.clone()).lend_host_credentials());
    let lending = lending.await;
    lending.run(&[&create]).await;
    let topics = sink(&lending.root(), "topics").await;
    topics.emit(numbered(0..1)).await.expect("emitted");
    assert_eq!(setting.google.published("orders").len(), 1);
    let world = World::with(|builder| builder.egress(options)).await;
    let error = refused(&world.root(), &create).await;
    assert_eq!(error.sqlstate(), SqlState::FeatureNotSupported);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_topic_the_project_is_looked_at() {
    let setting = Setting::new();
    let world = setting.world("").await;
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION topics").await;
    let told: Vec<_> = told.iter().map(|row| (&*row[0], &*row[1])).collect();
    assert_eq!(told[5..], [("metadata", "ok"), ("authorise", "skipped")]);
    let other = setting.uri("").replace(GoogleStandIn::PROJECT, "other-1");
    setting
        .fails(
            &other,
            [
                "resolve ok, dial ok, tls ok, metadata failed",
                "42704",
                "Pub/Sub answered 404 NOT_FOUND",
                "Check the project in the URI, and that the credentials have access to it.",
            ],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_topic_credentials_or_permissions_is_told() {
    let setting = Setting::new();
    setting
        .fails(
            &setting.uri("&topic_name=missing"),
            [
                "resolve ok, dial ok, tls ok, metadata failed",
                "42704",
                "Pub/Sub answered 404 NOT_FOUND",
                "Create the topic, or check its name and the project in the URI.",
            ],
        )
        .await;
    let stranger = ServiceAccount::new(ACCOUNT).json();
    let told = failing(
        setting.options(),
        &with_key(&stranger, "&topic_name=orders"),
        &["PRIVATE"],
    )
    .await;
    assert!(
        told.starts_with("resolve ok, dial ok, tls ok, metadata failed\n28000\n"),
        "{told}"
    );
    setting.google.own_topics(ACCOUNT, &["get"]);
    setting
        .fails(
            &setting.uri("&topic_name=orders"),
            [
                "resolve ok, dial ok, tls ok, metadata ok, authorise failed",
                "42501",
                "the credentials may not publish to the topic orders",
                "Grant the role Pub/Sub Publisher on the topic, and check that there is one of this \
                 name.",
            ],
        )
        .await;
    // Who may only publish need not look.
    setting.google.own_topics(ACCOUNT, &["publish"]);
    let uri = setting.uri("&topic_name=orders");
    let skipped = "resolve ok, dial ok, tls ok, metadata skipped, authorise ok, publish ok";
    assert_eq!(made(setting.options(), &uri).await, skipped);
    let dead = ways(&setting.authority, &[(HOSTS[0], nobody())]);
    let told = failing(dead, &uri, &["PRIVATE"]).await;
    assert!(
        told.starts_with("resolve ok, dial failed\n08001\n"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_to_their_topics_with_keys_and_attributes() {
    let setting = Setting::new();
    setting.google.create_topic("audit");
    let world = setting.world("&with_table_name_attribute=true").await;
    let topics = sink(&world.root(), "topics").await;
    let batch = vec![
        Message::new("orders", "1")
            .with_key("k")
            .with_header("source", "a"),
        Message::new("audit", "2"),
    ];
    assert_eq!(topics.emit(batch).await.expect("emitted").acknowledged, 2);
    let orders = json!({"source": "a", "TABLE_NAME": "orders"});
    let audit = json!({"TABLE_NAME": "audit"});
    assert_eq!(
        setting.google.published("orders"),
        [(b"1".to_vec(), "k".to_owned(), orders)]
    );
    assert_eq!(
        setting.google.published("audit"),
        [(b"2".to_vec(), String::new(), audit)]
    );

    let one = setting.world("&topic_name=audit").await;
    let one = sink(&one.root(), "topics").await;
    one.emit(vec![Message::new("anything at all", "3")])
        .await
        .expect("emitted");
    let published = setting.google.published("audit");
    assert_eq!(published[1], (b"3".to_vec(), String::new(), Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_service_fails_and_tokens_end() {
    let setting = Setting::new();
    let world = setting.world("").await;
    let topics = sink(&world.root(), "topics").await;
    setting.google.fail_publishing(3, 503);
    topics.emit(numbered(0..2_500)).await.expect("it recovers");
    setting.google.revoke_tokens();
    // The token that is not taken is let go of, and the next try has another one.
    if let Err(error) = topics.emit(numbered(2_500..2_600)).await {
        assert_eq!(error.sqlstate(), SqlState::InvalidAuthorization);
    }
    assert_eq!(topics.flush().await.expect("flushed").acknowledged, 2_600);
    let published = setting.google.published("orders");
    let numbers: Vec<u64> = published
        .iter()
        .map(|(data, ..)| serde_json::from_slice::<Value>(data).expect("JSON"))
        .map(|value| value["number"].as_u64().expect("a number"))
        .collect();
    assert_eq!(numbers, (0..2_600).collect::<Vec<_>>());
    setting.google.own_topics(ACCOUNT, &["get"]);
    let error = topics.emit(numbered(0..1)).await.expect_err("denied");
    assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("pubsub.topics.publish"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_name_every_message_acknowledges_none() {
    let setting = Setting::new();
    let world = setting.world("").await;
    for body in ["{\"messageIds\":[\"1\"]}", "{}", "[]", "<html>"] {
        let topics = sink(&world.root(), "topics").await;
        setting
            .google
            .answer_with("us-east1-pubsub.googleapis.com", 200, &[], body);
        let error = topics.emit(numbered(0..2)).await.expect_err(body);
        assert_eq!(error.sqlstate(), SqlState::ProtocolViolation, "{body}");
        assert_eq!(topics.delivered().await.acknowledged, 0);
    }
}
