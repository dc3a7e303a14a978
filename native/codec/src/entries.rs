//! Writes names and values in the layout of `PARAMS_…`: for query strings, forms and cookies.
//!
//! # Invariants
//! - A result has at most as many entries as it was told, but for the one that is being written; each costs [`PARAMS_ENTRY_SIZE`] besides its texts.

use hinny_core::results::{
    PARAMS_COUNT, PARAMS_ENTRIES, PARAMS_ENTRY_SIZE, PARAMS_NAME_LENGTH, PARAMS_NOT_ASCII, PARAMS_TOO_MANY,
    PARAMS_VALUE_LENGTH,
};

use crate::malformed::Malformed;

/// A result that is being written at the end of an output.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    output: &'a mut Vec<u8>,
    start: usize,
    entry: usize,
    count: u32,
    most: u32,
}

/// Which text of an entry; the name comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    Name,
    Value,
}

impl<'a> Entries<'a> {
    /// Begins a result of at most `most` entries, likely from an input of so many bytes.
    pub(crate) fn begin(input_length: usize, most: u32, output: &'a mut Vec<u8>) -> Self {
        let start = output.len();
        output.reserve(PARAMS_ENTRIES + 8 * PARAMS_ENTRY_SIZE + input_length);
        output.resize(start + PARAMS_ENTRIES, 0);
        Self {
            output,
            start,
            entry: 0,
            count: 0,
            most,
        }
    }

    /// Begins an entry with empty texts.
    pub(crate) fn open(&mut self) {
        self.entry = self.output.len();
        self.output.extend_from_slice(&[0; PARAMS_ENTRY_SIZE]);
    }

    /// The output, for a text of the entry; returns where it begins, for [`close_text`](Self::close_text).
    pub(crate) const fn text(&mut self) -> (usize, &mut Vec<u8>) {
        (self.output.len(), self.output)
    }

    /// Ends the text that began at `from`.
    pub(crate) fn close_text(&mut self, text: Text, from: usize, is_ascii: bool) {
        let length = u32::try_from(self.output.len() - from).unwrap_or(u32::MAX);
        let flag = if is_ascii { 0 } else { PARAMS_NOT_ASCII };
        let at = match text {
            Text::Name => PARAMS_NAME_LENGTH,
            Text::Value => PARAMS_VALUE_LENGTH,
        };
        put_u32(self.output, self.entry + at, length | flag);
    }

    /// Keeps the entry that was opened last; `position` is where it stands in the input.
    pub(crate) const fn keep(&mut self, position: usize) -> Result<(), Malformed> {
        if self.count == self.most {
            return Err(Malformed {
                position,
                reason: PARAMS_TOO_MANY,
            });
        }
        self.count += 1;
        Ok(())
    }

    /// Takes back the entry that was opened last.
    pub(crate) fn forget(&mut self) {
        self.output.truncate(self.entry);
    }

    /// Ends the result, with flags for all of it.
    pub(crate) fn end(self, flags: u32) {
        put_u32(self.output, self.start + PARAMS_COUNT, self.count | flags);
    }
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Results as tests see them.
#[cfg(test)]
pub(crate) mod read {
    use hinny_core::results::PARAMS_RAW;

    use super::*;

    /// A result.
    #[derive(Debug, PartialEq, Eq)]
    pub(crate) struct Read {
        pub(crate) pairs: Vec<(Vec<u8>, Vec<u8>)>,
        /// Of each pair: whether the name and the value are said to be ASCII.
        pub(crate) is_ascii: Vec<[bool; 2]>,
        pub(crate) is_raw: bool,
    }

    /// Reads a result to its end, which must be where the bytes end.
    pub(crate) fn read(result: &[u8]) -> Read {
        let count = u32_at(result, PARAMS_COUNT);
        let mut read = Read {
            pairs: Vec::new(),
            is_ascii: Vec::new(),
            is_raw: count & PARAMS_RAW != 0,
        };
        let mut at = PARAMS_ENTRIES;
        for _ in 0..count & !PARAMS_RAW {
            let lengths = [PARAMS_NAME_LENGTH, PARAMS_VALUE_LENGTH].map(|place| u32_at(result, at + place));
            at += PARAMS_ENTRY_SIZE;
            let [name, value] = lengths.map(|length| {
                let from = at;
                at += usize::try_from(length & !PARAMS_NOT_ASCII).unwrap_or(usize::MAX);
                result[from..at].to_vec()
            });
            read.pairs.push((name, value));
            read.is_ascii.push(lengths.map(|length| length & PARAMS_NOT_ASCII == 0));
        }
        assert_eq!(at, result.len());
        read
    }

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
    }
}
