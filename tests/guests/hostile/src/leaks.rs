//! What is told of a secret that the manifest reveals.

use std::cell::RefCell;

use crate::bindings::portolan::host::log;
use crate::bindings::portolan::host::steps::{self, Outcome};
use crate::bindings::portolan::types::types::{
    Failure, FailureClass, Fragment, NamedSecret, PlanEntry, UriPieces, Value,
};
use crate::planning::endpoint;
use crate::{Planned, forms, good_plan, good_plan_at, refusal};

thread_local! {
    static REMEMBERED: RefCell<String> = RefCell::new("nothing was revealed".to_owned());
}

/// A revealed secret, in the form that was chosen.
pub(crate) struct Leak(String);

/// Where it goes.
pub(crate) enum Place {
    Refusal(Failure),
    Entry(PlanEntry),
    Prefix(String),
    Redaction(fn(&mut UriPieces, String), String),
}

impl Leak {
    /// The value of the option `key`, which is text where the manifest reveals it. `redact` is shown
    /// no secret, but it runs in the instance of `plan`, which is where it is remembered.
    pub(crate) fn of(uri: &UriPieces, form: &str) -> Self {
        let secret = uri.options.iter().find_map(|option| match &option.value {
            Value::Text(text) if option.name == "key" => Some(text.as_str()),
            _ => None,
        });
        REMEMBERED.with_borrow_mut(|remembered| {
            if let Some(secret) = secret {
                secret.clone_into(remembered);
            }
            Self(forms::told(form, remembered))
        })
    }

    /// The secret named `key` of the plan, which is text where the manifest reveals it.
    pub(crate) fn of_plan(plan: &[PlanEntry], form: &str) -> Self {
        let secret = plan.iter().find_map(|entry| match entry {
            PlanEntry::Secret(named) if named.name == "key" => match named.fragments.as_slice() {
                [Fragment::Text(text)] => Some(text.as_str()),
                _ => None,
            },
            _ => None,
        });
        Self(forms::told(form, secret.unwrap_or("nothing was revealed")))
    }

    fn sentence(&self) -> String {
        format!("here it is: {}", self.0)
    }
}

impl Place {
    pub(crate) fn planned(self, uri: &UriPieces) -> Planned {
        match self {
            Self::Refusal(failure) => Err(failure),
            Self::Entry(entry) => {
                let mut plan = good_plan(uri);
                plan.push(entry);
                Ok(plan)
            }
            Self::Prefix(prefix) => Ok(good_plan_at(uri, &prefix)),
            Self::Redaction(..) => Ok(good_plan(uri)),
        }
    }

    pub(crate) fn redacted(self, mut uri: UriPieces) -> UriPieces {
        if let Self::Redaction(put, text) = self {
            put(&mut uri, text);
        }
        uri
    }
}

pub(crate) fn leaks_into_a_message(leak: &Leak) -> Place {
    Place::Refusal(refusal(leak.sentence()))
}

pub(crate) fn leaks_into_a_hint(leak: &Leak) -> Place {
    Place::Refusal(Failure {
        hint: Some(leak.sentence()),
        ..refusal("refused")
    })
}

pub(crate) fn leaks_into_an_option_name(leak: &Leak) -> Place {
    Place::Refusal(Failure {
        option_name: Some(leak.0.clone()),
        ..refusal("refused")
    })
}

pub(crate) fn leaks_into_a_fact(leak: &Leak) -> Place {
    Place::Refusal(Failure {
        facts: vec![(leak.0.clone(), leak.sentence())],
        ..refusal("refused")
    })
}

pub(crate) fn leaks_into_a_class(leak: &Leak) -> Place {
    Place::Refusal(Failure {
        class: FailureClass::Other(leak.0.clone()),
        ..refusal("refused")
    })
}

pub(crate) fn leaks_into_a_warning(leak: &Leak) -> Place {
    Place::Entry(PlanEntry::Warning(leak.sentence()))
}

pub(crate) fn leaks_into_an_implicit_access(leak: &Leak) -> Place {
    Place::Entry(PlanEntry::ImplicitAccess(leak.sentence()))
}

pub(crate) fn leaks_into_a_setting(leak: &Leak) -> Place {
    Place::Entry(PlanEntry::Setting(("leak".to_owned(), leak.0.clone())))
}

pub(crate) fn leaks_into_an_endpoint(leak: &Leak) -> Place {
    let host = format!("{}.example.com", leak.0);
    Place::Entry(endpoint(&host, 443, None))
}

pub(crate) fn leaks_into_a_prefix(leak: &Leak) -> Place {
    Place::Prefix(leak.0.clone())
}

pub(crate) fn leaks_into_the_name_of_a_secret(leak: &Leak) -> Place {
    Place::Entry(PlanEntry::Secret(NamedSecret {
        name: leak.0.clone(),
        fragments: vec![Fragment::Text("text".to_owned())],
    }))
}

pub(crate) fn leaks_into_a_redacted_path(leak: &Leak) -> Place {
    Place::Redaction(
        |uri, leak| uri.path = Value::Text(format!("/{leak}")),
        leak.0.clone(),
    )
}

pub(crate) fn leaks_into_a_redacted_option(leak: &Leak) -> Place {
    Place::Redaction(
        |uri, leak| {
            for option in &mut uri.options {
                if option.name == "region" {
                    option.value = Value::Text(leak.clone());
                }
            }
        },
        leak.0.clone(),
    )
}

pub(crate) fn leaks_into_a_redacted_user(leak: &Leak) -> Place {
    Place::Redaction(
        |uri, leak| uri.user = Some(Value::Text(leak)),
        leak.0.clone(),
    )
}

fn one_step(outcome: Outcome, details: &[(String, String)]) {
    steps::begin("tell");
    steps::end(&outcome, details);
}

pub(crate) fn tells_in_a_message(leak: &Leak) {
    one_step(Outcome::Failed(refusal(leak.sentence())), &[]);
}

pub(crate) fn tells_in_a_hint(leak: &Leak) {
    let failure = Failure {
        hint: Some(leak.sentence()),
        ..refusal("refused")
    };
    one_step(Outcome::Failed(failure), &[]);
}

pub(crate) fn tells_in_a_detail(leak: &Leak) {
    one_step(Outcome::Ok, &[("detail".to_owned(), leak.sentence())]);
}

pub(crate) fn tells_in_the_name_of_a_detail(leak: &Leak) {
    one_step(Outcome::Ok, &[(leak.0.clone(), "detail".to_owned())]);
}

pub(crate) fn tells_why_it_skipped(leak: &Leak) {
    one_step(Outcome::Skipped(leak.sentence()), &[]);
}

pub(crate) fn tells_in_a_log_line(leak: &Leak) {
    log::write(&log::Level::Warn, &leak.sentence());
    one_step(Outcome::Ok, &[]);
}

pub(crate) fn tells_in_the_name_of_a_step(leak: &Leak) {
    steps::begin(&leak.0);
    steps::end(&Outcome::Ok, &[]);
}
