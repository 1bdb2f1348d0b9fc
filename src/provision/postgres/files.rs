//! The SQL files of a configuration: run by `psql`, or where there is none by us, as far as we can.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tokio::net::UnixStream;

use super::{
    INNER_PORT, Job, Record,
    session::{Failure, Session},
};
use crate::{
    os::exec,
    provision::step::{self, By},
};

/// What `psql` can that a server cannot.
const NEEDS: &str = "needs psql, which is not on this machine (Debian, Ubuntu: apt install \
                     postgresql-client; brew install libpq)";

/// Those that are still to be run, with their names in the configuration.
pub(super) fn open<'a>(job: &Job<'a>, record: &Record) -> Vec<(&'a str, PathBuf)> {
    let init = job.request.provision.init.iter();
    let open = init.filter(|name| !record.init.contains(name));
    open.map(|name| (name.as_str(), job.request.dir.join(name))).collect()
}

/// Before the work of minutes begins.
pub(super) fn check(job: &Job<'_>) -> Result<(), String> {
    for (name, path) in open(job, &Record::default()) {
        fs::File::open(&path)
            .map_err(|error| format!("cannot read `init` file {name}: {error}"))?;
    }
    Ok(())
}

/// The client of the server, or of whoever asked.
pub(super) fn psql(job: &Job<'_>) -> Option<PathBuf> {
    let path = job.request.variable("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let inside = folders.map(|folder| folder.join("psql"));
    std::iter::once(job.found.program("psql")).chain(inside).find(|psql| exec::is_program(psql))
}

/// Has `psql` run a file, as whoever runs locald: the files are theirs.
pub(super) async fn run_by(
    psql: &Path,
    job: &Job<'_>,
    socket: &Path,
    path: &Path,
) -> Result<(), String> {
    let provision = job.request.provision;
    let mut argv = vec![psql.as_os_str().to_owned()];
    argv.extend(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"].map(Into::into));
    argv.push(path.into());
    let socket = socket.to_string_lossy();
    let env = [
        ("PGHOST", &*socket),
        ("PGPORT", INNER_PORT),
        ("PGUSER", &*provision.user),
        ("PGDATABASE", &*provision.database),
        ("PGAPPNAME", "locald"),
        ("PGCLIENTENCODING", "UTF8"),
        ("PGOPTIONS", "-c client_min_messages=warning"),
    ];
    step::run(job, By::Us, argv, &env, job.request.dir).await
}

/// Runs a file as one transaction.
pub(super) async fn run_in(
    mut session: Session<UnixStream>,
    name: &str,
    path: &Path,
) -> Result<(), String> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| format!("cannot read `init` file {name}: {error}"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    session.run(text).await.map_err(|failure| match failure {
        Failure::Refused(complaint) => {
            let line = complaint.position.map(|position| line_of(text, position));
            let line = line.map_or_else(String::new, |line| format!(":{line}"));
            let needs =
                if is_for_psql(text) { format!("; such a file {NEEDS}") } else { String::new() };
            format!("{name}{line}: {complaint}{needs}")
        }
        broken @ Failure::Broken(_) => format!("{name}: {broken}"),
    })
}

/// The line of a character, both from 1.
fn line_of(text: &str, position: usize) -> usize {
    text.chars().take(position.saturating_sub(1)).filter(|c| *c == '\n').count() + 1
}

/// Whether it looks as if it had rows, or commands of `psql`, between its statements.
fn is_for_psql(text: &str) -> bool {
    text.lines().any(|line| {
        let words: Vec<_> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
        let rows = ["from", "stdin"];
        line.starts_with('\\')
            || words.first().is_some_and(|word| word == "copy")
                && words.windows(2).any(|two| two[0] == rows[0] && two[1].starts_with(rows[1]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_in_characters() {
        let text = "ä\nö x\n\\restrict\n";
        assert_eq!([1, 2, 3, 5, 7].map(|at| line_of(text, at)), [1, 1, 2, 2, 3]);
    }

    #[test]
    fn a_dump_is_for_psql() {
        for yes in ["a;\n\\restrict x\n", "COPY public.a (b, c) FROM stdin;\n1\t2\n\\.\n"] {
            assert!(is_for_psql(yes), "{yes:?}");
        }
        for no in ["", "COPY a FROM '/x';", "SELECT E'\\n';", "INSERT INTO copy VALUES (1);"] {
            assert!(!is_for_psql(no), "{no:?}");
        }
    }
}
