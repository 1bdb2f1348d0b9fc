//! `${…}` in strings of the configuration: parsed once, when the file is checked, rendered at each launch.

mod parse;
#[cfg(test)]
mod tests;

use std::{fmt, ops::Range, sync::Arc};

use super::id::ServiceName;

/// A string with holes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

/// What fills a hole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reference {
    /// `${services.NAME.FIELD}`.
    Service(ServiceName, ServiceField),
    /// `${project.FIELD}`.
    Project(ProjectField),
    /// `${env.NAME}` or `${env.NAME:-default}`.
    Env(Arc<str>, Option<Arc<str>>),
}

/// What a service tells about itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServiceField {
    /// Its port.
    Port,
    /// The address it listens on.
    Host,
    /// Its direct URL.
    Url,
    /// Its URL at the proxy.
    PublicUrl,
    /// Who gets into a server that locald provides.
    User,
    /// With which password.
    Password,
    /// And into which database.
    Database,
}

/// What a project tells about itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProjectField {
    /// Its name.
    Name,
    /// Its folder.
    Dir,
    /// Its domain.
    Domain,
}

/// What becomes of a `${…}` that is not locald's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Foreign {
    /// It is left for the shell (`command`).
    Kept,
    /// It is an error (`env`).
    Refused,
}

/// Why a string is not a template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TemplateError {
    /// Where in the string.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A hole and its place in the string.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hole {
    /// From `$` to behind `}`.
    pub range: Range<usize>,
    /// What fills it.
    pub reference: Reference,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(Arc<str>),
    Hole(Hole),
}

impl Template {
    /// Reads a string of the configuration.
    pub fn parse(text: &str, foreign: Foreign) -> Result<Self, Vec<TemplateError>> {
        parse::parse(text, foreign)
    }

    /// A string without holes, whatever it contains.
    pub fn literal(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }

    /// Up to the first hole.
    pub fn head(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(hole) => Some(hole),
        })
    }

    /// The string, with each hole filled by `fill`. Values are put in as they are: nothing is quoted
    /// for the shell.
    pub fn render<E>(
        &self,
        mut fill: impl FnMut(&Reference) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Hole(hole) => text.push_str(&fill(&hole.reference)?),
            }
        }
        Ok(text)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name, field) => write!(f, "${{services.{name}.{}}}", field.as_str()),
            Self::Project(field) => write!(f, "${{project.{}}}", field.as_str()),
            Self::Env(name, None) => write!(f, "${{env.{name}}}"),
            Self::Env(name, Some(default)) => write!(f, "${{env.{name}:-{default}}}"),
        }
    }
}

impl ServiceField {
    /// Every field.
    pub const ALL: [Self; 7] = [
        Self::Port,
        Self::Host,
        Self::Url,
        Self::PublicUrl,
        Self::User,
        Self::Password,
        Self::Database,
    ];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Host => "host",
            Self::Url => "url",
            Self::PublicUrl => "public_url",
            Self::User => "user",
            Self::Password => "password",
            Self::Database => "database",
        }
    }

    /// Whether only servers that locald provides have it.
    pub fn is_of_provided(self) -> bool {
        matches!(self, Self::User | Self::Password | Self::Database)
    }
}

impl ProjectField {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::Name, Self::Dir, Self::Domain];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Dir => "dir",
            Self::Domain => "domain",
        }
    }
}
