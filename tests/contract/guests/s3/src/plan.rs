//! Phase one: the bucket, its endpoints, and the identities to take on.

use crate::bindings::portolan::types::types::{
    AssumedRole, Failure, Kind, ObjectStore, Operation, PlanEntry, TlsVerification, UriPieces,
    Value,
};
use crate::options::{Options, refused};
use crate::plans::{begun, endpoint, named, setting, tls_profile};
use crate::server::Server;

/// The place of the bucket's endpoint in the plan.
pub(crate) const BUCKET: u32 = 0;

const KNOWN: &[&str] = &[
    "AUTH",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT",
    "AWS_USE_PATH_STYLE",
    "AWS_REGION",
    "ASSUME_ROLE",
];

/// The plan of an `s3` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Vec<PlanEntry>, Failure> {
    let bucket = uri.authority.as_str();
    if bucket.is_empty() {
        return Err(refused(
            "empty host component; s3 URI must specify a target bucket",
        ));
    }
    let options = Options::of(uri);
    let by_path = options.flag("AWS_USE_PATH_STYLE")?;
    options.only(KNOWN, "S3")?;
    let mut plan = begun(
        Kind::Storage,
        &[
            Operation::Backup,
            Operation::Restore,
            Operation::Import,
            Operation::Export,
            Operation::Changefeed,
        ],
    );
    credentials(&options, &mut plan)?;
    let server = Server::of(bucket, by_path, &options)?;
    endpoints(&server, &options, &mut plan);
    plan.push(PlanEntry::ObjectStore(ObjectStore {
        backend: "s3".to_owned(),
        container: bucket.to_owned(),
        prefix: prefix(&uri.path)?,
    }));
    Ok(plan)
}

fn credentials(options: &Options<'_>, plan: &mut Vec<PlanEntry>) -> Result<(), Failure> {
    match options.text("AUTH").unwrap_or("specified") {
        "specified" => {
            let Some(id) = options.text("AWS_ACCESS_KEY_ID") else {
                return Err(missing("AWS_ACCESS_KEY_ID"));
            };
            if options.secret("AWS_SECRET_ACCESS_KEY").is_none() {
                return Err(missing("AWS_SECRET_ACCESS_KEY"));
            }
            plan.push(setting("access-key-id", id));
            for (name, option) in [
                ("secret-access-key", "AWS_SECRET_ACCESS_KEY"),
                ("session-token", "AWS_SESSION_TOKEN"),
            ] {
                let secret = options.secret(option);
                plan.extend(secret.map(|secret| named(name, secret)));
            }
        }
        "implicit" => plan.push(PlanEntry::ImplicitAccess(
            "the AWS credentials of the server".to_owned(),
        )),
        other => {
            return Err(refused(&format!("unsupported value {other} for AUTH"))
                .of_option("AUTH")
                .with_hint("Write specified or implicit."));
        }
    }
    for role in options
        .text("ASSUME_ROLE")
        .into_iter()
        .flat_map(|chain| chain.split(','))
    {
        plan.push(PlanEntry::AssumeRole(assumed(role)?));
    }
    Ok(())
}

/// `ROLE` or `ROLE;external_id=ID`.
fn assumed(text: &str) -> Result<AssumedRole, Failure> {
    let (role, rest) = text.split_once(';').unwrap_or((text, ""));
    let external_id = match (rest, rest.strip_prefix("external_id=")) {
        ("", _) => None,
        (_, Some(id)) if !id.is_empty() => Some(id.to_owned()),
        _ => return Err(no_role()),
    };
    if role.is_empty() {
        return Err(no_role());
    }
    Ok(AssumedRole {
        role: role.to_owned(),
        external_id,
    })
}

fn endpoints(server: &Server, options: &Options<'_>, plan: &mut Vec<PlanEntry>) {
    plan.push(tls_profile(TlsVerification::Full, None, None));
    plan.push(endpoint(&server.host, server.port, server.encrypted));
    if options.text("ASSUME_ROLE").is_some() {
        plan.push(endpoint(&server.token_service(), 443, true));
    }
    if !server.is_aws {
        plan.push(PlanEntry::ImplicitAccess(
            "a server of the URI's own choice".to_owned(),
        ));
    }
    plan.push(setting(
        "path-style",
        if server.by_path { "true" } else { "false" },
    ));
    plan.push(match &server.region {
        Some(region) => setting("region", region),
        // The host finds it out at the first use, as the probe does.
        None => setting("region-discovery", server.region_request()),
    });
}

/// The path, decoded once, without the slash that begins it.
fn prefix(path: &Value) -> Result<String, Failure> {
    let Value::Text(path) = path else {
        return Err(refused("the path of an s3 URI is no secret"));
    };
    let path = path.trim_start_matches('/');
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()]
            .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return Err(refused("the path holds a broken percent escape"));
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| refused("the path is not UTF-8 once it is decoded"))
}

fn missing(option: &str) -> Failure {
    refused(&format!(
        "AUTH is set to 'specified', but {option} is not set"
    ))
    .of_option(option)
}

fn no_role() -> Failure {
    refused("ASSUME_ROLE is no list of roles")
        .of_option("ASSUME_ROLE")
        .with_hint("Write ROLE or ROLE;external_id=ID, with a comma between roles and ; as %3B.")
}
