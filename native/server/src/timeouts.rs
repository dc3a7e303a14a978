//! How long a connection may take for each of its phases.
//!
//! A phase change stores the loop's coarse time; nothing else happens per request. A sweep of all connections finds
//! those that stay too long. So a timeout comes up to one sweep late, and never early.

use std::rc::Rc;
use std::time::Duration;

use hinny_core::error::Kind;
use hinny_core::options::Options;
use hinny_core::time::Clock;

use crate::event_loop::LoopState;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// The first byte of the first request: `:header-read-timeout-ms`.
    Fresh,
    /// The rest of a request head: `:header-read-timeout-ms`.
    Head,
    /// The rest of a request body: `:body-read-timeout-ms`.
    Body,
    /// The handler: no limit here.
    Handler,
    /// The next request, or the client to take what was sent: `:keep-alive-timeout-ms`.
    Idle,
    /// The client to read our last answer and close: [`LINGER_MS`].
    Linger,
}

/// How long a connection that we end early stays open for the client to read why.
const LINGER_MS: u64 = 2_000;

/// Bounds of the time between two sweeps.
const SWEEP_MIN_MS: u64 = 10;
const SWEEP_MAX_MS: u64 = 1_000;

impl Phase {
    /// How long it may last.
    const fn limit_ms(self, options: &Options) -> Option<u64> {
        match self {
            Self::Fresh | Self::Head => Some(options.header_read_timeout_ms),
            Self::Body => Some(options.body_read_timeout_ms),
            Self::Idle => Some(options.keep_alive_timeout_ms),
            Self::Linger => Some(LINGER_MS),
            Self::Handler => None,
        }
    }

    /// What it means when it lasts longer.
    pub(crate) const fn expiry(self) -> Kind {
        match self {
            Self::Fresh | Self::Idle => Kind::HeadTimeout { started: false },
            Self::Head => Kind::HeadTimeout { started: true },
            Self::Body => Kind::BodyTimeout,
            Self::Handler | Self::Linger => Kind::Disconnected,
        }
    }
}

/// Looks for expired connections until the loop ends.
pub(crate) async fn sweep(state: Rc<LoopState>, clock: impl Clock) {
    let every_ms = sweep_interval_ms(&state.options);
    loop {
        tokio::time::sleep(Duration::from_millis(every_ms)).await;
        let now_ms = clock.now_ms();
        state.now_ms.set(now_ms);
        for connection in state.connections.borrow().iter() {
            let (phase, since_ms) = connection.phase();
            if let Some(limit_ms) = phase.limit_ms(&state.options)
                // `since_ms` may be a sweep old when it was stored.
                && now_ms.saturating_sub(since_ms) >= limit_ms + every_ms
            {
                connection.expire();
            }
        }
    }
}

fn sweep_interval_ms(options: &Options) -> u64 {
    let shortest = options
        .header_read_timeout_ms
        .min(options.body_read_timeout_ms)
        .min(options.keep_alive_timeout_ms);
    (shortest / 4).clamp(SWEEP_MIN_MS, SWEEP_MAX_MS)
}
