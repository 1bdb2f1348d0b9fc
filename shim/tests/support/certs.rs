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

type Bad = Vec<(&'static str, Vec<u8>)>;

/// Bad ones, by what is wrong.
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
    let at = forged.windows(6).position(|it| it == b"tester").unwrap();
    forged[at] = b'r';
    vec![
        ("nothing", Vec::new()),
        ("pem", locald_shim::cert::pem(&good()).into_bytes()),
        ("two", [good(), good()].concat()),
        ("cut", good()[..300].to_vec()),
        ("large", extended(&[2, 5, 29, 14], &[0; 4000])),
        ("signature", broken),
        ("forged", forged),
        ("unknown", extended(&[1, 2, 3], &[5, 0])),
        ("name", with(|it| it.distinguished_name.push(DnType::CommonName, "VeriSign"))),
        ("extra-name", with(|it| it.distinguished_name.push(DnType::CountryName, "XX"))),
        ("ed25519", sign(&params(&["localhost"]), &PKCS_ED25519)),
    ]
}

/// Good for names of others.
fn wide() -> Bad {
    let domains = |domains: &[&str]| sign(&params(domains), &PKCS_ECDSA_P256_SHA256);
    let tree = |change: &dyn Fn(&mut NameConstraints)| {
        with(|params| change(params.name_constraints.as_mut().unwrap()))
    };
    let also = |more: &GeneralSubtree| tree(&|it| it.permitted_subtrees.push(more.clone()));
    let but = GeneralSubtree::DnsName("x.localhost".to_owned());
    vec![
        ("no-constraints", with(|it| it.name_constraints = None)),
        ("bank", domains(&["localhost", "bank.com"])),
        ("all", domains(&["localhost", ""])),
        ("dot", domains(&["."])),
        ("suffix", domains(&["evillocalhost"])),
        ("com", domains(&["com"])),
        ("names-only", tree(&|it| it.permitted_subtrees.truncate(1))),
        ("addresses-only", domains(&[])),
        ("addresses", also(&GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)))),
        ("mail", also(&GeneralSubtree::Rfc822Name("bank.com".to_owned()))),
        ("excluded", tree(&|it| it.excluded_subtrees.push(but.clone()))),
    ]
}

/// Good for more than servers of this machine, or for longer.
fn capable() -> Bad {
    let code = ExtendedKeyUsagePurpose::CodeSigning;
    vec![
        ("no-ca", with(|it| it.is_ca = IsCa::ExplicitNoCa)),
        ("deep", with(|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
        ("deeper", with(|it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)))),
        ("no-use", with(|it| it.key_usages.clear())),
        ("other-use", with(|it| it.key_usages.push(KeyUsagePurpose::DigitalSignature))),
        ("no-purpose", with(|it| it.extended_key_usages.clear())),
        ("code", with(|it| it.extended_key_usages.push(code.clone()))),
        ("code-only", with(|it| it.extended_key_usages = vec![code.clone()])),
        ("long", with(|it| it.not_after += Duration::days(400))),
        ("over", with(|it| it.not_after = it.not_before)),
    ]
}
