//! Finds the project of a folder, and reads its configuration.

use std::path::{Path, PathBuf};

use super::{
    error::Error,
    output,
    render::{diagnostic, text::Paint},
};
use crate::{
    api::error::{Place, Problem},
    core::{
        diagnostic::{Diagnostic, Diagnostics},
        plan::Plan,
    },
    os::project_file::{self, Unusable},
};

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

    /// What a question is about: everything, or the project of the working folder if there is one.
    pub fn unless_all(all: bool) -> Result<Option<Self>, Error> {
        if all { Ok(None) } else { Self::here_if_any() }
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
        project_file::find(dir).map(|file| Self { dir: dir.to_owned(), file })
    }

    /// What the configuration says, or all that is wrong with it.
    pub fn check(&self) -> Result<Checked, Error> {
        match project_file::plan(&self.dir) {
            Ok(plan) => Ok(Checked::Good(Box::new(plan))),
            Err(Unusable::Invalid(diagnostics)) => Ok(Checked::Bad(diagnostics)),
            Err(Unusable::Unreadable { path, source }) => {
                let error = Error::config(format!("cannot read {}", path.display()));
                Err(error
                    .because(source)
                    .hinted("a configuration is a text file of at most 1 MiB that you may read"))
            }
            Err(error @ (Unusable::Missing(_) | Unusable::Gone(_))) => {
                Err(Error::config(error.to_string()))
            }
        }
    }

    /// What the configuration says; its errors are said.
    pub fn plan(&self) -> Result<Box<Plan>, Error> {
        match self.check()? {
            Checked::Good(plan) => Ok(plan),
            Checked::Bad(diagnostics) => Err(invalid(&diagnostics)),
        }
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

/// What the daemon says is wrong at a place in a configuration, drawn; none if that cannot be read here.
pub fn underlined(place: &Place, problem: &Problem) -> Option<String> {
    let source = project_file::source_of(place.file.clone())?;
    let mut wrong = Diagnostic::at(place.bytes.clone(), problem.message.clone());
    wrong.help.clone_from(&problem.help);
    let paint = Paint { colour: output::stderr_has_colour() };
    Some(diagnostic::diagnostics(&Diagnostics { source, list: vec![wrong] }, paint))
}

/// The working folder, without symbolic links.
pub fn working_folder() -> Result<PathBuf, Error> {
    std::env::current_dir()
        .and_then(|dir| dir.canonicalize())
        .map_err(|error| Error::failed("cannot tell the working folder").because(error))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

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
            let error = project.plan().expect_err("nobody can read that");
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
        assert!(reading().contains("locald.toml:2:"), "{}", reading());

        fs::write(&file, vec![b'#'; (1 << 20) + 1]).expect("room");
        assert!(reading().contains("at most 1048576 are read"), "{}", reading());
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
