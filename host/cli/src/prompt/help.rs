//! `\h`: the grammar of the statements, from the definitions that the parser is tested with.

use std::fmt::Write as _;

use portolan_statement::help::{self, Topic};

/// The help on a statement, or the list of what there is help on.
pub(super) fn text(wanted: &str) -> String {
    match help::find(wanted) {
        Some(topic) => page(topic),
        None if wanted.is_empty() => list(),
        None => format!("There is no help on that.\n{}", list()),
    }
}

fn list() -> String {
    let mut text = String::from("There is help on");
    for topic in help::contents() {
        let _ = write!(text, "\n  {}", topic.title());
    }
    text
}

fn page(topic: &Topic) -> String {
    let mut text = String::new();
    for line in topic.synopsis.lines() {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "{}", topic.text);
    for term in topic.terms() {
        let _ = writeln!(text, "  {}: {}", term.name, term.meaning);
    }
    let _ = write!(text, "Example:\n  {};", topic.example.trim_end_matches(';'));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_page_that_shows_its_example() {
        for topic in help::contents() {
            assert!(
                text(topic.title()).contains(topic.example.trim_end_matches(';')),
                "{}",
                topic.title()
            );
        }
    }

    #[test]
    fn what_is_not_known_gets_the_list() {
        assert!(text("weather").starts_with("There is no help on that."));
        assert!(text("").contains("CREATE EXTERNAL CONNECTION"));
    }
}
