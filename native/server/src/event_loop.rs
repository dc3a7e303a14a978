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
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hinny_core::commands::{Command, Commands};
use hinny_core::options::Options;
use hinny_core::records;
use hinny_core::slots::Slots;
use hinny_core::time::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::JoinHandle;

use crate::connection::{self, Connection};
use crate::engine::{Engine, LoopSwitches};
use crate::exchange::{Reply, Waiting};
use crate::inbox::Inbox;
use crate::timeouts;

/// How long accepting rests after an error that will not go away at once, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
    accepting: Option<JoinHandle<()>>,
    runtime: LocalRuntime,
    clock: SystemClock,
}

impl std::fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLoop").finish_non_exhaustive()
    }
}

/// What the tasks of one loop share.
pub(crate) struct LoopState {
    pub(crate) options: Options,
    pub(crate) switches: Arc<LoopSwitches>,
    pub(crate) inbox: RefCell<Inbox>,
    pub(crate) exchanges: RefCell<Slots<Waiting>>,
    pub(crate) connections: RefCell<Slots<Rc<Connection>>>,
    /// Connections that keep responses back because an inline handler will answer their next request in this turn.
    pub(crate) held: RefCell<Vec<Rc<Connection>>>,
    /// Write buffers that no connection uses now.
    pub(crate) spare_buffers: RefCell<Vec<Vec<u8>>>,
    /// The time at the start of this turn.
    pub(crate) now_ms: Cell<u64>,
    pub(crate) draining: Cell<bool>,
    deadline_passed: Cell<bool>,
    poll_fault: Cell<bool>,
    waker: Waker,
}

impl LoopState {
    /// Adds a record and ends the poll.
    pub(crate) fn push_record(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut inbox = self.inbox.borrow_mut();
        if inbox.is_empty() {
            self.waker.wake_by_ref();
        }
        inbox.push(write);
    }

    /// Ends the poll, so that its conditions are looked at.
    pub(crate) fn end_poll(&self) {
        self.waker.wake_by_ref();
    }

    /// Makes the next look of the poll panic: the boundary tests see that the fence holds.
    pub(crate) fn arm_poll_fault(&self) {
        self.poll_fault.set(true);
        self.end_poll();
    }

    fn apply(&self, outbox: Bytes) {
        for command in Commands::new(outbox) {
            match command {
                Ok(Command::Response(exchange, response)) => self.deliver(exchange, Reply::Response(response)),
                Ok(Command::Fail(exchange, kind)) => self.deliver(exchange, Reply::Fail(kind)),
                Err(broken) => log::error!("outbox does not decode at byte {}", broken.offset),
            }
        }
        for connection in self.held.borrow_mut().drain(..) {
            connection.release();
        }
    }
}

impl EventLoop {
    /// Makes loop number `index` of an engine live on the calling thread.
    ///
    /// # Errors
    /// If the loop is open already, or the system gives no epoll instance.
    pub fn open(engine: &Engine, index: usize) -> io::Result<Self> {
        let (Some(switches), Some(listener)) = (engine.switches(index), engine.take_listener(index)) else {
            return Err(io::Error::other(
                "event loop is open already, or its engine is draining",
            ));
        };
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build_local(LocalOptions::default())?;
        let waker = runtime.block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
        switches.set_waker(&waker);
        let clock = SystemClock::new();
        let state = Rc::new(LoopState {
            options: engine.options().clone(),
            switches,
            inbox: RefCell::default(),
            exchanges: RefCell::default(),
            connections: RefCell::default(),
            held: RefCell::default(),
            spare_buffers: RefCell::default(),
            now_ms: Cell::new(clock.now_ms()),
            draining: Cell::new(false),
            deadline_passed: Cell::new(false),
            poll_fault: Cell::new(false),
            waker,
        });
        let accepting = runtime.block_on(async {
            tokio::task::spawn_local(timeouts::sweep(Rc::clone(&state), clock));
            let listener = TcpListener::from_std(listener)?;
            Ok::<_, io::Error>(tokio::task::spawn_local(accept(Rc::clone(&state), listener)))
        })?;
        Ok(Self {
            state,
            accepting: Some(accepting),
            runtime,
            clock,
        })
    }

    /// Hands over commands, runs the loop, and returns when there is something to do for the caller.
    pub fn poll(&mut self, outbox: Bytes) -> Turn {
        let Self {
            state,
            accepting,
            runtime,
            clock,
        } = self;
        state.now_ms.set(clock.now_ms());
        let mut outbox = Some(outbox);
        runtime.block_on(poll_fn(|cx| {
            if let Some(outbox) = outbox.take() {
                state.apply(outbox);
                if state.switches.is_woken() {
                    // The connections write what they were given before this poll returns for the wake.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            if state.poll_fault.take() {
                panic!("test fault: poll");
            }
            if !state.draining.get()
                && let Some(deadline_ms) = state.switches.drain_deadline_ms()
            {
                drain(state, accepting.take(), deadline_ms);
            }
            if state.draining.get() && (state.connections.borrow().is_empty() || state.deadline_passed.get()) {
                return Poll::Ready(Turn::Closed);
            }
            if state.switches.take_woken() || !state.inbox.borrow().is_empty() {
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

fn drain(state: &Rc<LoopState>, accepting: Option<JoinHandle<()>>, deadline_ms: u64) {
    state.draining.set(true);
    if let Some(accepting) = accepting {
        accepting.abort();
    }
    for connection in state.connections.borrow().iter() {
        connection.wake();
    }
    let state = Rc::clone(state);
    tokio::task::spawn_local(async move {
        tokio::time::sleep(Duration::from_millis(deadline_ms)).await;
        state.deadline_passed.set(true);
        state.end_poll();
    });
}

async fn accept(state: Rc<LoopState>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                state.switches.metrics.connections_accepted.add(1);
                connection::spawn(&state, stream, peer);
            }
            Err(error) if is_peer_gone(&error) => {}
            Err(error) => {
                state.switches.metrics.accept_failures.add(1);
                log::warn!("cannot accept a connection, next try in {ACCEPT_PAUSE:?}: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A client that left between its SYN and our accept is no trouble of ours.
fn is_peer_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
