//! Amounts that a server as a whole may have of something (bytes that wait, exchanges), counted by its loops.
//!
//! A loop takes from the server's amount in steps and gives back in steps, so that what it counts for a request touches
//! nothing that another loop writes. What a loop has taken and does not use is its own to use whatever the others have:
//! a loop that holds little goes on while another one holds all that is left.
//!
//! # Invariants
//! - What loops have taken is at least what they use. It exceeds the limit only by what was there already when it was
//!   counted ([`Share::add`]); nothing is let in beyond it ([`Share::has_room`]).
//! - A loop keeps at most two steps that it does not use; none at all where steps are 1, so a small limit is exact.
//!
//! # Threads
//! A [`Budget`] is shared by all; a [`Share`] is one loop's.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A loop's steps together are at most this part of the limit.
const STEPS_PART: u64 = 8;

/// The largest step in bytes.
pub(crate) const STEP_BYTES: u64 = 1 << 20;

/// The largest step in exchanges.
pub(crate) const STEP_EXCHANGES: u64 = 64;

/// An amount that all loops share.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Budget {
    limit: u64,
    step: u64,
    taken: AtomicU64,
    /// A loop waits for something to be given back.
    wanted: AtomicBool,
}

impl Budget {
    /// An amount for so many loops, which take at most `step_max` at once.
    pub(crate) fn new(limit: u64, loops: usize, step_max: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            step: (limit / (STEPS_PART * loops.max(1) as u64)).clamp(1, step_max),
            taken: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
        })
    }

    const fn steps(&self, amount: u64) -> u64 {
        amount.div_ceil(self.step) * self.step
    }

    fn try_take(&self, amount: u64) -> bool {
        let more = |taken: u64| taken.checked_add(amount).filter(|taken| *taken <= self.limit);
        self.taken
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, more)
            .is_ok()
    }
}

/// A loop's part of a [`Budget`].
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    used: Cell<u64>,
    taken: Cell<u64>,
    /// How much of what is taken is beyond the limit.
    over: Cell<u64>,
}

impl Share {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        let share = Self {
            budget: Arc::clone(budget),
            used: Cell::new(0),
            taken: Cell::new(0),
            over: Cell::new(0),
        };
        if share.kept() > 0 && budget.try_take(budget.step) {
            share.taken.set(budget.step);
        }
        share
    }

    /// The whole server's limit.
    pub(crate) fn limit(&self) -> u64 {
        self.budget.limit
    }

    /// What this loop has counted.
    pub(crate) const fn used(&self) -> u64 {
        self.used.get()
    }

    /// By how much this loop has gone beyond the limit with what was there already.
    pub(crate) const fn over(&self) -> u64 {
        self.over.get()
    }

    /// Counts what is there.
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        let used = self.used.get() + amount;
        self.used.set(used);
        if used > self.taken.get() {
            self.take(used - self.taken.get());
        }
    }

    #[cold]
    fn take(&self, missing: u64) {
        if !self.try_take(missing) {
            let before = self.budget.taken.fetch_add(missing, Ordering::SeqCst);
            let room = self.budget.limit.saturating_sub(before).min(missing);
            self.taken.update(|taken| taken + missing);
            self.over.update(|over| over + missing - room);
        }
    }

    /// Whole steps if they are there, else what is missing.
    fn try_take(&self, missing: u64) -> bool {
        let sizes = [self.budget.steps(missing), missing];
        let found = sizes.into_iter().find(|size| self.budget.try_take(*size));
        self.taken.update(|taken| taken + found.unwrap_or(0));
        found.is_some()
    }

    /// Counts what is gone; whether a loop waits for room, which there may be now.
    #[inline]
    pub(crate) fn remove(&self, amount: u64) -> bool {
        let used = self.used.get().saturating_sub(amount);
        self.used.set(used);
        let unused = self.taken.get() - used;
        (unused > self.kept() || self.over.get() > 0) && self.give_back(unused)
    }

    /// How much may be unused.
    fn kept(&self) -> u64 {
        if self.budget.step == 1 { 0 } else { 2 * self.budget.step }
    }

    #[cold]
    fn give_back(&self, unused: u64) -> bool {
        let over = self.over.get().min(unused);
        let spare = if unused > self.kept() {
            unused - self.kept() / 2
        } else {
            0
        };
        let back = over.max(spare);
        self.over.update(|before| before - over);
        self.taken.update(|taken| taken - back);
        self.budget.taken.fetch_sub(back, Ordering::SeqCst);
        self.budget.wanted.load(Ordering::SeqCst) && self.budget.wanted.swap(false, Ordering::SeqCst)
    }

    /// Changes what was counted for one thing; see [`Self::remove`].
    #[inline]
    pub(crate) fn adjust(&self, counted: &Cell<u64>, now: u64) -> bool {
        let before = counted.get();
        if now == before {
            return false;
        }
        counted.set(now);
        if now > before {
            self.add(now - before);
            return false;
        }
        self.remove(before - now)
    }

    /// Whether so much may be let in. If not, whoever makes room is told to wake the loops.
    #[inline]
    pub(crate) fn has_room(&self, amount: u64) -> bool {
        self.used.get() + amount <= self.taken.get() && self.over.get() == 0 || self.find_room(amount)
    }

    #[cold]
    fn find_room(&self, amount: u64) -> bool {
        if self.over.get() > 0 {
            self.budget.wanted.store(true, Ordering::SeqCst);
            return false;
        }
        let missing = self.used.get() + amount - self.taken.get();
        if self.try_take(missing) {
            return true;
        }
        self.budget.wanted.store(true, Ordering::SeqCst);
        // It may have been given back just before.
        self.try_take(missing)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.taken.get(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
