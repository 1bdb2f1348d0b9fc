//! One attempt at a service, and a look around when attempts keep failing.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    actors::context::{Running, ServiceContext},
    core::{launch::Check, probe::Input},
    os::{census, listeners, probe},
};

/// How long a service may be starting before it is suspected of listening elsewhere.
const SUSPICION: Duration = Duration::from_millis(500);

/// Makes one attempt; returns its number with the outcome.
pub(super) async fn run(
    running: Arc<Running>,
    number: u64,
    timeout: Duration,
) -> (u64, Result<(), String>) {
    let launch = &running.launch;
    let outcome = match (&launch.check, launch.port) {
        (Check::Http { path, status }, Some(port)) => {
            probe::http(port, path, &format!("127.0.0.1:{port}"), status, timeout).await
        }
        (Check::Tcp | Check::Port, Some(port)) => probe::tcp(port, timeout).await,
        (Check::Command(argv), _) => {
            probe::command(argv, &launch.env, &launch.workdir, timeout).await
        }
        _ => Err("it has no port".to_owned()),
    };
    (number, outcome)
}

/// Finds out services that listen on another port than theirs. Looks rarely, since a look reads the
/// tables of all sockets: after half a second, then at intervals that double.
pub(super) struct WrongPort {
    next: Instant,
    pause: Duration,
}

impl WrongPort {
    /// For a service that was started now.
    pub(super) fn new(now: Instant) -> Self {
        Self { next: now + SUSPICION, pause: SUSPICION }
    }

    /// Looks, in a task of its own, if an attempt has failed and the time has come.
    pub(super) fn look_if_due(
        &mut self,
        context: &Arc<ServiceContext>,
        running: &Arc<Running>,
        input: &Input,
    ) {
        let failed = matches!(input, Input::Attempted { outcome: Err(_), .. });
        let now = Instant::now();
        if !failed || now < self.next {
            return;
        }
        self.pause *= 2;
        self.next = now + self.pause;
        tokio::spawn(look(context.clone(), running.clone()));
    }
}

async fn look(context: Arc<ServiceContext>, running: Arc<Running>) {
    let Some(port) = running.launch.port else { return };
    let members = census::members(running.child.pid(), None).await;
    let listening = tokio::task::spawn_blocking(move || {
        listeners::listening_ports(members.into_iter().map(|member| member.pid))
    });
    let Ok(ports) = listening.await else { return };
    if ports.contains(&port) || ports.is_empty() {
        return;
    }
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let hint = format!("listens on {}, expected $PORT={port}", ports.join(" and "));
    context.board.update(|view| {
        if view.running.is_some_and(|now| now.pid == running.child.pid()) {
            view.hint = Some(hint);
        }
    });
}
