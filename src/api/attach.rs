//! `POST /v1/attach?dir=…&service=…&cols=…&rows=…`: answered with `101 Switching Protocols`, after which
//! both sides send frames: a kind (one byte), a length (four bytes, big-endian, at most 64 KiB), and so
//! many bytes. The client sends `k` (keys) and `s` (its size: columns, rows, two bytes each), the daemon
//! `S` (size, then what was shown last), `O` (output), `N` (a notice), `E` (the end, and why).

/// The name of that protocol, for `Upgrade`.
pub const PROTOCOL: &str = "locald-attach/1";
