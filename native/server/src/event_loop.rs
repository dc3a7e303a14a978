//! One event loop: a tokio runtime that is driven by whoever calls [`EventLoop::poll`], on one thread.
//!
//! # Invariants
//! - Nothing of the loop runs outside `poll`.
//! - A poll returns when a record waits, when the loop was woken, or when the loop has closed.
//! - No response is withheld for longer than one turn: what `poll` was given goes to the sockets before it waits.
//!
//! # Threads
//! Opened, polled and dropped by one thread; other threads reach it through [`Engine`] only.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hinny_codec::framing::Limits;
use hinny_core::options::Options;
use hinny_core::records;
use hinny_core::slots::Slots;
use hinny_core::time::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::JoinHandle;

use crate::clock::ServerClock;
use crate::connection::{self, Connection};
use crate::date::Date;
use crate::descriptors::AcceptFailure;
use crate::engine::{Engine, LoopOwner, LoopSwitches, Shared};
use crate::exchange::Exchange;
use crate::inbox::Inbox;
use crate::listener::{self, Claim, Listener};
use crate::parse::Parsed;
use crate::route_table::{FileCaches, RouteTable};
use crate::routing::Routes;
use crate::test_faults::{Fault, TestFaults};
use crate::timeouts;
use crate::watched;

/// How long accepting rests after an error that will not go away at once, such as too many open files.
const ACCEPT_PAUSE_MS: u64 = 50;

/// Threads that a loop may have for reading files; they end after ten idle seconds.
const FILE_THREADS: usize = 8;

/// How long the end of a loop waits for them.
const FILE_THREADS_WAIT: Duration = Duration::from_millis(100);

/// How long a connection between two requests may still bring one when a drain has begun.
const GRACE_MS: u64 = 300;

/// How long handshakes that have begun may take to end in a drain, where another server takes the port over.
const HANDSHAKE_WAIT_MS: u64 = 200;

/// Exchanges that a loop may have open without a look at the other loops'.
const RESERVED_EXCHANGES: u64 = 64;

/// How much the fast lane reads at once.
const READ_BUFFER_BYTES: usize = 32 << 10;

/// Spare buffers kept per loop, and the largest of them.
const SPARE_BUFFERS: usize = 256;
const SPARE_BUFFER_BYTES: usize = 64 << 10;

/// What a poll ended with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turn {
    /// The inbox may hold records.
    Open,
    /// The loop has drained; it must be dropped.
    Closed,
}

/// An event loop.
pub struct EventLoop {
    state: Rc<LoopState>,
    accepting: Option<Accepting>,
    /// `None` when the loop has ended.
    runtime: Option<LocalRuntime>,
    _owner: LoopOwner,
}

impl Drop for EventLoop {
    /// Ends the tasks, and waits a moment for the threads that read files: not for one that is stuck in a system call.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(FILE_THREADS_WAIT);
        }
    }
}

impl std::fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLoop").finish_non_exhaustive()
    }
}

/// The listening socket and the task that accepts from it.
struct Accepting {
    listener: Rc<TcpListener>,
    task: JoinHandle<()>,
    claim: Option<Arc<Claim>>,
}

