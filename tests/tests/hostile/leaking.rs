//! What a provider does with a secret that it sees while it plans.

use std::fmt::Debug;

use portolan_contract::{Failure, FailureClass, Fragment, NamedSecret, PlanEntry};
use portolan_sandbox::{AnswerProblem, Planned, ProviderError};

use crate::bench::{self, Bench, SECRET, is_answer};
use crate::forms;
use crate::log::Log;
use crate::misdeeds::for_each_form;

macro_rules! names {
    ($($form:ident,)*) => {
        /// Every form by its name.
        pub(crate) const FORMS: &[&str] = &[$(stringify!($form),)*];
    };
}
for_each_form!(names);

/// The letters of a form that depend on the secret alone.
pub(crate) fn needle(form: &str, secret: &str) -> String {
    let told = forms::told(form, secret);
    let after = if form.ends_with("_after_one_byte") || form.ends_with("_after_two_bytes") {
        3
    } else {
        0
    };
    let before = if form.starts_with("base64") { 2 } else { 0 };
    let end = told.trim_end_matches('=').len() - before;
    told[after..end].to_owned()
}

/// Nothing of what somebody may print holds the secret, in whatever form.
pub(crate) fn is_clean(secret: &str, shown: &impl Debug) {
    let shown = format!("{shown:?}");
    for form in FORMS {
        for written in [needle(form, secret), format!("{:?}", needle(form, secret))] {
            let written = written.trim_matches('"');
            assert!(!shown.contains(written), "{form} is in {shown}");
        }
    }
}

/// What stands where the secret was told: `redacted`, and around it at most the characters that
/// hold nothing of the secret: what base64 made of the bytes before it, and its padding.
pub(crate) fn is_redacted(form: &str, text: &str) {
    let rest = text.strip_prefix("here it is: ").unwrap_or(text);
    let around = rest.replacen("redacted", "", 1);
    let most = if form.starts_with("base64") { 4 } else { 0 };
    assert!(
        rest.contains("redacted") && around.len() <= most,
        "{form}: {text}"
    );
}

async fn each(misdeed: &str, judge: impl Fn(&str, Result<Planned, ProviderError>)) {
    let bench = Bench::sighted().await;
    let (log, recording) = Log::record();
    for form in FORMS {
        let outcome = bench.plan(&format!("{misdeed}/{form}")).await;
        is_clean(SECRET, &outcome);
        if let Err(error) = &outcome {
            is_clean(SECRET, &(error.to_string(), error.hint()));
        }
        judge(form, outcome);
    }
    drop(recording);
    is_clean(SECRET, &log.all());
    bench.still_answers().await;
}

async fn each_refusal(misdeed: &str, judge: impl Fn(&str, Failure)) {
    each(misdeed, |form, outcome| match outcome {
        Err(ProviderError::Refused(failure)) => judge(form, failure),
        outcome => panic!("{form}: {outcome:?}"),
    })
    .await;
}

async fn each_answer(misdeed: &str, problem: AnswerProblem, sentence: &str) {
    each(misdeed, |form, outcome| match outcome {
        Err(error) => is_answer(&error, &problem, sentence, "08P01"),
        outcome => panic!("{form}: {outcome:?}"),
    })
    .await;
}

#[test]
fn the_forms_are_what_they_are_called() {
    let told = |form| forms::told(form, "p\u{f6}\"/x?>");
    assert_eq!(told("percent"), "p%C3%B6%22%2Fx%3F%3E");
    assert_eq!(told("json"), "p\\u00f6\\\"\\/x?>");
    assert_eq!(told("hex"), "70c3b6222f783f3e");
    assert_eq!(told("base64"), "cMO2Ii94Pz4=");
    assert_eq!(told("base64_after_one_byte"), "OnDDtiIveD8+");
    assert_eq!(told("base64url_after_one_byte"), "OnDDtiIveD8-");
    assert_eq!(told("base64url_after_two_bytes"), "dTpww7YiL3g_Pg");
    for form in FORMS {
        assert!(needle(form, SECRET).len() >= 8, "{form}");
    }
}

