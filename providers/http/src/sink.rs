//! The options of the changefeeds that write files to the server. They are kept as they are spelt;
//! whoever writes the files reads them.

use portolan_sdk::{Failure, Options, joined};

/// How files may be parted by time.
const PARTITION_FORMATS: [&str; 3] = ["daily", "hourly", "flat"];

/// What may stand behind the number of a size.
const SIZES: [&str; 10] = ["", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib"];

/// What may stand behind a number of a duration, and its nanoseconds.
const DURATIONS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

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
            milliseconds(text).is_some(),
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

/// The milliseconds of numbers with their units, one after another, at least 1; none for what is no
/// duration, or none at all.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let (mut rest, mut nanoseconds) = (text, 0_u64);
    while !rest.is_empty() {
        let (number, after) = number(rest)?;
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, unit) = DURATIONS.iter().find(|(name, _)| *name == unit)?;
        nanoseconds = nanoseconds.saturating_add(times(number, *unit));
        rest = after;
    }
    (nanoseconds > 0).then(|| (nanoseconds / 1_000_000).max(1))
}

/// A decimal number of units, each of so many nanoseconds; what is below one is left out.
fn times(number: &str, unit: u64) -> u64 {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut sum = match whole {
        "" => 0,
        whole => whole.parse().unwrap_or(u64::MAX).saturating_mul(unit),
    };
    let mut part = unit;
    for digit in fraction.bytes() {
        part /= 10;
        sum = sum.saturating_add(part.saturating_mul(u64::from(digit.saturating_sub(b'0'))));
    }
    sum
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
    fn a_duration_is_told_in_milliseconds() {
        for (text, expected) in [
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            (".25s", 250),
            ("1.0005s", 1_000),
            ("10µs", 1),
            ("999999999999999999h", u64::MAX / 1_000_000),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
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
