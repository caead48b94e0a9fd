//! A stand-in for what of Google a connection to storage, to a key or to topics meets.

mod accounts;
mod emulator;
mod keys;
mod objects;
mod topics;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use serde_json::json;

use crate::http_server::{Answer, HttpServer, answer};
use crate::{Authority, RsaKey};
use accounts::{Accounts, CLOUD_SCOPE};
use emulator::Emulator;
use keys::Keys;
use objects::Objects;
use topics::Topics;

/// The hosts that it answers for.
const NAMES: [&str; 5] = [
    "oauth2.googleapis.com",
    "iamcredentials.googleapis.com",
    "cloudkms.googleapis.com",
    "us-east1-pubsub.googleapis.com",
    "storage.googleapis.com",
];

/// What a token needs for storage.
const SCOPES: [&str; 2] = [
    "https://www.googleapis.com/auth/devstorage.read_write",
    CLOUD_SCOPE,
];

/// A service account and its key.
#[derive(Debug)]
pub struct ServiceAccount {
    /// Its address.
    pub email: String,
    /// Its key.
    pub key: RsaKey,
}

impl ServiceAccount {
    /// A new one.
    #[must_use]
    pub fn new(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            key: RsaKey::generate(),
        }
    }

    /// The key in JSON, with every field that a real one has.
    #[must_use]
    pub fn json(&self) -> String {
        json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "0123456789abcdef",
            "private_key": self.key.pem(),
            "client_email": self.email,
            "client_id": "123456789",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/a",
            "universe_domain": "googleapis.com"
        })
        .to_string()
    }
}

/// Google's token endpoint (assertions and refresh tokens), impersonation, the XML API of Cloud
/// Storage, over objects in memory or before an emulator, one symmetric key of Cloud KMS, and the
/// topics of one project in Pub/Sub.
///
/// Signatures, times, scopes and the links of a chain are really checked, and the key really encrypts. That the real services
/// answer like this is not proved.
#[derive(Debug)]
pub struct GoogleStandIn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    accounts: Accounts,
    bucket: Arc<Bucket>,
    keys: Keys,
    topics: Topics,
    /// Who may list the bucket is who may use it, unless nobody may.
    listable: bool,
    /// Everything for this host is answered with this, where it is set.
    instead: Option<(String, Answer)>,
    /// The `x-goog-user-project` of the last request for storage.
    billed: Option<String>,
    /// Every request for storage, as method and path with query.
    storage_requests: Vec<String>,
}

/// What holds the objects.
#[derive(Debug)]
enum Bucket {
    /// The stand-in itself.
    Own(Objects),
    /// `fake-gcs-server`.
    Emulated(Emulator),
}

impl GoogleStandIn {
    /// The name of its key in Cloud KMS.
    pub const KEY: &str = keys::NAME;

    /// The project that has topics in Pub/Sub, the topic `orders` from the start.
    pub const PROJECT: &str = topics::PROJECT;

    /// Has one bucket, which this account may use.
    #[must_use]
    pub fn start(authority: &Authority, bucket: &str, account: ServiceAccount) -> Self {
        Self::before(authority, Bucket::Own(Objects::new(bucket)), account)
    }

    /// The same, the bucket being one of `fake-gcs-server`. It knows reading, unconditional writing,
    /// deleting and listing in one page; the rest is refused as not implemented.
    #[must_use]
    pub fn before_emulator(authority: &Authority, bucket: &str, account: ServiceAccount) -> Self {
        Self::before(
            authority,
            Bucket::Emulated(Emulator::start(bucket)),
            account,
        )
    }

