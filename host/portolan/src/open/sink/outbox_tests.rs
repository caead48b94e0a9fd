use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::call::lock;

/// A service whose instances fail, cut off or lag as a seed says; what it took it keeps.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    seed: u32,
    /// Of 256 calls so many fail.
    failing: u32,
    fails_for_good: bool,
    /// Whether nothing is acknowledged before it is flushed.
    lags: bool,
    /// Whether a flush does nothing.
    stuck: bool,
    opened: u64,
    closed: u64,
    largest_batch: usize,
    took: Vec<Message>,
}

impl State {
    fn chance(&mut self) -> u32 {
        self.seed = self
            .seed
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.seed >> 24
    }
}

struct Instance {
    service: Service,
    given: u64,
    acknowledged: u64,
}

fn trouble(may_pass: bool) -> Trouble {
    Trouble {
        error: Error::new(SqlState::ConnectionFailure, "it broke"),
        may_pass,
    }
}

#[async_trait]
impl Target for Instance {
    async fn emit(&mut self, messages: &[Message]) -> Result<u64, Trouble> {
        let mut state = lock(&self.service.0);
        state.largest_batch = state.largest_batch.max(messages.len());
        // What fails may have taken some of them.
        if state.chance() < state.failing {
            let some = state.chance() as usize % (messages.len() + 1);
            state.took.extend_from_slice(&messages[..some]);
            return Err(trouble(!state.fails_for_good));
        }
        state.took.extend_from_slice(messages);
        self.given += messages.len() as u64;
        if !state.lags {
            self.acknowledged = self.given;
        }
        Ok(self.acknowledged)
    }

    async fn flush(&mut self) -> Result<u64, Trouble> {
        let mut state = lock(&self.service.0);
        if state.chance() < state.failing {
            return Err(trouble(!state.fails_for_good));
        }
        if !state.stuck {
            self.acknowledged = self.given;
        }
        Ok(self.acknowledged)
    }

    async fn close(self: Box<Self>) -> Result<(), Trouble> {
        lock(&self.service.0).closed += 1;
        Ok(())
    }
}

#[async_trait]
impl Opener for Service {
    async fn open(&self) -> Result<Box<dyn Target>, Trouble> {
        lock(&self.0).opened += 1;
        Ok(Box::new(Instance {
            service: self.clone(),
            given: 0,
            acknowledged: 0,
        }))
    }
}

fn message(number: usize) -> Message {
    let key = format!("k{}", number % 7);
    Message::new("t", number.to_string()).with_key(key)
}

fn numbers(state: &State) -> Vec<usize> {
    let text = |message: &Message| String::from_utf8(message.value.clone()).expect("a number");
    let numbers = state.took.iter().map(text);
    numbers
        .map(|text| text.parse().expect("a number"))
        .collect()
}

