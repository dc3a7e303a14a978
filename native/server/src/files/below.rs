//! Opens files below a root directory.
//!
//! # Invariants
//! - What is opened is what was checked: the kernel resolves the path and keeps to the rule (`openat2`), or every step
//!   is opened from the one before, without following links, and links are followed here. No name is looked at twice.
//! - With [`Symlinks::Inside`], no step of a path or of a link leaves the root, not even to come back; an absolute link
//!   does.
//! - Nothing here waits for a FIFO or a device. Whoever opens must look whether it is a regular file.
//!
//! # Threads
//! Blocks: not for an event loop.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use hinny_core::files::Symlinks;
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2, readlinkat};
use rustix::io::{Errno, Result};

#[cfg(test)]
mod tests;

/// How files are opened.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// How a directory is opened on the way to another file.
const PASS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Links in the way of one path, as in Linux.
const LINKS_MAX: usize = 40;

/// How often the kernel is asked again when something was renamed meanwhile.
const TRIES: usize = 8;

/// The kernel has no `openat2` (before Linux 5.6). No other error is remembered: one may be of a file only.
static IS_UNKNOWN: AtomicBool = AtomicBool::new(false);

/// A root directory that is open.
#[derive(Debug)]
pub(super) struct Root {
    directory: OwnedFd,
    symlinks: Symlinks,
}

impl Root {
    /// Opens a directory; links in its own path are followed.
    pub(super) fn open(path: &Path, symlinks: Symlinks) -> Result<Self> {
        let directory = open(path, PASS, Mode::empty())?;
        Ok(Self { directory, symlinks })
    }

    /// Opens what has a path below it: one without empty, `.` or `..` segments.
    pub(super) fn file(&self, path: &[u8]) -> Result<File> {
        let rule = match self.symlinks {
            Symlinks::Follow => return openat(&self.directory, path, READ, Mode::empty()).map(File::from),
            Symlinks::Inside => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
            Symlinks::Refuse => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS,
        };
        if !IS_UNKNOWN.load(Ordering::Relaxed) {
            match self.resolve(path, rule) {
                Err(Errno::NOSYS) => IS_UNKNOWN.store(true, Ordering::Relaxed),
                // A sandbox may forbid the call (EPERM, some say EINVAL), and renames may go on (EAGAIN).
                Err(Errno::PERM | Errno::INVAL | Errno::AGAIN | Errno::OPNOTSUPP) => {}
                opened => return opened,
            }
        }
        self.walk(path)
    }

    /// Lets the kernel resolve the path.
    fn resolve(&self, path: &[u8], rule: ResolveFlags) -> Result<File> {
        let mut tries = 0;
        loop {
            tries += 1;
            match openat2(&self.directory, path, READ, Mode::empty(), rule) {
                Err(Errno::AGAIN | Errno::INTR) if tries < TRIES => {}
                opened => return opened.map(File::from),
            }
        }
    }

    /// Resolves the path step by step.
    fn walk(&self, path: &[u8]) -> Result<File> {
        let mut directories: Vec<OwnedFd> = Vec::new();
        // The last is the next.
        let mut segments = Vec::new();
        push_reversed(&mut segments, path);
        let mut links = 0;
        while let Some(segment) = segments.pop() {
            if matches!(segment.as_slice(), b"" | b".") {
                continue;
            }
            if segment == b".." {
                directories.pop().ok_or(Errno::XDEV)?;
                continue;
            }
            let directory = self.last(&directories);
            let is_file = segments.is_empty();
            let flags = if is_file { READ } else { PASS } | OFlags::NOFOLLOW;
            match openat(directory, segment.as_slice(), flags, Mode::empty()) {
                Ok(file) if is_file => return Ok(file.into()),
                Ok(passed) => directories.push(passed),
                Err(error @ (Errno::LOOP | Errno::NOTDIR)) => {
                    let target = readlinkat(directory, segment.as_slice(), Vec::new()).map_err(|_| error)?;
                    links += 1;
                    if self.symlinks == Symlinks::Refuse || links > LINKS_MAX {
                        return Err(Errno::LOOP);
                    }
                    if target.as_bytes().starts_with(b"/") {
                        return Err(Errno::XDEV);
                    }
                    push_reversed(&mut segments, target.as_bytes());
                }
                Err(error) => return Err(error),
            }
        }
        openat(self.last(&directories), c".", READ, Mode::empty()).map(File::from)
    }

    fn last<'a>(&'a self, directories: &'a [OwnedFd]) -> BorrowedFd<'a> {
        directories.last().unwrap_or(&self.directory).as_fd()
    }
}

/// Opens a file by its own path, in which links are followed.
pub(super) fn single(path: &Path) -> Result<File> {
    open(path, READ, Mode::empty()).map(File::from)
}

/// Whether an error says of a path that there is no file which may be served; all others are the server's trouble.
pub(super) const fn is_missing(error: Errno) -> bool {
    matches!(
        error,
        // No such name, or none that could be one.
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::INVAL | Errno::ILSEQ
            // Links that lead nowhere or out of the root.
            | Errno::LOOP | Errno::XDEV
            // Sockets and devices without a driver.
            | Errno::NXIO | Errno::NODEV
            // Files that the server may not read: whether they are there is nobody's business.
            | Errno::ACCESS | Errno::PERM
    )
}

fn push_reversed(segments: &mut Vec<Vec<u8>>, path: &[u8]) {
    segments.extend(path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
}
