//! Between the contract's native types and the generated ones.

use portolan_contract as native;
use portolan_contract::{Failure, FailureClass, PlanEntry, StoredPlan, UriPieces, Value};

use crate::bindings::types as guest;
use crate::words::{MAX_FACT, MAX_MESSAGE, Words};

/// The pieces as the guest gets them.
pub(crate) fn to_guest_pieces(uri: UriPieces) -> guest::UriPieces {
    guest::UriPieces {
        scheme: uri.scheme,
        user: uri.user.map(to_guest_value),
        password: uri.password.map(to_guest_value),
        authority: uri.authority,
        path: to_guest_value(uri.path),
        options: uri
            .options
            .into_iter()
            .map(|pair| guest::OptionPair {
                name: pair.name,
                value: to_guest_value(pair.value),
            })
            .collect(),
    }
}

fn to_guest_value(value: Value) -> guest::Value {
    match value {
        Value::Text(text) => guest::Value::Text(text),
        Value::Secret(secret) => guest::Value::Secret(guest::Secret {
            number: secret.number,
            empty: secret.empty,
            verdict: match secret.verdict {
                native::FormatVerdict::Unchecked => guest::FormatVerdict::Unchecked,
                native::FormatVerdict::Valid => guest::FormatVerdict::Valid,
                native::FormatVerdict::InvalidAt(at) => guest::FormatVerdict::InvalidAt(at),
            },
        }),
    }
}

/// Pieces as the guest gave them; nothing in them is believed yet.
pub(crate) fn from_guest_pieces(uri: guest::UriPieces) -> UriPieces {
    UriPieces {
        scheme: uri.scheme,
        user: uri.user.map(from_guest_value),
        password: uri.password.map(from_guest_value),
        authority: uri.authority,
        path: from_guest_value(uri.path),
        options: uri
            .options
            .into_iter()
            .map(|pair| native::OptionPair {
                name: pair.name,
                value: from_guest_value(pair.value),
            })
            .collect(),
    }
}

fn from_guest_value(value: guest::Value) -> Value {
    match value {
        guest::Value::Text(text) => Value::Text(text),
        guest::Value::Secret(secret) => Value::Secret(native::SecretReference {
            number: secret.number,
            empty: secret.empty,
            // What the host knows better; nobody reads it from here.
            verdict: native::FormatVerdict::Unchecked,
        }),
    }
}

/// A failure of the host as the guest gets it.
pub(crate) fn to_guest_failure(failure: Failure) -> guest::Failure {
    guest::Failure {
        class: match failure.class {
            FailureClass::InvalidUri => guest::FailureClass::InvalidUri,
            FailureClass::Unsupported => guest::FailureClass::Unsupported,
            FailureClass::Denied => guest::FailureClass::Denied,
            FailureClass::Unreachable => guest::FailureClass::Unreachable,
            FailureClass::RefusedCredentials => guest::FailureClass::RefusedCredentials,
            FailureClass::Protocol => guest::FailureClass::Protocol,
            FailureClass::NotFound => guest::FailureClass::NotFound,
            FailureClass::Timeout => guest::FailureClass::Timeout,
            FailureClass::Budget => guest::FailureClass::Budget,
            FailureClass::Other(class) => guest::FailureClass::Other(class),
            _ => guest::FailureClass::Other(String::new()),
        },
        message: failure.message,
        hint: failure.hint,
        option_name: failure.option_name,
        facts: failure.facts,
    }
}

/// A failure as the guest gave it; nothing in it may be shown yet.
pub(crate) fn as_given(failure: guest::Failure) -> Failure {
    Failure {
        class: match failure.class {
            guest::FailureClass::InvalidUri => FailureClass::InvalidUri,
            guest::FailureClass::Unsupported => FailureClass::Unsupported,
            guest::FailureClass::Denied => FailureClass::Denied,
            guest::FailureClass::Unreachable => FailureClass::Unreachable,
            guest::FailureClass::RefusedCredentials => FailureClass::RefusedCredentials,
            guest::FailureClass::Protocol => FailureClass::Protocol,
            guest::FailureClass::NotFound => FailureClass::NotFound,
            guest::FailureClass::Timeout => FailureClass::Timeout,
            guest::FailureClass::Budget => FailureClass::Budget,
            guest::FailureClass::Other(class) => FailureClass::Other(class),
        },
        message: failure.message,
        hint: failure.hint,
        option_name: failure.option_name,
        facts: failure.facts,
    }
}

