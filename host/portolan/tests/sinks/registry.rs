//! Schema registries behind `https`: a stand-in with the codes that Karapace was seen to answer. That
//! any registry answers like it is not proved.

use portolan::{EgressOptions, Operation, Registry, Schema, SchemaType, Session, SqlState};
use portolan_servers::{Authority, SchemaRegistryStandIn};

use crate::support::{World, rows, run};
use crate::told::{expect, failing, made, ways};

const HOST: &str = "schemas.example";

struct Setting {
    authority: Authority,
    registry: SchemaRegistryStandIn,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let registry = SchemaRegistryStandIn::start(&authority, &[HOST], "/registry");
        registry.require("KEY", "s3cr3t");
        Self {
            authority,
            registry,
        }
    }

    fn options(&self) -> EgressOptions {
        ways(
            &self.authority,
            &[("schemas.example:443", self.registry.address())],
        )
    }

    async fn world(&self) -> World {
        let world = World::with(|builder| builder.egress(self.options())).await;
        let sql = format!("CREATE EXTERNAL CONNECTION schemas AS '{URI}'");
        run(&world.root(), &sql).await;
        world
    }
}

const URI: &str = "https://KEY:s3cr3t@schemas.example/registry?timeout=30s";

async fn registry(session: &Session) -> Registry {
    let opened = session.open("external://schemas", Operation::SchemaRegistry);
    opened
        .await
        .expect("opened")
        .into_registry()
        .expect("a registry")
}

fn avro(fields: &str) -> Schema {
    Schema {
        schema_type: SchemaType::Avro,
        definition: format!("{{\"type\":\"record\",\"name\":\"r\",\"fields\":[{fields}]}}"),
    }
}

