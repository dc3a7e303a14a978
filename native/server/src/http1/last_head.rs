//! The head of a connection's last request. A client repeats its header fields, so the next request's are compared with
//! them instead of being parsed, and its record is copied from theirs. If it repeats the first line too, that is not parsed
//! either, and no route looked for.

use hinny_codec::head::{KnownLine, RequestLine};
use hinny_core::records::RequestTemplate;

use crate::parse::BodyKind;
use crate::routing::KnownRoute;

/// Longer heads are not remembered.
const BYTES_MAX: usize = 4 << 10;

/// After so many other heads in a row none is remembered any more: this client does not repeat them. So it is with first lines.
const MISSES_MAX: u8 = 4;

/// Longer first lines are not remembered.
const LINE_BYTES_MAX: usize = 512;

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
    pub(super) body: BodyFraming,
    pub(super) kind: BodyKind,
    pub(super) close: bool,
    pub(super) line: LastLine,
}

/// How the body behind a head is framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyFraming {
    /// There is none.
    None,
    /// So many bytes, at least one.
    Sized(usize),
    Chunked,
}

/// The first line of the last request with such a head that a handler was given.
#[derive(Default)]
pub(super) struct LastLine {
    pub(super) known: KnownLine,
    pub(super) route: KnownRoute,
    misses: u8,
}

impl LastLine {
    /// A request came with the same line.
    pub(super) const fn hit(&mut self) {
        self.misses = 0;
    }

    /// A request came with another line, with which `bytes` begin, or for another route; `set` notes that.
    pub(super) fn miss(&mut self, line: &RequestLine<'_>, bytes: &[u8], set: impl FnOnce(&mut KnownRoute)) {
        if self.misses < MISSES_MAX && line.length <= LINE_BYTES_MAX {
            self.misses += 1;
            self.known.set(line, bytes);
            set(&mut self.route);
        } else if self.misses == MISSES_MAX {
            *self = Self {
                misses: MISSES_MAX + 1,
                ..Self::default()
            };
        }
    }
}

/// Such a head that was just parsed.
pub(super) struct NewHead<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) body: BodyFraming,
    pub(super) kind: BodyKind,
    pub(super) close: bool,
}

impl LastHead {
    pub(super) fn known(&self) -> Option<&Known> {
        self.known.as_deref()
    }

    /// A request came with the same fields.
    pub(super) fn hit(&mut self) -> Option<&mut LastLine> {
        self.misses = 0;
        Some(&mut self.known.as_mut()?.line)
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
                body: head.body,
                kind: head.kind,
                close: head.close,
                line: LastLine::default(),
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each of these lines was known when it came.
    fn known(lines: &[&str]) -> Vec<bool> {
        let mut last = LastLine::default();
        let fields = b"\r\n";
        let knows = |line: &&str| {
            let bytes = format!("GET {line} HTTP/1.1\r\n\r\n").into_bytes();
            let is_known = last.known.parse(&bytes, fields).is_some();
            if is_known {
                last.hit();
            } else {
                let path = line.as_bytes();
                let line = RequestLine {
                    length: bytes.len() - fields.len(),
                    method: 1,
                    path,
                    query: None,
                    escaped: false,
                };
                last.miss(&line, &bytes, |_| ());
            }
            is_known
        };
        lines.iter().map(knows).collect()
    }

    #[test]
    fn the_last_line_is_known_until_lines_no_longer_repeat() {
        assert_eq!(
            known(&["/a", "/a", "/b", "/b", "/a"]),
            [false, true, false, true, false]
        );
        assert_eq!(
            known(&["/a", "/b", "/c", "/d", "/d"]),
            [false, false, false, false, true]
        );
        assert_eq!(known(&["/a", "/b", "/c", "/d", "/e", "/e", "/e"]), [false; 7]);
        let long = format!("/{}", "a".repeat(LINE_BYTES_MAX));
        assert_eq!(known(&[&long, &long]), [false; 2]);
    }
}
