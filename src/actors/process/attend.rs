//! Follows a process to its end, by itself or when told, and cleans up behind it.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{launch::Launched, remembrance};
use crate::{
    actors::{
        board::{self, Past},
        context::{Running, ServiceContext},
        service::LONGEST_STOP,
    },
    core::{notify::Note, time::duration_text},
    os::{
        child::{Ending, Survivor},
        clock,
        notify_socket::{self, Datagram},
        oom,
        signals::signal_by_name,
    },
};

/// How long output may be in coming after everything has ended: somebody outside of the session may
/// keep the terminal open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Puts the process on the board.
pub(super) fn announce(context: &ServiceContext, launched: &Launched) {
    let running = &launched.running;
    context.running.store(Some(running.clone()));
    let access = running.launch.access_url();
    context.board.update(|view| {
        view.running = Some(board::Running { pid: running.child.pid(), since: running.since });
        view.survivors.clear();
        view.access = access;
        view.unfit = None;
    });
}

/// Returns when the process, its session and its descendants are gone and their output is stored:
/// how it ended, and when it died or was told to.
pub(super) async fn attend(
    context: &ServiceContext,
    Launched { running, pumps }: Launched,
    told: oneshot::Receiver<()>,
) -> (Ending, Instant) {
    let since = running.since;
    let killed_before = oom::kills();
    let at_first = manner(context);
    let child = &running.child;
    let told = tokio::select! {
        biased;
        _ = child.exited() => false,
        _ = told => true,
        () = complain(context) => false,
    };
    let died = Instant::now();
    // The plan of now, unless it is that plan which takes the service away.
    let (signal, grace) = manner(context).or(at_first).unwrap_or_default();
    let survivors =
        child.clear_until(signal, patience(&running, grace)).await.err().unwrap_or_default();
    futures_util::future::join_all(pumps.into_iter().map(|pump| pump.stop_within(LAST_WORDS)))
        .await;
    let unfit = context.board.read(|view| view.unfit.clone());
    let asked = told && unfit.is_none();
    let ending = if survivors.is_empty() { child.exited().await } else { Ending::Signal(9) };
    context.running.store(None);
    remembrance::forget(context);
    let cause = match ending {
        Ending::Signal(libc::SIGKILL) if !told && unfit.is_none() => {
            Some(board::killer(killed_before, oom::kills()).to_owned())
        }
        Ending::Signal(libc::SIGKILL) if asked && signal != Some(Signal::SIGKILL) => {
            let signal = signal.unwrap_or(Signal::SIGTERM);
            Some(format!("it did not stop within {} of {signal}", duration_text(grace)))
        }
        _ => unfit,
    };
    let (at, ran) = (clock::wall(), since.elapsed());
    let past = Past { how: ending, asked, at, ran, cause };
    let sentence = past.sentence();
    context.board.exited(past);
    name_survivors(context, &survivors);
    let how = if asked { "stopped" } else { "exited" };
    context.event(how, Some(sentence));
    (ending, died)
}

/// The signal that asks the service to stop, and how long it may take; none: it is in no plan.
fn manner(context: &ServiceContext) -> Option<(Option<Signal>, Duration)> {
    let plan = context.project.plan.load();
    let service = plan.service(&context.name)?;
    Some((signal_by_name(service.stop_signal.as_str()), service.stop_timeout))
}

/// Completes when the service has had its time to stop: `grace`, or longer where it asks for more
/// with `EXTEND_TIMEOUT_USEC=` (`sd_notify(3)`). Its probe has ended by now: nobody else reads.
async fn patience(running: &Running, grace: Duration) {
    let latest = Instant::now() + LONGEST_STOP;
    let mut until = latest.min(Instant::now() + grace);
    loop {
        let datagram = tokio::select! {
            biased;
            () = sleep_until(until) => return,
            datagram = heard(running) => datagram,
        };
        if !notify_socket::belongs(&datagram, running.child.pid()) {
            continue;
        }
        for note in &datagram.notes {
            if let Note::ExtendTimeout(more) = note {
                until = until.max(latest.min(Instant::now() + *more));
            }
        }
    }
}

async fn heard(running: &Running) -> Datagram {
    let Some(socket) = &running.notify else { return std::future::pending().await };
    match socket.recv().await {
        Ok(datagram) => datagram,
        Err(error) => {
            tracing::warn!(%error, "cannot read notifications any more");
            std::future::pending().await
        }
    }
}

/// Tells of every trouble with the log, for as long as it is polled.
async fn complain(context: &ServiceContext) {
    let mut troubles = context.sink.troubles();
    loop {
        let trouble = troubles.borrow_and_update().clone();
        if let Some(trouble) = trouble {
            context.event("log-trouble", Some(trouble.to_string()));
        }
        if troubles.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

fn name_survivors(context: &ServiceContext, survivors: &[Survivor]) {
    if survivors.is_empty() {
        return;
    }
    let named: Vec<String> =
        survivors.iter().map(|one| format!("{} ({})", one.pid, one.command)).collect();
    context.event("survived", Some(format!("SIGKILL did not end {}", named.join(", "))));
    context.board.update(|view| view.survivors = named);
}
