//! Accepts connections: those of our own user only, a bounded number, each with deadlines.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{extract::Request, middleware::map_request};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{UnixListener, UnixStream},
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{Desk, Tenure, routes};
use crate::os::socket;

/// So many clients at once.
const MOST: usize = 256;
/// A request's head must be there within this time.
const HEAD: Duration = Duration::from_secs(10);
/// The longest request head.
const BUFFER: usize = 64 << 10;
/// The pause after a failure to accept that may pass, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until that is no longer possible; returns why. Its connections end with it.
pub(super) async fn accept(listener: &UnixListener, desk: Arc<Desk>) -> String {
    let router = routes::router(desk.clone());
    let mut connections = JoinSet::new();
    let mut guests = Guests::default();
    let mut leaves = std::pin::pin!(leaves(&desk));
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MOST && !guests.send_one_away() {
            connections.join_next().await;
            continue;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut leaves => {
                while connections.join_next().await.is_some() {}
                return std::future::pending().await;
            }
        };
        match accepted {
            Ok((stream, _)) if socket::is_ours(&stream) => {
                let asked = Arc::new(AtomicBool::new(false));
                let noticed = asked.clone();
                let router = router.clone().layer(map_request(move |request: Request| {
                    noticed.store(true, Ordering::Relaxed);
                    std::future::ready(request)
                }));
                let desk = desk.clone();
                let connection = connections.spawn(async move {
                    // Sent away while the daemon ends, it would come again at once: it is answered
                    // for as long as there is somebody to do so, and not waited for.
                    let is_late = *desk.closing.borrow();
                    let _counted = (!is_late).then(|| Counted::new(&desk));
                    serve(stream, router, &desk, is_late).await;
                });
                guests.welcome(connection, asked);
            }
            Ok(_) => tracing::warn!("refused a client of another user"),
            Err(error) if passes(&error) => {
                tracing::warn!(%error, "cannot accept a client");
                sleep(PAUSE).await;
            }
            Err(error) => return format!("cannot accept clients: {error}"),
        }
    }
}

/// Who is connected, the oldest first.
#[derive(Default)]
struct Guests(VecDeque<(AbortHandle, Arc<AtomicBool>)>);

impl Guests {
    fn welcome(&mut self, connection: AbortHandle, asked: Arc<AtomicBool>) {
        if self.0.len() >= MOST {
            self.0.retain(|(connection, _)| !connection.is_finished());
        }
        self.0.push_back((connection, asked));
    }

    /// Ends the oldest connection on which nothing was ever asked: whoever only keeps the door open
    /// makes room for others. False if there is none.
    fn send_one_away(&mut self) -> bool {
        let idle = |(connection, asked): &(AbortHandle, Arc<AtomicBool>)| {
            !connection.is_finished() && !asked.load(Ordering::Relaxed)
        };
        let Some(at) = self.0.iter().position(idle) else { return false };
        if let Some((connection, _)) = self.0.remove(at) {
            connection.abort();
        }
        true
    }
}

async fn serve(stream: UnixStream, router: axum::Router, desk: &Desk, is_late: bool) {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut closing = desk.closing.subscribe();
    let told = async {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing), if !is_late => {}
            () = leaves(desk) => {}
        }
    };
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a client's connection ended badly");
    }
}

/// Completes when who comes now is for the next daemon.
async fn leaves(desk: &Desk) {
    let mut tenure = desk.tenure.subscribe();
    // The sender lives as long as the daemon.
    drop(tenure.wait_for(|tenure| *tenure == Tenure::Leaves).await);
}

/// Counts a connection down when it ends, however it does.
struct Counted<'a>(&'a Desk);

impl<'a> Counted<'a> {
    fn new(desk: &'a Desk) -> Self {
        desk.connections.send_modify(|open| *open += 1);
        Self(desk)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.connections.send_modify(|open| *open -= 1);
    }
}

/// Whether accepting may work again later.
fn passes(error: &io::Error) -> bool {
    use nix::libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    let transient = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    );
    transient || matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS | ENOMEM))
}
