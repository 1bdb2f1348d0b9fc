//! `locald doctor`: finds out what there is, and has it judged.

mod gather;

use serde::Serialize;

use crate::{
    cli::{error::Error, output::Output, render},
    core::doctor::{Check, Verdict, judge},
    os::paths::Places,
};

/// `doctor --json`.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether nothing is critical.
    ok: bool,
    checks: Vec<Check>,
}

/// Runs the command.
pub async fn run(json: bool) -> Result<(), Error> {
    let out = Output::of_process();
    let checks = match Places::find(|name| std::env::var_os(name)) {
        Ok(places) => judge(&gather::all(&places).await),
        // Nothing else can be looked for then.
        Err(error) => vec![Check::critical("places", error.to_string(), "unset LOCALD_SOCKET")],
    };
    let ok = checks.iter().all(|check| check.status < Verdict::Critical);
    if json {
        out.json(&Report { ok, checks })?;
    } else {
        out.write(render::doctor::checks(&checks, out.paint, out.width()).as_bytes())?;
    }
    if ok { Ok(()) } else { Err(Error::silent(1)) }
}
