//! A server as all threads see it: its options, its listening sockets, and the switches
//! that other threads may turn (wake, drain).

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Waker;

use bytes::Bytes;
use hinny_core::commands::ResponseCommand;
use hinny_core::metrics::LoopMetrics;
use hinny_core::options::{OptionError, Options};

use crate::budget::{Budget, STEP_BYTES, STEP_EXCHANGES};
use crate::clock::ServerClock;
use crate::listener::{self, Listener};
use crate::occasional_log::OccasionalLog;
use crate::route_table::RouteTable;
use crate::routing::Routes;

/// A server.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    clock: ServerClock,
    address: SocketAddr,
    listeners: Mutex<Vec<Listener>>,
    loops: Arc<[Arc<LoopSwitches>]>,
    routes: Arc<Routes>,
    shared: Arc<Shared>,
}

/// What all loops of a server share and none of them touches for a request.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `:max-exchanges`
    pub(crate) exchanges: Arc<Budget>,
    /// `:max-pending-request-bytes`
    pub(crate) request_bytes: Arc<Budget>,
    /// `:max-pending-response-bytes`
    pub(crate) response_bytes: Arc<Budget>,
    pub(crate) bytes_refused: OccasionalLog,
    pub(crate) accept_failed: OccasionalLog,
}

impl Shared {
    fn new(options: &Options) -> Self {
        let loops = options.event_loops;
        // A limit that is not high is exact.
        let is_high = options.max_exchanges >= 16 * STEP_EXCHANGES * loops as u64;
        let exchange_step = if is_high { STEP_EXCHANGES } else { 1 };
        Self {
            exchanges: Budget::new(options.max_exchanges, loops, exchange_step),
            request_bytes: Budget::new(options.max_pending_request_bytes, loops, STEP_BYTES),
            response_bytes: Budget::new(options.max_pending_response_bytes, loops, STEP_BYTES),
            bytes_refused: OccasionalLog::default(),
            accept_failed: OccasionalLog::default(),
        }
    }
}

