//! Faults on demand, for the boundary tests: they see that every fence holds.
//!
//! Heeded only with `Options::test_faults`, which no option of a user sets.

use std::cell::Cell;

/// A header field that arms a fault.
pub(crate) const FAULT_HEADER: &str = "x-hinny-fault";

/// Where it panics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// At the next look of the poll.
    Poll,
    /// At each look of the poll from now on.
    EveryPoll,
    /// When the next command of the outbox is applied.
    Command,
    /// When the next connection is accepted.
    Accept,
    /// In the next sweep of connections.
    Sweep,
}

/// The fault that is armed.
#[derive(Debug, Default)]
pub(crate) struct TestFaults(Cell<Option<Fault>>);

impl TestFaults {
    /// The fault that a field's value names.
    pub(crate) fn named(name: &[u8]) -> Option<Fault> {
        match name {
            b"poll" => Some(Fault::Poll),
            b"every-poll" => Some(Fault::EveryPoll),
            b"command" => Some(Fault::Command),
            b"accept" => Some(Fault::Accept),
            b"sweep" => Some(Fault::Sweep),
            _ => None,
        }
    }

    pub(crate) fn arm(&self, fault: Fault) {
        self.0.set(Some(fault));
    }

    pub(crate) fn is_armed(&self, fault: Fault) -> bool {
        self.0.get() == Some(fault)
    }

    /// Panics if the fault is armed. It is not any more then.
    #[inline]
    #[track_caller]
    pub(crate) fn strike(&self, fault: Fault) {
        if self.is_armed(fault) {
            self.0.set(None);
            panic!("test fault: {fault:?}");
        }
    }

    /// Panics in each poll if that is armed.
    #[inline]
    #[track_caller]
    pub(crate) fn strike_poll(&self) {
        match self.0.get() {
            Some(Fault::Poll) => {
                self.0.set(None);
                panic!("test fault: poll");
            }
            Some(Fault::EveryPoll) => panic!("test fault: every poll"),
            _ => {}
        }
    }
}
