//! Exchanges without a network: published examples, and servers that lie.

use std::sync::Arc;

use portolan_contract::{Manifest, Plan, PlanEntry, RuleContext, StoredPlan};
use portolan_secret::SecretBytes;

use super::{Answer, Authenticator, Channel, Exchange, Mechanism, Property, SaslError};
use crate::credentials::Lent;
use crate::{Egress, EgressOptions};

mod beginnings;
mod iam;
mod lies;
mod reference;
mod scram;
mod simple;

const PASSWORD: &str = "pencil";

/// A plan with a password, and these entries.
fn plan(password: &[u8], entries: Vec<PlanEntry>) -> Arc<StoredPlan> {
    Arc::new(StoredPlan {
        format: portolan_contract::PLAN_FORMAT,
        provider: "p".to_owned(),
        provider_version: "1.0.0".parse().expect("a version"),
        plan: Plan { entries },
        context: RuleContext::default(),
        secrets: vec![("password".to_owned(), SecretBytes::from(password))],
        places: Vec::new(),
    })
}

fn manifest() -> Manifest {
    Manifest::parse(
        "name = \"p\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nschemes = [\"p\"]\n\
         kinds = [\"sink\"]\noperations = []",
    )
    .expect("a manifest")
}

fn authenticator(plan: &Arc<StoredPlan>, options: EgressOptions) -> Authenticator {
    Authenticator::new(&Egress::new(options), plan, &manifest(), Lent::default())
}

fn text(name: &str, text: &str) -> Property {
    Property::Text(name.to_owned(), text.to_owned())
}

fn secret(name: &str, secret: &str) -> Property {
    Property::Secret(name.to_owned(), secret.to_owned())
}

fn user_and_password(user: &str) -> [Property; 2] {
    [text("user", user), secret("password", "password")]
}

fn channel(binding: &[u8]) -> Channel {
    Channel {
        host: "b-1.example.com".to_owned(),
        server_end_point: binding.to_vec(),
    }
}

/// An exchange with this password, on a channel that can be bound to these bytes.
fn begin(
    mechanism: Mechanism,
    user: &str,
    password: &[u8],
    binding: Option<&[u8]>,
) -> Result<Exchange, SaslError> {
    let plan = plan(password, Vec::new());
    let channel = binding.map(channel);
    authenticator(&plan, EgressOptions::default()).start(
        mechanism,
        &user_and_password(user),
        channel.as_ref(),
    )
}

/// What a message says.
fn said(answer: Answer) -> String {
    match answer {
        Answer::Message(message) | Answer::Last(message) => {
            String::from_utf8(message.expose().to_vec()).expect("text")
        }
        Answer::Done => panic!("nothing is said"),
    }
}
