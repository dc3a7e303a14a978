//! Brings what is known of files, or what a look at the disk finds, to the requests for them.
//!
//! # Invariants
//! - The loop never waits for a disk. A request that must is an exchange that no driver knows of.
//!
//! # Threads
//! The loop's own; only a [`Look`] runs elsewhere.

use std::borrow::Cow;
use std::rc::Rc;

use hinny_core::error::Kind;

use crate::event_loop::LoopState;
use crate::exchange::Reply;
use crate::files::{FileRequest, Look, Looked, Lookup, Outcome};

/// What a request for a file says, but for its header fields.
pub(crate) struct FileTarget<'a> {
    pub(crate) head: bool,
    pub(crate) path: &'a [u8],
    pub(crate) query: Option<&'a [u8]>,
}

impl LoopState {
    /// What becomes of a request for a file of this endpoint, which [`LoopState::routed`] has found; if it is known
    /// now, it is whole.
    pub(crate) fn find_file<'f>(
        &self,
        endpoint: u32,
        target: &FileTarget<'_>,
        fields: impl Iterator<Item = (u16, &'f [u8])>,
    ) -> Lookup {
        let rest = self.file_rest.borrow();
        let mut request = FileRequest {
            head: target.head,
            path: Cow::Borrowed(target.path),
            query: target.query.map(Cow::Borrowed),
            rest: Cow::Borrowed(&rest),
            ..FileRequest::default()
        };
        for (id, value) in fields {
            request.add(id, value);
        }
        let mut caches = self.file_caches.borrow_mut();
        match caches.of_endpoint(endpoint) {
            Some(cache) => cache.answer(&request, self.now_ms()),
            None => Lookup::Known(Err(Kind::Internal)),
        }
    }

    /// Looks at the disk for an exchange, which is answered with what is found.
    pub(crate) fn look(self: &Rc<Self>, endpoint: u32, exchange: u64, look: Box<Look>) {
        let state = Rc::clone(self);
        let version = state.routes_version.get();
        tokio::task::spawn_local(async move {
            let outcome = match tokio::task::spawn_blocking(move || look.run()).await {
                Ok(looked) => state.learn(version, endpoint, looked),
                Err(_) => Err(Kind::Internal),
            };
            state.deliver(exchange, Reply::File(outcome));
            state.flush_replied();
        });
    }

    /// Notes what a look has found, unless there is another table by now.
    fn learn(&self, version: u32, endpoint: u32, looked: Looked) -> Outcome {
        let mut caches = self.file_caches.borrow_mut();
        match caches.of_endpoint(endpoint) {
            Some(cache) if version == self.routes_version.get() => cache.learn(looked),
            _ => looked.into_outcome(),
        }
    }
}
