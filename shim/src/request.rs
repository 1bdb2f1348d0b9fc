//! Reads what callers ask for, and the lists that root has written.

use std::{collections::BTreeSet, str};

use crate::Refused;

/// The most names of one user.
pub const MOST_NAMES: usize = 512;
/// The most bytes of a request: that many names of full length.
pub const LONGEST: usize = MOST_NAMES * 254;

/// The operations; each is one call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Tells the versions; needs no privilege.
    Hello,
    /// Binds ports.
    Bind,
    /// Has the system trust a root.
    TrustInstall,
    /// Has it no longer trust one.
    TrustUninstall,
    /// Writes a user's names to the hosts file.
    HostsSync,
}

impl Operation {
    /// Exactly the words of one.
    pub fn parse(words: &[&[u8]]) -> Option<Self> {
        match words {
            [b"hello"] => Some(Self::Hello),
            [b"bind"] => Some(Self::Bind),
            [b"trust", b"install"] => Some(Self::TrustInstall),
            [b"trust", b"uninstall"] => Some(Self::TrustUninstall),
            [b"hosts", b"sync"] => Some(Self::HostsSync),
            _ => None,
        }
    }

    /// For the system's log.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Bind => "bind",
            Self::TrustInstall => "trust install",
            Self::TrustUninstall => "trust uninstall",
            Self::HostsSync => "hosts sync",
        }
    }
}

/// The ports that may be asked for, a line each.
pub fn ports(body: &[u8]) -> Result<BTreeSet<u16>, Refused> {
    lines(body)
        .map(|line| match line {
            b"80" => Ok(80),
            b"443" => Ok(443),
            _ => Err("it is not a list of the ports 80 and 443"),
        })
        .collect()
}

/// A fingerprint.
pub fn fingerprint(body: &[u8]) -> Result<&str, Refused> {
    let good = body.len() == 64 && body.iter().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    str::from_utf8(body).ok().filter(|_| good).ok_or("it is not a fingerprint")
}

/// Names of hosts, a line each; none is a name that everybody knows already.
pub fn names(body: &[u8], tlds: &[String]) -> Result<BTreeSet<String>, Refused> {
    let ours = |name: &[u8]| {
        let rest =
            |tld: &String| name.strip_suffix(tld.as_bytes()).is_some_and(|it| it.ends_with(b"."));
        is_name(name) && tlds.iter().any(rest)
    };
    if lines(body).count() > MOST_NAMES {
        return Err("these are too many names");
    }
    lines(body)
        .map(|line| match str::from_utf8(line) {
            Ok(name) if ours(line) => Ok(name.to_owned()),
            _ => Err("it is not a list of names of hosts below the allowed top-level domains"),
        })
        .collect()
}

/// Whether it is the name of a host, in lower case.
pub fn is_name(name: &[u8]) -> bool {
    name.len() <= 253 && name.split(|&byte| byte == b'.').all(is_label)
}

/// The users of the allow-list: numbers, a line each. What is malformed allows nobody.
pub fn allowed(file: &[u8]) -> Result<BTreeSet<u32>, Refused> {
    lines(file)
        .map(|line| {
            let digits = line.iter().all(u8::is_ascii_digit) && line.first() != Some(&b'0');
            let number = str::from_utf8(line).ok().and_then(|line| line.parse().ok());
            // The last one is nobody's: it means "no change" to the kernel.
            number.filter(|uid| digits && *uid < u32::MAX).ok_or("the list of users is malformed")
        })
        .collect()
}

/// The allowed top-level domains, a line each; `localhost` always is one.
pub fn tlds(file: &[u8]) -> Result<Vec<String>, Refused> {
    let mut all = vec!["localhost".to_owned()];
    for line in lines(file) {
        let name = str::from_utf8(line).ok().filter(|_| is_label(line) && line.len() > 1);
        let name = name.filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()));
        all.push(name.ok_or("the list of top-level domains is malformed")?.to_owned());
    }
    Ok(all)
}

/// Letters, digits, hyphens.
fn is_label(label: &[u8]) -> bool {
    let good = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=63).contains(&label.len())
        && label.iter().all(good)
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
}

/// Lines; the last may have an end.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|&byte| byte == b'\n').filter(move |_| !bytes.is_empty())
}
