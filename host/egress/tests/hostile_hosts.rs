//! The corpus of hostile hosts against the reader of hosts, the policy and the dial guard.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portolan_egress::corpus::{Case, lines};
use portolan_egress::{
    AddressClass, Conclusion, Egress, EgressError, EgressOptions, Host, Judgement, Policy, Reason,
    Resolve, Rule, Verdict,
};

/// The hosts of the corpus: number of the line, text, what it names, verdict.
fn hosts() -> Vec<(usize, String, Option<String>, String)> {
    let of = |line: portolan_egress::corpus::Line| match line.case {
        Case::Host {
            text,
            names,
            verdict,
        } => Some((line.number, text, names, verdict)),
        _ => None,
    };
    lines().into_iter().filter_map(of).collect()
}

fn class_of(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allowed { .. } => AddressClass::Public.to_string(),
        Verdict::NeedsResolution => "resolve".to_owned(),
        Verdict::Denied(denial) => match denial.reason() {
            Reason::Class(class) => class.to_string(),
            _ => "denied".to_owned(),
        },
    }
}

/// Answers each look-up of a name with the next answer of its line.
#[derive(Debug, Default)]
struct Answers(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().expect("no panic");
        match answers.get_mut(name) {
            Some(left) if !left.is_empty() => Ok(left.remove(0)),
            _ => panic!("{name} is looked up once too often, or at all"),
        }
    }
}

#[test]
fn the_corpus_is_whole() {
    let lines = lines();
    assert!(lines.len() >= 250, "{} lines", lines.len());
    let texts: Vec<_> = lines.iter().map(|line| &line.case).collect();
    for (index, case) in texts.iter().enumerate() {
        assert!(!texts[..index].contains(case), "twice: {case:?}");
    }
}

#[test]
fn every_spelling_is_what_the_corpus_says() {
    let policy = Policy::default();
    let mut wrong = Vec::new();
    for (number, text, names, verdict) in hosts() {
        let named = Host::parse(&text).ok().map(|host| host.to_string());
        let judged = class_of(&policy.judge_name(&text, 443));
        if (&named, &judged) != (&names, &verdict) {
            wrong.push(format!("line {number}: names {named:?}, {judged}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_normal_form_of_a_spelling_is_judged_as_the_spelling() {
    let policy = Policy::default();
    for (number, text, names, _) in hosts() {
        if let Some(names) = names {
            let (one, other) = (
                policy.judge_name(&text, 443),
                policy.judge_name(&names, 443),
            );
            assert_eq!(one, other, "line {number}");
        }
    }
}

#[test]
fn a_rule_in_any_spelling_admits_what_it_names_in_any_other() {
    for (number, text, names, _) in hosts() {
        let Some(names) = names else {
            assert!(
                text.parse::<Rule>().is_err() || text.contains([':', '*']),
                "line {number}"
            );
            continue;
        };
        let rule: Rule = format!("{names}:443").parse().expect("a rule");
        let policy = Policy::with_rules(vec![rule]);
        let verdict = policy.judge_name(&text, 443);
        let only_by_address = portolan_egress::policy::METADATA_NAMES.contains(&names.as_str());
        assert_eq!(verdict.is_denied(), only_by_address, "line {number}");
    }
}

#[test]
fn every_spelling_keeps_the_laws_that_the_fuzzer_tries() {
    for (_, text, names, _) in hosts() {
        let names = names.unwrap_or_default();
        let input = format!("{names}:443\n{text}\n{}", names.trim_matches(['[', ']']));
        portolan_egress::fuzzing::policy(input.as_bytes());
    }
}

#[tokio::test]
async fn the_guard_looks_up_only_what_is_a_name_and_denies_the_rest_as_the_policy_does() {
    // Whatever is looked up makes the test fail.
    let egress = Egress::new(EgressOptions {
        resolver: Arc::new(Answers::default()),
        ..EgressOptions::default()
    });
    for (number, text, _, verdict) in hosts() {
        let steps = egress.explain(&text, 443, false).await;
        let last = steps.last().expect("a conclusion");
        match verdict.as_str() {
            "resolve" => assert_eq!(last, &Judgement::Conclusion(Conclusion::Undecided)),
            "public" => assert_eq!(last, &Judgement::Conclusion(Conclusion::Allowed)),
            _ => {
                let error = egress.resolve(&text, 443).await.expect_err("denied");
                assert!(
                    matches!(error, EgressError::Denied(_)),
                    "line {number}: {error}"
                );
                assert_eq!(last, &Judgement::Conclusion(Conclusion::Refused(error)));
            }
        }
    }
}

#[tokio::test]
async fn every_name_is_judged_by_what_it_resolves_to_at_each_look_up() {
    let mut names = 0;
    for line in lines() {
        let number = line.number;
        let Case::Name { name, look_ups } = line.case else {
            continue;
        };
        names += 1;
        let address = |text: &String| text.parse::<IpAddr>().expect("an address");
        let answers = look_ups
            .iter()
            .map(|(found, _)| found.iter().map(address).collect());
        let resolver = Answers(Mutex::new(HashMap::from([(
            name.clone(),
            answers.collect(),
        )])));
        let egress = Egress::new(EgressOptions {
            resolver: Arc::new(resolver),
            ..EgressOptions::default()
        });
        for (found, verdict) in &look_ups {
            let judged = match egress.resolve(&name, 443).await {
                Ok(resolved) => format!("dials {}", resolved.count()),
                Err(EgressError::NoSuchName { .. }) => "nothing".to_owned(),
                Err(EgressError::Denied(denial)) => {
                    let shown = format!("{denial} {} {denial:?}", denial.hint());
                    for address in found.iter().filter(|address| address.len() > 3) {
                        assert!(!shown.contains(address.as_str()), "line {number}: {shown}");
                    }
                    class_of(&Verdict::Denied(denial))
                }
                Err(error) => panic!("line {number}: {error}"),
            };
            assert_eq!(&judged, verdict, "line {number}");
        }
    }
    assert!(names >= 40, "{names} names");
}

#[test]
fn what_is_no_label_never_makes_another_host_unnoticed() {
    let mut labels = 0;
    for line in lines() {
        let Case::Label { text, is_label } = line.case else {
            continue;
        };
        labels += 1;
        // What a provider would put together without a check of its own.
        let host = format!("s3.{text}.amazonaws.com");
        let same = Host::parse(&host) == Ok(Host::Name(host.clone()));
        let one = host.split('.').count() == 4;
        if is_label {
            assert!(same && one, "line {}", line.number);
        }
        // An underscore is no letter of a host, but the DNS has it: only the check tells.
        if same && one && !text.contains('_') {
            assert!(is_label, "line {}", line.number);
        }
    }
    assert!(labels >= 35, "{labels} labels");
}
