//! `locald.toml` and `Procfile`: text → [`Config`], or all that is wrong with it.

/// A valid configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {}

/// Reads a `locald.toml`; `dir_name` is the folder's name, for the name to suggest.
pub fn parse_toml(
    source: &super::diagnostic::SourceFile,
    dir_name: &str,
) -> Result<Config, Vec<super::diagnostic::Diagnostic>> {
    todo!("{source:?} {dir_name}")
}

/// Reads a `Procfile`; the project is named after the folder.
pub fn parse_procfile(
    source: &super::diagnostic::SourceFile,
    dir_name: &str,
) -> Result<Config, Vec<super::diagnostic::Diagnostic>> {
    todo!("{source:?} {dir_name}")
}

/// The JSON Schema of `locald.toml`.
pub fn json_schema() -> serde_json::Value {
    todo!()
}
