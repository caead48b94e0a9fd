//! `portolan.toml`: what flags and environment leave open.
//!
//! ```toml
//! user = "etl"
//! external_io_dir = "/srv/files"
//! external_io_disable_http = false
//! external_io_disable_implicit_credentials = true
//!
//! [master_key]
//! file = "/etc/portolan/key"
//! kms = "aws-kms:///alias/portolan?AUTH=implicit&REGION=eu-central-1"
//!
//! [egress]
//! allow = ["minio.internal:9000", "10.1.0.0/16:443"]
//! resolve_timeout = "5s"
//! dial_timeout = "5s"
//!
//! [[egress.brokers]]                  # brokers that a cluster's first one names
//! bootstrap = "kafka.internal:9092"
//! allow = ["10.1.0.0/16:9092"]
//!
//! [egress.connect_to]
//! "s3.eu-west-1.amazonaws.com:443" = "10.1.0.7:443"
//!
//! [tls]
//! extra_ca = "/etc/portolan/ca.pem"   # or a list
//!
//! [probe]
//! timeout = "30s"
//! step_timeout = "15s"
//! ```
//!
//! An unknown key is an error that names the nearest known one: a misspelled rule must not be
//! silently no rule.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use portolan_secret::SecretText;
use serde::Deserialize;

use crate::config_mistake;
use crate::input::{self, MOST_OF_A_TEXT};
use crate::report::Failure;

/// What to do about a mistake.
const KEYS: &str = "correct the line; the keys are user, external_io_dir, external_io_disable_http, \
                    external_io_disable_implicit_credentials, and the tables [master_key], \
                    [egress], [tls] and [probe]";

/// The file's content; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Who acts when `--user` does not say.
    pub(crate) user: Option<String>,
    /// The root of `nodelocal://`.
    pub(crate) external_io_dir: Option<PathBuf>,
    /// As `--external-io-disable-http`.
    pub(crate) external_io_disable_http: Option<bool>,
    /// As `--external-io-disable-implicit-credentials`.
    pub(crate) external_io_disable_implicit_credentials: Option<bool>,
    /// Where the key slot's key is.
    #[serde(default)]
    pub(crate) master_key: MasterKey,
    /// What may be dialled.
    #[serde(default)]
    pub(crate) egress: Egress,
    /// Whom servers are checked against.
    #[serde(default)]
    pub(crate) tls: Tls,
    /// How long a probe may take.
    #[serde(default)]
    pub(crate) probe: Probe,
}

/// `[master_key]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MasterKey {
    /// The key file, when it is not the store's own.
    pub(crate) file: Option<PathBuf>,
    /// The URI of a key that wraps the key of a slot, as `CREATE EXTERNAL CONNECTION` takes it. It may
    /// hold a secret, so the file has to be its owner's alone.
    #[serde(default, deserialize_with = "secret")]
    pub(crate) kms: Option<SecretText>,
}

fn secret<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretText>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(SecretText::new(text)))
}

/// `[egress]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Egress {
    /// Rules, as `--allow-egress` takes them.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    /// Endpoints that are dialled elsewhere: `"host:port" = "address:port"`.
    #[serde(default)]
    pub(crate) connect_to: BTreeMap<String, String>,
    /// Brokers that a cluster's first one may name, beyond those that stand beside it.
    #[serde(default)]
    pub(crate) brokers: Vec<Brokers>,
    /// A look-up, such as `5s`.
    #[serde(default, deserialize_with = "duration")]
    pub(crate) resolve_timeout: Option<Duration>,
    /// Dialling, over all addresses of a name, such as `5s`.
    #[serde(default, deserialize_with = "duration")]
    pub(crate) dial_timeout: Option<Duration>,
}

/// `[[egress.brokers]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brokers {
    /// The broker that connections name, as a rule.
    pub(crate) bootstrap: String,
    /// The brokers that it may name, as rules.
    pub(crate) allow: Vec<String>,
}

/// `[tls]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM files of certificate authorities that are trusted as well.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) extra_ca: Vec<PathBuf>,
}

/// `[probe]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// The whole probe, such as `30s`.
    #[serde(default, deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    /// One step, such as `15s`.
    #[serde(default, deserialize_with = "duration")]
    pub(crate) step_timeout: Option<Duration>,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a file's name, or a list of them")]
    enum Files {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(match Files::deserialize(deserializer)? {
        Files::One(file) => vec![file],
        Files::Many(files) => files,
    })
}

fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let expected = "expected a duration, such as 30s or 1m 5s";
    humantime::parse_duration(&text)
        .map(Some)
        .map_err(|_| serde::de::Error::custom(expected))
}

