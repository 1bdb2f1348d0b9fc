//! The rules of the source that no compiler knows: layers, charters, lengths, words.

#[path = "tidy/source.rs"]
mod source;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use source::Source;

/// A layer, the layers below it that it may use, and the crates and modules that it must not.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    // Pure: decisions and data.
    (
        "core",
        &[],
        &[
            "tokio",
            "ractor",
            "tracing",
            "nix",
            "libc",
            "rustix",
            "hyper",
            "axum",
            "clap",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "std::env",
            "rand",
        ],
    ),
    // OTP for a graph; knows nothing of services.
    ("supervision", &["core"], &["nix", "libc", "rustix", "hyper", "axum", "clap", "std::fs"]),
    // Adapters: never know who calls them.
    ("os", &["core"], &["ractor", "clap"]),
    // The data plane reads snapshots.
    ("proxy", &["core", "os"], &["ractor", "clap"]),
    // Databases and the like.
    ("provision", &["core", "os"], &["ractor", "clap"]),
    // One actor per file.
    ("actors", &["core", "supervision", "os", "provision", "api"], &["clap"]),
    // Wire types only.
    ("api", &["core"], &["tokio", "ractor", "nix", "hyper", "axum", "clap", "std::fs"]),
    // The page, and who may see it; what it shows comes from the handlers of the socket API.
    ("dashboard", &["core", "os", "api", "actors", "proxy"], &["ractor", "clap"]),
    // The only place that wires.
    (
        "daemon",
        &["core", "supervision", "os", "proxy", "actors", "api", "dashboard", "provision"],
        &["clap"],
    ),
    // Too small to fail.
    ("heart", &["os"], &["tokio", "ractor", "hyper", "axum", "clap"]),
    // `main` alone hands over to the daemon; `doctor` asks where servers would be found.
    ("cli", &["core", "os", "api", "provision"], &["ractor"]),
];

/// The places where a layer uses one that the table does not give it, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("src/cli/commands/mod.rs", "daemon", "`server start` becomes the daemon")];

/// The files that may contain unsafe code.
const UNSAFE: &[&str] = &[
    "src/os/detach.rs",
    "src/os/footprint.rs",
    "src/os/logs/journal.rs",
    "src/os/notify_socket/receive.rs",
    "src/os/pty.rs",
    "src/os/spawn/posix.rs",
    "src/os/wait.rs",
    "src/os/watched.rs",
];

/// More lines than this are more than one thing.
const LINES: usize = 400;
/// Half of all files are at most this long, and nine in ten at most that.
const MEDIAN: usize = 150;
const P90: usize = 300;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `dir` that end so, relative to the repository.
fn files(dir: &str, end: &str) -> Vec<String> {
    fn walk(dir: &Path, end: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "node_modules"].contains(&name.as_str()) {
                    walk(&path, end, found);
                }
            } else if name.ends_with(end) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(dir), end, &mut found);
    let relative = |path: PathBuf| {
        path.strip_prefix(root()).expect("it is below the root").to_string_lossy().into_owned()
    };
    let mut found: Vec<String> = found.into_iter().map(relative).collect();
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    let found: Vec<Source> =
        files("src", ".rs").iter().map(|path| Source::read(&root(), path)).collect();
    assert!(found.len() > 100, "the source has not been found");
    found
}

/// Everything at once, so that one run shows all there is to mend.
#[track_caller]
fn none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}\n  {}\n", wrong.join("\n  "));
}

#[test]
fn layers_use_only_those_below_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(layer) = source.layer() else { continue };
        let Some((_, below, banned)) = LAYERS.iter().find(|(name, _, _)| *name == layer) else {
            wrong.push(format!("{}: {layer} is no layer of the table", source.path));
            continue;
        };
        for used in source.crate_modules() {
            let excused =
                EXCEPTIONS.iter().any(|(path, layer, _)| *path == source.path && *layer == used);
            if used != layer && !below.contains(&used.as_str()) && !excused {
                wrong.push(format!("{}: {layer} uses {used}", source.path));
            }
        }
        if source.is_test() {
            continue;
        }
        for path in banned.iter().filter(|path| source.mentions_path(path)) {
            wrong.push(format!("{}: {layer} uses {path}", source.path));
        }
    }
    none(&wrong, "a module may use those below it, never those above or beside it:");
}

#[test]
fn every_exception_is_needed() {
    let unused: Vec<String> = EXCEPTIONS
        .iter()
        .filter(|(path, layer, _)| {
            !Source::read(&root(), path).crate_modules().iter().any(|used| used == layer)
        })
        .map(|(path, layer, why)| format!("{path} no longer uses {layer} ({why})"))
        .collect();
    none(&unused, "an exception that nobody needs is to be deleted:");
}

