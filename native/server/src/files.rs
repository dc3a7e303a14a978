//! Answers requests with files, without the JVM.
//!
//! On the loop, [`FileCache::answer`] knows the answer or gives a [`Look`], which is to run on a thread that may block;
//! what it saw goes back to the loop with [`FileCache::learn`].
//!
//! # Invariants
//! - A request is answered with a regular file below the root, by what was opened and not by what its name was a moment
//!   before, or as if there were none (`below.rs`): no other file is ever read.
//! - What a response says of its file (length, validators) was seen on the file that its bytes come from. A file that
//!   becomes shorter while it is sent breaks its response off.
//! - A file that was changed is seen within `:cache-ms`, and the time that a look takes.
//!
//! # Threads
//! [`Files`] is shared by all threads. A [`FileCache`] is a loop's own; only [`Look::run`] blocks.

mod answer;
mod below;
mod cache;
mod field_line;
mod look;
mod parts;
mod plan;
mod representation;
mod request;
mod store;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use hinny_core::files::FilesSettings;
use hinny_core::options::OptionError;

pub use answer::{FileAnswer, FileContent, Outcome};
pub use cache::{FileCache, Lookup};
pub use look::{Look, Looked};
pub(crate) use parts::READ_BYTES;
pub use parts::{FileParts, NextPart, Part, PartRead};
pub use request::FileRequest;

/// Of an endpoint that answers with files, what its loops share.
#[derive(Debug)]
pub struct Files {
    settings: FilesSettings,
    boundary_keys: [RandomState; 2],
    boundaries: AtomicU64,
}

/// Opens a file by its own path, in which links are followed. Waits for nobody: not for who writes to a FIFO. Whoever opens
/// must look whether it is a regular file.
///
/// # Errors
/// That of the system call.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    Ok(below::single(path)?)
}

impl Files {
    /// Checks that the root is there.
    ///
    /// The root is opened anew for each look, so that a deployment may replace it or the link that it is.
    ///
    /// # Errors
    /// An [`OptionError`] that says what is wrong with the root.
    pub fn new(settings: FilesSettings) -> Result<Self, OptionError> {
        let root = settings.root.display();
        let metadata = std::fs::metadata(&settings.root).map_err(|error| {
            OptionError(match error.kind() {
                io::ErrorKind::NotFound => format!(":files :root {root} does not exist"),
                _ => format!(":files :root {root} cannot be read: {error}"),
            })
        })?;
        if settings.single && !metadata.is_file() {
            return Err(OptionError(format!(":file {root} is not a regular file")));
        }
        if !settings.single && !metadata.is_dir() {
            return Err(OptionError(format!(":files :root {root} is not a directory")));
        }
        Ok(Self {
            settings,
            boundary_keys: [RandomState::new(), RandomState::new()],
            boundaries: AtomicU64::new(0),
        })
    }

    pub(crate) const fn settings(&self) -> &FilesSettings {
        &self.settings
    }

    /// A boundary for parts: 128 bits that whoever wrote the files cannot have known, so that no file has it.
    pub(crate) fn boundary(&self) -> String {
        let count = self.boundaries.fetch_add(1, Ordering::Relaxed);
        let [first, second] = &self.boundary_keys;
        format!("{:016x}{:016x}", first.hash_one(count), second.hash_one(count))
    }
}
