//! A source file, read well enough to tell code from comments and text.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A file and its code.
pub(crate) struct Source {
    /// Relative to the repository.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// The same, with blanks for comments and for what is in quotes; line by line as the text.
    code: String,
}

impl Source {
    pub(crate) fn read(root: &Path, path: &str) -> Self {
        let text = fs::read_to_string(root.join(path))
            .unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
        let code = code_of(&text);
        Self { path: path.to_owned(), text, code }
    }

    /// The part of the crate it belongs to; none: the crate's root.
    pub(crate) fn layer(&self) -> Option<&str> {
        let (layer, _) = self.path.strip_prefix("src/")?.split_once('/')?;
        Some(layer)
    }

    /// Whether all of it is for tests.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or("");
        let beside = ["tests.rs", "testing.rs", "samples.rs"].contains(&name);
        self.path.starts_with("src/") && (self.path.contains("/tests/") || beside)
    }

    /// The code before the tests in the same file.
    pub(crate) fn product(&self) -> &str {
        let end = self.code.find("#[cfg(test)]\nmod tests {");
        &self.code[..end.unwrap_or(self.code.len())]
    }

    /// The modules that stand behind `crate::`.
    pub(crate) fn crate_modules(&self) -> BTreeSet<String> {
        let code = self.product();
        let mut found = BTreeSet::new();
        for (at, _) in code.match_indices("crate::") {
            // `in crate::x` says where something is seen, not what is used.
            let visibility = code[..at].trim_end().ends_with("(in");
            let own = code[..at].ends_with(|c: char| c.is_alphanumeric() || "_$".contains(c));
            if visibility || own {
                continue;
            }
            let rest = code[at + "crate::".len()..].trim_start();
            match rest.strip_prefix('{') {
                Some(group) => found.extend(heads(group)),
                None => found.extend(Some(word(rest)).filter(|word| !word.is_empty())),
            }
        }
        found
    }

    /// Whether the code uses something below this path, such as `tokio` or `std::fs`.
    pub(crate) fn mentions_path(&self, path: &str) -> bool {
        let code = self.product();
        let (parent, name) = path.rsplit_once("::").unwrap_or(("", path));
        let direct = code.match_indices(&format!("{path}::")).any(|(at, _)| starts_word(code, at))
            || code.match_indices(&format!("use {path};")).next().is_some();
        let grouped = !parent.is_empty()
            && code.match_indices(&format!("{parent}::{{")).any(|(at, found)| {
                heads(&code[at + found.len()..]).iter().any(|head| head == name)
            });
        direct || grouped
    }

    pub(crate) fn mentions_macro(&self, name: &str) -> bool {
        let code = self.product();
        code.match_indices(name).any(|(at, _)| starts_word(code, at))
    }

    /// The modules it declares in other files, each with its file if there is one.
    pub(crate) fn modules(&self, root: &Path) -> Vec<(String, Option<String>)> {
        let own = Path::new(&self.path);
        let stem = own.file_stem().unwrap_or_default().to_string_lossy();
        let parent = own.parent().unwrap_or_else(|| Path::new(""));
        let folder: PathBuf = match &*stem {
            "lib" | "main" | "mod" => parent.to_owned(),
            stem => parent.join(stem),
        };
        let declared = self.code.lines().filter_map(|line| {
            let line = line.trim().strip_suffix(';')?;
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words.as_slice() {
                [.., "mod", name] => Some((*name).to_owned()),
                _ => None,
            }
        });
        declared
            .map(|name| {
                let places = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
                let file = places.into_iter().find(|place| root.join(place).exists());
                (name, file.map(|file| file.to_string_lossy().into_owned()))
            })
            .collect()
    }

    /// The lines, from 1, with the keyword `unsafe`.
    pub(crate) fn unsafe_lines(&self) -> Vec<usize> {
        let has = |line: &str| {
            line.match_indices("unsafe").any(|(at, found)| {
                let after = &line[at + found.len()..];
                let keyword = after.is_empty() || after.starts_with([' ', '{']);
                // The type of a foreign function is nothing that is done.
                starts_word(line, at) && keyword && !after.starts_with(" extern")
            })
        };
        let lines = self.code.lines().enumerate().filter(|(_, line)| has(line));
        lines.map(|(number, _)| number + 1).collect()
    }

    /// Whether a comment right above the line, or in it, says why it is sound.
    pub(crate) fn is_explained(&self, line: usize) -> bool {
        let lines: Vec<&str> = self.text.lines().collect();
        if lines[line - 1].contains("SAFETY:") {
            return true;
        }
        // Above the statement that the line is part of, and through its comment.
        let above = lines[..line - 1].iter().rev().take(12);
        let mut in_comment = false;
        for line in above {
            let comment = line.trim_start().starts_with("//");
            if comment && line.contains("SAFETY:") {
                return true;
            }
            if (in_comment && !comment) || line.trim().is_empty() {
                return false;
            }
            in_comment = comment;
        }
        false
    }
}

fn starts_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c))
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first words of the items of a group, up to its closing brace.
fn heads(group: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return found,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if c.is_whitespace() => {}
            _ if fresh && depth == 0 => {
                found.push(word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    found
}

/// Blanks for comments and for what is in quotes.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = skip(text, at);
        if end > at {
            code.extend(bytes[at..end].iter().map(|&b| if b == b'\n' { b } else { b' ' }));
            at = end;
        } else {
            code.push(bytes[at]);
            at += 1;
        }
    }
    // Only whole quoted runs and comments were replaced.
    String::from_utf8(code).expect("it was text before")
}

/// Where the comment or quotation that starts here ends; `at` itself if none does.
fn skip(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    let until = |end: &str, from: usize| {
        text[at + from..].find(end).map_or(text.len(), |found| at + from + found + end.len())
    };
    if rest.starts_with(b"//") {
        return text[at..].find('\n').map_or(text.len(), |found| at + found);
    }
    if rest.starts_with(b"/*") {
        return until("*/", 2);
    }
    let word_before = at > 0 && {
        let before = text.as_bytes()[at - 1];
        before.is_ascii_alphanumeric() || before == b'_'
    };
    if rest[0] == b'r' && !word_before {
        let hashes = rest[1..].iter().take_while(|&&b| b == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            return until(&format!("\"{}", "#".repeat(hashes)), 2 + hashes);
        }
    }
    match rest[0] {
        b'"' => at + 1 + escaped(&rest[1..], b'"'),
        // A character, not a lifetime.
        b'\'' if rest.get(1) == Some(&b'\\') => at + 1 + escaped(&rest[1..], b'\''),
        b'\'' => {
            let mut characters = text[at + 1..].char_indices();
            let (_, _one) = characters.next().unwrap_or((0, ' '));
            match characters.next() {
                Some((length, '\'')) => at + 1 + length + 1,
                _ => at,
            }
        }
        _ => at,
    }
}

/// How many bytes there are up to and with the closing quote.
fn escaped(bytes: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}
