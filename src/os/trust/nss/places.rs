//! Where browsers keep their databases.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::Database;
use crate::os::{tool, trust::profiles::profiles};

const CHROMIUM: &str = "Chromium";
const FIREFOX: &str = "Firefox";

/// Programs that use the database of Chromium.
const CHROMIUMS: [&str; 10] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "google-chrome-beta",
    "brave-browser",
    "brave",
    "microsoft-edge",
    "vivaldi",
    "opera",
];
/// The same as flatpaks.
const FLATPAKS: [&str; 7] = [
    "org.chromium.Chromium",
    "com.google.Chrome",
    "com.brave.Browser",
    "com.microsoft.Edge",
    "com.vivaldi.Vivaldi",
    "com.opera.Opera",
    "io.github.ungoogled_software.ungoogled_chromium",
];

/// The folders of a user.
#[derive(Clone, Debug)]
pub struct Homes {
    /// `HOME`.
    pub home: PathBuf,
    /// `XDG_DATA_HOME`.
    pub data: PathBuf,
    /// `XDG_CONFIG_HOME`.
    pub config: PathBuf,
}

impl Homes {
    /// Those that `env` tells; none without a home.
    pub fn find(env: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let dir = |name| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = dir("HOME")?;
        let data = dir("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
        let config = dir("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        Some(Self { home, data, config })
    }

    /// All databases that there are or should be.
    pub(in crate::os::trust) fn databases(&self) -> Vec<Database> {
        let mut list = vec![self.chromium()];
        list.extend(self.boxed_chromiums());
        list.extend(self.firefoxes());
        list
    }

    /// Chromium 146 and later look in the second place if there is nothing in the first.
    fn chromium(&self) -> Database {
        let old = self.home.join(".pki/nssdb");
        let dir = if old.is_dir() { old } else { self.data.join("pki/nssdb") };
        let installed = || CHROMIUMS.iter().any(|name| tool::find(Path::new("/"), name).is_some());
        let needed = dir.join("cert9.db").exists() || installed();
        Database { browser: CHROMIUM, dir, needed }
    }

    /// Snaps and flatpaks have homes of their own.
    fn boxed_chromiums(&self) -> Vec<Database> {
        let snap = self.home.join("snap/chromium/current");
        let snap = (snap.clone(), snap.join(".local/share"));
        let flatpaks = FLATPAKS.iter().map(|id| {
            let home = self.home.join(".var/app").join(id);
            (home.clone(), home.join("data"))
        });
        std::iter::once(snap)
            .chain(flatpaks)
            .filter(|(home, _)| home.is_dir())
            .map(|(home, data)| {
                let old = home.join(".pki/nssdb");
                let dir = if old.is_dir() { old } else { data.join("pki/nssdb") };
                Database { browser: CHROMIUM, dir, needed: true }
            })
            .collect()
    }

    /// A database for each profile; one that has never been used gets one, too.
    fn firefoxes(&self) -> Vec<Database> {
        let boxed = ["snap/firefox/common", ".var/app/org.mozilla.firefox"];
        let boxed = boxed.iter().flat_map(|home| {
            let home = self.home.join(home);
            [".mozilla/firefox", ".config/mozilla/firefox", "config/mozilla/firefox"]
                .map(|below| home.join(below))
        });
        let own = [self.home.join(".mozilla/firefox"), self.config.join("mozilla/firefox")];
        let mut list: Vec<Database> = Vec::new();
        for folder in own.into_iter().chain(boxed) {
            let Ok(ini) = fs::read(folder.join("profiles.ini")) else { continue };
            let ini = String::from_utf8_lossy(&ini);
            for dir in profiles(&ini, &folder).into_iter().filter(|dir| dir.is_dir()) {
                if list.iter().all(|known| known.dir != dir) {
                    list.push(Database { browser: FIREFOX, dir, needed: true });
                }
            }
        }
        list
    }
}
