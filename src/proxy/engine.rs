//! The threads of the proxy. A connection lives on one of them, with the connections to services
//! that it uses: nothing is shared on the way.

use std::{
    cell::Cell,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    rc::Rc,
    sync::{Arc, mpsc as std_mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{mpsc, oneshot, watch},
    task::spawn_local,
    time::{Instant, sleep, timeout},
};

use super::{
    accept::{Kind, accept, most_connections},
    connection,
    settings::Sources,
    tls,
    worker::{self, Busy, Load, Worker},
};

/// More threads do not help one developer.
const THREADS: usize = 2;
/// New connections that wait for a thread.
const QUEUE: usize = 1024;
/// How long a connection that was taken last may take to say what it wants.
const SILENCE: Duration = Duration::from_millis(500);
/// How often is looked whether it has.
const LOOK: Duration = Duration::from_millis(5);

/// The running data path. Dropping it ends all connections; see [`Self::drain`].
#[derive(Debug)]
pub struct Engine {
    crew: Arc<[Hand]>,
    draining: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// A listener in use, until it is dropped. The socket itself is the lender's.
#[derive(Debug)]
pub struct Listening {
    _stop: oneshot::Sender<()>,
}

/// All threads, as an accept loop sees them.
pub(super) struct Crew {
    hands: Arc<[Hand]>,
    most: usize,
    next: Cell<usize>,
}

/// One thread, from outside.
#[derive(Debug)]
struct Hand {
    orders: mpsc::Sender<Order>,
    load: Arc<Load>,
}

enum Order {
    Serve(TcpStream, SocketAddr, Kind, worker::Connection),
    Listen(TcpListener, Kind, Arc<[Hand]>, oneshot::Receiver<()>),
}

impl Engine {
    /// Starts the threads.
    pub fn start(sources: &Sources) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let tls = tls::config(&sources.leaves).map_err(io::Error::other)?;
        let (draining, drain) = watch::channel(false);
        let (mut hands, mut threads) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (orders, inbox) = mpsc::channel(QUEUE);
            let load = Arc::<Load>::default();
            let make = {
                let (sources, tls, load, drain) =
                    (sources.clone(), tls.clone(), load.clone(), drain.clone());
                move || Worker::new(sources, tls, load, drain)
            };
            let (tell, told) = std_mpsc::sync_channel(1);
            let name = format!("proxy-{number}");
            let thread =
                thread::Builder::new().name(name).spawn(move || work(inbox, make, &tell))?;
            threads.push(thread);
            told.recv().map_err(io::Error::other)??;
            hands.push(Hand { orders, load });
        }
        Ok(Self { crew: hands.into(), draining, threads })
    }

    /// Takes connections from a listener that somebody else owns.
    pub fn listen(&self, listener: &TcpListener, kind: Kind) -> io::Result<Listening> {
        let listener = listener.try_clone()?;
        listener.set_nonblocking(true)?;
        let (stop, stopped) = oneshot::channel();
        let order = Order::Listen(listener, kind, self.crew.clone(), stopped);
        let first = self.crew.first().ok_or(io::ErrorKind::NotConnected)?;
        first.orders.try_send(order).map_err(|_| io::ErrorKind::WouldBlock)?;
        Ok(Listening { _stop: stop })
    }

    /// How many connections of clients there are.
    pub fn connections(&self) -> usize {
        self.crew.iter().map(|hand| hand.load.connections()).sum()
    }

    /// Takes no more connections and lets the requests under way end, for at most `limit`; whether they
    /// have. Dropping the engine then ends all connections.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.crew.iter().for_each(|hand| hand.load.drain());
        self.draining.send_replace(true);
        let idle = async {
            for hand in &*self.crew {
                hand.load.is_idle().await;
            }
        };
        timeout(limit, idle).await.is_ok()
    }

    /// As [`Self::drain`], where another one takes the connections from now on that wait, and nobody is to
    /// notice. Tunnels may end as well, for at most `limit`, during which all goes on; then requests.
    pub async fn make_way(&self, limit: Duration) -> bool {
        let tunnels = async {
            for hand in &*self.crew {
                hand.load.has_no_tunnel().await;
            }
        };
        let all_ended = timeout(limit, tunnels).await.is_ok();
        let since = Instant::now();
        let drained = self.drain(limit).await;
        let taken_last = async {
            while self.connections() > 0 {
                sleep(LOOK).await;
            }
        };
        // Others are only kept open, by browsers that may want something later.
        let _silent = timeout(SILENCE, taken_last).await;
        let left = limit.saturating_sub(since.elapsed());
        drained && self.drain(left).await && all_ended
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for hand in &*self.crew {
            hand.load.stop();
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself.
            thread.join().ok();
        }
    }
}

fn work(
    mut inbox: mpsc::Receiver<Order>,
    make: impl FnOnce() -> Worker,
    started: &std_mpsc::SyncSender<io::Result<()>>,
) {
    let built = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let (runtime, result) = match built {
        Ok(runtime) => (Some(runtime), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // Who started us waits for this.
    started.send(result).ok();
    let Some(runtime) = runtime else { return };
    runtime.block_on(async {
        let worker = Rc::new(make());
        let load = worker.load.clone();
        let obey = async {
            while let Some(order) = inbox.recv().await {
                match order {
                    Order::Serve(stream, peer, kind, counted) => {
                        let Ok(stream) = tokio::net::TcpStream::from_std(stream) else { continue };
                        let served = connection::serve(stream, peer, kind, worker.clone());
                        spawn_local(async move {
                            served.await;
                            drop(counted);
                        });
                    }
                    Order::Listen(listener, kind, hands, stopped) => {
                        let busy = Busy::new(&worker);
                        listen(listener, kind, hands, stopped, (worker.drained(), busy));
                    }
                }
            }
        };
        tokio::select! {
            () = load.stopped() => {}
            () = obey => {}
        }
    });
}

fn listen(
    listener: TcpListener,
    kind: Kind,
    hands: Arc<[Hand]>,
    stopped: oneshot::Receiver<()>,
    (drained, busy): (impl Future<Output = ()> + 'static, Busy),
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let crew = Rc::new(Crew { hands, most: most_connections(), next: Cell::new(0) });
    spawn_local(async move {
        tokio::select! {
            () = accept(listener, kind, crew) => {}
            _ = stopped => {}
            () = drained => {}
        }
        // What was taken is counted by now: nobody may think before that that nothing is left.
        drop(busy);
    });
}

impl Crew {
    /// Whether there is no room for another connection.
    pub(super) fn is_full(&self) -> bool {
        self.hands.iter().map(|hand| hand.load.connections()).sum::<usize>() >= self.most
    }

    /// Gives a connection to the thread with the fewest.
    pub(super) fn deal(&self, stream: TcpStream, peer: SocketAddr, kind: Kind) {
        let first = self.next.get() % self.hands.len();
        self.next.set(first + 1);
        let (ahead, behind) = self.hands.split_at(first);
        let Some(hand) = behind.iter().chain(ahead).min_by_key(|hand| hand.load.connections())
        else {
            return;
        };
        let order = Order::Serve(stream, peer, kind, hand.load.admit());
        // A full queue: the thread is hopelessly behind, and one more would not help it.
        hand.orders.try_send(order).ok();
    }
}
