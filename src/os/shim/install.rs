//! Puts the shim into its place and takes it away again. For root alone.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::{
        fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use nix::unistd::{Uid, User};

use super::{PATH, Source, greet};

const ABOVE: &str = "/usr/local/libexec";
const FOLDER: &str = "/usr/local/libexec/locald";
/// There if we have made the folder above, too.
const MADE: &str = "/etc/locald/made-libexec";
const LISTS: &str = "/etc/locald";
const USERS: &str = "allowed-uids";
const DOMAINS: &str = "allowed-tlds";

/// What `admin setup` does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The shim that came with locald.
    pub source: Source,
    /// Who may use it.
    pub uid: u32,
    /// The top-level domains besides `localhost`; none: those that are there.
    pub domains: Vec<String>,
}

impl Plan {
    /// In words, a line each.
    pub fn lines(&self) -> Vec<String> {
        let Self { source, uid, domains } = self;
        let mut lines = vec![
            format!(
                "install {} as {PATH}, owned by root, mode 4755 (setuid)",
                source.path.display()
            ),
            match uid {
                0 => "allow nobody but root to use it: `--user NAME` allows one".to_owned(),
                _ => format!("allow user {uid} to use it: {LISTS}/{USERS}"),
            },
        ];
        if !domains.is_empty() {
            lines.push(format!("allow .{}: {LISTS}/{DOMAINS}", domains.join(", .")));
        }
        lines
    }
}

/// Does it. Whatever fails, no half of a program is ever setuid.
pub fn setup(plan: &Plan) -> Result<(), String> {
    make_folder(Path::new(LISTS))?;
    let list = Path::new(LISTS);
    if !Path::new(ABOVE).exists() {
        put(Path::new(MADE), b"", 0o644, |_| Ok(()))?;
    }
    make_folder(Path::new(ABOVE))?;
    make_folder(Path::new(FOLDER))?;
    let mut uids: BTreeSet<u32> = read_uids(&list.join(USERS))?;
    // Root needs no leave.
    uids.extend((plan.uid != 0).then_some(plan.uid));
    let lines: String = uids.iter().map(|uid| uid.to_string() + "\n").collect();
    put(&list.join(USERS), lines.as_bytes(), 0o644, |_| Ok(()))?;
    if !plan.domains.is_empty() {
        put(&list.join(DOMAINS), (plan.domains.join("\n") + "\n").as_bytes(), 0o644, |_| Ok(()))?;
    }
    put(Path::new(PATH), &plan.source.program, 0o4755, |new| {
        let (hello, ours) = (greet(new)?, env!("CARGO_PKG_VERSION"));
        if hello.release != ours {
            let path = plan.source.path.display();
            return Err(format!("{path} is of locald {}, and this is {ours}", hello.release));
        }
        disarm()
    })
}

/// Who may use it.
pub fn users() -> Result<BTreeSet<u32>, String> {
    read_uids(&Path::new(LISTS).join(USERS))
}

/// Runs this program as another user, who has no more rights than theirs.
pub fn as_user(uid: u32, words: &[&str]) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot run as user {uid}: {error}");
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let gid = user.map_or(uid, |user| user.gid.as_raw());
    let program = std::env::current_exe().map_err(failed)?;
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(program);
    command.args(words).env_clear().current_dir("/").uid(uid).gid(gid);
    let out = command.stdin(Stdio::null()).output().map_err(failed)?;
    let said = String::from_utf8_lossy(&out.stderr);
    if out.status.success() { Ok(()) } else { Err(said.trim().to_owned()) }
}

/// Takes away the shim and its lists; what was there.
pub fn uninstall() -> Result<Vec<String>, String> {
    disarm()?;
    let made = Path::new(MADE).exists();
    let files = [
        MADE.to_owned(),
        PATH.to_owned(),
        format!("{LISTS}/{USERS}"),
        format!("{LISTS}/{DOMAINS}"),
        format!("{LISTS}/.lock"),
    ];
    let mut removed = Vec::new();
    for file in files {
        match fs::remove_file(&file) {
            Ok(()) => removed.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot remove {file}: {error}")),
        }
    }
    for folder in [FOLDER, LISTS].into_iter().chain(made.then_some(ABOVE)) {
        match fs::remove_dir(folder) {
            Ok(()) => removed.push(folder.to_owned()),
            // Somebody else's files are in it.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot remove {folder}: {error}")),
        }
    }
    Ok(removed)
}

/// A program that runs keeps its file: without its bit that is of no use to anybody.
fn disarm() -> Result<(), String> {
    match fs::set_permissions(PATH, Permissions::from_mode(0o755)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot take the setuid bit from {PATH}: {error}"))
        }
        _ => Ok(()),
    }
}

fn make_folder(path: &Path) -> Result<(), String> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!("cannot create {}: {error}", path.display()));
        }
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755))
            .map_err(|error| format!("cannot set the mode of {}: {error}", path.display()))?,
        Err(_) => {}
    }
    let mut at = Some(path);
    while let Some(folder) = at {
        let safe = fs::symlink_metadata(folder)
            .is_ok_and(|it| it.is_dir() && it.uid() == 0 && it.mode() & 0o022 == 0);
        if !safe {
            return Err(format!("others than root can change {}", folder.display()));
        }
        at = folder.parent();
    }
    Ok(())
}

fn read_uids(path: &Path) -> Result<BTreeSet<u32>, String> {
    let broken = |line: &str| format!("{} is malformed: {line:?}", path.display());
    match fs::read_to_string(path) {
        Ok(text) => text.lines().map(|line| line.parse().map_err(|_| broken(line))).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Written beside, owned by root, then with its mode, then looked at, then in its place.
fn put(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    ready: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let new = path.with_extension("new");
    let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file: File = options.write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        fchown(&file, Some(0), Some(0))?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    };
    let done = write().map_err(failed).and_then(|()| ready(&new));
    let done = done.and_then(|()| fs::rename(&new, path).map_err(failed));
    if done.is_err() {
        let _gone = fs::remove_file(&new);
    }
    done
}
