//! Two servers that must behave alike.
//!
//! # Invariants
//! - A difference is one only if it comes again with fresh servers: the kernel of a busy machine may deliver late.
//! - When a handler answers late and a body is streamed, what the handler sees of that body depends on how far the
//!   connection was; then only that both servers keep their own rules is checked.
//! - When a handler answers late, a request that nobody accepts may be refused for another of its faults, or not yet:
//!   which one is seen first depends on how much of it was there.
//! - When the client leaves before anything is answered, the fast lane may have handed over more requests than the first.
//! - A response that ends the connection comes too late for safe requests behind it that the fast lane has handed over
//!   together with its own. They may be too many, if the handler is told that they are gone.

use std::fmt;

use crate::input::{Ending, Input};
use crate::setting::{Http1, SETTINGS};
use crate::side::{Exchange, Side, Transcript};

/// Methods whose requests the fast lane hands over together (RFC 9110 §9.2.1).
const SAFE_METHODS: [&str; 4] = ["GET", "HEAD", "OPTIONS", "TRACE"];

/// How often a difference must come.
const TIMES: usize = 3;

/// The servers of all settings, started when they are first needed.
#[derive(Debug)]
pub struct Pairs {
    left: Http1,
    pairs: [Option<(Side, Side)>; SETTINGS],
    /// Differences that did not come again.
    pub unsteady: usize,
}

/// What a server did, or did not do as it must.
type Run = Result<Transcript, String>;

/// What two servers did with the same bytes.
#[derive(Debug)]
pub struct Difference {
    /// The first thing that differs.
    pub what: String,
    /// What the server did that is tested.
    pub left: Run,
    /// What hyper did.
    pub right: Run,
}

impl Pairs {
    /// Servers with the fast lane beside servers without.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Http1::Auto)
    }

    /// Servers with this engine beside servers with hyper.
    #[must_use]
    pub fn of(left: Http1) -> Self {
        Self {
            left,
            pairs: std::array::from_fn(|_| None),
            unsteady: 0,
        }
    }

    /// Gives a test case to both servers of its setting; returns what they agree on, `None` if it is no test case.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&mut self, data: &[u8]) -> Result<Option<Transcript>, Box<Difference>> {
        let Some(input) = Input::read(data) else {
            return Ok(None);
        };
        for time in 1.. {
            let (left, right) = self.run(&input);
            let what = match (&left, &right) {
                (Ok(left), Ok(right)) => first_difference(&input, left, right),
                (Err(fault), _) => Some(format!("left: {fault}")),
                (_, Err(fault)) => Some(format!("right: {fault}")),
            };
            let Some(what) = what else {
                self.unsteady += usize::from(time > 1);
                return Ok(left.ok());
            };
            self.pairs[input.setting.index()] = None;
            if time == TIMES {
                return Err(Box::new(Difference { what, left, right }));
            }
        }
        Ok(None)
    }

    fn run(&mut self, input: &Input<'_>) -> (Run, Run) {
        let pair = &mut self.pairs[input.setting.index()];
        if pair.is_none() {
            let left = Side::start(input.setting, self.left);
            let right = Side::start(input.setting, Http1::Hyper);
            match (left, right) {
                (Ok(left), Ok(right)) => *pair = Some((left, right)),
                (left, right) => {
                    return (
                        left.map(|_| Transcript::default()),
                        right.map(|_| Transcript::default()),
                    );
                }
            }
        }
        match pair {
            Some((left, right)) => (left.run(input), right.run(input)),
            None => (Err("no servers".into()), Err("no servers".into())),
        }
    }
}

impl Default for Pairs {
    fn default() -> Self {
        Self::new()
    }
}

