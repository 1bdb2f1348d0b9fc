//! Where the data of a server is, and whose it is.
//!
//! `data/postgres/PROJECT/SERVICE/` has the password and what is the server's own: `data`, `run` (its
//! socket) and, while it is made, `new`. As root the server's part belongs to the user that it runs as,
//! and is below `/var/lib/locald` where that user cannot reach the other place.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{
            DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
        },
    },
    path::{Path, PathBuf},
};

use aws_lc_rs::{digest, rand};
use nix::unistd::{Uid, User, geteuid};

use super::Request;
use crate::{
    core::{
        id::{ProjectName, ServiceName},
        provision::Product,
    },
    os::paths::{check_socket_path, create_private_dir},
};

/// Where root's servers have their data if they cannot reach it elsewhere.
const SHARED: &str = "/var/lib/locald";
/// 32 characters that need no quotes anywhere.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The folders of one server.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// What it is.
    pub(super) product: Product,
    /// Ours.
    home: PathBuf,
    /// Where the server's folders are; mostly the same.
    ground: PathBuf,
    /// Whom to become; none: nobody else.
    owner: Option<Owner>,
}

/// Who runs a server instead of root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Owner {
    uid: u32,
    gid: u32,
    name: String,
}

/// The password of a server, made when it is first needed; the same for as long as its folder is there.
pub fn password(
    data_dir: &Path,
    project: &ProjectName,
    service: &ServiceName,
    product: Product,
) -> Result<String, String> {
    let home = home(data_dir, project, service, product);
    let path = home.join("password");
    let failed = |error: io::Error| format!("cannot keep {}: {error}", path.display());
    match fs::read_to_string(&path) {
        Ok(text) if !text.is_empty() => return Ok(text),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    create_private_dir(&home).map_err(|error| error.to_string())?;
    let word = random_word().map_err(failed)?;
    let temporary = home.join(format!(".password-{word}"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(failed)?;
    let written = file.write_all(word.as_bytes()).and_then(|()| file.sync_all());
    // Whoever was first counts.
    let linked = written.and_then(|()| match fs::hard_link(&temporary, &path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let _removed = fs::remove_file(&temporary);
    linked.and_then(|()| fs::read_to_string(&path)).map_err(failed)
}

impl Place {
    /// The folders of a server, made as far as they are not there.
    pub(super) fn open(request: &Request<'_>) -> Result<Self, String> {
        let product = request.provision.product;
        let home = home(request.data_dir, request.project, request.service, product);
        create_private_dir(&home).map_err(|error| error.to_string())?;
        let mut place = Self { product, ground: home.clone(), home, owner: None };
        if !geteuid().is_root() {
            return Ok(place);
        }
        let owner = owner(&place.data(), request.dir, product)?;
        for folder in ours(&place.home, request.data_dir) {
            permit_passage(folder)?;
        }
        if !owner.reaches(&place.home) {
            let below = place.home.strip_prefix(request.data_dir).unwrap_or(&place.home);
            let shared = shared(request.data_dir).join(below);
            DirBuilder::new()
                .recursive(true)
                .mode(0o711)
                .create(&shared)
                .map_err(|error| format!("cannot use {}: {error}", shared.display()))?;
            place.ground = shared;
        }
        // The owner of data that is there already is not to change.
        place.owner = Some(self::owner(&place.data(), request.dir, product)?);
        Ok(place)
    }

    /// The data.
    pub(super) fn data(&self) -> PathBuf {
        self.ground.join("data")
    }

    /// What is ours alone.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Where the server's own part is.
    pub(super) fn ground(&self) -> &Path {
        &self.ground
    }

    /// Where its socket is; none if that would be too long for the kernel.
    pub(super) fn run(&self) -> Option<PathBuf> {
        let run = self.ground.join("run");
        // The longest name in it, with which the system must be content.
        check_socket_path(&run.join(".s.PGSQL.65535")).is_ok().then_some(run)
    }

    /// Whom the server runs as, if that is not us.
    pub(super) fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// The command by which its owner runs this.
    pub(super) fn run_by_owner(&self, exe: &Path, argv: Vec<OsString>) -> Vec<OsString> {
        let Some(Owner { uid, gid, .. }) = self.owner else { return argv };
        let words = [uid.to_string(), gid.to_string(), "--".to_owned()];
        let head = [exe.as_os_str().to_owned(), "run-as".into()];
        head.into_iter().chain(words.map(OsString::from)).chain(argv).collect()
    }

    /// Makes what need not be kept: the folder of its socket.
    pub(super) fn refresh(&self) -> Result<(), String> {
        self.run().map_or(Ok(()), |run| self.folder(&run))
    }

    /// A new, empty folder for new data. What an earlier attempt has left is removed.
    pub(super) fn begin(&self) -> Result<PathBuf, String> {
        let fresh = self.ground.join("new");
        remove(&fresh)?;
        self.folder(&fresh)?;
        Ok(fresh)
    }

    /// Makes it the data: all of it or nothing.
    pub(super) fn finish(&self, fresh: &Path) -> Result<(), String> {
        let data = self.data();
        let failed = |error: io::Error| format!("cannot make {}: {error}", data.display());
        // Something without a server's data in it.
        match fs::remove_dir(&data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::rename(fresh, &data).map_err(failed)?;
        File::open(&self.ground).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// Removes the data, and nothing else.
    pub(super) fn wipe(&self) -> Result<(), String> {
        let (data, old) = (self.data(), self.ground.join("old"));
        remove(&old)?;
        match fs::rename(&data, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("cannot remove {}: {error}", data.display()));
            }
            _ => {}
        }
        remove(&old)
    }

    /// A file that the server's owner alone can read.
    pub(super) fn secret_file(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.ground.join(name);
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        crate::os::file::write_atomic(&path, text.as_bytes()).map_err(|e| e.to_string())?;
        self.give(&path).map_err(failed)?;
        Ok(path)
    }

    fn folder(&self, path: &Path) -> Result<(), String> {
        let failed = |error: io::Error| format!("cannot make {}: {error}", path.display());
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => self.give(path).map_err(failed),
        }
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match &self.owner {
            Some(owner) => chown(path, Some(owner.uid), Some(owner.gid)),
            None => Ok(()),
        }
    }
}

impl Owner {
    /// Whether it can go to `path`, by the modes of all folders on the way.
    fn reaches(&self, path: &Path) -> bool {
        path.ancestors().all(|folder| {
            let Ok(found) = fs::metadata(folder) else { return false };
            let bit = if found.uid() == self.uid {
                0o100
            } else if found.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            found.mode() & bit != 0
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl From<User> for Owner {
    fn from(user: User) -> Self {
        Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name }
    }
}

/// Who runs a server of root's: who owns its data, else who owns the project, else who was made for it.
fn owner(data: &Path, project: &Path, product: Product) -> Result<Owner, String> {
    let of_file = |path: &Path| {
        let uid = fs::metadata(path).ok()?.uid();
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        user.filter(|user| !user.uid.is_root())
    };
    let names: &[&str] = match product {
        Product::Postgres => &["postgres", "nobody"],
        Product::Redis => &["redis", "valkey", "nobody"],
    };
    let made_for_it = || names.iter().find_map(|name| User::from_name(name).ok().flatten());
    let user = of_file(data).or_else(|| of_file(project)).or_else(made_for_it);
    user.map(Owner::from).ok_or_else(|| {
        format!(
            "{} does not run as root, and there is no user {} to run it as: make one, or give the \
             project's folder to another user",
            product.title(),
            names.join(" or ")
        )
    })
}

fn home(
    data_dir: &Path,
    project: &ProjectName,
    service: &ServiceName,
    product: Product,
) -> PathBuf {
    data_dir.join(product.as_str()).join(project.as_str()).join(service.as_str())
}

/// The folders of ours that lead to `home`, itself included.
fn ours<'a>(home: &'a Path, data_dir: &'a Path) -> impl Iterator<Item = &'a Path> {
    home.ancestors().take_while(move |folder| folder.starts_with(data_dir))
}

/// Lets others go through a folder, without seeing what is in it.
fn permit_passage(folder: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot change {}: {error}", folder.display());
    let mode = fs::metadata(folder).map_err(failed)?.mode();
    if mode & 0o011 == 0o011 {
        return Ok(());
    }
    fs::set_permissions(folder, Permissions::from_mode(mode & 0o7777 | 0o011)).map_err(failed)
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// 120 random bits.
fn random_word() -> io::Result<String> {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// The folder that stands for a data folder which those whom servers run as do not reach.
fn shared(data_dir: &Path) -> PathBuf {
    Path::new(SHARED).join(digest_of(data_dir))
}

/// Where servers of a kind may be that were fetched.
pub(super) fn shelves(data_dir: &Path, product: Product) -> [PathBuf; 2] {
    [data_dir.to_owned(), shared(data_dir)].map(|folder| folder.join(product.as_str()))
}

/// A short name for a text.
pub(super) fn digest_of(text: impl AsRef<OsStr>) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_ref().as_bytes());
    let letters = digest.as_ref().iter().take(16);
    letters.map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}
