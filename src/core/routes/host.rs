//! The authority of a request: what is one, and the one way to write its host.

use std::fmt;

/// The longest name of a host.
const LONGEST: usize = 253;

/// A host in its one way to be written: lower case, no dot at the end; on the stack.
#[derive(Clone, Copy)]
pub struct HostName {
    bytes: [u8; LONGEST],
    len: u8,
}

/// A host and perhaps a port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Authority {
    /// The host.
    pub host: HostName,
    /// The port, if it says one.
    pub port: Option<u16>,
}

/// Why a text is not an authority.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAnAuthority {
    /// No host.
    #[error("the host is empty")]
    Empty,
    /// More than any name has.
    #[error("the host is too long")]
    TooLong,
    /// `user@host`.
    #[error("the authority has user information")]
    UserInfo,
    /// Not a number up to 65535.
    #[error("the port is not a number")]
    Port,
    /// What no host has.
    #[error("the host has a character that no host has")]
    Character,
}

impl Authority {
    /// Reads `host[:port]`, in ASCII.
    pub fn parse(text: &[u8]) -> Result<Self, NotAnAuthority> {
        if text.contains(&b'@') {
            return Err(NotAnAuthority::UserInfo);
        }
        let (host, rest) = if text.first() == Some(&b'[') {
            let end =
                text.iter().position(|&byte| byte == b']').ok_or(NotAnAuthority::Character)?;
            text.split_at(end + 1)
        } else {
            text.split_at(text.iter().position(|&byte| byte == b':').unwrap_or(text.len()))
        };
        let port = match rest {
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(port(digits)?),
            _ => return Err(NotAnAuthority::Port),
        };
        Ok(Self { host: HostName::parse(host)?, port })
    }
}

impl HostName {
    /// Reads a host, in ASCII: a name, an address, or an IPv6 address in brackets.
    pub fn parse(text: &[u8]) -> Result<Self, NotAnAuthority> {
        let text = text.strip_suffix(b".").unwrap_or(text);
        if text.is_empty() {
            return Err(NotAnAuthority::Empty);
        }
        if text.len() > LONGEST {
            return Err(NotAnAuthority::TooLong);
        }
        let mut bytes = [0; LONGEST];
        let bracketed = text[0] == b'[';
        for (to, &from) in bytes.iter_mut().zip(text) {
            let named = from.is_ascii_alphanumeric() || matches!(from, b'-' | b'.' | b'_');
            let of_address = bracketed && matches!(from, b'[' | b']' | b':');
            if !named && !of_address {
                return Err(NotAnAuthority::Character);
            }
            *to = from.to_ascii_lowercase();
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most LONGEST")]
        let len = text.len() as u8;
        Ok(Self { bytes, len })
    }

    /// Its bytes, lower-case ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Whether it is `domain` (lower case) or below it.
    pub fn is_under(&self, domain: &str) -> bool {
        self.as_bytes()
            .strip_suffix(domain.as_bytes())
            .is_some_and(|rest| matches!(rest.last(), None | Some(b'.')))
    }
}

fn port(digits: &[u8]) -> Result<u16, NotAnAuthority> {
    if digits.len() > 5 {
        return Err(NotAnAuthority::Port);
    }
    let mut port: u32 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(NotAnAuthority::Port);
        }
        port = port * 10 + u32::from(digit - b'0');
    }
    u16::try_from(port).map_err(|_| NotAnAuthority::Port)
}

impl PartialEq for HostName {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for HostName {}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
