//! Runs the programs that prepare a server; what they write is in the service's log.

use std::{ffi::OsString, path::Path, time::Duration};

use super::Job;
use crate::{
    core::log::Stream,
    os::{
        child::{Child, Ending},
        logs::Pump,
        signals::signal_name,
        spawn::{Command, Output, Spawned, spawn},
    },
};

/// How long output may be in coming after everything has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// So many last lines are looked through for the one that says what is wrong.
const LINES: usize = 20;

/// A program that runs. Dropped, it is killed with all that came of it.
pub(super) struct Step {
    pub(super) child: Child,
    pumps: Vec<Pump>,
    name: String,
}

/// Who runs a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By {
    /// Whoever the server runs as.
    Owner,
    /// Whoever runs locald.
    Us,
}

impl Step {
    /// Starts a program.
    pub(super) fn start(
        job: &Job<'_>,
        by: By,
        argv: Vec<OsString>,
        env: &[(&str, &str)],
        dir: &Path,
    ) -> Result<Self, String> {
        let program = argv.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
        let name = program.to_string_lossy().into_owned();
        let argv = match by {
            By::Owner => job.place.run_by_owner(job.request.exe, argv),
            By::Us => argv,
        };
        let variables = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LC_ALL", "C"), ("HOME", "/")];
        let env = variables.iter().chain(env);
        let command = Command {
            argv,
            env: env.map(|&(name, value)| (name.into(), value.into())).collect(),
            dir: dir.to_owned(),
            output: Output::Pipes,
            marker: None,
        };
        let Spawned { child, out, err, pty: _ } = spawn(&command).map_err(|e| e.to_string())?;
        let outputs = [(Some(out), Stream::Out), (err, Stream::Err)];
        let pumps = outputs.into_iter();
        let pumps = pumps.filter_map(|(fd, from)| Some(job.request.sink.attach(fd?, from)));
        Ok(Self { child, pumps: pumps.collect(), name })
    }

    /// Waits for its end, which must be a success.
    pub(super) async fn succeed(self, job: &Job<'_>) -> Result<(), String> {
        let ending = self.child.exited().await;
        self.end(job, ending).await
    }

    /// After its end: cleans up behind it, and says what was wrong.
    pub(super) async fn end(self, job: &Job<'_>, ending: Ending) -> Result<(), String> {
        // A survivor of SIGKILL is stuck in the kernel: it does not change the answer.
        drop(self.child.clear(None, Duration::ZERO).await);
        for pump in self.pumps {
            pump.stop_within(LAST_WORDS).await;
        }
        let what = match ending {
            Ending::Code(0) => return Ok(()),
            Ending::Code(code) => format!("{} exited with code {code}", self.name),
            Ending::Signal(signal) => {
                format!("{} was killed by {}", self.name, signal_name(signal))
            }
        };
        job.request.sink.settled().await;
        let lines = job.request.sink.last_lines(LINES, None);
        Err(complaint(&lines).map_or_else(|| what.clone(), |said| format!("{what}: {said}")))
    }
}

/// Runs a program to its end, which must be a success.
pub(super) async fn run(
    job: &Job<'_>,
    by: By,
    argv: Vec<OsString>,
    env: &[(&str, &str)],
    dir: &Path,
) -> Result<(), String> {
    Step::start(job, by, argv, env, dir)?.succeed(job).await
}

/// The line that says most about what is wrong: the last error, else the last one.
fn complaint(lines: &[String]) -> Option<String> {
    let is_error = |line: &&String| {
        ["ERROR:", "FATAL:", "PANIC:", "error:"].iter().any(|word| line.contains(word))
    };
    let line = lines.iter().rfind(is_error).or_else(|| lines.last())?;
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_with_the_error_says_most() {
        let lines = ["creating", "initdb: error: no space", "removing the folder"];
        let lines = lines.map(str::to_owned);
        assert_eq!(complaint(&lines).as_deref(), Some("initdb: error: no space"));
        assert_eq!(complaint(&lines[..1]).as_deref(), Some("creating"));
        assert_eq!(complaint(&[]), None);
    }
}
