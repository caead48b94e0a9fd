//! How long a connection waits for its server, where its URI says so.

use std::time::Duration;

use portolan_contract::Plan;

/// The setting of a plan that says it.
const SETTING: &str = "timeout";

/// The longest: a day. Who asks for more gets this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The time that a plan gives its server; none where it says nothing that can be read.
pub(super) fn patience_of(plan: &Plan) -> Option<Duration> {
    duration(plan.setting(SETTING)?)
}

/// A duration as Go writes it: numbers with their units, one after another, such as `1m30s`; not
/// zero.
fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut nanoseconds) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let number: f64 = number.parse().ok()?;
        nanoseconds += number
            * match unit {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                _ => return None,
            };
        rest = after;
    }
    let duration = Duration::try_from_secs_f64(nanoseconds / 1e9).unwrap_or(LONGEST);
    (!duration.is_zero()).then(|| duration.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_numbers_with_units() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("0s1ms", 1),
            ("5000µs", 5),
            ("999999999999999999h", 24 * 60 * 60 * 1000),
        ] {
            let expected = Some(Duration::from_millis(milliseconds));
            assert_eq!(duration(text), expected, "{text}");
        }
        for text in ["", "30", "s", "0s", "-1s", "1d", "1m 30s", "..s", "1e3s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
