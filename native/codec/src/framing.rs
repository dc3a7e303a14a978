//! Tells where every request of a connection begins and ends, and refuses bytes that two readers could frame apart.
//!
//! hyper resolves or tolerates what a strict server must refuse (RFC 9112 §11.2: request smuggling), and some of it
//! cannot be seen any more once hyper has parsed it: a bare LF, a Content-Length beside a Transfer-Encoding, a repeated
//! Content-Length, a fragment in a target. A [`Framing`] looks at the bytes of a connection before hyper does. Other
//! names, values, methods and the form of targets are not its business: hyper and the server check them.
//!
//! # Invariants
//! - What is passed on is framed by hyper exactly as here: each head and each body ends at the same byte.
//! - The end of a faulty head, and whatever follows a fault, is never passed on: a faulty head becomes no request.
//! - Any split of the same bytes gives the same fault and the same count of heads.
//! - Memory is taken only for a line that a read cut in two, and given back at the end of its head or body.

mod body;
mod fault;
mod head_scan;
mod limits;
mod line;
mod lines;

pub use self::body::{BodyDecoder, Decoded, EXTENSION_BYTES_MAX};
pub use self::fault::Fault;
pub use self::head_scan::HeadScan;
pub use self::limits::Limits;
pub(crate) use self::line::parse_length;

/// Bytes that must not be passed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refused {
    /// How many of the bytes may be passed on: for a fault in a head none of that head, else all before the fault or
    /// before the line that holds it.
    pub passable: usize,
    /// The first fault.
    pub fault: Fault,
}

/// Where the next byte belongs.
#[derive(Debug, Default)]
enum Place {
    /// Before a request.
    #[default]
    Start,
    /// After the CR of an empty line before a request.
    StartLf,
    /// After an empty line before a request.
    StartEmptied,
    Head(HeadScan),
    Body(BodyDecoder),
}

/// How far the bytes of one connection have been understood.
#[derive(Debug, Default)]
pub struct Framing {
    heads: u64,
    place: Place,
    fault: Option<Fault>,
}

impl Framing {
    /// The framing of a connection that nothing has come from.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            heads: 0,
            place: Place::Start,
            fault: None,
        }
    }

    /// Looks at the bytes that came next; all of them may be passed on if it succeeds.
    ///
    /// # Errors
    /// [`Refused`] with the first fault. The connection cannot be used any more: every later call fails alike.
    pub fn check(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Refused> {
        if let Some(fault) = self.fault {
            return Err(Refused { passable: 0, fault });
        }
        let mut at = 0;
        let mut head_start = 0;
        while let Some(&first) = bytes.get(at) {
            let rest = &bytes[at..];
            let taken = match &mut self.place {
                Place::Start | Place::StartEmptied if !matches!(first, b'\r' | b'\n') => {
                    head_start = at;
                    self.place = Place::Head(HeadScan::new());
                    Ok(0)
                }
                Place::Start | Place::StartLf | Place::StartEmptied => {
                    self.take_empty_line(first).map_err(|fault| (0, fault))
                }
                Place::Head(scan) => match scan.check(rest, limits) {
                    Ok(None) => Ok(rest.len()),
                    Ok(Some(end)) => {
                        self.heads += 1;
                        self.place = scan.body().map_or(Place::Start, Place::Body);
                        Ok(end)
                    }
                    Err(fault) => {
                        self.fault = Some(fault);
                        return Err(Refused {
                            passable: head_start,
                            fault,
                        });
                    }
                },
                Place::Body(decoder) => {
                    let taken = decoder.decode(rest, usize::MAX, limits).map(|decoded| decoded.used);
                    if decoder.has_ended() {
                        self.place = Place::Start;
                    }
                    taken
                }
            };
            match taken {
                Ok(taken) => at += taken,
                Err((before, fault)) => {
                    self.fault = Some(fault);
                    return Err(Refused {
                        passable: at + before,
                        fault,
                    });
                }
            }
        }
        Ok(())
    }

    /// Complete request heads so far.
    #[must_use]
    pub const fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether a part of a head is here and its end is not. An empty line before a request is no part of it.
    #[must_use]
    pub const fn is_in_head(&self) -> bool {
        matches!(self.place, Place::Head(_))
    }

    /// Whether the head of a request is here and its body is not, to its end.
    #[must_use]
    pub const fn is_in_body(&self) -> bool {
        matches!(self.place, Place::Body(_))
    }

    /// The fault that ended the connection.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    fn take_empty_line(&mut self, byte: u8) -> Result<usize, Fault> {
        self.place = match (&self.place, byte) {
            (Place::Start, b'\r') => Place::StartLf,
            (Place::StartLf, b'\n') => Place::StartEmptied,
            (Place::StartEmptied, b'\r') => return Err(Fault::EmptyLines),
            (Place::StartLf, _) => return Err(Fault::BareCr),
            _ => return Err(Fault::BareLf),
        };
        Ok(1)
    }
}

#[cfg(test)]
mod tests;