impl Config {
    /// Reads the file at `path`; a missing one is an empty one unless `must_exist`.
    pub(crate) fn load(path: &Path, must_exist: bool) -> Result<Self> {
        let named = format!("the configuration {}", path.display());
        let text = match File::open(path) {
            Ok(file) => input::text(file, MOST_OF_A_TEXT, &named)?,
            // Whatever stands where the store should be is told when the store is opened.
            Err(error)
                if !must_exist
                    && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {named}"));
            }
        };
        let config = Self::parse(&text).map_err(|mistake| {
            let message = format!("in the configuration {}: {mistake}", path.display());
            Failure::new("F0000", message).hint(KEYS)
        })?;
        if config.master_key.kms.is_some() {
            private(path)?;
        }
        Ok(config)
    }

    /// Reads a text; what is wrong with it is said without a value of it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| config_mistake::told(text, &error))
    }
}

/// Refuses a file with a secret that others than its owner may read.
fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = std::fs::metadata(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let mode = about.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        "F0000",
        format!(
            "the configuration {} names a key management service and has mode {mode:04o}: others than \
             its owner may use it",
            path.display()
        ),
    )
    .hint(format!("Run: chmod 600 {}", path.display()))
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest_known_one() {
        let error = Config::parse("[egress]\nalow = []\n").expect_err("unknown");
        assert!(
            error.to_string().starts_with("line 2: unknown key `alow`"),
            "{error}"
        );
        assert!(error.ends_with("did you mean `allow`?"), "{error}");
    }

    #[test]
    fn the_way_out_is_read_as_people_write_it() {
        let config = Config::parse(
            "external_io_disable_http = true\n[egress]\nallow = [\"a:1\"]\n[egress.connect_to]\n\
             \"b:443\" = \"10.0.0.1:9000\"\n[tls]\nextra_ca = \"ca.pem\"\n",
        )
        .expect("valid");
        assert_eq!(config.external_io_disable_http, Some(true));
        assert_eq!(config.external_io_disable_implicit_credentials, None);
        assert_eq!(config.egress.connect_to["b:443"], "10.0.0.1:9000");
        assert_eq!(config.tls.extra_ca, [PathBuf::from("ca.pem")]);
        let config = Config::parse("[tls]\nextra_ca = [\"a\", \"b\"]\n").expect("valid");
        assert_eq!(config.tls.extra_ca.len(), 2);
        let error = Config::parse("[tls]\nextra_ca = 7\n").expect_err("no file");
        assert_eq!(error, "line 2: expected a file's name, or a list of them");
        let error = Config::parse("[tls]\nextra_cas = []\n").expect_err("unknown");
        assert!(error.ends_with("did you mean `extra_ca`?"), "{error}");
    }

    #[test]
    fn brokers_that_a_cluster_may_name_are_read_and_a_misspelled_key_is_told() {
        let config = Config::parse(
            "[[egress.brokers]]\nbootstrap = \"a:1\"\nallow = [\"b:1\", \"10.1.0.0/16\"]\n\
             [[egress.brokers]]\nbootstrap = \"c\"\nallow = []\n",
        )
        .expect("valid");
        assert_eq!(config.egress.brokers.len(), 2);
        assert_eq!(config.egress.brokers[0].bootstrap, "a:1");
        assert_eq!(config.egress.brokers[0].allow, ["b:1", "10.1.0.0/16"]);
        for (text, meant) in [
            ("[[egress.broker]]\nbootstrap = \"a\"\n", "brokers"),
            ("[[egress.brokers]]\nbootsrap = \"a\"\n", "bootstrap"),
            (
                "[[egress.brokers]]\nbootstrap = \"a\"\nalow = []\n",
                "allow",
            ),
        ] {
            let error = Config::parse(text).expect_err("unknown");
            let ending = format!("did you mean `{meant}`?");
            assert!(error.ends_with(&ending), "{error}");
        }
        // A rule without the brokers that it is for would be silently no rule.
        assert!(Config::parse("[[egress.brokers]]\nbootstrap = \"a\"\n").is_err());
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        let config = Config::parse(
            "[probe]\ntimeout = \"1m 5s\"\n[egress]\nresolve_timeout = \"2s\"\ndial_timeout = \"3s\"\n",
        )
        .expect("valid");
        assert_eq!(config.probe.timeout, Some(Duration::from_secs(65)));
        assert_eq!(config.egress.resolve_timeout, Some(Duration::from_secs(2)));
        assert_eq!(config.egress.dial_timeout, Some(Duration::from_secs(3)));
    }
}
