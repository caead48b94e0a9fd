use std::collections::{BTreeSet, HashSet};

use super::*;
use crate::{keywords, parse};

#[test]
fn every_statement_has_one_topic_in_one_order() {
    let kinds: Vec<_> = contents().iter().map(|topic| topic.kind).collect();
    assert_eq!(kinds, StatementKind::ALL);
    // The kinds are declared in that order, so a new one at the end is missed nowhere.
    for (index, kind) in StatementKind::ALL.iter().enumerate() {
        assert_eq!(*kind as usize, index);
    }
    assert_eq!(StatementKind::ALL.last(), Some(&StatementKind::Rollback));
}

#[test]
fn every_example_parses_as_the_statement_that_it_explains() {
    for topic in contents() {
        let statement = parse(topic.example).expect(topic.example);
        assert_eq!(statement.kind(), topic.kind);
    }
}

#[test]
fn every_word_of_a_synopsis_is_a_keyword_or_a_term() {
    for topic in contents() {
        for word in topic
            .synopsis
            .split(|c: char| !is_word(c))
            .filter(|word| !word.is_empty())
        {
            let known = keywords().binary_search(&word).is_ok()
                || topics::TERMS.iter().any(|term| term.name == word);
            assert!(known, "{word} in the synopsis of {}", topic.title());
        }
    }
}

#[test]
fn every_text_that_a_synopsis_stands_for_parses() {
    for topic in contents() {
        let mut number = 0;
        for form in topic
            .synopsis
            .split("\n")
            .fold(Vec::<String>::new(), join_lines)
        {
            for text in expand(&form) {
                let statement = parse(&text)
                    .unwrap_or_else(|error| panic!("{text}\n{}", error.render(&text, false)));
                assert_eq!(statement.kind(), topic.kind, "{text}");
                number += 1;
            }
        }
        assert!(number > 0, "{}", topic.title());
    }
}

#[test]
fn a_topic_is_found_by_its_title_and_by_the_beginning_of_it() {
    for topic in contents() {
        assert_eq!(find(topic.title()), Some(topic));
        assert_eq!(
            find(&format!("  {};", topic.title().to_lowercase())),
            Some(topic)
        );
    }
    let kind = |text| find(text).map(|topic| topic.kind);
    assert_eq!(
        kind("show external connection"),
        Some(StatementKind::ShowConnections)
    );
    assert_eq!(kind("alter"), Some(StatementKind::AlterConnection));
    assert_eq!(kind("SHOW  AUD"), Some(StatementKind::ShowAudit));
    for none in ["", " ", "create", "show", "select", "alter table"] {
        assert_eq!(kind(none), None, "{none}");
    }
}

#[test]
fn the_terms_of_a_topic_explain_its_small_words() {
    let topic = find("GRANT").expect("a topic");
    let names: Vec<_> = topic.terms().iter().map(|term| term.name).collect();
    assert_eq!(
        names,
        ["privilege", "connection", "system_privilege", "role"]
    );
    let used: BTreeSet<_> = contents()
        .iter()
        .flat_map(Topic::terms)
        .map(|term| term.name)
        .collect();
    assert_eq!(
        used.len(),
        topics::TERMS.len(),
        "a term that no synopsis uses"
    );
}

/// A line that begins with a blank goes on with the form before it.
fn join_lines(mut forms: Vec<String>, line: &str) -> Vec<String> {
    match forms.last_mut() {
        Some(form) if line.starts_with(' ') => form.push_str(line),
        _ => forms.push(line.to_owned()),
    }
    forms
}

/// Every text that a synopsis stands for, but not every mixture of samples: the first, second and
/// third sample of each term stand together.
fn expand(synopsis: &str) -> HashSet<String> {
    let mut shapes = vec![synopsis.replace("[, …]", "…")];
    let mut texts = HashSet::new();
    while let Some(shape) = shapes.pop() {
        // The innermost group comes first: its opening bracket is the last before the first closing.
        let Some(close) = shape.find([']', '}']) else {
            for round in 0..3 {
                texts.insert(fill(&shape, round));
            }
            continue;
        };
        let open = shape[..close]
            .rfind(['[', '{'])
            .expect("an opening bracket");
        let (before, after) = (&shape[..open], &shape[close + 1..]);
        let inside = &shape[open + 1..close];
        let optional = shape[open..].starts_with('[');
        shapes.extend(inside.split('|').map(|one| format!("{before}{one}{after}")));
        if optional {
            shapes.push(format!("{before}{after}"));
        }
    }
    texts
}

/// Puts samples for the terms, and in every round but the first one more for each `…`.
fn fill(shape: &str, round: usize) -> String {
    let mut text = String::new();
    let mut last: &[&str] = &[];
    let mut rest = shape;
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        if let Some(term) = topics::TERMS.iter().find(|term| term.name == word) {
            last = term.samples;
            text.push_str(last[round % last.len()]);
            rest = &rest[length..];
        } else if length > 0 {
            text.push_str(word);
            rest = &rest[length..];
        } else {
            if c == '…' && round > 0 {
                text.push_str(", ");
                text.push_str(last[(round + 1) % last.len()]);
            } else if c != '…' {
                text.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    text
}
