//! Numbered places for values that another side names by number: exchanges, connections, handles.
//!
//! # Invariants
//! - An id is a slot (low 32 bits) and a generation (high 32 bits). Removing a value ends its id for good: the slot's
//!   next value has another generation, so a late id finds nothing instead of a stranger.
//! - Ids are never negative as a Java `long`, and never 0.

/// Values under generation-checked ids.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Generations stay below 2³¹ (a Java `long` of an id stays positive) and start at 1 (an id is never 0).
const GENERATION_MAX: u32 = i32::MAX as u32;

impl<T> Slots<T> {
    /// No values yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Keeps `value` and gives its id. `None` when 2³² values are kept.
    pub fn insert(&mut self, value: T) -> Option<u64> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(Slot {
                    generation: 1,
                    value: None,
                });
                index
            }
        };
        let slot = self.slots.get_mut(index as usize)?;
        slot.value = Some(value);
        Some(u64::from(slot.generation) << 32 | u64::from(index))
    }

    /// The value of an id that is still in use.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.slot(id)?.value.as_mut()
    }

    /// Ends an id and gives back its value.
    pub fn remove(&mut self, id: u64) -> Option<T> {
        let slot = self.slot(id)?;
        let value = slot.value.take()?;
        slot.generation = if slot.generation == GENERATION_MAX {
            1
        } else {
            slot.generation + 1
        };
        self.free.push(id as u32);
        Some(value)
    }

    /// The number of values kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether no value is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }

    fn slot(&mut self, id: u64) -> Option<&mut Slot<T>> {
        let slot = self.slots.get_mut((id & u64::from(u32::MAX)) as usize)?;
        (u64::from(slot.generation) == id >> 32).then_some(slot)
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_removed_id_stays_dead_when_its_slot_is_used_again() {
        let mut slots = Slots::new();
        let first = slots.insert('a').unwrap();
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b').unwrap();
        assert_eq!(first as u32, second as u32);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut 'b'));
    }

    #[test]
    fn unknown_ids_find_nothing() {
        let mut slots = Slots::<u8>::new();
        for id in [0, 1, u64::MAX, 1 << 32] {
            assert_eq!(slots.get_mut(id), None);
            assert_eq!(slots.remove(id), None);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_map(operations in proptest::collection::vec((any::<bool>(), any::<u8>()), 0..200)) {
            let mut slots = Slots::new();
            let mut model = HashMap::new();
            let mut ids = Vec::new();
            for (insert, n) in operations {
                if insert || ids.is_empty() {
                    let id = slots.insert(n).unwrap();
                    prop_assert!(model.insert(id, n).is_none());
                    prop_assert!(i64::try_from(id).unwrap() > 0);
                    ids.push(id);
                } else {
                    let id = ids[usize::from(n) % ids.len()];
                    prop_assert_eq!(slots.remove(id), model.remove(&id));
                }
                prop_assert_eq!(slots.len(), model.len());
            }
        }
    }
}
