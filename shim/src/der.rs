//! A strict reader of DER: definite, minimal lengths and one-byte tags only, and nothing left over.

use crate::Refused;

/// `BOOLEAN`.
pub const BOOLEAN: u8 = 0x01;
/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `BIT STRING`.
pub const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`.
pub const OID: u8 = 0x06;
/// `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;
/// `SET`.
pub const SET: u8 = 0x31;

/// Reads one value after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

/// One value.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// Its tag.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
}

const MALFORMED: Refused = "it is not DER";

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next value.
    pub fn value(&mut self) -> Result<Value<'a>, Refused> {
        let [tag, first, rest @ ..] = self.0 else { return Err(MALFORMED) };
        let (length, head) = match (*first, rest) {
            (length @ 0..=0x7f, _) => (usize::from(length), 2),
            (0x81, [length @ 0x80..=0xff, ..]) => (usize::from(*length), 3),
            (0x82, [high @ 1..=0xff, low, ..]) => (usize::from(*high) << 8 | usize::from(*low), 4),
            _ => return Err(MALFORMED),
        };
        if tag & 0x1f == 0x1f || self.0.len() - head < length {
            return Err(MALFORMED);
        }
        let (whole, rest) = self.0.split_at(head + length);
        self.0 = rest;
        Ok(Value { tag: *tag, content: &whole[head..], whole })
    }

    /// The content of the next value, which has this tag.
    pub fn expect(&mut self, tag: u8) -> Result<&'a [u8], Refused> {
        self.value()?.tagged(tag)
    }

    /// The same, if there is such a value.
    pub fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Refused> {
        if self.0.first() == Some(&tag) { self.expect(tag).map(Some) } else { Ok(None) }
    }

    /// Goes into the next value, a sequence.
    pub fn sequence(&mut self) -> Result<Self, Refused> {
        self.expect(SEQUENCE).map(Self)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Refused> {
        if self.is_empty() { Ok(()) } else { Err(MALFORMED) }
    }
}

impl<'a> Value<'a> {
    /// Its content, if it has this tag.
    pub fn tagged(self, tag: u8) -> Result<&'a [u8], Refused> {
        if self.tag == tag { Ok(self.content) } else { Err(MALFORMED) }
    }
}

/// Reads exactly one value of this tag.
pub fn only(bytes: &[u8], tag: u8) -> Result<&[u8], Refused> {
    let mut reader = Reader::new(bytes);
    let content = reader.expect(tag)?;
    reader.end()?;
    Ok(content)
}

/// A `UTCTime` or `GeneralizedTime`, as RFC 5280 has them, in seconds since 1970.
pub fn time(value: Value<'_>) -> Result<i64, Refused> {
    let (century, digits) = match (value.tag, value.content) {
        (0x17, [digits @ .., b'Z']) if digits.len() == 12 => (None, digits),
        (0x18, [a, b, digits @ .., b'Z']) if digits.len() == 12 => (Some([*a, *b]), digits),
        _ => return Err(MALFORMED),
    };
    let two = |pair: &[u8]| match pair {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Ok(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => Err(MALFORMED),
    };
    let mut parts = [0; 6];
    for (part, pair) in parts.iter_mut().zip(digits.chunks(2)) {
        *part = two(pair)?;
    }
    let [year, month, day, hour, minute, second] = parts;
    let year = match century {
        Some(century) => two(&century)? * 100 + year,
        None if year < 50 => 2000 + year,
        None => 1900 + year,
    };
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return Err(MALFORMED);
    }
    // Days of the proleptic Gregorian calendar; the year starts in March, so that a leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Ok((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}
