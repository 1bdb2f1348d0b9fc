//! The disk is full, or the folder cannot be written: services go on, and what was lost is told.

use std::os::unix::fs::symlink;
use std::process::ExitStatus;

use super::*;

#[tokio::test]
async fn a_full_disk_costs_lines_and_says_how_many() {
    let world = World::new(1_000_000, 3);
    let mut troubles = world.sink.troubles();
    std::fs::create_dir_all(world.path().parent().unwrap()).unwrap();
    symlink("/dev/full", world.path()).unwrap();
    world.print(&numbered(1000)).await;
    world.print(b"more").await;
    let trouble = world.sink.trouble().unwrap();
    assert!(trouble.contains("web.log: No space left on device"), "{trouble}");
    assert!(!trouble.contains("os error"), "{trouble}");
    assert!(troubles.has_changed().unwrap());
    troubles.mark_unchanged();

    std::fs::remove_file(world.path()).unwrap();
    // Looked for once a second.
    while world.sink.trouble().is_some() {
        world.print(b"again\n").await;
    }
    assert!(troubles.has_changed().unwrap());
    let texts = world.texts();
    let lost = texts[0].strip_prefix("locald: ").unwrap();
    let lost = lost.strip_suffix(" lines lost: No space left on device").unwrap();
    assert!(lost.parse::<u32>().unwrap() >= 1001, "{lost}");
    assert_eq!(texts[1..], ["again"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let world = World::new(1_000_000, 3);
    std::fs::write(world.folder.path().join("logs"), "a file").unwrap();
    world.print(b"one\n").await;
    let trouble = world.sink.trouble().unwrap();
    assert!(trouble.starts_with("cannot write "), "{trouble}");
    std::fs::remove_file(world.folder.path().join("logs")).unwrap();
    world.print(b"two\n").await;
    assert_eq!(world.sink.trouble(), None);
    assert!(world.texts()[0].starts_with("locald: 1 line lost: "));
    assert_eq!(world.texts()[1], "two");
}

#[tokio::test]
async fn a_log_that_cannot_be_rotated_grows_to_twice_its_size() {
    let world = World::new(1000, 1);
    world.print(b"one\n").await;
    // A folder that is not empty stands where the rotated file would go.
    std::fs::create_dir_all(suffixed(&world.path(), 1).join("x")).unwrap();
    world.print(&numbered(30)).await;
    assert_eq!(std::fs::read_to_string(world.path()).unwrap().lines().count(), 31);
    assert!(world.sink.trouble().unwrap().starts_with("cannot rotate "));
    world.print(&numbered(100)).await;
    assert!(std::fs::metadata(world.path()).unwrap().len() <= 2000);
    std::fs::remove_dir_all(suffixed(&world.path(), 1)).unwrap();
    world.print(b"two\n").await;
    assert_eq!(world.sink.trouble(), None);
    let text = std::fs::read_to_string(world.path()).unwrap();
    assert!(text.contains(" lines lost: ") && text.ends_with("two\n"), "{text}");
}

#[tokio::test]
async fn no_line_is_torn_where_the_disk_fills_up_within_it() {
    let world = World::new(1_000_000, 3);
    let folder = world.path().parent().unwrap().to_owned();
    std::fs::create_dir_all(&folder).unwrap();
    let Some(_disk) = TinyDisk::mount(&folder) else { return };
    world.print(&numbered(10_000)).await;
    assert!(world.sink.trouble().unwrap().contains("No space left"));
    let before = world.texts();
    assert!(before.len() > 100 && before.len() < 10_000);
    assert!(before.iter().enumerate().all(|(n, text)| *text == format!("line {n}")));

    std::fs::remove_file(folder.join("ballast")).unwrap();
    world.print(b"after\n").await;
    assert_eq!(world.sink.trouble(), None);
    let lost = format!("locald: {} lines lost: No space left on device", 10_000 - before.len());
    assert_eq!(world.texts()[before.len()..], [lost, "after".to_owned()]);
}

/// A file system of 256 KiB, half of it taken by a file `ballast`.
struct TinyDisk(PathBuf);

impl TinyDisk {
    fn mount(at: &Path) -> Option<Self> {
        let status = run("mount", &["-t", "tmpfs", "-o", "size=256k", "tmpfs", at.to_str()?]);
        if !status.is_some_and(|status| status.success()) {
            eprintln!("SKIPPED: a file system that fills up can be mounted by root only");
            return None;
        }
        std::fs::write(at.join("ballast"), vec![0; 128 * 1024]).unwrap();
        Some(Self(at.to_owned()))
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().unwrap_or_default()]);
    }
}

#[expect(clippy::disallowed_methods, reason = "no service: a tool that the test waits for")]
fn run(program: &str, args: &[&str]) -> Option<ExitStatus> {
    std::process::Command::new(program).args(args).status().ok()
}
