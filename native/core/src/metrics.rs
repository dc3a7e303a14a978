//! Counters of one event loop, and their names.
//!
//! # Threads
//! Written by the loop's own thread only, so an increment is a load and a store, not a locked instruction. Read by any
//! thread.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($field:ident = $name:literal, $doc:literal;)+) => {
        /// The counters of one event loop.
        ///
        /// They have cache lines of their own: what other threads write beside them would slow down each request.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct LoopMetrics {
            $(#[doc = $doc] pub $field: Counter,)+
        }

        /// The counters' names, in the order of [`LoopMetrics::values`].
        pub const NAMES: &[&str] = &[$($name),+];

        impl LoopMetrics {
            /// The current values, in the order of [`NAMES`].
            #[must_use]
            pub fn values(&self) -> [u64; NAMES.len()] {
                [$(self.$field.get()),+]
            }
        }
    };
}

counters! {
    connections_accepted = "connections-accepted", "Connections accepted since the start.";
    connections_open = "connections-open", "Connections open now; not those whose end the server has sent.";
    requests = "requests", "Requests handed to a handler since the start.";
    exchanges_open = "exchanges-open", "Exchanges that wait for their response now.";
    core_responses = "core-responses", "Requests that the core answered with something else than an error.";
    errors_answered = "errors-answered", "Requests that the core answered with an error.";
    exchanges_cut = "exchanges-cut", "Exchanges that waited for their response when the time of a drain was over.";
    replies_stale = "replies-stale", "Responses that came for an exchange that was already gone.";
    panics = "panics", "Panics in the core, each of which ended a connection or an exchange at most.";
    accept_failures = "accept-failures", "Failed attempts to accept a connection.";
    loops_reopened = "loops-reopened", "Event loops that failed too often, lost their connections and were opened again.";
}

/// The names of what the workers of a server do, which the JVM side counts, in the order in which it gives the numbers.
pub const WORKER_NAMES: &[&str] = &[
    // Workers that are with a handler, a response or a body now.
    "workers-busy",
    // Those of them that are with a body that is streamed, or a handler whose request's body is.
    "workers-streaming",
    // Those of the busy and not streaming that have been at the same thing for a second or longer.
    "workers-stuck",
    // Exchanges that wait for a worker now.
    "exchanges-queued",
    // Exchanges that were answered 503 since the start because no worker had room for them.
    "exchanges-refused",
];

/// A number with one writer and any number of readers.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the owning thread may call this.
    pub fn add(&self, n: u64) {
        self.0.store(self.get().wrapping_add(n), Ordering::Relaxed);
    }

    /// Subtracts 1. Only the owning thread may call this.
    pub fn decrement(&self) {
        self.0.store(self.get().wrapping_sub(1), Ordering::Relaxed);
    }

    /// Sets it to 0. Only the owning thread may call this.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The current value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_order_of_their_names() {
        let metrics = LoopMetrics::default();
        metrics.requests.add(3);
        metrics.connections_open.add(2);
        metrics.connections_open.decrement();
        let position = |name| NAMES.iter().position(|n| *n == name).unwrap();
        assert_eq!(metrics.values()[position("requests")], 3);
        assert_eq!(metrics.values()[position("connections-open")], 1);
    }
}