/// A failure of the guest, its texts cleaned. Where the message had to be dropped, the class is all
/// that is shown.
pub(crate) fn from_guest_failure(failure: guest::Failure, words: &Words) -> Failure {
    cleaned(as_given(failure), words)
}

/// The same failure, its texts cleaned.
pub(crate) fn cleaned(failure: Failure, words: &Words) -> Failure {
    let class = match failure.class {
        FailureClass::Other(class) => {
            FailureClass::Other(words.clean(&class, 64).unwrap_or_default())
        }
        class => class,
    };
    let message = words
        .clean(&failure.message, MAX_MESSAGE)
        .filter(|message| !message.trim().is_empty())
        .unwrap_or_else(|| of_class(&class).to_owned());
    Failure {
        message,
        hint: match words.are_dropped() {
            true => Some(format!("{}; {NOT_SHOWN}", to_do(&class))),
            false => failure
                .hint
                .and_then(|hint| words.clean(&hint, MAX_MESSAGE)),
        },
        option_name: failure.option_name.and_then(|name| words.clean(&name, 64)),
        facts: words.facts(failure.facts, MAX_FACT),
        class,
    }
}

/// What is said of a failure whose own words cannot be shown.
fn of_class(class: &FailureClass) -> &'static str {
    match class {
        FailureClass::InvalidUri => "the provider refused the URI",
        FailureClass::Unsupported => "the provider does not support this",
        FailureClass::Denied => "the access was denied",
        FailureClass::Unreachable => "the service is not to be had",
        FailureClass::RefusedCredentials => "the credentials were refused",
        FailureClass::Protocol => "the service did not answer as its protocol says",
        FailureClass::NotFound => "what the URI names does not exist",
        FailureClass::Timeout => "it took too long",
        FailureClass::Budget => "a budget was used up",
        _ => "the provider failed",
    }
}

/// Why more is not said.
const NOT_SHOWN: &str = "what was said of it is not shown, because a secret of the URI has fewer than 6 \
                         bytes and could not be told from other text";

/// What to do about a failure whose own words cannot be shown.
fn to_do(class: &FailureClass) -> &'static str {
    match class {
        FailureClass::InvalidUri => "compare the URI with the options of its provider",
        FailureClass::Unsupported => "look at what the provider and the service can do",
        FailureClass::Denied => "check what these credentials may do there",
        FailureClass::Unreachable => "check the host and port, and that the service runs",
        FailureClass::RefusedCredentials => "check the credentials, and give them again",
        FailureClass::Protocol => "check that the URI leads to such a service",
        FailureClass::NotFound => "check the names in the URI",
        FailureClass::Timeout => "try again once the service answers sooner",
        FailureClass::Budget => "ask for less at once, or raise the limits of the host",
        _ => "look into the log of the service",
    }
}

/// A plan as the guest gets it back in phase two: with the numbers of secrets, but for what the
/// manifest reveals to `acting`. A composed secret is revealed when all secrets in it are, and when
/// it is text.
pub(crate) fn to_guest_plan(plan: &StoredPlan, acting: &[String]) -> Vec<guest::PlanEntry> {
    let revealed = |fragment: &native::Fragment| match fragment {
        native::Fragment::Text(_) => true,
        native::Fragment::Secret(number) => plan
            .places
            .iter()
            .any(|(other, place)| other == number && acting.contains(place)),
    };
    let entries = plan.plan.entries.iter().map(|entry| match entry {
        PlanEntry::Secret(named) if named.fragments.iter().all(revealed) => {
            let value = plan.secret(&named.name);
            let text = value.and_then(|value| std::str::from_utf8(value.expose()).ok());
            match text {
                Some(text) => guest::PlanEntry::Secret(guest::NamedSecret {
                    name: named.name.clone(),
                    fragments: vec![guest::Fragment::Text(text.to_owned())],
                }),
                None => to_guest_entry(entry),
            }
        }
        other => to_guest_entry(other),
    });
    entries.collect()
}

