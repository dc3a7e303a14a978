//! The parameters of a path.

/// So many take no memory from the heap.
const FEW: usize = 8;

/// The values of a matched path's parameters in order, with their escapes.
#[derive(Debug, Default)]
pub struct Params<'p> {
    few: [Option<&'p str>; FEW],
    more: Vec<Option<&'p str>>,
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
    pub fn values(&self) -> impl Iterator<Item = Option<&'p str>> {
        self.few[..self.length.min(FEW)].iter().chain(&self.more).copied()
    }

    pub(crate) fn push(&mut self, value: Option<&'p str>) {
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