/// What the tasks of one loop share.
pub(crate) struct LoopState {
    pub(crate) options: Options,
    pub(crate) clock: ServerClock,
    /// What a request may measure.
    pub(crate) limits: Limits,
    pub(crate) switches: Arc<LoopSwitches>,
    pub(crate) inbox: RefCell<Inbox>,
    pub(crate) exchanges: RefCell<Slots<Exchange>>,
    pub(crate) connections: RefCell<Slots<Rc<Connection>>>,
    /// Connections that keep responses back because an inline handler will answer their next request in this turn.
    pub(crate) held: RefCell<Vec<Rc<Connection>>>,
    /// Connections that the fast lane has written replies for while the outbox is applied.
    pub(crate) replied: RefCell<Vec<Rc<Connection>>>,
    /// What the fast lane reads into; nothing stays in it.
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    /// Memory for the bodies of requests in chunks; nothing stays in it.
    pub(crate) body_buffer: RefCell<Vec<u8>>,
    /// What was parsed of the request that is being handed over.
    pub(crate) parsed: RefCell<Parsed>,
    pub(crate) shared_routes: Arc<Routes>,
    /// The table that requests are matched with now, and its version.
    pub(crate) routes: RefCell<Option<Arc<RouteTable>>>,
    pub(crate) routes_version: Cell<u32>,
    pub(crate) shortest_route_timeout_ms: Cell<u64>,
    /// What is known of the files of its endpoints.
    pub(crate) file_caches: RefCell<FileCaches>,
    /// Which of its endpoint's files the request that is being handed over is for: what the route leaves of its path.
    pub(crate) file_rest: RefCell<Vec<u8>>,
    pub(crate) date: RefCell<Date>,
    /// The line of the Server field, empty if there is none.
    pub(crate) server_line: Vec<u8>,
    /// What bodies that were collected count, see [`crate::collected`].
    pub(crate) collected_bytes: Cell<u64>,
    /// Buffers that no connection uses now.
    spare_buffers: RefCell<Vec<Vec<u8>>>,
    /// The time at the start of this turn, or at the last sweep in it.
    coarse_ms: Cell<u64>,
    /// Polls so far.
    pub(crate) turn: Cell<u64>,
    pub(crate) draining: Cell<bool>,
    /// In a drain: connections between two requests wait no longer for one.
    pub(crate) grace_passed: Cell<bool>,
    /// Connections that linger.
    pub(crate) lingering: Cell<usize>,
    /// Those of them that a drain does not wait for any longer.
    pub(crate) left_behind: Cell<usize>,
    /// The listening socket is open.
    listening: Cell<bool>,
    pub(crate) all_switches: Arc<[Arc<LoopSwitches>]>,
    pub(crate) shared: Arc<Shared>,
    /// Exchanges that this loop may have open whatever the others have.
    exchange_reserve: u64,
    deadline_passed: Cell<bool>,
    pub(crate) faults: TestFaults,
    waker: Waker,
}

impl LoopState {
    /// Adds a record and ends the poll.
    #[inline]
    pub(crate) fn push_record(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut inbox = self.inbox.borrow_mut();
        if inbox.is_empty() {
            self.waker.wake_by_ref();
        }
        inbox.push(write);
    }

    /// The time: at the start of this turn or at the last sweep in it, so that a request costs no look at the clock; of a clock
    /// that a test turns, now.
    #[inline]
    pub(crate) fn now_ms(&self) -> u64 {
        if self.clock.is_turned() {
            self.clock.now_ms()
        } else {
            self.coarse_ms.get()
        }
    }

    /// Takes the time of the clock, which it returns, for that of this turn.
    pub(crate) fn look_at_clock(&self) -> u64 {
        self.coarse_ms.set(self.clock.now_ms());
        self.coarse_ms.get()
    }

    /// Ends the poll, so that its conditions are looked at.
    pub(crate) fn end_poll(&self) {
        self.waker.wake_by_ref();
    }

    /// Makes something panic; see [`Fault`].
    pub(crate) fn arm_fault(&self, fault: Fault) {
        self.faults.arm(fault);
        self.end_poll();
    }

    /// Whether `:max-connections` allows one more.
    pub(crate) fn may_open_connection(&self) -> bool {
        let open: u64 = self.all_switches.iter().map(|s| s.metrics.connections_open.get()).sum();
        open < self.options.max_connections
    }

    /// Whether `:max-exchanges` allows one more. With a high limit each loop has some in reserve, which others leave to it,
    /// so that it need not look at their counters for every request.
    #[inline]
    pub(crate) fn may_open_exchange(&self) -> bool {
        self.switches.metrics.exchanges_open.get() < self.exchange_reserve || self.may_share_exchanges()
    }

    fn may_share_exchanges(&self) -> bool {
        let others = self.all_switches.len() as u64 - 1;
        let open: u64 = self.all_switches.iter().map(|s| s.metrics.exchanges_open.get()).sum();
        open + self.exchange_reserve * others < self.options.max_exchanges
    }

    /// An empty buffer.
    pub(crate) fn spare_buffer(&self) -> Vec<u8> {
        self.spare_buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a buffer for others to use.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut spares = self.spare_buffers.borrow_mut();
        if (1..=SPARE_BUFFER_BYTES).contains(&buffer.capacity()) && spares.len() < SPARE_BUFFERS {
            buffer.clear();
            spares.push(buffer);
        }
    }

    fn wake_connections(&self) {
        for connection in self.connections.borrow().iter() {
            connection.wake();
        }
    }

    /// Whether a drain waits for a connection, or for the listening socket.
    fn has_more_to_do(&self) -> bool {
        self.listening.get() || self.connections.borrow().len() > self.left_behind.get()
    }
}

