//! The links of a server, which packages of npm cannot carry: a file in them lists them.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Component, Path},
};

use serde::Deserialize;

/// The list.
const LIST: &str = "pg-symlinks.json";
/// No list is longer.
const MOST: usize = 1000;

#[derive(Deserialize)]
struct Link {
    /// What it leads to.
    source: String,
    /// Where it is.
    target: String,
}

/// Makes the links of what was unpacked.
pub(super) fn make(tree: &Path) -> Result<(), String> {
    let text = match fs::read(tree.join(LIST)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("cannot read {LIST}: {error}")),
    };
    for (name, leads_to) in read(&text)? {
        let path = tree.join(&name);
        match symlink(leads_to, &path) {
            // That of an honest package is the same.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot make {}: {error}", path.display())),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Links, below the tree, and what they are to say. Each leads to another file of its own folder.
fn read(text: &[u8]) -> Result<Vec<(String, String)>, String> {
    let links: Vec<Link> = serde_json::from_slice(text)
        .map_err(|error| format!("cannot understand {LIST}: {error}"))?;
    if links.len() > MOST {
        return Err(format!("{LIST} has more than {MOST} links"));
    }
    let read = |link: &Link| {
        let (name, file) = (below(&link.target)?, below(&link.source)?);
        let (folder, leads_to) = file.rsplit_once('/').unwrap_or(("", file));
        let (own, _) = name.rsplit_once('/').unwrap_or(("", name));
        (own == folder).then(|| (name.to_owned(), leads_to.to_owned()))
    };
    let read = |link| read(link).ok_or_else(|| format!("{LIST} has a link {:?}", link.target));
    links.iter().map(read).collect()
}

/// The name of a file below the tree, if it is one.
fn below(name: &str) -> Option<&str> {
    let name = name.strip_prefix("native/")?;
    let plain = |part| matches!(part, Component::Normal(_));
    let is_plain = !name.is_empty() && Path::new(name).components().all(plain);
    is_plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(source: &str, target: &str) -> Result<Vec<(String, String)>, String> {
        read(format!("[{{\"source\": \"{source}\", \"target\": \"{target}\"}}]").as_bytes())
    }

    #[test]
    fn a_link_leads_to_its_neighbour_and_nowhere_else() {
        let link = list("native/lib/libpq.so.5.18", "native/lib/libpq.so");
        assert_eq!(link, Ok(vec![("lib/libpq.so".to_owned(), "libpq.so.5.18".to_owned())]));
        for (source, target) in [
            ("/etc/passwd", "native/lib/a"),
            ("native/lib/../../../etc/passwd", "native/lib/a"),
            ("native/bin/postgres", "native/lib/a"),
            ("native/lib/b", "native/../a"),
            ("native/lib/b", "native//a"),
            ("native/lib/b", "/native/lib/a"),
            ("native/lib/b", "native/"),
            ("native/lib/..", "native/lib/a"),
        ] {
            assert!(list(source, target).is_err(), "{source} {target}");
        }
        for text in ["", "{}", "[7]", "[{}]"] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
