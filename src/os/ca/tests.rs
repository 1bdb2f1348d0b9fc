//! What a root and its leaves look like, and what becomes of damaged files.

mod clients;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    sync::Barrier,
    time::Duration,
};

use rustls::pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    parse_x509_certificate,
};

use super::*;

/// A place for a CA.
struct Place {
    _whole: tempfile::TempDir,
    dir: PathBuf,
    realm: Realm,
}

impl Place {
    fn new() -> Self {
        let whole = tempfile::tempdir().unwrap();
        let dir = whole.path().join("data/ca");
        Self { _whole: whole, dir, realm: Realm::new(["localhost", "test"]) }
    }

    fn open(&self) -> Result<Authority, CaError> {
        Authority::open_or_create(&self.dir, &self.realm, clock::wall())
    }

    fn error(&self) -> String {
        self.open().err().expect("it is refused").to_string()
    }

    fn files(&self) -> [PathBuf; 2] {
        [files::ROOT, files::KEY].map(|name| self.dir.join(name))
    }
}

fn parsed(der: &CertificateDer<'_>, look: impl FnOnce(&X509Certificate<'_>)) {
    let (rest, x509) = parse_x509_certificate(der).unwrap();
    assert_eq!(rest, b"");
    look(&x509);
}

fn critical(x509: &X509Certificate<'_>) -> Vec<String> {
    let critical = x509.extensions().iter().filter(|it| it.critical);
    critical.map(|it| it.oid.to_id_string()).collect()
}

fn issue(authority: &Authority, realm: &Realm, name: Option<&str>) -> CertificateDer<'static> {
    let name = realm.leaf_for(name).unwrap();
    let issued = authority.issue(&name, clock::wall()).unwrap();
    issued.key.keys_match().unwrap();
    assert_eq!(issued.key.cert.len(), 1, "the chain is the leaf alone");
    issued.key.cert[0].clone()
}

#[test]
fn a_root_can_sign_for_nothing_but_this_machine() {
    let place = Place::new();
    let authority = place.open().unwrap();
    parsed(authority.root().der(), |x509| {
        assert!(x509.subject().to_string().contains("locald dev CA "));
        assert_eq!(x509.subject(), x509.issuer());
        let basic = x509.basic_constraints().unwrap().unwrap();
        assert!(basic.value.ca && basic.value.path_len_constraint == Some(0));
        let usage = x509.key_usage().unwrap().unwrap().value;
        assert!(usage.key_cert_sign() && usage.crl_sign() && usage.flags.count_ones() == 2);
        let extended = x509.extended_key_usage().unwrap().unwrap().value;
        assert!(extended.server_auth && !extended.client_auth && !extended.any);
        let constraints = x509.name_constraints().unwrap().unwrap().value;
        let permitted: Vec<_> = constraints.permitted_subtrees.as_ref().unwrap().iter().collect();
        let loopback: Vec<u8> = [&[0; 15][..], &[1], &[255; 16]].concat();
        let expected = [
            GeneralName::DNSName("localhost"),
            GeneralName::DNSName("test"),
            GeneralName::IPAddress(&[127, 0, 0, 0, 255, 0, 0, 0]),
            GeneralName::IPAddress(&loopback),
        ];
        assert!(permitted.iter().map(|it| &it.base).eq(&expected), "{permitted:?}");
        assert_eq!(critical(x509), ["2.5.29.15", "2.5.29.30", "2.5.29.19"]);
        let is_ski =
            |it: &ParsedExtension<'_>| matches!(it, ParsedExtension::SubjectKeyIdentifier(_));
        assert!(x509.extensions().iter().any(|it| is_ski(it.parsed_extension())));
        assert_eq!(x509.signature_algorithm.algorithm.to_id_string(), "1.2.840.10045.4.3.2");
    });
    let Validity { from, until } = authority.root().validity();
    assert_eq!(until.duration_since(from).unwrap(), Duration::from_hours(24 * 1826));
    assert!(authority.root().allows("a.test") && !authority.root().allows("evil.com"));
}

