//! The certificates that may enter a store: roots that can sign for nothing but names of this machine.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256, Sha384};

use crate::{
    Refused,
    der::{self, BIT_STRING, BOOLEAN, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, SET},
};

/// The largest, in bytes.
pub const LARGEST: usize = 4096;
/// What the name of each must start with, so that none passes for somebody else's.
pub const NAME: &str = "locald dev CA ";
const TEN_YEARS: i64 = 3653 * 86_400;

const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// Of `id-ce`, in which all extensions are that we know.
const ID_CE: [u8; 2] = [0x55, 0x1d];

/// Accepts a certificate, all of `bytes`, for these top-level domains.
pub fn check(bytes: &[u8], tlds: &[String], now: i64) -> Result<(), Refused> {
    if bytes.len() > LARGEST {
        return Err("it is too large");
    }
    let mut outer = Reader::new(der::only(bytes, SEQUENCE)?);
    let tbs = outer.value()?;
    let algorithm = outer.value()?.tagged(SEQUENCE)?;
    let signature = bits(outer.expect(BIT_STRING)?)?;
    outer.end()?;

    let mut fields = Reader::new(tbs.tagged(SEQUENCE)?);
    if fields.optional(0xa0)? != Some(&[INTEGER, 1, 2]) {
        return Err("it is not of version 3");
    }
    let serial = fields.expect(INTEGER)?;
    if serial.is_empty() || serial.len() > 20 || fields.expect(SEQUENCE)? != algorithm {
        return Err("its serial number or algorithm is malformed");
    }
    let issuer = fields.value()?.tagged(SEQUENCE)?;
    validity(fields.sequence()?, now)?;
    if fields.expect(SEQUENCE)? != issuer {
        return Err("it is not signed by itself");
    }
    name(issuer)?;
    let key = fields.sequence()?;
    let extensions = fields.expect(0xa3)?;
    fields.end()?;
    constraints(der::only(extensions, SEQUENCE)?, tlds)?;
    verify(key, algorithm, tbs.whole, signature)
}

