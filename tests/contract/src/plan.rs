//! A URI's way into the guest, and how a plan is written in a script.

use std::fmt::Write as _;

use portolan_contract as native;

use crate::bindings::types::{
    Failure, FailureClass, FormatVerdict, Fragment, Kind, Operation, OptionPair, PlanEntry, Secret,
    TlsVerification, UriPieces, Value,
};
use crate::words::quote;

/// The pieces as the guest gets them.
pub(crate) fn pieces(uri: &native::UriPieces) -> UriPieces {
    UriPieces {
        scheme: uri.scheme.clone(),
        user: uri.user.as_ref().map(value),
        password: uri.password.as_ref().map(value),
        authority: uri.authority.clone(),
        path: value(&uri.path),
        options: uri
            .options
            .iter()
            .map(|pair| OptionPair {
                name: pair.name.clone(),
                value: value(&pair.value),
            })
            .collect(),
    }
}

/// The pieces as the guest gave them back.
pub(crate) fn native_pieces(uri: UriPieces) -> native::UriPieces {
    native::UriPieces {
        scheme: uri.scheme,
        user: uri.user.map(native_value),
        password: uri.password.map(native_value),
        authority: uri.authority,
        path: native_value(uri.path),
        options: uri
            .options
            .into_iter()
            .map(|pair| native::OptionPair {
                name: pair.name,
                value: native_value(pair.value),
            })
            .collect(),
    }
}

fn value(value: &native::Value) -> Value {
    match value {
        native::Value::Text(text) => Value::Text(text.clone()),
        native::Value::Secret(secret) => Value::Secret(Secret {
            number: secret.number,
            empty: secret.empty,
            verdict: match secret.verdict {
                native::FormatVerdict::Unchecked => FormatVerdict::Unchecked,
                native::FormatVerdict::Valid => FormatVerdict::Valid,
                native::FormatVerdict::InvalidAt(place) => FormatVerdict::InvalidAt(place),
            },
        }),
    }
}

fn native_value(value: Value) -> native::Value {
    match value {
        Value::Text(text) => native::Value::Text(text),
        Value::Secret(secret) => native::Value::Secret(native::SecretReference {
            number: secret.number,
            empty: secret.empty,
            verdict: native::FormatVerdict::Unchecked,
        }),
    }
}

/// One entry of a plan, on a line of its own.
pub(crate) fn entry(entry: &PlanEntry) -> String {
    match entry {
        PlanEntry::Kind(kind) => format!("kind {}", kind_name(kind)),
        PlanEntry::Supports(operation) => format!("supports {}", operation_name(operation)),
        PlanEntry::Endpoint(endpoint) => format!(
            "endpoint {}:{} tls={}",
            endpoint.host,
            endpoint.port,
            endpoint.tls_profile.as_deref().unwrap_or("-")
        ),
        PlanEntry::Tls(tls) => {
            let secret = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "tls {} verify={} authority={} certificate={} key={}",
                tls.name,
                verification(&tls.verify),
                secret(&tls.certificate_authority),
                secret(&tls.client_certificate),
                secret(&tls.client_key)
            )
        }
        PlanEntry::ImplicitAccess(what) => format!("implicit-access {}", quote(what.as_bytes())),
        PlanEntry::Setting((name, text)) => format!("setting {name}={}", quote(text.as_bytes())),
        PlanEntry::Secret(secret) => {
            let mut line = format!("secret {} =", secret.name);
            for fragment in &secret.fragments {
                let _ = match fragment {
                    Fragment::Text(text) => write!(line, " {}", quote(text.as_bytes())),
                    Fragment::Secret(number) => write!(line, " number({number})"),
                };
            }
            line
        }
        PlanEntry::ObjectStore(store) => format!(
            "object-store {} {} {}",
            store.backend,
            quote(store.container.as_bytes()),
            quote(store.prefix.as_bytes())
        ),
        PlanEntry::AssumeRole(role) => format!(
            "assume-role {} external-id={}",
            role.role,
            role.external_id.as_deref().unwrap_or("-")
        ),
        PlanEntry::Warning(text) => format!("warning {}", quote(text.as_bytes())),
        PlanEntry::Other((name, text)) => format!("other {name}={}", quote(text.as_bytes())),
    }
}

/// A failure: its class and message, then its hint, option and facts on lines of their own.
pub(crate) fn failure(failure: &Failure) -> String {
    let mut text = format!(
        "failed {} {}",
        class(&failure.class),
        quote(failure.message.as_bytes())
    );
    if let Some(hint) = &failure.hint {
        let _ = write!(text, "\n    hint {}", quote(hint.as_bytes()));
    }
    if let Some(option) = &failure.option_name {
        let _ = write!(text, "\n    option {option}");
    }
    for (name, value) in &failure.facts {
        let _ = write!(text, "\n    fact {name}={}", quote(value.as_bytes()));
    }
    text
}

fn kind_name(kind: &Kind) -> &str {
    match kind {
        Kind::Storage => "storage",
        Kind::Kms => "kms",
        Kind::Sink => "sink",
        Kind::Registry => "registry",
        Kind::Database => "database",
        Kind::Other(other) => other,
    }
}

fn operation_name(operation: &Operation) -> &str {
    match operation {
        Operation::Backup => "backup",
        Operation::Restore => "restore",
        Operation::Import => "import",
        Operation::Export => "export",
        Operation::Changefeed => "changefeed",
        Operation::EncryptedBackup => "encrypted-backup",
        Operation::Replication => "replication",
        Operation::SchemaRegistry => "schema-registry",
        Operation::Transfer => "transfer",
        Operation::Other(other) => other,
    }
}

fn verification(verify: &TlsVerification) -> &str {
    match verify {
        TlsVerification::Full => "full",
        TlsVerification::AuthorityOnly => "authority-only",
        TlsVerification::None => "none",
        TlsVerification::Other(other) => other,
    }
}

/// The name of a class in a script, and back.
pub(crate) fn class(class: &FailureClass) -> &str {
    match class {
        FailureClass::InvalidUri => "invalid-uri",
        FailureClass::Unsupported => "unsupported",
        FailureClass::Denied => "denied",
        FailureClass::Unreachable => "unreachable",
        FailureClass::RefusedCredentials => "refused-credentials",
        FailureClass::Protocol => "protocol",
        FailureClass::NotFound => "not-found",
        FailureClass::Timeout => "timeout",
        FailureClass::Budget => "budget",
        FailureClass::Other(other) => other,
    }
}

/// The class that a script names.
pub(crate) fn class_named(name: &str) -> FailureClass {
    match name {
        "invalid-uri" => FailureClass::InvalidUri,
        "unsupported" => FailureClass::Unsupported,
        "denied" => FailureClass::Denied,
        "unreachable" => FailureClass::Unreachable,
        "refused-credentials" => FailureClass::RefusedCredentials,
        "protocol" => FailureClass::Protocol,
        "not-found" => FailureClass::NotFound,
        "timeout" => FailureClass::Timeout,
        "budget" => FailureClass::Budget,
        other => FailureClass::Other(other.to_owned()),
    }
}

/// The text of a setting of the plan; empty without one.
pub(crate) fn setting<'a>(plan: &'a [PlanEntry], name: &str) -> &'a str {
    let mut settings = plan.iter().filter_map(|entry| match entry {
        PlanEntry::Setting((key, text)) if key == name => Some(text.as_str()),
        _ => None,
    });
    settings.next().unwrap_or_default()
}
