//! Files and requests for them, on a real disk.

mod answers;
mod caching;
mod paths;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hinny_core::files::FilesSettings;
use hinny_core::status;

use super::*;

/// The time of modification of files that tests make: long ago.
pub(super) const LONG_AGO: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LONG_AGO_SECONDS: u64 = 784_111_777;

/// The ETag of a file of that time, but for its length in front.
pub(super) const LONG_AGO_HEX: &str = "ae1b981bc490a00";

/// A directory that is removed with its owner.
pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "hinny-files-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Writes a file of long ago, and the directories it is in.
    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_modified(&path, UNIX_EPOCH + Duration::from_secs(LONG_AGO_SECONDS));
    }

    pub(super) fn link(&self, target: impl AsRef<Path>, path: &str) {
        std::os::unix::fs::symlink(target, self.0.join(path)).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn set_modified(path: &Path, time: SystemTime) {
    let file = fs::File::open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// An endpoint for the directory `root` in a directory, and the cache of one loop.
struct Site {
    directory: Directory,
    cache: FileCache,
    now_ms: u64,
    looks: usize,
}

/// What a client sees.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    status: u16,
    fields: String,
    content: Vec<u8>,
}

impl Site {
    fn new(configure: impl FnOnce(&mut FilesSettings)) -> Self {
        let directory = Directory::new();
        fs::create_dir(directory.0.join("root")).unwrap();
        let mut settings = FilesSettings::new(directory.0.join("root"));
        configure(&mut settings);
        let cache = FileCache::new(Arc::new(Files::new(settings).unwrap()));
        Self {
            directory,
            cache,
            now_ms: 5,
            looks: 0,
        }
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.directory.write(&format!("root/{path}"), content);
    }

    /// The response to a request, whose path is `/files/` and the rest.
    fn ask(&mut self, mut request: FileRequest<'_>) -> Seen {
        if request.path.is_empty() {
            request.path = [b"/files/", &*request.rest].concat().into();
        }
        let outcome = match self.cache.answer(&request, self.now_ms) {
            Lookup::Known(outcome) => outcome,
            Lookup::Unknown(look) => {
                self.looks += 1;
                self.cache.learn(look.run())
            }
        };
        seen(outcome)
    }

    fn get(&mut self, rest: &str) -> Seen {
        self.ask(request(rest, &[]))
    }

    fn status(&mut self, rest: &str) -> u16 {
        self.get(rest).status
    }
}

fn request<'a>(rest: &'a str, fields: &[(u16, &'a str)]) -> FileRequest<'a> {
    let mut request = FileRequest {
        rest: rest.as_bytes().into(),
        ..FileRequest::default()
    };
    for (id, value) in fields {
        request.add(*id, value.as_bytes());
    }
    request
}

fn seen(outcome: Outcome) -> Seen {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(kind) => {
            let answer = status::answer(kind).unwrap();
            let fields = answer
                .content_range()
                .map_or(String::new(), |range| format!("content-range: {range}\n"));
            return Seen {
                fields,
                ..of_status(answer.status.as_u16())
            };
        }
    };
    let mut lines = Vec::new();
    answer.write_fields(&mut lines);
    let fields = String::from_utf8(lines).unwrap().replace("\r\n", "\n");
    // Both engines send the same.
    let named: String = answer
        .fields()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect();
    assert_eq!(fields, named);
    let (status, length) = (answer.status().as_u16(), answer.content_length());
    let content = match answer.into_content() {
        FileContent::No => {
            return Seen {
                fields,
                ..of_status(status)
            };
        }
        FileContent::Whole(bytes) => bytes.to_vec(),
        FileContent::Parts(parts) => all(parts).unwrap(),
    };
    assert_eq!(length, Some(content.len() as u64));
    Seen {
        status,
        fields,
        content,
    }
}

fn of_status(status: u16) -> Seen {
    Seen {
        status,
        ..Seen::default()
    }
}

/// All bytes of some parts.
fn all(mut parts: FileParts) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    while let Some(next) = parts.take_next() {
        content.extend_from_slice(&match next {
            NextPart::Bytes(bytes) => bytes,
            NextPart::Read(read) => read.run()?,
        });
    }
    Ok(content)
}

/// Bytes that differ from place to place.
fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * n / 7 % 251) as u8).collect()
}