/// As a PEM file.
pub fn pem(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in bytes.chunks(48) {
        for group in line.chunks(3) {
            let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
            let all = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..4 {
                let digit = DIGITS[(all >> (18 - 6 * at) & 63) as usize];
                text.push(if at <= group.len() { char::from(digit) } else { '=' });
            }
        }
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

/// What a certificate is known by: 64 hexadecimal digits.
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Whole bytes.
fn bits(content: &[u8]) -> Result<&[u8], Refused> {
    content.strip_prefix(&[0]).ok_or("a bit string in it is malformed")
}

fn validity(mut times: Reader<'_>, now: i64) -> Result<(), Refused> {
    let (from, until) = (der::time(times.value()?)?, der::time(times.value()?)?);
    times.end()?;
    match () {
        () if until < now || from > until => Err("it is no longer valid"),
        () if until - from > TEN_YEARS => Err("it is valid for more than ten years"),
        () => Ok(()),
    }
}

/// Whose it is, and what for: nothing else.
fn name(name: &[u8]) -> Result<(), Refused> {
    let (mut parts, mut common) = (Reader::new(name), 0);
    while !parts.is_empty() {
        let mut pair = Reader::new(der::only(parts.expect(SET)?, SEQUENCE)?);
        let (kind, text) = (pair.expect(OID)?, pair.value()?);
        pair.end()?;
        let good = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        // UTF8String, PrintableString.
        let plain = [0x0c, 0x13].contains(&text.tag) && text.content.iter().all(good);
        match kind {
            ORGANIZATION if plain && text.content == b"locald" => {}
            COMMON_NAME if plain && text.content.starts_with(NAME.as_bytes()) => common += 1,
            _ => return Err("its name is not that of a locald CA"),
        }
    }
    if common == 1 { Ok(()) } else { Err("its name is not that of a locald CA") }
}

/// Each extension once, and none that we do not know.
fn constraints(extensions: &[u8], tlds: &[String]) -> Result<(), Refused> {
    let (mut all, mut seen) = (Reader::new(extensions), Vec::new());
    while !all.is_empty() {
        let mut one = all.sequence()?;
        let Some((&id, prefix)) = one.expect(OID)?.split_last() else { return Err("no extension") };
        let critical = match one.optional(BOOLEAN)? {
            None => false,
            Some([0xff]) => true,
            Some(_) => return Err("an extension of it is malformed"),
        };
        let content = one.expect(OCTET_STRING)?;
        one.end()?;
        if prefix != ID_CE || seen.contains(&id) {
            return Err("it has an extension twice, or one that is not known");
        }
        seen.push(id);
        match (id, critical) {
            // Identifiers of keys.
            (14 | 35, false) => {}
            // cA TRUE, pathLenConstraint 0.
            (19, true) if content == [SEQUENCE, 6, BOOLEAN, 1, 0xff, INTEGER, 1, 0] => {}
            (19, _) => return Err("it is not a CA with pathlen 0"),
            // keyCertSign, cRLSign or not.
            (15, true)
                if [[BIT_STRING, 2, 2, 4], [BIT_STRING, 2, 1, 6]]
                    .iter()
                    .any(|it| content == it) => {}
            (15, _) => return Err("its key may not sign certificates, or may do more"),
            (30, true) => permitted(content, tlds)?,
            (37, _) if der::only(der::only(content, SEQUENCE)?, OID)? == SERVER_AUTH => {}
            (37, _) => return Err("it is for more than servers"),
            _ => return Err("it has an extension that is not known"),
        }
    }
    if [15, 19, 30, 37].iter().all(|id| seen.contains(id)) {
        Ok(())
    } else {
        Err("it is not constrained enough")
    }
}

/// Names below our top-level domains, and addresses of this machine. Both must be there: a kind of name without
/// any is not constrained at all.
fn permitted(content: &[u8], tlds: &[String]) -> Result<(), Refused> {
    const WIDE: Refused = "it is not constrained to names of this machine";
    let mut trees = Reader::new(der::only(der::only(content, SEQUENCE)?, 0xa0)?);
    let (mut names, mut addresses) = (false, false);
    while !trees.is_empty() {
        let mut tree = trees.sequence()?;
        let base = tree.value()?;
        tree.end()?;
        let mut loopback = [0; 32];
        loopback[15] = 1;
        loopback[16..].fill(0xff);
        match (base.tag, base.content) {
            (0x82, name) => {
                let ours = |tld: &String| {
                    name.strip_suffix(tld.as_bytes()).is_some_and(|rest| {
                        rest.is_empty() || rest.ends_with(b".") && crate::request::is_name(name)
                    })
                };
                if !tlds.iter().any(ours) {
                    return Err(WIDE);
                }
                names = true;
            }
            (0x87, [127, 0, 0, 0, 255, 0, 0, 0]) => addresses = true,
            (0x87, address) if address == loopback => addresses = true,
            _ => return Err(WIDE),
        }
    }
    if names && addresses { Ok(()) } else { Err(WIDE) }
}

fn verify(
    mut key: Reader<'_>,
    algorithm: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Result<(), Refused> {
    const FALSE: Refused = "its signature is wrong";
    let digest: &[u8] = match der::only(algorithm, OID)? {
        ECDSA_SHA256 => &Sha256::digest(signed),
        ECDSA_SHA384 => &Sha384::digest(signed),
        _ => return Err("it is not signed with ECDSA and SHA-256 or SHA-384"),
    };
    let mut kind = key.sequence()?;
    let point = bits(key.expect(BIT_STRING)?)?;
    key.end()?;
    let (ec, curve) = (kind.expect(OID)?, kind.expect(OID)?);
    kind.end()?;
    match curve {
        _ if ec != EC_KEY => Err("its key is not on a curve"),
        P256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| FALSE)?;
            let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| FALSE)?;
            key.verify_prehash(digest, &signature).map_err(|_| FALSE)
        }
        P384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| FALSE)?;
            let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| FALSE)?;
            key.verify_prehash(digest, &signature).map_err(|_| FALSE)
        }
        _ => Err("its key is on another curve than P-256 and P-384"),
    }
}
