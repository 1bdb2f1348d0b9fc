//! Follows a process to its end, by itself or when told, and cleans up behind it.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::launch::Launched;
use crate::{
    actors::{
        board::{self, Past},
        context::{Running, ServiceContext},
        service::LONGEST_STOP,
    },
    core::notify::Note,
    os::{
        child::{Ending, Survivor},
        clock,
        notify_socket::{self, Datagram},
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
    context.board.update(|view| {
        view.running = Some(board::Running { pid: running.child.pid(), since: Instant::now() });
        view.survivors.clear();
    });
}

/// Returns when the process, its session and its descendants are gone and their output is stored:
/// how it ended, and when it died or was told to.
pub(super) async fn attend(
    context: &ServiceContext,
    Launched { running, pumps }: Launched,
    told: oneshot::Receiver<()>,
) -> (Ending, Instant) {
    let since = Instant::now();
    let at_first = manner(context);
    let child = &running.child;
    let asked = tokio::select! {
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
    let ending = if survivors.is_empty() { child.exited().await } else { Ending::Signal(9) };
    context.running.store(None);
    context.board.exited(Past {
        how: ending,
        asked,
        at: clock::wall(),
        ran: since.elapsed(),
        cause: None,
    });
    name_survivors(context, &survivors);
    let how = if asked { "stopped" } else { "exited" };
    context.event(how, Some(board::ending_sentence(ending, asked)));
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
