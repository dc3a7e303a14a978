//! Applies the outbox: what the driver of a loop answers and asks for.
//!
//! # Invariants
//! - A command that is broken, or that panics, fails its own exchange. All others of the outbox are applied.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use hinny_core::commands::{Command, Commands};
use hinny_core::error::Kind;

use crate::event_loop::LoopState;
use crate::exchange::Reply;
use crate::http1;
use crate::test_faults::Fault;

impl LoopState {
    pub(crate) fn apply(&self, outbox: &Bytes) {
        let mut commands = Commands::new(outbox);
        while catch_unwind(AssertUnwindSafe(|| self.apply_each(&mut commands, outbox))).is_err() {
            self.switches.metrics.panics.add(1);
            self.fail(commands.exchange());
        }
        self.flush_replied();
        for connection in self.held.borrow_mut().drain(..) {
            connection.release();
        }
    }

    fn apply_each(&self, commands: &mut Commands<'_>, outbox: &Bytes) {
        let is_armed = self.faults.is_armed(Fault::Command);
        for command in commands {
            if is_armed {
                self.faults.strike(Fault::Command);
            }
            match command {
                Ok(Command::Response(exchange, response)) => self.deliver_response(exchange, response, outbox),
                Ok(Command::Fail(exchange, kind)) => self.deliver(exchange, Reply::Fail(kind)),
                Ok(Command::Chunk { exchange, bytes, last }) => self.deliver_chunk(exchange, bytes, last),
                Ok(Command::Credit(exchange, bytes)) => self.demand(exchange, Some(bytes)),
                Ok(Command::Discard(exchange)) => self.demand(exchange, None),
                Err(broken) => {
                    log::error!("outbox does not decode at byte {}", broken.offset);
                    self.fail(broken.exchange);
                }
            }
        }
    }

    /// Ends the exchange of a command that could not be applied.
    fn fail(&self, exchange: Option<u64>) {
        let failed = catch_unwind(AssertUnwindSafe(|| {
            if let Some(exchange) = exchange {
                self.deliver(exchange, Reply::Fail(Kind::Internal));
            }
        }));
        if failed.is_err() {
            self.switches.metrics.panics.add(1);
        }
    }

    /// Sends what the fast lane has written.
    pub(crate) fn flush_replied(&self) {
        for connection in self.replied.borrow_mut().drain(..) {
            http1::flush(&connection);
        }
    }
}
