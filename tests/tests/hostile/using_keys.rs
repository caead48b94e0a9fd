//! Misdeeds of a key in use.

use std::sync::Arc;
use std::time::Duration;

use portolan_contract::{Encrypted, Failure, FailureClass, RuleContext, StoredPlan, split};
use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use portolan_sandbox::{AnswerProblem, Fault, Grants, Limits, ProviderError};
use portolan_secret::{SecretBytes, SecretText};
use portolan_tests::hostile;

use crate::bench::{Bench, SECRET, is_answer, is_fault, patient, sandbox, shared};
use crate::server::{Manner, Server};

const EMPTY: Manner = Manner::Answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");

/// The manifest of a provider that keeps keys as well.
fn manifest() -> String {
    hostile::MANIFEST.replace("kinds = [\"storage\"]", "kinds = [\"storage\", \"kms\"]")
}

/// A provider, and what it is granted for a plan that chooses a misdeed.
struct Key {
    bench: Bench,
    grants: Grants,
    server: Server,
}

impl Key {
    async fn new(misdeed: &str) -> Self {
        Self::with(Bench::with(shared(), &manifest()).await, misdeed, EMPTY).await
    }

    async fn with(bench: Bench, misdeed: &str, manner: Manner) -> Self {
        let server = Server::plain(manner).await;
        let grants = grants(&bench, misdeed, &server, server.admitted()).await;
        Self {
            bench,
            grants,
            server,
        }
    }

    async fn encrypt(&self) -> Result<Encrypted, ProviderError> {
        let plaintext = SecretBytes::new(*b"a plaintext of the host");
        self.bench.provider.encrypt(&self.grants, &plaintext).await
    }

    /// How many calls the instance has had that takes this one.
    async fn calls(&self) -> String {
        let encrypted = self.encrypt().await.expect("encrypted");
        encrypted.key_version.expect("it counts")
    }

    async fn decrypt(&self) -> Result<SecretBytes, ProviderError> {
        let encrypted = Encrypted {
            ciphertext: vec![1; 10],
            key: "a key".to_owned(),
            key_version: None,
        };
        self.bench.provider.decrypt(&self.grants, &encrypted).await
    }

    /// The same provider goes on as if nothing had happened.
    async fn still_answers(&self) {
        let good = Self::with(
            Bench::with(self.bench.sandbox.clone(), &manifest()).await,
            "good",
            EMPTY,
        );
        let encrypted = good.await.encrypt().await.expect("encrypted");
        assert_eq!(encrypted.key, "a key");
    }

    async fn refuses(&self, expected: &AnswerProblem, sentence: &str) {
        let error = self.encrypt().await.expect_err("it is refused");
        is_answer(&error, expected, sentence, "08P01");
        self.still_answers().await;
    }
}

async fn grants(bench: &Bench, misdeed: &str, server: &Server, egress: Egress) -> Grants {
    let key: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let uri = format!("hostile://127.0.0.1:{}/{misdeed}?key={key}", server.port);
    let manifest = bench.provider.manifest();
    let uri = split(&SecretText::new(uri), manifest).expect("it splits");
    let planned = bench.provider.plan(&uri).await.expect("a plan");
    let context = RuleContext::new(&uri.pieces);
    let (name, version) = (&manifest.name, manifest.version);
    let plan = StoredPlan::new(name, version, planned.plan, context, &uri.secrets);
    let grants = Grants::new(Arc::new(plan.expect("a plan to store")));
    grants.with_network(egress, Lent::default())
}

macro_rules! tests {
    ($($misdeed:ident => $test:ident;)*) => {
        $(
            #[tokio::test]
            pub(crate) async fn $misdeed() {
                $test(stringify!($misdeed)).await;
            }
        )*
    };
}

