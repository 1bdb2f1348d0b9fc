//! The shim that came with locald: beside it, and nobody's but its owner's.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User};

/// More than it has.
const LARGEST: u64 = 64 << 20;

/// The program as it was when it was looked at: what is installed is this, whatever becomes of the file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it was.
    pub path: PathBuf,
    pub(super) program: Vec<u8>,
}

impl Source {
    /// The one beside this program, where `cargo install` puts it, too.
    pub fn beside_us() -> Result<Self, String> {
        let us = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let owner = fs::metadata(&us).map_err(|error| failed(&us, &error))?.uid();
        let folder = us.parent().unwrap_or_else(|| Path::new("/"));
        let path = folder.join("locald-shim");
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(&path);
        let file: File = match file {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = path.display();
                return Err(format!(
                    "there is no {path}: it comes with locald, into the same folder"
                ));
            }
            Err(error) => return Err(failed(&path, &error)),
        };
        let found = file.metadata().map_err(|error| failed(&path, &error))?;
        let above = fs::metadata(folder).map_err(|error| failed(folder, &error))?;
        if !found.is_file() {
            return Err(format!("{} is no program", path.display()));
        }
        only_owner_writes(&path, &found, owner)?;
        only_owner_writes(folder, &above, owner)?;
        let mut program = Vec::new();
        file.take(LARGEST).read_to_end(&mut program).map_err(|error| failed(&path, &error))?;
        Ok(Self { path, program })
    }
}

/// Root's, or his who has locald itself: what he could have root run anyway.
fn only_owner_writes(path: &Path, found: &Metadata, owner: u32) -> Result<(), String> {
    let path = path.display();
    if found.uid() != owner && found.uid() != 0 {
        return Err(format!("{path} belongs to user {}, and locald to {owner}", found.uid()));
    }
    // A group that is its owner's own.
    let own_group = || {
        let user = User::from_uid(Uid::from_raw(found.uid())).ok().flatten();
        user.is_some_and(|user| user.gid.as_raw() == found.gid())
    };
    if found.mode() & 0o002 != 0 || found.mode() & 0o020 != 0 && !own_group() {
        return Err(format!("others than its owner can change {path}"));
    }
    Ok(())
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}