#[test]
fn the_core_reads_no_clock_and_rolls_no_dice() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.layer() == Some("core")) {
        if source.is_test() {
            continue;
        }
        for call in ["::now(", "RandomState", "random("] {
            if source.product().contains(call) {
                wrong.push(format!("{}: {call}", source.path));
            }
        }
    }
    none(&wrong, "`now` and chance are arguments of the core:");
}

#[test]
fn every_module_starts_with_its_charter() {
    let rust = ["src", "shim", "tests", "benches"].iter().flat_map(|dir| files(dir, ".rs"));
    let wrong: Vec<String> = rust
        .map(|path| Source::read(&root(), &path))
        // The tests of a module have its charter.
        .filter(|source| !source.text.starts_with("//! ") && !source.is_test())
        .map(|source| source.path)
        .collect();
    none(&wrong, "the first line of a module says what it is for (`//! …`):");
}

#[test]
fn files_are_short() {
    let mut lengths = Vec::new();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let lines = source.text.lines().count();
        lengths.push(lines);
        if lines > LINES {
            wrong.push(format!("{}: {lines} lines", source.path));
        }
    }
    none(&wrong, "a file is one thing:");
    lengths.sort_unstable();
    let (median, p90) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    assert!(median <= MEDIAN && p90 <= P90, "median {median}, nine in ten {p90}");
}

#[test]
fn words_that_are_no_work_of_ours() {
    let words: &[String] = &[
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["unimplemented", "!"].concat(),
        ["todo", "!"].concat(),
        ["dbg", "!"].concat(),
        ["#[", "allow("].concat(),
        ["#![", "allow("].concat(),
    ];
    let mut wrong = Vec::new();
    for path in
        ["src", "shim", "tests", "benches", "examples"].iter().flat_map(|dir| files(dir, ".rs"))
    {
        let text = fs::read_to_string(root().join(&path)).expect("it is there");
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                wrong.push(format!("{path}:{}: {word}", number + 1));
            }
            if line.ends_with(' ') || line.contains('\t') {
                wrong.push(format!("{path}:{}: blanks at the end, or a tab", number + 1));
            }
        }
    }
    none(&wrong, "these have no place here:");
}

#[test]
fn no_paths_of_somebody_s_machine() {
    let places = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat()];
    let mut wrong = Vec::new();
    for path in files("", "").iter().filter(|path| *path != ".git") {
        // What is not text has no paths to read.
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                wrong.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(&wrong, "paths of one machine mean nothing on another:");
}

#[test]
fn no_snapshot_is_pending() {
    none(&[files("", ".pending-snap"), files("", ".snap.new")].concat(), "accept it or mend it:");
}

#[test]
fn only_the_writers_print() {
    let mut wrong = Vec::new();
    for source in sources() {
        for print in ["println!", "eprintln!", "print!", "eprint!"] {
            if source.mentions_macro(print) && !source.is_test() {
                wrong.push(format!("{}: {print}", source.path));
            }
        }
    }
    none(&wrong, "the command line has one writer, the daemon has a log:");
}

#[test]
fn no_file_is_dead() {
    let mut reached = BTreeSet::new();
    let mut next = vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()];
    let mut missing = Vec::new();
    while let Some(path) = next.pop() {
        let source = Source::read(&root(), &path);
        for (name, file) in source.modules(&root()) {
            match file {
                Some(file) => next.push(file),
                None => missing.push(format!("{path}: mod {name}")),
            }
        }
        reached.insert(path);
    }
    none(&missing, "there is no file for:");
    let dead: Vec<String> =
        files("src", ".rs").into_iter().filter(|path| !reached.contains(path)).collect();
    none(&dead, "no module of the crate is in:");
}

#[test]
fn unsafe_code_is_where_it_must_be_and_says_why_it_is_sound() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources() {
        for line in source.unsafe_lines() {
            used.insert(source.path.clone());
            if !UNSAFE.contains(&source.path.as_str()) && !source.is_test() {
                wrong.push(format!("{}:{line}: no unsafe code here", source.path));
            }
            if !source.is_explained(line) {
                wrong.push(format!("{}:{line}: no SAFETY comment", source.path));
            }
        }
    }
    let listed = UNSAFE.iter().filter(|path| !used.contains(**path));
    wrong.extend(listed.map(|path| format!("{path}: has none any more; take it off the list")));
    none(&wrong, "unsafe code:");
}

#[test]
fn the_privileged_helper_stays_short() {
    let code = |path: &String| {
        let text = fs::read_to_string(root().join(path)).expect("it was found");
        let lines = text.lines().map(str::trim_start);
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    };
    let lines: usize = files("shim/src", ".rs").iter().map(code).sum();
    assert!((1..=800).contains(&lines), "{lines} lines of code are more than anybody reads twice");
}
