//! A check by a command: it runs where the service runs, and its exit code counts.

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::{
    core::notify::harmless_line,
    os::{
        child::Ending,
        errand::{Errand, Outcome},
        signals::signal_name,
    },
};

/// How much of the last line is told.
const LINE: usize = 200;

/// Whether the command exits 0 in time. Then, or at the deadline, everything it has started is killed.
pub async fn command(
    argv: &[String],
    env: &BTreeMap<String, String>,
    dir: &Path,
    timeout: Duration,
) -> Result<(), String> {
    let errand = Errand { argv, env, dir, input: &[], timeout };
    judge(&errand.run().await.map_err(|error| error.to_string())?, timeout)
}

/// Whether an errand was done, or why not: how it ended, and its last words.
pub fn judge(outcome: &Outcome, timeout: Duration) -> Result<(), String> {
    let what = match outcome.ending {
        Some(Ending::Code(0)) => return Ok(()),
        Some(Ending::Code(code)) => format!("exited {code}"),
        Some(Ending::Signal(signal)) => format!("ended by {}", signal_name(signal)),
        None => format!("did not end within {}", super::seconds(timeout)),
    };
    let said = last_line(&outcome.err).or_else(|| last_line(&outcome.out));
    Err(said.map_or_else(|| what.clone(), |said| format!("{what}: {said}")))
}

fn last_line(text: &[u8]) -> Option<String> {
    text.rsplit(|&byte| byte == b'\n')
        .map(|line| harmless_line(line, LINE))
        .find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
