//! Finds the program to run, and says what is wrong when there is none.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{AT_FDCWD, AtFlags},
    unistd::{AccessFlags, faccessat},
};

use super::{SpawnError, shown};

/// Where `execvp` looks when there is no `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The path of program `name` as seen from `dir`.
pub(super) fn find(
    name: &OsStr,
    env: &[(OsString, OsString)],
    dir: &Path,
) -> Result<PathBuf, SpawnError> {
    let missing = || SpawnError::NoSuchProgram(name.to_string_lossy().into_owned());
    if name.is_empty() {
        return Err(missing());
    }
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return match look_at(&shown(&path, dir)) {
            Found::Program => Ok(path),
            Found::Unusable => Err(SpawnError::NotExecutable(shown(&path, dir))),
            Found::Nothing => Err(missing()),
        };
    }
    let mut unusable = None;
    for folder in search_path(env).split(|byte| *byte == b':') {
        let folder = if folder.is_empty() { b"." } else { folder };
        let path = Path::new(OsStr::from_bytes(folder)).join(name);
        match look_at(&shown(&path, dir)) {
            Found::Program => return Ok(path),
            Found::Unusable => unusable = unusable.or_else(|| Some(shown(&path, dir))),
            Found::Nothing => {}
        }
    }
    Err(unusable.map_or_else(missing, SpawnError::NotExecutable))
}

pub(super) fn check_dir(dir: &Path) -> Result<(), SpawnError> {
    let bad = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            SpawnError::NoSuchWorkdir(dir.to_owned())
        }
        _ => SpawnError::Workdir { path: dir.to_owned(), source },
    };
    if !fs::metadata(dir).map_err(bad)?.is_dir() {
        return Err(SpawnError::NoSuchWorkdir(dir.to_owned()));
    }
    executable(dir).map_err(|errno| bad(errno.into()))
}

/// What the failure of `posix_spawn` means, now that `path` and `dir` seemed all right before.
pub(super) fn explain(source: io::Error, path: &Path, name: &OsStr, dir: &Path) -> SpawnError {
    if let Err(error) = check_dir(dir) {
        return error;
    }
    let program = shown(path, dir);
    match source.kind() {
        io::ErrorKind::PermissionDenied => return SpawnError::NotExecutable(program),
        io::ErrorKind::NotFound if !program.exists() => {
            return SpawnError::NoSuchProgram(name.to_string_lossy().into_owned());
        }
        io::ErrorKind::NotFound => {
            if let Some(interpreter) = interpreter(&program) {
                return SpawnError::NoInterpreter { program, interpreter };
            }
        }
        _ => {}
    }
    SpawnError::System { program: name.to_string_lossy().into_owned(), source }
}

enum Found {
    Program,
    Unusable,
    Nothing,
}

fn look_at(path: &Path) -> Found {
    match fs::metadata(path) {
        Ok(data) if data.is_file() && executable(path).is_ok() => Found::Program,
        Ok(_) => Found::Unusable,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Found::Unusable,
        Err(_) => Found::Nothing,
    }
}

fn executable(path: &Path) -> nix::Result<()> {
    faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS)
}

fn search_path(env: &[(OsString, OsString)]) -> &[u8] {
    // A later entry of the same name would be the shadowed one for the program, too.
    env.iter()
        .find(|(name, _)| name == "PATH")
        .map_or(DEFAULT_PATH.as_bytes(), |(_, value)| value.as_bytes())
}

fn interpreter(script: &Path) -> Option<String> {
    let mut head = Vec::new();
    fs::File::open(script).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    // A carriage return at the end of the line is the usual culprit: show it.
    Some(line.trim_matches(' ').split(' ').next()?.escape_debug().to_string())
}
