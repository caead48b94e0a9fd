//! A session: who acts, and what they may run.

use std::pin::pin;
use std::time::Instant;

use portolan_catalog::{AuthenticRows, KeySlotRow, NewKeySlot, PrincipalKind, Reader};
use portolan_contract::Operation;
use portolan_egress::Rule;
use portolan_sandbox::Inspection;
use portolan_secret::SecretText;
use portolan_statement::Statement;
use tracing::Instrument;
use tracing::field::Empty;

use crate::access::{Actor, refused};
use crate::call::{Call, OPEN_SESSION, is_audited};
use crate::keys::{self, KeyRotation, KeySlots};
use crate::metrics::sqlstate_of;
use crate::open::{self, OpenOptions, Opened};
use crate::policy;
use crate::policy_test;
use crate::providers::{self, AddProvider};
use crate::trail::outcome_of;
use crate::{Error, Host, Outcome, Principal, RequestContext, SqlState, statements};

/// What one principal does, for one request or many. Cheap to make and to clone.
#[derive(Debug, Clone)]
pub struct Session {
    host: Host,
    principal: Principal,
    actor: Actor,
}

impl Session {
    pub(crate) fn new(host: Host, principal: Principal, context: RequestContext) -> Self {
        Self {
            host,
            actor: Actor::new(principal.clone(), context),
            principal,
        }
    }

    /// The same session for a request: what is known of it goes to the audit trail and to tracing.
    #[must_use]
    pub fn with_context(self, context: RequestContext) -> Self {
        Self::new(self.host, self.principal, context)
    }

    /// The host of the session.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Refuses a principal that the catalog does not know as a user: for programs whose users are
    /// the catalog's. A program that vouches for its own users does not ask. A refusal is in the audit
    /// trail.
    ///
    /// # Errors
    /// 28000 when there is no such user, or the name is a role's.
    pub async fn require_known_user(&self) -> Result<(), Error> {
        let name = self.principal.name().to_owned();
        let row = self
            .host
            .shared
            .catalog
            .read::<_, Error, _>(move |reader: &dyn Reader| Ok(reader.principal(&name)?))
            .await?;
        let name = self.principal.name();
        let (message, hint) = match row.map(|row| row.kind) {
            Some(PrincipalKind::User) => return Ok(()),
            Some(PrincipalKind::Role) => (
                format!("{name} is a role, and a role has no sessions"),
                "name a user who is a member of it",
            ),
            None => (
                format!("user {name} does not exist"),
                "an administrator makes one with CREATE USER",
            ),
        };
        let error = Error::new(SqlState::InvalidAuthorization, message).with_hint(hint);
        let call = Call::of_method(&self.host.shared, &self.actor, OPEN_SESSION);
        Err(call.note_failure(error).await)
    }

    /// Runs one statement. `parameters` are the values of `$1`, `$2` and so on.
    ///
    /// Dropping the future gives the statement up: a probe that runs is ended and nothing is
    /// written. A change that is already being made durable is finished all the same.
    ///
    /// # Errors
    /// Why the statement does not parse or was not done. No text in it holds a secret.
    pub async fn execute(&self, sql: &str, parameters: &[SecretText]) -> Result<Outcome, Error> {
        let statement = portolan_statement::parse(sql)?;
        self.execute_statement(&statement, parameters).await
    }

