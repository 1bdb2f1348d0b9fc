//! The certificates that may enter a store: roots that can sign for nothing but names of this machine.

use std::net::Ipv6Addr;

use const_oid::db::{rfc4519 as named, rfc5280 as known, rfc5912 as signing};
use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode as _, Encode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256, Sha384};

use crate::{Refused, must};

/// The largest, in bytes.
pub const LARGEST: usize = 4096;
/// What the name of each must start with, so that none passes for somebody else's.
pub const NAME: &str = "locald dev CA ";
const TEN_YEARS: u64 = 3653 * 86_400;
/// The extensions that name keys.
const KEYS: [ObjectIdentifier; 2] =
    [known::ID_CE_SUBJECT_KEY_IDENTIFIER, known::ID_CE_AUTHORITY_KEY_IDENTIFIER];

const FIRST: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber::N0 };
const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber::N3 };
const HOST: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber::N2 };
const ADDRESS: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber::N7 };

const MALFORMED: Refused = "it is not DER";
const NOT_OURS: Refused = "its name is not that of a locald CA";
const WIDE: Refused = "it is not constrained to names of this machine";

/// Accepts a certificate, all of `bytes`, for these top-level domains.
pub fn check(bytes: &[u8], tlds: &[String], now: u64) -> Result<(), Refused> {
    must(bytes.len() <= LARGEST, "it is too large")?;
    let whole = AnyRef::from_der(bytes).map_err(|_| MALFORMED)?;
    let [signed, algorithm, signature] = inside(whole, Tag::Sequence)?[..] else {
        return Err("it is no certificate");
    };
    let [version, serial, inner, issuer, validity, subject, key, extensions] =
        inside(signed, Tag::Sequence)?[..]
    else {
        return Err("it is not of version 3");
    };
    let third = version.tag() == FIRST && version.value() == [2, 1, 2];
    must(third, "it is not of version 3")?;
    let numbered = serial.tag() == Tag::Integer && (1..=20).contains(&serial.value().len());
    must(numbered && inner == algorithm, "its serial number or algorithm is malformed")?;
    must(issuer == subject, "it is not signed by itself")?;
    valid(validity, now)?;
    name(issuer)?;
    let [extensions] = inside(extensions, EXTENSIONS)?[..] else {
        return Err(MALFORMED);
    };
    constraints(extensions, tlds)?;
    verify(key, algorithm, signed, signature)
}

