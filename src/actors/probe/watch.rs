//! The task that feeds a life's probe machine with attempts, notifications and time.

use std::{future, pin::Pin, sync::Arc, time::Duration};

use ractor::ActorRef;
use tokio::time::{Instant, sleep_until};

use super::{Msg, attempt};
use crate::{
    actors::{
        board::View,
        context::{Running, ServiceContext},
    },
    core::{
        launch::Check,
        notify::Note,
        plan::{CheckPlan, Kind},
        probe::{Effect, Input, Mode, Probe, Settings},
    },
    os::notify_socket::{self, NotifySocket},
};
use nix::sys::signal::Signal;

type Attempt = Pin<Box<dyn Future<Output = (u64, Result<(), String>)> + Send>>;

/// Watches until the machine has given up on the service, or the task is aborted.
pub(super) async fn watch(
    context: Arc<ServiceContext>,
    running: Arc<Running>,
    probe: ActorRef<Msg>,
) {
    let Some(settings) = settings(&context, &running) else { return };
    let epoch = Instant::now();
    let mut machine = if running.was_ready {
        Probe::ready_already(settings, Duration::ZERO)
    } else {
        Probe::new(settings, Duration::ZERO)
    };
    let mut under_way: Option<Attempt> = None;
    let mut looks = attempt::WrongPort::new(epoch);
    loop {
        let due = machine.next_wake().map(|moment| epoch + moment);
        let input = tokio::select! {
            biased;
            input = ended(&mut under_way) => {
                looks.look_if_due(&context, &running, &input);
                vec![input]
            }
            notes = notes(running.notify.as_ref(), running.child.pid()) => notes,
            () = wait(due) => vec![Input::Tick],
        };
        for input in input {
            let effects = machine.step(epoch.elapsed(), input);
            note_failure(&context, &effects);
            for effect in effects {
                if let Effect::Attempt { number, timeout } = effect {
                    under_way = {
                        let (context, running) = (context.clone(), running.clone());
                        Some(Box::pin(attempt::run(context, running, number, timeout)))
                    };
                } else if !tell(&context, &running, &probe, effect) {
                    return;
                }
            }
        }
    }
}

/// One line for the tree.
pub(super) fn detail(view: &View) -> Option<String> {
    let own = view.status.as_ref().map(|status| format!("says: {status}"));
    view.unhealthy.clone().or_else(|| view.hint.clone()).or(own)
}

fn settings(context: &ServiceContext, running: &Running) -> Option<Settings> {
    let plan = context.project.plan.load();
    let service = plan.service(&context.name)?;
    let mode = match &running.launch.check {
        Check::Http { .. } => Mode::Http,
        Check::Tcp | Check::Answer(_) => Mode::Tcp,
        Check::Command(_) => Mode::Command,
        Check::Notify => Mode::Notify,
        Check::Port => Mode::Port,
        Check::Alive(duration) => Mode::Alive(*duration),
        Check::Exit => Mode::Exit,
    };
    let CheckPlan { interval, timeout, retries, start_period, on_failure_restart, liveness } =
        service.check;
    Some(Settings {
        mode,
        interval,
        timeout,
        retries,
        start_period: start_period.filter(|_| service.kind != Kind::Task),
        on_failure_restart,
        liveness,
        watchdog: service.watchdog,
    })
}

/// Before anything is done to the process: it tells at its end why that was.
fn note_failure(context: &ServiceContext, effects: &[Effect]) {
    let why =
        |effect: &Effect| if let Effect::Fail(why) = effect { Some(why.clone()) } else { None };
    if let Some(why) = effects.iter().find_map(why) {
        context.board.update(|view| view.unfit = Some(why));
    }
}

/// Passes an effect on; false when it was the last.
fn tell(
    context: &ServiceContext,
    running: &Running,
    probe: &ActorRef<Msg>,
    effect: Effect,
) -> bool {
    let say = |status: Option<String>| context.board.update(|view| view.status = status);
    let fact = match effect {
        Effect::Ready => Msg::Ready,
        Effect::Unhealthy(why) => Msg::Unhealthy(why),
        Effect::Healthy => Msg::Healthy,
        Effect::Fail(why) => Msg::Unfit(why),
        Effect::Abort => {
            running.child.signal_group(Signal::SIGABRT);
            return true;
        }
        Effect::Status(text) => {
            say(Some(text).filter(|text| !text.is_empty()));
            return true;
        }
        Effect::MainPid(pid) => {
            if notify_socket::session_of(pid) == Some(running.child.pid()) {
                context.board.update(|view| {
                    if let Some(running) = &mut view.running {
                        running.pid = pid;
                    }
                });
            }
            return true;
        }
        Effect::Stopping => {
            say(Some("stopping".to_owned()));
            return true;
        }
        Effect::Reloading => {
            say(Some("reloading".to_owned()));
            return true;
        }
        Effect::Reloaded => {
            say(None);
            return true;
        }
        Effect::Attempt { .. } => return true,
    };
    let last = matches!(fact, Msg::Unfit(_));
    // The actor is gone only when this task is about to be aborted.
    let _gone = probe.cast(fact);
    !last
}

async fn ended(attempt: &mut Option<Attempt>) -> Input {
    match attempt {
        Some(running) => {
            let (number, outcome) = running.await;
            *attempt = None;
            Input::Attempted { number, outcome }
        }
        None => future::pending().await,
    }
}

/// What the service says next. A datagram's descriptors are closed only when this is called again,
/// after its notes have been acted on: that is what `BARRIER=1` asks for.
async fn notes(socket: Option<&NotifySocket>, session: i32) -> Vec<Input> {
    let Some(socket) = socket else { return future::pending().await };
    loop {
        match socket.recv().await {
            Ok(datagram) if notify_socket::belongs(&datagram, session) => {
                let notes = datagram.notes.into_iter().filter(|note| *note != Note::Barrier);
                return notes.map(Input::Notified).collect();
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot read notifications any more");
                return future::pending().await;
            }
        }
    }
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => future::pending().await,
    }
}
