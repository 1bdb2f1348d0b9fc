//! Arguments of `attach`.

use std::{fmt, str::FromStr};

use clap::Args;

use crate::cli::complete::services;

/// Arguments of `attach`.
#[derive(Args, Debug)]
pub struct Attach {
    /// The service.
    #[arg(add = services())]
    pub service: String,
    /// The key that detaches; the service never sees it.
    #[arg(long, value_name = "KEY", default_value = "ctrl-]")]
    pub detach_key: ControlKey,
}

impl Attach {
    /// To this service, with the usual key.
    pub fn usual(service: String) -> Self {
        Self { service, detach_key: ControlKey { byte: 0x1d } }
    }
}

/// A key pressed together with Ctrl.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ControlKey {
    /// What a terminal sends for it.
    pub byte: u8,
}

impl FromStr for ControlKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let key = text.strip_prefix("ctrl-").and_then(|key| match key.as_bytes() {
            [key @ (b'a'..=b'z' | b'@' | b'['..=b'_')] => Some(key & 0x1f),
            _ => None,
        });
        key.map(|byte| Self { byte })
            .ok_or_else(|| "write it like `ctrl-]`: ctrl- and one of a-z @ [ \\ ] ^ _".to_owned())
    }
}

impl fmt::Display for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ctrl-{}", char::from(self.byte | 0x40))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_terminals_send() {
        let byte = |text: &str| text.parse::<ControlKey>().map(|key| (key.byte, key.to_string()));
        assert_eq!(byte("ctrl-]"), Ok((0x1d, "Ctrl-]".to_owned())));
        assert_eq!(byte("ctrl-a"), Ok((1, "Ctrl-A".to_owned())));
        for bad in ["]", "ctrl-", "ctrl-1", "ctrl-ab", "alt-x", ""] {
            assert!(byte(bad).is_err(), "{bad}");
        }
    }
}
