//! The time at the head of a record: always 24 bytes, and ordered as bytes as it is in time.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::Offset;

/// UTC with milliseconds, `2026-01-01T00:00:00.123Z`. Times outside of the years 1970 to 9999 are
/// moved to the nearest of them.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stamp([u8; Self::LEN]);

impl Stamp {
    /// Bytes of a stamp.
    pub const LEN: usize = 24;

    /// 1970: earlier than any line.
    pub const MIN: Self = Self(*b"1970-01-01T00:00:00.000Z");

    /// The stamp of a time.
    pub fn of(at: SystemTime) -> Self {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let time = Timestamp::try_from(SystemTime::UNIX_EPOCH + since).unwrap_or(Timestamp::MAX);
        let civil = Offset::UTC.to_datetime(time);
        let mut stamp = Self::MIN;
        let mut put = |from: usize, to: usize, mut value: u32| {
            for digit in stamp.0[from..to].iter_mut().rev() {
                *digit = b"0123456789"[value as usize % 10];
                value /= 10;
            }
        };
        put(0, 4, u32::from(civil.year().unsigned_abs()));
        put(5, 7, u32::from(civil.month().unsigned_abs()));
        put(8, 10, u32::from(civil.day().unsigned_abs()));
        put(11, 13, u32::from(civil.hour().unsigned_abs()));
        put(14, 16, u32::from(civil.minute().unsigned_abs()));
        put(17, 19, u32::from(civil.second().unsigned_abs()));
        put(20, 23, since.subsec_millis());
        stamp
    }

    /// A stamp from the first bytes of a record, if they have its shape.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let stamp: [u8; Self::LEN] = bytes.get(..Self::LEN)?.try_into().ok()?;
        let shaped = Self::MIN.0.iter().zip(&stamp).all(|(model, byte)| {
            if model.is_ascii_digit() { byte.is_ascii_digit() } else { byte == model }
        });
        shaped.then_some(Self(stamp))
    }

    /// The text, which is RFC 3339.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("both ways to make a stamp give ASCII")
    }

    /// The text as bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The text down to the second: what a check "at most once a second" compares.
    pub fn second(&self) -> &[u8] {
        &self.0[..19]
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn a_stamp_is_rfc_3339_with_milliseconds() {
        assert_eq!(Stamp::of(at(1_767_225_600_123)).as_str(), "2026-01-01T00:00:00.123Z");
        assert_eq!(Stamp::of(at(951_825_599_999)).as_str(), "2000-02-29T11:59:59.999Z");
        assert_eq!(Stamp::of(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), Stamp::MIN);
    }

    #[test]
    fn other_text_is_no_stamp() {
        assert_eq!(Stamp::parse(b""), None);
        assert_eq!(Stamp::parse(b"2026-01-01T00:00:00.123"), None);
        assert_eq!(Stamp::parse(b"2026-01-01 00:00:00.123Z out"), None);
    }

    proptest! {
        #[test]
        fn the_order_of_the_bytes_is_the_order_in_time(a in 0..4_000_000_000_000_u64, b in 0..4_000_000_000_000_u64) {
            prop_assert_eq!(Stamp::of(at(a)).cmp(&Stamp::of(at(b))), a.cmp(&b));
            prop_assert_eq!(Stamp::parse(Stamp::of(at(a)).as_bytes()), Some(Stamp::of(at(a))));
            let read: Timestamp = Stamp::of(at(a)).as_str().parse().unwrap();
            prop_assert_eq!(read.as_millisecond(), i64::try_from(a).unwrap());
        }
    }
}
