//! The table of hostile spellings, `spellings.tsv`, against an empty policy, and with rules.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use portolan_egress::{AddressClass, Host, Policy, Reason, Rule, Verdict};

struct Spelling {
    line: usize,
    text: String,
    names: String,
    verdict: String,
}

/// Reads `\u{…}` and `\\`.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            plain.push('\\');
            rest = after;
        } else {
            let (code, after) = after
                .strip_prefix("u{")
                .and_then(|code| code.split_once('}'))
                .expect("an escape is \\u{…} or \\\\");
            let code = u32::from_str_radix(code, 16).expect("a hexadecimal number");
            plain.push(char::from_u32(code).expect("a character"));
            rest = after;
        }
    }
    plain + rest
}

fn table() -> Vec<Spelling> {
    include_str!("spellings.tsv")
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with("# "))
        .map(|(number, line)| {
            let [text, names, verdict] = line
                .split('\t')
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or_else(|_| panic!("line {} has not three columns", number + 1));
            Spelling {
                line: number + 1,
                text: unescape(text),
                names: names.to_owned(),
                verdict: verdict.to_owned(),
            }
        })
        .collect()
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

#[test]
fn every_spelling_is_what_the_table_says() {
    let policy = Policy::default();
    let mut wrong = Vec::new();
    for Spelling {
        line,
        text,
        names,
        verdict,
    } in table()
    {
        let named = Host::parse(&text).map_or_else(|_| "none".to_owned(), |host| host.to_string());
        let judged = class_of(&policy.judge_name(&text, 443));
        if (&named, &judged) != (&names, &verdict) {
            wrong.push(format!("line {line}: names {named}, {judged}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_normal_form_of_a_spelling_is_judged_as_the_spelling() {
    let policy = Policy::default();
    for Spelling {
        line, text, names, ..
    } in table()
    {
        if names != "none" {
            let (one, other) = (
                policy.judge_name(&text, 443),
                policy.judge_name(&names, 443),
            );
            assert_eq!(one, other, "line {line}");
        }
    }
}

#[test]
fn a_rule_in_any_spelling_admits_what_it_names_in_any_other() {
    for Spelling {
        line, text, names, ..
    } in table()
    {
        if names == "none" {
            assert!(
                text.parse::<Rule>().is_err() || text.contains([':', '*']),
                "line {line}"
            );
            continue;
        }
        let rule: Rule = format!("{names}:443").parse().expect("a rule");
        let policy = Policy::with_rules(vec![rule]);
        let verdict = policy.judge_name(&text, 443);
        let only_by_address = portolan_egress::policy::METADATA_NAMES.contains(&names.as_str());
        assert_eq!(verdict.is_denied(), only_by_address, "line {line}");
    }
}
