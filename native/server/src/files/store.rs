//! Values by path, as many as a given weight.
//!
//! # Invariants
//! - The values together weigh no more than the limit; what weighs more alone is not stored.
//! - Room is made by the clock algorithm: a hand goes round and takes what was not asked for since it was there last.
//!   Asking for a value moves nothing.

use std::collections::HashMap;
use std::rc::Rc;

#[derive(Debug)]
pub(super) struct Store<V> {
    slots: Vec<Option<Slot<V>>>,
    by_key: HashMap<Rc<[u8]>, usize>,
    free: Vec<usize>,
    hand: usize,
    weight: usize,
    limit: usize,
}

#[derive(Debug)]
struct Slot<V> {
    key: Rc<[u8]>,
    value: V,
    weight: usize,
    used: bool,
}

impl<V> Store<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            slots: Vec::new(),
            by_key: HashMap::new(),
            free: Vec::new(),
            hand: 0,
            weight: 0,
            limit,
        }
    }

    pub(super) fn get(&mut self, key: &[u8]) -> Option<&mut V> {
        let slot = self.slots.get_mut(*self.by_key.get(key)?)?.as_mut()?;
        slot.used = true;
        Some(&mut slot.value)
    }

    /// Stores a value in place of one with the same key.
    pub(super) fn put(&mut self, key: &[u8], value: V, weight: usize) {
        self.remove(key);
        if weight > self.limit {
            return;
        }
        while self.weight + weight > self.limit {
            self.evict();
        }
        self.weight += weight;
        let key: Rc<[u8]> = key.into();
        let slot = Some(Slot {
            key: Rc::clone(&key),
            value,
            weight,
            used: false,
        });
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.by_key.insert(key, at);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(at) = self.by_key.get(key).copied() {
            self.clear(at);
        }
    }

    /// Moves the hand by one.
    fn evict(&mut self) {
        let at = self.hand;
        self.hand = if at + 1 < self.slots.len() { at + 1 } else { 0 };
        match self.slots.get_mut(at) {
            Some(Some(slot)) if slot.used => slot.used = false,
            Some(Some(_)) => self.clear(at),
            Some(None) | None => {}
        }
    }

    fn clear(&mut self, at: usize) {
        if let Some(slot) = self.slots.get_mut(at).and_then(Option::take) {
            self.by_key.remove(&slot.key);
            self.weight -= slot.weight;
            self.free.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_asked_for_stays() {
        let mut store = Store::new(3);
        for key in [b"a", b"b", b"c"] {
            store.put(key, key[0], 1);
        }
        assert_eq!(store.get(b"a"), Some(&mut b'a'));
        store.put(b"d", b'd', 1);
        assert_eq!(store.get(b"b"), None);
        assert_eq!(store.get(b"a"), Some(&mut b'a'));
        store.put(b"a", b'A', 2);
        assert_eq!(store.get(b"a"), Some(&mut b'A'));
        store.put(b"e", b'e', 4);
        assert_eq!(store.get(b"e"), None);
        store.put(b"f", b'f', 3);
        assert_eq!(store.get(b"a"), None);
        assert_eq!(store.get(b"f"), Some(&mut b'f'));
        store.put(b"f", b'F', 9);
        assert_eq!(store.get(b"f"), None);
        assert_eq!(store.weight, 0);
    }

    proptest! {
        #[test]
        fn the_limit_holds_and_a_value_is_the_last_one(puts in prop::collection::vec((0_u8..6, 0_usize..8, any::<bool>()), 0..80)) {
            let mut store = Store::new(12);
            let mut last = HashMap::new();
            for (n, (key, weight, get)) in puts.into_iter().enumerate() {
                if get {
                    let value = store.get(&[key]).map(|value| *value);
                    prop_assert!(value.is_none() || value == last.get(&key).copied());
                } else {
                    store.put(&[key], n, weight);
                    last.insert(key, n);
                    prop_assert_eq!(store.get(&[key]).map(|value| *value), Some(n));
                }
                let total: usize = store.slots.iter().flatten().map(|slot| slot.weight).sum();
                prop_assert!(total == store.weight && total <= 12);
                prop_assert_eq!(store.by_key.len() + store.free.len(), store.slots.len());
            }
        }
    }
}
