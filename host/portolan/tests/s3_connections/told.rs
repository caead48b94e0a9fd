//! What a host tells of a connection: the steps of its probe, and the error of its statement.

use std::net::SocketAddr;
use std::time::Duration;

use portolan::{ConnectTo, EgressOptions, Error, TrustRoots};
use portolan_servers::s3::{BUCKET, CHATTER, KEY, REGION, SECRET, Server};

use crate::support::{World, rows};

/// What every failure to make a connection to S3 begins with.
const PREFIX: &str = "failed to construct External Connection details: failed to create s3 \
                      external connection: ";

/// The URI of the bucket, with what a test wants otherwise: a value of a name that stands there
/// already takes its place.
pub(crate) fn uri(options: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", REGION),
    ];
    for (name, value) in options {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    uri_of(&all)
}

/// The URI of the bucket with these options and no others.
pub(crate) fn uri_of(options: &[(&str, &str)]) -> String {
    let escaped =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs: Vec<_> = options
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    format!("s3://{BUCKET}/daily?{}", pairs.join("&"))
}

/// Leads `host:port` to addresses, and trusts one authority.
pub(crate) fn ways(authority: &str, ways: &[(String, SocketAddr)]) -> EgressOptions {
    let mut connect_to = ConnectTo::default();
    for (from, to) in ways {
        connect_to.add(from, &to.to_string()).expect("a line");
    }
    let roots = TrustRoots::nobody().with_pem(authority.as_bytes());
    EgressOptions {
        connect_to,
        roots: roots.expect("an authority"),
        silence_timeout: Duration::from_secs(2),
        ..EgressOptions::default()
    }
}

/// The client's way to a server.
pub(crate) fn options(server: &Server) -> EgressOptions {
    ways(&server.authority, &server.ways())
}

/// A step as it is shown: its name, outcome, detail and hint.
pub(crate) type Step = [String; 4];

/// A step that went well, or was skipped.
pub(crate) fn step(name: &str, outcome: &str, detail: &str) -> Step {
    [name, outcome, detail, "NULL"].map(str::to_owned)
}

/// What a host with this way out tells.
pub(crate) struct Told {
    /// The steps of VALIDATE; none where not even an unvalidated connection can be made.
    pub(crate) steps: Vec<Step>,
    /// The error of CREATE.
    pub(crate) error: Option<Error>,
}

/// Makes a connection of the URI in a fresh store, as deep as `validate` says, and validates it.
pub(crate) async fn told(options: EgressOptions, uri: &str, validate: &str) -> Told {
    let world = World::with(|builder| builder.egress(options)).await;
    let create = |name: &str, validate: &str| {
        format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = '{validate}'")
    };
    let root = world.root();
    let error = root.execute(&create("made", validate), &[]).await.err();
    let unvalidated = root.execute(&create("probed", "none"), &[]).await;
    let mut steps = Vec::new();
    if unvalidated.is_ok() {
        let validate = format!("VALIDATE EXTERNAL CONNECTION probed WITH VALIDATE = '{validate}'");
        for row in rows(&root, &validate).await {
            let [name, outcome, _, detail, hint] = row.try_into().expect("five columns");
            steps.push([name, outcome, detail, hint]);
        }
    }
    let audit = rows(&root, "SHOW AUDIT").await;
    let shown = format!("{error:?} {steps:?} {audit:?}");
    for forbidden in [SECRET, CHATTER, "Signature=", "wJalr", "swordfish"] {
        assert!(!shown.contains(forbidden), "{forbidden} in {shown}");
    }
    Told { steps, error }
}

impl Told {
    /// The steps were these, then one that failed with this detail and hint; and CREATE fails with
    /// the same and this SQLSTATE.
    #[track_caller]
    pub(crate) fn is(
        &self,
        before: &[Step],
        failed: &str,
        sqlstate: &str,
        detail: &str,
        hint: &str,
    ) {
        let mut steps = before.to_vec();
        steps.push([failed, "failed", detail, hint].map(str::to_owned));
        assert_eq!(self.steps, steps);
        self.is_error(sqlstate, detail, hint);
    }

    /// CREATE fails so.
    #[track_caller]
    pub(crate) fn is_error(&self, sqlstate: &str, detail: &str, hint: &str) {
        let error = self.error.as_ref().expect("CREATE fails");
        assert_eq!(
            (error.sqlstate().code(), error.message(), error.hint()),
            (sqlstate, format!("{PREFIX}{detail}").as_str(), Some(hint))
        );
    }

    /// Everything went well, in these steps.
    #[track_caller]
    pub(crate) fn is_well(&self, steps: &[Step]) {
        assert_eq!(self.error.as_ref().map(ToString::to_string), None);
        assert_eq!(self.steps, steps);
    }
}
