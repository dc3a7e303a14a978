//! Content that is in pieces: some in memory, some in a file.
//!
//! # Invariants
//! - At most [`READ_BYTES`] of the file are read at once.
//! - The file is as long as it was when it was opened, or reading fails.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};

/// How much of a file is read at once.
pub(crate) const READ_BYTES: u64 = 128 << 10;

/// Content of which something is in a file.
#[derive(Debug)]
pub struct FileParts {
    file: Arc<File>,
    parts: VecDeque<Part>,
    length: u64,
}

/// A piece of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is in memory.
    Bytes(Bytes),
    /// It is in the file.
    File {
        /// Where it begins.
        offset: u64,
        /// How many bytes it has.
        length: u64,
    },
}

impl Part {
    const fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// What comes next.
#[derive(Debug)]
pub enum NextPart {
    /// Bytes that are there.
    Bytes(Bytes),
    /// Bytes that must be read.
    Read(PartRead),
}

/// A read of some bytes of a file.
#[derive(Debug)]
pub struct PartRead {
    file: Arc<File>,
    offset: u64,
    length: u64,
}

impl FileParts {
    /// The parts in order; those of `file` must be within it.
    #[must_use]
    pub fn new(file: Arc<File>, parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: VecDeque<Part> = parts.into_iter().filter(|part| part.length() > 0).collect();
        let length = parts.iter().map(Part::length).sum();
        Self { file, parts, length }
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Whether what comes next must be read.
    pub(crate) fn is_next_read(&self) -> bool {
        matches!(self.parts.front(), Some(Part::File { .. }))
    }

    /// Takes off what comes next; `None` at the end.
    pub fn take_next(&mut self) -> Option<NextPart> {
        let next = match self.parts.pop_front()? {
            Part::Bytes(bytes) => {
                self.length -= bytes.len() as u64;
                NextPart::Bytes(bytes)
            }
            Part::File { offset, length } => {
                let taken = length.min(READ_BYTES);
                if taken < length {
                    self.parts.push_front(Part::File {
                        offset: offset + taken,
                        length: length - taken,
                    });
                }
                self.length -= taken;
                NextPart::Read(PartRead {
                    file: Arc::clone(&self.file),
                    offset,
                    length: taken,
                })
            }
        };
        Some(next)
    }

    /// Reads the first bytes that are in the file. Blocks: not for an event loop.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn read_first(&mut self) -> io::Result<()> {
        let is_file = |part: &Part| matches!(part, Part::File { .. });
        let Some(at) = self.parts.iter().position(is_file) else {
            return Ok(());
        };
        let mut behind = self.parts.split_off(at);
        std::mem::swap(&mut behind, &mut self.parts);
        if let Some(NextPart::Read(read)) = self.take_next() {
            let bytes = read.run()?;
            self.length += bytes.len() as u64;
            self.parts.push_front(Part::Bytes(bytes));
        }
        while let Some(before) = behind.pop_back() {
            self.parts.push_front(before);
        }
        Ok(())
    }
}

impl PartRead {
    /// How many bytes it reads.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Reads. Blocks: not for an event loop.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn run(self) -> io::Result<Bytes> {
        read(&self.file, self.offset, self.length)
    }
}

/// Reads so many bytes.
pub(super) fn read(file: &File, mut offset: u64, length: u64) -> io::Result<Bytes> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let before = bytes.len();
        match pread(file, spare_capacity(&mut bytes), offset) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file has become shorter",
                ));
            }
            Ok(_) => offset += (bytes.len() - before) as u64,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // The vector may have been given more room than it was asked for.
    bytes.truncate(length);
    Ok(bytes.into())
}
