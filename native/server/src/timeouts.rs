//! How long a connection may take for each of its phases.
//!
//! A phase change stores the loop's coarse time; nothing else happens per request. A sweep of all connections finds
//! those that stay too long. So a timeout comes up to one sweep late, and never early.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use hinny_core::error::Kind;
use hinny_core::options::{Options, RouteOptions};

use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::test_faults::Fault;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// The first byte of the first request: `:header-read-timeout-ms`.
    Fresh,
    /// The rest of a request head: `:header-read-timeout-ms`.
    Head,
    /// The rest of a request body: `:body-read-timeout-ms`.
    Body,
    /// The handler to answer: `:handler-timeout-ms`.
    Handler,
    /// The rest of a response that the handler sends as it likes: no limit.
    Response,
    /// The next request: `:keep-alive-timeout-ms`, while nothing waits to be written.
    Idle,
    /// The client to read our last response and close, or to send more: [`LINGER_MS`].
    Linger,
}

/// What a route says of the times that its requests may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTimeouts {
    pub(crate) body_read_ms: u64,
    /// [`u64::MAX`] for none.
    pub(crate) handler_ms: u64,
}

impl From<&RouteOptions> for RequestTimeouts {
    fn from(options: &RouteOptions) -> Self {
        Self {
            body_read_ms: options.body_read_timeout_ms,
            handler_ms: options.handler_timeout_ms.unwrap_or(u64::MAX),
        }
    }
}

/// How long a connection that we end lingers for a client that neither sends anything nor ends its side.
const LINGER_MS: u64 = 5_000;

/// Bounds of the time between two sweeps.
const SWEEP_MIN_MS: u64 = 10;
const SWEEP_MAX_MS: u64 = 1_000;

impl Phase {
    /// How long it may last. `request` holds for the current request.
    const fn limit_ms(self, options: &Options, request: &RequestTimeouts) -> Option<u64> {
        match self {
            Self::Fresh | Self::Head => Some(options.header_read_timeout_ms),
            Self::Body => Some(request.body_read_ms),
            Self::Idle => Some(options.keep_alive_timeout_ms),
            Self::Linger => Some(LINGER_MS),
            Self::Handler => Some(request.handler_ms),
            Self::Response => None,
        }
    }

    /// What it means when it lasts longer.
    pub(crate) const fn expiry(self) -> Kind {
        match self {
            Self::Fresh | Self::Idle => Kind::HeadTimeout { started: false },
            Self::Head => Kind::HeadTimeout { started: true },
            Self::Body => Kind::BodyTimeout,
            Self::Handler => Kind::HandlerTimeout,
            Self::Response | Self::Linger => Kind::Disconnected,
        }
    }
}

/// Looks for expired connections until the loop ends.
pub(crate) async fn sweep(state: Rc<LoopState>) {
    loop {
        let every_ms = sweep_interval_ms(&state);
        state.clock.sleep_ms(every_ms).await;
        state.faults.strike(Fault::Sweep);
        let now_ms = state.look_at_clock();
        for connection in state.connections.borrow().iter() {
            if catch_unwind(AssertUnwindSafe(|| look(connection, now_ms, every_ms))).is_err() {
                // Those behind it are looked at all the same.
                state.switches.metrics.panics.add(1);
                connection.cut();
            }
        }
    }
}

/// Ends what lasts too long. A stored time may be a sweep old when it was stored, hence the allowance.
fn look(connection: &Connection, now_ms: u64, every_ms: u64) {
    let options = &connection.state.options;
    let blocked_ms = connection.blocked_ms(now_ms);
    if blocked_ms.is_some_and(|ms| ms >= options.response_write_timeout_ms + every_ms) {
        return connection.cut();
    }
    if connection.body_rate.is_too_slow(now_ms, every_ms) {
        return connection.end_slow_body();
    }
    if let Some((since_ms, most_ms)) = connection.body_wait()
        && now_ms.saturating_sub(since_ms) >= most_ms.saturating_add(every_ms)
    {
        connection.expire_body();
    }
    let (phase, since_ms) = connection.phase();
    if phase == Phase::Idle && blocked_ms.is_some() {
        return;
    }
    if let Some(limit_ms) = phase.limit_ms(options, &connection.request_timeouts.get())
        && now_ms.saturating_sub(since_ms) >= limit_ms.saturating_add(every_ms)
    {
        connection.expire();
    }
}

fn sweep_interval_ms(state: &LoopState) -> u64 {
    let options = &state.options;
    let shortest = options
        .header_read_timeout_ms
        .min(options.route.body_read_timeout_ms)
        .min(options.body_rate_grace_ms)
        .min(options.keep_alive_timeout_ms)
        .min(options.response_write_timeout_ms)
        .min(options.route.handler_timeout_ms.unwrap_or(u64::MAX))
        .min(state.shortest_route_timeout_ms.get());
    (shortest / 4).clamp(SWEEP_MIN_MS, SWEEP_MAX_MS)
}
