//! `locald schema`: the JSON Schema of `locald.toml`.

use crate::{
    cli::{error::Error, output::Output},
    core::config,
};

/// Runs the command.
pub fn run() -> Result<(), Error> {
    let schema = serde_json::to_string_pretty(&config::json_schema());
    let schema = schema.map_err(|error| Error::failed("cannot write as JSON").because(error))?;
    Output::of_process().line(&schema)
}
