//! The stores of browsers: NSS databases of the user, kept by `certutil`.

mod places;

use std::{
    ffi::OsString,
    fs,
    io::Write as _,
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::geteuid;

pub use self::places::Homes;
use super::{State, Store};
use crate::os::tool;
use crate::os::{
    ca::{Fingerprint, Root},
    paths::create_private_dir,
};

/// A database that a browser has locked is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Trusted for servers, and for nothing else.
const TRUST: &str = "C,,";

/// A database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Database {
    /// Whose it is.
    pub browser: &'static str,
    /// Its folder.
    pub dir: PathBuf,
    /// Whether it would be missed: it is there, or its browser is.
    pub needed: bool,
}

/// All databases of a user, and the program that keeps them.
#[derive(Debug)]
pub struct Databases {
    list: Vec<Database>,
    certutil: Option<PathBuf>,
    /// Whose home it is, if it is not ours.
    stranger: Option<u32>,
}

impl Databases {
    /// Those of the user whose home this is.
    pub fn of(homes: &Homes) -> Self {
        let owner = fs::metadata(&homes.home).map(|data| data.uid()).ok();
        Self {
            list: homes.databases(),
            certutil: tool::find(Path::new("/"), "certutil"),
            stranger: owner.filter(|owner| *owner != geteuid().as_raw()),
        }
    }

    /// Whether each of them trusts `root`.
    pub async fn look(&self, root: &Root) -> Vec<Store> {
        let mut stores = Vec::new();
        for database in &self.list {
            let state = match self.tool(database) {
                Ok(certutil) => certutil.look(root).await,
                Err(state) => state,
            };
            stores.push(Store::new(database.browser, &database.dir, state));
        }
        stores
    }

    /// Has each of them trust it, and looks whether it does.
    pub async fn install(&self, root: &Root) -> Vec<Store> {
        let mut stores = Vec::new();
        for database in &self.list {
            let state = match self.tool(database) {
                Ok(certutil) => certutil.install(root).await,
                Err(state) => state,
            };
            stores.push(Store::new(database.browser, &database.dir, state));
        }
        stores
    }

    /// Takes it out of each of them, under whatever name it is there, and looks.
    pub async fn uninstall(&self, root: &Root) -> Vec<Store> {
        let mut stores = Vec::new();
        for database in &self.list {
            let state = match self.tool(database) {
                Ok(certutil) => certutil.uninstall(root).await,
                Err(state) => state,
            };
            stores.push(Store::new(database.browser, &database.dir, state));
        }
        stores
    }

    fn tool(&self, database: &Database) -> Result<Certutil<'_>, State> {
        if let Some(owner) = self.stranger {
            // A file of ours among theirs would lock them out of their own browser.
            return Err(State::NotNeeded(format!("the home folder belongs to user {owner}")));
        }
        match &self.certutil {
            Some(program) => Ok(Certutil { program, dir: database.dir.clone() }),
            None if database.needed => Err(State::Failed(
                "certutil is missing: install libnss3-tools (Debian, Ubuntu), nss-tools (Fedora, \
                 RHEL, Alpine), nss (Arch) or mozilla-nss-tools (openSUSE)"
                    .to_owned(),
            )),
            None => Err(State::NotNeeded("no such browser was found".to_owned())),
        }
    }
}

/// `certutil` at one database.
struct Certutil<'a> {
    program: &'a Path,
    dir: PathBuf,
}

/// A certificate as the database lists it.
struct Listed {
    nickname: String,
    trust: String,
}

impl Certutil<'_> {
    async fn look(&self, root: &Root) -> State {
        if !self.exists() {
            return State::NotTrusted;
        }
        match self.find(root.fingerprint()).await {
            // The first of three: what it is trusted for as a server's.
            Ok(found) if found.iter().any(|it| it.trust.split(',').next().is_some_and(is_ca)) => {
                State::Trusted
            }
            Ok(_) => State::NotTrusted,
            Err(why) => State::Failed(why),
        }
    }

    async fn install(&self, root: &Root) -> State {
        match self.look(root).await {
            State::NotTrusted => {}
            other => return other,
        }
        match self.add(root).await {
            Ok(()) => self.look(root).await,
            Err(why) => State::Failed(why),
        }
    }

    async fn uninstall(&self, root: &Root) -> State {
        if !self.exists() {
            return State::NotTrusted;
        }
        let found = match self.find(root.fingerprint()).await {
            Ok(found) => found,
            Err(why) => return State::Failed(why),
        };
        for listed in found {
            if let Err(why) = self.run(&["-D", "-n", &listed.nickname]).await {
                return State::Failed(why);
            }
        }
        self.look(root).await
    }

    async fn add(&self, root: &Root) -> Result<(), String> {
        create_private_dir(&self.dir).map_err(|error| error.to_string())?;
        if !self.exists() {
            self.run(&["-N", "--empty-password"]).await?;
        }
        let file = memory_file(&root.pem()).map_err(|error| format!("no memory: {error}"))?;
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        self.run(&["-A", "-n", root.common_name(), "-t", TRUST, "-a", "-i", &path]).await.map(drop)
    }

    /// Under which names the database has exactly this certificate.
    async fn find(&self, fingerprint: Fingerprint) -> Result<Vec<Listed>, String> {
        let all = self.run(&["-L"]).await?;
        let mut found = Vec::new();
        for entry in listed(&String::from_utf8_lossy(&all)) {
            // Whoever added it by hand may have chosen a name, but browsers take the one it has.
            if !entry.nickname.contains("locald") {
                continue;
            }
            let der = self.run(&["-L", "-n", &entry.nickname, "-r"]).await?;
            if Fingerprint::of(&der) == fingerprint {
                found.push(entry);
            }
        }
        Ok(found)
    }

    async fn run(&self, args: &[&str]) -> Result<Vec<u8>, String> {
        let mut database = OsString::from("sql:");
        database.push(&self.dir);
        let mut words: Vec<OsString> = args.iter().map(OsString::from).collect();
        words.extend(["-d".into(), database]);
        tool::run(self.program, &words, PATIENCE).await
    }

    fn exists(&self) -> bool {
        self.dir.join("cert9.db").exists()
    }
}

/// The lines of `certutil -L`: a name, spaces, and three groups of letters.
fn listed(list: &str) -> Vec<Listed> {
    let line = |line: &str| {
        let (nickname, trust) = line.trim_end().rsplit_once(' ')?;
        let flags = |c: char| c == ',' || "pPcCTuwGg".contains(c);
        let fits = trust.matches(',').count() == 2 && trust.chars().all(flags);
        fits.then(|| Listed { nickname: nickname.trim().to_owned(), trust: trust.to_owned() })
    };
    list.lines().filter_map(line).collect()
}

fn is_ca(flags: &str) -> bool {
    flags.contains('C')
}

/// A file without a place that others could reach.
fn memory_file(text: &str) -> std::io::Result<fs::File> {
    let file = rustix::fs::memfd_create("locald-root", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = fs::File::from(file);
    file.write_all(text.as_bytes())?;
    Ok(file)
}
