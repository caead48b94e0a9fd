//! What the policy says of a URI: planned by its provider, judged by name, resolved, never dialled.

use portolan_contract::{Endpoint, Plan};
use portolan_egress::{Egress, EgressError, Host, Verdict};
use portolan_secret::SecretText;

use crate::access::Access;
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows, planning, policy};

const COLUMNS: [&str; 5] = ["endpoint", "step", "outcome", "detail", "hint"];

/// Plans the URI, and judges each of its endpoints; where `resolve` says so its name is looked up,
/// and each address that it has is judged.
pub(crate) async fn execute(
    call: &Call<'_>,
    uri: &SecretText,
    resolve: bool,
) -> Result<Outcome, Error> {
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
    rows.extend(verdicts(&call.host.egress, planned.plan(), resolve).await);
    Ok(Outcome::rows(Rows::ready(&COLUMNS, rows)))
}

/// The verdicts on a plan, in the order in which they are formed when it is used.
async fn verdicts(egress: &Egress, plan: &Plan, resolve: bool) -> Vec<Vec<Cell>> {
    let mut rows = vec![match policy::switches(egress, plan) {
        Ok(()) => ok(None, "switches", "nothing that it needs is switched off"),
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            row(None, "switches", "denied", error.message(), hint)
        }
    }];
    for endpoint in plan.endpoints() {
        let shown = match Host::parse(&endpoint.host) {
            Ok(host) => format!("{host}:{}", endpoint.port),
            Err(_) => format!("{}:{}", endpoint.host, endpoint.port),
        };
        let (name, goes_on) = by_name(egress, &shown, endpoint);
        rows.push(name);
        rows.push(if !goes_on {
            skipped(&shown, "the name is denied already")
        } else if resolve {
            by_address(egress, &shown, endpoint).await
        } else {
            skipped(&shown, "nothing was looked up")
        });
    }
    if plan.endpoints().next().is_none() {
        rows.push(ok(None, "endpoints", "none: nothing is dialled"));
    }
    rows
}

fn by_name(egress: &Egress, shown: &str, endpoint: &Endpoint) -> (Vec<Cell>, bool) {
    let Endpoint { host, port, .. } = endpoint;
    let (_, policy) = egress.policy().get();
    let led = Host::parse(host)
        .ok()
        .and_then(|host| egress.options().connect_to.address(&host, *port));
    if led.is_some() {
        let detail = "allowed: the operator's connect_to leads it to an address";
        return (ok(Some(shown), "name", detail), true);
    }
    match egress.judge_name(&policy, host, *port) {
        Verdict::Denied(denial) => {
            let hint = Some(denial.hint());
            let row = row(Some(shown), "name", "denied", denial.to_string(), hint);
            (row, false)
        }
        verdict => (ok(Some(shown), "name", verdict.to_string()), true),
    }
}

/// Tells how many addresses may be dialled, never which.
async fn by_address(egress: &Egress, shown: &str, endpoint: &Endpoint) -> Vec<Cell> {
    match egress.resolve(&endpoint.host, endpoint.port).await {
        Ok(resolved) => {
            let detail = match resolved.count() {
                1 => "one address may be dialled".to_owned(),
                count => format!("{count} addresses may be dialled"),
            };
            ok(Some(shown), "addresses", detail)
        }
        Err(error) => {
            let outcome = match error {
                EgressError::Denied(_) => "denied",
                _ => "failed",
            };
            let hint = Some(error.hint());
            row(Some(shown), "addresses", outcome, error.to_string(), hint)
        }
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

fn skipped(endpoint: &str, detail: &str) -> Vec<Cell> {
    row(Some(endpoint), "addresses", "skipped", detail, None)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;
    use std::sync::Arc;

    use async_trait::async_trait;
    use portolan_contract::PlanEntry;
    use portolan_egress::{ConnectTo, EgressOptions, Policy, Resolve};

    use super::*;

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

    /// The outcomes for one endpoint, each with its step, its detail and its hint.
    async fn judged(rules: &[&str], host: &str, resolve: bool) -> Vec<String> {
        let plan = Plan {
            entries: vec![PlanEntry::Endpoint(Endpoint {
                host: host.to_owned(),
                port: 443,
                tls_profile: None,
            })],
        };
        let rows = verdicts(&egress(rules), &plan, resolve).await;
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            _ => String::new(),
        };
        rows[1..]
            .iter()
            .map(|row| row.iter().map(text).collect::<Vec<_>>().join("|"))
            .collect()
    }

    #[tokio::test]
    async fn each_step_tells_its_verdict_and_never_the_address() {
        for (rules, host, steps) in [
            (
                &[][..],
                "public.example",
                [
                    "public.example:443|name|ok|allowed if every address that the name resolves to is public|",
                    "public.example:443|addresses|ok|2 addresses may be dialled|",
                ],
            ),
            (
                &[],
                "private.example",
                [
                    "private.example:443|name|ok|allowed if every address that the name resolves to is public|",
                    "private.example:443|addresses|denied|the policy denies private.example:443: the name stands for a private address|if it is meant, allow it with the rule private.example:443 in the host's policy",
                ],
            ),
            (
                &["minio.internal:443"],
                "minio.internal",
                [
                    "minio.internal:443|name|ok|allowed by the rule minio.internal:443|",
                    "minio.internal:443|addresses|ok|one address may be dialled|",
                ],
            ),
            (
                &[],
                "::1",
                [
                    "[::1]:443|name|denied|the policy denies [::1]:443, a loopback address|if it is meant, allow it with the rule [::1]:443 in the host's policy",
                    "[::1]:443|addresses|skipped|the name is denied already|",
                ],
            ),
            (
                &[],
                "absent.example",
                [
                    "absent.example:443|name|ok|allowed if every address that the name resolves to is public|",
                    "absent.example:443|addresses|failed|the name absent.example does not resolve|check the spelling of the host, and the DNS of this host",
                ],
            ),
            (
                &[],
                "led.example",
                [
                    "led.example:443|name|ok|allowed: the operator's connect_to leads it to an address|",
                    "led.example:443|addresses|ok|one address may be dialled|",
                ],
            ),
        ] {
            assert_eq!(judged(rules, host, true).await, steps);
        }
    }

    #[tokio::test]
    async fn without_resolving_nothing_is_looked_up() {
        assert_eq!(
            judged(&[], "private.example", false).await[1],
            "private.example:443|addresses|skipped|nothing was looked up|"
        );
    }

    #[tokio::test]
    async fn a_plan_without_endpoints_dials_nothing() {
        let rows = verdicts(&egress(&[]), &Plan::default(), true).await;
        assert_eq!(rows[1][1], "endpoints".into());
        assert_eq!(rows.len(), 2);
    }
}
