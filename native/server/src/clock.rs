//! The clock of a server: what all its waits are measured with.
//!
//! # Invariants
//! - No other file of this crate waits for a time by itself: `clippy.toml` holds it.
//! - A server without the tests' faults has the system's clock, and a wait is one timer of the runtime.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use hinny_core::options::Options;
use hinny_core::time::{Clock, SystemClock};

/// How often a wait looks whether a test has passed it.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The system's clock, and what a test has added to it.
#[derive(Clone, Debug)]
pub(crate) struct ServerClock {
    system: SystemClock,
    /// Milliseconds that passed for the server only; none outside of tests.
    passed: Option<Arc<AtomicU64>>,
}

impl ServerClock {
    /// A clock that starts at 0 now. A test may turn it if the options arm the tests' faults.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            system: SystemClock::new(),
            passed: options.test_faults.then(Arc::default),
        }
    }

    /// Whether a test may turn it.
    pub(crate) const fn is_turned(&self) -> bool {
        self.passed.is_some()
    }

    /// Lets so much time pass for everything that waits for this clock or a clone of it; whether it may be turned.
    pub(crate) fn pass_ms(&self, ms: u64) -> bool {
        let Some(passed) = &self.passed else {
            return false;
        };
        passed.fetch_add(ms, Ordering::AcqRel);
        true
    }

    /// Waits.
    #[expect(clippy::disallowed_methods, reason = "the one place that waits for a time")]
    pub(crate) async fn sleep_ms(&self, ms: u64) {
        if self.passed.is_none() {
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
        let passed = self.passed.as_ref().map_or(0, |passed| passed.load(Ordering::Acquire));
        self.system.now_ms().saturating_add(passed)
    }
}
