//! The parameters of a path.

use hinny_codec::percent::{self, Style};
use hinny_core::records;

/// So many take no memory from the heap.
const FEW: usize = 4;

/// The values of a matched path's parameters in order, with their escapes.
#[derive(Debug, Default)]
pub struct Params<'p> {
    few: [Option<&'p [u8]>; FEW],
    more: Vec<Option<&'p [u8]>>,
    length: usize,
}

impl<'p> Params<'p> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Each of them; `None` where a group of a regular expression took no part.
    pub fn values(&self) -> impl Iterator<Item = Option<&'p [u8]>> {
        self.few[..self.length.min(FEW)].iter().chain(&self.more).copied()
    }

    /// Appends them to `out` without escapes, as a request's record has them, unless there are none; returns how many there
    /// are.
    pub fn write(&self, out: &mut Vec<u8>) -> u16 {
        let count = u16::try_from(self.length).unwrap_or(u16::MAX);
        if count > 0 {
            records::write_params(out, count, self.values(), |out, value| {
                if value.contains(&b'%') {
                    // Escapes were checked with the path.
                    return percent::decode(value, Style::Uri, out).unwrap_or_default();
                }
                out.extend_from_slice(value);
                false
            });
        }
        count
    }

    pub(crate) fn push(&mut self, value: Option<&'p [u8]>) {
        match self.few.get_mut(self.length) {
            Some(place) => *place = value,
            None => self.more.push(value),
        }
        self.length += 1;
    }

    /// Forgets all but the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = length;
        self.more.truncate(length.saturating_sub(FEW));
    }
}
