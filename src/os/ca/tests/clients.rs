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
use crate::os::{child::Ending, spawn::Command, testing};

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

#[tokio::test]
async fn a_stolen_key_forges_nothing_but_names_of_this_machine() {
    let place = Place::new();
    let authority = place.open().unwrap();
    let world = Realm::new(["com"]);
    let leaf = issue(&authority, &world, Some("evil.com"));
    let error = verify(&authority, &leaf, "evil.com").unwrap_err();
    assert!(error.contains("NameConstraint"), "{error}");
    if !present("openssl", &["version"]).await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, der: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, pem::encode(&pem::Pem::new("CERTIFICATE", der))).unwrap();
        path
    };
    let root = file("root", authority.root().der());
    let says = async |leaf: &CertificateDer<'_>| {
        let leaf = file("leaf", leaf);
        let args = [root.to_str().unwrap(), "-purpose", "sslserver", leaf.to_str().unwrap()];
        run("openssl", &[&["verify", "-x509_strict", "-CAfile"][..], &args].concat()).await
    };
    let ran = says(&leaf).await;
    assert!(ran.code != Some(0) && ran.err.contains("permitted subtree violation"), "{ran:?}");
    for name in [Some("shop.localhost"), None, Some("x.test")] {
        let ran = says(&issue(&authority, &place.realm, name)).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[tokio::test]
async fn curl_and_python_load_pages_and_refuse_others() {
    let place = Place::new();
    let port = serve(place.open().unwrap());
    let root = place.files()[0].to_str().unwrap().to_owned();
    if present("curl", &["--version"]).await {
        let always = ["-sS", "--max-time", "20", "--noproxy", "*", "--cacert", &root];
        let curl = async |args: &[&str]| run("curl", &[&always[..], args].concat()).await;
        for host in ["shop.localhost", "localhost", "127.0.0.1"] {
            let ran = curl(&[&format!("https://{host}:{port}/")]).await;
            assert_eq!(ran.out, "hello", "{host}: {ran:?}");
        }
        let target = format!("evil.com:{port}:127.0.0.1");
        let ran = curl(&["--resolve", &target, &format!("https://evil.com:{port}/")]).await;
        assert_eq!(ran.code, Some(60), "{ran:?}");
    }
    if present("python3", &["-c", "import ssl"]).await {
        let script = "import socket, ssl, sys\n\
            root, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]\n\
            raw = socket.create_connection(('127.0.0.1', port), 20)\n\
            tls = ssl.create_default_context(cafile=root).wrap_socket(raw, server_hostname=name)\n\
            print(tls.getpeercert()['subjectAltName'])\n";
        let port = port.to_string();
        let python = async |name: &str| run("python3", &["-c", script, &root, &port, name]).await;
        let ran = python("shop.localhost").await;
        assert_eq!(ran.out, "(('DNS', 'shop.localhost'),)\n", "{ran:?}");
        assert_eq!(python("127.0.0.1").await.code, Some(0));
        let ran = python("evil.com").await;
        assert!(ran.err.contains("permitted subtree violation"), "{ran:?}");
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

/// Whether the program is there; if not, the test is skipped, loudly.
async fn present(program: &str, args: &[&str]) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).is_file());
    let there = found && run(program, args).await.code == Some(0);
    let strict = std::env::var_os("LOCALD_TESTS_STRICT").is_some_and(|it| it == "1");
    assert!(there || !strict, "{program} is missing");
    if !there {
        eprintln!("SKIPPED clients: {program} is missing");
    }
    there
}

/// What came of a program.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs it as every program is run in this process, whose reaper would take the exit code of others.
async fn run(program: &str, args: &[&str]) -> Ran {
    let words: Vec<_> = [program].iter().chain(args).copied().collect();
    let (ending, out, err) = testing::run(&of_user(&words)).await;
    let code = if let Ending::Code(code) = ending { Some(code) } else { None };
    Ran { code, out, err }
}

/// With the environment of whoever runs the tests, in which the program may be found.
fn of_user(words: &[&str]) -> Command {
    Command { env: std::env::vars_os().collect(), ..testing::command(words) }
}
