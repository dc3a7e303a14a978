//! The lines of a head or a trailer section, as they come in pieces.

use memchr::memchr;

use super::fault::Fault;

/// How far a section has come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What earlier pieces had of the line that is cut.
    cut: Vec<u8>,
    /// Bytes of earlier pieces.
    length: u32,
}

/// What bytes hold of a section.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    /// It ends with so many of them.
    Ends(usize),
    /// It takes all of them, and goes on.
    GoesOn,
}

/// How many bytes stand before the line with a fault, and the fault.
pub(super) type FaultAt = (usize, Fault);

impl Lines {
    pub(super) const fn new() -> Self {
        Self {
            cut: Vec::new(),
            length: 0,
        }
    }

    /// What there is of the line that is cut.
    pub(super) fn cut(&self) -> &[u8] {
        &self.cut
    }

    /// Gives each whole line without its LF to `line`, which says whether the section ends with it. What is looked at never
    /// exceeds the limit, so that it does not matter how the bytes were cut.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        limit: usize,
        too_large: Fault,
        mut line: impl FnMut(&[u8]) -> Result<bool, Fault>,
    ) -> Result<Section, FaultAt> {
        let room = limit.saturating_sub(self.length as usize);
        let visible = &bytes[..bytes.len().min(room)];
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &visible[at..]) {
            let rest = &visible[at..at + length];
            let ends = if self.cut.is_empty() {
                line(rest)
            } else {
                self.cut.extend_from_slice(rest);
                let ends = line(&self.cut);
                self.cut.clear();
                ends
            };
            let ends = ends.map_err(|fault| (at, fault))?;
            at += length + 1;
            if ends {
                return Ok(Section::Ends(at));
            }
        }
        self.cut.extend_from_slice(&visible[at..]);
        // At most the limit, which is far below 4 GiB.
        self.length += visible.len() as u32;
        if visible.len() < bytes.len() {
            return Err((visible.len(), too_large));
        }
        Ok(Section::GoesOn)
    }
}
