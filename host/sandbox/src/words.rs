//! Free text of a guest, made safe to show.

use std::sync::{Arc, Mutex, PoisonError};

use portolan_contract::{Fragment, PlanEntry, Secrets, StoredPlan, strip_controls};
use portolan_secret::{Scrubber, SecretBytes};

/// The most bytes of a message or hint that are shown.
pub(crate) const MAX_MESSAGE: usize = 4096;
/// The most bytes of a fact, its name included.
pub(crate) const MAX_FACT: usize = 1024;
/// The most facts of a failure.
const MAX_FACTS: usize = 16;
/// Text that is longer is not looked at: searching it would take the host's time, and cutting it
/// first could cut a secret in two.
const MAX_SEARCHED: usize = 64 << 10;

/// What stands where text had to be dropped.
const LEFT_OUT: &str = "(left out)";

/// The most secrets that were fetched for one connection and are still looked for: a service may send
/// back the token before the last one.
const MOST_FETCHED: usize = 8;

/// Takes secrets and controls out of what one guest says in one operation.
#[derive(Debug)]
pub(crate) struct Words {
    scrubber: Scrubber,
    /// The same that know a few more. Kept, because operations of one connection fetch the same
    /// secrets, and making what finds them takes as long as a call.
    richer: Mutex<Option<Richer>>,
}

#[derive(Debug)]
struct Richer {
    fetched: Vec<SecretBytes>,
    words: Arc<Words>,
}

impl Words {
    /// For a guest that sees the URI's secrets, or some of them, in clear.
    pub(crate) fn seeing(secrets: &Secrets) -> Self {
        Self::new(secrets.scrubber())
    }

    /// For a guest that sees none, and talks to nobody: what it says was made of what is shown
    /// anyway, so there is nothing to search for, and no secret is too short.
    pub(crate) fn blind() -> Self {
        Self::new(Scrubber::default())
    }

    /// For phase two: a server may send back what was sent to it, a composed secret or the secret
    /// in it.
    pub(crate) fn acting(plan: &StoredPlan) -> Self {
        let composed = plan.secrets.iter().map(|(_, value)| value.expose());
        let alone = plan.plan.entries.iter().filter_map(|entry| match entry {
            PlanEntry::Secret(named) => {
                let value = plan.secret(&named.name)?;
                alone(&named.fragments, value.expose())
            }
            _ => None,
        });
        Self::new(Scrubber::new(composed.chain(alone)))
    }

    fn new(scrubber: Scrubber) -> Self {
        Self {
            scrubber,
            richer: Mutex::default(),
        }
    }

    /// The same, which look for these as well: secrets that the host fetched and no plan has. They
    /// are those of the call before where that fetched the same.
    pub(crate) fn knowing(self: &Arc<Self>, fetched: &[SecretBytes]) -> Arc<Self> {
        let knows = |words: &Self| {
            let mut fetched = fetched.iter();
            fetched.all(|secret| words.scrubber.knows(secret.expose()))
        };
        if knows(self) {
            return Arc::clone(self);
        }
        let mut richer = self.richer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match richer.take() {
            Some(known) if knows(&known.words) => {
                let words = Arc::clone(&known.words);
                *richer = Some(known);
                return words;
            }
            before => before.map(|known| known.fetched).unwrap_or_default(),
        };
        let mut learned = fetched.to_vec();
        learned.extend(before);
        learned.truncate(MOST_FETCHED.max(fetched.len()));
        let mut scrubber = self.scrubber.clone();
        for secret in &learned {
            scrubber.add(secret);
        }
        let words = Arc::new(Self::new(scrubber));
        *richer = Some(Richer {
            fetched: learned,
            words: Arc::clone(&words),
        });
        words
    }

    /// The text without secrets and controls, at most `most` bytes of it, or nothing where it may
    /// hold a secret that cannot be found.
    pub(crate) fn clean(&self, text: &str, most: usize) -> Option<String> {
        if text.len() > MAX_SEARCHED {
            return None;
        }
        // A secret with controls in it is found before they are stripped, one with controls put
        // between its letters afterwards.
        let scrubbed = self.scrubber.scrub(text)?;
        let stripped = strip_controls(&scrubbed, usize::MAX);
        if stripped == scrubbed {
            return Some(strip_controls(&scrubbed, most));
        }
        let scrubbed = self.scrubber.scrub(&stripped)?;
        Some(strip_controls(&scrubbed, most))
    }

    /// Whether every text is dropped, because a secret is too short to be found reliably.
    pub(crate) fn are_dropped(&self) -> bool {
        self.scrubber.drops_all()
    }

    /// As [`Words::clean`], with a remark where text was dropped.
    pub(crate) fn line(&self, text: &str, most: usize) -> String {
        self.clean(text, most)
            .unwrap_or_else(|| LEFT_OUT.to_owned())
    }

    /// Pairs of a name and a text. One whose text or name had to be dropped is left out.
    pub(crate) fn facts(&self, facts: Vec<(String, String)>, most: usize) -> Vec<(String, String)> {
        facts
            .into_iter()
            .take(MAX_FACTS)
            .filter_map(|(name, text)| Some((self.clean(&name, 64)?, self.clean(&text, most)?)))
            .collect()
    }

