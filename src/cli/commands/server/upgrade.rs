//! `locald server upgrade`: this program takes the daemon's place.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::de::IgnoredAny;

use crate::{
    api::upgrade::Upgrade,
    cli::{autostart::await_end, client::Client, context::Context, error::Error},
    os::keep,
};

/// How long the daemon may take until its last requests have ended: longer than it allows them.
const END: Duration = Duration::from_secs(40);

/// The running program's file, also after another one has taken its name.
const SELF: &str = "/proc/self/exe";

/// Runs the command.
pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let socket = &context.places.socket;
    let mut client = Client::connect_to_any(socket).await?.ok_or_else(|| context.no_daemon())?;
    let old = client.daemon().clone();
    let program = program()?;
    ask(&mut client, &program).await?;
    drop(client);
    await_way(old.pid).await?;
    let client = Client::connect_to_any(socket).await?.ok_or_else(|| context.no_daemon())?;
    let new = client.daemon();
    if !is_us(new.pid).unwrap_or(false) {
        let text = format!(
            "the daemon goes on as locald {} (pid {}): its heart could not become {}",
            new.version,
            new.pid,
            program.display()
        );
        return Err(Error::failed(text).hinted("`locald server logs` shows why"));
    }
    context.out.line(&format!(
        "locald {} (pid {}) → locald {} (pid {})",
        old.version, old.pid, new.version, new.pid
    ))
}

/// The same as a part of something else; false if the daemon refuses, which then goes on as it was.
pub(super) async fn replaced(context: &Context) -> Result<bool, Error> {
    let socket = &context.places.socket;
    let mut client = Client::connect_to_any(socket).await?.ok_or_else(|| context.no_daemon())?;
    let old = client.daemon().pid;
    if ask(&mut client, &program()?).await.is_err() {
        return Ok(false);
    }
    drop(client);
    await_way(old).await?;
    Ok(true)
}

async fn ask(client: &mut Client, program: &Path) -> Result<(), Error> {
    let asked = Upgrade { program: program.to_owned(), formats: keep::formats() };
    client.post::<IgnoredAny>("/v1/upgrade", &asked).await?;
    Ok(())
}

async fn await_way(old: i32) -> Result<(), Error> {
    if await_end(old, END).await {
        return Ok(());
    }
    Err(Error::failed(format!("the daemon (pid {old}) does not make way"))
        .hinted("`locald server logs` shows what it waits for"))
}

/// Where this program is on disk.
fn program() -> Result<PathBuf, Error> {
    let failed = || Error::failed("cannot tell where this program is on disk");
    let path = env::current_exe().map_err(|error| failed().because(error))?;
    match same_file(&path, SELF) {
        Ok(true) => Ok(path),
        Ok(false) => Err(failed().because("its file has been replaced").hinted("try again")),
        Err(error) => Err(failed().because(error)),
    }
}

/// Whether the process runs the file that we run.
fn is_us(pid: i32) -> io::Result<bool> {
    same_file(format!("/proc/{pid}/exe"), SELF)
}

fn same_file(one: impl AsRef<Path>, other: &str) -> io::Result<bool> {
    let (one, other) = (fs::metadata(one)?, fs::metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
