//! `aws-kms`: stand-ins for AWS KMS, its token service and a machine's metadata service, which verify
//! signatures in full and by a clock of their own. They refuse with the codes of AWS's documentation:
//! that the real services choose these codes is not proved, nor what else their policies can say.

use portolan::EgressOptions;
use portolan_servers::{Authority, AwsStandIn};

use super::told::{escaped, expect, failing, ways};

mod causes;
mod made;

const KMS: &str = "kms.eu-central-1.amazonaws.com";
const USER: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE/+token==";
const SESSION: &str = "ASIAIOSFODNN7EXAMPLE";
const JUMP: &str = "arn:aws:iam::123456789012:role/jump";
const BACKUP: &str = "arn:aws:iam::210987654321:role/backup";
const EXTERNAL_ID: &str = "harbour/17";

/// AWS with one key, which a user and a session may use.
struct Setting {
    authority: Authority,
    aws: AwsStandIn,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let aws = AwsStandIn::start(&authority, &["eu-central-1", "us-east-1"]);
        aws.add_key(USER, SECRET, None);
        aws.add_key(SESSION, SECRET, Some(TOKEN));
        for principal in [USER, SESSION] {
            aws.allow(principal, &["Encrypt", "Decrypt"]);
        }
        Self { authority, aws }
    }

    fn options(&self) -> EgressOptions {
        let services = ["kms", "sts"].into_iter();
        let hosts: Vec<_> = services
            .flat_map(|service| {
                ["eu-central-1", "us-east-1"]
                    .map(|region| format!("{service}.{region}.amazonaws.com:443"))
            })
            .collect();
        let address = self.aws.address();
        let hosts: Vec<_> = hosts.iter().map(|host| (&**host, address)).collect();
        ways(&self.authority, &hosts)
    }
}

fn uri() -> String {
    with(AwsStandIn::ALIAS, USER, SECRET)
}

/// With this key of KMS and this access key.
fn with(key: &str, id: &str, secret: &str) -> String {
    let secret = escaped(secret);
    format!(
        "aws-kms:///{key}?REGION=eu-central-1&AWS_ACCESS_KEY_ID={id}&AWS_SECRET_ACCESS_KEY={secret}"
    )
}

/// With temporary credentials.
fn with_token(token: &str) -> String {
    let uri = with(AwsStandIn::ALIAS, SESSION, SECRET);
    format!("{uri}&AWS_SESSION_TOKEN={}", escaped(token))
}

/// As two roles, one after the other.
fn as_roles() -> String {
    let jump = format!("{JUMP};external_id={EXTERNAL_ID}");
    format!(
        "{}&ASSUME_ROLE={}",
        uri(),
        escaped(&format!("{jump},{BACKUP}"))
    )
}

/// What a failing probe tells, of which nothing is a secret or of the service's own words.
async fn told(options: EgressOptions, uri: &str) -> String {
    let (secret, token) = (escaped(SECRET), escaped(TOKEN));
    let forbidden = [
        SECRET,
        &secret,
        TOKEN,
        &token,
        AwsStandIn::CHATTER,
        "Canonical",
        "hunter2",
        "of+role",
    ];
    failing(options, uri, &forbidden).await
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, uri: &str, [steps, state, message, hint]: [&str; 4]) {
    let message = format!("failed to create AWS KMS external connection: {message}");
    expect(&told(options, uri).await, [steps, state, &message, hint]);
}