    /// Runs one statement that was parsed before.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn execute_statement(
        &self,
        statement: &Statement,
        parameters: &[SecretText],
    ) -> Result<Outcome, Error> {
        let call = Call::of_statement(&self.host.shared, &self.actor, statement, parameters);
        let audited = is_audited(statement.kind());
        // Boxed: it is as large as the largest of all statements, and as deep.
        let executing = Box::pin(statements::execute(&call, statement));
        self.run(&call, audited, executing).await
    }

    /// Opens what `external://NAME/PATH` leads to, for one kind of use.
    ///
    /// # Errors
    /// 42501 without USAGE or against the policy, 22023 for a URL that is none, 42809 and 0A000
    /// when the connection is not for this use.
    pub async fn open(&self, url: &str, operation: Operation) -> Result<Opened, Error> {
        self.open_with(url, operation, OpenOptions::default()).await
    }

    /// Opens as [`Self::open`] does, with options.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(
        &self,
        url: &str,
        operation: Operation,
        options: OpenOptions,
    ) -> Result<Opened, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "OPEN");
        let started = Instant::now();
        let opening = open::open(&call, url, operation, options);
        let result = self.run(&call, false, opening).await;
        let metrics = &self.host.shared.metrics;
        metrics.open(operation.as_str(), sqlstate_of(&result), started.elapsed());
        result
    }

    /// The URI of a database with its secrets, for a program that cannot do without a connection
    /// string: only where the host was built with
    /// [`allow_credential_export`](crate::HostBuilder::allow_credential_export), for those who may
    /// run SHOW CREATE, and written into the audit trail as that is.
    ///
    /// # Errors
    /// 42501 where it is not allowed, 42704 without the connection, 0A000 when it is no database.
    pub async fn export_connection_string(&self, name: &str) -> Result<SecretText, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "EXPORT CONNECTION STRING");
        self.run(&call, true, open::export(&call, name)).await
    }

    /// Asks the policy about a URI, step by step: its provider plans it, each endpoint is judged by
    /// its name, and with `resolve` each address that the name has. Nothing is dialled or stored.
    ///
    /// The rows are endpoint, step, outcome (`ok`, `denied`, `failed` or `skipped`), detail, hint.
    /// The steps are `plan`, `switches`, and for each endpoint those of
    /// [`Judgement`](portolan_egress::Judgement), of which the last, `conclusion`, is what it comes
    /// to and has the hint. Each of `brokers`, a `HOST:PORT`, is judged as if a server of the URI had
    /// named it; a step `broker` says that it may.
    ///
    /// # Errors
    /// 42501 without EXTERNALCONNECTION, and what is wrong with the URI or a broker.
    pub async fn test_policy(
        &self,
        uri: &SecretText,
        brokers: &[String],
        resolve: bool,
    ) -> Result<Outcome, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "POLICY TEST");
        self.run(
            &call,
            false,
            policy_test::execute(&call, uri, brokers, resolve),
        )
        .await
    }

    /// Writes into the audit trail that a rule of the policy is about to be added for good, where it is
    /// kept outside of the catalog.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator.
    pub async fn note_policy_rule(&self, rule: &Rule) -> Result<(), Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "POLICY ALLOW");
        self.run(&call, true, policy::note_rule(&call, rule)).await
    }

    /// Reads and checks the component of a provider that is in force, without running it.
    ///
    /// # Errors
    /// 42704 when there is no such provider, 58P01 when its component is gone, and what is wrong
    /// with it.
    pub async fn inspect_provider(&self, name: &str) -> Result<Inspection, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "INSPECT PROVIDER");
        self.run(&call, false, providers::inspect(&call, name))
            .await
    }

    /// Reads and checks a component that is to be [added](Self::add_provider), without running it, so
    /// that an administrator sees what is to be approved.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, and what is wrong with the component. Either is in the
    /// audit trail, as of the adding itself.
    pub async fn examine_provider(&self, component: &[u8]) -> Result<Inspection, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "ADD PROVIDER");
        let examining = providers::examine(&call, component);
        match self.run(&call, false, examining).await {
            // The run itself writes down what is refused.
            Err(error) if error.sqlstate() != SqlState::InsufficientPrivilege => {
                Err(call.note_failure(error).await)
            }
            result => result,
        }
    }

    /// Whether the user has the role `admin`, directly or through other roles.
    ///
    /// # Errors
    /// Why the catalog cannot be read.
    pub async fn is_admin(&self) -> Result<bool, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "OPEN SESSION");
        call.read(|access| Ok(access.is_admin())).await
    }

    /// Approves a provider: its component is checked, compiled, laid into the directory of plugins,
    /// and its digest recorded. From then on no other component of that name is loaded.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, 42710 when its name or a scheme is taken, and what
    /// is wrong with the component.
    pub async fn add_provider(
        &self,
        component: &[u8],
        options: AddProvider,
    ) -> Result<Inspection, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "ADD PROVIDER");
        self.run(&call, true, providers::add(&call, component, options))
            .await
    }

    /// Takes the approval of a provider back. Connections that it planned stay, and can be used
    /// again once it is added again.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, 42704 when no such provider was added.
    pub async fn remove_provider(&self, name: &str) -> Result<(), Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "REMOVE PROVIDER");
        self.run(&call, true, providers::remove(&call, name)).await
    }

    /// Reads every row of the catalog, opens whatever is sealed in it, and gives how many rows of each
    /// table there are.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, XX001 naming the first row that is not authentic, a gap
    /// in the audit trail, or what the store holds that is not of a catalog.
    pub async fn check_catalog(&self) -> Result<Vec<AuthenticRows>, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "CHECK CATALOG");
        let checking = call.read(|access| {
            if !access.is_admin() {
                return Err(refused(
                    "only users with the admin role are allowed to check the catalog",
                )
                .with_hint("ask an administrator"));
            }
            Ok(access.reader().authentic_rows()?)
        });
        self.run(&call, false, checking).await
    }

    /// The slots that hold the store's key, and how far a change of the key has come.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, XX001 when a slot is not authentic.
    pub async fn key_slots(&self) -> Result<KeySlots, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "LIST KEY SLOTS");
        self.run(&call, false, keys::list(&call)).await
    }

    /// Refuses whoever may not [add a slot](Self::add_key_slot), before anything is made or asked for
    /// one.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator.
    pub async fn may_add_key_slot(&self) -> Result<(), Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "ADD KEY SLOT");
        self.run(&call, false, keys::may_add(&call)).await
    }

    /// Puts the store's key into one more slot.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, 42710 when the key opens a slot already.
    pub async fn add_key_slot(&self, new: NewKeySlot) -> Result<KeySlotRow, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "ADD KEY SLOT");
        self.run(&call, true, keys::add(&call, new)).await
    }

    /// Removes a slot, also one that is not authentic.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, 42704 when there is no such slot, 55000 for the last
    /// one, 55006 for the one that opened the store for this process.
    pub async fn remove_key_slot(&self, id: u32) -> Result<(), Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "REMOVE KEY SLOT");
        self.run(&call, true, keys::remove(&call, id)).await
    }

    /// Gives the store a newer key, in the same slots, while others read and write. Rows are brought
    /// under it a few at a time, and `progress` is told how many so far. When this is given up, or the
    /// process ends, nothing is lost: the next call goes on.
    ///
    /// # Errors
    /// 42501 for anybody but an administrator, XX001 when a row or a slot is not authentic. The older
    /// key stays in use until that is put right and this is called again.
    pub async fn rotate_key(&self, progress: impl FnMut(u64)) -> Result<KeyRotation, Error> {
        let call = Call::of_method(&self.host.shared, &self.actor, "ROTATE KEY");
        self.run(&call, true, keys::rotate(&call, progress)).await
    }

    /// Runs a call to its end: within its deadline, in its span, counted, and in the audit trail
    /// whatever becomes of it.
    async fn run<T>(
        &self,
        call: &Call<'_>,
        audited: bool,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let context = self.actor.context();
        let span = tracing::info_span!(
            "portolan",
            action = call.action(),
            principal = self.actor.name(),
            on_behalf_of = context.on_behalf_of,
            client_address = context.client_address,
            request_id = context.request_id,
            deadline = context.deadline.map(tracing::field::display),
            object = Empty,
            provider = Empty,
            sqlstate = Empty,
        );
        let started = Instant::now();
        let guarded = async {
            let cancelled = Cancelled::watch(call, audited);
            let mut result = within_deadline(call, work).await;
            if result.is_ok() && audited && !call.is_noted() {
                result = match (result, call.note(None).await) {
                    (_, Err(error)) => Err(error),
                    (result, Ok(())) => result,
                };
            }
            cancelled.disarm();
            match result {
                Err(error) if audited || error.sqlstate() == SqlState::InsufficientPrivilege => {
                    Err(call.note_failure(error).await)
                }
                result => result,
            }
        };
        let result = guarded.instrument(span.clone()).await;
        call.describe(&span);
        span.record("sqlstate", sqlstate_of(&result));
        let metrics = &self.host.shared.metrics;
        metrics.statement(call.action(), sqlstate_of(&result), started.elapsed());
        result
    }
}

