//! The profiles of Firefox, as `profiles.ini` lists them.

use std::path::{Path, PathBuf};

/// The folders of the profiles that `ini`, a file in `folder`, lists.
pub(super) fn profiles(ini: &str, folder: &Path) -> Vec<PathBuf> {
    let mut profiles = Vec::new();
    let mut in_profile = false;
    let mut path: Option<&str> = None;
    let mut relative = true;
    let mut close = |path: &mut Option<&str>, relative: &mut bool| {
        if let Some(path) = path.take() {
            // `join` leaves an absolute path as it is; a relative one may still say otherwise.
            let path = if *relative { folder.join(path) } else { PathBuf::from(path) };
            if path.is_absolute() && !profiles.contains(&path) {
                profiles.push(path);
            }
        }
        *relative = true;
    };
    for line in ini.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            close(&mut path, &mut relative);
            in_profile = section.to_ascii_lowercase().starts_with("profile");
        } else if in_profile && let Some((key, value)) = line.split_once('=') {
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => path = Some(value.trim()),
                "isrelative" => relative = value.trim() != "0",
                _ => {}
            }
        }
    }
    close(&mut path, &mut relative);
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_profiles_are_found_wherever_they_are() {
        let ini = "[Install4F96D1932A9F858E]\nDefault=one.default\nLocked=1\n\n\
                   [Profile1]\r\nName=default\r\nIsRelative=1\r\nPath=Profiles/one.default\r\n\
                   [Profile0]\nName=x\nIsRelative=0\nPath=/srv/firefox/two\n\
                   [Profile2]\nPath = three = 3\n[General]\nPath=no\n[Profile3]\nName=lost\n";
        let found = profiles(ini, Path::new("/home/a/.mozilla/firefox"));
        let expected = [
            "/home/a/.mozilla/firefox/Profiles/one.default",
            "/srv/firefox/two",
            "/home/a/.mozilla/firefox/three = 3",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn a_profile_nowhere_in_particular_is_none() {
        assert_eq!(
            profiles("[Profile0]\nIsRelative=0\nPath=up", Path::new("/f")),
            [] as [PathBuf; 0]
        );
        assert_eq!(profiles("", Path::new("/f")), [] as [PathBuf; 0]);
    }
}
