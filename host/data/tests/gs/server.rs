//! The servers of these tests, and the way to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use object_store::ObjectStore;
use object_store::path::Path;
use portolan_contract::{AssumedRole, Failure, PlanEntry, StoredPlan};
use portolan_data::ConfinedUploads;
use portolan_egress::EgressOptions;
use portolan_servers::{
    Answer, Authority, GoogleStandIn, HttpServer, RawServer, ReadWrite, ServiceAccount, answer,
};

use super::cloud::{self, PREFIX, ways};
pub(crate) use super::cloud::{Names, backends, expect};

pub(crate) const BUCKET: &str = "harbour";
pub(crate) const STORAGE: &str = "storage.googleapis.com";
pub(crate) const TOKENS: &str = "oauth2.googleapis.com";
pub(crate) const ROLES: &str = "iamcredentials.googleapis.com";
/// The account of the key, which may use the bucket.
pub(crate) const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
/// A token that only servers take which look at none.
pub(crate) const TOKEN: &str = "ya29.token-of-the-test";
/// What a server writes into the text of an error; it must be shown nowhere.
pub(crate) const CHATTER: &str = "hunter2-of-the-server";

/// Google, as these tests have it: one bucket, one account, and the account's key.
pub(crate) struct Setting {
    pub(crate) authority: Authority,
    pub(crate) google: GoogleStandIn,
    pub(crate) key: String,
}

impl Setting {
    /// Over the stand-in's own bucket.
    pub(crate) fn new() -> Self {
        Self::over(GoogleStandIn::start)
    }

    /// Over a bucket of `fake-gcs-server`.
    pub(crate) fn emulated() -> Self {
        Self::over(GoogleStandIn::before_emulator)
    }

    fn over(start: impl FnOnce(&Authority, &str, ServiceAccount) -> GoogleStandIn) -> Self {
        let authority = Authority::new("tests");
        let account = ServiceAccount::new(ACCOUNT);
        let key = account.json();
        Self {
            google: start(&authority, BUCKET, account),
            authority,
            key,
        }
    }

    /// A connection with the account's key.
    pub(crate) fn planned(&self) -> Planned {
        Planned::with(("credentials", &self.key))
    }

    pub(crate) fn options(&self) -> EgressOptions {
        options(&self.authority, self.google.address())
    }

    pub(crate) fn store(&self, planned: &Planned) -> Arc<dyn ObjectStore> {
        store(self.options(), planned)
    }

    /// What storage was asked, by method alone.
    pub(crate) fn methods(&self) -> Vec<String> {
        let requests = self.google.storage_requests();
        let first = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
        requests.iter().map(first).collect()
    }
}

/// Storage that answers what a function says, and a store over it that sends a token as it was given.
pub(crate) struct Scripted {
    pub(crate) store: Store,
    pub(crate) uploads: ConfinedUploads,
    asked: Arc<AtomicUsize>,
    _server: HttpServer,
}

impl Scripted {
    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Starts it; requests are numbered from 0.
pub(crate) fn answering(
    says: impl Fn(usize, &Request<Bytes>) -> Answer + Send + Sync + 'static,
) -> Scripted {
    let authority = Authority::new("tests");
    let asked: Arc<AtomicUsize> = Arc::default();
    let counted = Arc::clone(&asked);
    let server = HttpServer::encrypted(&authority, &[STORAGE], move |request| {
        let said = says(counted.fetch_add(1, Ordering::Relaxed), &request);
        async move { said }.boxed()
    });
    let options = impatient(&authority, server.address());
    let plan = Planned::given().plan();
    let uploads = backends(options.clone()).unfinished_uploads(&plan, &Path::default());
    Scripted {
        store: store(options, &Planned::given()),
        uploads: uploads.expect("built").expect("kept"),
        asked,
        _server: server,
    }
}

/// Storage that writes what a script says, byte by byte, after each request's head.
pub(crate) fn raw(
    script: impl Fn(&mut dyn ReadWrite, &str) + Send + Sync + 'static,
) -> (RawServer, Store) {
    let authority = Authority::new("tests");
    let server = RawServer::encrypted(&authority, &[STORAGE], script);
    let store = store(impatient(&authority, server.address()), &Planned::given());
    (server, store)
}

/// An error as the documentation of the XML API has it.
pub(crate) fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code>\
         <Message>{CHATTER}</Message><Details>{CHATTER}</Details></Error>"
    );
    answer(
        status,
        &[("content-type", "application/xml; charset=UTF-8")],
        body,
    )
}

pub(crate) type Store = Arc<dyn ObjectStore>;

/// The way to all of Google's hosts.
pub(crate) fn options(authority: &Authority, to: SocketAddr) -> EgressOptions {
    let hosts = [STORAGE, TOKENS, ROLES].map(|host| format!("{host}:443"));
    let hosts: Vec<_> = hosts.iter().map(|host| (&**host, to)).collect();
    ways(&authority.pem(), &hosts)
}

/// The same for servers that may be silent on purpose.
fn impatient(authority: &Authority, to: SocketAddr) -> EgressOptions {
    EgressOptions {
        silence_timeout: Duration::from_secs(2),
        ..options(authority, to)
    }
}

pub(crate) fn store(options: EgressOptions, planned: &Planned) -> Store {
    backends(options).build(&planned.plan()).expect("built")
}

/// The plan that the provider makes of a bucket, with what a test wants otherwise.
pub(crate) struct Planned {
    pub(crate) bucket: &'static str,
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    pub(crate) secret: Option<(&'static str, String)>,
    pub(crate) roles: Vec<&'static str>,
}

impl Planned {
    /// A connection with a secret of this name.
    pub(crate) fn with((name, secret): (&'static str, &str)) -> Self {
        Self {
            bucket: BUCKET,
            settings: vec![("credentials", "specified")],
            secret: Some((name, secret.to_owned())),
            roles: Vec::new(),
        }
    }

    /// One with a token as it is.
    pub(crate) fn given() -> Self {
        Self::with(("bearer-token", TOKEN))
    }

    /// One with what the host lends.
    pub(crate) fn implicit() -> Self {
        Self {
            settings: vec![("credentials", "implicit")],
            secret: None,
            ..Self::given()
        }
    }

    pub(crate) fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.push((name, value));
        self
    }

    pub(crate) fn through(mut self, roles: &[&'static str]) -> Self {
        self.roles = roles.to_vec();
        self
    }

    pub(crate) fn plan(&self) -> StoredPlan {
        let mut endpoints = vec![(STORAGE, 443, true)];
        if matches!(self.secret, Some(("credentials", _))) {
            endpoints.push((TOKENS, 443, true));
        }
        if !self.roles.is_empty() {
            endpoints.push((ROLES, 443, true));
        }
        let planned = cloud::Planned {
            backend: "gs",
            container: self.bucket,
            prefix: PREFIX,
            endpoints,
            settings: self.settings.clone(),
            secrets: self.secret.iter().cloned().collect(),
        };
        let mut plan = planned.plan();
        for role in &self.roles {
            plan.plan.entries.push(PlanEntry::AssumeRole(AssumedRole {
                role: (*role).to_owned(),
                external_id: None,
            }));
        }
        plan
    }
}

/// The failure of an operation, after looking for what must not be in it.
pub(crate) fn failure(error: &object_store::Error) -> Failure {
    let forbidden = [
        "ya29",
        "PRIVATE",
        "s3cr3t",
        "r3fr3sh",
        "a text of the service",
        PREFIX,
        CHATTER,
        "https://",
    ];
    cloud::failure(error, &forbidden)
}