/// Ends the work at the deadline of the call; but what is being made durable is waited for, so
/// that the answer is true.
async fn within_deadline<T>(
    call: &Call<'_>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(deadline) = call.deadline() else {
        return work.await;
    };
    let mut work = pin!(work);
    match tokio::time::timeout_at(deadline.into(), &mut work).await {
        Ok(result) => result,
        Err(_) if call.is_committing() => work.await,
        Err(_) => Err(past_deadline()),
    }
}

/// The error of a call whose deadline is over.
pub(crate) fn past_deadline() -> Error {
    Error::new(
        SqlState::QueryCanceled,
        "the statement was cancelled because its deadline is over",
    )
    .with_hint("nothing was changed; run it again with more time")
}

/// Writes the audit row of a call whose caller goes away in the middle of it.
struct Cancelled<'c, 'a> {
    call: &'c Call<'a>,
    armed: bool,
}

impl<'c, 'a> Cancelled<'c, 'a> {
    fn watch(call: &'c Call<'a>, armed: bool) -> Self {
        Self { call, armed }
    }

    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Cancelled<'_, '_> {
    fn drop(&mut self) {
        // A change that was under way ends by itself and writes its own row.
        if !self.armed || self.call.is_committing() {
            return;
        }
        let outcome = outcome_of(SqlState::QueryCanceled.code());
        let row = self
            .call
            .row()
            .ended(outcome, "it was given up before its end");
        let catalog = self.call.catalog().clone();
        // The failure to write it is traced, and nobody is left to be told.
        let writing = async move { row.write(&catalog).await };
        drop(self.call.host.runtime.spawn(writing));
    }
}
