//! Reads one piece of a body.

use std::ops::Range;

use memchr::{memchr_iter, memmem};

use super::head::Part;
use super::reason::Reason;
use crate::malformed::Malformed;

/// Spaces and tabs that may stand between a boundary and the end of its line.
pub(super) const PADDING_MAX: usize = 64;

/// Where in a body a parser is, between two pieces of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// At the first byte.
    Start = 0,
    /// In front of the first delimiter.
    Preamble = 1,
    /// At the head of a part.
    Head = 2,
    /// In the data of a part.
    Data = 3,
    /// In the data of a part without a name.
    Nameless = 4,
    /// Behind the closing delimiter, or at the end of a body that has no delimiter.
    End = 5,
}

impl State {
    pub(super) const fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Start,
            1 => Self::Preamble,
            2 => Self::Head,
            3 => Self::Data,
            4 => Self::Nameless,
            5 => Self::End,
            _ => return None,
        })
    }
}

/// What a piece of a body holds next.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins.
    Part(Part<'a>),
    /// Data of the part, never empty: where in the piece.
    Data(Range<usize>),
    /// The part ends.
    PartEnd,
}

/// What all pieces of a body are read with.
#[derive(Debug)]
pub struct Form<'d> {
    delimiter: &'d [u8],
    finder: memmem::Finder<'d>,
    head_bytes_max: usize,
}

impl<'d> Form<'d> {
    /// A form with this delimiter: CR, LF, two hyphens and the boundary. The head of a part may have so many bytes, with
    /// the empty line at its end.
    #[must_use]
    pub fn new(delimiter: &'d [u8], head_bytes_max: usize) -> Self {
        Self {
            delimiter,
            finder: memmem::Finder::new(delimiter),
            head_bytes_max,
        }
    }

    /// Reads a piece of a body, from a state on. With `last` nothing follows it.
    #[must_use]
    pub fn parse<'a>(&'a self, state: State, piece: &'a [u8], last: bool) -> Parser<'a, 'd> {
        Parser {
            form: self,
            piece,
            at: 0,
            state,
            last,
        }
    }
}

/// The events of one piece.
#[derive(Debug)]
pub struct Parser<'a, 'd> {
    form: &'a Form<'d>,
    piece: &'a [u8],
    at: usize,
    state: State,
    last: bool,
}

/// What stands behind a boundary.
enum Line {
    /// A part begins so many bytes behind it.
    Next(usize),
    /// The body ends.
    Close,
    /// More bytes are needed to tell.
    Unknown,
    /// No boundary may be followed by this.
    Wrong,
}

