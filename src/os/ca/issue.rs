//! Makes keys and signs certificates.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::SystemTime,
};

use aws_lc_rs::{digest, rand};
use nix::unistd::{User, geteuid, gethostname};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    PublicKeyData, SanType, SerialNumber, string::Ia5String,
};
use rustls::{
    crypto::aws_lc_rs::sign::any_ecdsa_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use time::OffsetDateTime;

use super::{Authority, CaError, Issued};
use crate::core::certs::{LeafName, Realm, Validity, leaf_validity, root_subject, root_validity};

/// A new root for the domains of `realm`, and its key.
pub(super) fn root(realm: &Realm, now: SystemTime) -> Result<(Certificate, KeyPair), CaError> {
    let key = KeyPair::generate().map_err(sign)?;
    let mut params = params(root_validity(now))?;
    let digest = digest::digest(&digest::SHA256, &key.subject_public_key_info());
    let mut digits = [0; 4];
    digits.copy_from_slice(&digest.as_ref()[..4]);
    let subject = root_subject(&user(), &host(), digits);
    params.distinguished_name.push(DnType::CommonName, subject);
    // Ed25519 would be nicer, but OpenSSL 3.0 and NSS do not take it from a root.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let names = realm.domains().map(|domain| GeneralSubtree::DnsName(domain.to_owned()));
    let addresses = [
        CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8),
        CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128),
    ];
    let addresses = addresses.map(GeneralSubtree::IpAddress);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    });
    let root = params.self_signed(&key).map_err(sign)?;
    Ok((root, key))
}

/// A new leaf for `name`, and its key.
pub(super) fn leaf(
    authority: &Authority,
    name: &LeafName,
    now: SystemTime,
) -> Result<Issued, CaError> {
    let validity = leaf_validity(now, authority.root.validity());
    let mut params = params(validity)?;
    if let Some(common) = name.common_name() {
        params.distinguished_name.push(DnType::CommonName, common);
    }
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let host = Ia5String::try_from(name.as_str()).map_err(sign)?;
    params.subject_alt_names = vec![SanType::DnsName(host)];
    if name.has_addresses() {
        let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(addresses.map(SanType::IpAddress));
    }
    let key = KeyPair::generate().map_err(sign)?;
    let leaf = params.signed_by(&key, &authority.issuer).map_err(sign)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = any_ecdsa_type(&key).map_err(sign)?;
    let key = Arc::new(CertifiedKey::new(vec![leaf.der().clone()], key));
    Ok(Issued { key, validity })
}

/// What a root and a leaf have in common.
fn params(Validity { from, until }: Validity) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.not_before = OffsetDateTime::from(from);
    params.not_after = OffsetDateTime::from(until);
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "locald");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// 128 random bits: no store ever sees one twice.
fn serial() -> Result<SerialNumber, CaError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(sign)?;
    Ok(SerialNumber::from_slice(&bytes))
}

fn user() -> String {
    let uid = geteuid();
    let known = User::from_uid(uid).ok().flatten();
    known.map_or_else(|| uid.to_string(), |user| user.name)
}

fn host() -> String {
    gethostname()
        .map_or_else(|_| "localhost".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn sign(why: impl std::fmt::Display) -> CaError {
    CaError::Sign(why.to_string())
}
