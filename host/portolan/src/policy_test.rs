//! What the policy says of a URI: planned by its provider, judged by name, resolved, never dialled.

use portolan_contract::{Endpoint, StoredPlan};
use portolan_data::hint_for_endpoint;
use portolan_egress::{Conclusion, Egress, EgressError, Host, Judgement};
use portolan_secret::SecretText;

use crate::access::Access;
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows, SqlState, planning, policy};

const COLUMNS: [&str; 5] = ["endpoint", "step", "outcome", "detail", "hint"];

/// Plans the URI, and judges each of its endpoints; where `resolve` says so its name is looked up,
/// and each address that it has is judged.
pub(crate) async fn execute(
    call: &Call<'_>,
    uri: &SecretText,
    brokers: &[String],
    resolve: bool,
) -> Result<Outcome, Error> {
    let brokers = brokers.iter().map(|broker| place(broker));
    let brokers = brokers.collect::<Result<Vec<_>, Error>>()?;
    call.read(|access: &Access<'_>| access.require_creation("POLICY TEST"))
        .await?;
    let entry = planning::provider_of(call, uri).await?;
    let planned = planning::plan_unjudged(call, entry, uri).await?;
    let provider = format!(
        "{} {}: {}",
        planned.entry.name(),
        planned.stored.provider_version,
        planned.redacted_uri
    );
    let mut rows = vec![ok(None, "plan", provider)];
    rows.extend(verdicts(&call.host.egress, &planned.stored, resolve).await);
    let bootstrap = planned.stored.context.authority().iter();
    let bootstrap: Vec<_> = bootstrap
        .map(|known| (known.host.clone(), known.port))
        .collect();
    for (host, port) in &brokers {
        rows.extend(broker(&call.host.egress, &bootstrap, host, *port, resolve).await);
    }
    Ok(Outcome::rows(Rows::ready(&COLUMNS, rows)))
}

/// `HOST:PORT`, an IPv6 address in brackets.
fn place(text: &str) -> Result<(String, u16), Error> {
    let place = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some((Host::parse(host).ok()?.to_string(), port))
    });
    place.ok_or_else(|| {
        Error::new(
            SqlState::InvalidParameterValue,
            "a broker is a host and a port",
        )
        .with_hint("write HOST:PORT, as in b-2.kafka.example.com:9092")
    })
}

/// The verdict on a broker that a server of the URI might name.
async fn broker(
    egress: &Egress,
    bootstrap: &[(String, Option<u16>)],
    host: &str,
    port: u16,
    resolve: bool,
) -> Vec<Vec<Cell>> {
    let shown = format!("{host}:{port}");
    let (_, policy) = egress.policy().get();
    if let Err(denial) = policy.judge_broker(bootstrap, host, port) {
        let (detail, hint) = (denial.to_string(), Some(denial.hint()));
        return vec![row(Some(&shown), "conclusion", "denied", detail, hint)];
    }
    let mut rows = vec![ok(
        Some(&shown),
        "broker",
        "a server of the connection may name it",
    )];
    rows.extend(account(egress, &shown, (host, port), resolve, |hint| hint).await);
    rows
}

/// The verdicts on a plan, in the order in which they are formed when it is used.
async fn verdicts(egress: &Egress, stored: &StoredPlan, resolve: bool) -> Vec<Vec<Cell>> {
    let plan = &stored.plan;
    let mut rows = vec![match policy::switches(egress, stored) {
        Ok(()) => ok(None, "switches", "nothing that it needs is switched off"),
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            row(None, "switches", "denied", error.message(), hint)
        }
    }];
    for (number, endpoint) in plan.endpoints().enumerate() {
        let Endpoint { host, port, .. } = endpoint;
        let shown = match Host::parse(host) {
            Ok(host) => format!("{host}:{port}"),
            Err(_) => format!("{host}:{port}"),
        };
        let told = |hint| hint_for_endpoint(plan, number, hint);
        rows.extend(account(egress, &shown, (host, *port), resolve, told).await);
    }
    if plan.endpoints().next().is_none() {
        rows.push(ok(None, "endpoints", "none: nothing is dialled"));
    }
    rows
}

