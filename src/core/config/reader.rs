//! Values of a TOML tree by type, with everything wrong noted on the way.

use std::{fmt, ops::Range, time::Duration};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::keys::Key;
use crate::core::{
    diagnostic::Diagnostic,
    id::ServiceName,
    interpolate::{Foreign, Reference, ServiceField, Template},
    near::{did_you_mean, quoted},
    time,
};

/// A value and its place in the file.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) range: Range<usize>,
}

/// A use of a service in a `${…}`.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) service: ServiceName,
    pub(super) field: ServiceField,
    pub(super) range: Range<usize>,
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Item<'t> {
    pub(super) key: &'t Spanned<DeString<'t>>,
    pub(super) value: &'t Spanned<DeValue<'t>>,
    /// The key to name in messages; of an element of a list, the list's.
    pub(super) name: &'t str,
}

/// A table of which every key is known.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    keys: &'static [Key],
}

/// Collects what is wrong.
pub(super) struct Reader<'s> {
    pub(super) source: &'s str,
    pub(super) found: Vec<Diagnostic>,
    pub(super) uses: Vec<Use>,
}

/// Beyond so many errors nobody is told what was probably meant.
const ADVISED: usize = 100;

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, found: Vec::new(), uses: Vec::new() }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// The nearest candidate as advice, while advice is worth its time.
    pub(super) fn advice<'c>(
        &self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<String> {
        if self.found.len() < ADVISED { did_you_mean(word, candidates) } else { None }
    }

    /// Opens a table, refusing unknown keys; `what` names the table in messages.
    pub(super) fn section<'t>(
        &mut self,
        table: &'t DeTable<'t>,
        keys: &'static [Key],
        what: &str,
    ) -> Section<'t> {
        for key in table.keys() {
            let name = key.get_ref();
            if keys.iter().any(|known| known.name == name) {
                continue;
            }
            let mut wrong =
                Diagnostic::at(key.span(), format!("unknown key {} in {what}", quoted(name)));
            wrong.help = self.advice(name, keys.iter().map(|known| known.name));
            self.report(wrong);
        }
        Section { table, keys }
    }

    pub(super) fn table<'t>(&mut self, item: Item<'t>) -> Option<&'t DeTable<'t>> {
        match item.value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.wrong(item, "a table"),
        }
    }

    pub(super) fn list<'t>(&mut self, item: Item<'t>) -> Option<impl Iterator<Item = Item<'t>>> {
        match item.value.get_ref() {
            DeValue::Array(array) => Some(array.iter().map(move |value| Item { value, ..item })),
            _ => self.wrong(item, "a list"),
        }
    }

    /// A string that may be handed to the system: without NUL.
    pub(super) fn text<'t>(&mut self, item: Item<'t>) -> Option<At<&'t str>> {
        let DeValue::String(value) = item.value.get_ref() else {
            return self.wrong(item, "a string");
        };
        if value.contains('\0') {
            self.refuse(item, "cannot contain a NUL byte");
            return None;
        }
        Some(At { value, range: item.value.span() })
    }

    /// A string that says something.
    pub(super) fn nonempty<'t>(&mut self, item: Item<'t>) -> Option<At<&'t str>> {
        let text = self.text(item)?;
        if text.value.trim().is_empty() {
            self.refuse(item, "cannot be empty");
            return None;
        }
        Some(text)
    }

    /// A string, or a list of strings.
    pub(super) fn texts(&mut self, item: Item<'_>) -> Option<Vec<String>> {
        match item.value.get_ref() {
            DeValue::String(_) => Some(vec![self.nonempty(item)?.value.to_owned()]),
            DeValue::Array(_) => {
                let items: Vec<_> = self.list(item)?.collect();
                items.into_iter().map(|item| Some(self.nonempty(item)?.value.to_owned())).collect()
            }
            _ => self.wrong(item, "a string or a list of strings"),
        }
    }

    pub(super) fn flag(&mut self, item: Item<'_>) -> Option<bool> {
        match item.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong(item, "`true` or `false`"),
        }
    }

    /// A whole number between two others.
    pub(super) fn whole<N>(&mut self, item: Item<'_>, least: N, most: N) -> Option<N>
    where
        N: TryFrom<i64> + Copy + fmt::Display + PartialOrd,
    {
        let expected = format!("a whole number from {least} to {most}");
        let DeValue::Integer(number) = item.value.get_ref() else {
            return self.wrong(item, &expected);
        };
        let digits = number.as_str();
        let number = i64::from_str_radix(digits, number.radix()).ok();
        let number = number.and_then(|number| N::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.refuse(item, &format!("expects {expected}, found {}", quoted(digits)));
        }
        number
    }

    pub(super) fn number(&mut self, item: Item<'_>, least: f64, most: f64) -> Option<f64> {
        let expected = format!("a number from {least} to {most}");
        let Some(number) = number(item.value.get_ref()) else {
            return self.wrong(item, &expected);
        };
        if (least..=most).contains(&number) {
            return Some(number);
        }
        self.refuse(item, &format!("expects {expected}"));
        None
    }

    /// A duration, zero included.
    pub(super) fn duration(&mut self, item: Item<'_>) -> Option<Duration> {
        let outcome = match item.value.get_ref() {
            DeValue::String(text) => time::parse_duration(text),
            value => match number(value) {
                Some(negative) if negative < 0.0 => {
                    self.refuse(item, "cannot be negative");
                    return None;
                }
                Some(number) => time::seconds(number),
                None => return self.wrong(item, "a duration such as \"5s\""),
            },
        };
        outcome.map_err(|why| self.refuse(item, &format!("is not a duration: {why}"))).ok()
    }

    /// A duration that takes time.
    pub(super) fn pause(&mut self, item: Item<'_>) -> Option<Duration> {
        let pause = self.duration(item)?;
        if pause.is_zero() {
            self.refuse(item, "cannot be zero");
            return None;
        }
        Some(pause)
    }

    /// One of some words; gives its place among them.
    pub(super) fn word(&mut self, item: Item<'_>, words: &[&str]) -> Option<usize> {
        let expected = one_of(words);
        let DeValue::String(text) = item.value.get_ref() else {
            return self.wrong(item, &expected);
        };
        let place = words.iter().position(|word| word == text);
        if place.is_none() {
            let message = format!("`{}` expects {expected}, found {}", item.name, quoted(text));
            let mut wrong = Diagnostic::at(item.value.span(), message);
            wrong.help = self.advice(text, words.iter().copied());
            self.report(wrong);
        }
        place
    }

    /// A string with `${…}`, whose uses of services are noted.
    pub(super) fn template(&mut self, item: Item<'_>, foreign: Foreign) -> Option<Template> {
        let text = self.text(item)?;
        let place = |range: &Range<usize>| within(self.source, &text, range);
        match Template::parse(text.value, foreign) {
            Ok(template) => {
                let uses = template.holes().filter_map(|hole| match &hole.reference {
                    Reference::Service(service, field) => {
                        let range = place(&hole.range);
                        Some(Use { service: service.clone(), field: *field, range })
                    }
                    Reference::Project(_) | Reference::Env(..) => None,
                });
                let uses: Vec<_> = uses.collect();
                self.uses.extend(uses);
                Some(template)
            }
            Err(errors) => {
                for error in errors {
                    let mut wrong =
                        Diagnostic::at(within(self.source, &text, &error.range), error.message);
                    wrong.help = error.help;
                    self.report(wrong);
                }
                None
            }
        }
    }

    /// Notes that the value is of the wrong type.
    pub(super) fn wrong<T>(&mut self, item: Item<'_>, expected: &str) -> Option<T> {
        let found = type_of(item.value.get_ref());
        let message = format!("`{}` expects {expected}, found {found}", item.name);
        let mut wrong = Diagnostic::at(place_of(item), message);
        let scalar = matches!(
            item.value.get_ref(),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)
        );
        if expected == "a string" && scalar {
            let text = &self.source[item.value.span()];
            wrong.help = Some(format!("put it in quotes: \"{text}\""));
        }
        self.report(wrong);
        None
    }

    /// Notes that the value is of the right type and still not good.
    pub(super) fn refuse(&mut self, item: Item<'_>, why: &str) {
        self.report(Diagnostic::at(place_of(item), format!("`{}` {why}", item.name)));
    }
}

