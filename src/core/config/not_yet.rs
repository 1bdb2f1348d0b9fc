//! Keys of the contract that nothing honours yet: refused, so that nobody believes they work.

use super::reader::{Item, Reader, Section};
use crate::core::diagnostic::Diagnostic;

/// Keys of a service.
const KEYS: [&str; 1] = ["version"];

/// Types of services.
const TYPES: [&str; 1] = ["postgres"];

/// Notes each key of a service that is not supported yet.
pub(super) fn refuse_keys(reader: &mut Reader<'_>, section: &Section<'_>) {
    for (key, item) in section.present() {
        if KEYS.contains(&key.name) {
            let message = format!("`{}` is not supported yet", key.name);
            reader.report(Diagnostic::at(item.key.span(), message).help("remove it"));
        }
    }
}

/// Notes a type of service that is not supported yet; true if it is.
pub(super) fn refuses_type(reader: &mut Reader<'_>, item: Item<'_>, word: &str) -> bool {
    if !TYPES.contains(&word) {
        return false;
    }
    let message = format!("`type = \"{word}\"` is not supported yet");
    reader.report(Diagnostic::at(item.value.span(), message));
    true
}
