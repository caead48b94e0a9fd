//! How TLS is spoken: `sslmode`, and the certificates that stand in the URI.

use portolan_sdk::{
    Failure, FormatVerdict, Options, Plan, PlanEntry, Secret, TlsProfile, TlsVerification, joined,
};

/// The TLS profile of every endpoint that has one.
pub(crate) const PROFILE: &str = "server";

/// How a server is reached, in the order in which it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Never with TLS.
    Disable,
    /// Without TLS, and with it where the server wants that.
    Allow,
    /// With TLS, and without it where the server has none.
    Prefer,
    /// With TLS and not otherwise.
    Always(TlsVerification),
}

/// How TLS is spoken, and with which certificates.
#[derive(Debug)]
pub(crate) struct Transport<'uri> {
    /// As the URI names it.
    pub(crate) name: &'uri str,
    pub(crate) mode: Mode,
    authority: Option<&'uri Secret>,
    client: Option<(&'uri Secret, &'uri Secret)>,
    /// An option with a file's name, where no file is read.
    not_counted: Option<&'static str>,
}

impl<'uri> Transport<'uri> {
    pub(crate) fn of(options: &mut Options<'uri>) -> Result<Self, Failure> {
        let name = options.text("sslmode")?.unwrap_or("prefer");
        let is_inline = options.boolean("sslinline")?.unwrap_or(false);
        let names = ["sslrootcert", "sslcert", "sslkey"];
        let given = names.map(|name| options.secret(name));
        let mut of_names = names.into_iter().zip(given);
        let not_counted = match is_inline {
            true => None,
            false => of_names.find_map(|(name, secret)| secret.map(|_| name)),
        };
        let [authority, certificate, key] = given.map(|secret| secret.filter(|_| is_inline));
        if authority.is_some_and(is_broken) {
            return Err(Failure::invalid_uri("unable to add CA to cert pool")
                .with_hint(PEM)
                .with_option("sslrootcert"));
        }
        let client = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (certificate, _) => {
                let missing = certificate.map_or("sslcert", |_| "sslkey");
                return Err(
                    Failure::invalid_uri("both \"sslcert\" and \"sslkey\" are required")
                        .with_hint("Give both, or neither.")
                        .with_option(missing),
                );
            }
        };
        for (name, secret) in [("sslcert", certificate), ("sslkey", key)] {
            if secret.is_some_and(is_broken) {
                let message = joined(&["unable to construct x509 key pair: ", name, " is not PEM"]);
                return Err(Failure::invalid_uri(message)
                    .with_hint(PEM)
                    .with_option(name));
            }
        }
        Ok(Self {
            name,
            mode: mode(name, authority.is_some())?,
            authority,
            client,
            not_counted,
        })
    }

    /// Whether a certificate shows the server who connects.
    pub(crate) fn shows_a_certificate(&self) -> bool {
        self.client.is_some() && self.mode != Mode::Disable
    }

    /// The endpoint of a host, or two of them: with TLS and without.
    pub(crate) fn add_endpoint(&self, plan: Plan, host: &str, port: u16) -> Plan {
        let with = |plan: Plan| plan.endpoint(host, port, Some(PROFILE));
        let without = |plan: Plan| plan.endpoint(host, port, None);
        match self.mode {
            Mode::Disable => without(plan),
            Mode::Allow => with(without(plan)),
            Mode::Prefer => without(with(plan)),
            Mode::Always(_) => with(plan),
        }
    }

    /// The profile and its secrets, and what there is to say of it.
    pub(crate) fn add(&self, plan: Plan) -> Plan {
        let plan = match self.not_counted {
            Some(name) => plan.warn(&joined(&[
                name,
                " does not count: this host reads no files. Write sslinline=true, and the PEM \
                 itself.",
            ])),
            None => plan,
        };
        let plan = match self.weakness() {
            Some(sentence) => plan.warn(&joined(&["sslmode=", self.name, " ", sentence])),
            None => plan,
        };
        let verify = match (&self.mode, self.authority) {
            (Mode::Disable, _) => return plan,
            (Mode::Always(verify), _) => verify.clone(),
            (_, Some(_)) => TlsVerification::AuthorityOnly,
            (_, None) => TlsVerification::None,
        };
        let named = |plan: Plan, name: &str, secret: Option<&Secret>| match secret {
            Some(secret) => plan.secret_as_given(name, secret),
            None => plan,
        };
        let plan = named(plan, "sslrootcert", self.authority);
        let plan = named(
            plan,
            "sslcert",
            self.client.map(|(certificate, _)| certificate),
        );
        let plan = named(plan, "sslkey", self.client.map(|(_, key)| key));
        let name = |name: &str, is_given: bool| is_given.then(|| name.to_owned());
        plan.with(PlanEntry::Tls(TlsProfile {
            name: PROFILE.to_owned(),
            certificate_authority: name("sslrootcert", self.authority.is_some()),
            client_certificate: name("sslcert", self.client.is_some()),
            client_key: name("sslkey", self.client.is_some()),
            verify,
        }))
    }

    fn weakness(&self) -> Option<&'static str> {
        match (&self.mode, self.authority) {
            (Mode::Disable, _) => {
                Some("sends everything in clear; sslmode=verify-full would encrypt it.")
            }
            (Mode::Allow | Mode::Prefer, _) => Some(
                "goes on in clear where the server, or somebody between, does not offer TLS; \
                 sslmode=verify-full would not.",
            ),
            (Mode::Always(TlsVerification::None), _) => Some(
                "does not check who the server is; sslmode=verify-full would check its \
                 certificate and name.",
            ),
            (Mode::Always(_), _) => None,
        }
    }
}

const PEM: &str = "Write the PEM from its BEGIN to its END line, percent-encoded, with + as %2B.";

fn is_broken(secret: &Secret) -> bool {
    matches!(secret.verdict, FormatVerdict::InvalidAt(_))
}

fn mode(name: &str, has_authority: bool) -> Result<Mode, Failure> {
    Ok(match (name, has_authority) {
        ("disable", _) => Mode::Disable,
        ("allow", _) => Mode::Allow,
        ("prefer", _) => Mode::Prefer,
        ("require", false) => Mode::Always(TlsVerification::None),
        // With authorities to trust the mode is promoted, as users of this feature know it.
        ("require", true) | ("verify-ca", _) => Mode::Always(TlsVerification::AuthorityOnly),
        ("verify-full", _) => Mode::Always(TlsVerification::Full),
        _ => {
            return Err(
                Failure::invalid_uri(joined(&["invalid sslmode value: \"", name, "\""]))
                    .with_hint("Write disable, allow, prefer, require, verify-ca or verify-full.")
                    .with_option("sslmode"),
            );
        }
    })
}
