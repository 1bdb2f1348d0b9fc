//! What the connections on one thread share.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::spawn_local,
    time::sleep,
};

use super::{pool::Pool, settings::Sources};

/// Waiting connections are looked through this often, while there are any.
const SWEEP: Duration = Duration::from_secs(15);

/// What the connections on one thread share.
pub(super) struct Worker {
    pub(super) sources: Sources,
    pub(super) tls: Arc<rustls::ServerConfig>,
    pool: RefCell<Pool>,
    sweeping: Cell<bool>,
    pub(super) load: Arc<Load>,
    /// Turns true when all is to come to its end.
    pub(super) draining: watch::Receiver<bool>,
    pub(super) greetings: super::greet::Greetings,
}

/// How much a worker has to do; read by others.
#[derive(Debug, Default)]
pub(super) struct Load {
    connections: AtomicUsize,
    busy: AtomicUsize,
    idle: Notify,
    draining: AtomicBool,
    stop: Notify,
}

/// A request under way, counted.
pub(super) struct Busy(Arc<Load>);

/// A connection, counted.
pub(super) struct Connection(Arc<Load>);

impl Worker {
    pub(super) fn new(
        sources: Sources,
        tls: Arc<rustls::ServerConfig>,
        load: Arc<Load>,
        draining: watch::Receiver<bool>,
    ) -> Self {
        Self {
            sources,
            tls,
            pool: RefCell::default(),
            sweeping: Cell::new(false),
            load,
            draining,
            greetings: super::greet::Greetings::default(),
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.load.draining.load(Ordering::Relaxed)
    }

    pub(super) fn with_pool<T>(&self, act: impl FnOnce(&mut Pool) -> T) -> T {
        act(&mut self.pool.borrow_mut())
    }

    /// Sees to it that waiting connections do not wait for ever.
    pub(super) fn ensure_sweep(self: &Rc<Self>) {
        if self.sweeping.replace(true) {
            return;
        }
        let worker = self.clone();
        spawn_local(async move {
            while worker.with_pool(|pool| !pool.is_empty()) {
                sleep(SWEEP).await;
                worker.with_pool(Pool::sweep);
            }
            worker.sweeping.set(false);
        });
    }
}

impl Load {
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// A connection more.
    pub(super) fn admit(self: &Arc<Self>) -> Connection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connection(self.clone())
    }

    /// From now on each connection ends with its request.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        self.stop.notify_one();
    }

    pub(super) async fn stopped(&self) {
        self.stop.notified().await;
    }

    /// Waits until no request is under way.
    pub(super) async fn is_idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.busy.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Busy {
    pub(super) fn new(worker: &Worker) -> Self {
        worker.load.busy.fetch_add(1, Ordering::Relaxed);
        Self(worker.load.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, Ordering::Release) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
