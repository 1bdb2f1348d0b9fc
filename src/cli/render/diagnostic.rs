//! Draws what is wrong with a file: the place, the text there underlined, and what to do.

use std::fmt::Write as _;

use super::text::{Colour, Paint, width};
use crate::core::diagnostic::{Diagnostic, Diagnostics, Excerpt, Label, SHOWN, SourceFile};

/// All diagnostics of a file, or the first 20 and how many more.
pub fn diagnostics(all: &Diagnostics, paint: Paint) -> String {
    let mut text = String::new();
    for (nth, one) in all.list.iter().take(SHOWN).enumerate() {
        if nth > 0 {
            text.push('\n');
        }
        diagnostic(&mut text, &all.source, one, paint);
    }
    match all.list.len().saturating_sub(SHOWN) {
        0 => {}
        1 => text.push_str("\nand 1 more error\n"),
        more => {
            let _infallible = writeln!(text, "\nand {more} more errors");
        }
    }
    text
}

fn diagnostic(text: &mut String, source: &SourceFile, one: &Diagnostic, paint: Paint) {
    let _infallible = writeln!(text, "{} {}", paint.error("error:"), one.message);
    let lines = one.labels.iter().map(|label| source.line_column(label.range.start).0);
    let gutter = lines.max().map_or(1, |line| line.to_string().len());
    let blank = " ".repeat(gutter);
    if !one.labels.is_empty() {
        let (line, column) = source.line_column(one.offset());
        let arrow = paint.with(Colour::Cyan, "-->");
        let _infallible =
            writeln!(text, "{blank}{arrow} {}:{line}:{column}", source.path.display());
    }
    let bar = paint.with(Colour::Cyan, "|");
    for (nth, label) in one.labels.iter().enumerate() {
        let place = Place::of(source, label);
        let number = paint.with(Colour::Cyan, &format!("{:>gutter$}", place.line));
        let marks = if nth == 0 { "^" } else { "-" }.repeat(place.marked);
        let marks = paint.with(if nth == 0 { Colour::Red } else { Colour::Cyan }, &marks);
        let words = if label.text.is_empty() { String::new() } else { format!(" {}", label.text) };
        let indent = " ".repeat(place.before);
        let _infallible = write!(
            text,
            "{blank} {bar}\n{number} {bar} {}\n{blank} {bar} {indent}{marks}{words}\n",
            place.text
        );
    }
    if let Some(help) = &one.help {
        let _infallible = writeln!(text, "{blank} {} {help}", paint.help("= help:"));
    }
}

/// A line of the source with the part that is meant.
struct Place {
    line: usize,
    text: String,
    before: usize,
    marked: usize,
}

impl Place {
    fn of(source: &SourceFile, label: &Label) -> Self {
        let Excerpt { line, before, marked, after } = source.excerpt(&label.range);
        Self {
            line,
            before: width(&before),
            marked: width(&marked).max(1),
            text: format!("{before}{marked}{after}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { colour: false };

    fn source(text: &str) -> SourceFile {
        SourceFile { path: "/shop/locald.toml".into(), text: text.to_owned() }
    }

    #[test]
    fn the_offending_text_is_underlined() {
        let source = source("[project]\nname = \"shop\"\n\n[services.web]\n\tcomand = \"x\"\n");
        let at = source.text.find("comand").expect("it is there");
        let list = vec![
            Diagnostic::at(at..at + 6, "unknown key `comand`").help("did you mean `command`?"),
            Diagnostic::at(17..23, "two projects are called shop")
                .labelled("here")
                .and_at(1..8, "and this is where it began"),
        ];
        insta::assert_snapshot!(diagnostics(&Diagnostics { source, list }, PLAIN), @r#"
        error: unknown key `comand`
         --> /shop/locald.toml:5:2
          |
        5 |     comand = "x"
          |     ^^^^^^
          = help: did you mean `command`?

        error: two projects are called shop
         --> /shop/locald.toml:2:8
          |
        2 | name = "shop"
          |        ^^^^^^ here
          |
        1 | [project]
          |  ------- and this is where it began
        "#);
    }

    #[test]
    fn places_at_the_end_over_lines_and_in_an_empty_file_are_shown() {
        for (text, range) in [("", 0..0), ("a\nb", 0..3), ("a = ü", 4..6), ("a\n", 2..9)] {
            let list = vec![Diagnostic::at(range, "bad")];
            let drawn = diagnostics(&Diagnostics { source: source(text), list }, PLAIN);
            assert!(drawn.contains('^'), "{drawn}");
        }
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let source = source(&format!("a = \"{}\" # bad {}", "x".repeat(5_000), "y".repeat(5_000)));
        let at = source.text.find("bad").expect("it is there");
        let list = vec![Diagnostic::at(at..at + 3, "no comments")];
        let drawn = diagnostics(&Diagnostics { source, list }, PLAIN);
        assert!(drawn.contains("x\" # bad y"), "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() < 140), "{drawn}");
    }

    #[test]
    fn beyond_twenty_only_the_number_is_said() {
        let list = vec![Diagnostic::at(0..1, "bad"); 23];
        let drawn = diagnostics(&Diagnostics { source: source("a"), list }, PLAIN);
        assert_eq!(drawn.matches("error: bad").count(), 20);
        assert!(drawn.ends_with("\nand 3 more errors\n"), "{drawn}");
    }
}