/// The guest composes its secrets of what it saw; what prints the plan for a person shows only how
/// long that is.
#[tokio::test]
async fn a_plan_of_revealed_secrets_shows_none_of_them() {
    let bench = Bench::sighted().await;
    let planned = bench.plan("good").await.expect("a plan");
    let secret = PlanEntry::Secret(NamedSecret {
        name: "key".to_owned(),
        fragments: vec![Fragment::Text(SECRET.to_owned())],
    });
    assert!(planned.plan.entries.contains(&secret), "it was revealed");
    is_clean(SECRET, &planned);
    is_clean(SECRET, &planned.plan.entries);
    let pretty = format!("{planned:#?}");
    assert!(!pretty.contains(SECRET) && !pretty.contains(&format!("{SECRET:?}")));
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_message() {
    each_refusal("leaks_into_a_message", |form, failure| {
        is_redacted(form, &failure.message);
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_hint() {
    each_refusal("leaks_into_a_hint", |form, failure| {
        is_redacted(form, &failure.hint.expect("a hint"));
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_an_option_name() {
    each_refusal("leaks_into_an_option_name", |form, failure| {
        is_redacted(form, &failure.option_name.expect("a name"));
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_fact() {
    each_refusal("leaks_into_a_fact", |form, failure| {
        is_redacted(form, &failure.facts[0].0);
        is_redacted(form, &failure.facts[0].1);
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_class() {
    each_refusal("leaks_into_a_class", |form, failure| match failure.class {
        FailureClass::Other(class) => is_redacted(form, &class),
        class => panic!("{class:?}"),
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_warning() {
    each("leaks_into_a_warning", |form, outcome| {
        let plan = outcome.expect("a plan").plan;
        is_redacted(form, plan.warnings().next().expect("a warning"));
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_an_implicit_access() {
    each("leaks_into_an_implicit_access", |form, outcome| {
        let plan = outcome.expect("a plan").plan;
        is_redacted(form, plan.implicit_access().expect("an access"));
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_setting() {
    each_answer(
        "leaks_into_a_setting",
        AnswerProblem::SecretInPlan("a setting"),
        "shows a secret of the URI in a setting",
    )
    .await;
}

/// The first two are no host names; a name of letters would be one, and is no better.
#[tokio::test]
pub(crate) async fn leaks_into_an_endpoint() {
    each("leaks_into_an_endpoint", |form, outcome| {
        let Err(ProviderError::Answer { problem, .. }) = outcome else {
            panic!("{form}: {outcome:?}");
        };
        match problem {
            AnswerProblem::SecretInPlan("an endpoint") => {}
            AnswerProblem::Endpoint { host, port: 443 } => {
                is_redacted(form, host.strip_suffix(".example.com").expect("a name"));
            }
            problem => panic!("{form}: {problem:?}"),
        }
    })
    .await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_prefix() {
    each("leaks_into_a_prefix", |form, outcome| {
        let error = outcome.expect_err(form);
        let ProviderError::Answer { problem, .. } = &error else {
            panic!("{form}: {error:?}");
        };
        let refused = [
            AnswerProblem::SecretInPlan("the object store"),
            // A backslash is refused before the text is searched.
            AnswerProblem::ObjectStore("an object store whose path may lead out of it"),
        ];
        assert!(refused.contains(problem), "{form}: {problem:?}");
    })
    .await;
}

/// A name that fits is searched for the secret; one that is too long is shown without it.
#[tokio::test]
pub(crate) async fn leaks_into_the_name_of_a_secret() {
    each("leaks_into_the_name_of_a_secret", |form, outcome| {
        let error = outcome.expect_err(form);
        match &error {
            ProviderError::Answer { problem, .. } => match problem {
                AnswerProblem::SecretInPlan("the name of a secret") => {}
                AnswerProblem::SecretName(name) => is_redacted(form, name),
                problem => panic!("{form}: {problem:?}"),
            },
            error => panic!("{form}: {error:?}"),
        }
    })
    .await;
}

const SHOWS: AnswerProblem = AnswerProblem::Redaction("it shows a secret, or may");
const SHOWS_SENTENCE: &str = "redacts wrongly: it shows a secret, or may";

#[tokio::test]
pub(crate) async fn leaks_into_a_redacted_path() {
    each_answer("leaks_into_a_redacted_path", SHOWS, SHOWS_SENTENCE).await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_redacted_option() {
    each_answer("leaks_into_a_redacted_option", SHOWS, SHOWS_SENTENCE).await;
}

#[tokio::test]
pub(crate) async fn leaks_into_a_redacted_user() {
    each_answer("leaks_into_a_redacted_user", SHOWS, SHOWS_SENTENCE).await;
}

/// A secret too short to be told from ordinary words: of what its guest says only the class is
/// left.
#[tokio::test]
async fn a_short_secret_drops_every_word_of_the_guest() {
    let bench = Bench::sighted().await;
    let outcome = bench::plan(&bench.provider, "leaks_into_a_hint/plain", "abc").await;
    assert_eq!(
        outcome,
        Err(ProviderError::Refused(
            Failure::new(FailureClass::InvalidUri, "the provider refused the URI").with_hint(
                "compare the URI with the options of its provider; what was said of it is not \
                 shown, because a secret of the URI has fewer than 6 bytes and could not be told \
                 from other text"
            )
        ))
    );
    let outcome = bench::plan(&bench.provider, "leaks_into_a_warning/plain", "abc").await;
    let left_out = PlanEntry::Warning("(left out)".to_owned());
    assert!(outcome.expect("a plan").plan.entries.contains(&left_out));
}
