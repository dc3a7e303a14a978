//! The header fields of a connection's last request. A client repeats them, so the next request's are compared with them
//! instead of being parsed, and its record is copied from theirs.

use hinny_core::records::RequestTemplate;

use crate::parse::BodyKind;

/// Longer heads are not remembered.
const BYTES_MAX: usize = 4 << 10;

/// After so many other heads in a row none is remembered any more: this client does not repeat them.
const MISSES_MAX: u8 = 4;

/// What is known of the last head.
#[derive(Default)]
pub(super) struct LastHead {
    known: Option<Box<Known>>,
    misses: u8,
}

/// A plain head, without its first line.
pub(super) struct Known {
    /// Its fields with the empty line.
    pub(super) bytes: Vec<u8>,
    /// `None` until a handler was given a request with them.
    pub(super) template: Option<RequestTemplate>,
    pub(super) content_length: usize,
    pub(super) kind: BodyKind,
    pub(super) close: bool,
}

/// Such a head that was just parsed.
pub(super) struct NewHead<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) content_length: usize,
    pub(super) kind: BodyKind,
    pub(super) close: bool,
}

impl LastHead {
    pub(super) fn known(&self) -> Option<&Known> {
        self.known.as_deref()
    }

    /// A request came with the same fields.
    pub(super) const fn hit(&mut self) {
        self.misses = 0;
    }

    /// A request came with these fields. `record` was written for it, if a handler was given it.
    pub(super) fn miss(&mut self, head: &NewHead<'_>, record: Option<&[u8]>) {
        let template = record.and_then(RequestTemplate::of);
        if let Some(known) = self.known.as_mut().filter(|known| known.bytes == head.bytes) {
            if known.template.is_none() {
                known.template = template;
            }
            return;
        }
        if self.misses == MISSES_MAX {
            self.known = None;
            return;
        }
        self.misses += 1;
        self.known = (head.bytes.len() <= BYTES_MAX).then(|| {
            Box::new(Known {
                bytes: head.bytes.to_vec(),
                template,
                content_length: head.content_length,
                kind: head.kind,
                close: head.close,
            })
        });
    }
}