#[test]
fn a_leaf_is_for_one_name_and_one_week() {
    let place = Place::new();
    let authority = place.open().unwrap();
    let mut serials = Vec::new();
    for (asked, names) in [
        (Some("shop.localhost"), vec![GeneralName::DNSName("shop.localhost")]),
        (
            None,
            vec![
                GeneralName::DNSName("localhost"),
                GeneralName::IPAddress(&[127, 0, 0, 1]),
                GeneralName::IPAddress(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            ],
        ),
    ] {
        parsed(&issue(&authority, &place.realm, asked), |x509| {
            let found = x509.subject_alternative_name().unwrap().unwrap();
            assert_eq!(found.value.general_names, names);
            assert!(x509.basic_constraints().unwrap().is_none());
            let extended = x509.extended_key_usage().unwrap().unwrap().value;
            assert!(extended.server_auth && !extended.client_auth && !extended.any);
            let validity = x509.validity();
            let whole = validity.not_after.timestamp() - validity.not_before.timestamp();
            assert_eq!(whole, 7 * 86_400 + 3600);
            parsed(authority.root().der(), |root| {
                assert_eq!(x509.issuer().as_raw(), root.subject().as_raw());
                assert_eq!(key_id(x509), key_id(root));
            });
            serials.push(x509.raw_serial().to_vec());
        });
    }
    assert_ne!(serials[0], serials[1]);
    assert!(serials.iter().all(|serial| serial.len() >= 14), "{serials:?}");
}

/// Of the issuer, as a leaf names it, or its own.
fn key_id(x509: &X509Certificate<'_>) -> Vec<u8> {
    let id = x509.extensions().iter().find_map(|it| match it.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(it) => Some(it.key_identifier.as_ref()?.0.to_vec()),
        ParsedExtension::SubjectKeyIdentifier(it) => Some(it.0.to_vec()),
        _ => None,
    });
    id.expect("it has one")
}

#[test]
fn the_root_of_yesterday_is_the_root_of_today() {
    let place = Place::new();
    let first = place.open().unwrap().root().fingerprint();
    let before = place.files().map(|file| fs::read(file).unwrap());
    assert_eq!(place.open().unwrap().root().fingerprint(), first);
    assert_eq!(place.files().map(|file| fs::read(file).unwrap()), before);
    assert_eq!(read_root(&place.dir).unwrap().unwrap().fingerprint(), first);
    assert_eq!(first.to_string().len(), 64);
    assert!(first.to_string().starts_with(&first.short()) && first.short().len() == 8);
}

