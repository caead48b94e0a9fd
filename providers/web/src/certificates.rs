//! The certificates and the key of the options `ca_cert`, `client_cert` and `client_key`.

use portolan_sdk::{
    Failure, Options, Plan, PlanEntry, Secret, TlsProfile, TlsVerification, joined,
};

/// The TLS profile of the server.
pub const PROFILE: &str = "server";

/// The named secret with the certificate that is shown to the server.
pub const CLIENT_CERTIFICATE: &str = "client-certificate";

const AUTHORITY: &str = "certificate-authority";
const CLIENT_KEY: &str = "client-key";

/// The certificates and the key of the options, each PEM in base64.
#[derive(Debug, Clone, Copy)]
pub struct Certificates<'uri> {
    authority: Option<&'uri Secret>,
    certificate: Option<&'uri Secret>,
    key: Option<&'uri Secret>,
}

impl<'uri> Certificates<'uri> {
    /// Reads them, and strikes the options off.
    pub fn read(options: &mut Options<'uri>) -> Self {
        Self {
            authority: options.secret("ca_cert"),
            certificate: options.secret("client_cert"),
            key: options.secret("client_key"),
        }
    }

    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            authority: None,
            certificate: None,
            key: None,
        }
    }

    fn given(&self) -> impl Iterator<Item = (&'static str, &'uri Secret)> {
        let all = [
            ("ca_cert", self.authority),
            ("client_cert", self.certificate),
            ("client_key", self.key),
        ];
        all.into_iter()
            .filter_map(|(name, secret)| Some((name, secret?)))
    }

    /// Refuses what is given at all, for a server that is spoken to in plain text: `needed` is how
    /// its users ask for TLS.
    ///
    /// # Errors
    ///
    /// Names the first option, with `hint` for what to write instead.
    pub fn refuse_without_tls(&self, needed: &str, hint: &str) -> Result<(), Failure> {
        self.check_encoding()?;
        match self.given().next() {
            None => Ok(()),
            Some((name, _)) => Err(Failure::invalid_uri(joined(&[name, " requires ", needed]))
                .with_hint(hint)
                .with_option(name)),
        }
    }

    /// Refuses what is no base64.
    ///
    /// # Errors
    ///
    /// Names the first option, and where it breaks.
    pub fn check_encoding(&self) -> Result<(), Failure> {
        for (name, secret) in self.given() {
            if let Some(problem) = secret.base64_problem() {
                return Err(Failure::invalid_uri(joined(&[
                    "param ",
                    name,
                    " must be base 64 encoded: ",
                    &problem,
                ]))
                .with_hint("Write the PEM file as base64 prints it, with + as %2B.")
                .with_option(name));
            }
        }
        Ok(())
    }

    /// Refuses what nobody could use.
    ///
    /// # Errors
    ///
    /// In the words that users know: one of them is no base64, or the certificate and the key are
    /// not given together.
    pub fn check(&self) -> Result<(), Failure> {
        self.check_encoding()?;
        match (self.certificate, self.key) {
            (Some(_), None) => Err(alone("client_cert", "client_key")),
            (None, Some(_)) => Err(alone("client_key", "client_cert")),
            _ => Ok(()),
        }
    }

    /// The plan with them as the profile [`PROFILE`].
    #[must_use]
    pub fn add(&self, plan: Plan, verify: TlsVerification) -> Plan {
        let name = |name: &str, secret: Option<&Secret>| secret.map(|_| name.to_owned());
        let profile = TlsProfile {
            name: PROFILE.to_owned(),
            certificate_authority: name(AUTHORITY, self.authority),
            client_certificate: name(CLIENT_CERTIFICATE, self.certificate),
            client_key: name(CLIENT_KEY, self.key),
            verify,
        };
        let named = [
            (AUTHORITY, self.authority),
            (CLIENT_CERTIFICATE, self.certificate),
            (CLIENT_KEY, self.key),
        ];
        named
            .into_iter()
            .fold(plan, |plan, (name, secret)| match secret {
                Some(secret) => plan.secret_as_given(name, secret),
                None => plan,
            })
            .with(PlanEntry::Tls(profile))
    }
}

fn alone(given: &str, missing: &str) -> Failure {
    Failure::invalid_uri(joined(&[given, " requires ", missing, " to be set"]))
        .with_hint("Give both, or neither.")
        .with_option(missing)
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::{broken_at, pieces};
    use portolan_sdk::{Kind, NamedSecret};

    use super::*;

    fn read(uri: &str, run: impl FnOnce(Certificates<'_>)) {
        let uri = pieces(uri, &[]);
        run(Certificates::read(&mut Options::of(&uri)));
    }

    #[test]
    fn a_profile_names_what_is_given_and_nothing_else() {
        read("https://h?client_key=k&client_cert=c&ca_cert=a", |all| {
            let plan = all.add(Plan::new(Kind::Sink), TlsVerification::Full);
            let names: Vec<_> = plan
                .entries()
                .iter()
                .filter_map(|entry| match entry {
                    PlanEntry::Secret(NamedSecret { name, .. }) => Some(name.as_str()),
                    _ => None,
                })
                .collect();
            assert_eq!(names, [AUTHORITY, CLIENT_CERTIFICATE, CLIENT_KEY]);
        });
        read("https://h?ca_cert=", |none| {
            let plan = none.add(Plan::new(Kind::Sink), TlsVerification::None);
            let expected = Plan::new(Kind::Sink).tls(PROFILE, TlsVerification::None);
            assert_eq!(plan, expected);
            assert_eq!(none.refuse_without_tls("https", "x"), Ok(()));
        });
    }

    #[test]
    fn half_a_pair_and_what_is_no_base64_are_refused() {
        for (uri, message) in [
            (
                "https://h?client_cert=c",
                "client_cert requires client_key to be set",
            ),
            (
                "https://h?client_key=k",
                "client_key requires client_cert to be set",
            ),
        ] {
            read(uri, |half| {
                let failure = half.check().expect_err(uri);
                assert_eq!(failure.message, message);
                let failure = half
                    .refuse_without_tls("https", "Write https.")
                    .expect_err(uri);
                assert!(failure.message.ends_with(" requires https"));
            });
        }
        let uri = broken_at(pieces("https://h?ca_cert=hunter2", &[]), "ca_cert", 6);
        let failure = Certificates::read(&mut Options::of(&uri)).check();
        assert_eq!(
            failure.expect_err("no base64").message,
            "param ca_cert must be base 64 encoded: illegal base64 data at input byte 6"
        );
    }
}