impl<'a> Parser<'a, '_> {
    /// Returns the next event, `None` if the piece holds no other.
    ///
    /// # Errors
    /// The body is malformed; so are all pieces from [`Parser::used`] on.
    pub fn next_event(&mut self) -> Result<Option<Event<'a>>, Malformed> {
        loop {
            let before = (self.at, self.state);
            let event = match self.state {
                State::Start | State::Preamble => self.preamble()?,
                State::Head => self.head()?,
                State::Data | State::Nameless => self.data()?,
                State::End => {
                    self.at = self.piece.len();
                    return Ok(None);
                }
            };
            if event.is_some() {
                return Ok(event);
            }
            if before == (self.at, self.state) {
                return Ok(None);
            }
        }
    }

    /// Returns how many bytes of the piece are used.
    #[must_use]
    pub const fn used(&self) -> usize {
        self.at
    }

    /// Returns the state to read the next piece from.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    fn rest(&self) -> &'a [u8] {
        &self.piece[self.at..]
    }

    /// A delimiter counts at the start of the body and at the start of a line, whatever ends the line before.
    fn preamble(&mut self) -> Result<Option<Event<'a>>, Malformed> {
        let rest = self.rest();
        let dashes = &self.form.delimiter[2..];
        let mut kept = rest.len();
        if self.state == State::Start {
            if rest.starts_with(dashes) {
                return self.delimiter(self.at + dashes.len());
            }
            if dashes.starts_with(rest) && !self.last {
                return Ok(None);
            }
            self.state = State::Preamble;
        }
        for line_feed in memchr_iter(b'\n', rest) {
            let line = &rest[line_feed + 1..];
            if line.starts_with(dashes) {
                self.at += line_feed;
                return self.delimiter(self.at + 1 + dashes.len());
            }
            if dashes.starts_with(line) {
                kept = line_feed;
                break;
            }
        }
        if self.last {
            self.at = self.piece.len();
            self.state = State::End;
        } else {
            self.at += kept;
        }
        Ok(None)
    }

    fn head(&mut self) -> Result<Option<Event<'a>>, Malformed> {
        let rest = self.rest();
        let end = if rest.starts_with(b"\r\n") {
            Some(2)
        } else {
            // A head that is too long is not searched to its end.
            let searched = &rest[..rest.len().min(self.form.head_bytes_max)];
            memchr_iter(b'\r', searched)
                .find(|at| searched[*at..].starts_with(b"\r\n\r\n"))
                .map(|at| at + 4)
        };
        let Some(end) = end else {
            return if rest.len() >= self.form.head_bytes_max {
                Err(Reason::HeadTooLarge.at(self.at))
            } else {
                self.wait()
            };
        };
        let part = Part::parse(&rest[..end - 2], self.at).map_err(|reason| reason.at(self.at))?;
        self.at += end;
        self.state = if part.is_some() { State::Data } else { State::Nameless };
        Ok(part.map(Event::Part))
    }

    fn data(&mut self) -> Result<Option<Event<'a>>, Malformed> {
        let rest = self.rest();
        let (length, found) = match self.form.finder.find(rest) {
            Some(at) => (at, true),
            None => (rest.len() - beginning_at_end(rest, self.form.delimiter), false),
        };
        if length > 0 {
            let data = self.at..self.at + length;
            self.at = data.end;
            return Ok((self.state == State::Data).then_some(Event::Data(data)));
        }
        if found {
            self.delimiter(self.at + self.form.delimiter.len())
        } else {
            self.wait()
        }
    }

    /// Uses a delimiter up to the end of its line, if that is there; the boundary ends at `end`.
    fn delimiter(&mut self, end: usize) -> Result<Option<Event<'a>>, Malformed> {
        let ended = (self.state == State::Data).then_some(Event::PartEnd);
        match line(&self.piece[end..]) {
            Line::Next(length) => {
                self.at = end + length;
                self.state = State::Head;
            }
            Line::Close => {
                self.at = end + 2;
                self.state = State::End;
            }
            Line::Unknown => return self.wait(),
            Line::Wrong => return Err(Reason::Delimiter.at(self.at)),
        }
        Ok(ended)
    }

    fn wait(&self) -> Result<Option<Event<'a>>, Malformed> {
        if self.last {
            Err(Reason::Truncated.at(self.piece.len()))
        } else {
            Ok(None)
        }
    }
}

/// Tells what follows a boundary.
fn line(rest: &[u8]) -> Line {
    match rest {
        [b'-', b'-', ..] => return Line::Close,
        [b'-'] => return Line::Unknown,
        _ => {}
    }
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match &rest[padding..] {
        _ if padding > PADDING_MAX => Line::Wrong,
        [] | [b'\r'] => Line::Unknown,
        [b'\n', ..] => Line::Next(padding + 1),
        [b'\r', b'\n', ..] => Line::Next(padding + 2),
        _ => Line::Wrong,
    }
}

/// Returns how many bytes at the end of `rest` may be the beginning of a delimiter that the next piece completes.
fn beginning_at_end(rest: &[u8], delimiter: &[u8]) -> usize {
    let from = rest.len().saturating_sub(delimiter.len() - 1);
    memchr_iter(b'\r', &rest[from..])
        .map(|at| rest.len() - from - at)
        .find(|length| delimiter.starts_with(&rest[rest.len() - length..]))
        .unwrap_or(0)
}