tests! {
    gives_out_a_secret_of_the_plan => nothing_is_given_out;
    gives_out_an_encoded_secret_of_the_plan => nothing_is_given_out;
    launders_a_secret_of_the_plan_through_the_key => nothing_is_sent;
    writes_a_plaintext_to_a_connection => nothing_is_written;
    writes_a_secret_of_the_plan_to_a_connection => nothing_is_written;
    encrypts_to_nothing => is_refused_as_empty;
    encrypts_to_more_than_64_kib => is_refused_as_long;
    names_a_key_of_3_kib => is_refused_for_its_name;
    names_a_key_with_terminal_escapes => is_refused_for_what_is_hidden;
    names_a_key_after_a_secret => is_refused_for_a_secret;
    refuses_to_encrypt_with_terminal_escapes => is_shown_without_them;
    spins_while_it_encrypts => uses_up_its_time;
    crashes_while_it_decrypts => crashes;
    waits_while_it_encrypts => waits;
    uses_a_plaintext_twice => holds_no_such_handle;
    remembers_the_calls_before => is_replaced_in_time;
    keeps_a_part_for_the_next_call => keeps_nothing_that_it_was_lent;
}

/// It cannot read a credential of the connection, and cannot hand one to whoever may use the key.
async fn nothing_is_given_out(misdeed: &str) {
    let key = Key::new(misdeed).await;
    let error = key.decrypt().await.expect_err("it is refused");
    let sentence = "decrypts to something that no service has answered";
    is_answer(&error, &AnswerProblem::ForeignPlaintext, sentence, "08P01");
    key.still_answers().await;
}

/// What came back would be a plaintext of the service, and be handed out.
async fn nothing_is_sent(misdeed: &str) {
    let bench = Bench::with(shared(), &manifest()).await;
    let manner = Manner::Answers(
        "HTTP/1.1 200 OK\r\ncontent-length: 28\r\n\r\n{\"Plaintext\":\"aHVudGVyMg==\"}",
    );
    let key = Key::with(bench, misdeed, manner).await;
    let error = key.decrypt().await.expect_err("it is refused");
    let ProviderError::Refused(failure) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.class, FailureClass::Denied);
    assert_eq!(
        failure.message,
        "the service of a key is sent no secret of its connection as content"
    );
    assert!(key.server.received().is_empty(), "it was sent something");
    key.still_answers().await;
}

/// A server could send it back where the provider sees it.
async fn nothing_is_written(misdeed: &str) {
    let key = Key::new(misdeed).await;
    let error = key.encrypt().await.expect_err("it is refused");
    let ProviderError::Refused(failure) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.class, FailureClass::Denied);
    assert_eq!(
        failure.message,
        "a provider of keys writes no opaque part to a connection"
    );
    assert!(key.server.received().is_empty(), "it was sent something");
    key.still_answers().await;
}

async fn is_refused_as_empty(misdeed: &str) {
    let problem = AnswerProblem::Ciphertext("a ciphertext without a byte");
    let sentence = "encrypts to a ciphertext without a byte";
    Key::new(misdeed).await.refuses(&problem, sentence).await;
}

async fn is_refused_as_long(misdeed: &str) {
    let problem = AnswerProblem::Ciphertext("a ciphertext of more than 64 KiB");
    let sentence = "encrypts to a ciphertext of more than 64 KiB";
    Key::new(misdeed).await.refuses(&problem, sentence).await;
}

async fn is_refused_for_its_name(misdeed: &str) {
    let what = "a key, or a version of it, whose name has more than 2 KiB";
    let problem = AnswerProblem::Ciphertext(what);
    let sentence = format!("encrypts to {what}");
    Key::new(misdeed).await.refuses(&problem, &sentence).await;
}

async fn is_refused_for_what_is_hidden(misdeed: &str) {
    let what = "a key, or a version of it, whose name holds what cannot be seen";
    let problem = AnswerProblem::Ciphertext(what);
    let sentence = format!("encrypts to {what}");
    Key::new(misdeed).await.refuses(&problem, &sentence).await;
}

async fn is_refused_for_a_secret(misdeed: &str) {
    let revealing = format!("{}\n[reveal]\nacting = [\"key\"]\n", manifest());
    let bench = Bench::with(shared(), &revealing).await;
    let key = Key::with(bench, misdeed, EMPTY).await;
    let problem = AnswerProblem::SecretInKeyName;
    let sentence = "shows a secret of the URI in the name of its key";
    key.refuses(&problem, sentence).await;
}

