//! Roots: a good one, and what is wrong with others.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm,
};
use time::{Duration, OffsetDateTime};

/// As locald makes them.
pub(crate) const CA: &str = "locald dev CA tester@machine 0123abcd";

/// The parameters of a good one, for these domains.
pub(crate) fn params(domains: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    params.not_after = params.not_before + Duration::days(3650);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "locald");
    params.distinguished_name.push(DnType::CommonName, CA);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let names = domains.iter().map(|domain| GeneralSubtree::DnsName((*domain).to_owned()));
    let mut one = [0; 16];
    one[15] = 1;
    let addresses =
        [CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8), CidrSubnet::from_v6_prefix(one, 128)];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.chain(addresses.map(GeneralSubtree::IpAddress)).collect(),
        excluded_subtrees: Vec::new(),
    });
    params
}

/// Signed by itself.
pub(crate) fn sign(params: &CertificateParams, algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
    let key = KeyPair::generate_for(algorithm).unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

/// A good one.
pub(crate) fn good() -> Vec<u8> {
    sign(&params(&["localhost"]), &PKCS_ECDSA_P256_SHA256)
}

type Bad = Vec<(&'static str, &'static str, Vec<u8>)>;

const NOT_DER: &str = "it is not DER";
const NOT_OURS: &str = "its name is not that of a locald CA";
const WIDE: &str = "it is not constrained to names of this machine";
const NOT_ENOUGH: &str = "it is not constrained enough";
const UNKNOWN: &str = "it has an extension that is not known, or not critical";
const NO_CA: &str = "it is not a CA with pathlen 0";
const SERVERS: &str = "it is for more than servers";

/// Bad ones: a word, what is said of it, and it.
pub(crate) fn bad() -> Bad {
    [damaged(), wide(), capable()].concat()
}

/// A good one but for this.
fn with(change: impl Fn(&mut CertificateParams)) -> Vec<u8> {
    let mut params = params(&["localhost"]);
    change(&mut params);
    sign(&params, &PKCS_ECDSA_P256_SHA256)
}

fn extended(id: &[u64], content: &[u8]) -> Vec<u8> {
    with(|it| it.custom_extensions = vec![CustomExtension::from_oid_content(id, content.to_vec())])
}

fn damaged() -> Bad {
    let mut broken = good();
    *broken.last_mut().unwrap() ^= 1;
    let mut forged = good();
    while let Some(at) = forged.windows(6).position(|it| it == b"tester") {
        forged[at] = b'r';
    }
    let mut issued = good();
    let at = issued.windows(6).position(|it| it == b"tester").unwrap();
    issued[at] = b'r';
    vec![
        ("nothing", NOT_DER, Vec::new()),
        ("pem", NOT_DER, locald_shim::cert::pem(&good()).into_bytes()),
        ("two", NOT_DER, [good(), good()].concat()),
        ("cut", NOT_DER, good()[..300].to_vec()),
        ("large", "it is too large", extended(&[2, 5, 29, 14], &[0; 4000])),
        ("signature", "its signature is wrong", broken),
        ("forged", "its signature is wrong", forged),
        ("issued", "it is not signed by itself", issued),
        ("unknown", UNKNOWN, extended(&[1, 3, 6, 1, 5], &[5, 0])),
        ("twice", "it has an extension twice", extended(&[2, 5, 29, 19], &[48, 0])),
        ("name", NOT_OURS, with(|it| it.distinguished_name.push(DnType::CommonName, "VeriSign"))),
        ("extra-name", NOT_OURS, with(|it| it.distinguished_name.push(DnType::CountryName, "XX"))),
        (
            "ed25519",
            "it is not signed with ECDSA and SHA-256 or SHA-384",
            sign(&params(&["localhost"]), &PKCS_ED25519),
        ),
    ]
}

/// Good for names of others.
fn wide() -> Bad {
    let domains = |domains: &[&str]| sign(&params(domains), &PKCS_ECDSA_P256_SHA256);
    let tree = |change: &dyn Fn(&mut NameConstraints)| {
        with(|params| change(params.name_constraints.as_mut().unwrap()))
    };
    let also = |more: &GeneralSubtree| tree(&|it| it.permitted_subtrees.push(more.clone()));
    let not_critical = with(|it| {
        it.name_constraints = None;
        let content =
            vec![0x30, 0x0d, 0xa0, 11, 0x30, 9, 0x82, 7, b'h', b'o', b's', b't', b'e', b'r', b's'];
        it.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 30], content)];
    });
    let but = GeneralSubtree::DnsName("x.localhost".to_owned());
    vec![
        ("not-critical", UNKNOWN, not_critical),
        ("no-constraints", NOT_ENOUGH, with(|it| it.name_constraints = None)),
        ("bank", WIDE, domains(&["localhost", "bank.com"])),
        ("all", WIDE, domains(&["localhost", ""])),
        ("dot", WIDE, domains(&["."])),
        ("suffix", WIDE, domains(&["evillocalhost"])),
        ("com", WIDE, domains(&["com"])),
        ("names-only", WIDE, tree(&|it| it.permitted_subtrees.truncate(1))),
        ("addresses-only", WIDE, domains(&[])),
        (
            "addresses",
            WIDE,
            also(&GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0))),
        ),
        ("mail", WIDE, also(&GeneralSubtree::Rfc822Name("bank.com".to_owned()))),
        ("excluded", WIDE, tree(&|it| it.excluded_subtrees.push(but.clone()))),
    ]
}

/// Good for more than servers of this machine, or for longer.
fn capable() -> Bad {
    let code = ExtendedKeyUsagePurpose::CodeSigning;
    vec![
        ("no-ca", NO_CA, with(|it| it.is_ca = IsCa::ExplicitNoCa)),
        ("deep", NO_CA, with(|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
        ("deeper", NO_CA, with(|it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)))),
        ("no-use", NOT_ENOUGH, with(|it| it.key_usages.clear())),
        (
            "other-use",
            "its key may not sign certificates, or may do more",
            with(|it| it.key_usages.push(KeyUsagePurpose::DigitalSignature)),
        ),
        ("no-purpose", NOT_ENOUGH, with(|it| it.extended_key_usages.clear())),
        ("code", SERVERS, with(|it| it.extended_key_usages.push(code.clone()))),
        ("code-only", SERVERS, with(|it| it.extended_key_usages = vec![code.clone()])),
        ("long", "it is valid for over ten years", with(|it| it.not_after += Duration::days(400))),
        ("over", "it is not valid now", with(|it| it.not_after = it.not_before)),
        ("early", "it is not valid now", with(|it| it.not_before += Duration::days(1))),
    ]
}