const A: &str = "{\"name\":\"a\",\"type\":\"int\"}";
const B: &str = "{\"name\":\"b\",\"type\":\"int\"}";
const B_WITH_DEFAULT: &str = "{\"name\":\"b\",\"type\":\"int\",\"default\":0}";

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_recognised_and_lists_its_subjects() {
    let setting = Setting::new();
    let steps = "resolve ok, dial ok, tls ok, recognise ok, write skipped";
    assert_eq!(made(setting.options(), URI).await, steps);
    let world = setting.world().await;
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION schemas").await;
    assert_eq!(told[5][3], "found: a schema registry, subjects: 0");
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION schemas").await[0][1..],
        [
            "https://KEY:redacted@schemas.example/registry?timeout=30s",
            "STORAGE"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_refuses_is_told_from_a_server_of_files() {
    let setting = Setting::new();
    let uri = URI.replace("s3cr3t", "hunter2");
    expect(
        &failing(
            setting.options(),
            &uri,
            &["hunter2", "a text of the registry"],
        )
        .await,
        [
            "resolve ok, dial ok, tls ok, recognise failed",
            "28000",
            "invalid changefeed sink URI: the schema registry does not list its subjects: the \
             schema registry answered 401 (40101)",
            "Check the credentials in the URI: user and password, client certificate, parameters.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_registered_and_read_back_by_their_number() {
    let setting = Setting::new();
    let world = setting.world().await;
    let schemas = registry(&world.root()).await;
    assert_eq!(
        schemas.subjects().await.expect("none"),
        Vec::<String>::new()
    );
    let first = schemas
        .register("orders-value", &avro(A))
        .await
        .expect("registered");
    assert_eq!(
        schemas
            .register("orders-value", &avro(A))
            .await
            .expect("again"),
        first
    );
    assert_eq!(
        schemas
            .register("a/b ä?", &avro(A))
            .await
            .expect("elsewhere"),
        first
    );
    let wider = avro(&format!("{A},{B_WITH_DEFAULT}"));
    let second = schemas
        .register("orders-value", &wider)
        .await
        .expect("compatible");
    assert_ne!(second, first);
    assert_eq!(schemas.get(second).await.expect("a schema"), wider);
    for schema_type in [SchemaType::Json, SchemaType::Protobuf] {
        let schema = Schema {
            schema_type,
            definition: "{\"type\":\"object\"}".to_owned(),
        };
        let id = schemas
            .register("other", &schema)
            .await
            .expect("registered");
        assert_eq!(schemas.get(id).await.expect("a schema"), schema);
    }
    let subjects = schemas.subjects().await.expect("three");
    assert_eq!(subjects, ["a/b ä?", "orders-value", "other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_refuses_is_told_by_its_code() {
    let setting = Setting::new();
    let world = setting.world().await;
    let schemas = registry(&world.root()).await;
    schemas
        .register("orders-value", &avro(A))
        .await
        .expect("registered");
    let broken = Schema {
        definition: "{".to_owned(),
        ..avro(A)
    };
    let long = Schema {
        definition: "x".repeat((1 << 20) + 1),
        ..avro(A)
    };
    let incompatible = avro(&format!("{A},{B}"));
    for (schema, state, code) in [
        (&incompatible, SqlState::InsufficientPrivilege, "409 (409)"),
        (&broken, SqlState::FeatureNotSupported, "422 (42201)"),
        (&long, SqlState::InvalidParameterValue, "1 MiB"),
    ] {
        let error = schemas
            .register("orders-value", schema)
            .await
            .expect_err(code);
        assert_eq!(error.sqlstate(), state, "{error:?}");
        assert!(error.message().contains(code), "{error:?}");
    }
    let error = schemas.get(77).await.expect_err("no schema");
    assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
    assert_eq!(error.message(), "the schema registry answered 404 (40403)");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_subjects_are_listed_and_lies_are_not_believed() {
    let setting = Setting::new();
    let world = setting.world().await;
    let schemas = registry(&world.root()).await;
    let many: Vec<_> = (0..2_345)
        .map(|number| format!("subject-{number}"))
        .collect();
    let body = serde_json::to_string(&many).expect("JSON");
    setting.registry.answer_with(200, &[], &body);
    assert_eq!(schemas.subjects().await.expect("all"), many);
    for (body, state) in [
        ("<html>", SqlState::ProtocolViolation),
        ("[1]", SqlState::ProtocolViolation),
        ("{\"id\":\"7\"}", SqlState::ProtocolViolation),
    ] {
        setting.registry.answer_with(200, &[], body);
        let error = schemas.subjects().await.expect_err(body);
        assert_eq!(error.sqlstate(), state);
        let error = schemas.register("s", &avro(A)).await.expect_err(body);
        assert_eq!(error.sqlstate(), state);
        assert!(schemas.get(1).await.is_err());
    }
    let long = format!("[\"{}\"]", "x".repeat(17 << 20));
    setting.registry.answer_with(200, &[], &long);
    let error = schemas.subjects().await.expect_err("too long");
    assert_eq!(error.sqlstate(), SqlState::ProtocolViolation, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_silent_is_given_up_after_the_timeout_of_its_connection() {
    let setting = Setting::new();
    let world = setting.world().await;
    let sql = "ALTER EXTERNAL CONNECTION schemas SET (timeout = '150ms')";
    run(&world.root(), sql).await;
    let schemas = registry(&world.root()).await;
    setting.registry.pause(std::time::Duration::from_secs(60));
    let since = std::time::Instant::now();
    let error = schemas.subjects().await.expect_err("silent");
    assert!(
        since.elapsed() < std::time::Duration::from_secs(10),
        "{error:?}"
    );
    assert!(
        matches!(
            error.sqlstate(),
            SqlState::ConnectionFailure | SqlState::QueryCanceled
        ),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_a_handle_like_any_other() {
    let setting = Setting::new();
    let world = setting.world().await;
    world
        .run(&[
            "CREATE USER carl",
            "GRANT USAGE ON EXTERNAL CONNECTION schemas TO carl",
        ])
        .await;
    let schemas = registry(&world.session("carl")).await;
    assert!(schemas.is_current().await);
    assert_eq!(
        (schemas.version(), schemas.provider().as_str()),
        (1, "http")
    );
    world
        .run(&["REVOKE USAGE ON EXTERNAL CONNECTION schemas FROM carl"])
        .await;
    let error = schemas.subjects().await.expect_err("revoked");
    assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
    let url = "external://schemas/below";
    let error = world.root().open(url, Operation::SchemaRegistry).await;
    assert_eq!(
        error.expect_err("a path").sqlstate(),
        SqlState::InvalidParameterValue
    );
    let files = "CREATE EXTERNAL CONNECTION files AS 'file-https://schemas.example/x' \
                 WITH VALIDATE = 'none'";
    world.run(&[files]).await;
    let error = world
        .root()
        .open("external://files", Operation::SchemaRegistry)
        .await;
    let error = error.expect_err("files alone");
    assert!(
        error
            .message()
            .contains("provider http supports CHANGEFEED, TRANSFER"),
        "{error:?}"
    );
}