/// As a PEM file.
pub fn pem(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |group: &[u8], at: usize| {
        let byte = |nth: usize| usize::from(group.get(nth).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        if at <= group.len() { DIGITS[all >> (18 - 6 * at) & 63].into() } else { '=' }
    };
    let line = |bytes: &[u8]| -> String {
        let digits = bytes.chunks(3).flat_map(|group| (0..4).map(move |at| digit(group, at)));
        digits.chain(['\n']).collect()
    };
    let lines: String = bytes.chunks(48).map(line).collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}

/// What a certificate is known by: 64 hexadecimal digits.
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Everything in a value of this tag.
fn inside(value: AnyRef<'_>, tag: Tag) -> Result<Vec<AnyRef<'_>>, Refused> {
    let (mut all, content) = (Vec::new(), SliceReader::new(value.value()));
    let mut content = content.ok().filter(|_| value.tag() == tag).ok_or(MALFORMED)?;
    while !content.is_finished() {
        all.push(content.decode().map_err(|_| MALFORMED)?);
    }
    Ok(all)
}

fn id(value: AnyRef<'_>) -> Result<ObjectIdentifier, Refused> {
    value.decode_as().map_err(|_| MALFORMED)
}

/// Whole bytes.
fn bits(value: AnyRef<'_>) -> Result<&[u8], Refused> {
    let bytes = value.value().strip_prefix(&[0]).filter(|_| value.tag() == Tag::BitString);
    bytes.ok_or("a bit string in it is malformed")
}

fn valid(times: AnyRef<'_>, now: u64) -> Result<(), Refused> {
    let time = |value: AnyRef<'_>| {
        let short = value.decode_as::<UtcTime>().map(|time| time.to_unix_duration());
        let long = || value.decode_as::<GeneralizedTime>().map(|time| time.to_unix_duration());
        short.or_else(|_| long()).map_or(Err(MALFORMED), |since| Ok(since.as_secs()))
    };
    let [from, until] = inside(times, Tag::Sequence)?[..] else { return Err(MALFORMED) };
    let (from, until) = (time(from)?, time(until)?);
    must(from <= now && now <= until, "it is not valid now")?;
    must(until - from <= TEN_YEARS, "it is valid for over ten years")
}

/// Whose it is, and what for: nothing else.
fn name(name: AnyRef<'_>) -> Result<(), Refused> {
    let mut common = 0;
    for part in inside(name, Tag::Sequence)? {
        let [pair] = inside(part, Tag::Set)?[..] else { return Err(NOT_OURS) };
        let [kind, text] = inside(pair, Tag::Sequence)?[..] else { return Err(NOT_OURS) };
        let good = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        let plain = [Tag::Utf8String, Tag::PrintableString].contains(&text.tag());
        match (id(kind)?, text.value()) {
            (_, text) if !plain || !text.iter().all(good) => return Err(NOT_OURS),
            (named::ORGANIZATION_NAME, b"locald") => {}
            (named::COMMON_NAME, text) if text.starts_with(NAME.as_bytes()) => common += 1,
            _ => return Err(NOT_OURS),
        }
    }
    must(common == 1, NOT_OURS)
}

/// Each extension once, and none that we do not know.
fn constraints(extensions: AnyRef<'_>, tlds: &[String]) -> Result<(), Refused> {
    let mut seen = Vec::new();
    for extension in inside(extensions, Tag::Sequence)? {
        let (kind, critical, content) = match inside(extension, Tag::Sequence)?[..] {
            [kind, content] => (id(kind)?, false, content),
            [kind, yes, content] if yes.decode_as() == Ok(true) => (id(kind)?, true, content),
            _ => return Err("an extension of it is malformed"),
        };
        let [content] = inside(content, Tag::OctetString)?[..] else { return Err(MALFORMED) };
        must(!seen.contains(&kind), "it has an extension twice")?;
        seen.push(kind);
        let sequence = || inside(content, Tag::Sequence);
        match (kind, critical) {
            (key, false) if KEYS.contains(&key) => {}
            (known::ID_CE_BASIC_CONSTRAINTS, true) => match sequence()?[..] {
                [ca, path] if ca.decode_as() == Ok(true) && path.decode_as() == Ok(0u8) => {}
                _ => return Err("it is not a CA with pathlen 0"),
            },
            (known::ID_CE_KEY_USAGE, true) => match (content.tag(), content.value()) {
                // keyCertSign, cRLSign or not.
                (Tag::BitString, [2, 4] | [1, 6]) => {}
                _ => return Err("its key may not sign certificates, or may do more"),
            },
            (known::ID_CE_NAME_CONSTRAINTS, true) => match sequence()?[..] {
                [trees] => permitted(inside(trees, FIRST)?, tlds)?,
                _ => return Err(WIDE),
            },
            (known::ID_CE_EXT_KEY_USAGE, _) => match sequence()?[..] {
                [purpose] if id(purpose)? == known::ID_KP_SERVER_AUTH => {}
                _ => return Err("it is for more than servers"),
            },
            _ => return Err("it has an extension that is not known, or not critical"),
        }
    }
    // Only the two that name keys may be missing, and none is there twice.
    seen.retain(|kind| !KEYS.contains(kind));
    must(seen.len() == 4, "it is not constrained enough")
}

/// Names below our top-level domains, and addresses of this machine. Both must be there: a kind of name without
/// any is not constrained at all.
fn permitted(trees: Vec<AnyRef<'_>>, tlds: &[String]) -> Result<(), Refused> {
    let (mut names, mut addresses) = (false, false);
    let loopback = [Ipv6Addr::LOCALHOST.octets(), [0xff; 16]].concat();
    for tree in trees {
        let [base] = inside(tree, Tag::Sequence)?[..] else { return Err(WIDE) };
        match (base.tag(), base.value()) {
            (HOST, name) if tlds.iter().any(|tld| within(name, tld)) => names = true,
            (ADDRESS, [127, 0, 0, 0, 255, 0, 0, 0]) => addresses = true,
            (ADDRESS, address) if address == loopback => addresses = true,
            _ => return Err(WIDE),
        }
    }
    must(names && addresses, WIDE)
}

/// The domain itself, or a name below it.
fn within(name: &[u8], tld: &str) -> bool {
    name == tld.as_bytes() || crate::request::is_below(name, tld)
}

fn verify(
    key: AnyRef<'_>,
    algorithm: AnyRef<'_>,
    signed: AnyRef<'_>,
    signature: AnyRef<'_>,
) -> Result<(), Refused> {
    // DER is how it was: there is only one way to write a value.
    let signed = signed.to_der().map_err(|_| MALFORMED)?;
    let [algorithm] = inside(algorithm, Tag::Sequence)?[..] else { return Err(MALFORMED) };
    let digest: &[u8] = match id(algorithm)? {
        signing::ECDSA_WITH_SHA_256 => &Sha256::digest(signed),
        signing::ECDSA_WITH_SHA_384 => &Sha384::digest(signed),
        _ => return Err("it is not signed with ECDSA and SHA-256 or SHA-384"),
    };
    let [kind, point] = inside(key, Tag::Sequence)?[..] else { return Err(MALFORMED) };
    let [kind, curve] = inside(kind, Tag::Sequence)?[..] else { return Err(MALFORMED) };
    let (point, signature) = (bits(point)?, bits(signature)?);
    let verified = match (id(kind)?, id(curve)?) {
        (signing::ID_EC_PUBLIC_KEY, signing::SECP_256_R_1) => {
            let signature = p256::ecdsa::Signature::from_der(signature);
            p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .and_then(|key| key.verify_prehash(digest, &signature?))
        }
        (signing::ID_EC_PUBLIC_KEY, signing::SECP_384_R_1) => {
            let signature = p384::ecdsa::Signature::from_der(signature);
            p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .and_then(|key| key.verify_prehash(digest, &signature?))
        }
        _ => return Err("its key is on another curve than P-256 and P-384"),
    };
    verified.map_err(|_| "its signature is wrong")
}
