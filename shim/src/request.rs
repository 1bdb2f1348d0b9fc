//! Reads what callers ask for, and the lists that root has written.

use std::{collections::BTreeSet, str};

use crate::{Refused, must};

/// The most names of one user.
pub const MOST_NAMES: usize = 512;
/// The most bytes of a request: that many names of full length.
pub const LONGEST: usize = MOST_NAMES * 254;

/// The ports that may be asked for, a line each.
pub fn ports(body: &[u8]) -> Result<BTreeSet<u16>, Refused> {
    each(body, "it is not a list of the ports 80 and 443", |line| match line {
        "80" => Some(80),
        "443" => Some(443),
        _ => None,
    })
}

/// A fingerprint.
pub fn fingerprint(body: &[u8]) -> Result<&str, Refused> {
    let good = body.len() == 64 && body.iter().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    str::from_utf8(body).ok().filter(|_| good).ok_or("it is not a fingerprint")
}

/// Names of hosts, a line each; none is a name that everybody knows already.
pub fn names(body: &[u8], tlds: &[String]) -> Result<BTreeSet<String>, Refused> {
    let why = "it is not a list of names of hosts below the allowed top-level domains";
    let ours = |name: &&str| tlds.iter().any(|tld| is_below(name.as_bytes(), tld));
    let names: Vec<String> = each(body, why, |line| Some(line).filter(ours).map(str::to_owned))?;
    must(names.len() <= MOST_NAMES, "these are too many names")?;
    Ok(names.into_iter().collect())
}

/// Whether it is the name of a host, in lower case, below this domain.
pub fn is_below(name: &[u8], tld: &str) -> bool {
    let below = name.strip_suffix(tld.as_bytes()).is_some_and(|rest| rest.ends_with(b"."));
    below && name.len() <= 253 && name.split(|&byte| byte == b'.').all(is_label)
}

/// The users of the allow-list: numbers, a line each. What is malformed allows nobody.
pub fn allowed(file: &[u8]) -> Result<BTreeSet<u32>, Refused> {
    each(file, "the list of users is malformed", |line| {
        let number = line.bytes().all(|byte| byte.is_ascii_digit()) && !line.starts_with('0');
        // The last one is nobody's: it means "no change" to the kernel.
        line.parse().ok().filter(|&uid| number && uid < u32::MAX)
    })
}

/// The allowed top-level domains, a line each; `localhost` always is one.
pub fn tlds(file: &[u8]) -> Result<Vec<String>, Refused> {
    let mut all: Vec<String> = each(file, "the list of top-level domains is malformed", |line| {
        let number = line.bytes().all(|byte| byte.is_ascii_digit());
        (is_label(line.as_bytes()) && line.len() > 1 && !number).then(|| line.to_owned())
    })?;
    all.insert(0, "localhost".to_owned());
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

/// What each line says; the last may have an end. One that says nothing spoils all.
fn each<T, C: FromIterator<T>>(
    text: &[u8],
    why: Refused,
    read: impl Fn(&str) -> Option<T>,
) -> Result<C, Refused> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|&byte| byte == b'\n').filter(|_| !text.is_empty());
    lines.map(|line| str::from_utf8(line).ok().and_then(&read).ok_or(why)).collect()
}