fn to_guest_entry(entry: &PlanEntry) -> guest::PlanEntry {
    match entry.clone() {
        PlanEntry::Kind(kind) => guest::PlanEntry::Kind(match kind {
            native::Kind::Storage => guest::Kind::Storage,
            native::Kind::Kms => guest::Kind::Kms,
            native::Kind::Sink => guest::Kind::Sink,
            native::Kind::Registry => guest::Kind::Registry,
            native::Kind::Database => guest::Kind::Database,
            other => guest::Kind::Other(other.as_str().to_owned()),
        }),
        PlanEntry::Supports(operation) => guest::PlanEntry::Supports(match operation {
            native::Operation::Backup => guest::Operation::Backup,
            native::Operation::Restore => guest::Operation::Restore,
            native::Operation::Import => guest::Operation::Import,
            native::Operation::Export => guest::Operation::Export,
            native::Operation::Changefeed => guest::Operation::Changefeed,
            native::Operation::EncryptedBackup => guest::Operation::EncryptedBackup,
            native::Operation::Replication => guest::Operation::Replication,
            native::Operation::SchemaRegistry => guest::Operation::SchemaRegistry,
            native::Operation::Transfer => guest::Operation::Transfer,
            other => guest::Operation::Other(other.as_str().to_owned()),
        }),
        PlanEntry::Endpoint(endpoint) => guest::PlanEntry::Endpoint(guest::Endpoint {
            host: endpoint.host,
            port: endpoint.port,
            tls_profile: endpoint.tls_profile,
        }),
        PlanEntry::Tls(tls) => guest::PlanEntry::Tls(guest::TlsProfile {
            name: tls.name,
            certificate_authority: tls.certificate_authority,
            client_certificate: tls.client_certificate,
            client_key: tls.client_key,
            verify: match tls.verify {
                native::TlsVerification::Full => guest::TlsVerification::Full,
                native::TlsVerification::AuthorityOnly => guest::TlsVerification::AuthorityOnly,
                native::TlsVerification::None => guest::TlsVerification::None,
            },
        }),
        PlanEntry::ImplicitAccess(what) => guest::PlanEntry::ImplicitAccess(what),
        PlanEntry::Setting(name, value) => guest::PlanEntry::Setting((name, value)),
        PlanEntry::Secret(named) => guest::PlanEntry::Secret(guest::NamedSecret {
            name: named.name,
            fragments: named
                .fragments
                .into_iter()
                .map(|fragment| match fragment {
                    native::Fragment::Text(text) => guest::Fragment::Text(text),
                    native::Fragment::Secret(number) => guest::Fragment::Secret(number),
                })
                .collect(),
        }),
        PlanEntry::ObjectStore(store) => guest::PlanEntry::ObjectStore(guest::ObjectStore {
            backend: store.backend,
            container: store.container,
            prefix: store.prefix,
        }),
        PlanEntry::AssumeRole(role) => guest::PlanEntry::AssumeRole(guest::AssumedRole {
            role: role.role,
            external_id: role.external_id,
        }),
        PlanEntry::Warning(text) => guest::PlanEntry::Warning(text),
        PlanEntry::Other(name, text) => guest::PlanEntry::Other((name, text)),
        _ => guest::PlanEntry::Other((String::new(), String::new())),
    }
}

/// A word of the guest that this host has no case for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnknownWord {
    Kind(String),
    Operation(String),
}

