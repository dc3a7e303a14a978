//! The records that wait to be taken by the driver of an event loop.
//!
//! # Invariants
//! - Records are taken whole and in order.
//! - Requests with a body wait for room when [`ROOM_BYTES`] are exceeded; a request without one is small and is always
//!   taken in, and a turn of the loop makes at most one of them per connection.

use std::task::Waker;

use hinny_core::records;

/// Above this fill level a record with a body waits for the next turn.
const ROOM_BYTES: usize = 256 << 10;

/// A buffer that grew beyond this is given back when it is empty.
const KEEP_BYTES: usize = 1 << 20;

/// Records in the order in which they are to be taken.
#[derive(Debug, Default)]
pub struct Inbox {
    buffer: Vec<u8>,
    /// Where the last whole record ends; what lies behind it was left by a write that panicked.
    end: usize,
    taken: usize,
    count: usize,
    waiting: Vec<Waker>,
}

impl Inbox {
    /// Whether no record waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a record of `length` bytes more may be written now. An empty inbox has room for any record.
    pub(crate) fn has_room(&self, length: usize) -> bool {
        self.is_empty() || self.end - self.taken + length <= ROOM_BYTES
    }

    /// Wakes `waker` when records have been taken.
    pub(crate) fn wait_for_room(&mut self, waker: Waker) {
        self.waiting.push(waker);
    }

    /// Adds the one record that `write` appends.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.truncate(self.end);
        write(&mut self.buffer);
        self.end = self.buffer.len();
        self.count += 1;
    }

    /// Gives the longest run of whole records that fits into `capacity` bytes to `copy`, and forgets them if it
    /// succeeds.
    ///
    /// Returns how many records that were; `None` if records wait and not even the first fits.
    ///
    /// # Errors
    /// Whatever `copy` returns.
    pub fn take<E>(&mut self, capacity: usize, copy: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<Option<usize>, E> {
        if self.is_empty() {
            return Ok(Some(0));
        }
        let waiting = self.end - self.taken;
        let (length, count) = if waiting <= capacity {
            (waiting, self.count)
        } else {
            self.whole_records(capacity)
        };
        if count == 0 {
            return Ok(None);
        }
        copy(&self.buffer[self.taken..self.taken + length])?;
        self.forget(length, count);
        Ok(Some(count))
    }

    /// The part of the first record that all types of records have in common, if a record waits.
    #[must_use]
    pub fn first_head(&self) -> Option<&[u8]> {
        (!self.is_empty()).then(|| self.buffer.get(self.taken..self.taken + records::RECORD_HEAD))?
    }

    /// Forgets the first record, for which its taker has no room.
    pub fn drop_first(&mut self) {
        if let Some(length) = records::length_at(&self.buffer, self.taken).filter(|_| !self.is_empty()) {
            self.forget(length, 1);
        }
    }

    /// Forgets so many records, which were taken, and gives their room to who waits for some.
    fn forget(&mut self, length: usize, count: usize) {
        self.taken += length;
        self.count -= count;
        if self.is_empty() {
            self.taken = 0;
            self.end = 0;
            self.buffer.clear();
            if self.buffer.capacity() > KEEP_BYTES {
                self.buffer = Vec::new();
            }
        }
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }

    fn whole_records(&self, capacity: usize) -> (usize, usize) {
        let (mut length, mut count) = (0, 0);
        while let Some(next) = records::length_at(&self.buffer, self.taken + length) {
            if length + next > capacity {
                break;
            }
            length += next;
            count += 1;
        }
        (length, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(length: usize) -> impl FnOnce(&mut Vec<u8>) {
        move |out| records::write_log(out, 1, "t", &"x".repeat(length))
    }

    fn take(inbox: &mut Inbox, capacity: usize) -> (Option<usize>, usize) {
        let mut copied = 0;
        let count = inbox.take(capacity, |bytes| {
            copied = bytes.len();
            Ok::<_, ()>(())
        });
        (count.unwrap(), copied)
    }

    #[test]
    fn records_leave_whole_and_in_order() {
        let mut inbox = Inbox::default();
        for length in [7, 15, 7] {
            inbox.push(log_of(length));
        }
        assert_eq!(take(&mut inbox, 32 + 40), (Some(2), 72));
        assert_eq!(take(&mut inbox, 31), (None, 0));
        assert_eq!(take(&mut inbox, 32), (Some(1), 32));
        assert!(inbox.is_empty());
        assert_eq!(take(&mut inbox, 32), (Some(0), 0));
    }

    #[test]
    fn a_record_without_room_is_dropped_and_the_next_one_comes() {
        let mut inbox = Inbox::default();
        inbox.drop_first();
        assert_eq!(inbox.first_head(), None);
        inbox.push(log_of(200));
        inbox.push(log_of(7));
        assert_eq!(take(&mut inbox, 100), (None, 0));
        let head = inbox.first_head().unwrap();
        assert_eq!(
            (records::length_at(head, 0), head.len()),
            (Some(232), records::RECORD_HEAD)
        );
        inbox.drop_first();
        assert_eq!(take(&mut inbox, 100), (Some(1), 32));
        assert!(inbox.is_empty());
    }

    #[test]
    fn a_failed_copy_loses_nothing() {
        let mut inbox = Inbox::default();
        inbox.push(log_of(7));
        assert_eq!(inbox.take(100, |_| Err(())), Err(()));
        assert_eq!(take(&mut inbox, 100), (Some(1), 32));
    }

    #[test]
    fn a_write_that_panics_leaves_nothing_behind() {
        let mut inbox = Inbox::default();
        inbox.push(log_of(7));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            inbox.push(|out| {
                out.extend_from_slice(&[1, 2, 3]);
                panic!("in the middle of a record");
            });
        }));
        assert!(panicked.is_err());
        inbox.push(log_of(7));
        assert_eq!(take(&mut inbox, 100), (Some(2), 64));
    }

    #[test]
    fn a_full_inbox_has_no_room_and_an_empty_one_has_room_for_anything() {
        let mut inbox = Inbox::default();
        assert!(inbox.has_room(usize::MAX / 2));
        inbox.push(log_of(ROOM_BYTES));
        assert!(!inbox.has_room(1));
    }
}