impl EventLoop {
    /// Makes loop number `index` of an engine live on the calling thread.
    ///
    /// # Errors
    /// If the loop is open already, the engine is draining, or the system gives no epoll instance.
    pub fn open(engine: &Engine, index: usize) -> io::Result<Self> {
        let all_switches = engine.all_switches();
        let (Some(switches), Some(listener)) = (all_switches.get(index).cloned(), engine.listener(index)) else {
            return Err(io::Error::other("its engine is draining"));
        };
        let Listener { socket, claim } = listener?;
        let owner = switches.own()?;
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .thread_name("hinny-files")
            .max_blocking_threads(FILE_THREADS)
            .build_local(LocalOptions::default())?;
        let waker = runtime.block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
        switches.set_waker(waker.clone());
        let clock = engine.clock().clone();
        let state = Rc::new(LoopState {
            options: engine.options().clone(),
            limits: limits(engine.options()),
            switches,
            inbox: RefCell::default(),
            exchanges: RefCell::default(),
            connections: RefCell::default(),
            held: RefCell::default(),
            replied: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into()),
            body_buffer: RefCell::default(),
            parsed: RefCell::default(),
            shared_routes: engine.routes(),
            routes: RefCell::default(),
            routes_version: Cell::new(0),
            shortest_route_timeout_ms: Cell::new(u64::MAX),
            file_caches: RefCell::default(),
            file_rest: RefCell::default(),
            date: RefCell::new(Date::new()),
            server_line: server_line(engine.options()),
            collected_bytes: Cell::new(0),
            spare_buffers: RefCell::default(),
            coarse_ms: Cell::new(clock.now_ms()),
            clock,
            turn: Cell::new(0),
            draining: Cell::new(false),
            grace_passed: Cell::new(false),
            lingering: Cell::new(0),
            left_behind: Cell::new(0),
            listening: Cell::new(true),
            exchange_reserve: exchange_reserve(engine.options().max_exchanges, all_switches.len()),
            all_switches,
            shared: engine.shared(),
            deadline_passed: Cell::new(false),
            faults: TestFaults::default(),
            waker,
        });
        let accepting = runtime.block_on(async {
            let sweeping = Rc::clone(&state);
            watched::spawn(&state, "the sweep of connections", move || {
                timeouts::sweep(Rc::clone(&sweeping))
            });
            let listener = Rc::new(TcpListener::from_std(socket)?);
            let (accepting, accepted_from) = (Rc::clone(&state), Rc::clone(&listener));
            let task = watched::spawn(&state, "accepting connections", move || {
                accept(Rc::clone(&accepting), Rc::clone(&accepted_from))
            });
            Ok::<_, io::Error>(Accepting { listener, task, claim })
        })?;
        Ok(Self {
            state,
            accepting: Some(accepting),
            runtime: Some(runtime),
            _owner: owner,
        })
    }

    /// Hands over commands, runs the loop, and returns when there is something to do for the caller.
    pub fn poll(&mut self, outbox: Bytes) -> Turn {
        let Self {
            state,
            accepting,
            runtime: Some(runtime),
            ..
        } = self
        else {
            return Turn::Closed;
        };
        state.look_at_clock();
        state.turn.set(state.turn.get() + 1);
        state.adopt_routes();
        let mut outbox = Some(outbox);
        runtime.block_on(poll_fn(|cx| {
            if let Some(outbox) = outbox.take() {
                state.apply(&outbox);
                if state.switches.is_woken() {
                    // The connections write what they were given before this poll returns for the wake.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            state.faults.strike_poll();
            if !state.draining.get()
                && let Some(deadline_ms) = state.switches.drain_deadline_ms()
            {
                drain(state, accepting.take(), deadline_ms);
            }
            if state.draining.get() && (state.deadline_passed.get() || !state.has_more_to_do()) {
                return Poll::Ready(Turn::Closed);
            }
            let woken = state.switches.take_woken();
            if woken && state.switches.take_shed() {
                state.shed_idle();
            }
            if woken || !state.inbox.borrow().is_empty() {
                return Poll::Ready(Turn::Open);
            }
            Poll::Pending
        }))
    }

    /// Gives the waiting records to `copy`; see [`Inbox::take`].
    ///
    /// # Errors
    /// Whatever `copy` returns.
    pub fn take<E>(&self, capacity: usize, copy: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<Option<usize>, E> {
        self.state.inbox.borrow_mut().take(capacity, copy)
    }

    /// Gives the head of the record that did not fit to `copy`; see [`Inbox::first_head`].
    ///
    /// # Errors
    /// Whatever `copy` returns.
    pub fn show_first<E>(&self, copy: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        self.state.inbox.borrow().first_head().map_or(Ok(()), copy)
    }

    /// Forgets the record that did not fit: there is no room for it, and its exchange will be told.
    pub fn drop_first(&self) {
        self.state.inbox.borrow_mut().drop_first();
    }

    /// Where log events of this thread go.
    #[must_use]
    pub fn log_sink(&self) -> LogSink {
        LogSink(Rc::clone(&self.state))
    }
}

/// Takes log events as records, so that they reach the loop's driver in order.
pub struct LogSink(Rc<LoopState>);

impl std::fmt::Debug for LogSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogSink").finish_non_exhaustive()
    }
}

