//! `gcp-kms`: a stand-in for Google's token services and Cloud KMS. That the real services answer
//! like it is not proved.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::EgressOptions;
use portolan_servers::{Authority, GoogleStandIn, ServiceAccount};

use super::told::{escaped, expect, failing, ways};

mod causes;
mod made;

const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
const LAST: &str = "last@p.iam.gserviceaccount.com";
const KMS: &str = "cloudkms.googleapis.com";
const TOKENS: &str = "oauth2.googleapis.com";
const ROLES: &str = "iamcredentials.googleapis.com";
const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";

/// What stands in no failure.
const FORBIDDEN: [&str; 6] = [
    "PRIVATE",
    "ya29",
    "s3cr3t",
    "r3fr3sh",
    "hunter2",
    "a text of the service",
];

/// Google with one key, and the key of an account that may use it.
struct Setting {
    authority: Authority,
    google: GoogleStandIn,
    key: String,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new(ACCOUNT);
        let key = account.json();
        Self {
            google: GoogleStandIn::start(&authority, "harbour", account),
            authority,
            key,
        }
    }

    fn options(&self) -> EgressOptions {
        let hosts = [KMS, TOKENS, ROLES].map(|host| format!("{host}:443"));
        let address = self.google.address();
        let hosts: Vec<_> = hosts.iter().map(|host| (&**host, address)).collect();
        ways(&self.authority, &hosts)
    }

    fn uri(&self) -> String {
        with_key(GoogleStandIn::KEY, &self.key)
    }
}

fn with_key(name: &str, json: &str) -> String {
    let json = escaped(&BASE64_STANDARD.encode(json));
    format!("gcp-kms:///{name}?AUTH=specified&CREDENTIALS={json}")
}

fn with_token(token: &str) -> String {
    let name = GoogleStandIn::KEY;
    format!("gcp-kms:///{name}?AUTH=specified&BEARER_TOKEN={token}")
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, uri: &str, expected: [&str; 4]) {
    let told = failing(options, uri, &FORBIDDEN).await;
    let [steps, state, message, hint] = expected;
    let message = format!("failed to create GCP KMS external connection: {message}");
    expect(&told, [steps, state, &message, hint]);
}