/// Every number is there, and the last time that each came its key's were in order.
fn arrived_in_order(state: &State, count: usize) {
    let mut last: HashMap<usize, usize> = HashMap::new();
    for (place, number) in numbers(state).into_iter().enumerate() {
        last.insert(number, place);
    }
    assert_eq!(last.len(), count, "a message was lost");
    for key in 0..7 {
        let places: Vec<_> = (key..count)
            .step_by(7)
            .map(|number| last[&number])
            .collect();
        assert!(places.is_sorted(), "the order of a key was lost");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_keys_keep_their_order_however_a_service_fails() {
    for seed in 0..40 {
        let service = Service::default();
        (lock(&service.0).seed, lock(&service.0).failing) = (seed, 90);
        lock(&service.0).lags = seed % 2 == 0;
        let mut outbox = Outbox::default();
        for start in (0..2_000).step_by(50) {
            let batch = (start..start + 50).map(message).collect();
            while outbox.taken() == start as u64 {
                let _ = outbox.emit(Clone::clone(&batch), &service).await;
            }
        }
        while outbox.flush(&service).await.is_err() {}
        assert_eq!((outbox.taken(), outbox.acknowledged()), (2_000, 2_000));
        let state = lock(&service.0);
        arrived_in_order(&state, 2_000);
        assert!(state.opened > 1, "it never failed");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_was_taken_by_the_service() {
    let service = Service::default();
    (lock(&service.0).failing, lock(&service.0).seed) = (128, 3);
    let mut outbox = Outbox::default();
    for number in 0..200 {
        let _ = outbox.emit(vec![message(number)], &service).await;
        let took = numbers(&lock(&service.0));
        let acknowledged = usize::try_from(outbox.acknowledged()).expect("few");
        assert!((0..acknowledged).all(|number| took.contains(&number)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_does_not_pass_is_told_at_once_and_what_was_taken_stays() {
    let service = Service::default();
    (lock(&service.0).failing, lock(&service.0).fails_for_good) = (256, true);
    let mut outbox = Outbox::default();
    let refused = outbox.emit(vec![message(0)], &service).await;
    assert_eq!(refused.expect_err("it fails").message(), "it broke");
    assert_eq!(lock(&service.0).opened, 1);
    assert_eq!((outbox.taken(), outbox.acknowledged()), (1, 0));
    lock(&service.0).failing = 0;
    outbox.flush(&service).await.expect("it is back");
    assert_eq!((outbox.taken(), outbox.acknowledged()), (1, 1));
    arrived_in_order(&lock(&service.0), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again_so_many_times() {
    let service = Service::default();
    lock(&service.0).failing = 256;
    let mut outbox = Outbox::default();
    let started = tokio::time::Instant::now();
    assert!(outbox.emit(vec![message(0)], &service).await.is_err());
    assert_eq!(lock(&service.0).opened, 5);
    assert_eq!(
        started.elapsed(),
        Duration::from_millis(100 + 200 + 400 + 800)
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_acknowledges_nothing_is_told() {
    let service = Service::default();
    (lock(&service.0).lags, lock(&service.0).stuck) = (true, true);
    let mut outbox = Outbox::default();
    outbox
        .emit(vec![message(0)], &service)
        .await
        .expect("taken");
    let refused = outbox.flush(&service).await.expect_err("stuck");
    assert_eq!(refused.sqlstate(), SqlState::QueryCanceled);
}

#[tokio::test]
async fn what_is_held_is_bounded_and_batches_are() {
    let service = Service::default();
    lock(&service.0).lags = true;
    let mut outbox = Outbox::default();
    let long = || vec![Message::new("t", vec![b'x'; 7 << 20])];
    for count in 1..=20 {
        outbox.emit(long(), &service).await.expect("taken");
        assert!(outbox.bytes <= MOST_BYTES, "after {count}");
    }
    assert_eq!(
        lock(&service.0).largest_batch,
        1,
        "one that is too long goes alone"
    );
    let many = || (0..9_000).map(message).collect::<Vec<_>>();
    for _ in 0..10 {
        outbox.emit(many(), &service).await.expect("taken");
        assert!(outbox.held.len() <= MOST_MESSAGES);
    }
    assert_eq!(lock(&service.0).largest_batch, GIVEN_AT_ONCE);
    outbox.flush(&service).await.expect("flushed");
    assert_eq!((outbox.bytes, outbox.held.len()), (0, 0));
    assert_eq!(lock(&service.0).took.len(), 20 + 90_000);
}

#[tokio::test]
async fn a_call_that_is_given_up_on_the_way_ends_what_is_open() {
    /// Never comes back from its second call.
    struct Silent(u32);

    #[async_trait]
    impl Target for Silent {
        async fn emit(&mut self, messages: &[Message]) -> Result<u64, Trouble> {
            self.0 += 1;
            if self.0 > 1 {
                std::future::pending::<()>().await;
            }
            Ok(messages.len() as u64)
        }

        async fn flush(&mut self) -> Result<u64, Trouble> {
            Ok(0)
        }

        async fn close(self: Box<Self>) -> Result<(), Trouble> {
            Ok(())
        }
    }

    struct OpensSilent;

    #[async_trait]
    impl Opener for OpensSilent {
        async fn open(&self) -> Result<Box<dyn Target>, Trouble> {
            Ok(Box::new(Silent(0)))
        }
    }

    let mut outbox = Outbox::default();
    outbox
        .emit(vec![message(0)], &OpensSilent)
        .await
        .expect("taken");
    let given_up = outbox.emit(vec![message(1)], &OpensSilent);
    let waited = tokio::time::timeout(Duration::from_millis(20), given_up).await;
    assert!(waited.is_err());
    assert!(outbox.target.is_none());
    // What was taken is held, and goes to the next one.
    let service = Service::default();
    outbox.flush(&service).await.expect("flushed");
    assert_eq!(numbers(&lock(&service.0)), [1]);
    outbox.close().await.expect("closed");
    assert_eq!(lock(&service.0).closed, 1);
}
