//! Env files: `NAME=value` lines with quotes, comments and `export`; no interpolation.

#[cfg(test)]
mod tests;

/// Why a text is not an env file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct EnvFileError {
    /// 1-based.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// The variables of an env file in order; of two of one name, the later wins.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, EnvFileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text, line: 1 };
    let mut variables = Vec::new();
    while !reader.rest.is_empty() {
        if let Some(variable) = reader.entry()? {
            variables.push(variable);
        }
    }
    Ok(variables)
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl Reader<'_> {
    /// Takes a line, or several when quotes span them.
    fn entry(&mut self) -> Result<Option<(String, String)>, EnvFileError> {
        self.blanks();
        if matches!(self.rest.chars().next(), None | Some('#' | '\n' | '\r')) {
            self.end_of_line();
            return Ok(None);
        }
        let line = self.line;
        let name = self.name()?;
        let blank = self.rest.starts_with([' ', '\t']);
        self.blanks();
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            _ => self.plain(blank),
        };
        if value.contains('\0') {
            return Err(error(line, format!("the value of `{name}` contains a NUL byte")));
        }
        Ok(Some((name, value)))
    }

    fn name(&mut self) -> Result<String, EnvFileError> {
        if let Some(rest) = self.rest.strip_prefix("export")
            && rest.starts_with([' ', '\t'])
        {
            self.rest = rest;
            self.blanks();
        }
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let end = self.rest.find(|c| !named(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let value = rest.trim_start_matches([' ', '\t']).strip_prefix('=');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || value.is_none() {
            let line = self.rest.lines().next().unwrap_or_default();
            let shown = super::near::quoted(line);
            return Err(error(self.line, format!("expected NAME=value, found {shown}")));
        }
        self.rest = value.unwrap_or_default();
        Ok(name.to_owned())
    }

    fn plain(&mut self, behind_blank: bool) -> String {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        let value = comment(line, behind_blank).map_or(line, |at| &line[..at]);
        let value = value.trim().to_owned();
        self.end_of_line();
        value
    }

    fn quoted(&mut self, quote: char) -> Result<String, EnvFileError> {
        let opened = self.line;
        let mut value = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    self.blanks();
                    return self.nothing_more(quote).map(|()| value);
                }
                '\\' if quote == '"' => match chars.next() {
                    Some((_, next)) => {
                        self.line += usize::from(next == '\n');
                        push_escaped(&mut value, next);
                    }
                    None => break,
                },
                '\r' if chars.as_str().starts_with('\n') => {}
                _ => {
                    self.line += usize::from(c == '\n');
                    value.push(c);
                }
            }
        }
        Err(error(opened, format!("the quote {quote} is never closed")))
    }

    fn nothing_more(&mut self, quote: char) -> Result<(), EnvFileError> {
        match self.rest.chars().next() {
            None | Some('\n' | '\r' | '#') => {
                self.end_of_line();
                Ok(())
            }
            Some(_) => Err(error(self.line, format!("unexpected text after the closing {quote}"))),
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn end_of_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.line += 1;
    }
}

/// Where the comment of an unquoted value starts: a `#` behind a blank.
fn comment(line: &str, behind_blank: bool) -> Option<usize> {
    let blank = |at: usize| match at.checked_sub(1) {
        None => behind_blank,
        Some(before) => matches!(line.as_bytes()[before], b' ' | b'\t'),
    };
    line.match_indices('#').map(|(at, _)| at).find(|&at| blank(at))
}

fn push_escaped(value: &mut String, c: char) {
    match c {
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        '\\' | '"' | '$' | '`' => value.push(c),
        '\n' => {}
        _ => value.extend(['\\', c]),
    }
}

fn error(line: usize, message: String) -> EnvFileError {
    EnvFileError { line, message }
}
