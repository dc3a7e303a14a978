//! What a failed accept means, and what is given up for a new client when there are no descriptors left.
//!
//! # Invariants
//! - Only connections that have no request are shed, those first that have waited longest.
//!
//! # Threads
//! The loop's own; a loop that has nothing to give up asks the others (`LoopSwitches::ask_to_shed`).

use std::io;
use std::rc::Rc;

use rustix::io::Errno;

use crate::connection::Connection;
use crate::event_loop::LoopState;
use crate::timeouts::Phase;

/// How many connections are shed at once, so that each of many new clients need not look at all of them.
const SHED_AT_ONCE: usize = 32;

/// Why a connection was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AcceptFailure {
    /// Something happened to that connection; the next one may be fine (accept(2)).
    Passing,
    /// The process, or the system, has no descriptor left.
    OutOfDescriptors,
    /// It will not go away at once.
    Lasting,
}

impl AcceptFailure {
    pub(crate) fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(
                Errno::CONNABORTED
                | Errno::CONNRESET
                | Errno::CONNREFUSED
                | Errno::INTR
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::OPNOTSUPP
                | Errno::PERM
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::NONET
                | Errno::TIMEDOUT,
            ) => Self::Passing,
            Some(Errno::MFILE | Errno::NFILE) => Self::OutOfDescriptors,
            _ => Self::Lasting,
        }
    }
}

impl LoopState {
    /// Closes connections that wait for a request, or for their client's end, so that new clients find descriptors; how many.
    /// If there are none, the other loops are asked to.
    pub(crate) fn shed_for_descriptors(&self) -> usize {
        let shed = self.shed_idle();
        if shed == 0 {
            for switches in self.all_switches.iter() {
                if !std::ptr::eq(&raw const **switches, &raw const *self.switches) {
                    switches.ask_to_shed();
                }
            }
        }
        shed
    }

    /// Closes those of this loop's connections that have waited longest without a request; how many.
    pub(crate) fn shed_idle(&self) -> usize {
        let connections = self.connections.borrow();
        let mut idle: Vec<(u64, &Rc<Connection>)> = connections.iter().filter_map(idle_since).collect();
        let count = idle.len().min(SHED_AT_ONCE);
        if count < idle.len() {
            idle.select_nth_unstable_by_key(count, |(since_ms, _)| *since_ms);
        }
        for (_, connection) in &idle[..count] {
            connection.cut();
        }
        count
    }
}

fn idle_since(connection: &Rc<Connection>) -> Option<(u64, &Rc<Connection>)> {
    let (phase, since_ms) = connection.phase();
    let waits = matches!(phase, Phase::Fresh | Phase::Idle | Phase::Linger);
    let is_idle = waits && !connection.is_blocked() && !connection.is_cut();
    is_idle.then_some((since_ms, connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_to_one_connection_passes() {
        let of = |errno: Errno| AcceptFailure::of(&io::Error::from_raw_os_error(errno.raw_os_error()));
        for passing in [
            Errno::CONNABORTED,
            Errno::PROTO,
            Errno::NETDOWN,
            Errno::HOSTUNREACH,
            Errno::INTR,
        ] {
            assert_eq!(of(passing), AcceptFailure::Passing, "{passing}");
        }
        for out in [Errno::MFILE, Errno::NFILE] {
            assert_eq!(of(out), AcceptFailure::OutOfDescriptors, "{out}");
        }
        for lasting in [Errno::NOBUFS, Errno::NOMEM, Errno::BADF] {
            assert_eq!(of(lasting), AcceptFailure::Lasting, "{lasting}");
        }
    }
}
