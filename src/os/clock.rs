//! The only place that reads a clock.

#![expect(clippy::disallowed_methods, reason = "this is where the clocks are read")]

use std::{
    fs, io,
    time::{Duration, Instant, SystemTime},
};

use jiff::Timestamp;

/// The time that only goes forward: for measuring and waiting.
pub fn now() -> Instant {
    Instant::now()
}

/// Waits, where there is nothing else that could be waited for.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The time on the wall: for people and files.
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// `time` as RFC 3339 in UTC with milliseconds, "2024-07-11T01:14:00.000Z"; a time that no
/// calendar has is the nearest it has.
pub fn rfc3339(time: SystemTime) -> String {
    let nearest = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::try_from(time).unwrap_or(nearest))
}

/// Which boot this is: pids and start times mean something only within one.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_milliseconds_always() {
        let second = SystemTime::UNIX_EPOCH + Duration::from_mins(28_677_674);
        assert_eq!(rfc3339(second), "2024-07-11T01:14:00.000Z");
        let nanos = second + Duration::new(0, 123_999_999);
        assert_eq!(rfc3339(nanos), "2024-07-11T01:14:00.123Z");
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60);
        assert!(rfc3339(far).starts_with("9999-"));
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(rfc3339(before), "1969-12-31T23:59:59.500Z");
    }

    #[test]
    fn one_boot_has_one_name() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert_eq!(boot_id().unwrap().len(), 36);
    }
}