#[test]
fn the_files_are_private() {
    let place = Place::new();
    place.open().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [root, key] = place.files();
    assert_eq!((mode(&place.dir), mode(&key), mode(&root)), (0o700, 0o600, 0o644));
    let names: Vec<_> = fs::read_dir(place.dir.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left behind: {names:?}");
}

#[test]
fn of_many_who_make_a_root_at_once_all_get_the_same() {
    for _ in 0..20 {
        let place = Place::new();
        let barrier = Barrier::new(8);
        let found: Vec<_> = std::thread::scope(|scope| {
            let one = || {
                barrier.wait();
                place.open().unwrap().root().fingerprint()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(found.iter().all(|it| *it == found[0]), "{found:?}");
        assert_eq!(fs::read_dir(place.dir.parent().unwrap()).unwrap().count(), 1);
    }
}

#[test]
fn what_others_can_use_is_refused() {
    let place = Place::new();
    place.open().unwrap();
    let [root, key] = place.files();
    for (path, wide, good) in
        [(&key, 0o640, 0o600), (&root, 0o664, 0o644), (&place.dir, 0o755, 0o700)]
    {
        fs::set_permissions(path, Permissions::from_mode(wide)).unwrap();
        let error = place.error();
        assert!(error.contains(&format!("others have access to {} ", path.display())), "{error}");
        assert!(error.contains(&format!("mode {wide:04o}")), "{error}");
        fs::set_permissions(path, Permissions::from_mode(good)).unwrap();
    }
    place.open().unwrap();
    let aside = place.dir.join("aside");
    fs::rename(&key, &aside).unwrap();
    symlink(&aside, &key).unwrap();
    assert!(place.error().starts_with("cannot read "), "{}", place.error());
    if nix::unistd::geteuid().is_root() {
        fs::rename(&aside, &key).unwrap();
        std::os::unix::fs::chown(&key, Some(65534), None).unwrap();
        assert!(place.error().contains("belongs to user 65534"), "{}", place.error());
    }
}

#[test]
fn a_root_is_never_replaced_by_itself() {
    let place = Place::new();
    let other = Place::new();
    place.open().unwrap();
    other.open().unwrap();
    let [root, key] = place.files();
    let (good_root, good_key) = (fs::read(&root).unwrap(), fs::read(&key).unwrap());
    let write = |path: &Path, content: &[u8]| {
        fs::write(path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    };
    write(&key, &fs::read(&other.files()[1]).unwrap());
    assert!(
        place.error().contains("do not belong together; to begin afresh: "),
        "{}",
        place.error()
    );
    for broken in [&b""[..], b"garbage", &good_key[..good_key.len() / 2], &[0xff; 100]] {
        write(&key, broken);
        let error = place.error();
        assert!(error.contains("root-key.pem is not what it should be: "), "{error}");
    }
    write(&key, &good_key);
    let nonsense = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for broken in [&b""[..], b"garbage", &good_root[..good_root.len() / 2], nonsense] {
        write(&root, broken);
        let error = place.error();
        assert!(error.contains("root.pem is not what it should be: "), "{error}");
        assert_eq!(fs::read(&root).unwrap(), broken, "untouched");
    }
    write(&root, &good_root);
    place.open().unwrap();
    fs::remove_file(&key).unwrap();
    assert!(place.error().contains("is incomplete: root-key.pem is missing"), "{}", place.error());
    assert!(read_root(&place.dir).unwrap().is_some(), "for taking it out of stores");
    write(&key, &good_key);
    fs::remove_file(&root).unwrap();
    assert!(place.error().contains("root.pem is missing"), "{}", place.error());
}

#[test]
fn a_root_that_is_over_says_so() {
    let place = Place::new();
    place.open().unwrap();
    let day = Duration::from_hours(24);
    for now in [clock::wall() + 1827 * day, clock::wall() - 2 * day] {
        let error = Authority::open(&place.dir, now).err().unwrap().to_string();
        assert!(error.contains("is not valid now (from 20"), "{error}");
    }
}

#[test]
fn a_certificate_that_could_sign_for_others_is_no_root() {
    let place = Place::new();
    let authority = place.open().unwrap();
    let leaf = issue(&authority, &place.realm, None);
    assert_eq!(Root::from_der(leaf).unwrap_err(), NotARoot::NotACa);
    let made = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let key = KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        change(&mut params);
        Root::from_der(params.self_signed(&key).unwrap().der().clone())
    };
    assert_eq!(made(&|_| {}).unwrap_err(), NotARoot::Unconstrained);
    let with = |permitted: Vec<rcgen::GeneralSubtree>| {
        made(&move |params| {
            let permitted_subtrees = permitted.clone();
            let excluded_subtrees = Vec::new();
            params.name_constraints =
                Some(rcgen::NameConstraints { permitted_subtrees, excluded_subtrees });
        })
    };
    let name = |name: &str| rcgen::GeneralSubtree::DnsName(name.to_owned());
    let net = |address, prefix| {
        rcgen::GeneralSubtree::IpAddress(rcgen::CidrSubnet::from_v4_prefix(address, prefix))
    };
    let loopback = net([127, 0, 0, 0], 8);
    for bad in [
        vec![name("localhost")],
        vec![loopback.clone()],
        vec![name("localhost"), net([0; 4], 0)],
        vec![name("localhost"), net([127, 0, 0, 0], 7)],
        vec![name(""), loopback.clone()],
        vec![name("."), loopback.clone()],
    ] {
        assert_eq!(with(bad.clone()).unwrap_err(), NotARoot::Unconstrained, "{bad:?}");
    }
    assert_eq!(with(vec![name("localhost"), loopback]).unwrap().domains(), ["localhost"]);
}

#[test]
fn a_domain_that_came_later_is_told() {
    let place = Place::new();
    place.open().unwrap();
    let realm = Realm::new(["dev"]);
    let vault = Vault::new(place.dir.clone(), realm.clone());
    let error = vault.issue(&realm.leaf_for(Some("a.dev")).unwrap()).unwrap_err().to_string();
    assert!(error.contains("is for localhost, test and not for a.dev; to begin afresh"), "{error}");
    vault.issue(&realm.leaf_for(Some("a.localhost")).unwrap()).unwrap();
}
