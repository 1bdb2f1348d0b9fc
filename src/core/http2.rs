//! What tells a server of HTTP/2 from one of HTTP/1, by the first bytes that it sends.

/// Whether these bytes begin with the first frame of a server of HTTP/2: its settings (RFC 9113, §3.4), on
/// stream 0 and no acknowledgement. One that speaks nothing else may send it unasked.
pub fn is_greeting(bytes: &[u8]) -> bool {
    let Some((&[0, high, low, 4, 0, 0, 0, 0, 0], _)) = bytes.split_first_chunk() else {
        return false;
    };
    u16::from_be_bytes([high, low]) % 6 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_settings_is_a_greeting_and_nothing_else() {
        assert!(is_greeting(&[0, 0, 0, 4, 0, 0, 0, 0, 0]));
        assert!(is_greeting(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]));
        for other in [
            &[0, 0, 6, 4, 0, 0, 0, 0][..], // not all of it yet
            &[0, 0, 5, 4, 0, 0, 0, 0, 0],  // settings are of six bytes each
            &[0, 0, 0, 4, 1, 0, 0, 0, 0],  // an acknowledgement
            &[0, 0, 0, 4, 0, 0, 0, 0, 1],  // of a stream
            &[0, 0, 8, 6, 0, 0, 0, 0, 0],  // a ping
            b"HTTP/1.1 400 Bad Request\r\n",
            b"",
        ] {
            assert!(!is_greeting(other), "{other:?}");
        }
    }
}