fn first_difference(input: &Input<'_>, left: &Transcript, right: &Transcript) -> Option<String> {
    if input.ending == Ending::Leaves {
        let first = |seen: &Transcript| seen.exchanges.first().map(|exchange| exchange.request.clone());
        return (first(left) != first(right)).then(|| "the first request".into());
    }
    let is_held_between = input.pieces().iter().any(|piece| piece.held);
    let is_held = is_held_between || input.answering.is_at_end();
    let streams = |seen: &Transcript| seen.exchanges.iter().any(|exchange| exchange.request.is_streamed());
    if left == right || is_held_between && (streams(left) || streams(right)) {
        return None;
    }
    if is_held {
        let ((left_refuses, left), (right_refuses, right)) = (before_refusal(left), before_refusal(right));
        if (left_refuses || right_refuses) && left == right {
            return None;
        }
    }
    let refused = before_bare_refusal(right).map(|before| (before_own_refusal(left), before));
    if let Some((left_output, right_output)) = refused {
        let same = left_output == Some(right_output) && left.closed == right.closed;
        return (!same || left.exchanges != right.exchanges).then(|| "before the refusal".into());
    }
    let ahead = handed_over_ahead(left, right);
    if left.exchanges[..left.exchanges.len() - ahead] != right.exchanges {
        let same = left
            .exchanges
            .iter()
            .zip(&right.exchanges)
            .take_while(|(l, r)| l == r)
            .count();
        let (left, right) = (left.exchanges.get(same), right.exchanges.get(same));
        return Some(format!("request {}:\n  left  {left:?}\n  right {right:?}", same + 1));
    }
    if left.output != right.output {
        let same = left
            .output
            .iter()
            .zip(&right.output)
            .take_while(|(l, r)| l == r)
            .count();
        return Some(format!("byte {same} of the output"));
    }
    if left.closed != right.closed {
        return Some(format!("closed: left {}, right {}", left.closed, right.closed));
    }
    if ahead > 0 {
        return None;
    }
    for (n, (left, right)) in left.marks.iter().zip(&right.marks).enumerate() {
        if left != right {
            return Some(format!("after piece {}:\n  left  {left:?}\n  right {right:?}", n + 1));
        }
    }
    if left.counted != right.counted {
        return Some(format!(
            "counters:\n  left  {:?}\n  right {:?}",
            left.counted, right.counted
        ));
    }
    // What is left is how many pieces a client could send to a server that was closing.
    None
}

/// hyper refuses what it cannot parse with no word about why. What it sent before that, if it did.
fn before_bare_refusal(seen: &Transcript) -> Option<&[u8]> {
    let (_, last) = seen.final_responses();
    let (before, last) = seen.output.split_at(last);
    let is_bare = last
        .get(8..)
        .is_some_and(|rest| rest.starts_with(b" 400 Bad Request\r\n"))
        && memchr::memmem::find(last, b"content-type").is_none()
        && last.ends_with(b"\r\n\r\n");
    (seen.closed && is_bare).then_some(before)
}

/// What was sent before a refusal of our own.
fn before_own_refusal(seen: &Transcript) -> Option<&[u8]> {
    let (_, last) = seen.final_responses();
    let (before, last) = seen.output.split_at(last);
    let is_refusal = last
        .get(8..)
        .is_some_and(|rest| rest.starts_with(b" 400 Bad Request\r\ncontent-type: "));
    (seen.closed && is_refusal).then_some(before)
}

/// Whether the connection ends with the refusal of something that became no request; what the handler and the client saw
/// before it.
fn before_refusal(seen: &Transcript) -> (bool, (&[Exchange], &[u8])) {
    let (count, last) = seen.final_responses();
    let (before, last) = seen.output.split_at(last);
    let is_refusal = last
        .get(9..)
        .is_some_and(|status| status.starts_with(b"4") || status.starts_with(b"505"));
    let refuses = seen.closed && is_refusal && count > seen.exchanges.len();
    (refuses, (&seen.exchanges, if refuses { before } else { &seen.output }))
}

/// How many requests behind its last response the left server handed over.
fn handed_over_ahead(left: &Transcript, right: &Transcript) -> usize {
    let more = left.exchanges.get(right.exchanges.len()..).unwrap_or_default();
    let is_safe = |exchange: &Exchange| SAFE_METHODS.contains(&exchange.request.method.as_str());
    let may_be = left.closed && more.iter().all(|exchange| exchange.gone.is_some() && is_safe(exchange));
    if may_be { more.len() } else { 0 }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        for (name, run) in [("left", &self.left), ("right", &self.right)] {
            match run {
                Ok(seen) => writeln!(f, "{name}:\n{seen}")?,
                Err(fault) => writeln!(f, "{name}: {fault}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for exchange in &self.exchanges {
            let request = &exchange.request;
            write!(f, "  > {} {}", request.method, request.uri.escape_debug())?;
            if let Some(query) = &request.query {
                write!(f, "?{}", query.escape_debug())?;
            }
            let (name, port) = (&request.server_name, request.server_port);
            write!(f, " at {name}:{port} flags {} {:?}", request.flags, request.headers)?;
            writeln!(f, " body {:?}", request.body)?;
            if request.is_streamed() || exchange.gone.is_some() {
                let (rest, end, gone) = (exchange.rest.escape_ascii(), exchange.rest_end, exchange.gone);
                writeln!(f, "    then {rest}, end {end:?}, gone {gone:?}")?;
            }
        }
        for line in self.output.split_inclusive(|byte| *byte == b'\n') {
            writeln!(f, "  < {}", line.escape_ascii())?;
        }
        writeln!(f, "  closed {}, counted {:?}", self.closed, self.counted)
    }
}
