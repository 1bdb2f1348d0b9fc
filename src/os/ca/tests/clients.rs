//! What clients make of our certificates: rustls in here, and those that are installed.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, Stream,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{ServerName, UnixTime},
    server::{ClientHello, ResolvesServerCert},
};

use super::*;
use crate::os::{child::Ending, testing};

fn verify(authority: &Authority, leaf: &CertificateDer<'_>, name: &str) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.root().der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let checker =
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let now = clock::wall().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let verified =
        checker.verify_server_cert(leaf, &[], &name, &[], UnixTime::since_unix_epoch(now));
    verified.map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_leaf_is_good_for_its_name_alone() {
    let place = Place::new();
    let authority = place.open().unwrap();
    let leaf = issue(&authority, &place.realm, Some("shop.localhost"));
    verify(&authority, &leaf, "shop.localhost").unwrap();
    for other in ["other.localhost", "a.shop.localhost", "localhost", "127.0.0.1"] {
        verify(&authority, &leaf, other).unwrap_err();
    }
    let leaf = issue(&authority, &place.realm, None);
    for name in ["localhost", "127.0.0.1", "::1"] {
        verify(&authority, &leaf, name).unwrap();
    }
    let leaf = issue(&authority, &place.realm, Some("deep.under.test"));
    verify(&authority, &leaf, "deep.under.test").unwrap();
}

#[test]
fn a_stolen_key_forges_nothing_but_names_of_this_machine() {
    let place = Place::new();
    let authority = place.open().unwrap();
    let world = Realm::new(["com"]);
    let leaf = issue(&authority, &world, Some("evil.com"));
    let error = verify(&authority, &leaf, "evil.com").unwrap_err();
    assert!(error.contains("NameConstraint"), "{error}");
    if !present("openssl", &["version"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, der: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, pem::encode(&pem::Pem::new("CERTIFICATE", der))).unwrap();
        path
    };
    let root = file("root", authority.root().der());
    let says = |leaf: &CertificateDer<'_>| {
        let leaf = file("leaf", leaf);
        let args = [root.to_str().unwrap(), "-purpose", "sslserver", leaf.to_str().unwrap()];
        let output = run("openssl", &[&["verify", "-x509_strict", "-CAfile"][..], &args].concat());
        (output.is_good(), output.stderr)
    };
    let (good, why) = says(&leaf);
    assert!(!good && why.contains("permitted subtree violation"), "{why}");
    for name in [Some("shop.localhost"), None, Some("x.test")] {
        let (good, why) = says(&issue(&authority, &place.realm, name));
        assert!(good, "{why}");
    }
}

#[test]
fn curl_and_python_load_pages_and_refuse_others() {
    let place = Place::new();
    let port = serve(place.open().unwrap());
    let root = place.files()[0].to_str().unwrap().to_owned();
    if present("curl", &["--version"]) {
        let curl = |host: &str| {
            let url = format!("https://{host}:{port}/");
            run("curl", &["-sS", "--max-time", "20", "--noproxy", "*", "--cacert", &root, &url])
        };
        for host in ["shop.localhost", "localhost", "127.0.0.1"] {
            let output = curl(host);
            assert_eq!(output.stdout, "hello", "{host}: {output:?}");
        }
        let target = format!("evil.com:{port}:127.0.0.1");
        let url = format!("https://evil.com:{port}/");
        let args = ["-sS", "--max-time", "20", "--noproxy", "*", "--cacert", &root, "--resolve"];
        let output = run("curl", &[&args[..], &[&target, &url]].concat());
        assert_eq!(output.ending, Ending::Code(60), "{output:?}");
    }
    if present("python3", &["-c", "import ssl"]) {
        let script = "import socket, ssl, sys\n\
            root, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]\n\
            raw = socket.create_connection(('127.0.0.1', port), 20)\n\
            tls = ssl.create_default_context(cafile=root).wrap_socket(raw, server_hostname=name)\n\
            print(tls.getpeercert()['subjectAltName'])\n";
        let port = port.to_string();
        let python = |name: &str| run("python3", &["-c", script, &root, &port, name]);
        let output = python("shop.localhost");
        assert_eq!(output.stdout, "(('DNS', 'shop.localhost'),)\n", "{output:?}");
        assert!(python("127.0.0.1").is_good());
        let why = python("evil.com").stderr;
        assert!(why.contains("permitted subtree violation"), "{why}");
    }
}

/// Signs for whatever it is asked for.
struct Reckless(Vault);

impl std::fmt::Debug for Reckless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reckless")
    }
}

impl ResolvesServerCert for Reckless {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = Realm::new(["test", "com"]).leaf_for(hello.server_name())?;
        let issued = self.0.authority().ok()?.issue(&name, clock::wall());
        Some(issued.ok()?.key)
    }
}

/// A server that says hello, for as long as the test lives.
fn serve(authority: Authority) -> u16 {
    let vault = Vault::new(PathBuf::new(), Realm::new(["test"]));
    vault.opened.store(Some(Arc::new(authority)));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Reckless(vault)));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let config = config.clone();
            thread::spawn(move || greet(&config, socket.unwrap()));
        }
    });
    port
}

/// A client that hangs up over the certificate is what some tests are about.
fn greet(config: &Arc<ServerConfig>, mut socket: TcpStream) {
    let mut tls = ServerConnection::new(config.clone()).unwrap();
    let mut stream = Stream::new(&mut tls, &mut socket);
    let mut head = [0; 4096];
    if stream.read(&mut head).is_ok_and(|read| read > 0) {
        let page = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
        let _gone = stream.write_all(page.as_bytes());
        stream.conn.send_close_notify();
        let _gone = stream.flush();
    }
}

/// What a program said, and how it ended.
#[derive(Debug)]
struct Said {
    ending: Ending,
    stdout: String,
    stderr: String,
}

impl Said {
    fn is_good(&self) -> bool {
        self.ending == Ending::Code(0)
    }
}

/// Whether the program is there; if not, the test is skipped, loudly.
fn present(program: &str, args: &[&str]) -> bool {
    let there = run("sh", &[&["-c", "exec \"$@\"", "sh", program][..], args].concat()).is_good();
    let strict = std::env::var_os("LOCALD_TESTS_STRICT").is_some_and(|it| it == "1");
    assert!(there || !strict, "{program} is missing");
    if !there {
        eprintln!("SKIPPED: {program} is missing");
    }
    there
}

/// Runs a program as all tests of this process do that start one: no other may reap it.
fn run(program: &str, args: &[&str]) -> Said {
    let whole = [&[program][..], args].concat();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ending, stdout, stderr) = runtime.block_on(testing::run(&testing::command(&whole)));
    Said { ending, stdout, stderr }
}
