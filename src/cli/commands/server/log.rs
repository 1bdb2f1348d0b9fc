//! `locald server logs`: the daemon's own log, which can be read without a daemon.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use notify::{RecursiveMode, Watcher as _, recommended_watcher};
use tokio::sync::watch;

use crate::cli::{context::Context, error::Error, render::text::without_escapes};

/// So many lines are shown on a terminal.
const ON_TERMINAL: usize = 100;
/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Runs the command.
pub async fn run(context: &Context, follow: bool, lines: Option<usize>) -> Result<(), Error> {
    let path = &context.places.daemon_log;
    let failed = |error: io::Error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let error = Error::failed(format!("cannot read {}", path.display())).because(error);
        if missing { error.hinted("no daemon has been started here yet") } else { error }
    };
    // Watched before it is read: what is written in between is not missed.
    let changes = follow.then(|| watch_folder(path)).transpose()?;
    let mut log = File::open(path).map_err(failed)?;
    if let Some(lines) = lines.or_else(|| context.out.terminal.then_some(ON_TERMINAL)) {
        let start = start_of_last(&mut log, lines).map_err(failed)?;
        log.seek(SeekFrom::Start(start)).map_err(failed)?;
    }
    copy(context, &mut log).map_err(failed)??;
    let Some((_watcher, mut changes)) = changes else { return Ok(()) };
    while changes.changed().await.is_ok() {
        copy(context, &mut log).map_err(failed)??;
        if let Some(new) = replaced(path, &mut log).map_err(failed)? {
            log = new;
            copy(context, &mut log).map_err(failed)??;
        }
    }
    Ok(())
}

/// Tells of every change in the folder of `path`: the file itself may be replaced.
fn watch_folder(path: &Path) -> Result<(notify::RecommendedWatcher, watch::Receiver<()>), Error> {
    let failed = |error| Error::failed("cannot follow the daemon's log").because(error);
    let (tell, changes) = watch::channel(());
    let mut watcher = recommended_watcher(move |_| {
        tell.send_replace(());
    })
    .map_err(failed)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    watcher.watch(folder, RecursiveMode::NonRecursive).map_err(failed)?;
    Ok((watcher, changes))
}

/// Writes what is there from here on; the inner error is that of writing.
fn copy(context: &Context, log: &mut File) -> io::Result<Result<(), Error>> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match log.read(&mut chunk)? {
            0 => return Ok(Ok(())),
            length => {
                let written = if context.out.paint.colour {
                    context.out.write(&chunk[..length])
                } else {
                    let text = String::from_utf8_lossy(&chunk[..length]);
                    context.out.write(without_escapes(&text).as_bytes())
                };
                if let Err(error) = written {
                    return Ok(Err(error));
                }
            }
        }
    }
}

/// The log of that name when it is another file than `log` now, or was cut.
fn replaced(path: &Path, log: &mut File) -> io::Result<Option<File>> {
    let new = match File::open(path) {
        Ok(new) => new,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (is, was) = (new.metadata()?, log.metadata()?);
    let same = (is.dev(), is.ino()) == (was.dev(), was.ino());
    Ok(if same && is.len() >= log.stream_position()? { None } else { Some(new) })
}

/// Where the last `lines` lines start, found from the end.
fn start_of_last(log: &mut File, lines: usize) -> io::Result<u64> {
    let end = log.metadata()?.len();
    let mut at = end;
    let mut found = 0;
    let mut chunk = vec![0; CHUNK];
    while at > 0 {
        let length = at.min(CHUNK as u64);
        at -= length;
        log.seek(SeekFrom::Start(at))?;
        let chunk = &mut chunk[..usize::try_from(length).unwrap_or(CHUNK)];
        log.read_exact(chunk)?;
        for newline in memchr::memrchr_iter(b'\n', chunk) {
            let after = at + newline as u64 + 1;
            // The last line end ends the last line.
            if after < end {
                found += 1;
            }
            if found == lines || lines == 0 {
                return Ok(after);
            }
        }
    }
    Ok(if lines == 0 { end } else { 0 })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"one\ntwo\nthree\n").expect("room");
        let mut start = |lines| start_of_last(&mut file, lines).expect("it can be read");
        assert_eq!([start(0), start(1), start(2), start(3), start(9)], [14, 8, 4, 0, 0]);
        file.write_all(b"half").expect("room");
        assert_eq!(start_of_last(&mut file, 1).expect("it can be read"), 14);
        let long = "x".repeat(CHUNK * 2);
        write!(file, "\n{long}\nend\n").expect("room");
        let start = start_of_last(&mut file, 2).expect("it can be read");
        assert_eq!(start, 14 + 5);
    }

    #[test]
    fn a_new_or_cut_file_is_noticed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("daemon.log");
        std::fs::write(&path, "old and long").expect("room");
        let mut log = File::open(&path).expect("it is there");
        io::copy(&mut log, &mut io::sink()).expect("it can be read");
        assert!(replaced(&path, &mut log).expect("it can be read").is_none());
        std::fs::write(&path, "new").expect("room");
        assert!(replaced(&path, &mut log).expect("it can be read").is_some());
        std::fs::remove_file(&path).expect("it is there");
        assert!(replaced(&path, &mut log).expect("it can be looked for").is_none());
        std::fs::write(&path, "another one, and longer than before").expect("room");
        assert!(replaced(&path, &mut log).expect("it can be read").is_some());
    }
}
