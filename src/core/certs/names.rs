//! The names that get a certificate, and the name of the root.

use ::core::net::IpAddr;
use std::{borrow::Borrow, fmt, sync::Arc};

/// The longest name of a host.
const LONGEST_HOST: usize = 253;
/// The longest label of it.
const LONGEST_LABEL: usize = 63;
/// The longest common name (`ub-common-name` of RFC 5280).
const LONGEST_COMMON_NAME: usize = 64;
/// The name of this machine, which all who ask for an address get.
const LOCALHOST: &str = "localhost";

/// The top-level domains that are ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Realm {
    /// In lower case, without dots at the ends, `localhost` first.
    domains: Vec<Box<str>>,
}

/// A host that gets a certificate: lower case, no dot at its end, under one of our domains.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LeafName(Arc<str>);

impl Realm {
    /// `localhost` and these.
    pub fn new<S: AsRef<str>>(tlds: impl IntoIterator<Item = S>) -> Self {
        let mut domains: Vec<Box<str>> = vec![LOCALHOST.into()];
        for tld in tlds {
            let domain = tld.as_ref().trim_matches('.').to_ascii_lowercase();
            if !domain.is_empty() && !domains.iter().any(|known| **known == *domain) {
                domains.push(domain.into());
            }
        }
        Self { domains }
    }

    /// The domains that the root is constrained to, besides the addresses of this machine.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(|domain| &**domain)
    }

    /// What speaks against a domain of ours, if it is used in the world outside.
    pub fn doubts(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.domains().filter_map(|domain| {
            let why = match domain {
                "dev" | "app" => "it is a real one, for which browsers insist on HTTPS",
                "local" => "it is for names that are asked for by multicast, which takes seconds",
                _ => return None,
            };
            Some((domain, why))
        })
    }

    /// The leaf for a client that asks for `sni`. Without one, or with an address, it is the one
    /// for this machine; none for what is not ours.
    pub fn leaf_for(&self, sni: Option<&str>) -> Option<LeafName> {
        let Some(sni) = sni.filter(|name| !is_loopback(name)) else {
            return Some(LeafName(LOCALHOST.into()));
        };
        let name = sni.strip_suffix('.').unwrap_or(sni).to_ascii_lowercase();
        let ours = is_host(&name) && self.domains.iter().any(|domain| is_under(&name, domain));
        ours.then(|| LeafName(name.into()))
    }
}

impl LeafName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It as a common name, which may be shorter than a host's.
    pub fn common_name(&self) -> Option<&str> {
        (self.0.len() <= LONGEST_COMMON_NAME).then_some(&*self.0)
    }

    /// Whether its certificate names the addresses of this machine, too.
    pub fn has_addresses(&self) -> bool {
        &*self.0 == LOCALHOST
    }
}

impl Borrow<str> for LeafName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LeafName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The common name of a root: whose it is, and eight digits of its key, so that it is unique in a
/// store. Never longer than a common name may be.
pub fn root_subject(user: &str, host: &str, key: [u8; 4]) -> String {
    const BEFORE: &str = "locald dev CA ";
    let key = u32::from_be_bytes(key);
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '-' };
    let room = LONGEST_COMMON_NAME - BEFORE.len() - 9;
    let owner: String = format!("{user}@{host}").chars().map(plain).take(room).collect();
    format!("{BEFORE}{owner} {key:08x}")
}

fn is_loopback(name: &str) -> bool {
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_under(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_host(name: &str) -> bool {
    name.len() <= LONGEST_HOST && name.split('.').all(is_label)
}

/// Never `*`: a wildcard under `localhost` is rejected by half of all clients.
fn is_label(label: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(good)
        && !label.starts_with('-')
        && !label.ends_with('-')
}