/// The guard's account of one endpoint.
async fn account(
    egress: &Egress,
    shown: &str,
    (host, port): (&str, u16),
    resolve: bool,
    told: impl Fn(String) -> String,
) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for judgement in egress.explain(host, port, resolve).await {
        // The conclusion of an account is where the reader looks for what to do.
        let hint = match &judgement {
            Judgement::Conclusion(_) => judgement.hint(),
            _ => None,
        };
        rows.push(row(
            Some(shown),
            judgement.step(),
            outcome(&judgement),
            judgement.to_string(),
            hint.map(&told),
        ));
    }
    rows
}

fn outcome(judgement: &Judgement) -> &'static str {
    match judgement {
        Judgement::Conclusion(Conclusion::Undecided) => "skipped",
        // A name that leads nowhere was not denied by anybody.
        Judgement::Conclusion(Conclusion::Refused(error))
            if !matches!(error, EgressError::Denied(_)) =>
        {
            "failed"
        }
        other if other.is_denied() => "denied",
        _ => "ok",
    }
}

fn row(
    endpoint: Option<&str>,
    step: &str,
    outcome: &str,
    detail: impl Into<String>,
    hint: Option<String>,
) -> Vec<Cell> {
    vec![
        endpoint.map_or(Cell::Null, Cell::from),
        step.into(),
        outcome.into(),
        Cell::Text(detail.into()),
        hint.map_or(Cell::Null, Cell::Text),
    ]
}

