//! One attempt at a service, and a look around when attempts keep failing.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    actors::context::{Running, ServiceContext},
    core::{
        launch::Check,
        plan::Protocol,
        probe::Input,
        provision::{Access, Product},
    },
    os::{
        census, listeners,
        probe::{self, Unanswered},
        traffic::{Spoken, Target},
    },
    provision::{self, Unready},
};

/// How long a service may be starting before it is suspected of listening elsewhere.
const SUSPICION: Duration = Duration::from_millis(500);

/// Makes one attempt; returns its number with the outcome.
pub(super) async fn run(
    context: Arc<ServiceContext>,
    running: Arc<Running>,
    number: u64,
    timeout: Duration,
) -> (u64, Result<(), String>) {
    let launch = &running.launch;
    let outcome = match (&launch.check, launch.port) {
        (Check::Http { path, status }, Some(port)) => {
            http(&context.board.target, (port, path), status, timeout).await
        }
        (Check::Tcp | Check::Port, Some(port)) => probe::tcp(port, timeout).await,
        (&Check::Answer(product), Some(port)) => {
            answer(&context, &running, product, port, timeout).await
        }
        (Check::Command(argv), _) => {
            probe::command(argv, &launch.env, &launch.workdir, timeout).await
        }
        _ => Err("it has no port".to_owned()),
    };
    (number, outcome)
}

/// Asks by what the proxy would ask by.
async fn http(
    target: &Target,
    (port, path): (u16, &str),
    status: &[u16],
    timeout: Duration,
) -> Result<(), String> {
    let began = Instant::now();
    let host = format!("127.0.0.1:{port}");
    let now = target.now();
    let by_http2 = match now.protocol {
        Protocol::H2c => true,
        Protocol::Http => false,
        Protocol::Auto => target.spoken(now.life) == Spoken::OnlyHttp2,
    };
    if by_http2 {
        return probe::http2(port, path, &host, status, timeout).await;
    }
    match probe::http(port, path, &host, status, timeout).await {
        Err(Unanswered::OnlyHttp2) if now.protocol == Protocol::Auto => {
            target.learn(now.life, Spoken::OnlyHttp2);
            let left = timeout.saturating_sub(began.elapsed());
            probe::http2(port, path, &host, status, left).await
        }
        answer => answer.map_err(|why| why.to_string()),
    }
}

/// Asks a server that locald provides in its own protocol.
async fn answer(
    context: &ServiceContext,
    running: &Running,
    product: Product,
    port: u16,
    timeout: Duration,
) -> Result<(), String> {
    let password = running.launch.password().unwrap_or_default();
    let asking = provision::answers(product, Access { port, password });
    let Ok(answer) = tokio::time::timeout(timeout, asking).await else {
        return Err(format!("no answer within {} s", timeout.as_secs_f64()));
    };
    if let Err(Unready::Busy(why)) = &answer
        && context.board.read(|view| view.hint.as_ref() != Some(why))
    {
        context.board.update(|view| view.hint = Some(why.clone()));
    }
    answer.map_err(|why| why.to_string())
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
