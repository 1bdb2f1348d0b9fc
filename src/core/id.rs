//! Names of projects and services, valid by construction.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

/// The longest name (SPEC §14): a label of a domain name.
pub const MAX_NAME: usize = 63;

/// The name of a project.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(Arc<str>);

/// The name of a service within its project.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(Arc<str>);

/// Why a text is not a name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all.
    #[error("a name cannot be empty")]
    Empty,
    /// More than [`MAX_NAME`] characters.
    #[error("a name has at most {MAX_NAME} characters, this one has {0}")]
    TooLong(usize),
    /// The first character is `-` or `_`.
    #[error("a name starts with a letter or a digit, not with `{0}`")]
    Start(char),
    /// A character that no name has.
    #[error("a name consists of a-z, 0-9, `-` and `_`, not {}", quoted(*.0))]
    Character(char),
}

/// The name that a folder called `text` suggests; none if nothing of it is usable.
pub fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => slug.push(c),
            '_' if !slug.is_empty() => slug.push('_'),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
        if slug.len() == MAX_NAME {
            break;
        }
    }
    slug.truncate(slug.trim_end_matches(['-', '_']).len());
    (!slug.is_empty()).then_some(slug)
}

fn check(text: &str) -> Result<(), NameError> {
    let Some(first) = text.chars().next() else { return Err(NameError::Empty) };
    let named = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    if let Some(c) = text.chars().find(|&c| !named(c)) {
        return Err(NameError::Character(c));
    }
    if matches!(first, '-' | '_') {
        return Err(NameError::Start(first));
    }
    if text.len() > MAX_NAME { Err(NameError::TooLong(text.len())) } else { Ok(()) }
}

fn quoted(c: char) -> String {
    match c {
        'A'..='Z' => format!("`{c}` (an upper-case letter)"),
        ' ' => "a space".to_owned(),
        c if c.is_control() => format!("`{}`", c.escape_debug()),
        c => format!("`{c}`"),
    }
}

macro_rules! name {
    ($type:ident) => {
        impl $type {
            /// The name, if `text` is one.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check(&text)?;
                Ok(Self(text.into()))
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name!(ProjectName);
name!(ServiceName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "0", "web-1", "my_app", &"x".repeat(63)] {
            assert_eq!(ServiceName::parse(good).unwrap().as_str(), good);
        }
        let why = |text: &str| ProjectName::parse(text).unwrap_err();
        assert_eq!(why(""), NameError::Empty);
        assert_eq!(why("-a"), NameError::Start('-'));
        assert_eq!(why("Web"), NameError::Character('W'));
        assert_eq!(why("a.b"), NameError::Character('.'));
        assert_eq!(why("../x"), NameError::Character('.'));
        assert_eq!(why(&"x".repeat(64)), NameError::TooLong(64));
    }

    #[test]
    fn folders_suggest_names() {
        let slug = |text| slug(text).unwrap_or_default();
        assert_eq!(slug("My Shop (2024)"), "my-shop-2024");
        assert_eq!(slug("--x--"), "x");
        assert_eq!(slug("Läden"), "l-den");
        assert_eq!(slug("日本"), "");
        assert_eq!(slug(&"ab".repeat(50)).len(), MAX_NAME);
    }

    #[test]
    fn stored_names_are_checked_too() {
        assert!(serde_json::from_str::<ServiceName>("\"web\"").is_ok());
        assert!(serde_json::from_str::<ServiceName>("\"../web\"").is_err());
    }
}
