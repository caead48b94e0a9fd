//! Who authenticates, and by which mechanism.

use portolan_sdk::{
    AssumedRole, Failure, Fragment, Options, Plan, PlanEntry, Secret, TlsVerification, Value,
    is_dns_label, joined,
};

use super::token_url::TokenUrl;

const MECHANISMS: [&str; 5] = [
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "OAUTHBEARER",
    "AWS_MSK_IAM",
    "PLAIN",
];

const PASSWORD: [&str; 2] = ["sasl_user", "sasl_password"];
const TOKEN: [&str; 3] = ["sasl_client_id", "sasl_client_secret", "sasl_token_url"];
const TOKEN_MAY: [&str; 2] = ["sasl_grant_type", "sasl_scopes"];
const AWS: [&str; 3] = [
    "sasl_aws_region",
    "sasl_aws_iam_role_arn",
    "sasl_aws_iam_session_name",
];

/// The profile with which the token service is reached.
const TOKENS: &str = "token-service";

/// Who authenticates.
pub(super) struct Login<'uri> {
    handshake: bool,
    who: Who<'uri>,
}

enum Who<'uri> {
    Nobody,
    User {
        mechanism: &'static str,
        user: &'uri str,
        password: Vec<Fragment>,
    },
    Client {
        id: &'uri str,
        secret: &'uri Secret,
        url: &'uri str,
        grant_type: Option<&'uri str>,
        scope: String,
    },
    Role {
        region: &'uri str,
        role: &'uri str,
        session: &'uri str,
    },
}

impl<'uri> Login<'uri> {
    /// A user of PLAIN, as the clouds have it.
    pub(super) fn plain(user: &'uri str, password: Vec<Fragment>) -> Self {
        Self {
            handshake: true,
            who: Who::User {
                mechanism: "PLAIN",
                user,
                password,
            },
        }
    }

    /// What the options say, checked in the order in which users know the errors.
    pub(super) fn read(options: &mut Options<'uri>) -> Result<Self, Failure> {
        let enabled = options.boolean("sasl_enabled")?.unwrap_or(false);
        let handshake = options.boolean("sasl_handshake")?;
        if handshake.is_some() && !enabled {
            return Err(disabled(
                "to configure SASL handshake behavior",
                "sasl_handshake",
            ));
        }
        let mechanism = options.text("sasl_mechanism")?;
        if mechanism.is_some() && !enabled {
            return Err(disabled("to configure SASL mechanism", "sasl_mechanism"));
        }
        let mechanism = known(mechanism.unwrap_or("PLAIN"))?;
        let given: Vec<&'static str> = PASSWORD
            .into_iter()
            .chain(TOKEN)
            .chain(TOKEN_MAY)
            .chain(AWS)
            .filter(|name| is_given(options, name))
            .collect();
        if !enabled {
            return match given.first() {
                Some(name) => Err(disabled(&joined(&["if ", name, " is provided"]), name)),
                None => Ok(Self {
                    handshake: true,
                    who: Who::Nobody,
                }),
            };
        }
        let required: &[&str] = match mechanism {
            "OAUTHBEARER" => &TOKEN,
            "AWS_MSK_IAM" => &AWS,
            _ => &PASSWORD,
        };
        if let Some(missing) = required.iter().find(|name| !given.contains(*name)) {
            return Err(Failure::invalid_uri(joined(&[
                missing,
                " must be provided when SASL is enabled using mechanism ",
                mechanism,
            ]))
            .with_option(*missing));
        }
        for name in given {
            let only = match name {
                _ if TOKEN.contains(&name) || TOKEN_MAY.contains(&name) => "OAUTHBEARER",
                _ if AWS.contains(&name) => "AWS_MSK_IAM",
                _ => mechanism,
            };
            if only != mechanism {
                return Err(Failure::invalid_uri(joined(&[
                    name,
                    " is only a valid parameter for sasl_mechanism=",
                    only,
                ]))
                .with_option(name));
            }
        }
        let who = match mechanism {
            "OAUTHBEARER" => client(options)?,
            "AWS_MSK_IAM" => role(options)?,
            mechanism => user(options, mechanism)?,
        };
        Ok(Self {
            handshake: handshake.unwrap_or(true),
            who,
        })
    }

