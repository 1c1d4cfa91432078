//! The load: clients on real sockets, and the log of what each of them saw.
//!
//! All clients run on the parent's one thread, so a count in the log and the signal have an order:
//! what is logged after [`Log::signalled`] was logged after the signal was sent.
//!
//! | clients | what they do |
//! |---|---|
//! | [`SHORT`] | `/short`, one after the other, keep-alive |
//! | [`WORK`] | `/work`, one after the other, keep-alive |
//! | [`LEAVE_BEFORE`] | `/work`, and close the socket in the middle; [`LEAVES`] times each |
//! | [`LEAVE_AFTER`] | `/work` like the others, but close the socket just after the signal |
//! | [`STREAMS`] | read `/events` |
//! | 1 each | idle keep-alive connection; a header sent by half; `/never` |
//!
//! After the signal the clients finish the request they are in and send no more.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::service::{Route, STEP, STEPS};
use crate::wire::{Conn, Fate};

const SHORT: usize = 8;
const WORK: usize = 24;
const LEAVE_BEFORE: usize = 4;
const LEAVES: usize = 3;
const LEAVE_AFTER: usize = 6;
const STREAMS: usize = 4;
/// How long after its request, or after the signal, a leaving client closes its socket.
const LEAVE: Duration = Duration::from_millis(75);
/// The responses that make the service warm.
const WARM_SHORT: u64 = 1000;
const WARM_WORK: u64 = 3 * WORK as u64;
const WARM_EVENTS: u64 = 10 * STREAMS as u64;

/// What a client saw of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) id: u64,
    pub(crate) route: Route,
    pub(crate) fate: Fate,
}

/// What the clients saw so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    last_id: u64,
    pub(crate) signalled: bool,
    pub(crate) short: u64,
    pub(crate) work: u64,
    pub(crate) events: u64,
    /// Requests of clients that left in the middle.
    pub(crate) left: Vec<u64>,
    /// How many of those left after the signal.
    pub(crate) left_after: u64,
    /// Each request that ended after the signal, or that did not end well.
    pub(crate) seen: Vec<Seen>,
    /// `/never` is in flight, says the service.
    never_began: bool,
}

impl Log {
    /// Whether all kinds of load are on, and each has been answered often enough.
    pub(crate) fn warm(&self) -> bool {
        self.short >= WARM_SHORT
            && self.work >= WARM_WORK
            && self.events >= WARM_EVENTS
            && self.left.len() >= LEAVE_BEFORE * LEAVES
            && self.never_began
    }

    fn saw(&mut self, id: u64, route: Route, fate: Fate) {
        match route {
            Route::Short => self.short += 1,
            Route::Work => self.work += 1,
            _ => {}
        }
        if self.signalled || fate != Fate::Complete {
            self.seen.push(Seen { id, route, fate });
        }
    }
}

/// The clients, and what they share.
#[derive(Debug)]
pub(crate) struct Load {
    shared: Shared,
    clients: JoinSet<io::Result<()>>,
}

#[derive(Clone, Debug)]
struct Shared {
    addr: SocketAddr,
    log: Arc<Mutex<Log>>,
    signal: watch::Sender<bool>,
}

impl Load {
    /// Starts every client.
    pub(crate) fn start(addr: SocketAddr) -> Self {
        let shared = Shared { addr, log: Arc::default(), signal: watch::Sender::new(false) };
        let mut clients = JoinSet::new();
        for _ in 0..SHORT {
            clients.spawn(shared.clone().repeat(Route::Short, None));
        }
        // Spread over one `/work`, so that the signal meets requests at every step of theirs.
        for (count, leave) in [(WORK, None), (LEAVE_AFTER, Some(LEAVE))] {
            for nth in 0..count {
                let client = shared.clone().repeat(Route::Work, leave);
                clients.spawn(after(nth, count, client));
            }
        }
        for _ in 0..LEAVE_BEFORE {
            clients.spawn(shared.clone().leave());
        }
        for _ in 0..STREAMS {
            clients.spawn(shared.clone().once(Route::Events));
        }
        clients.spawn(shared.clone().once(Route::Never));
        clients.spawn(shared.clone().half_a_head());
        clients.spawn(shared.clone().idle());
        Self { shared, clients }
    }

