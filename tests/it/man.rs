//! The manual pages.

use std::fs;

use crate::support::Home;

#[test]
fn every_page_is_as_those_who_render_pages_want_it() {
    let home = Home::new();
    home.locald(["man", "--dir", "made/man1"]).ok();
    let dir = home.path().join("made/man1");
    let mut pages: Vec<String> = fs::read_dir(&dir)
        .expect("it was made")
        .map(|page| page.expect("a file").file_name().into_string().expect("a plain name"))
        .collect();
    pages.sort();
    for page in ["locald.1", "locald-up.1", "locald-server-logs.1", "locald-build.1"] {
        assert!(pages.contains(&page.to_owned()), "{page} in {pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("site-server")), "{pages:?}");
    for page in &pages {
        let lint =
            home.program("mandoc").args(["-T", "lint", "-W", "warning", page]).within(&dir).run();
        assert_eq!((lint.code(), lint.stdout.as_str()), (0, ""), "{page}: {lint}");
        let shown = home
            .program("man")
            .args(["--warnings", "-E", "UTF-8", "-l", page])
            .env("MANWIDTH", "80")
            .env("MANPAGER", "cat")
            .within(&dir)
            .ok();
        assert_eq!(shown.stderr, "", "{page}: {shown}");
    }
    let up = home.program("mandoc").args(["-T", "utf8", "locald-up.1"]).within(&dir).ok().stdout;
    // Bold is a letter over itself.
    let plain: String = {
        let mut plain = String::new();
        for c in up.chars() {
            if c == '\u{8}' {
                plain.pop();
            } else {
                plain.push(c);
            }
        }
        plain
    };
    for text in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXAMPLES",
        "       locald up --ci",
        "--timeout",
        "SEE ALSO",
        "waits until every started",
    ] {
        assert!(plain.contains(text), "{text:?} in {plain}");
    }
    let main = home.locald(["man"]).ok().stdout;
    assert_eq!(main, fs::read_to_string(dir.join("locald.1")).expect("it was made"));
    assert!(main.contains("EXIT STATUS"), "{main}");
}