impl LogSink {
    /// Adds an event; level 1 is error, 5 trace. Does nothing while a record is being written.
    pub fn push(&self, level: u8, target: &str, message: &str) {
        if self.0.inbox.try_borrow_mut().is_ok() {
            self.0
                .push_record(|out| records::write_log(out, level, target, message));
        }
    }
}

/// How many exchanges each of so many loops may have open whatever the others have.
const fn exchange_reserve(max_exchanges: u64, loops: usize) -> u64 {
    if max_exchanges >= 16 * RESERVED_EXCHANGES * loops as u64 {
        RESERVED_EXCHANGES
    } else {
        0
    }
}

const fn limits(options: &Options) -> Limits {
    Limits {
        target_bytes: options.max_uri_bytes,
        head_bytes: options.max_head_bytes,
        field_count: options.max_header_count,
    }
}

fn server_line(options: &Options) -> Vec<u8> {
    let Some(server) = &options.server_header else {
        return Vec::new();
    };
    [b"server: ", server.as_bytes(), b"\r\n"].concat()
}

fn drain(state: &Rc<LoopState>, accepting: Option<Accepting>, deadline_ms: u64) {
    state.draining.set(true);
    if let Some(Accepting { listener, task, claim }) = accepting {
        task.abort();
        tokio::task::spawn_local(accept_last(Rc::clone(state), listener, claim));
    }
    state.wake_connections();
    let state = Rc::clone(state);
    tokio::task::spawn_local(async move {
        let grace_ms = GRACE_MS.min(deadline_ms / 4);
        state.clock.sleep_ms(grace_ms).await;
        state.grace_passed.set(true);
        state.wake_connections();
        state.clock.sleep_ms(deadline_ms - grace_ms).await;
        state.deadline_passed.set(true);
        state.end_poll();
    });
}

async fn accept(state: Rc<LoopState>, listener: Rc<TcpListener>) {
    loop {
        let next = listener.accept().await;
        state.faults.strike(Fault::Accept);
        match next {
            Ok((stream, peer)) => accepted(&state, stream, peer),
            Err(error) => {
                let failure = AcceptFailure::of(&error);
                if failure == AcceptFailure::Passing {
                    continue;
                }
                let out_of_descriptors = failure == AcceptFailure::OutOfDescriptors;
                let shed = if out_of_descriptors {
                    state.shed_for_descriptors()
                } else {
                    0
                };
                state.switches.metrics.accept_failures.add(1);
                if let Some(unlogged) = state.shared.accept_failed.event(state.now_ms()) {
                    log::warn!("cannot accept a connection: {error}; {shed} idle ones are closed for it{unlogged}");
                }
                if shed > 0 {
                    // Their tasks run, and end, before the next try.
                    tokio::task::yield_now().await;
                } else {
                    state.clock.sleep_ms(ACCEPT_PAUSE_MS).await;
                }
            }
        }
    }
}

/// Takes the connections that the kernel has completed already, and closes the listening socket; the claim on its port ends after
/// that.
async fn accept_last(state: Rc<LoopState>, listener: Rc<TcpListener>, claim: Option<Arc<Claim>>) {
    if state.options.reuse_port {
        match listener::stop_new(&*listener) {
            Ok(()) => state.clock.sleep_ms(HANDSHAKE_WAIT_MS).await,
            Err(error) => log::warn!("connections may be reset while this server stops: {error}"),
        }
    }
    loop {
        match listener::accept_now(&*listener).and_then(|(stream, peer)| Ok((TcpStream::from_std(stream)?, peer))) {
            Ok((stream, peer)) => accepted(&state, stream, peer),
            Err(error) if AcceptFailure::of(&error) == AcceptFailure::Passing => {}
            Err(_) => break,
        }
    }
    drop(listener);
    drop(claim);
    state.listening.set(false);
    state.end_poll();
}

/// A panic ends this connection and no other.
fn accepted(state: &Rc<LoopState>, stream: TcpStream, peer: SocketAddr) {
    state.switches.metrics.connections_accepted.add(1);
    if catch_unwind(AssertUnwindSafe(|| connection::task::spawn(state, stream, peer))).is_err() {
        state.switches.metrics.panics.add(1);
    }
}
