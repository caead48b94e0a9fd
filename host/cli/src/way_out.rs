//! What may be dialled and how: from flags, environment and configuration to the options of the way
//! out.

use anyhow::{Context, Result};
use portolan::{BrokerRule, ConnectTo, EgressOptions, Policy, Rule, TrustRoots};
use portolan_egress::InvalidRule;

use crate::args::GlobalArguments;
use crate::config::{self, Config};
use crate::report::Failure;

/// How denials go on after "allow it": the rule for once, and for good.
const ADVICE: &str = "with --allow-egress {rule}, or for good with portolan policy allow {rule}";

/// Puts flags and configuration together. A flag that says yes or no overrides the configuration;
/// rules add up.
pub(crate) fn options(config: &Config, global: &GlobalArguments) -> Result<EgressOptions> {
    let configured = config.egress.allow.iter();
    let configured = configured.map(|text| rule_at("[egress] allow in the configuration: ", text));
    let given = global.allow_egress.iter().map(|text| rule(text));
    let rules = configured.chain(given).collect::<Result<Vec<_>>>()?;
    let defaults = EgressOptions::default();
    let brokers = config.egress.brokers.iter().map(brokers);
    let brokers = brokers.collect::<Result<Vec<_>>>()?;
    let mut connect_to = ConnectTo::default();
    for (endpoint, address) in &config.egress.connect_to {
        connect_to.add(endpoint, address).map_err(|error| {
            Failure::new(
                InvalidRule::SQLSTATE,
                format!("[egress.connect_to] in the configuration: {error}"),
            )
            .hint("write \"host:port\" = \"address:port\", an IPv6 address in brackets")
        })?;
    }
    Ok(EgressOptions {
        policy: Policy::with_rules(rules)
            .with_brokers(brokers)
            .advising(ADVICE),
        connect_to,
        roots: roots(config)?,
        disable_http: global
            .external_io_disable_http
            .or(config.external_io_disable_http)
            .unwrap_or(false),
        disable_implicit_credentials: global
            .external_io_disable_implicit_credentials
            .or(config.external_io_disable_implicit_credentials)
            .unwrap_or(false),
        resolve_timeout: config
            .egress
            .resolve_timeout
            .unwrap_or(defaults.resolve_timeout),
        dial_timeout: config.egress.dial_timeout.unwrap_or(defaults.dial_timeout),
        ..defaults
    })
}

/// Reads a rule of the policy.
pub(crate) fn rule(text: &str) -> Result<Rule> {
    rule_at("", text)
}

/// Reads a rule, whose place an error begins with.
fn rule_at(place: &str, text: &str) -> Result<Rule> {
    text.parse().map_err(|error: InvalidRule| {
        Failure::new(InvalidRule::SQLSTATE, format!("{place}{error}"))
            .hint(error.hint())
            .into()
    })
}

/// Reads an entry of `[[egress.brokers]]`.
fn brokers(written: &config::Brokers) -> Result<BrokerRule> {
    let read = |text: &String| rule_at("[[egress.brokers]] in the configuration: ", text);
    Ok(BrokerRule {
        bootstrap: read(&written.bootstrap)?,
        allow: written.allow.iter().map(read).collect::<Result<_>>()?,
    })
}

/// The authorities that are trusted: Mozilla's, and those of the configuration.
fn roots(config: &Config) -> Result<TrustRoots> {
    let mut roots = TrustRoots::default();
    for file in &config.tls.extra_ca {
        let shown = file.display();
        let pem = std::fs::read(file)
            .with_context(|| format!("cannot read [tls] extra_ca of the configuration, {shown}"))?;
        roots = roots.with_pem(&pem).map_err(|_| {
            Failure::new(
                "22023",
                format!("{shown} holds no certificate that can be read"),
            )
            .hint("[tls] extra_ca names files with BEGIN CERTIFICATE and END CERTIFICATE lines")
        })?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use portolan_egress::Verdict;

    use super::*;
    use crate::args::Arguments;

    fn options_of(arguments: &[&str], config: &str) -> EgressOptions {
        let arguments = ["portolan"].iter().chain(arguments).chain(&["doctor"]);
        let arguments = Arguments::parse_from(arguments);
        let config = Config::parse(config).expect("a configuration");
        options(&config, &arguments.global).expect("options")
    }

    #[test]
    fn a_denial_names_the_flag_and_the_command() {
        let policy = options_of(&[], "").policy;
        for (host, hint) in [
            (
                "10.0.0.1",
                "if it is meant, allow it with --allow-egress 10.0.0.1:9000, or for good with \
                 portolan policy allow 10.0.0.1:9000",
            ),
            (
                "metadata.google.internal",
                "no rule with a name admits a metadata address; if it is meant, allow the address \
                 itself with --allow-egress ADDRESS:9000, or for good with portolan policy allow \
                 ADDRESS:9000",
            ),
        ] {
            let Verdict::Denied(denial) = policy.judge_name(host, 9000) else {
                panic!("{host} is allowed");
            };
            assert_eq!(denial.hint(), hint);
        }
    }

    #[test]
    fn brokers_of_the_configuration_are_a_part_of_the_policy() {
        let bootstrap = [("kafka.example.com".to_owned(), Some(9092))];
        let config = "[[egress.brokers]]\nbootstrap = \"kafka.example.com\"\n\
                      allow = [\"b.example.net:9092\"]\n";
        let policy = options_of(&[], config).policy;
        let judged = |broker| policy.judge_broker(&bootstrap, broker, 9092);
        assert_eq!(judged("b.example.net"), Ok(()));
        assert!(judged("c.example.net").is_err());
        let wrong = Config::parse("[[egress.brokers]]\nbootstrap = \"a b\"\nallow = []\n");
        let arguments = Arguments::parse_from(["portolan", "doctor"]);
        let error = options(&wrong.expect("a configuration"), &arguments.global);
        let error = error.expect_err("no rule").to_string();
        assert!(
            error.starts_with("[[egress.brokers]] in the configuration: "),
            "{error}"
        );
    }

    #[test]
    fn rules_add_up_and_a_flag_overrides_the_configuration() {
        let config = "external_io_disable_http = true\n[egress]\nallow = [\"a.example:1\"]\n";
        let options = options_of(&["--allow-egress", "b.example:2"], config);
        assert_eq!(options.policy.rules().len(), 2);
        assert!(options.disable_http && !options.disable_implicit_credentials);
        let flags = [
            "--external-io-disable-http=false",
            "--external-io-disable-implicit-credentials",
        ];
        let options = options_of(&flags, config);
        assert!(!options.disable_http && options.disable_implicit_credentials);
    }
}
