//! Finds the project of a folder, and reads its configuration.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{
    error::Error,
    output,
    render::{diagnostic, text::Paint},
};
use crate::core::{
    config::{self, Config},
    diagnostic::{Diagnostic, Diagnostics, SourceFile},
    plan::Plan,
};

/// The files that make a folder a project, the better one first.
const FILES: [&str; 2] = ["locald.toml", "Procfile"];
/// A longer file is none of ours.
const LONGEST: u64 = 1 << 20;

/// A folder with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Project {
    /// The folder, without symbolic links.
    pub dir: PathBuf,
    /// The configuration file in it.
    pub file: PathBuf,
}

impl Project {
    /// The project of the working folder, or of its nearest parent that is one.
    pub fn here() -> Result<Self, Error> {
        let dir = working_folder()?;
        Self::around(&dir).ok_or_else(|| {
            Error::config(format!(
                "no locald.toml or Procfile in {} or any folder above it",
                dir.display()
            ))
            .hinted("go to a project's folder, or name one: `locald -C DIR …`")
        })
    }

    /// The project of the working folder if there is one.
    pub fn here_if_any() -> Result<Option<Self>, Error> {
        working_folder().map(|dir| Self::around(&dir))
    }

    /// The project in exactly this folder.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let dir = path.canonicalize().map_err(|error| {
            Error::config(format!("cannot open {}", path.display())).because(error)
        })?;
        Self::within(&dir).ok_or_else(|| {
            Error::config(format!("no locald.toml or Procfile in {}", dir.display()))
        })
    }

    /// The project in `path`, or else the one of the working folder.
    pub fn at_or_here(path: Option<&Path>) -> Result<Self, Error> {
        path.map_or_else(Self::here, Self::at)
    }

    fn around(dir: &Path) -> Option<Self> {
        dir.ancestors().find_map(Self::within)
    }

    fn within(dir: &Path) -> Option<Self> {
        // Whatever is called so is meant so, also when it cannot be read: that is said then.
        FILES
            .iter()
            .map(|name| dir.join(name))
            .find(|file| file.symlink_metadata().is_ok())
            .map(|file| Self { dir: dir.to_owned(), file })
    }

    /// Reads the configuration file.
    fn source(&self) -> Result<SourceFile, Error> {
        let bytes = read(&self.file).map_err(|error| {
            let error =
                Error::config(format!("cannot read {}", self.file.display())).because(error);
            error.hinted("locald.toml is a text file of at most 1 MiB that you may read")
        })?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(SourceFile { path: self.file.clone(), text }),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let before = &error.as_bytes()[..valid];
                let line = memchr::memchr_iter(b'\n', before).count() + 1;
                Err(Error::config(format!(
                    "{}:{line}: this line is not valid UTF-8",
                    self.file.display()
                ))
                .hinted("save the file as UTF-8"))
            }
        }
    }

    /// What the configuration says, or all that is wrong with it.
    pub fn check(&self) -> Result<Checked, Error> {
        let source = self.source()?;
        let name = self.dir.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let config = if self.file.ends_with(FILES[0]) {
            config::parse_toml(&source, &name)
        } else {
            config::parse_procfile(&source, &name)
        };
        let config = config.and_then(|config| {
            let missing = self.missing_env_files(&source, &config);
            if missing.is_empty() { Ok(config) } else { Err(missing) }
        });
        Ok(match config {
            Ok(config) => Checked::Good(Box::new(Plan::of(&config))),
            Err(list) => Checked::Bad(Diagnostics { source, list }),
        })
    }

    /// What the configuration says; its errors are said.
    pub fn plan(&self) -> Result<Box<Plan>, Error> {
        match self.check()? {
            Checked::Good(plan) => Ok(plan),
            Checked::Bad(diagnostics) => Err(invalid(&diagnostics)),
        }
    }

    /// Env files that are named and are not there. Where they are named is found by their text: the
    /// configuration does not say.
    fn missing_env_files(&self, source: &SourceFile, config: &Config) -> Vec<Diagnostic> {
        let plan = Plan::of(config);
        let services = plan.services.iter();
        let mut named: Vec<String> = services
            .flat_map(|service| crate::core::launch::env_files_of(&plan, service))
            .filter(|file| file.required && !self.dir.join(&file.path).exists())
            .map(|file| file.path)
            .collect();
        named.sort();
        named.dedup();
        let missing = named.into_iter().map(|path| {
            let place = source.text.find(&path).map_or(0..0, |at| at..at + path.len());
            Diagnostic::at(place, format!("env file `{path}` does not exist"))
                .help("create it, or take it out of `env_file`")
        });
        missing.collect()
    }
}

/// What came of checking a configuration.
#[derive(Debug)]
pub enum Checked {
    /// It is valid.
    Good(Box<Plan>),
    /// It is not.
    Bad(Diagnostics),
}

/// The error that shows all that is wrong with a configuration.
pub fn invalid(diagnostics: &Diagnostics) -> Error {
    let paint = Paint { colour: output::stderr_has_colour() };
    Error::config(String::new()).detailed(diagnostic::diagnostics(diagnostics, paint))
}

fn working_folder() -> Result<PathBuf, Error> {
    std::env::current_dir()
        .and_then(|dir| dir.canonicalize())
        .map_err(|error| Error::failed("cannot tell the working folder").because(error))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe or a device would keep us waiting.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::cli::report;

    fn said(error: &Error) -> String {
        report::text(error, Paint { colour: false })
    }

    #[test]
    fn the_nearest_folder_wins_and_in_it_the_better_file() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let inner = root.path().join("a/b");
        fs::create_dir_all(inner.join("c")).expect("room");
        fs::write(root.path().join("locald.toml"), "").expect("room");
        fs::write(inner.join("Procfile"), "").expect("room");
        let found = |dir: &Path| Project::around(dir).map(|project| project.file);
        assert_eq!(found(&inner.join("c")), Some(inner.join("Procfile")));
        fs::write(inner.join("locald.toml"), "").expect("room");
        assert_eq!(found(&inner.join("c")), Some(inner.join("locald.toml")));
        assert_eq!(found(&root.path().join("a")), Some(root.path().join("locald.toml")));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_to_be_so() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("locald.toml");
        let reading = || {
            let project = Project::at(dir.path()).expect("there is something of that name");
            let error = project.source().expect_err("nobody can read that");
            assert_eq!(error.kind.code(), 4);
            said(&error)
        };
        symlink("locald.toml", &file).expect("room");
        assert!(reading().contains("symbolic links"), "{}", reading());
        fs::remove_file(&file).expect("it is there");

        fs::create_dir(&file).expect("room");
        assert!(reading().contains("it is not a file"), "{}", reading());
        fs::remove_dir(&file).expect("it is there");

        fs::write(&file, b"[project]\nname = \"\xff\"\n").expect("room");
        assert!(reading().contains("locald.toml:2: this line is not valid UTF-8"), "{}", reading());

        fs::write(&file, vec![b'#'; (1 << 20) + 1]).expect("room");
        assert!(reading().contains("longer than 1 MiB"), "{}", reading());
    }

    #[test]
    fn a_folder_without_configuration_is_no_project() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let error = Project::at(dir.path()).expect_err("it is empty");
        assert!(said(&error).starts_with("error: no locald.toml or Procfile in /"));
        let error = Project::at(&dir.path().join("none")).expect_err("it is not there");
        assert!(said(&error).contains("because: "), "{}", said(&error));
    }
}
