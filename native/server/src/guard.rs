//! A connection's framing guard: what of the bytes that come may reach hyper, and what a fault in them means.
//!
//! # Invariants
//! - After a fault nothing is read and hyper gets nothing more: it waits, and the connection's task ends it when all
//!   requests before the fault have been answered.
//! - The one place where a [`Fault`] becomes a [`Kind`].

use std::cell::{Cell, RefCell};

use hinny_codec::framing::{Fault, Framing, Limits};
use hinny_core::error::Kind;
use hinny_core::options::Options;

use crate::http1::kind_of;

/// The guard of one connection.
#[derive(Debug)]
pub(crate) struct Guard {
    framing: RefCell<Framing>,
    limits: Limits,
    /// Requests that hyper has given to the service.
    requests: Cell<u64>,
}

impl Guard {
    pub(crate) const fn new(options: &Options) -> Self {
        Self {
            framing: RefCell::new(Framing::new()),
            limits: Limits {
                target_bytes: options.max_uri_bytes,
                head_bytes: options.max_head_bytes,
                field_count: options.max_header_count,
            },
            requests: Cell::new(0),
        }
    }

    /// Looks at the bytes that came; returns how many of them hyper may have.
    pub(crate) fn arrived(&self, bytes: &[u8]) -> usize {
        match self.framing.borrow_mut().check(bytes, &self.limits) {
            Ok(()) => bytes.len(),
            Err(refused) => refused.passable,
        }
    }

    /// Forgets what came: the next byte is the first of a request, and hyper has had none.
    pub(crate) fn restart(&self) {
        self.framing.replace(Framing::new());
        self.requests.set(0);
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the head of the first request is here to its end.
    pub(crate) fn has_head(&self) -> bool {
        self.framing.borrow().heads() > 0
    }

    /// Whether the first request is here to its end.
    pub(crate) fn has_whole_request(&self) -> bool {
        let framing = self.framing.borrow();
        framing.heads() > 1 || framing.heads() == 1 && !framing.is_in_body()
    }

    pub(crate) fn is_in_body(&self) -> bool {
        self.framing.borrow().is_in_body()
    }

    /// hyper has given a request to the service.
    pub(crate) fn request_taken(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    /// Requests that the service was given.
    pub(crate) const fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Whether a part of a head is here and its end is not.
    pub(crate) fn is_in_head(&self) -> bool {
        self.framing.borrow().is_in_head()
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        self.framing.borrow().fault()
    }

    /// What a fault means when every request before it is with the service: the body of the current request is broken
    /// ([`Kind::BodyMalformed`]), or the next request is refused.
    pub(crate) fn refusal(&self) -> Option<Kind> {
        let framing = self.framing.borrow();
        let fault = framing.fault()?;
        if framing.heads() != self.requests.get() {
            None
        } else if framing.is_in_body() {
            Some(Kind::BodyMalformed)
        } else {
            Some(kind_of(fault, &self.limits))
        }
    }

    /// Whether the body of the current request has a fault, so that its end will never come.
    pub(crate) fn has_broken_body(&self) -> bool {
        self.refusal() == Some(Kind::BodyMalformed)
    }
}
