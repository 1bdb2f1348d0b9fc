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

use super::{accept::most_connections, pool::Pool, settings::Sources};

/// Waiting connections are looked through this often, while there are any.
const SWEEP: Duration = Duration::from_secs(15);

/// One connection in so many may become a tunnel, on each thread: they may last for days, and are to leave
/// room for the rest.
const TUNNELS: usize = 4;

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
    most_tunnels: usize,
}

/// A tunnel, or a request for one, counted.
pub(super) struct Tunnel(Arc<Load>);

/// How much a worker has to do; read by others.
#[derive(Debug, Default)]
pub(super) struct Load {
    connections: AtomicUsize,
    busy: AtomicUsize,
    tunnels: AtomicUsize,
    idle: Notify,
    draining: AtomicBool,
    stop: Notify,
}

/// Something whose end is waited for when all is to end, counted: a request under way, or a connection of
/// HTTP/2 that has not said goodbye.
pub(super) struct Busy {
    load: Arc<Load>,
    /// The count of those on one connection.
    there: Option<Rc<Cell<usize>>>,
}

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
            most_tunnels: most_connections() / TUNNELS,
        }
    }

    /// Waits until all is to come to its end.
    pub(super) fn drained(&self) -> impl Future<Output = ()> + use<> {
        let mut draining = self.draining.clone();
        // Who would say so is there as long as this thread.
        async move { drop(draining.wait_for(|draining| *draining).await) }
    }

    /// A tunnel more, if there is room for it.
    pub(super) fn tunnel(&self) -> Option<Tunnel> {
        (self.load.tunnels.load(Ordering::Relaxed) < self.most_tunnels).then(|| {
            self.load.tunnels.fetch_add(1, Ordering::Relaxed);
            Tunnel(self.load.clone())
        })
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

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Waits until nothing is left whose end is waited for.
    pub(super) async fn is_idle(&self) {
        self.is_without(&self.busy).await;
    }

    /// Waits until no tunnel is left.
    pub(super) async fn has_no_tunnel(&self) {
        self.is_without(&self.tunnels).await;
    }

    async fn is_without(&self, count: &AtomicUsize) {
        loop {
            let idle = self.idle.notified();
            if count.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Busy {
    pub(super) fn new(worker: &Worker) -> Self {
        worker.load.busy.fetch_add(1, Ordering::Relaxed);
        Self { load: worker.load.clone(), there: None }
    }

    /// One of those on a connection, which are counted there as well.
    pub(super) fn there(worker: &Worker, there: &Rc<Cell<usize>>) -> Self {
        there.set(there.get() + 1);
        let mut busy = Self::new(worker);
        busy.there = Some(there.clone());
        busy
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(there) = &self.there {
            there.set(there.get() - 1);
        }
        if self.load.busy.fetch_sub(1, Ordering::Release) == 1 {
            self.load.idle.notify_waiters();
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        if self.0.tunnels.fetch_sub(1, Ordering::Release) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
