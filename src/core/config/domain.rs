//! Domain names of projects and services.

use super::reader::{At, Item, Reader};
use crate::core::{diagnostic::Diagnostic, near::quoted};

/// The dashboard's domain, which no project can have.
pub(super) const DASHBOARD: &str = "locald.localhost";

/// Reads a domain; anything wrong with it is noted.
pub(super) fn read(reader: &mut Reader<'_>, item: Item<'_>) -> Option<At<String>> {
    let text = reader.text(item)?;
    match why_not(text.value) {
        None => Some(At { value: text.value.to_owned(), range: text.range }),
        Some(why) => {
            let message = format!("{} is not a domain: {why}", quoted(text.value));
            let mut wrong = Diagnostic::at(text.range, message);
            let lower = text.value.to_ascii_lowercase();
            if why_not(&lower).is_none() {
                wrong = wrong.help(format!("write `{lower}`"));
            }
            reader.report(wrong);
            None
        }
    }
}

/// The domain of a project that names none: underscores, which no host name has, become hyphens.
pub(super) fn default_for(name: &str) -> String {
    let label = name.replace('_', "-");
    format!("{}.localhost", label.trim_end_matches('-'))
}

fn why_not(text: &str) -> Option<String> {
    let why = match text {
        "" => "it is empty",
        _ if text.len() > 253 => "it has more than 253 characters",
        _ if !text.is_ascii() => "only a-z, 0-9, `-` and `.` are possible (use punycode)",
        DASHBOARD => "it is the dashboard's",
        _ if !text.contains('.') => "it has no dot; try adding `.localhost`",
        _ if text.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit())) => {
            "its last part is a number"
        }
        _ => return text.split('.').find_map(read_label),
    };
    Some(why.to_owned())
}

/// Why a text is no part of a domain.
pub(super) fn read_label(label: &str) -> Option<String> {
    let named = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    if label.is_empty() {
        return Some("a part between its dots is empty".to_owned());
    }
    if let Some(c) = label.chars().find(|&c| !named(c)) {
        return Some(format!(
            "only a-z, 0-9, `-` and `.` are possible, not {}",
            quoted(&c.to_string())
        ));
    }
    if label.len() > 63 {
        return Some("a part has more than 63 characters".to_owned());
    }
    let hyphen = label.starts_with('-') || label.ends_with('-');
    hyphen.then(|| format!("`{label}` starts or ends with `-`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_checked() {
        for good in ["shop.localhost", "a-1.b.test", "x.y"] {
            assert_eq!(why_not(good), None, "{good}");
        }
        for bad in [
            "",
            "shop",
            "Shop.localhost",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.b",
            "a-.b",
            "a_b.c",
            "a b.c",
            "ü.localhost",
            "127.0.0.1",
            "http://a.b",
            "a.b:80",
            DASHBOARD,
            "*.localhost",
        ] {
            assert!(why_not(bad).is_some(), "{bad}");
        }
        assert!(why_not(&format!("{}.b", "a".repeat(64))).is_some());
    }

    #[test]
    fn any_name_gives_a_domain() {
        for name in ["shop", "my_app", "a-", "a_", "0--_", &"x".repeat(63)] {
            assert_eq!(why_not(&default_for(name)), None, "{name}");
        }
    }
}
