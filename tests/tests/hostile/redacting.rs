//! Misdeeds in `redact`.

use std::time::Duration;

use portolan_sandbox::{AnswerProblem, Fault};

use crate::bench::{Bench, is_answer, is_fault};

macro_rules! refused {
    ($($misdeed:ident: $what:literal;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let error = bench.plan(stringify!($misdeed)).await.expect_err("it is refused");
            is_answer(
                &error,
                &AnswerProblem::Redaction($what),
                concat!("redacts wrongly: ", $what),
                "08P01",
            );
            bench.still_answers().await;
        }
    )*};
}

refused! {
    swaps_two_secrets: "it puts a secret where that one does not stand";
    adds_a_secret: "it adds a piece that the URI does not have";
    repeats_a_secret: "it adds a piece that the URI does not have";
    hides_a_secret_in_the_path: "it puts a secret where that one does not stand";
    shows_text_in_the_place_of_a_secret: "it shows text in the place of a secret";
    redacts_differently_the_second_time: "what it shows is shown differently the next time";
    redacts_to_another_scheme: "it changes the scheme";
    redacts_to_too_many_options: "it adds a piece that the URI does not have";
}

#[tokio::test]
pub(crate) async fn spins_while_redacting() {
    let bench = Bench::with_default_limits().await;
    let error = bench.plan("spins_while_redacting").await;
    is_fault(
        &error.expect_err("it is stopped"),
        &Fault::GuestTime(Duration::from_millis(250)),
        "used up its 250 ms of computing time",
        "53200",
    );
    Bench::new().await.still_answers().await;
}

#[tokio::test]
pub(crate) async fn crashes_while_redacting() {
    let bench = Bench::new().await;
    let error = bench.plan("crashes_while_redacting").await;
    is_fault(
        &error.expect_err("it is stopped"),
        &Fault::Trap("wasm trap: wasm `unreachable` instruction executed".to_owned()),
        "crashed: wasm trap: wasm `unreachable` instruction executed",
        "08P01",
    );
    bench.still_answers().await;
}

/// A piece may be left out, and a secret that is not shown at all is not shown in clear.
#[tokio::test]
pub(crate) async fn drops_a_secret() {
    let bench = Bench::new().await;
    let planned = bench.plan("drops_a_secret").await.expect("a plan");
    assert_eq!(
        planned.redacted_uri,
        "hostile://user:redacted@host/drops_a_secret?region=eu&second=redacted"
    );
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn redacts_to_terminal_escapes() {
    let bench = Bench::new().await;
    let planned = bench.plan("redacts_to_terminal_escapes").await;
    assert_eq!(
        planned.expect("a plan").redacted_uri,
        "hostile://user:redacted@host/redacts_to_terminal_escapes?key=redacted&region=a%1B%5D0%3B\
         title%07%1B%5B31%3B1mb%1B%5B2J%C2%9B2J%E2%80%AEc%E2%80%8B%0D%0Ad%00&second=redacted"
    );
    bench.still_answers().await;
}