/// Why a server did not start.
#[derive(Debug)]
pub enum StartError {
    /// An option is wrong.
    Option(OptionError),
    /// The address cannot be listened on.
    Bind {
        /// `:host`
        host: String,
        /// `:port`
        port: u16,
        /// `:reuse-port?`
        shared: bool,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(error) => error.fmt(f),
            Self::Bind {
                host,
                port,
                shared,
                error,
            } if error.kind() == io::ErrorKind::AddrInUse => {
                let by_whom = if *shared {
                    ", by a server that does not share it with :reuse-port?"
                } else {
                    ""
                };
                write!(f, "port {port} on {host} is already in use{by_whom}")
            }
            Self::Bind { host, port, error, .. } => write!(f, "cannot listen on {host} port {port}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Engine {
    /// Binds the sockets. Connections wait in the backlog until the loops are opened.
    ///
    /// # Errors
    /// [`StartError`]; no socket stays bound.
    pub fn start(options: Options) -> Result<Arc<Self>, StartError> {
        let (address, listeners) = listener::bind(&options.host, options.port, options.event_loops, options.reuse_port)
            .map_err(|error| StartError::Bind {
                host: options.host.clone(),
                port: options.port,
                shared: options.reuse_port,
                error,
            })?;
        let loops = (0..options.event_loops).map(|_| Arc::default()).collect();
        let shared = Arc::new(Shared::new(&options));
        Ok(Arc::new(Self {
            clock: ServerClock::new(&options),
            options,
            address,
            listeners: Mutex::new(listeners),
            loops,
            routes: Arc::default(),
            shared,
        }))
    }

    /// Gives the server another route table. Each loop takes it over before its next turn, and says so with a
    /// [`hinny_core::records::SIGNAL_ROUTES`] record with this version, which must be another than the last one's and not 0.
    pub fn set_routes(&self, table: Arc<RouteTable>, version: u32) {
        self.routes.set(table, version);
        for switches in &*self.loops {
            switches.wake();
        }
    }

    /// Gives the response of the endpoints whose source is a reply with this number.
    pub fn set_reply(&self, number: usize, response: ResponseCommand<Bytes>) {
        self.routes.set_reply(number, response);
    }

    /// The port that is listened on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Makes the poll of a loop return soon, from any thread. A wake of a loop that is not polling ends its next poll.
    pub fn wake(&self, index: usize) {
        if let Some(switches) = self.loops.get(index) {
            switches.wake();
        }
    }

    /// Stops accepting; each loop closes when its connections have finished, or after `deadline_ms`.
    pub fn drain(&self, deadline_ms: u64) {
        self.lock_listeners().clear();
        for switches in &*self.loops {
            switches
                .drain_deadline_ms
                .fetch_min(deadline_ms.min(u64::MAX - 1), Ordering::AcqRel);
            switches.wake();
        }
    }

    /// Lets time pass for a server whose clock a test turns; whether it is one.
    #[must_use]
    pub fn pass_time(&self, ms: u64) -> bool {
        self.clock.pass_ms(ms)
    }

    /// The sum of the counters of all loops, in the order of [`hinny_core::metrics::NAMES`].
    #[must_use]
    pub fn metrics(&self) -> Vec<u64> {
        let mut sums = vec![0; hinny_core::metrics::NAMES.len()];
        for switches in &*self.loops {
            for (sum, value) in sums.iter_mut().zip(switches.metrics.values()) {
                *sum += value;
            }
        }
        sums
    }

    pub(crate) const fn options(&self) -> &Options {
        &self.options
    }

    /// The clock of all loops.
    pub(crate) const fn clock(&self) -> &ServerClock {
        &self.clock
    }

    /// Another descriptor of a loop's listening socket, which stays here for when the loop is opened again; `None` in a drain.
    pub(crate) fn listener(&self, index: usize) -> Option<io::Result<Listener>> {
        self.lock_listeners().get(index).map(Listener::try_clone)
    }

    pub(crate) fn routes(&self) -> Arc<Routes> {
        Arc::clone(&self.routes)
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// The switches of all loops.
    pub(crate) fn all_switches(&self) -> Arc<[Arc<LoopSwitches>]> {
        Arc::clone(&self.loops)
    }

    fn lock_listeners(&self) -> std::sync::MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What other threads may do to a loop, and read of it.
#[derive(Debug)]
pub(crate) struct LoopSwitches {
    pub(crate) metrics: LoopMetrics,
    woken: AtomicBool,
    /// Another loop has clients and no descriptors for them.
    shed: AtomicBool,
    owned: AtomicBool,
    was_open: AtomicBool,
    /// The loop's runtime's, once it is open.
    waker: RwLock<Option<Waker>>,
    /// `u64::MAX` until a drain is asked for.
    drain_deadline_ms: AtomicU64,
}

impl Default for LoopSwitches {
    fn default() -> Self {
        Self {
            metrics: LoopMetrics::default(),
            woken: AtomicBool::new(false),
            shed: AtomicBool::new(false),
            owned: AtomicBool::new(false),
            was_open: AtomicBool::new(false),
            waker: RwLock::default(),
            drain_deadline_ms: AtomicU64::new(u64::MAX),
        }
    }
}

/// Who drives a loop; the loop is not open any more when this is dropped.
#[derive(Debug)]
pub(crate) struct LoopOwner(Arc<LoopSwitches>);

impl Drop for LoopOwner {
    fn drop(&mut self) {
        self.0.owned.store(false, Ordering::Release);
    }
}

impl LoopSwitches {
    /// Makes the loop the caller's, as one without connections.
    ///
    /// # Errors
    /// It is somebody's already.
    pub(crate) fn own(self: &Arc<Self>) -> io::Result<LoopOwner> {
        if self.owned.swap(true, Ordering::AcqRel) {
            return Err(io::Error::other("it is open already"));
        }
        let metrics = &self.metrics;
        metrics.connections_open.clear();
        metrics.exchanges_open.clear();
        if self.was_open.swap(true, Ordering::AcqRel) {
            metrics.loops_reopened.add(1);
        }
        Ok(LoopOwner(Arc::clone(self)))
    }

    pub(crate) fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        if let Some(waker) = &*self.waker.read().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }

    /// Whether somebody called [`Self::wake`] since [`Self::take_woken`] was last called.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Relaxed)
    }

    /// [`Self::is_woken`], and forgets it.
    pub(crate) fn take_woken(&self) -> bool {
        self.is_woken() && self.woken.swap(false, Ordering::AcqRel)
    }

    /// Makes the loop close idle connections soon.
    pub(crate) fn ask_to_shed(&self) {
        self.shed.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether somebody has called [`Self::ask_to_shed`] since this was last asked; to be asked when the loop was woken.
    pub(crate) fn take_shed(&self) -> bool {
        self.shed.load(Ordering::Relaxed) && self.shed.swap(false, Ordering::Relaxed)
    }

    /// How long a drain may take, if one was asked for.
    pub(crate) fn drain_deadline_ms(&self) -> Option<u64> {
        let deadline = self.drain_deadline_ms.load(Ordering::Acquire);
        (deadline != u64::MAX).then_some(deadline)
    }

    /// Sets what ends the loop's poll: the same waker for all polls of a runtime.
    pub(crate) fn set_waker(&self, waker: Waker) {
        *self.waker.write().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }
}
