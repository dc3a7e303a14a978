//! What a loop knows of the files of an endpoint.
//!
//! # Invariants
//! - What is known is the answer for `:cache-ms` since it was asked for. Then the first request looks again; the others
//!   are answered as before until that look is done, for [`LEASE_MS`] at most.
//! - Files take `:cache-bytes`; paths at which there is nothing take a small part of that beside it, and push no file out.
//!
//! # Threads
//! The loop's own. Never blocks.

use std::sync::Arc;

use hinny_codec::file_path;
use hinny_core::error::Kind;

use super::Files;
use super::answer::Outcome;
use super::look::{Look, Looked};
use super::plan::{Entry, plan};
use super::request::FileRequest;
use super::store::Store;

/// For how long others may be answered as before while one looks again.
const LEASE_MS: u64 = 100;

/// Memory for paths at which there is nothing.
const MISSING_BYTES: usize = 256 << 10;

/// The part of the memory for files that they take at most.
const MISSING_PART: usize = 4;

/// Memory for a path besides its bytes.
const PATH_OVERHEAD: usize = 160;

/// Longer paths are no file's (`PATH_MAX`), decoded or not.
const PATH_BYTES_MAX: usize = 3 * 4096;

/// A loop's memory of the files of one endpoint.
#[derive(Debug)]
pub struct FileCache {
    files: Arc<Files>,
    found: Store<Known>,
    missing: Store<Known>,
}

#[derive(Debug)]
struct Known {
    entry: Arc<Entry>,
    until_ms: u64,
}

/// What the loop can say of a request.
#[derive(Debug)]
pub enum Lookup {
    /// What becomes of it.
    Known(Outcome),
    /// Someone must look.
    Unknown(Box<Look>),
}

impl FileCache {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(files: Arc<Files>) -> Self {
        let limit = files.settings().cache_bytes;
        Self {
            files,
            found: Store::new(limit),
            missing: Store::new(MISSING_BYTES.min(limit / MISSING_PART)),
        }
    }

    /// What becomes of a request at `now_ms` of the loop's clock.
    pub fn answer(&mut self, request: &FileRequest<'_>, now_ms: u64) -> Lookup {
        let mut before = None;
        if let Some(known) = self
            .found
            .get(&request.rest)
            .or_else(|| self.missing.get(&request.rest))
        {
            if now_ms < known.until_ms {
                if let Some(outcome) = plan(&self.files, &known.entry, request, &[]) {
                    return Lookup::Known(outcome);
                }
            } else {
                known.until_ms = now_ms + LEASE_MS.min(self.files.settings().cache_ms);
            }
            before = Some(Arc::clone(&known.entry));
        }
        let settings = self.files.settings();
        let path = if settings.single {
            request.rest.is_empty().then(|| file_path::FilePath {
                path: Vec::new(),
                is_directory: false,
            })
        } else {
            let rest = Some(&request.rest).filter(|rest| rest.len() <= PATH_BYTES_MAX);
            rest.and_then(|rest| file_path::decode(rest, settings.hidden))
        };
        let Some(path) = path else {
            return Lookup::Known(Err(Kind::RouteNotFound));
        };
        Lookup::Unknown(Box::new(Look {
            files: Arc::clone(&self.files),
            request: request.clone().into_owned(),
            path,
            known: before,
            asked_ms: now_ms,
        }))
    }

    /// Notes what was seen; returns what becomes of the request.
    pub fn learn(&mut self, looked: Looked) -> Outcome {
        let key = looked.request.rest.as_ref();
        match looked.entry {
            Some(entry) => {
                let known = Known {
                    until_ms: looked.asked_ms.saturating_add(self.files.settings().cache_ms),
                    entry,
                };
                let path_weight = key.len() + PATH_OVERHEAD;
                match &*known.entry {
                    Entry::Missing => {
                        self.found.remove(key);
                        self.missing.put(key, known, path_weight);
                    }
                    Entry::Directory => {
                        self.missing.remove(key);
                        self.found.put(key, known, path_weight);
                    }
                    Entry::File(representations) => {
                        let weight = representations.iter().map(|one| one.weight()).sum::<usize>();
                        self.missing.remove(key);
                        self.found.put(key, known, path_weight + weight);
                    }
                }
            }
            None => {
                self.found.remove(key);
                self.missing.remove(key);
            }
        }
        looked.outcome
    }
}