fn ok(endpoint: Option<&str>, step: &str, detail: impl Into<String>) -> Vec<Cell> {
    row(endpoint, step, "ok", detail, None)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;
    use std::sync::Arc;

    use async_trait::async_trait;
    use portolan_contract::{ObjectStorePlan, Plan, PlanEntry};
    use portolan_egress::{ConnectTo, EgressOptions, Policy, Resolve};

    use super::*;
    use crate::policy::stored;

    /// Names with the addresses that the test wants, and none that is dialled.
    #[derive(Debug)]
    struct Names;

    #[async_trait]
    impl Resolve for Names {
        async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            let addresses: &[&str] = match name {
                "public.example" => &["8.8.8.8", "9.9.9.9", "10.9.8.7"],
                "private.example" | "minio.internal" => &["10.9.8.7"],
                _ => return Err(io::ErrorKind::NotFound.into()),
            };
            Ok(addresses
                .iter()
                .map(|text| text.parse().expect("an address"))
                .collect())
        }
    }

    fn egress(rules: &[&str]) -> Egress {
        let rules = rules.iter().map(|rule| rule.parse().expect("a rule"));
        let mut connect_to = ConnectTo::default();
        connect_to
            .add("led.example:443", "127.0.0.1:9000")
            .expect("a line");
        Egress::new(EgressOptions {
            policy: Policy::with_rules(rules.collect()),
            connect_to,
            resolver: Arc::new(Names),
            ..EgressOptions::default()
        })
    }

    fn plan_of(host: &str) -> Plan {
        Plan {
            entries: vec![PlanEntry::Endpoint(Endpoint {
                host: host.to_owned(),
                port: 443,
                tls_profile: None,
            })],
        }
    }

    /// The account of one endpoint: each step, its outcome, detail and hint.
    async fn judged(rules: &[&str], host: &str, resolve: bool) -> Vec<String> {
        let rows = verdicts(&egress(rules), &stored("any", plan_of(host)), resolve).await;
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            _ => String::new(),
        };
        rows[1..]
            .iter()
            .map(|row| row[1..].iter().map(text).collect::<Vec<_>>().join("|"))
            .collect()
    }

    #[tokio::test]
    async fn the_guards_account_is_told_with_the_hint_at_its_end_and_never_an_address() {
        const UNDECIDED: &str = "ok|undecided: each address that the name resolves to is judged|";
        let denied = "the policy denies private.example:443: the name stands for a private address";
        let cases: [(&[&str], &str, Vec<String>); 6] = [
            (
                &[],
                "public.example",
                vec![
                    "read|ok|read as public.example:443|".to_owned(),
                    format!("name|{UNDECIDED}"),
                    "address|ok|an address that is public: allowed|".to_owned(),
                    "address|ok|an address that is public: allowed|".to_owned(),
                    "address|denied|an address that is private: denied|".to_owned(),
                    "conclusion|ok|allowed|".to_owned(),
                ],
            ),
            (
                &[],
                "private.example",
                vec![
                    "read|ok|read as private.example:443|".to_owned(),
                    format!("name|{UNDECIDED}"),
                    "address|denied|an address that is private: denied|".to_owned(),
                    format!(
                        "conclusion|denied|{denied}|if it is meant, allow it with the rule \
                         private.example:443 in the host's policy"
                    ),
                ],
            ),
            (
                &["minio.internal:443"],
                "minio.internal",
                vec![
                    "read|ok|read as minio.internal:443|".to_owned(),
                    "name|ok|allowed by the rule minio.internal:443|".to_owned(),
                    "address|ok|an address that is private: allowed by the rule \
                     minio.internal:443|"
                        .to_owned(),
                    "conclusion|ok|allowed|".to_owned(),
                ],
            ),
            (
                &[],
                "::1",
                vec![
                    "read|ok|read as [::1]:443|".to_owned(),
                    "name|denied|the policy denies [::1]:443, a loopback address|".to_owned(),
                    "conclusion|denied|the policy denies [::1]:443, a loopback address|if it is \
                     meant, allow it with the rule [::1]:443 in the host's policy"
                        .to_owned(),
                ],
            ),
            (
                &[],
                "absent.example",
                vec![
                    "read|ok|read as absent.example:443|".to_owned(),
                    format!("name|{UNDECIDED}"),
                    "conclusion|failed|the name absent.example does not resolve|check the \
                     spelling of the host, and the DNS of this host"
                        .to_owned(),
                ],
            ),
            (
                &[],
                "led.example",
                vec![
                    "read|ok|read as led.example:443|".to_owned(),
                    "connect-to|ok|led to an address of the operator's choice, whatever the \
                     rules say|"
                        .to_owned(),
                    "conclusion|ok|allowed|".to_owned(),
                ],
            ),
        ];
        for (rules, host, steps) in cases {
            assert_eq!(judged(rules, host, true).await, steps);
        }
    }

    #[tokio::test]
    async fn without_resolving_nothing_is_looked_up() {
        assert_eq!(
            judged(&[], "private.example", false).await.last(),
            Some(&"conclusion|skipped|undecided: nothing was looked up|".to_owned())
        );
    }

    #[tokio::test]
    async fn a_bucket_before_the_host_of_an_own_server_suggests_the_path_first() {
        let mut plan = plan_of("private.example");
        plan.entries.extend([
            PlanEntry::ObjectStore(ObjectStorePlan {
                backend: "s3".to_owned(),
                container: "private".to_owned(),
                prefix: String::new(),
            }),
            PlanEntry::Setting("custom-endpoint".to_owned(), "true".to_owned()),
        ]);
        let rows = verdicts(&egress(&[]), &stored("s3", plan), true).await;
        let Some(Cell::Text(hint)) = rows.last().and_then(|row| row.get(4)) else {
            panic!("no hint: {rows:?}");
        };
        assert!(hint.starts_with("if the server has its buckets in the path, as MinIO does"));
        assert!(hint.ends_with("allow it with the rule private.example:443 in the host's policy"));
    }

    #[tokio::test]
    async fn a_plan_without_endpoints_dials_nothing() {
        let rows = verdicts(&egress(&[]), &stored("any", Plan::default()), true).await;
        assert_eq!(rows[1][1], "endpoints".into());
        assert_eq!(rows.len(), 2);
    }
}
