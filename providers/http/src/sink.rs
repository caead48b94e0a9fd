//! The options of the changefeeds that write files to the server. They are kept as they are spelt;
//! whoever writes the files reads them.

use portolan_sdk::{Failure, Options, joined};

/// How files may be parted by time.
const PARTITION_FORMATS: [&str; 3] = ["daily", "hourly", "flat"];

/// What may stand behind the number of a size.
const SIZES: [&str; 10] = ["", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib"];

/// What may stand behind a number of a duration.
const DURATIONS: [&str; 7] = ["ns", "us", "µs", "ms", "s", "m", "h"];

/// The settings that the options make, by name.
pub(crate) fn settings<'uri>(
    options: &mut Options<'uri>,
) -> Result<Vec<(&'static str, &'uri str)>, Failure> {
    let mut settings = Vec::new();
    for name in ["file_size", "partition_format", "topic_prefix", "timeout"] {
        if let Some(text) = options.text(name)? {
            settings.push((name, text));
        }
    }
    Ok(settings)
}

/// Refuses a setting that no changefeed could read.
pub(crate) fn check(name: &str, text: &str) -> Result<(), Failure> {
    let (is_sound, message, hint) = match name {
        "file_size" => (
            is_size(text),
            "file_size is not a size".to_owned(),
            "Write a number and a unit, such as 16MB.",
        ),
        "partition_format" => (
            PARTITION_FORMATS.contains(&text),
            joined(&["invalid partition_format of ", text]),
            "Write daily, hourly or flat.",
        ),
        "timeout" => (
            is_duration(text),
            "timeout is not a duration".to_owned(),
            "Write numbers with their units, such as 30s or 1m30s.",
        ),
        _ => (
            !text.bytes().any(|byte| byte.is_ascii_control()),
            joined(&[name, " holds a control character"]),
            "Write it without line breaks and tabs.",
        ),
    };
    if is_sound {
        return Ok(());
    }
    Err(Failure::invalid_uri(message)
        .with_hint(hint)
        .with_option(name))
}

/// A number, perhaps a space, perhaps a unit in any case; not zero.
fn is_size(text: &str) -> bool {
    let Some((number, rest)) = number(text) else {
        return false;
    };
    let unit = rest.strip_prefix(' ').unwrap_or(rest);
    is_positive(number) && SIZES.iter().any(|known| known.eq_ignore_ascii_case(unit))
}

/// Numbers with their units, one after another; not zero.
fn is_duration(text: &str) -> bool {
    let (mut rest, mut positive) = (text, false);
    while !rest.is_empty() {
        let Some((number, after)) = number(rest) else {
            return false;
        };
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if !DURATIONS.contains(&unit) {
            return false;
        }
        positive |= is_positive(number);
        rest = after;
    }
    positive
}

/// The decimal number at the beginning of a text, perhaps with a fraction, and what follows it.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let one_point = number.matches('.').count() <= 1;
    let has_digit = number.bytes().any(|byte| byte.is_ascii_digit());
    (one_point && has_digit && number.len() <= 18).then_some((number, rest))
}

fn is_positive(number: &str) -> bool {
    number.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, text: &str) -> Option<String> {
        check(name, text).err().map(|failure| {
            assert_eq!(failure.option_name.as_deref(), Some(name));
            failure.message
        })
    }

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for right in ["16MB", "16 MiB", "1048576", "1.5gb", "64kib", "3b"] {
            assert_eq!(refused("file_size", right), None, "{right}");
        }
        for wrong in [
            "", "MB", "0MB", "-1MB", "16XB", "1.2.3MB", "16MB!", "1e3", ".",
        ] {
            assert_eq!(
                refused("file_size", wrong).as_deref(),
                Some("file_size is not a size"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_duration_is_numbers_with_units() {
        for right in ["30s", "1m30s", "500ms", "1.5h", "0s1ms", "10µs"] {
            assert_eq!(refused("timeout", right), None, "{right}");
        }
        for wrong in ["", "30", "s", "0s", "-1s", "1d", "1m 30s", "30S", "..s"] {
            assert_eq!(
                refused("timeout", wrong).as_deref(),
                Some("timeout is not a duration"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn files_are_parted_in_three_ways() {
        for right in PARTITION_FORMATS {
            assert_eq!(refused("partition_format", right), None);
        }
        assert_eq!(
            refused("partition_format", "Daily").as_deref(),
            Some("invalid partition_format of Daily")
        );
        assert_eq!(
            refused("topic_prefix", "a\nb").as_deref(),
            Some("topic_prefix holds a control character")
        );
        assert_eq!(refused("topic_prefix", "bank/ä_"), None);
    }
}
