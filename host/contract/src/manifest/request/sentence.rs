//! A rule in a sentence, for those who decide whether to trust a provider.

use std::fmt;

use super::{Authentication, RequestRule};
use crate::HostPattern;

impl fmt::Display for RequestRule {
    /// All that the rule says, as one sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "It may have the host send the request {}: {} of {} at {}",
            self.name,
            self.method,
            self.path,
            self.hosts()
        )?;
        let pairs = |pairs: &std::collections::BTreeMap<String, String>, sign: &str| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| format!("{name}{sign}{value}"));
            pairs.collect::<Vec<_>>()
        };
        write_list(f, " with the parameter", &pairs(&self.query, "="))?;
        write_list(f, " with the header", &pairs(&self.headers, ": "))?;
        write_list(f, " with a parameter of its own", &self.allow_query)?;
        write_list(f, " with a header of its own", &self.allow_headers)?;
        match self.authentication.as_slice() {
            [] => f.write_str("; nothing authenticates it")?,
            ways => {
                let ways: Vec<_> = ways.iter().map(|way| self.told(*way)).collect();
                write!(f, "; the host authenticates it with {}", ways.join(" and "))?;
            }
        }
        let pointers: Vec<_> = self.opaque_body.iter().map(|one| one.as_str()).collect();
        if !pointers.is_empty() {
            write!(
                f,
                "; {} of its body the provider does not see",
                pointers.join(", ")
            )?;
        }
        let pointers: Vec<_> = self.opaque_answer.keys().map(|one| one.as_str()).collect();
        if !pointers.is_empty() {
            write!(
                f,
                "; {} of the answer the provider does not see",
                pointers.join(", ")
            )?;
        }
        f.write_str(".")
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, what: &str, items: &[String]) -> fmt::Result {
    match items {
        [] => Ok(()),
        [one] => write!(f, ",{what} {one}"),
        more => write!(f, ",{what} {}", more.join(" and ")),
    }
}

impl RequestRule {
    /// The patterns of its hosts, for people.
    pub(super) fn hosts(&self) -> String {
        let hosts: Vec<_> = self.host.iter().map(HostPattern::as_str).collect();
        hosts.join(" or ")
    }

    fn told(&self, way: Authentication) -> String {
        let field = |field: &Option<String>| field.clone().unwrap_or_default();
        match way {
            Authentication::SigV4 => {
                format!("a signature of AWS (SigV4) for {}", field(&self.service))
            }
            Authentication::Google => format!("a token of Google for {}", field(&self.scope)),
            Authentication::Entra => {
                format!("a token of Microsoft Entra for {}", field(&self.service))
            }
            Authentication::OauthClientCredentials => {
                let token = "a token from the connection's own token URL";
                match &self.scope {
                    Some(scope) => format!("{token} for {scope}"),
                    None => token.to_owned(),
                }
            }
            Authentication::Basic => "the connection's user and password".to_owned(),
            Authentication::SecretHeader => {
                format!("a secret in the header {}", field(&self.header))
            }
            Authentication::SecretQuery => match self.parameter.as_deref() {
                Some("*") | None => "secrets in the query".to_owned(),
                Some(name) => format!("a secret in the parameter {name}"),
            },
            Authentication::ClientCertificate => "the connection's client certificate".to_owned(),
        }
    }
}
