//! The grammar of `${…}`.

use std::{mem, ops::Range, sync::Arc};

use super::{Foreign, Hole, Part, ProjectField, Reference, ServiceField, Template, TemplateError};
use crate::core::{
    id::ServiceName,
    near::{did_you_mean, quoted},
};

/// Words that make a `${…}` locald's own; no shell has parameters with a dot in their name.
const NAMESPACES: [&str; 3] = ["services", "project", "env"];

pub(super) fn parse(text: &str, foreign: Foreign) -> Result<Template, Vec<TemplateError>> {
    let mut scan =
        Scan { text, foreign, literal: String::new(), parts: Vec::new(), errors: vec![] };
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|offset| at + offset) {
        scan.literal.push_str(&text[at..dollar]);
        at = scan.dollar(dollar);
    }
    scan.literal.push_str(&text[at..]);
    scan.flush();
    if scan.errors.is_empty() { Ok(Template { parts: scan.parts }) } else { Err(scan.errors) }
}

struct Scan<'t> {
    text: &'t str,
    foreign: Foreign,
    literal: String,
    parts: Vec<Part>,
    errors: Vec<TemplateError>,
}

impl Scan<'_> {
    /// Takes what starts with the dollar at `at`; gives where to go on.
    fn dollar(&mut self, at: usize) -> usize {
        let rest = &self.text[at + 1..];
        if rest.starts_with('$') {
            self.literal.push('$');
            return at + 2;
        }
        let Some(body) = rest.strip_prefix('{') else {
            self.literal.push('$');
            return at + 1;
        };
        let Some(end) = body.find('}') else { return self.unclosed(at) };
        let range = at..at + 2 + end + 1;
        match reference(&body[..end]) {
            Some(Ok(reference)) => {
                self.flush();
                self.parts.push(Part::Hole(Hole { range: range.clone(), reference }));
                range.end
            }
            Some(Err((message, help))) => {
                self.errors.push(TemplateError { range: range.clone(), message, help });
                range.end
            }
            None => self.foreign(range, &body[..end]),
        }
    }

    fn foreign(&mut self, range: Range<usize>, body: &str) -> usize {
        if self.foreign == Foreign::Kept {
            // Only the opening: what is inside may have holes of its own.
            self.literal.push_str("${");
            return range.start + 2;
        }
        let message = format!("unknown reference {}", quoted(&self.text[range.clone()]));
        let help = foreign_help(body);
        self.errors.push(TemplateError { range: range.clone(), message, help: Some(help) });
        range.end
    }

    fn unclosed(&mut self, at: usize) -> usize {
        if self.foreign == Foreign::Kept {
            self.literal.push_str("${");
            return at + 2;
        }
        let message = "`${` without `}`".to_owned();
        let help = Some("write `$${` for a literal `${`".to_owned());
        self.errors.push(TemplateError { range: at..self.text.len(), message, help });
        self.text.len()
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(Part::Text(mem::take(&mut self.literal).into()));
        }
    }
}

type Parsed = Result<Reference, (String, Option<String>)>;

/// The reference in a body; none if it is not locald's.
fn reference(body: &str) -> Option<Parsed> {
    let (namespace, rest) = body.split_once('.')?;
    match namespace {
        "services" => Some(service(rest)),
        "project" => Some(project(rest)),
        "env" => Some(variable(rest)),
        _ => None,
    }
}

fn service(rest: &str) -> Parsed {
    let form =
        || Some("write `${services.NAME.port}`, `.host`, `.url` or `.public_url`".to_owned());
    let Some((name, field)) = rest.split_once('.') else {
        return Err((format!("{} names no field of a service", quoted(rest)), form()));
    };
    let name = ServiceName::parse(name).map_err(|why| (why.to_string(), form()))?;
    match ServiceField::ALL.into_iter().find(|known| known.as_str() == field) {
        Some(field) => Ok(Reference::Service(name, field)),
        None => Err((
            format!("a service has no {}", quoted(field)),
            did_you_mean(field, ServiceField::ALL.map(ServiceField::as_str)).or_else(form),
        )),
    }
}

fn project(field: &str) -> Parsed {
    match ProjectField::ALL.into_iter().find(|known| known.as_str() == field) {
        Some(field) => Ok(Reference::Project(field)),
        None => Err((
            format!("a project has no {}", quoted(field)),
            did_you_mean(field, ProjectField::ALL.map(ProjectField::as_str))
                .or_else(|| Some("a project has `name`, `dir` and `domain`".to_owned())),
        )),
    }
}

fn variable(rest: &str) -> Parsed {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, tail) = rest.split_at(end);
    let form = || Some("write `${env.NAME}` or `${env.NAME:-default}`".to_owned());
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err((format!("{} is not the name of a variable", quoted(rest)), form()));
    }
    let default = match tail.strip_prefix(":-") {
        None if tail.is_empty() => None,
        None => return Err((format!("cannot read {} after `{name}`", quoted(tail)), form())),
        Some(default) if default.contains("${") => {
            return Err(("a default cannot contain `${…}`".to_owned(), form()));
        }
        Some(default) => Some(Arc::from(default)),
    };
    Ok(Reference::Env(name.into(), default))
}

fn foreign_help(body: &str) -> String {
    let (first, rest) = body.split_once('.').unwrap_or((body, ""));
    if let Some(near) = crate::core::near::nearest(first, NAMESPACES).filter(|_| !rest.is_empty()) {
        return format!("did you mean {}?", quoted(&format!("${{{near}.{rest}}}")));
    }
    let plain = !first.is_empty() && first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain && rest.is_empty() {
        return format!(
            "write `${{env.{first}}}` for the variable, or `$${{{first}}}` for the text itself"
        );
    }
    "locald knows `${services.NAME.port|host|url}`, `${project.name|dir|domain}` and `${env.NAME}`; \
     write `$${` for a literal `${`"
        .to_owned()
}
