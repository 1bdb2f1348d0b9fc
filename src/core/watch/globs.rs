//! The `watch` patterns of a project: which services a file concerns, and where to look for files.

use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder, escape};

use crate::core::{id::ServiceName, plan::Plan};

/// Why a pattern is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct BadGlob(String);

/// Where files may match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Root {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// How many levels of folders below it matter; none: all.
    pub depth: Option<usize>,
}

/// All patterns of a project.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    set: GlobSet,
    /// Whose each pattern is.
    owners: Vec<ServiceName>,
    roots: Vec<Root>,
}

/// Whether it is a pattern.
pub fn check(pattern: &str) -> Result<(), BadGlob> {
    compile(Path::new("/"), pattern).map(drop)
}

impl Globs {
    /// The patterns of a plan, relative to the project's folder. A pattern without wildcards is that
    /// file, or all that is below that folder.
    pub fn of(plan: &Plan, dir: &Path) -> Self {
        let mut all = Self::default();
        let mut set = GlobSetBuilder::new();
        for service in &plan.services {
            // They have been checked where the configuration was read.
            let patterns = service.watch.iter().filter_map(|text| compile(dir, text).ok());
            for (globs, roots) in patterns {
                for glob in globs {
                    set.add(glob);
                    all.owners.push(service.name.clone());
                }
                for root in roots {
                    if !all.roots.contains(&root) {
                        all.roots.push(root);
                    }
                }
            }
        }
        all.set = set.build().unwrap_or_default();
        all
    }

    /// Whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Where files may match.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Where files may match in a folder and below it.
    pub fn roots_at(&self, folder: &Path) -> Vec<Root> {
        let within = |root: &Root| {
            if root.folder.starts_with(folder) {
                return Some(root.clone());
            }
            let below = folder.strip_prefix(&root.folder).ok()?.components().count();
            let depth = match root.depth {
                Some(depth) => Some(depth.checked_sub(below)?),
                None => None,
            };
            Some(Root { folder: folder.to_owned(), depth })
        };
        self.roots.iter().filter_map(within).collect()
    }

    /// The services that a file, absolute, concerns.
    pub fn owners_of(&self, file: &Path) -> impl Iterator<Item = &ServiceName> {
        self.set.matches(file).into_iter().map(|nth| &self.owners[nth])
    }

    /// All services that watch something.
    pub fn owners(&self) -> impl Iterator<Item = &ServiceName> {
        self.owners.iter()
    }
}

fn compile(dir: &Path, pattern: &str) -> Result<(Vec<Glob>, Vec<Root>), BadGlob> {
    let mut folder = dir.to_owned();
    let mut rest: Vec<&str> = Vec::new();
    if pattern.starts_with('/') {
        folder = PathBuf::from("/");
    }
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let literal = !part.contains(['*', '?', '[', '{', '\\']);
        match part {
            _ if !rest.is_empty() || !literal => rest.push(part),
            ".." => drop(folder.pop()),
            part => folder.push(part),
        }
    }
    let name = |path: &Path| path.to_str().map(escape).ok_or_else(|| BadGlob("not UTF-8".into()));
    let place = name(&folder)?;
    if rest.is_empty() {
        let globs = vec![glob(&place)?, glob(&format!("{place}/**"))?];
        let above = folder.parent().map(|above| Root { folder: above.to_owned(), depth: Some(0) });
        let all = Root { folder, depth: None };
        return Ok((globs, [Some(all), above].into_iter().flatten().collect()));
    }
    let deep = rest.iter().any(|part| part.contains("**") || part.contains('{'));
    let depth = if deep { None } else { Some(rest.len() - 1) };
    let slash = if folder.components().eq([Component::RootDir]) { "" } else { "/" };
    let globs = vec![glob(&format!("{place}{slash}{}", rest.join("/")))?];
    Ok((globs, vec![Root { folder, depth }]))
}

fn glob(text: &str) -> Result<Glob, BadGlob> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map_err(|error| BadGlob(error.kind().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, file: &str) -> bool {
        let (globs, _) = compile(Path::new("/p/s[h]op"), pattern).unwrap();
        globs.iter().any(|glob| glob.compile_matcher().is_match(file))
    }

    #[test]
    fn a_pattern_is_relative_to_the_project_whatever_that_is_called() {
        assert!(matches("src/**/*.py", "/p/s[h]op/src/a.py"));
        assert!(matches("src/**/*.py", "/p/s[h]op/src/b/c/a.py"));
        assert!(!matches("src/**/*.py", "/p/s[h]op/a.py"));
        assert!(!matches("src/**/*.py", "/p/s[h]op/src/a.pyc"));
        assert!(!matches("src/*.py", "/p/s[h]op/src/b/a.py"), "one level is one level");
        assert!(matches("../lib/*.py", "/p/lib/a.py"));
        assert!(matches("/etc/*.conf", "/etc/a.conf"));
        assert!(matches("/*.conf", "/a.conf"));
    }

    #[test]
    fn a_plain_name_is_a_file_or_all_of_a_folder() {
        for pattern in ["src", "src/", "./src"] {
            assert!(matches(pattern, "/p/s[h]op/src"));
            assert!(matches(pattern, "/p/s[h]op/src/a/b.py"));
            assert!(!matches(pattern, "/p/s[h]op/src2"));
        }
    }

    #[test]
    fn only_folders_where_something_may_match_are_looked_at() {
        let roots = |pattern| compile(Path::new("/p"), pattern).unwrap().1;
        let root = |folder: &str, depth| Root { folder: folder.into(), depth };
        assert_eq!(roots("src/**/*.py"), [root("/p/src", None)]);
        assert_eq!(roots("src/*.py"), [root("/p/src", Some(0))]);
        assert_eq!(roots("*/api/*.py"), [root("/p", Some(2))]);
        assert_eq!(roots("a.toml"), [root("/p/a.toml", None), root("/p", Some(0))]);
    }

    #[test]
    fn a_bad_pattern_says_why() {
        assert!(check("[").is_err());
        assert!(check("src/**/*.{py,pyi}").is_ok());
    }
}
