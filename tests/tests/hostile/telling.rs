//! What a provider does with a secret that it sees while it probes.

use portolan_contract::{Outcome, Step};

use crate::bench::{Bench, SECRET};
use crate::leaking::{FORMS, is_clean, is_redacted};
use crate::log::Log;

async fn each(misdeed: &str, judge: impl Fn(&str, &Step)) {
    let bench = Bench::acting().await;
    let (log, recording) = Log::record();
    for form in FORMS {
        let probed = bench.probe(&format!("{misdeed}/{form}")).await;
        assert_eq!(probed.result, Ok(()), "{form}");
        is_clean(SECRET, &probed);
        assert_eq!(probed.steps.len(), 1);
        judge(form, &probed.steps[0]);
    }
    drop(recording);
    is_clean(SECRET, &log.all());
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn tells_in_a_message() {
    each("tells_in_a_message", |form, step| match &step.outcome {
        Outcome::Failed(failure) => is_redacted(form, &failure.message),
        outcome => panic!("{outcome:?}"),
    })
    .await;
}

#[tokio::test]
pub(crate) async fn tells_in_a_hint() {
    each("tells_in_a_hint", |form, step| match &step.outcome {
        Outcome::Failed(failure) => is_redacted(form, failure.hint.as_deref().expect("a hint")),
        outcome => panic!("{outcome:?}"),
    })
    .await;
}

#[tokio::test]
pub(crate) async fn tells_in_a_detail() {
    each("tells_in_a_detail", |form, step| {
        is_redacted(form, &step.details[0].1);
    })
    .await;
}

#[tokio::test]
pub(crate) async fn tells_in_the_name_of_a_detail() {
    each("tells_in_the_name_of_a_detail", |form, step| {
        is_redacted(form, &step.details[0].0);
    })
    .await;
}

#[tokio::test]
pub(crate) async fn tells_why_it_skipped() {
    each("tells_why_it_skipped", |form, step| match &step.outcome {
        Outcome::Skipped(why) => is_redacted(form, why),
        outcome => panic!("{outcome:?}"),
    })
    .await;
}

#[tokio::test]
pub(crate) async fn tells_in_a_log_line() {
    let bench = Bench::acting().await;
    for form in FORMS {
        let (log, recording) = Log::record();
        let probed = bench.probe(&format!("tells_in_a_log_line/{form}")).await;
        drop(recording);
        assert_eq!(probed.result, Ok(()), "{form}");
        is_clean(SECRET, &log.all());
        let lines = log.of_providers();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = lines[0].split("here it is: ").nth(1).expect("the line");
        is_redacted(form, line.split(" provider=").next().expect("the line"));
    }
    bench.still_answers().await;
}

/// A step's name is small letters, digits and single spaces: a secret of these letters is the only
/// one that could be in it.
#[tokio::test]
pub(crate) async fn tells_in_the_name_of_a_step() {
    let bench = Bench::acting().await;
    for form in FORMS {
        let probed = bench
            .probe_with("tells_in_the_name_of_a_step", form, "hunter seven")
            .await;
        is_clean("hunter seven", &probed);
        match &probed.result {
            Ok(()) => is_redacted(form, &probed.steps[0].name),
            Err(error) => assert_eq!(
                error.to_string(),
                "provider hostile 6.6.6 broke the contract: it began a step whose name is not one \
                 of the contract's",
                "{form}"
            ),
        }
    }
    bench.still_answers().await;
}