    pub(super) fn planned(self, plan: Plan, encrypted: bool) -> Result<Plan, Failure> {
        let plan = match self.handshake {
            true => plan,
            false => plan.set("sasl-handshake", "false"),
        };
        Ok(match self.who {
            Who::Nobody => plan,
            Who::User {
                mechanism,
                user,
                password,
            } => {
                let plan = plan
                    .set("sasl-mechanism", mechanism)
                    .set("user", user)
                    .secret("password", password);
                match (encrypted, mechanism) {
                    (true, _) => plan,
                    (false, "PLAIN") => plan.warn(
                        "The password goes to the brokers unencrypted; tls_enabled=true would \
                         encrypt it.",
                    ),
                    (false, _) => plan.warn(
                        "Messages go to the brokers unencrypted; tls_enabled=true would encrypt \
                         them.",
                    ),
                }
            }
            Who::Client {
                id,
                secret,
                url,
                grant_type,
                scope,
            } => {
                let service = TokenUrl::of(url)?;
                let plan = plan
                    .set("sasl-mechanism", "OAUTHBEARER")
                    .set("client-id", id)
                    .set("token-url", url)
                    .secret_as_given("client-secret", secret)
                    .tls(TOKENS, TlsVerification::Full)
                    .endpoint(&service.host, service.port, Some(TOKENS));
                let plan = match grant_type {
                    Some(grant_type) => plan.set("grant-type", grant_type),
                    None => plan,
                };
                match scope.is_empty() {
                    true => plan,
                    false => plan.set("scope", &scope),
                }
            }
            Who::Role {
                region,
                role,
                session,
            } => plan
                .implicit_access("the AWS credentials of the server")
                .set("sasl-mechanism", "AWS_MSK_IAM")
                .set("region", region)
                .set("session-name", session)
                .with(PlanEntry::AssumeRole(AssumedRole {
                    role: role.to_owned(),
                    external_id: None,
                })),
        })
    }
}

fn known(mechanism: &str) -> Result<&'static str, Failure> {
    let known = MECHANISMS.into_iter().find(|known| *known == mechanism);
    known.ok_or_else(|| {
        Failure::invalid_uri(
            "param sasl_mechanism must be one of SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, \
             AWS_MSK_IAM, or PLAIN",
        )
        .with_option("sasl_mechanism")
    })
}

fn disabled(why: &str, option: &str) -> Failure {
    Failure::invalid_uri(joined(&["sasl_enabled must be enabled ", why]))
        .with_hint("Add sasl_enabled=true, or leave it out.")
        .with_option(option)
}

fn is_given(options: &mut Options<'_>, name: &str) -> bool {
    match options.value(name) {
        None => false,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(Value::Secret(secret)) => !secret.empty,
    }
}

fn user<'uri>(options: &mut Options<'uri>, mechanism: &'static str) -> Result<Who<'uri>, Failure> {
    let user = options.text("sasl_user")?.unwrap_or_default();
    let password = options.secret("sasl_password");
    let password = password.ok_or_else(|| unread("sasl_password"))?;
    Ok(Who::User {
        mechanism,
        user,
        password: vec![password.fragment()],
    })
}

fn client<'uri>(options: &mut Options<'uri>) -> Result<Who<'uri>, Failure> {
    let secret = options.secret("sasl_client_secret");
    let secret = secret.ok_or_else(|| unread("sasl_client_secret"))?;
    if let Some(problem) = secret.base64_problem() {
        return Err(
            Failure::invalid_uri(joined(&["decoding client secret: ", &problem]))
                .with_hint("Write the secret as base64 prints it, with + as %2B.")
                .with_option("sasl_client_secret"),
        );
    }
    let url = options.text("sasl_token_url")?.unwrap_or_default();
    TokenUrl::of(url)?;
    let id = options.text("sasl_client_id")?.unwrap_or_default();
    Ok(Who::Client {
        id,
        secret,
        url,
        grant_type: options.text("sasl_grant_type")?,
        scope: options.texts("sasl_scopes").join(" "),
    })
}

fn role<'uri>(options: &mut Options<'uri>) -> Result<Who<'uri>, Failure> {
    let region = options.text("sasl_aws_region")?.unwrap_or_default();
    if !is_dns_label(region) {
        return Err(
            Failure::invalid_uri("sasl_aws_region is not the name of a region")
                .with_hint("Write a name such as eu-central-1.")
                .with_option("sasl_aws_region"),
        );
    }
    let role = options.word("sasl_aws_iam_role_arn")?.unwrap_or_default();
    let session = options
        .text("sasl_aws_iam_session_name")?
        .unwrap_or_default();
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(2..=64).contains(&session.len()) || !session.bytes().all(in_name) {
        return Err(
            Failure::invalid_uri("sasl_aws_iam_session_name is not the name of a session")
                .with_hint("Write 2 to 64 letters, digits and characters of _+=,.@-")
                .with_option("sasl_aws_iam_session_name"),
        );
    }
    Ok(Who::Role {
        region,
        role,
        session,
    })
}

fn unread(option: &str) -> Failure {
    Failure::invalid_uri(joined(&[
        "the manifest does not make ",
        option,
        " a secret",
    ]))
    .with_option(option)
}
