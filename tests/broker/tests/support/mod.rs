//! Runs clients that are not ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use portolan_broker::Cluster;
use portolan_servers::{Authority, RsaKey, installed};
use serde_json::{Value, json};

/// The versions that `tests/servers/install` brings.
const CONFLUENT_KAFKA: &str = "confluent-kafka-2.16.0";
const KAFKA_PYTHON: &str = "kafka-python-3.0.12";
const WITH_BOTOCORE: &str = "moto-5.2.5";

/// A client on librdkafka, with its settings.
#[derive(Debug, Clone)]
pub(crate) struct Confluent {
    settings: BTreeMap<String, String>,
    token: Option<String>,
    pause: Duration,
}

/// What came of producing.
#[derive(Debug)]
pub(crate) struct Produced {
    /// So many messages were acknowledged.
    pub(crate) delivered: usize,
    /// Everything that went wrong.
    pub(crate) errors: String,
}

impl Confluent {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let settings = [
            ("bootstrap.servers", cluster.bootstrap()),
            ("broker.address.family", "v4".to_owned()),
            ("acks", "all".to_owned()),
            ("message.timeout.ms", "6000".to_owned()),
            ("linger.ms", "5".to_owned()),
            ("topic.metadata.propagation.max.ms", "500".to_owned()),
            ("reconnect.backoff.ms", "50".to_owned()),
            ("retry.backoff.ms", "50".to_owned()),
        ];
        Self {
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            token: None,
            pause: Duration::ZERO,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The token that OAUTHBEARER brings.
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Waits so long after each message.
    pub(crate) fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    pub(crate) fn produce(&self, topic: &str, count: usize) -> Produced {
        let answer = self.run(json!({"do": "produce", "topic": topic, "count": count}));
        Produced {
            delivered: usize::try_from(answer["delivered"].as_u64().expect("a number"))
                .expect("a number"),
            errors: answer["errors"].to_string(),
        }
    }

    pub(crate) fn consume(&self, topic: &str, partitions: i32, count: usize) -> Vec<Bytes> {
        let wanted =
            json!({"do": "consume", "topic": topic, "partitions": partitions, "count": count});
        let answer = self.run(wanted);
        let values = answer["values"].as_array().expect("a list").iter();
        values
            .map(|value| Bytes::from(value.as_str().expect("a text").to_owned()))
            .collect()
    }

    fn run(&self, mut wanted: Value) -> Value {
        wanted["settings"] = json!(self.settings);
        wanted["token"] = json!(self.token);
        wanted["pause"] = json!(self.pause.as_secs_f64());
        python(CONFLUENT_KAFKA, "on_librdkafka.py", &wanted, &[])
    }
}

/// The key of AWS that a client signs with.
pub(crate) struct SignedBy<'test> {
    pub(crate) id: &'test str,
    pub(crate) secret: &'test str,
    pub(crate) region: &'test str,
    pub(crate) token: Option<&'test str>,
}

/// Whether kafka-python delivers one message with AWS_MSK_IAM, which it does over TLS alone.
pub(crate) fn kafka_python(cluster: &Cluster, authority: &Authority, key: &SignedBy<'_>) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("authority.pem");
    std::fs::write(&trusted, authority.pem()).expect("a file");
    let mut environment = vec![
        ("AWS_ACCESS_KEY_ID", key.id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.to_owned()),
        ("AWS_DEFAULT_REGION", key.region.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent".to_owned()),
        ("AWS_CONFIG_FILE", "/nonexistent".to_owned()),
        ("PYTHONPATH", site_packages(WITH_BOTOCORE)),
    ];
    environment.extend(
        key.token
            .map(|token| ("AWS_SESSION_TOKEN", token.to_owned())),
    );
    let wanted = json!({"bootstrap": cluster.bootstrap(), "topic": "orders", "trusted": trusted});
    let answer = python(KAFKA_PYTHON, "on_kafka_python.py", &wanted, &environment);
    answer["delivered"] == true
}

/// A token for `audience` that holds for so many seconds more.
pub(crate) fn token(key: &RsaKey, audience: &str, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let now = i64::try_from(now.as_secs()).expect("a time");
    key.sign(&json!({"aud": audience, "sub": "ada", "iat": now, "exp": now + seconds}))
}

fn site_packages(package: &str) -> String {
    let library = installed(package).join("lib");
    let mut versions = std::fs::read_dir(library).expect("a folder");
    let version = versions.next().expect("a version").expect("a folder");
    version.path().join("site-packages").display().to_string()
}

#[expect(clippy::disallowed_methods, reason = "a client that is not ours")]
fn python(package: &str, script: &str, wanted: &Value, environment: &[(&str, String)]) -> Value {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
    let done = Command::new(installed(package).join("bin/python"))
        .arg(scripts.join(script))
        .arg(wanted.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("run tests/servers/install");
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    let last = printed.lines().last().unwrap_or_default();
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    // Shown where a test fails.
    println!("{script}: {errors}");
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{script} printed {printed:?}"))
}
