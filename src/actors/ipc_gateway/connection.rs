//! Accepts connections: those of our own user only, a bounded number, each with deadlines.

use std::{io, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::sleep,
};

use super::{Desk, routes};
use crate::os::socket;

/// So many clients at once; more wait in the kernel's queue.
const MOST: usize = 256;
/// A request's head must be there within this time.
const HEAD: Duration = Duration::from_secs(10);
/// The longest request head.
const BUFFER: usize = 64 << 10;
/// The pause after a failure to accept that may pass, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until that is no longer possible; returns why. Its connections end with it.
pub(super) async fn accept(listener: &UnixListener, desk: Arc<Desk>) -> String {
    let slots = Arc::new(Semaphore::new(MOST));
    let router = routes::router(desk.clone());
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return "nobody hands out slots any more".to_owned();
        };
        match listener.accept().await {
            Ok((stream, _)) if socket::is_ours(&stream) => {
                let (router, desk) = (router.clone(), desk.clone());
                connections.spawn(async move {
                    let _counted = Counted::new(&desk);
                    serve(stream, router, &desk).await;
                    drop(slot);
                });
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

async fn serve(stream: UnixStream, router: axum::Router, desk: &Desk) {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut closing = desk.closing.subscribe();
    let told = async { drop(closing.wait_for(|closing| *closing).await) };
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
