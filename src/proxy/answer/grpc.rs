//! Answers of our own as clients of gRPC understand them: the status of a call, not one of HTTP.

use std::fmt::Write as _;

use super::Answer;

/// Clients take heads of 8 KiB at least.
const LONGEST: usize = 2048;

impl Answer {
    /// The same as a call that failed: a response of trailers only. An answer that is no error stays.
    pub(super) fn for_grpc(self) -> Self {
        if self.status < 400 {
            return self;
        }
        let message = if self.detail.is_empty() {
            super::reason(self.status).to_owned()
        } else {
            self.detail
        };
        Self::new(200, "application/grpc", Vec::new())
            .with("grpc-status", code(self.status).to_string())
            .with("grpc-message", escaped(&message))
    }
}

/// What a status of HTTP is to gRPC (its `http-grpc-status-mapping`), but for 504, which is said to be what
/// it is.
fn code(status: u16) -> u8 {
    match status {
        400 => 13,             // INTERNAL
        404 | 405 | 501 => 12, // UNIMPLEMENTED
        429 | 502 | 503 => 14, // UNAVAILABLE: worth another try
        504 => 4,              // DEADLINE_EXCEEDED
        _ => 2,                // UNKNOWN
    }
}

/// A text in the characters that a field may have; the rest of its UTF-8, and what escapes, in per cent.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if escaped.len() >= LONGEST {
            break;
        }
        match byte {
            b' '..=b'~' if byte != b'%' => escaped.push(char::from(byte)),
            _ => write!(escaped, "%{byte:02X}").expect("a String takes everything"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_of_visible_characters() {
        assert_eq!(escaped("it is 100 %:\n\u{fc}"), "it is 100 %25:%0A%C3%BC");
        assert!(escaped(&"\n".repeat(10_000)).len() <= LONGEST + 3);
    }

    #[test]
    fn only_errors_become_calls_that_failed() {
        for status in [200, 308] {
            let answer = Answer::html(status, "x".into()).for_grpc();
            assert_eq!((answer.status, &*answer.body), (status, &b"x"[..]));
        }
        for (status, code) in [(404, "12"), (502, "14"), (503, "14"), (504, "4"), (508, "2")] {
            let answer = Answer::html(status, "x".into()).for_grpc();
            assert_eq!((answer.status, answer.body.len()), (200, 0));
            assert_eq!(answer.fields[0], ("grpc-status", code.to_owned()));
            assert_ne!(answer.fields[1].1, "", "{status}");
        }
    }
}
