//! What a shell makes of a text: when a command line needs none, or none that stays; what is one word.
//!
//! A shell between locald and a program costs a process for as long as the program runs, hides its
//! pid, and does not pass signals on. POSIX XCU 2.9.1 says what a simple command is.

/// What a shell does itself (POSIX XCU 2.14, 2.15 and common built-ins) or reserves (2.4).
const OWN: [&str; 61] = [
    ".", ":", "[", "[[", "alias", "bg", "break", "case", "cd", "chdir", "command", "continue",
    "declare", "do", "done", "echo", "elif", "else", "esac", "eval", "exec", "exit", "export",
    "false", "fg", "fi", "for", "function", "getopts", "hash", "if", "in", "jobs", "kill", "let",
    "local", "printf", "pwd", "read", "readonly", "return", "select", "set", "shift", "source",
    "test", "then", "time", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset",
    "until", "wait", "while", "{", "}",
];

/// The words of a command that has nothing in it for a shell to do.
pub fn words(command: &str) -> Option<Vec<String>> {
    let plain = |c: char| is_plain(c) || c == ' ';
    if !command.chars().all(plain) || !starts_with_program(command) {
        return None;
    }
    Some(command.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The command for `sh -c`, so that the shell gives way to the program if it is a single one.
pub fn giving_way(command: &str) -> String {
    let harmless =
        |c: char| is_plain(c) || matches!(c, ' ' | '$' | '{' | '}' | '"' | '\'' | '*' | '?');
    if command.chars().all(harmless) && starts_with_program(command) {
        format!("exec {command}")
    } else {
        command.to_owned()
    }
}

/// `value` as one word of a POSIX shell.
pub fn quote(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+,=".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Characters that mean only themselves, anywhere but at the start.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '_' | '-' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',')
}

/// Whether the first word is the plain name of a program, not an assignment or the shell's own.
fn starts_with_program(command: &str) -> bool {
    let Some(first) = command.split_ascii_whitespace().next() else { return false };
    first.chars().all(|c| is_plain(c) && c != '=') && !OWN.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_need_no_shell() {
        let plain = |text: &str| words(text).map(|words| words.join("|"));
        assert_eq!(plain("npm run dev"), Some("npm|run|dev".to_owned()));
        assert_eq!(plain("  ./a.out  --x=1 "), Some("./a.out|--x=1".to_owned()));
        for shell in [
            "", " ", "echo hi", "cd x", "A=1 b", "a $X", "a ~", "a > b", "a; b", "a & b",
            "a 'b c'", "a *", "a \\b", "a\nb", "a#b", "if a", ". ./env", "a ü",
        ] {
            assert_eq!(plain(shell), None, "{shell}");
        }
    }

    #[test]
    fn a_single_program_replaces_its_shell() {
        for one in ["serve -p $PORT", "a \"${B:-c d}\"", "a 'b c'", "run *.py"] {
            assert_eq!(giving_way(one), format!("exec {one}"));
        }
        for many in
            ["a; b", "a && b", "a | b", "A=$B c", "echo $A", "$CMD x", "a >b", "a $(b)", "a `b`"]
        {
            assert_eq!(giving_way(many), many);
        }
    }

    #[test]
    fn the_own_words_are_sorted_and_distinct() {
        assert!(OWN.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
