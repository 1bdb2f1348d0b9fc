//! `locald attach`: a service's own terminal on the person's.

mod screen;

use std::{io, path::Path};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    signal::unix::{Signal, SignalKind, signal},
};

use self::screen::RESET;
use crate::{
    api::control::TerminalSize,
    cli::{
        args,
        client::{Link, Query},
        context::Context,
        error::Error,
        output,
        project::Project,
    },
    core::attach::{Frame as _, Frames, ToClient, ToService},
    os::raw_terminal::{Keys, RawTerminal},
};

/// So much is read at once.
const PORTION: usize = 16 << 10;

/// How a person is attached.
struct Attachment {
    /// The size of their terminal, as the daemon knows it.
    size: Option<TerminalSize>,
    /// The key that detaches.
    detach: u8,
    /// Whether every key comes through.
    raw: bool,
}

/// How it ended.
enum End {
    /// The person wanted it.
    Detached,
    /// Nothing is there any more, and why.
    Over(String),
}

/// Runs the command.
pub async fn run(context: &Context, args: &args::Attach) -> Result<(), Error> {
    to(context, &Project::here()?.dir, args).await
}

/// The same, for a service of the project in `dir`.
pub async fn to(context: &Context, dir: &Path, args: &args::Attach) -> Result<(), Error> {
    let client = context.daemon().await?;
    let size = context.terminal();
    let query = Query::new("/v1/attach")
        .dir(dir)
        .with("service", &args.service)
        .maybe("cols", size.map(|size| size.cols.to_string()))
        .maybe("rows", size.map(|size| size.rows.to_string()));
    let link = client.switch(&query).await?;
    let cannot = |error| Error::failed("cannot use this terminal").because(error);
    if context.out.terminal {
        output::note(&format!("attached to {}; {} detaches", args.service, args.detach_key));
    }
    let raw = RawTerminal::of_stdin().map_err(cannot)?;
    let attachment = Attachment { size, detach: args.detach_key.byte, raw: raw.is_some() };
    let end = talk(context, link, &attachment).await;
    if context.out.terminal {
        // Whatever the service has switched on.
        let _gone = context.out.write(RESET.as_bytes());
    }
    drop(raw);
    match end? {
        End::Detached if context.out.terminal => {
            output::note(&format!("\ndetached; {} goes on running", args.service));
            Ok(())
        }
        End::Detached => Ok(()),
        End::Over(why) => Err(Error::failed(format!("{} is gone", args.service)).because(why)),
    }
}

async fn talk(context: &Context, link: Link, attachment: &Attachment) -> Result<End, Error> {
    let gone = |error: io::Error| Error::no_daemon("the daemon went away").because(error);
    let (mut from, mut to) = tokio::io::split(link);
    let ends = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
    let mut ends = ends.map(|kind| signal(kind).ok());
    let [terminated, hung_up, interrupted] = &mut ends;
    let end = tokio::select! {
        end = show(context, &mut from) => end?,
        typed = pass_on(context, &mut to, attachment) => {
            typed.map_err(gone)?;
            End::Detached
        }
        () = comes(terminated) => End::Detached,
        () = comes(hung_up) => End::Detached,
        () = comes(interrupted) => End::Detached,
    };
    // Keys that were typed before the end arrive.
    let _gone_already = to.shutdown().await;
    Ok(end)
}

/// Sends what the person types, until the key that detaches, or the end.
async fn pass_on(
    context: &Context,
    to: &mut WriteHalf<Link>,
    attachment: &Attachment,
) -> io::Result<()> {
    let Attachment { detach, raw, .. } = *attachment;
    let mut keys = Keys::of_stdin()?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut last = attachment.size;
    loop {
        let typed = tokio::select! {
            typed = keys.next() => Some(typed),
            _ = resized.recv() => None,
        };
        // Looked at before each key as well: who types after a change sees the service know of it.
        let size = context.terminal();
        if size != last
            && let Some(size) = size
        {
            to.write_all(&ToService::Size(size.cols, size.rows).to_bytes()).await?;
        }
        last = size;
        let Some(typed) = typed else { continue };
        let Some(mut typed) = typed else { return Ok(()) };
        let end = typed.iter().position(|&key| raw && key == detach);
        typed.truncate(end.unwrap_or(typed.len()));
        if !typed.is_empty() {
            to.write_all(&ToService::Keys(typed).to_bytes()).await?;
        }
        if end.is_some() {
            return Ok(());
        }
    }
}

/// Shows what the service shows, until there is nothing more to come.
async fn show(context: &Context, from: &mut ReadHalf<Link>) -> Result<End, Error> {
    let gone = |error: io::Error| Error::no_daemon("the daemon went away").because(error);
    let mut frames = Frames::default();
    let mut buffer = vec![0; PORTION];
    loop {
        let count = from.read(&mut buffer).await.map_err(gone)?;
        if count == 0 {
            return Err(Error::no_daemon("the daemon went away"));
        }
        frames.push(&buffer[..count]);
        while let Some(frame) = frames.take().map_err(|error| gone(io::Error::other(error)))? {
            match frame {
                ToClient::Screen { cols, rows, shown } if context.out.terminal => {
                    let here = context
                        .out
                        .size()
                        .map_or(rows, |(_, rows)| u16::try_from(rows).unwrap_or(u16::MAX));
                    context.out.write(&screen::drawn(&shown, cols, rows, here))?;
                }
                ToClient::Screen { .. } => {}
                ToClient::Output(bytes) => context.out.write(&bytes)?,
                ToClient::Notice(text) => output::to_stderr(&format!("\r\n[{text}]\r\n")),
                ToClient::End(why) => return Ok(End::Over(why)),
            }
        }
    }
}

async fn comes(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
