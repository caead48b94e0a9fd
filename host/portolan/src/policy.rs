//! The operator's verdict over a plan: the policy's over its endpoints, and the switches'.

use portolan_contract::StoredPlan;
use portolan_data::hint_for_endpoint;
use portolan_egress::{Egress, Rule, Verdict};

use crate::access::refused;
use crate::call::Call;
use crate::{Error, SqlState};

/// Refuses a plan that the operator does not allow: one with an endpoint that the policy denies, or
/// of a sort that is switched off. Names are judged as names, address literals at once; nothing is
/// resolved.
pub(crate) fn judge(egress: &Egress, stored: &StoredPlan) -> Result<(), Error> {
    switches(egress, stored)?;
    let plan = &stored.plan;
    let (_, policy) = egress.policy().get();
    for (number, endpoint) in plan.endpoints().enumerate() {
        if let Verdict::Denied(denial) = egress.judge_name(&policy, &endpoint.host, endpoint.port) {
            let sqlstate = SqlState::from_code(denial.sqlstate());
            let hint = hint_for_endpoint(plan, number, denial.hint());
            return Err(Error::new(sqlstate, denial.to_string()).with_hint(hint));
        }
    }
    Ok(())
}

/// Notes a rule that an administrator is about to add to the configuration.
pub(crate) async fn note_rule(call: &Call<'_>, rule: &Rule) -> Result<(), Error> {
    let detail = format!("the rule {rule}");
    call.change(move |actor, writer, row| {
        if !actor.access(&*writer)?.is_admin() {
            return Err(
                refused("only users with the admin role are allowed to change the policy")
                    .with_hint("ask an administrator"),
            );
        }
        row.detail = Some(detail);
        Ok(())
    })
    .await
}

/// What an operator switches off whole, in the words that users of this feature know.
pub(crate) fn switches(egress: &Egress, stored: &StoredPlan) -> Result<(), Error> {
    let options = egress.options();
    let plan = &stored.plan;
    let whose = whose(stored);
    let is = |setting: &str, value: &str| plan.setting(setting) == Some(value);
    let refused = |what: String, switch: &str| {
        Err(Error::new(SqlState::InsufficientPrivilege, what)
            .with_hint(format!("start the server without {switch} if it is meant")))
    };
    if options.disable_http {
        let switch = "--external-io-disable-http";
        if whose == "http" {
            return refused("external http access disabled".to_owned(), switch);
        }
        if is("custom-endpoint", "true") {
            // Users know this flag from the text alone: what switches it is the other one.
            let flag = match whose {
                "aws kms" => "--aws-kms-disable-http",
                _ => switch,
            };
            let what = format!("custom endpoints disallowed for {whose} due to {flag} flag");
            return refused(what, switch);
        }
    }
    let implicit = is("credentials", "implicit")
        || is("sasl-mechanism", "AWS_MSK_IAM") && plan.implicit_access().is_some();
    if options.disable_implicit_credentials && implicit {
        let switch = "--external-io-disable-implicit-credentials";
        let what = format!("implicit credentials disallowed for {whose} due to {switch} flag");
        return refused(what, switch);
    }
    Ok(())
}

/// What a refusal calls a connection: its object store, its service of keys, or else its provider.
fn whose(stored: &StoredPlan) -> &str {
    match (stored.plan.object_store(), stored.provider.as_str()) {
        (Some(store), _) => &store.backend,
        (None, "aws-kms") => "aws kms",
        (None, "gcp-kms") => "gcp kms",
        (None, "azure-kms") => "azure kms",
        (None, provider) => provider,
    }
}

/// A plan as it is stored, without secrets.
#[cfg(test)]
pub(crate) fn stored(provider: &str, plan: portolan_contract::Plan) -> StoredPlan {
    StoredPlan {
        format: portolan_contract::PLAN_FORMAT,
        provider: provider.to_owned(),
        provider_version: "0.1.0".parse().expect("a version"),
        plan,
        context: portolan_contract::RuleContext::default(),
        secrets: Vec::new(),
        places: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use portolan_contract::{Endpoint, ObjectStorePlan, Plan, PlanEntry};
    use portolan_egress::EgressOptions;

    use super::*;

    fn setting(name: &str, value: &str) -> PlanEntry {
        PlanEntry::Setting(name.to_owned(), value.to_owned())
    }

    fn store(backend: &str) -> PlanEntry {
        PlanEntry::ObjectStore(ObjectStorePlan {
            backend: backend.to_owned(),
            container: String::new(),
            prefix: String::new(),
        })
    }

    fn plan<const N: usize>(provider: &str, entries: [PlanEntry; N]) -> StoredPlan {
        stored(
            provider,
            Plan {
                entries: entries.into(),
            },
        )
    }

    #[test]
    fn a_denied_host_with_the_bucket_before_it_suggests_path_style_before_any_rule() {
        let egress = Egress::new(EgressOptions::default());
        let judged = |custom, style| {
            let endpoint = PlanEntry::Endpoint(Endpoint {
                host: "bucket.localhost".to_owned(),
                port: 9000,
                tls_profile: None,
            });
            let settings = [
                setting("custom-endpoint", custom),
                setting("path-style", style),
            ];
            let [custom, style] = settings;
            let plan = plan("s3", [store("s3"), custom, style, endpoint]);
            let error = judge(&egress, &plan).expect_err("denied");
            assert_eq!(error.sqlstate().code(), "42501");
            error.hint().expect("a hint").to_owned()
        };
        let rule = "if it is meant, allow it with the rule bucket.localhost:9000 in the host's \
                    policy";
        assert_eq!(judged("true", "true"), rule);
        assert_eq!(judged("false", "false"), rule);
        assert_eq!(
            judged("true", "false"),
            format!(
                "if the server has its buckets in the path, as MinIO does, write \
                 AWS_USE_PATH_STYLE=true; else {rule}"
            )
        );
    }

    #[test]
    fn what_is_switched_off_is_refused_and_each_switch_leaves_the_rest_alone() {
        let options = |disable_http, disable_implicit_credentials| {
            Egress::new(EgressOptions {
                disable_http,
                disable_implicit_credentials,
                ..EgressOptions::default()
            })
        };
        let (http, implicit) = (options(true, false), options(false, true));
        for (plan, off, other, words) in [
            (
                plan("s3", [store("s3"), setting("custom-endpoint", "true")]),
                &http,
                &implicit,
                "custom endpoints disallowed for s3 due to --external-io-disable-http flag",
            ),
            (
                plan("http", [store("http"), setting("timeout", "3s")]),
                &http,
                &implicit,
                "external http access disabled",
            ),
            (
                plan(
                    "azure-blob",
                    [store("azure"), setting("credentials", "implicit")],
                ),
                &implicit,
                &http,
                "implicit credentials disallowed for azure due to \
                 --external-io-disable-implicit-credentials flag",
            ),
            (
                plan("mine", [setting("credentials", "implicit")]),
                &implicit,
                &http,
                "implicit credentials disallowed for mine due to \
                 --external-io-disable-implicit-credentials flag",
            ),
        ] {
            let error = judge(off, &plan).expect_err(words);
            assert_eq!(error.message(), words);
            assert_eq!(error.sqlstate().code(), "42501");
            assert_eq!(judge(other, &plan), Ok(()));
        }
        let specified = [store("s3"), setting("credentials", "specified")];
        assert_eq!(judge(&options(true, true), &plan("s3", specified)), Ok(()));
    }
}