impl<'t> Section<'t> {
    pub(super) fn get(&self, name: &str) -> Option<Item<'t>> {
        debug_assert!(self.keys.iter().any(|key| key.name == name), "{name} is not in the table");
        let (key, value) = self.table.get_key_value(name)?;
        Some(Item { key, value, name: key.get_ref() })
    }

    /// The keys that are both known and there.
    pub(super) fn present(&self) -> impl Iterator<Item = (&'static Key, Item<'t>)> {
        self.keys.iter().filter_map(|key| Some((key, self.get(key.name)?)))
    }
}

/// The entries of a table in the order of the file.
pub(super) fn in_order<'t>(table: &'t DeTable<'t>) -> Vec<Item<'t>> {
    let mut items: Vec<_> =
        table.iter().map(|(key, value)| Item { key, value, name: key.get_ref() }).collect();
    items.sort_by_key(|item| item.key.span().start);
    items
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => {
            let most: Vec<_> = most.iter().map(|word| format!("\"{word}\"")).collect();
            format!("{} or \"{last}\"", most.join(", "))
        }
        words => format!("\"{}\"", words.join("")),
    }
}

/// Where to point at: the value, or the key of a table, which may be pages long.
fn place_of(item: Item<'_>) -> Range<usize> {
    match item.value.get_ref() {
        DeValue::Table(_) if item.name == item.key.get_ref() => item.key.span(),
        _ => item.value.span(),
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => {
            let whole = i64::from_str_radix(number.as_str(), number.radix());
            whole.map_or(Some(f64::INFINITY), |whole| whole.to_string().parse().ok())
        }
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A range of a string's value as a range of the file; the whole string if escapes make that hard.
fn within(source: &str, text: &At<&str>, range: &Range<usize>) -> Range<usize> {
    let written = &source[text.range.clone()];
    let long = ["\"\"\"", "'''"].iter().any(|quotes| written.starts_with(quotes));
    let opening = if long { 3 } else { 1 };
    let newline = written.get(opening..).is_some_and(|rest| long && rest.starts_with('\n'));
    let start = opening + usize::from(newline);
    match written.get(start..start + text.value.len()) {
        Some(same) if same == text.value => {
            let start = text.range.start + start;
            start + range.start..start + range.end
        }
        _ => text.range.clone(),
    }
}
