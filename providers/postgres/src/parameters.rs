//! What else libpq knows: parameters that are used, that are taken, and that are refused.

use portolan_sdk::{Failure, Options, Plan, joined};

/// Parameters that become settings of the plan under their own names.
const USED: [&str; 7] = [
    "options",
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "connect_timeout",
    "channel_binding",
    "target_session_attrs",
];

/// Parameters with the only values that this host can give them.
const FIXED: [(&str, &[&str], &str); 5] = [
    (
        "client_encoding",
        &["UTF8", "utf8", "UTF-8", "utf-8", "auto"],
        "Write UTF8, or leave it out.",
    ),
    (
        "channel_binding",
        &["disable", "prefer", "require"],
        "Write disable, prefer or require.",
    ),
    (
        "target_session_attrs",
        &[
            "any",
            "read-write",
            "read-only",
            "primary",
            "standby",
            "prefer-standby",
        ],
        "Write any, read-write, read-only, primary, standby or prefer-standby.",
    ),
    (
        "gssencmode",
        &["disable", "prefer"],
        "Write disable, or leave it out: this host does not speak GSSAPI.",
    ),
    ("sslsni", &["1"], "Leave it out: this host tells the name."),
];

/// Parameters that are taken, so that URIs of other programs can be used as they are, and that change
/// nothing.
const TAKEN: [&str; 6] = [
    "sslcompression",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
];

/// Parameters that a host which reads no files and runs no commands cannot follow.
const REFUSED: [(&str, &str); 16] = [
    (
        "passfile",
        "Write the password into the URI: this host reads no password files.",
    ),
    (
        "service",
        "Write the parameters of the service themselves: this host reads no service files.",
    ),
    (
        "servicefile",
        "Write the parameters of the service themselves: this host reads no service files.",
    ),
    (
        "sslcrl",
        "Leave it out: this host reads no revocation lists. Renew the authority instead.",
    ),
    (
        "sslcrldir",
        "Leave it out: this host reads no revocation lists. Renew the authority instead.",
    ),
    (
        "hostaddr",
        "Write the host alone: it is resolved once, and each address is judged by the policy.",
    ),
    (
        "requirepeer",
        "Leave it out: this host reaches databases over TCP alone.",
    ),
    (
        "sslpassword",
        "Give the key unencrypted in sslkey: it is stored sealed.",
    ),
    (
        "krbsrvname",
        "Use a password or a client certificate: this host does not speak GSSAPI.",
    ),
    (
        "gsslib",
        "Use a password or a client certificate: this host does not speak GSSAPI.",
    ),
    (
        "gssdelegation",
        "Use a password or a client certificate: this host does not speak GSSAPI.",
    ),
    (
        "replication",
        "Leave it out: the program that opens the connection chooses it.",
    ),
    (
        "require_auth",
        "Use channel_binding=require, which only a server that knows the password passes.",
    ),
    (
        "load_balance_hosts",
        "Leave it out: hosts are tried in their order.",
    ),
    (
        "sslnegotiation",
        "Leave it out: this host asks the server before it speaks TLS.",
    ),
    (
        "sslkeylogfile",
        "Leave it out: keys of TLS are written nowhere.",
    ),
];

/// The values of parameters that become settings.
pub(crate) fn settings<'uri>(
    options: &mut Options<'uri>,
) -> Result<Vec<(&'static str, &'uri str)>, Failure> {
    for (name, hint) in REFUSED {
        if options.value(name).is_some() {
            return Err(Failure::invalid_uri(joined(&[
                name,
                " is not supported in the URI of an external connection",
            ]))
            .with_hint(hint)
            .with_option(name));
        }
    }
    for (name, allowed, hint) in FIXED {
        if let Some(value) = options.text(name)?
            && !allowed.contains(&value)
        {
            return Err(Failure::invalid_uri(joined(&[
                "invalid ",
                name,
                " value: \"",
                value,
                "\"",
            ]))
            .with_hint(hint)
            .with_option(name));
        }
    }
    for name in TAKEN {
        options.value(name);
    }
    let mut settings = Vec::new();
    for name in USED {
        let Some(value) = options.text(name)? else {
            continue;
        };
        if value.contains('\0') {
            return Err(Failure::invalid_uri(joined(&[name, " has a NUL in it"]))
                .with_hint("Leave %00 out.")
                .with_option(name));
        }
        settings.push((name, value));
    }
    if let Some((_, seconds)) = settings.iter().find(|(name, _)| *name == "connect_timeout")
        && seconds.parse::<u32>().is_err()
    {
        return Err(Failure::invalid_uri(
            "invalid integer value for connection option \"connect_timeout\"",
        )
        .with_hint("Write a number of seconds, such as 10.")
        .with_option("connect_timeout"));
    }
    Ok(settings)
}

/// The settings, in the plan.
pub(crate) fn add(plan: Plan, settings: &[(&'static str, &str)]) -> Plan {
    settings
        .iter()
        .fold(plan, |plan, (name, value)| plan.set(name, value))
}
