//! Looks at the disk for one request.
//!
//! # Invariants
//! - All that is learned of a file is learned of the one that was opened: its state is read from it before and after its
//!   content, and content that changed meanwhile is not kept.
//! - An encoded file that is older than the one it encodes is not used: it is of an earlier one.
//!
//! # Threads
//! A [`Look`] is made on a loop, runs on a thread that may block, and its result goes back to the loop.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::SystemTime;

use hinny_codec::file_path::FilePath;
use hinny_core::error::Kind;
use hinny_core::files::Coding;
use rustix::io::Errno;

use super::Files;
use super::answer::{FileContent, Outcome};
use super::below::{self, Root};
use super::parts;
use super::plan::{Entry, plan};
use super::representation::{Representation, State};
use super::request::FileRequest;

/// The largest file whose content is kept in memory.
const SMALL_BYTES: u64 = 64 << 10;

/// How often a file is read again that changes while it is read.
const READS: usize = 3;

/// What is to be looked at.
#[derive(Debug)]
pub struct Look {
    pub(super) files: Arc<Files>,
    pub(super) request: FileRequest<'static>,
    pub(super) path: FilePath,
    /// What was there the last time.
    pub(super) known: Option<Arc<Entry>>,
    pub(super) asked_ms: u64,
}

/// What was seen.
#[derive(Debug)]
pub struct Looked {
    pub(super) request: FileRequest<'static>,
    /// None if the look failed.
    pub(super) entry: Option<Arc<Entry>>,
    pub(super) asked_ms: u64,
    pub(super) outcome: Outcome,
}

impl Looked {
    /// What becomes of the request.
    pub(crate) fn into_outcome(self) -> Outcome {
        self.outcome
    }
}

impl Look {
    /// Looks, and reads the beginning of what is to be sent. Blocks: not for an event loop.
    #[must_use]
    pub fn run(self) -> Looked {
        let seen = self.see(SystemTime::now()).and_then(|(entry, opened)| {
            let outcome = plan(&self.files, &entry, &self.request, &opened).unwrap_or(Err(Kind::Internal));
            Ok((entry, read_ahead(outcome)?))
        });
        let (entry, outcome) = match seen {
            Ok((entry, outcome)) => (Some(entry), outcome),
            Err(error) => {
                let path = self.path.path.escape_ascii();
                log::error!(
                    "cannot send {path} of {}: {error}",
                    self.files.settings().root.display()
                );
                (None, Err(Kind::FileUnreadable))
            }
        };
        Looked {
            request: self.request,
            entry,
            asked_ms: self.asked_ms,
            outcome,
        }
    }

    /// What is at the path, and its files if they are not in memory.
    fn see(&self, now: SystemTime) -> io::Result<Seen> {
        let mut seen = None;
        let settings = self.files.settings();
        let eye = Eye { look: self, now };
        if settings.single {
            seen = eye.file(&Place::Single, settings.root.as_os_str().as_bytes())?;
        } else if let Some(root) = found(Root::open(&settings.root, settings.symlinks))? {
            let path = self.path.path.as_slice();
            let place = Place::Below(&root);
            if self.path.is_directory {
                for name in &settings.index {
                    let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
                    let is_file = |seen: &Seen| matches!(*seen.0, Entry::File(_));
                    seen = eye.file(&place, &[path, slash, name].concat())?.filter(is_file);
                    if seen.is_some() {
                        break;
                    }
                }
            } else {
                seen = eye.file(&place, path)?;
            }
        }
        Ok(seen.unwrap_or_else(|| (Arc::new(Entry::Missing), Vec::new())))
    }
}

/// An entry, and the files of its representations.
type Seen = (Arc<Entry>, Vec<Option<Arc<File>>>);

/// Where paths begin.
enum Place<'a> {
    Below(&'a Root),
    Single,
}

impl Place<'_> {
    fn open(&self, path: &[u8]) -> io::Result<Option<(File, State, Type)>> {
        let opened = match self {
            Place::Below(root) => root.file(path),
            Place::Single => below::single(std::ffi::OsStr::from_bytes(path).as_ref()),
        };
        let Some(file) = found(opened)? else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        let kind = if metadata.is_file() {
            Type::File
        } else if metadata.is_dir() {
            Type::Directory
        } else {
            return Ok(None);
        };
        Ok(Some((file, State::of(&metadata), kind)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    File,
    Directory,
}

/// A look that goes on.
struct Eye<'a> {
    look: &'a Look,
    now: SystemTime,
}

impl Eye<'_> {
    /// What is at a path; `None` if nothing is.
    fn file(&self, place: &Place<'_>, path: &[u8]) -> io::Result<Option<Seen>> {
        let settings = self.look.files.settings();
        let Some((file, state, kind)) = place.open(path)? else {
            return Ok(None);
        };
        if kind == Type::Directory {
            let is_directory = !settings.index.is_empty() && !settings.single;
            return Ok(is_directory.then(|| (Arc::new(Entry::Directory), Vec::new())));
        }
        let mut representations = Vec::new();
        let mut opened = Vec::new();
        for coding in &settings.precompressed {
            let encoded = place.open(&[path, coding.suffix().as_bytes()].concat())?;
            if let Some((encoded, encoded_state, Type::File)) = encoded
                && encoded_state.modified >= state.modified
            {
                let (representation, rest) = self.representation(encoded, path, Some(*coding), encoded_state)?;
                representations.push(representation);
                opened.push(rest);
            }
        }
        let (representation, rest) = self.representation(file, path, None, state)?;
        representations.push(representation);
        opened.push(rest);
        Ok(Some((Arc::new(Entry::File(representations)), opened)))
    }

    /// A file as it is sent, and itself if its content is not in memory.
    fn representation(
        &self,
        file: File,
        path: &[u8],
        coding: Option<Coding>,
        mut state: State,
    ) -> io::Result<(Arc<Representation>, Option<Arc<File>>)> {
        // Content of a file that is not settled may have changed since it was read, without a trace in the state.
        let is_settled = state.is_settled(self.now);
        let is_same = |known: &&Arc<Representation>| {
            known.state == state && known.is_settled == is_settled && (is_settled || known.content.is_none())
        };
        if let Some(known) = self.known(coding).filter(is_same) {
            let rest = known.content.is_none().then(|| Arc::new(file));
            return Ok((Arc::clone(known), rest));
        }
        let mut content = None;
        for _ in 0..READS {
            if state.length > SMALL_BYTES {
                break;
            }
            let read = parts::read(&file, 0, state.length);
            let after = State::of(&file.metadata()?);
            if after == state {
                content = Some(read?);
                break;
            }
            state = after;
        }
        let rest = content.is_none().then(|| Arc::new(file));
        let settings = self.look.files.settings();
        let representation = Representation::new(settings, path, coding, state, content, self.now);
        Ok((Arc::new(representation), rest))
    }

    fn known(&self, coding: Option<Coding>) -> Option<&Arc<Representation>> {
        match self.look.known.as_deref()? {
            Entry::File(representations) => representations.iter().find(|known| known.coding == coding),
            Entry::Directory | Entry::Missing => None,
        }
    }
}

/// Reads the beginning of content that is in a file.
fn read_ahead(mut outcome: Outcome) -> io::Result<Outcome> {
    if let Ok(answer) = &mut outcome
        && let FileContent::Parts(parts) = &mut answer.content
    {
        parts.read_first()?;
    }
    Ok(outcome)
}

/// `None` for what may not be served or is not there.
fn found<T>(opened: Result<T, Errno>) -> io::Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if below::is_missing(error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
