//! The clock of a server: what all its waits are measured with.
//!
//! # Invariants
//! - No other file of this crate waits for a time by itself: `clippy.toml` holds it.
//! - A server whose clock no test turns has the system's, and a wait is one timer of the runtime.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use hinny_core::options::Options;
use hinny_core::time::{Clock, SystemClock};

/// How often a wait looks at a clock that a test turns.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The system's clock, or one that stands still until a test turns it.
#[derive(Clone, Debug)]
pub(crate) struct ServerClock {
    system: SystemClock,
    /// What a test has turned it to, in milliseconds; none outside of tests.
    turned: Option<Arc<AtomicU64>>,
}

impl ServerClock {
    /// A clock that starts at 0 now. A test turns it if the options say so.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            system: SystemClock::new(),
            turned: options.test_clock.then(Arc::default),
        }
    }

    /// Whether it is a test that turns it.
    pub(crate) const fn is_turned(&self) -> bool {
        self.turned.is_some()
    }

    /// Lets so much time pass for everything that waits for this clock or a clone of it; whether it can be turned.
    pub(crate) fn pass_ms(&self, ms: u64) -> bool {
        let Some(turned) = &self.turned else {
            return false;
        };
        turned.fetch_add(ms, Ordering::AcqRel);
        true
    }

    /// Waits.
    #[expect(clippy::disallowed_methods, reason = "the one place that waits for a time")]
    pub(crate) async fn sleep_ms(&self, ms: u64) {
        if !self.is_turned() {
            return tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let end_ms = self.now_ms().saturating_add(ms);
        while self.now_ms() < end_ms {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What `future` gives, `None` if that takes longer.
    pub(crate) async fn within_ms<T>(&self, ms: u64, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut end = pin!(self.sleep_ms(ms));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => end.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}

impl Clock for ServerClock {
    fn now_ms(&self) -> u64 {
        match &self.turned {
            Some(turned) => turned.load(Ordering::Acquire),
            None => self.system.now_ms(),
        }
    }
}