/// An entry of a plan as the guest gave it; only its words are known so far.
pub(crate) fn from_guest_entry(entry: guest::PlanEntry) -> Result<PlanEntry, UnknownWord> {
    Ok(match entry {
        guest::PlanEntry::Kind(kind) => PlanEntry::Kind(match kind {
            guest::Kind::Storage => native::Kind::Storage,
            guest::Kind::Kms => native::Kind::Kms,
            guest::Kind::Sink => native::Kind::Sink,
            guest::Kind::Registry => native::Kind::Registry,
            guest::Kind::Database => native::Kind::Database,
            guest::Kind::Other(word) => return Err(UnknownWord::Kind(word)),
        }),
        guest::PlanEntry::Supports(operation) => PlanEntry::Supports(match operation {
            guest::Operation::Backup => native::Operation::Backup,
            guest::Operation::Restore => native::Operation::Restore,
            guest::Operation::Import => native::Operation::Import,
            guest::Operation::Export => native::Operation::Export,
            guest::Operation::Changefeed => native::Operation::Changefeed,
            guest::Operation::EncryptedBackup => native::Operation::EncryptedBackup,
            guest::Operation::Replication => native::Operation::Replication,
            guest::Operation::SchemaRegistry => native::Operation::SchemaRegistry,
            guest::Operation::Transfer => native::Operation::Transfer,
            guest::Operation::Other(word) => return Err(UnknownWord::Operation(word)),
        }),
        guest::PlanEntry::Endpoint(endpoint) => PlanEntry::Endpoint(native::Endpoint {
            host: endpoint.host,
            port: endpoint.port,
            tls_profile: endpoint.tls_profile,
        }),
        guest::PlanEntry::Tls(tls) => PlanEntry::Tls(native::TlsProfile {
            name: tls.name,
            certificate_authority: tls.certificate_authority,
            client_certificate: tls.client_certificate,
            client_key: tls.client_key,
            verify: match tls.verify {
                guest::TlsVerification::AuthorityOnly => native::TlsVerification::AuthorityOnly,
                guest::TlsVerification::None => native::TlsVerification::None,
                // Of what is not known the strictest is assumed.
                guest::TlsVerification::Full | guest::TlsVerification::Other(_) => {
                    native::TlsVerification::Full
                }
            },
        }),
        guest::PlanEntry::ImplicitAccess(what) => PlanEntry::ImplicitAccess(what),
        guest::PlanEntry::Setting((name, value)) => PlanEntry::Setting(name, value),
        guest::PlanEntry::Secret(named) => PlanEntry::Secret(native::NamedSecret {
            name: named.name,
            fragments: named
                .fragments
                .into_iter()
                .map(|fragment| match fragment {
                    guest::Fragment::Text(text) => native::Fragment::Text(text),
                    guest::Fragment::Secret(number) => native::Fragment::Secret(number),
                })
                .collect(),
        }),
        guest::PlanEntry::ObjectStore(store) => PlanEntry::ObjectStore(native::ObjectStorePlan {
            backend: store.backend,
            container: store.container,
            prefix: store.prefix,
        }),
        guest::PlanEntry::AssumeRole(role) => PlanEntry::AssumeRole(native::AssumedRole {
            role: role.role,
            external_id: role.external_id,
        }),
        guest::PlanEntry::Warning(text) => PlanEntry::Warning(text),
        guest::PlanEntry::Other((name, text)) => PlanEntry::Other(name, text),
    })
}

#[cfg(test)]
mod tests {
    use portolan_contract::{Fragment, Manifest, NamedSecret, Plan, RuleContext, split};
    use portolan_secret::SecretText;

    use super::*;

    fn fragments(acting: &[&str]) -> Vec<guest::Fragment> {
        let manifest = Manifest::parse(
            "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
             kinds = [\"storage\"]\noperations = []",
        )
        .expect("a manifest");
        let uri = SecretText::new("n://u:password@h/p?token=hunter2");
        let uri = split(&uri, &manifest).expect("it splits");
        let plan = Plan {
            entries: vec![PlanEntry::Secret(NamedSecret {
                name: "header".to_owned(),
                fragments: vec![Fragment::Text("Key ".to_owned()), Fragment::Secret(1)],
            })],
        };
        let context = RuleContext::new(&uri.pieces);
        let stored = StoredPlan::new("n", manifest.version, plan, context, &uri.secrets);
        let acting: Vec<_> = acting.iter().map(|place| (*place).to_owned()).collect();
        match to_guest_plan(&stored.expect("a plan"), &acting).remove(0) {
            guest::PlanEntry::Secret(named) => named.fragments,
            _ => panic!("it is a secret"),
        }
    }

    #[test]
    fn a_secret_stays_a_number_unless_its_own_option_is_revealed() {
        for acting in [&[][..], &["{password}", "other"]] {
            assert!(matches!(
                fragments(acting)[..],
                [guest::Fragment::Text(_), guest::Fragment::Secret(1)]
            ));
        }
        let revealed = fragments(&["token"]);
        let [guest::Fragment::Text(text)] = &revealed[..] else {
            panic!("it is revealed");
        };
        assert_eq!(text, "Key hunter2");
    }
}
