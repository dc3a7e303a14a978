//! The tape as it is written.
//!
//! # Invariants
//! - The tape is the stack: while a container is open, its first word says where the one around it starts and, if it is not
//!   the innermost, how many entries it has so far. Both fit 28 bits, as a text has fewer than 2^28 bytes.

use hinny_core::results::{JSON_ARRAY_END, JSON_ENTRIES_MANY, JSON_OBJECT, JSON_OBJECT_END, JSON_WORD_SIZE};

/// Bits of an open container's first word: above its tag, the start of the one around it; then its entries.
const AROUND_SHIFT: u32 = 8;
const AROUND_MASK: usize = (1 << 28) - 1;
const ENTRIES_SHIFT: u32 = 36;

/// A tape at the end of a vector.
pub(super) struct Tape<'a> {
    output: &'a mut Vec<u8>,
    start: usize,
    /// Word that the innermost open container starts with.
    open: usize,
    /// Entries of that container so far.
    entries: u32,
}

impl<'a> Tape<'a> {
    pub(super) fn new(output: &'a mut Vec<u8>) -> Self {
        Self {
            start: output.len(),
            output,
            open: 0,
            entries: 0,
        }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, word: u64) {
        self.output.extend_from_slice(&word.to_le_bytes());
    }

    #[inline(always)]
    pub(super) fn push_two(&mut self, first: u64, second: u64) {
        let words = u128::from(first) | u128::from(second) << 64;
        self.output.extend_from_slice(&words.to_le_bytes());
    }

    /// Starts a container in the open one.
    #[inline(always)]
    pub(super) fn open(&mut self, tag: u8) {
        let at = self.words();
        if at > 0 {
            let word = self.word(self.open) & !(u64::MAX << ENTRIES_SHIFT);
            self.set_word(self.open, word | u64::from(self.entries) << ENTRIES_SHIFT);
        }
        self.push(u64::from(tag) | (self.open as u64) << AROUND_SHIFT);
        self.open = at;
        self.entries = 0;
    }

    /// Counts one entry of the open container.
    #[inline(always)]
    pub(super) fn count(&mut self) {
        self.entries += 1;
    }

    /// Ends the open container; returns whether the one around it is an object.
    #[inline(always)]
    pub(super) fn close(&mut self) -> bool {
        let end = self.words();
        let word = self.word(self.open);
        let tag = word as u8;
        let around = (word >> AROUND_SHIFT) as usize & AROUND_MASK;
        let skip = (end - self.open) as u64;
        let entries = u64::from(self.entries.min(JSON_ENTRIES_MANY));
        self.set_word(self.open, u64::from(tag) | entries << 8 | skip << 32);
        let end_tag = if tag == JSON_OBJECT {
            JSON_OBJECT_END
        } else {
            JSON_ARRAY_END
        };
        self.push(u64::from(end_tag) | u64::from(self.entries) << 32);
        let word = self.word(around);
        self.open = around;
        self.entries = (word >> ENTRIES_SHIFT) as u32;
        word as u8 == JSON_OBJECT
    }

    /// Starts bytes that stand in the tape; they are pushed with [`Self::push_bytes`].
    pub(super) fn start_bytes(&mut self, tag: u8) -> usize {
        let at = self.words();
        self.push(u64::from(tag));
        at
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// Ends the bytes that were started at `at`.
    pub(super) fn end_bytes(&mut self, at: usize) {
        let length = self.output.len() - self.start - (at + 1) * JSON_WORD_SIZE;
        let word = self.word(at);
        self.set_word(at, word | (length as u64) << 32);
        self.output
            .resize(self.output.len() + length.wrapping_neg() % JSON_WORD_SIZE, 0);
    }

    #[inline(always)]
    fn words(&self) -> usize {
        (self.output.len() - self.start) / JSON_WORD_SIZE
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let at = self.start + at * JSON_WORD_SIZE;
        self.output[at..]
            .first_chunk()
            .map_or(0, |word| u64::from_le_bytes(*word))
    }

    #[inline(always)]
    fn set_word(&mut self, at: usize, word: u64) {
        let at = self.start + at * JSON_WORD_SIZE;
        self.output[at..at + JSON_WORD_SIZE].copy_from_slice(&word.to_le_bytes());
    }
}
