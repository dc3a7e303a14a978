//! The path of a URI below some root, as the path of a file below a directory.
//!
//! # Invariants
//! - The path of a file has no segment that is empty, `.` or `..`, and none with a slash, a backslash or NUL in it: it
//!   names the same file in whichever way the system reads it, and never one beside its root unless a symbolic link
//!   leads there.
//! - It is decoded once: `%252e` is the name `%2e`.

use crate::percent::{self, Style};

#[cfg(test)]
mod tests;

/// The path of a file or directory below a root, which it does not name itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath {
    /// Segments with slashes between them and none around them, decoded; empty for the root.
    pub path: Vec<u8>,
    /// It is that of a directory: it ended in a slash, or is the root's.
    pub is_directory: bool,
}

/// Decodes a path, which is percent-encoded and has no slash in front; `None` if it names no file that may be served.
///
/// Names that begin with a dot are hidden, unless `hidden` is true; `.well-known` (RFC 8615) never is.
#[must_use]
pub fn decode(encoded: &[u8], hidden: bool) -> Option<FilePath> {
    let is_directory = matches!(encoded, [] | [.., b'/']);
    let segments = match encoded {
        [] => {
            return Some(FilePath {
                path: Vec::new(),
                is_directory,
            });
        }
        [segments @ .., b'/'] => segments,
        segments => segments,
    };
    let mut path = Vec::with_capacity(segments.len());
    for segment in segments.split(|byte| *byte == b'/') {
        if !path.is_empty() {
            path.push(b'/');
        }
        let start = path.len();
        percent::decode(segment, Style::Uri, &mut path).ok()?;
        if !is_name(&path[start..], hidden) {
            return None;
        }
    }
    Some(FilePath { path, is_directory })
}

/// Whether a decoded segment is the name of a file that may be served.
fn is_name(segment: &[u8], hidden: bool) -> bool {
    let is_shown = hidden || !segment.starts_with(b".") || segment == b".well-known";
    !matches!(segment, b"" | b"." | b"..")
        && is_shown
        && !segment.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'\0'))
}