    fn before(authority: &Authority, bucket: Bucket, account: ServiceAccount) -> Self {
        let state = Arc::new(Mutex::new(State {
            keys: Keys::new(&account.email),
            topics: Topics::new(&account.email),
            accounts: Accounts::new(account),
            bucket: Arc::new(bucket),
            listable: true,
            instead: None,
            billed: None,
            storage_requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::encrypted(authority, &NAMES, move |request| {
            let shared = Arc::clone(&shared);
            async move { respond(&shared, request).await }.boxed()
        });
        Self { server, state }
    }

    /// Where it listens, for all of its hosts.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Lets `caller` act as `target`.
    pub fn allow(&self, caller: &str, target: &str) {
        self.state().accounts.allow(caller, target);
    }

    /// Lets this account, and no other, use the bucket.
    pub fn own_bucket(&self, account: &str) {
        self.state().accounts.owner = account.to_owned();
    }

    /// Gives tokens of which it says that they live so many seconds.
    pub fn set_lifetime(&self, seconds: u64) {
        self.state().accounts.lifetime = seconds;
    }

    /// A token of this account for storage, as nobody has asked for it.
    #[must_use]
    pub fn give(&self, account: &str) -> String {
        self.state().accounts.give(account, SCOPES[0])
    }

    /// A token of this account for a scope, as nobody has asked for it.
    #[must_use]
    pub fn give_for(&self, account: &str, scope: &str) -> String {
        self.state().accounts.give(account, scope)
    }

    /// Lets this account, and no other, do with the key what is listed: `encrypt`, `decrypt`.
    pub fn own_key(&self, account: &str, uses: &[&'static str]) {
        let uses = uses.iter().map(|what| (account.to_owned(), *what));
        self.state().keys.allowed = uses.collect();
    }

    /// Lets this account, and no other, do with topics what is listed: `get`, `list`, `publish`.
    pub fn own_topics(&self, account: &str, uses: &[&'static str]) {
        let uses = uses.iter().map(|what| (account.to_owned(), *what));
        self.state().topics.allowed = uses.collect();
    }

    /// Has a topic of this name.
    pub fn create_topic(&self, topic: &str) {
        self.state().topics.create(topic);
    }

    /// Answers the next so many requests to publish with this status.
    pub fn fail_publishing(&self, times: u32, status: u16) {
        self.state().topics.failing = (times, status);
    }

    /// What was published to a topic, in its order: data, ordering key, attributes.
    #[must_use]
    pub fn published(&self, topic: &str) -> Vec<(Vec<u8>, String, serde_json::Value)> {
        self.state().topics.published(topic)
    }

    /// Disables the key's only version.
    pub fn disable_key(&self) {
        self.state().keys.enabled = false;
    }

    /// Changes one bit of every ciphertext on its way to the client from now on.
    pub fn spoil_ciphertexts(&self) {
        self.state().keys.spoils = true;
    }

    /// Sets the clock, by which assertions and tokens are judged, so many seconds ahead of this
    /// machine's.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.state().accounts.clock.set_ahead(seconds);
    }

    /// Takes none of the tokens that were given until now.
    pub fn revoke_tokens(&self) {
        self.state().accounts.revoke_tokens();
    }

    /// The tokens that were given and are taken.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.state().accounts.tokens()
    }

    /// How many tokens were given, those of impersonation included.
    #[must_use]
    pub fn given(&self) -> usize {
        self.state().accounts.given
    }

    /// Lets nobody list the bucket.
    pub fn deny_lists(&self) {
        self.state().listable = false;
    }

    /// Puts so many objects below a folder, named by their numbers in five digits.
    pub fn fill(&self, folder: &str, count: usize) {
        self.own(|objects| objects.fill(folder, count));
    }

    /// Lists so many objects in a page.
    pub fn set_page(&self, most: usize) {
        self.own(|objects| objects.set_page(most));
    }

    /// How many uploads were begun and neither completed nor given up.
    #[must_use]
    pub fn uploads(&self) -> usize {
        self.own(Objects::uploads)
    }

    fn own<T>(&self, ask: impl FnOnce(&Objects) -> T) -> T {
        match &*self.state().bucket {
            Bucket::Own(objects) => ask(objects),
            Bucket::Emulated(_) => panic!("the emulator does not have that"),
        }
    }

    /// The project that the last request for storage was billed to.
    #[must_use]
    pub fn billed(&self) -> Option<String> {
        self.state().billed.clone()
    }

    /// Every request for storage until now: its method, and its path with the query.
    #[must_use]
    pub fn storage_requests(&self) -> Vec<String> {
        self.state().storage_requests.clone()
    }

    /// A user's credentials in JSON, which are good from now on.
    #[must_use]
    pub fn user(&self) -> String {
        let user = self.state().accounts.user.clone();
        json!({
            "type": "authorized_user",
            "account": "",
            "client_id": user.client,
            "client_secret": user.secret,
            "refresh_token": user.refresh_token,
            "universe_domain": "googleapis.com"
        })
        .to_string()
    }

    /// The metadata server of a machine that this account is attached to. Its tokens are this
    /// stand-in's.
    #[must_use]
    pub fn machine(&self, account: &str) -> HttpServer {
        let (state, account) = (Arc::clone(&self.state), account.to_owned());
        HttpServer::plain(move |request| {
            let answer = state
                .lock()
                .expect("a lock")
                .accounts
                .attached(&account, &request);
            async move { answer }.boxed()
        })
    }

    /// Answers everything for one of its hosts with this from now on.
    pub fn answer_with(&self, host: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let instead = answer(status, headers, body.to_owned());
        self.state().instead = Some((host.to_owned(), instead));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("a lock")
    }
}

async fn respond(state: &Mutex<State>, request: Request<Bytes>) -> Answer {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.to_owned();
    let bucket = {
        let mut state = state.lock().expect("a lock");
        if let Some((instead, answer)) = &state.instead
            && *instead == host
        {
            return answer.clone();
        }
        match host.as_str() {
            "oauth2.googleapis.com" => return state.accounts.exchange(&request),
            "iamcredentials.googleapis.com" => return state.accounts.impersonate(&request),
            "cloudkms.googleapis.com" => {
                let holder = bearer(&request).and_then(|token| state.accounts.holder(token));
                return state.keys.respond(holder, &request);
            }
            "us-east1-pubsub.googleapis.com" => {
                let holder = bearer(&request).and_then(|token| state.accounts.holder(token));
                return state.topics.respond(holder, &request);
            }
            "storage.googleapis.com" => {}
            _ => return answer(421, &[], ""),
        }
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        state.billed = header("x-goog-user-project").map(str::to_owned);
        let line = format!("{} {}", request.method(), request.uri());
        state.storage_requests.push(line);
        let holder = bearer(&request).and_then(|token| state.accounts.holder(token));
        let Some((account, scope)) = holder else {
            return objects::refused(401, "AuthenticationRequired");
        };
        let scoped = scope.split(' ').any(|scope| SCOPES.contains(&scope));
        if !scoped || account != state.accounts.owner {
            return objects::refused(403, "AccessDenied");
        }
        let lists = request
            .uri()
            .query()
            .unwrap_or_default()
            .contains("list-type");
        if lists && !state.listable {
            return objects::refused(403, "AccessDenied");
        }
        Arc::clone(&state.bucket)
    };
    match &*bucket {
        Bucket::Own(objects) => objects.respond(request).await,
        Bucket::Emulated(emulator) => emulator.respond(request).await,
    }
}

/// The token that a request is authorised with.
fn bearer(request: &Request<Bytes>) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?;
    value.to_str().ok()?.strip_prefix("Bearer ")
}
