//! An account: users, sessions and roles, and keys of KMS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use http::header::HOST;

use super::kms::Kms;
use super::sigv4::{Signatures, Signer, header};
use super::tokens::Role;
use crate::Authority;
use crate::http_server::{Answer, HttpServer, answer};

/// KMS with a key in [`SIGV4_REGION`](crate::SIGV4_REGION) and another one beside it, and the token
/// service of roles, each in the regions that it was started for. It verifies signatures in full and by a clock of its own,
/// encrypts with AES-256-GCM, really, and refuses with the documented codes. That the real services
/// answer like this is not proved; its policies are lists of actions, of everything else that they
/// can say nothing is.
#[derive(Debug)]
pub struct AwsStandIn {
    server: HttpServer,
    account: Arc<Mutex<Account>>,
}

/// Whatever the services know.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) signatures: Signatures,
    pub(super) roles: BTreeMap<String, Role>,
    /// How many sessions of roles were given.
    pub(super) given: usize,
    pub(super) kms: Kms,
}

impl AwsStandIn {
    /// The id of its key.
    pub const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    /// The alias of its key, until it is moved.
    pub const ALIAS: &str = "alias/backups";

    /// The ARN of its key.
    pub const ARN: &str =
        "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    /// The ARN of the other key, which nothing else names until the alias is moved to it.
    pub const ARN_OF_ANOTHER: &str =
        "arn:aws:kms:eu-central-1:123456789012:key/0987fedc-65ba-43dc-21fe-ba0987654321";

    /// What it says in every refusal besides its code.
    pub const CHATTER: &str = "a text of the service";

    /// The services in these regions.
    #[must_use]
    pub fn start(authority: &Authority, regions: &[&str]) -> Self {
        let account = Arc::new(Mutex::new(Account {
            signatures: Signatures::default(),
            roles: BTreeMap::new(),
            given: 0,
            kms: Kms::new(),
        }));
        let shared = Arc::clone(&account);
        let names: Vec<_> = ["kms", "sts"]
            .into_iter()
            .flat_map(|service| {
                let hosts = regions.iter();
                hosts.map(move |region| format!("{service}.{region}.amazonaws.com"))
            })
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let server = HttpServer::encrypted(authority, &names, move |request| {
            let answered = shared.lock().expect("a lock").respond(&request);
            async move { answered }.boxed()
        });
        Self { server, account }
    }

    /// Where it listens, for both services.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Knows a key: its id, its secret and the token of a temporary one. It stands for a principal
    /// that is called as the id is.
    pub fn add_key(&self, id: &str, secret: &str, token: Option<&str>) {
        let signer = Signer {
            secret: secret.to_owned(),
            token: token.map(str::to_owned),
            principal: id.to_owned(),
            has_ended: false,
        };
        self.account().signatures.add(id, signer);
    }

    /// Allows a principal these actions with both keys, and no others: `Encrypt`, `Decrypt`.
    pub fn allow(&self, principal: &str, actions: &[&'static str]) {
        self.account().kms.allow(principal, actions);
    }

    /// Has a role, which a principal may take on, with an external id where it asks for one.
    pub fn add_role(&self, arn: &str, trusts: &str, external_id: Option<&str>) {
        let role = Role {
            trusts: trusts.to_owned(),
            external_id: external_id.map(str::to_owned),
        };
        self.account().roles.insert(arn.to_owned(), role);
    }

    /// Ends every temporary key that it knows.
    pub fn end_sessions(&self) {
        let mut account = self.account();
        for signer in account.signatures.signers() {
            signer.has_ended = signer.token.is_some();
        }
    }

    /// Disables its key; the other one stays enabled.
    pub fn disable_key(&self) {
        self.account().kms.disable();
    }

    /// Moves the alias to the other key, as somebody who rotates a key by hand does: from now on it
    /// encrypts with that one, and refuses to decrypt what the first one encrypted.
    pub fn move_alias(&self) {
        self.account().kms.move_alias();
    }

    /// Sets its clock so many seconds ahead of this machine's.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.account().signatures.clock.set_ahead(seconds);
    }

    /// How many sessions of roles it has given.
    #[must_use]
    pub fn given(&self) -> usize {
        self.account().given
    }

    /// The secrets and the tokens of every session that it knows, of those of roles as well.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        let mut account = self.account();
        let signers = account.signatures.signers();
        let sessions = signers.filter_map(|signer| {
            let token = signer.token.clone()?;
            Some([signer.secret.clone(), token])
        });
        sessions.flatten().collect()
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().expect("a lock")
    }
}

impl Account {
    fn respond(&mut self, request: &Request<Bytes>) -> Answer {
        let date = self.signatures.clock.date();
        let host = header(request, HOST.as_str()).unwrap_or_default();
        let (status, content_type, body) = match host.split('.').next() {
            Some("sts") => {
                let (status, body) = self.give_token(request);
                (status, "text/xml", body)
            }
            _ => {
                let (status, body) = self.use_key(request);
                (status, "application/x-amz-json-1.1", body)
            }
        };
        answer(
            status,
            &[("content-type", content_type), ("date", &date)],
            body,
        )
    }
}
