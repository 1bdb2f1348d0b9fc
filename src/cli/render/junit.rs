//! A start as a report in the XML of `JUnit`, which every CI can show.

use std::{fmt::Write as _, time::Duration};

use super::text::without_escapes;

/// A report.
#[derive(Debug)]
pub struct Suite<'a> {
    /// The project.
    pub name: &'a str,
    /// How long all of it took.
    pub took: Duration,
    /// When it began, in RFC 3339.
    pub at: &'a str,
    /// Its cases.
    pub cases: Vec<Case<'a>>,
}

/// A case.
#[derive(Debug)]
pub struct Case<'a> {
    /// What it is about.
    pub name: &'a str,
    /// How long that took.
    pub took: Duration,
    /// What came of it; none: success.
    pub trouble: Option<Trouble<'a>>,
}

/// What came of a case that was no success.
#[derive(Debug)]
pub enum Trouble<'a> {
    /// It failed: why, and what it said last.
    Failure(&'a str, &'a [String]),
    /// It could not be tried: why, and all there is to say.
    Error(&'a str, &'a str),
    /// It was left out, or left undone.
    Skipped(&'a str),
}

/// The report.
pub fn report(suite: &Suite<'_>) -> String {
    let count = |is: fn(&Trouble<'_>) -> bool| {
        suite.cases.iter().filter(|case| case.trouble.as_ref().is_some_and(is)).count()
    };
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\"",
        suite.cases.len(),
        count(|it| matches!(it, Trouble::Failure(..))),
        count(|it| matches!(it, Trouble::Error(..))),
        count(|it| matches!(it, Trouble::Skipped(_))),
        suite.took.as_secs_f64(),
    );
    let name = attribute(suite.name);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let at = attribute(suite.at);
    let _infallible = write!(
        xml,
        "<testsuites name=\"locald\" {counts}>\n  \
         <testsuite name=\"{name}\" timestamp=\"{at}\" {counts}>\n"
    );
    for case in &suite.cases {
        write_case(&mut xml, &name, case);
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

fn write_case(xml: &mut String, suite: &str, case: &Case<'_>) {
    let (name, took) = (attribute(case.name), case.took.as_secs_f64());
    let head = format!("    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{took:.3}\"");
    let _infallible = match &case.trouble {
        None => writeln!(xml, "{head}/>"),
        Some(Trouble::Skipped(why)) => {
            writeln!(
                xml,
                "{head}>\n      <skipped message=\"{}\"/>\n    </testcase>",
                attribute(why)
            )
        }
        Some(Trouble::Error(why, all)) => writeln!(
            xml,
            "{head}>\n      <error message=\"{}\">{}</error>\n    </testcase>",
            attribute(why),
            text(all)
        ),
        Some(Trouble::Failure(why, lines)) => writeln!(
            xml,
            "{head}>\n      <failure message=\"{}\">{}</failure>\n      \
             <system-out>{}</system-out>\n    </testcase>",
            attribute(why),
            text(why),
            text(&lines.join("\n"))
        ),
    };
}

/// Text between tags: what XML has no way to say is replaced.
fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in without_escapes(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(c),
            '\r' => {}
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Text within quotes: a parser would make blanks of line ends.
fn attribute(value: &str) -> String {
    text(value.trim_end()).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_said_stays_text() {
        assert_eq!(text("a<b>&\"c\"\n]]>"), "a&lt;b&gt;&amp;&quot;c&quot;\n]]&gt;");
        assert_eq!(
            text("\x1b[31mred\x1b[0m \0\x07\x7f\u{fffe}\r\n"),
            "red \u{fffd}\u{fffd}\u{fffd}\u{fffd}\n"
        );
        assert_eq!(attribute("one\ntwo\tthree\n"), "one&#10;two&#9;three");
    }

    #[test]
    fn a_report_counts_its_cases() {
        let lines = vec!["no room".to_owned()];
        let case = |name, trouble| Case { name, took: Duration::from_millis(1_250), trouble };
        let cases = vec![
            case("db", None),
            case("web", Some(Trouble::Failure("exited with code 1", &lines))),
            case("api", Some(Trouble::Skipped("waits for web"))),
            case("configuration", Some(Trouble::Error("no name", "line 1\nline 2"))),
        ];
        let took = Duration::from_secs(2);
        let suite = Suite { name: "shop", took, at: "2026-01-31T12:00:00.000Z", cases };
        insta::assert_snapshot!(report(&suite), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="locald" tests="4" failures="1" errors="1" skipped="1" time="2.000">
          <testsuite name="shop" timestamp="2026-01-31T12:00:00.000Z" tests="4" failures="1" errors="1" skipped="1" time="2.000">
            <testcase classname="shop" name="db" time="1.250"/>
            <testcase classname="shop" name="web" time="1.250">
              <failure message="exited with code 1">exited with code 1</failure>
              <system-out>no room</system-out>
            </testcase>
            <testcase classname="shop" name="api" time="1.250">
              <skipped message="waits for web"/>
            </testcase>
            <testcase classname="shop" name="configuration" time="1.250">
              <error message="no name">line 1
        line 2</error>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
