//! Text from a guest or a server, made safe to print.

/// `text` without what steers a terminal or hides: escape sequences (CSI, OSC and their kin) go
/// as a whole, C0 and C1 controls, bidirectional and zero-width controls by themselves; a tab or a
/// line break becomes a space. The result has at most `max_bytes` bytes and ends at a character.
///
/// Applied to its own result it changes nothing.
#[must_use]
pub fn strip_controls(text: &str, max_bytes: usize) -> String {
    // Nearly every text is this one, and has nothing to be looked for.
    if text.len() <= max_bytes && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len().min(max_bytes));
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let shown = match first {
            '\u{1b}' => {
                skip_escape(&mut rest);
                continue;
            }
            '\u{9b}' => {
                skip_control_sequence(&mut rest);
                continue;
            }
            // Device control, start of string, operating system, privacy and application strings.
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => {
                skip_string(&mut rest);
                continue;
            }
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
            hidden if is_hidden(hidden) => continue,
            other => other,
        };
        if kept.len() + shown.len_utf8() > max_bytes {
            break;
        }
        kept.push(shown);
    }
    kept
}

/// Whether a character is a control, or changes the order of others, or is there without being
/// seen.
pub(crate) fn is_hidden(one: char) -> bool {
    if one.is_ascii() {
        return one.is_ascii_control();
    }
    one.is_control()
        || matches!(one,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_escape(rest: &mut Rest<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        // Intermediates, then one final: `ESC ( B`.
        Some(' '..='/') => {
            while rest.next_if(|one| (' '..='/').contains(one)).is_some() {}
            rest.next_if(|one| ('0'..='~').contains(one));
        }
        Some('0'..='~') => {
            rest.next();
        }
        _ => {}
    }
}

/// Parameters and intermediates, then one final.
fn skip_control_sequence(rest: &mut Rest<'_>) {
    while rest.next_if(|one| (' '..='?').contains(one)).is_some() {}
    rest.next_if(|one| ('@'..='~').contains(one));
}

/// Up to BEL or the string terminator. A string that never ends takes the rest with it, as it
/// does on a terminal.
fn skip_string(rest: &mut Rest<'_>) {
    while let Some(one) = rest.next() {
        match one {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if rest.next_if_eq(&'\\').is_some() => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strip(text: &str) -> String {
        strip_controls(text, 4096)
    }

    #[test]
    fn escape_sequences_go_as_a_whole() {
        assert_eq!(strip("a\u{1b}[31;1mred\u{1b}[0mb"), "aredb");
        assert_eq!(strip("a\u{9b}2Jb"), "ab");
        assert_eq!(strip("a\u{1b}]0;title\u{7}b"), "ab");
        assert_eq!(
            strip("a\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\b"),
            "alinkb"
        );
        assert_eq!(strip("a\u{1b}Pq#0\u{1b}\\b\u{1b}(Bc\u{1b}cd"), "abcd");
        assert_eq!(strip("a\u{1b}]never ends"), "a");
        assert_eq!(strip("a\u{1b}"), "a");
    }

    #[test]
    fn controls_that_hide_or_reorder_go_and_breaks_become_spaces() {
        assert_eq!(strip("a\u{0}b\u{8}c\u{7f}d\u{86}e"), "abcde");
        assert_eq!(
            strip("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{e0041}f"),
            "abcdef"
        );
        assert_eq!(strip("one\r\ntwo\tthree"), "one  two three");
        assert_eq!(strip("naïve 日本 🎉"), "naïve 日本 🎉");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(strip_controls("日本", 5), "日");
        assert_eq!(strip_controls("日本", 0), "");
        assert_eq!(strip_controls("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn what_is_stripped_stays_stripped_and_fits(text in "\\PC*|(?s).*", most in 0usize..200) {
            let once = strip_controls(&text, most);
            prop_assert!(once.len() <= most);
            prop_assert!(!once.chars().any(is_hidden));
            prop_assert_eq!(strip_controls(&once, most), once);
        }
    }
}