    /// A copy of the log.
    pub(crate) fn log(&self) -> Log {
        self.shared.log().clone()
    }

    /// The signal has been sent: the clients send no more.
    pub(crate) fn signalled(&self) {
        self.shared.log().signalled = true;
        self.shared.signal.send_replace(true);
    }

    /// The server has exited: its sockets are closed, so each client ends.
    pub(crate) async fn end(mut self) -> Log {
        while self.clients.join_next().await.is_some() {}
        self.log()
    }
}

/// Starts the `nth` of `count` clients after its part of the time that a `/work` takes.
async fn after<F: Future>(nth: usize, count: usize, client: F) -> F::Output {
    sleep((STEP * STEPS).mul_f64(nth as f64 / count as f64)).await;
    client.await
}

impl Shared {
    /// A panic elsewhere does not make the log wrong, so poison is ignored.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_id(&self) -> u64 {
        let mut log = self.log();
        log.last_id += 1;
        log.last_id
    }

    async fn after_signal(&self, time: Duration) {
        // The sender is in `self`, so this ends only with the signal.
        let mut signal = self.signal.subscribe();
        let _ = signal.wait_for(|signalled| *signalled).await;
        sleep(time).await;
    }

    /// Sends requests over a kept connection until the signal, then waits for the server to close
    /// it; or leaves `leave` after the signal, if it is in a request then.
    async fn repeat(self, route: Route, leave: Option<Duration>) -> io::Result<()> {
        let mut conn = Conn::open(self.addr).await?;
        while !self.log().signalled {
            if !conn.reusable {
                conn = Conn::open(self.addr).await?;
            }
            let id = self.next_id();
            // A write that fails shows as a response that does not come.
            let _ = conn.send(route, id).await;
            let fate = tokio::select! {
                fate = conn.receive(|| ()) => fate,
                () = self.after_signal(leave.unwrap_or_default()), if leave.is_some() => {
                    let mut log = self.log();
                    log.left.push(id);
                    log.left_after += 1;
                    return Ok(());
                }
            };
            self.log().saw(id, route, fate);
            if !matches!(fate, Fate::Complete | Fate::Refused) {
                conn.reusable = false;
            }
        }
        conn.closed().await;
        Ok(())
    }

    async fn leave(self) -> io::Result<()> {
        for _ in 0..LEAVES {
            let mut conn = Conn::open(self.addr).await?;
            let id = self.next_id();
            conn.send(Route::Work, id).await?;
            sleep(LEAVE).await;
            self.log().left.push(id);
        }
        Ok(())
    }

    async fn once(self, route: Route) -> io::Result<()> {
        let mut conn = Conn::open(self.addr).await?;
        let id = self.next_id();
        conn.send(route, id).await?;
        let fate = conn.receive(|| self.log().events += 1).await;
        self.log().saw(id, route, fate);
        conn.closed().await;
        Ok(())
    }

    async fn half_a_head(self) -> io::Result<()> {
        let mut conn = Conn::open(self.addr).await?;
        conn.send_half_a_head().await?;
        conn.closed().await;
        Ok(())
    }

    /// Asks what is in flight until `/never` is, and then keeps the connection without a request.
    async fn idle(self) -> io::Result<()> {
        let mut conn = Conn::open(self.addr).await?;
        while !self.log().never_began {
            conn.send(Route::Help, self.next_id()).await?;
            conn.receive(|| ()).await;
            let never = format!(" {}=", Route::Never.path());
            if String::from_utf8_lossy(&conn.body).contains(&never) {
                self.log().never_began = true;
            }
            sleep(STEP).await;
        }
        conn.closed().await;
        Ok(())
    }
}
