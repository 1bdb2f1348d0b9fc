//! How many descriptors a process may have.

use std::{io, sync::OnceLock};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// The soft limit that this process was started with, once it has raised its own.
static ORIGINAL: OnceLock<Option<u64>> = OnceLock::new();

/// Raises the soft limit of open descriptors to the hard one and answers what it was (none:
/// unlimited). Programs spawned from now on still get the original: some loop over all the
/// descriptors they might have, others use `select`, and both suffer from a high limit.
pub fn raise_nofile() -> io::Result<Option<u64>> {
    let limit = getrlimit(Resource::Nofile);
    let original = *ORIGINAL.get_or_init(|| limit.current);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(original)
}

/// Does something under the original limit. Nothing else may open descriptors meanwhile.
pub fn with_original<T>(what: impl FnOnce() -> T) -> T {
    let limit = getrlimit(Resource::Nofile);
    if let Some(original) = ORIGINAL.get() {
        let low = Rlimit { current: *original, maximum: limit.maximum };
        // To lower one's own limit, and to raise it to the hard one, is always allowed.
        let _allowed = setrlimit(Resource::Nofile, low);
    }
    let done = what();
    let _allowed = setrlimit(Resource::Nofile, limit);
    done
}

/// Gives the child `pid`, which must not have been reaped, the original soft limit back.
///
/// `posix_spawn` cannot set limits, and lowering our own for a moment would let an `accept`
/// elsewhere fail; so for some microseconds after its start the program has the daemon's soft
/// limit. Were it to look at once, it would only see a number that is too generous.
pub(super) fn restore_nofile(pid: i32) {
    let (Some(original), Some(pid)) = (ORIGINAL.get(), Pid::from_raw(pid)) else { return };
    let hard = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: *original, maximum: hard };
    if let Err(error) = prlimit(Some(pid), Resource::Nofile, limit) {
        // A setuid program is not ours to limit. It runs all the same.
        tracing::debug!(?pid, %error, "cannot restore the limit of open descriptors");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::testing::{run, sh};

    #[tokio::test]
    async fn children_get_the_limit_we_were_started_with() {
        let hard = getrlimit(Resource::Nofile).maximum;
        let started_with = hard.map_or(15_000, |hard| hard * 3 / 4);
        let low = Rlimit { current: Some(started_with), maximum: hard };
        setrlimit(Resource::Nofile, low).unwrap();
        assert_eq!(raise_nofile().unwrap(), Some(started_with));
        assert_eq!(raise_nofile().unwrap(), Some(started_with), "the second time as well");
        assert_eq!(getrlimit(Resource::Nofile).current, hard);
        let (_, said, _) = run(&sh("sleep 0.1; ulimit -Sn")).await;
        assert_eq!(said.trim(), started_with.to_string());
    }
}
