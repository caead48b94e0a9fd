//! The operator's verdict over a plan: the policy's over its endpoints, and the switches'.

use portolan_contract::Plan;
use portolan_data::hint_for_endpoint;
use portolan_egress::{Egress, Verdict};

use crate::{Error, SqlState};

/// Refuses a plan that the operator does not allow: one with an endpoint that the policy denies, or
/// of a sort that is switched off. Names are judged as names, address literals at once; nothing is
/// resolved.
pub(crate) fn judge(egress: &Egress, plan: &Plan) -> Result<(), Error> {
    switches(egress, plan)?;
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

/// What an operator switches off whole, in the words that users of this feature know.
pub(crate) fn switches(egress: &Egress, plan: &Plan) -> Result<(), Error> {
    let options = egress.options();
    let backend = plan
        .object_store()
        .map_or("this connection", |store| store.backend.as_str());
    let is = |setting: &str, value: &str| plan.setting(setting) == Some(value);
    let refused = |what: String, switch: &str| {
        Err(Error::new(SqlState::InsufficientPrivilege, what)
            .with_hint(format!("start the server without {switch} if it is meant")))
    };
    if options.disable_http {
        let switch = "--external-io-disable-http";
        if backend == "http" {
            return refused("external http access disabled".to_owned(), switch);
        }
        if is("custom-endpoint", "true") {
            let what = format!("custom endpoints disallowed for {backend} due to {switch} flag");
            return refused(what, switch);
        }
    }
    if options.disable_implicit_credentials && is("credentials", "implicit") {
        let switch = "--external-io-disable-implicit-credentials";
        let what = format!("implicit credentials disallowed for {backend} due to {switch} flag");
        return refused(what, switch);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use portolan_contract::{Endpoint, ObjectStorePlan, PlanEntry};
    use portolan_egress::EgressOptions;

    use super::*;

    fn plan(backend: &str, setting: (&str, &str)) -> Plan {
        Plan {
            entries: vec![
                PlanEntry::ObjectStore(ObjectStorePlan {
                    backend: backend.to_owned(),
                    container: String::new(),
                    prefix: String::new(),
                }),
                PlanEntry::Setting(setting.0.to_owned(), setting.1.to_owned()),
            ],
        }
    }

    #[test]
    fn a_denied_host_with_the_bucket_before_it_suggests_path_style_before_any_rule() {
        let egress = Egress::new(EgressOptions::default());
        let judged = |custom, style| {
            let mut plan = plan("s3", ("custom-endpoint", custom));
            plan.entries.extend([
                PlanEntry::Setting("path-style".to_owned(), style),
                PlanEntry::Endpoint(Endpoint {
                    host: "bucket.localhost".to_owned(),
                    port: 9000,
                    tls_profile: None,
                }),
            ]);
            let error = judge(&egress, &plan).expect_err("denied");
            assert_eq!(error.sqlstate().code(), "42501");
            error.hint().expect("a hint").to_owned()
        };
        let rule = "if it is meant, allow it with the rule bucket.localhost:9000 in the host's \
                    policy";
        assert_eq!(judged("true", "true".to_owned()), rule);
        assert_eq!(judged("false", "false".to_owned()), rule);
        assert_eq!(
            judged("true", "false".to_owned()),
            format!(
                "if the server has its buckets in the path, as MinIO does, write \
                 AWS_USE_PATH_STYLE=true; else {rule}"
            )
        );
    }

    #[test]
    fn what_is_switched_off_is_refused_in_the_ancestors_words() {
        let off = Egress::new(EgressOptions {
            disable_http: true,
            disable_implicit_credentials: true,
            ..EgressOptions::default()
        });
        for (plan, words) in [
            (
                plan("s3", ("custom-endpoint", "true")),
                "custom endpoints disallowed for s3 due to --external-io-disable-http flag",
            ),
            (
                plan("http", ("timeout", "3s")),
                "external http access disabled",
            ),
            (
                plan("azure", ("credentials", "implicit")),
                "implicit credentials disallowed for azure due to \
                 --external-io-disable-implicit-credentials flag",
            ),
        ] {
            let error = judge(&off, &plan).expect_err(words);
            assert_eq!(error.message(), words);
            assert_eq!(error.sqlstate().code(), "42501");
            assert_eq!(judge(&Egress::new(EgressOptions::default()), &plan), Ok(()));
        }
        let specified = plan("s3", ("credentials", "specified"));
        assert_eq!(judge(&off, &specified), Ok(()));
    }
}
