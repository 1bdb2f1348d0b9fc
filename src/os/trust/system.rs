//! The store of the system: a folder of certificates, and a program that makes a bundle of them.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{State, Store, bundle_has, file_name};
use crate::os::ca::{Fingerprint, Root};
use crate::os::tool;

/// The programs run hooks, of Java for example.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a family of distributions does it.
#[derive(Debug)]
struct Layout {
    /// Relative to the root of the file system, as all paths here.
    folder: &'static str,
    /// What must exist besides the folder's parent.
    sign: &'static str,
    suffix: &'static str,
    program: &'static str,
    add: &'static [&'static str],
    /// Also forgets what is no longer there.
    remove: &'static [&'static str],
    bundle: &'static str,
}

/// PROXY §5. Debian comes last: others have its folder, too.
const LAYOUTS: [Layout; 4] = [
    // Fedora, RHEL.
    Layout {
        folder: "etc/pki/ca-trust/source/anchors",
        sign: "etc/pki/ca-trust/source",
        suffix: "pem",
        program: "update-ca-trust",
        add: &["extract"],
        remove: &["extract"],
        bundle: "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    },
    // Arch.
    Layout {
        folder: "etc/ca-certificates/trust-source/anchors",
        sign: "etc/ca-certificates/trust-source",
        suffix: "pem",
        program: "update-ca-trust",
        add: &[],
        remove: &[],
        bundle: "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    },
    // openSUSE.
    Layout {
        folder: "etc/pki/trust/anchors",
        sign: "etc/pki/trust",
        suffix: "pem",
        program: "update-ca-certificates",
        add: &[],
        remove: &["--fresh"],
        bundle: "var/lib/ca-certificates/ca-bundle.pem",
    },
    // Debian, Ubuntu, Alpine.
    Layout {
        folder: "usr/local/share/ca-certificates",
        sign: "etc/ssl/certs",
        suffix: "crt",
        program: "update-ca-certificates",
        add: &[],
        remove: &["--fresh"],
        bundle: "etc/ssl/certs/ca-certificates.crt",
    },
];

/// The store of the system.
#[derive(Debug)]
pub struct System {
    layout: &'static Layout,
    folder: PathBuf,
    bundle: PathBuf,
    program: PathBuf,
}

impl System {
    /// The store of the system whose files are below `top`: `/`, but for tests.
    pub fn find(top: &Path) -> Option<Self> {
        LAYOUTS.iter().find_map(|layout| {
            let program = tool::find(top, layout.program)?;
            top.join(layout.sign).is_dir().then(|| Self {
                layout,
                folder: top.join(layout.folder),
                bundle: top.join(layout.bundle),
                program,
            })
        })
    }

    /// The file that clients read.
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// Whether clients trust `root`: whether the bundle has it.
    pub fn look(&self, root: &Root) -> Store {
        let state = match fs::read(&self.bundle) {
            Ok(bundle) if bundle_has(&bundle, root.fingerprint()) => State::Trusted,
            Ok(_) => State::NotTrusted,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::NotTrusted,
            Err(error) => State::Failed(format!("cannot read {}: {error}", self.bundle.display())),
        };
        Store::new("system", &self.bundle, state)
    }

    /// Has it trusted, and looks whether it is. For root alone.
    pub async fn install(&self, root: &Root) -> Store {
        if self.look(root).state == State::Trusted {
            return self.look(root);
        }
        let done = match self.place(root) {
            Ok(()) => self.update(self.layout.add).await,
            Err(error) => Err(format!("cannot write to {}: {error}", self.folder.display())),
        };
        self.outcome(root, done, &State::Trusted)
    }

    /// Has it no longer trusted, under whatever name it is there, and looks. For root alone.
    pub async fn uninstall(&self, root: &Root) -> Store {
        let removed = match self.remove(root.fingerprint()) {
            Ok(removed) => removed,
            Err(error) => {
                let why = format!("cannot remove it from {}: {error}", self.folder.display());
                return Store::new("system", &self.bundle, State::Failed(why));
            }
        };
        if !removed && self.look(root).state == State::NotTrusted {
            return self.look(root);
        }
        let mut done = self.update(self.layout.remove).await;
        if done.is_err() && self.layout.remove != self.layout.add {
            // Not each of these programs knows the option, and some need it.
            done = self.update(self.layout.add).await;
        }
        self.outcome(root, done, &State::NotTrusted)
    }

    fn outcome(&self, root: &Root, done: Result<(), String>, wanted: &State) -> Store {
        let store = self.look(root);
        match done {
            Ok(()) if store.state == *wanted => store,
            Ok(()) => {
                let program = self.program.display();
                let why = format!("{program} ran, yet {} did not change", self.bundle.display());
                Store { state: State::Failed(why), ..store }
            }
            Err(why) => Store { state: State::Failed(why), ..store },
        }
    }

    /// The file appears as a whole, readable for all.
    fn place(&self, root: &Root) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(file_name(root, self.layout.suffix));
        let temporary = self.folder.join(format!(".{}", file_name(root, "new")));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary)?;
        let written = file
            // Whatever the umask is.
            .set_permissions(Permissions::from_mode(0o644))
            .and_then(|()| file.write_all(root.pem().as_bytes()))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _removed = fs::remove_file(&temporary);
        }
        written
    }

    fn remove(&self, fingerprint: Fingerprint) -> io::Result<bool> {
        /// A folder of certificates has no larger files.
        const LARGEST: u64 = 1 << 20;
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut removed = false;
        for entry in entries {
            let path = entry?.path();
            let small = fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= LARGEST);
            // Only files that hold this certificate first: a bundle of others is not ours.
            let ours = small
                && fs::read(&path).is_ok_and(|pem| {
                    Root::from_pem(&pem).is_ok_and(|root| root.fingerprint() == fingerprint)
                });
            if ours {
                fs::remove_file(&path)?;
                removed = true;
            }
        }
        Ok(removed)
    }

    async fn update(&self, args: &[&str]) -> Result<(), String> {
        tool::run(&self.program, args, PATIENCE).await.map(drop)
    }
}

/// What a person can do by hand where we cannot.
pub fn place_by_hand(root_file: &Path) -> String {
    let file = root_file.display();
    if Path::new("/etc/NIXOS").exists() {
        return format!("add to configuration.nix: security.pki.certificateFiles = [ {file} ];");
    }
    match System::find(Path::new("/")) {
        Some(system) => format!(
            "or by hand: sudo install -m 644 {file} {}/locald.{} && sudo {} {}",
            system.folder.display(),
            system.layout.suffix,
            system.program.display(),
            system.layout.add.join(" ")
        ),
        None => format!("install the package ca-certificates, or add {file} to the roots by hand"),
    }
}