    /// Whether a secret that can be found stands in the text.
    pub(crate) fn finds_a_secret(&self, text: &str) -> bool {
        let found = |text: &str| self.scrubber.scrub(text).is_some_and(|clean| clean != text);
        let stripped = strip_controls(text, usize::MAX);
        found(text) || stripped != text && found(&stripped)
    }

    /// Whether a secret stands in the text, or may stand there and cannot be found.
    pub(crate) fn may_hold_a_secret(&self, text: &str) -> bool {
        self.scrubber.scrub(text).is_none() || self.finds_a_secret(text)
    }
}

/// The one secret of a composed value, without the text around it.
fn alone<'a>(fragments: &[Fragment], value: &'a [u8]) -> Option<&'a [u8]> {
    let is_secret = |fragment: &Fragment| matches!(fragment, Fragment::Secret(_));
    let text = |fragments: &[Fragment]| -> usize {
        let lengths = fragments.iter().map(|fragment| match fragment {
            Fragment::Text(text) => text.len(),
            Fragment::Secret(_) => 0,
        });
        lengths.sum()
    };
    let first = fragments.iter().position(is_secret)?;
    let (before, after) = (&fragments[..first], &fragments[first + 1..]);
    if after.iter().any(is_secret) {
        return None;
    }
    value.get(text(before)..value.len().checked_sub(text(after))?)
}

#[cfg(test)]
mod tests {
    use portolan_contract::{Manifest, split};
    use portolan_secret::SecretText;

    use super::*;

    fn secrets(value: &str) -> Secrets {
        let manifest = Manifest::parse(
            "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
             kinds = [\"storage\"]\noperations = []",
        )
        .expect("a manifest");
        let uri = SecretText::new(format!("n://h/p?token={value}"));
        split(&uri, &manifest).expect("it splits").secrets
    }

    #[test]
    fn a_secret_is_found_with_controls_between_its_letters_and_in_it() {
        let words = Words::seeing(&secrets("hunter%0a2hunter2"));
        for text in [
            "it is hunter\n2hunter2",
            "it is hun\u{1b}[0mter\n2hun\u{200b}ter2",
            "it is aHVudGVyCjJodW50ZXIy",
        ] {
            let clean = words.clean(text, 100).expect("searchable");
            assert!(
                !clean.contains("hun") && !clean.contains("VudGV"),
                "{clean}"
            );
        }
    }

    #[test]
    fn cutting_never_leaves_a_part_of_a_secret() {
        let words = Words::seeing(&secrets("hunter2hunter2"));
        for most in 0..40 {
            let clean = words.clean("the password is hunter2hunter2!", most);
            assert!(!clean.expect("searchable").contains("hu"));
        }
    }

    #[test]
    fn a_short_secret_drops_the_words_of_a_guest_that_sees_it() {
        let short = secrets("abc");
        assert_eq!(Words::seeing(&short).clean("any words", 100), None);
        assert_eq!(Words::seeing(&short).line("any words", 100), "(left out)");
        assert_eq!(
            Words::blind().clean("any words", 100).as_deref(),
            Some("any words")
        );
    }

    #[test]
    fn the_secret_in_a_composed_value_is_known_by_itself() {
        let text = |text: &str| Fragment::Text(text.to_owned());
        let basic = [text("user"), text(":"), Fragment::Secret(0), text("!")];
        assert_eq!(alone(&basic, b"user:hunter2!"), Some(&b"hunter2"[..]));
        assert_eq!(alone(&[Fragment::Secret(0)], b"x"), Some(&b"x"[..]));
        assert_eq!(alone(&[text("x")], b"x"), None);
    }

    #[test]
    fn what_was_fetched_is_looked_for_and_what_finds_it_is_made_once() {
        let fetched = |number: usize| [SecretBytes::new(format!("t0k3n-{number}-of-it"))];
        let words = Arc::new(Words::blind());
        let first = words.knowing(&fetched(1));
        assert_eq!(first.line("a t0k3n-1-of-it", 100), "a redacted");
        assert_eq!(words.line("a t0k3n-1-of-it", 100), "a t0k3n-1-of-it");
        assert!(Arc::ptr_eq(&first, &words.knowing(&fetched(1))));
        assert!(Arc::ptr_eq(&first, &first.knowing(&fetched(1))));
        assert!(Arc::ptr_eq(&words, &words.knowing(&[])));
        // The one before is still looked for, and not all that ever were.
        let second = words.knowing(&fetched(2));
        let both = second.line("t0k3n-1-of-it t0k3n-2-of-it", 100);
        assert_eq!(both, "redacted redacted");
        let last = (3..=2 + MOST_FETCHED).fold(second, |_, number| words.knowing(&fetched(number)));
        assert_eq!(last.line("t0k3n-2-of-it", 100), "t0k3n-2-of-it");
    }

    #[test]
    fn a_text_too_long_to_search_is_dropped() {
        let words = Words::seeing(&Secrets::default());
        assert_eq!(words.clean(&"a".repeat(MAX_SEARCHED + 1), 100), None);
        assert_eq!(
            words.clean(&"a".repeat(MAX_SEARCHED), 100),
            Some("a".repeat(100))
        );
    }
}
