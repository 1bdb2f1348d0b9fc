use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

fn places(env: &[(&str, &str)], home_of_user: Option<&str>) -> Option<Result<Places, PathError>> {
    let lookup =
        |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    Places::work_out(&lookup, || home_of_user.map(PathBuf::from))
}

fn found(env: &[(&str, &str)]) -> Places {
    places(env, Some("/home/of/passwd")).unwrap().unwrap()
}

#[test]
fn locald_home_holds_everything() {
    let places = found(&[("LOCALD_HOME", "/l"), ("HOME", "/h"), ("XDG_DATA_HOME", "/d")]);
    let expected = Places {
        config_file: "/l/config/config.toml".into(),
        data_dir: "/l/data".into(),
        state_dir: "/l/state".into(),
        state_file: "/l/state/state.json".into(),
        log_dir: "/l/state/logs".into(),
        daemon_log: "/l/state/daemon.log".into(),
        socket: "/l/run/locald.sock".into(),
        run_dir: "/l/run".into(),
    };
    assert_eq!(places, expected);
}

#[test]
fn xdg_and_its_defaults() {
    let places = found(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_DATA_HOME", "/d")]);
    assert_eq!(places.config_file, Path::new("/c/locald/config.toml"));
    assert_eq!(places.data_dir, Path::new("/d/locald"));
    assert_eq!(places.state_file, Path::new("/h/.local/state/locald/state.json"));
    let places = found(&[("HOME", "/h"), ("XDG_DATA_HOME", "relative"), ("XDG_STATE_HOME", "")]);
    assert_eq!(places.data_dir, Path::new("/h/.local/share/locald"));
    assert_eq!(places.log_dir, Path::new("/h/.local/state/locald/logs"));
}

#[test]
fn the_socket_has_four_places() {
    let mut env = vec![("HOME", "/h")];
    for (name, value, expected) in [
        ("", "", "/tmp/locald.sock"),
        ("XDG_RUNTIME_DIR", "/run/user/7", "/run/user/7/locald.sock"),
        ("LOCALD_HOME", "/l", "/l/run/locald.sock"),
        ("LOCALD_SOCKET", "/s/x.sock", "/s/x.sock"),
    ] {
        env.push((name, value));
        assert_eq!(found(&env).socket, Path::new(expected));
    }
    assert_eq!(found(&env).run_dir, Path::new("/s"));
}

#[test]
fn relative_places_are_made_whole() {
    let here = std::env::current_dir().unwrap();
    let places = found(&[("LOCALD_HOME", "l"), ("LOCALD_SOCKET", "s.sock")]);
    assert_eq!(places.state_dir, here.join("l/state"));
    assert_eq!(places.socket, here.join("s.sock"));
}

#[test]
fn without_home_the_user_entry_counts() {
    let data = found(&[]).data_dir;
    assert_eq!(data, Path::new("/home/of/passwd/.local/share/locald"));
    assert!(places(&[], None).is_none(), "no home at all");
    assert!(places(&[("LOCALD_HOME", "/l")], None).is_some(), "none needed");
}

#[test]
fn a_socket_path_too_long_says_what_to_do() {
    let fits = format!("/{}", "x".repeat(106));
    assert!(places(&[("HOME", "/h"), ("LOCALD_SOCKET", &fits)], None).unwrap().is_ok());
    let long = format!("{fits}y");
    let error = places(&[("HOME", "/h"), ("LOCALD_SOCKET", &long)], None).unwrap().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("has 108 bytes") && text.contains("LOCALD_SOCKET"), "{text}");
}

#[test]
fn notify_sockets_fit_and_differ() {
    let places = found(&[("LOCALD_HOME", "/l")]);
    let short = places.notify_socket("shop", "web").unwrap();
    assert_eq!(short, Path::new("/l/run/locald.sock.shop.web.notify"));
    let deep = format!("/{}", "d".repeat(90));
    let places = found(&[("LOCALD_HOME", &deep)]);
    assert_eq!(places.socket.as_os_str().len(), 107);
    let one = places.notify_socket("shop", "web").unwrap();
    let other = places.notify_socket("shop", "api").unwrap();
    assert_ne!(one, other);
    assert!(one.as_os_str().len() <= 107 && other.as_os_str().len() <= 107);
    assert_eq!(one, places.notify_socket("shop", "web").unwrap());
}

#[test]
fn private_folders_are_private_with_their_parents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    create_private_dir(&path).unwrap();
    create_private_dir(&path).unwrap();
    for folder in [&path, path.parent().unwrap()] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    create_private_dir(&link).unwrap();
}

#[test]
fn what_is_not_ours_or_no_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        match create_private_dir(&path) {
            Err(PathError::NotAFolder(named)) => assert_eq!(named, file),
            other => panic!("{other:?}"),
        }
    }
    // /proc/1 is root's; for root, somebody else's folder has to be made.
    let foreign = if geteuid().is_root() {
        let folder = dir.path().join("foreign");
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::chown(&folder, Some(65534), None).unwrap();
        folder
    } else {
        PathBuf::from("/usr")
    };
    let expected = fs::metadata(&foreign).unwrap().uid();
    match create_private_dir(&foreign) {
        Err(PathError::Foreign { owner, .. }) => assert_eq!(owner, expected),
        other => panic!("{other:?}"),
    }
    create_run_dir(Path::new("/tmp")).unwrap();
}
