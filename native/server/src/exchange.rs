//! Exchanges that wait for their response.
//!
//! # Invariants
//! - An exchange is answered at most once; a second reply, or one for an exchange that is gone, is stale and dropped.
//! - An exchange ends when its [`OpenExchange`] is dropped: after its response, or because the client left.

use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;

use crate::event_loop::LoopState;

/// What came back for an exchange.
#[derive(Debug)]
pub(crate) enum Reply {
    Response(ResponseCommand),
    Fail(Kind),
}

/// The place where an exchange waits.
#[derive(Debug)]
pub(crate) enum Waiting {
    NotPolled,
    Polled(Waker),
    Answered(Reply),
}

/// An exchange that was handed to a handler; dropping it ends the exchange.
pub(crate) struct OpenExchange {
    id: u64,
    state: Rc<LoopState>,
}

impl OpenExchange {
    /// Opens an exchange. `None` when no more can be open at once.
    pub(crate) fn open(state: &Rc<LoopState>) -> Option<Self> {
        let id = state.exchanges.borrow_mut().insert(Waiting::NotPolled)?;
        state.switches.metrics.exchanges_open.add(1);
        Some(Self {
            id,
            state: Rc::clone(state),
        })
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the reply.
    pub(crate) fn poll_reply(&self, cx: &Context<'_>) -> Poll<Reply> {
        let mut exchanges = self.state.exchanges.borrow_mut();
        let Some(waiting) = exchanges.get_mut(self.id) else {
            return Poll::Ready(Reply::Fail(Kind::Internal));
        };
        match waiting {
            Waiting::Polled(waker) if waker.will_wake(cx.waker()) => Poll::Pending,
            Waiting::Answered(_) => match std::mem::replace(waiting, Waiting::NotPolled) {
                Waiting::Answered(reply) => Poll::Ready(reply),
                Waiting::NotPolled | Waiting::Polled(_) => Poll::Pending,
            },
            Waiting::NotPolled | Waiting::Polled(_) => {
                *waiting = Waiting::Polled(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.state.exchanges.borrow_mut().remove(self.id);
        self.state.switches.metrics.exchanges_open.decrement();
    }
}

impl LoopState {
    /// Hands a reply to its exchange.
    pub(crate) fn deliver(&self, exchange: u64, reply: Reply) {
        let previous = {
            let mut exchanges = self.exchanges.borrow_mut();
            match exchanges.get_mut(exchange) {
                None | Some(Waiting::Answered(_)) => {
                    self.switches.metrics.replies_stale.add(1);
                    return;
                }
                Some(waiting) => std::mem::replace(waiting, Waiting::Answered(reply)),
            }
        };
        if let Waiting::Polled(waker) = previous {
            waker.wake();
        }
    }
}
