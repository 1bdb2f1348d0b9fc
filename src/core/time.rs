//! Durations and instants as people write and read them.

use std::time::{Duration, SystemTime};

/// The longest duration that a configuration may name: 100 years. Sums of a few cannot overflow.
pub const MAX_DURATION: Duration = Duration::from_hours(100 * 365 * 24);

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DurationError {
    /// Not `NUMBER UNIT …`.
    #[error("a duration is a number and a unit, such as \"500ms\", \"5s\" or \"2m\"")]
    Form,
    /// A unit nobody knows.
    #[error("the units of a duration are ms, s, m, h and d")]
    Unit,
    /// Beyond [`MAX_DURATION`].
    #[error("a duration is at most 100 years")]
    TooLong,
}

/// Reads `"500ms"`, `"5s"`, `"2m"`, `"1h30m"`, `"1.5s"`; without a unit: seconds.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return seconds(number(text)?);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (amount, tail) = rest.split_at(digits);
        let amount = number(amount)?;
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        total += amount * unit_seconds(unit).ok_or(DurationError::Unit)?;
        rest = tail.trim_start();
    }
    if text.is_empty() { Err(DurationError::Form) } else { seconds(total) }
}

/// A number of seconds as a duration; negative ones, NaN and too large ones are refused.
pub fn seconds(number: f64) -> Result<Duration, DurationError> {
    if number.is_nan() || number < 0.0 {
        return Err(DurationError::Form);
    }
    match Duration::try_from_secs_f64(number) {
        Ok(duration) if duration <= MAX_DURATION => Ok(duration),
        _ => Err(DurationError::TooLong),
    }
}

/// Writes a duration with its two leading units: `350ms`, `2.5s`, `1m 5s`, `3h 12m`, `2d 4h`.
pub fn duration_text(duration: Duration) -> String {
    let (ms, s) = (duration.as_millis(), duration.as_secs());
    match s {
        0 => format!("{ms}ms"),
        1..10 if ms / 100 % 10 != 0 => format!("{s}.{}s", ms / 100 % 10),
        1..60 => format!("{s}s"),
        60..3600 => two(s / 60, "m", s % 60, "s"),
        3600..86_400 => two(s / 3600, "h", s / 60 % 60, "m"),
        _ => two(s / 86_400, "d", s / 3600 % 24, "h"),
    }
}

/// An instant in RFC 3339, UTC, with milliseconds: `2026-01-01T00:00:00.000Z`.
pub fn rfc3339(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::MAX);
    format!("{at:.3}")
}

fn number(text: &str) -> Result<f64, DurationError> {
    let wellformed = text.bytes().any(|b| b.is_ascii_digit());
    if wellformed {
        text.parse().map_err(|_| DurationError::Form)
    } else {
        Err(DurationError::Form)
    }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

fn two(major: u64, major_unit: &str, minor: u64, minor_unit: &str) -> String {
    if minor == 0 {
        format!("{major}{major_unit}")
    } else {
        format!("{major}{major_unit} {minor}{minor_unit}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("5s"), Ok(5000));
        assert_eq!(ms("2m"), Ok(120_000));
        assert_eq!(ms("1h 30m"), Ok(5_400_000));
        assert_eq!(ms("1.5s"), Ok(1500));
        assert_eq!(ms("7"), Ok(7000));
        assert_eq!(ms(""), Err(DurationError::Form));
        assert_eq!(ms("."), Err(DurationError::Form));
        assert_eq!(ms("s"), Err(DurationError::Form));
        assert_eq!(ms("-5s"), Err(DurationError::Form));
        assert_eq!(ms("1.2.3s"), Err(DurationError::Form));
        assert_eq!(ms("5x"), Err(DurationError::Unit));
        assert_eq!(ms("1m30"), Err(DurationError::Unit));
        assert_eq!(ms("99999999999d"), Err(DurationError::TooLong));
        assert_eq!(seconds(f64::NAN), Err(DurationError::Form));
        assert_eq!(seconds(f64::INFINITY), Err(DurationError::TooLong));
    }

    #[test]
    fn durations_are_written() {
        let text = |ms| duration_text(Duration::from_millis(ms));
        assert_eq!(text(0), "0ms");
        assert_eq!(text(350), "350ms");
        assert_eq!(text(2600), "2.6s");
        assert_eq!(text(3000), "3s");
        assert_eq!(text(65_000), "1m 5s");
        assert_eq!(text(11_520_000), "3h 12m");
        assert_eq!(text(172_800_000), "2d");
    }

    #[test]
    fn instants_have_milliseconds() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_007);
        assert_eq!(rfc3339(at), "2026-01-01T00:00:00.007Z");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,20}") {
            let _outcome = parse_duration(&text);
        }

        #[test]
        fn whole_seconds_survive(s in 0_u64..60) {
            let text = duration_text(Duration::from_secs(s));
            prop_assert_eq!(parse_duration(&text), Ok(Duration::from_secs(s)));
        }
    }
}
