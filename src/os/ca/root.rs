//! The certificate of a root, as anybody may see it.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;
use pem::Pem;
use rcgen::{KeyPair, PublicKeyData};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{BasicConstraints, GeneralName, NameConstraints},
    parse_x509_certificate,
    time::ASN1Time,
};

use crate::core::certs::Validity;

/// The certificate of a root that can sign for nothing but names of this machine.
#[derive(Clone, Debug)]
pub struct Root {
    der: CertificateDer<'static>,
    fingerprint: Fingerprint,
    common_name: String,
    domains: Vec<String>,
    validity: Validity,
    public_key: Vec<u8>,
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; 32]);

/// Why something is not such a certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotARoot {
    /// There is no PEM block of a certificate.
    #[error("there is no certificate in it: {0}")]
    NoCertificate(String),
    /// The block holds something else.
    #[error("the certificate cannot be read: {0}")]
    Malformed(String),
    /// It may not sign leaves, or may let others sign.
    #[error("it is not a CA with pathlen 0")]
    NotACa,
    /// It may sign for names of others.
    #[error("it is not constrained to names of this machine")]
    Unconstrained,
    /// Stores tell roots apart by it.
    #[error("it has no common name")]
    Nameless,
}

impl Root {
    /// Reads the first certificate of a PEM file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NotARoot> {
        let der = CertificateDer::from_pem_slice(pem)
            .map_err(|error| NotARoot::NoCertificate(error.to_string()))?;
        Self::from_der(der)
    }

    /// Reads it.
    pub fn from_der(der: CertificateDer<'static>) -> Result<Self, NotARoot> {
        let malformed = |why: &dyn fmt::Display| NotARoot::Malformed(why.to_string());
        let (rest, x509) = parse_x509_certificate(&der).map_err(|why| malformed(&why))?;
        if !rest.is_empty() {
            return Err(malformed(&"something follows it"));
        }
        let basic = x509.basic_constraints().map_err(|why| malformed(&why))?;
        let fits = |value: &BasicConstraints| value.ca && value.path_len_constraint == Some(0);
        if !basic.is_some_and(|it| it.critical && fits(it.value)) {
            return Err(NotARoot::NotACa);
        }
        let constraints = x509.name_constraints().map_err(|why| malformed(&why))?;
        let constraints = constraints.filter(|it| it.critical).ok_or(NotARoot::Unconstrained)?;
        let domains = domains(constraints.value).ok_or(NotARoot::Unconstrained)?;
        let common_name = common_name(&x509).ok_or(NotARoot::Nameless)?;
        let validity = x509.validity();
        let validity =
            Validity { from: time(validity.not_before), until: time(validity.not_after) };
        let public_key = x509.public_key().raw.to_owned();
        let fingerprint = Fingerprint::of(&der);
        Ok(Self { der, fingerprint, common_name, domains, validity, public_key })
    }

    /// All of it.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// As a file.
    pub fn pem(&self) -> String {
        pem::encode(&Pem::new("CERTIFICATE", self.der.to_vec()))
    }

    /// What it is known by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Its name, unique in any store.
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// The domains that it may sign for, besides the addresses of this machine.
    pub fn domains(&self) -> &[String] {
        &self.domains
    }

    /// From when to when it is good.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// Whether clients accept a leaf of its for `host`.
    pub fn allows(&self, host: &str) -> bool {
        self.domains.iter().any(|domain| {
            host.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    pub(super) fn has_key(&self, key: &KeyPair) -> bool {
        key.subject_public_key_info() == self.public_key
    }
}

impl Fingerprint {
    /// Of a certificate.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Self(bytes)
    }

    /// Enough of it for people: eight digits.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The permitted domains; none unless names and addresses are both constrained, and the addresses
/// are of this machine.
fn domains(constraints: &NameConstraints<'_>) -> Option<Vec<String>> {
    let mut domains = Vec::new();
    let mut has_addresses = false;
    for subtree in constraints.permitted_subtrees.as_ref()? {
        match &subtree.base {
            GeneralName::DNSName(name) if !name.trim_matches('.').is_empty() => {
                domains.push(name.to_ascii_lowercase());
            }
            GeneralName::IPAddress(address) if is_loopback(address) => has_addresses = true,
            _ => return None,
        }
    }
    (has_addresses && !domains.is_empty()).then_some(domains)
}

/// An address and a mask, of which nothing lies outside of this machine.
fn is_loopback(subnet: &[u8]) -> bool {
    match subnet {
        [127, _, _, _, 255, _, _, _] => true,
        _ => {
            subnet.len() == 32
                && subnet[..15] == [0; 15]
                && subnet[15] == 1
                && subnet[16..] == [255; 16]
        }
    }
}

fn common_name(x509: &X509Certificate<'_>) -> Option<String> {
    let name = x509.subject().iter_common_name().next()?.as_str().ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

fn time(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}
