//! Recovery phrases: a slot's key as 24 words that a person can write down (BIP 39, English).
//!
//! The words hold 256 random bits and 8 bits of checksum. Words that are misspelled are told by their
//! place and never repeated; of 256 phrases in which one word was taken for another, 255 are told from
//! the right one at once, and the last opens nothing.

use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

use crate::SecretText;
use crate::cipher::random_key;
use crate::keys::{KeyError, SlotKey, derive};
use crate::slots::to_key;

/// Words of a phrase.
pub const WORDS: usize = 24;

/// Why a text is no recovery phrase. Holds no word of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// It has fewer or more words.
    #[error("it has {found} words, and a phrase has {WORDS}")]
    Count {
        /// How many it has.
        found: usize,
    },
    /// A word is none of those that phrases are made of.
    #[error("word {place} is none of the words that phrases are made of")]
    Word {
        /// Which word, counted from 1.
        place: usize,
    },
    /// All words are right by themselves, but not together.
    #[error("the words do not belong together: one was taken for another, or two changed places")]
    Checksum,
}

impl PhraseError {
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Count { .. } => "Write the words in their order, with a space between them.",
            Self::Word { .. } => {
                "Compare this word with what was written down; each is known by its first four letters."
            }
            Self::Checksum => "Compare each word, and their order, with what was written down.",
        }
    }
}

/// Makes a new phrase, and the key that it stands for.
///
/// # Errors
/// [`KeyError::NoRandomness`].
pub fn generate() -> Result<(SecretText, SlotKey), KeyError> {
    let entropy = random_key()?;
    let phrase = Mnemonic::from_entropy_in(Language::English, entropy.as_slice())
        .map_err(|_| KeyError::NoRandomness)?;
    // As long as the longest phrase, so that nothing is left behind by growing.
    let mut words = Zeroizing::new(String::with_capacity(WORDS * 9));
    for word in phrase.words() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    let key = SlotKey(derive(&entropy, PURPOSE));
    Ok((SecretText::new(std::mem::take(&mut *words)), key))
}

/// The key that a phrase stands for. Capitals, line ends and spaces too many do no harm. `place` says
/// in errors where the text came from.
///
/// # Errors
/// [`KeyError::NotAPhrase`].
pub fn read(text: &SecretText, place: &str) -> Result<SlotKey, KeyError> {
    let refused = |reason| KeyError::NotAPhrase {
        place: place.to_owned(),
        reason,
    };
    let mut words = Zeroizing::new(String::with_capacity(text.len() + 1));
    for word in text.expose().split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    let found = words.split(' ').filter(|word| !word.is_empty()).count();
    if found != WORDS {
        return Err(refused(PhraseError::Count { found }));
    }
    let phrase = Mnemonic::parse_in_normalized(Language::English, &words).map_err(|error| {
        refused(match error {
            bip39::Error::UnknownWord(place) => PhraseError::Word { place: place + 1 },
            bip39::Error::BadWordCount(found) => PhraseError::Count { found },
            _ => PhraseError::Checksum,
        })
    })?;
    let (entropy, length) = phrase.to_entropy_array();
    let entropy = Zeroizing::new(entropy);
    let key = entropy.get(..length).and_then(to_key);
    let key = key.ok_or_else(|| refused(PhraseError::Count { found }))?;
    Ok(SlotKey(derive(&key, PURPOSE)))
}

const PURPOSE: &str = "portolan recovery phrase v1";

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> PhraseError {
        let error = read(&SecretText::from(text), "the phrase").expect_err("is none");
        for word in ["swordfishes", "winner", "absurd", "doctor"] {
            let told = format!("{error} {error:?} {:?}", error.hint());
            assert!(!told.contains(word), "{told}");
        }
        match error {
            KeyError::NotAPhrase { reason, .. } => reason,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_phrase_is_read_back_as_people_write_it() {
        let (phrase, key) = generate().expect("random bytes");
        assert_eq!(phrase.expose().split(' ').count(), WORDS);
        let words = phrase.expose();
        for text in [
            words.to_owned(),
            words.to_uppercase(),
            format!("\n {}\t\r\n", words.replace(' ', "\n  ")),
        ] {
            let read = read(&SecretText::new(text), "a test").expect("is one");
            assert_eq!(read.to_text(), key.to_text());
        }
        let (other, _) = generate().expect("random bytes");
        assert_ne!(other, phrase);
    }

    #[test]
    fn a_wrong_word_is_named_by_its_place_and_not_repeated() {
        let (phrase, _) = generate().expect("random bytes");
        let mut words: Vec<&str> = phrase.expose().split(' ').collect();
        words[16] = "swordfishes";
        assert_eq!(refusal(&words.join(" ")), PhraseError::Word { place: 17 });
        words.pop();
        assert_eq!(refusal(&words.join(" ")), PhraseError::Count { found: 23 });
        assert_eq!(refusal(""), PhraseError::Count { found: 0 });
        let twelve = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(refusal(twelve), PhraseError::Count { found: 12 });
    }

    #[test]
    fn words_that_do_not_belong_together_are_told() {
        // A published vector of BIP 39, of which the last word carries the checksum.
        let right = "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless";
        let key = read(&SecretText::from(right), "a vector").expect("is one");
        // HKDF-Expand (SHA-256) of 32 bytes of 0x80 for the purpose: phrases that were printed open for
        // as long as it stays so.
        assert_eq!(
            key.to_text().expose().trim(),
            "9098d11478d3700024c196d08bf68baee6e3d1d254d8a95b817a8eeef573a6b3"
        );
        assert_eq!(
            refusal(&right.replace("bless", "avoid")),
            PhraseError::Checksum
        );
        let swapped = right.replacen("letter advice", "advice letter", 1);
        assert_eq!(refusal(&swapped), PhraseError::Checksum);
    }
}
