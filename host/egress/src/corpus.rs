//! The corpus of hostile hosts, `corpus/hosts.tsv`, for every test that has something to say to it.
//!
//! Its head explains the columns. What must happen holds without any rule of the policy, whatever
//! provider the text was given to.

/// A line of the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, for messages.
    pub number: usize,
    /// What it holds.
    pub case: Case,
}

/// A hostile text, and what must happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// The text of a host.
    Host {
        /// The text, its escapes read.
        text: String,
        /// What it names in its normal form; nothing where it is no host.
        names: Option<String>,
        /// `resolve`, `denied`, or the class for which it is denied (`public`: it is not).
        verdict: String,
    },
    /// A name that resolves to these addresses.
    Name {
        /// The name.
        name: String,
        /// For each look-up in turn: the addresses, and `dials N`, `nothing`, or the class for
        /// which it is denied.
        look_ups: Vec<(Vec<String>, String)>,
    },
    /// A parameter that becomes one label of a host name.
    Label {
        /// The text, its escapes read.
        text: String,
        /// Whether it is one label; otherwise it has to be refused.
        is_label: bool,
    },
}

/// Every line.
///
/// # Panics
///
/// Where a line is none.
#[must_use]
#[expect(clippy::panic, reason = "a corpus that cannot be read tests nothing")]
pub fn lines() -> Vec<Line> {
    let file = include_str!("../corpus/hosts.tsv");
    let mut lines = Vec::new();
    for (index, line) in file.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        match read(line) {
            Some(case) => lines.push(Line { number, case }),
            None => panic!("line {number} of the corpus cannot be read"),
        }
    }
    lines
}

fn read(line: &str) -> Option<Case> {
    let mut columns = line.split('\t');
    let kind = columns.next()?;
    let columns: Vec<&str> = columns.collect();
    match (kind, &columns[..]) {
        ("host", [text, names, verdict]) => Some(Case::Host {
            text: unescape(text)?,
            names: (*names != "none").then(|| (*names).to_owned()),
            verdict: (*verdict).to_owned(),
        }),
        ("name", [name, answers, verdicts]) => {
            let answers = answers.split(';').map(|answer| {
                let addresses = answer.split(',').filter(|address| !address.is_empty());
                addresses.map(str::to_owned).collect()
            });
            let answers: Vec<Vec<String>> = answers.collect();
            let verdicts: Vec<&str> = verdicts.split(';').collect();
            (answers.len() == verdicts.len()).then(|| Case::Name {
                name: (*name).to_owned(),
                look_ups: answers
                    .into_iter()
                    .zip(verdicts.into_iter().map(str::to_owned))
                    .collect(),
            })
        }
        ("label", [text, verdict @ ("label" | "refused")]) => Some(Case::Label {
            text: unescape(text)?,
            is_label: *verdict == "label",
        }),
        _ => None,
    }
}

/// Reads `\u{…}` and `\\`.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            plain.push('\\');
            rest = after;
        } else {
            let (code, after) = after.strip_prefix("u{")?.split_once('}')?;
            plain.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            rest = after;
        }
    }
    Some(plain + rest)
}
