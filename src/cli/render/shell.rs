//! Variables as lines that a shell reads back as they were.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::core::shell::quote;

/// `KEY=VALUE` lines, quoted for a POSIX shell. Names that a shell cannot have are left out.
pub fn assignments(env: &BTreeMap<String, String>) -> String {
    env.iter().filter(|(name, _)| is_name(name)).fold(String::new(), |mut text, (name, value)| {
        let _infallible = writeln!(text, "{name}={}", quote(value));
        text
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let env = [
            ("A", "plain"),
            ("B", "two words; $(rm) `x` \"q\""),
            ("C", "it's"),
            ("D", ""),
            ("E", "two\nlines"),
            ("BASH_FUNC_x%%", "() { :; }"),
            ("1X", "no"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        insta::assert_snapshot!(assignments(&env), @r#"
        A=plain
        B='two words; $(rm) `x` "q"'
        C='it'\''s'
        D=''
        E='two
        lines'
        "#);
    }
}