async fn is_shown_without_them(misdeed: &str) {
    let key = Key::new(misdeed).await;
    let error = key.encrypt().await.expect_err("it refuses");
    let ProviderError::Refused(Failure { class, message, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(class, &FailureClass::InvalidUri);
    assert!(!message.contains(char::is_control), "{message:?}");
    key.still_answers().await;
}

async fn uses_up_its_time(misdeed: &str) {
    let limits = Limits::default();
    let time = limits.guest_time;
    let bench = Bench::with(sandbox(limits), &manifest()).await;
    let key = Key::with(bench, misdeed, EMPTY).await;
    let error = key.encrypt().await.expect_err("it is stopped");
    let sentence = "used up its 250 ms of computing time";
    is_fault(&error, &Fault::GuestTime(time), sentence, "53200");
    key.still_answers().await;
}

async fn crashes(misdeed: &str) {
    let key = Key::new(misdeed).await;
    let error = key.decrypt().await.expect_err("it crashes");
    let ProviderError::Fault { fault, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(fault, Fault::Trap(_)), "{fault:?}");
    key.still_answers().await;
}

async fn waits(misdeed: &str) {
    let mut limits = patient();
    limits.call_wall_time = Duration::from_millis(300);
    let bench = Bench::with(sandbox(limits), &manifest()).await;
    let key = Key::with(bench, misdeed, Manner::IsSilent).await;
    let error = key.encrypt().await.expect_err("it is stopped");
    let fault = Fault::WallTime(Duration::from_millis(300));
    is_fault(&error, &fault, "did not finish within 300 ms", "57014");
}

/// What it can count is the calls of one key, up to a limit, and none after one that failed.
async fn is_replaced_in_time(misdeed: &str) {
    let limited = |calls: u32, resting: usize| {
        let mut limits = Limits::default();
        limits.calls_per_instance = calls;
        limits.resting_instances = resting;
        limits
    };
    for (limits, expected) in [
        (limited(3, 1), ["1", "2", "3", "1", "2"]),
        (limited(100, 1), ["1", "2", "3", "4", "5"]),
        (limited(1, 1), ["1", "1", "1", "1", "1"]),
        (limited(100, 0), ["1", "1", "1", "1", "1"]),
    ] {
        let sandbox = sandbox(limits);
        let bench = Bench::with(sandbox.clone(), &manifest()).await;
        let key = Key::with(bench, misdeed, EMPTY).await;
        for call in expected {
            assert_eq!(key.calls().await, call, "{expected:?}");
        }
    }
    // Another key has another instance, also where only one may rest.
    let sandbox = sandbox(limited(100, 1));
    let bench = Bench::with(sandbox.clone(), &manifest()).await;
    let key = Key::with(bench, misdeed, EMPTY).await;
    let bench = Bench::with(sandbox.clone(), &manifest()).await;
    let other = Key::with(bench, misdeed, EMPTY).await;
    assert_eq!(key.calls().await, "1");
    assert_eq!(other.calls().await, "1");
    assert_eq!(other.calls().await, "1");
    assert_eq!(key.calls().await, "2");
    // Its place is free again once nobody can use the key.
    drop(key);
    assert_eq!(other.calls().await, "1");
    assert_eq!(other.calls().await, "2");
    other.decrypt().await.expect_err("it decrypts nothing");
    assert_eq!(other.calls().await, "1");
    // Where a secret is revealed, memory would hold it from one call to the next.
    let revealing = format!("{}\n[reveal]\nacting = [\"key\"]\n", manifest());
    let bench = Bench::with(shared(), &revealing).await;
    let sighted = Key::with(bench, misdeed, EMPTY).await;
    assert_eq!(sighted.calls().await, "1");
    assert_eq!(sighted.calls().await, "1");
}

/// Whoever holds a handle when the call is over has a fresh instance for the next one.
async fn keeps_nothing_that_it_was_lent(misdeed: &str) {
    let key = Key::new(misdeed).await;
    for _ in 0..3 {
        let encrypted = key.encrypt().await.expect("encrypted");
        assert_eq!(encrypted.key, "a key");
    }
    key.still_answers().await;
}

async fn holds_no_such_handle(misdeed: &str) {
    let key = Key::new(misdeed).await;
    let error = key.encrypt().await.expect_err("it is stopped");
    let ProviderError::Fault { fault, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(error.sqlstate(), "08P01", "{fault:?}");
    key.still_answers().await;
}
