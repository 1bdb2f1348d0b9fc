//! What is in a folder, as far as it says what kind of project it is.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use crate::core::scaffold::{Folder, TELLING, TELLING_PLACES};

/// So much of a file is read.
const ENOUGH: u64 = 256 << 10;
/// So many folders below are looked into.
const FOLDERS: usize = 32;
/// Folders that hold what others wrote.
const FOREIGN: [&str; 6] = ["node_modules", "target", "vendor", "dist", "build", "tmp"];

/// The folder, then those directly below it, by name.
pub fn look(dir: &Path) -> io::Result<Vec<Folder>> {
    let mut below: Vec<String> = fs::read_dir(dir)?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && !FOREIGN.contains(&name.as_str()))
        .collect();
    below.sort();
    below.truncate(FOLDERS);
    let mut folders = vec![folder(dir, String::new())];
    folders.extend(below.into_iter().map(|name| folder(&dir.join(&name), name)));
    Ok(folders)
}

fn folder(dir: &Path, path: String) -> Folder {
    let text = |name: &&str| Some(((*name).to_owned(), text(&dir.join(name))?));
    let places = TELLING_PLACES.iter().filter(|place| dir.join(place).exists());
    Folder {
        path,
        files: TELLING.iter().filter_map(text).collect(),
        places: places.map(|place| (*place).to_owned()).collect(),
    }
}

/// The beginning of a file; none if there is no such file, or not for us.
fn text(path: &Path) -> Option<String> {
    // A pipe would keep us waiting.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(ENOUGH).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
