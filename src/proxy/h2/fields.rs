//! Header fields of HTTP/2, in and out.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::proxy::{fields::Fields, forwarded::each_trailer};

/// Reads all fields of a map.
pub(super) fn from_map(map: &HeaderMap, fields: &mut Fields) {
    for (name, value) in map {
        fields.push(name.as_str().as_bytes(), value.as_bytes());
    }
}

/// Adds a field, if it is one that HTTP/2 can carry.
pub(super) fn append(map: &mut HeaderMap, name: &[u8], value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        map.append(name, value);
    }
}

/// The trailers that go on.
pub(super) fn trailers_to_map(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::new();
    each_trailer(fields, |name, value| append(&mut map, name, value));
    map
}
