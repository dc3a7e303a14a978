//! A file as it is sent: its header fields, and its content if that is small.
//!
//! # Invariants
//! - An ETag is made of length and time of modification, and of the coding, so that no two representations at one URI
//!   share one (RFC 9110 §8.8.3). It has neither the inode nor the time of the inode's change: several servers with
//!   copies of one file give it the same one.
//! - It is strong only if the file cannot change once more at the same time of modification: not while that time is less
//!   than [`SETTLED`] ago (RFC 9110 §8.8.1). Until then it is weak, and no range is sent for an older one.
//! - A time of modification that is none (from a reproducible build, which sets it to a constant) tells nothing of
//!   changes: the time of the inode's change stands in, and there is no Last-Modified.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hinny_codec::conditional::Validators;
use hinny_codec::mime;
use hinny_core::files::{Coding, FilesSettings};
use http::{HeaderName, HeaderValue, header};

use super::field_line::write_line;

/// For so long a file may change again without another time: file systems have steps of up to two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// A time of modification before this, 2 January 1980, is none: the constants in use are 0 and 1 (1970) and 1 January
/// 1980, the first day that a ZIP can name.
const FIRST_REAL_SECOND: u64 = 315_619_200;

/// What tells whether a file is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    device: u64,
    inode: u64,
    pub(super) length: u64,
    pub(super) modified: Time,
    changed: Time,
}

/// Seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    seconds: i64,
    nanoseconds: i64,
}

/// A file as it is sent.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) state: State,
    pub(super) coding: Option<Coding>,
    /// Those that do not say what the content is come first.
    fields: Vec<(HeaderName, HeaderValue)>,
    about: usize,
    /// The same as lines.
    lines: Vec<u8>,
    about_bytes: usize,
    pub(super) content_type: HeaderValue,
    etag: HeaderValue,
    last_modified: Option<u64>,
    /// A later change would show in the validators.
    pub(super) is_settled: bool,
    /// The content of a small file.
    pub(super) content: Option<Bytes>,
}

impl State {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: Time {
                seconds: metadata.mtime(),
                nanoseconds: metadata.mtime_nsec(),
            },
            changed: Time {
                seconds: metadata.ctime(),
                nanoseconds: metadata.ctime_nsec(),
            },
        }
    }

    /// The time of the last modification, if it is one.
    fn real_modified(&self) -> Option<Time> {
        let seconds = u64::try_from(self.modified.seconds).ok()?;
        (seconds >= FIRST_REAL_SECOND).then_some(self.modified)
    }

    /// Whether the file would have another time if it were changed after `now`.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let time = self.real_modified().unwrap_or(self.changed);
        let settled = time.system().and_then(|time| time.checked_add(SETTLED));
        settled.is_some_and(|settled| settled <= now)
    }
}

impl Time {
    fn system(self) -> Option<SystemTime> {
        let (seconds, nanoseconds) = (u64::try_from(self.seconds).ok()?, u32::try_from(self.nanoseconds).ok()?);
        UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
    }
}

impl Representation {
    /// `name` is that of the file which a coding encodes.
    pub(super) fn new(
        settings: &FilesSettings,
        name: &[u8],
        coding: Option<Coding>,
        state: State,
        content: Option<Bytes>,
        now: SystemTime,
    ) -> Self {
        let is_settled = state.is_settled(now);
        let etag = etag(&state, coding, is_settled);
        let content_type = content_type(settings, name);
        let modified = state.real_modified().and_then(Time::system).filter(|time| *time <= now);
        let mut fields = vec![(header::ETAG, etag.clone())];
        if let Some(time) = modified
            && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(time))
        {
            fields.push((header::LAST_MODIFIED, date));
        }
        fields.push((header::ACCEPT_RANGES, HeaderValue::from_static("bytes")));
        if !settings.precompressed.is_empty() {
            fields.push((header::VARY, HeaderValue::from_static("accept-encoding")));
        }
        if let Some(value) = &settings.cache_control {
            fields.push((header::CACHE_CONTROL, value.clone()));
        }
        fields.extend_from_slice(&settings.headers);
        let about = fields.len();
        if let Some(coding) = coding {
            fields.push((header::CONTENT_ENCODING, HeaderValue::from_static(coding.name())));
        }
        fields.push((header::CONTENT_TYPE, content_type.clone()));
        let mut lines = Vec::new();
        let mut about_bytes = 0;
        for (n, (name, value)) in fields.iter().enumerate() {
            write_line(&mut lines, name, value);
            if n + 1 == about {
                about_bytes = lines.len();
            }
        }
        Self {
            state,
            coding,
            fields,
            about,
            lines,
            about_bytes,
            content_type,
            etag,
            last_modified: modified
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .map(|since| since.as_secs()),
            is_settled,
            content,
        }
    }

    pub(super) fn fields(&self) -> &[(HeaderName, HeaderValue)] {
        &self.fields
    }

    pub(super) fn fields_about(&self) -> &[(HeaderName, HeaderValue)] {
        &self.fields[..self.about]
    }

    pub(super) fn lines(&self) -> &[u8] {
        &self.lines
    }

    pub(super) fn lines_about(&self) -> &[u8] {
        &self.lines[..self.about_bytes]
    }

    pub(super) fn validators(&self) -> Validators<'_> {
        Validators {
            etag: Some(self.etag.as_bytes()),
            last_modified: self.last_modified,
            is_date_strong: self.is_settled,
        }
    }

    /// The memory that it takes, about.
    pub(super) fn weight(&self) -> usize {
        const FIELD: usize = 96;
        self.content.as_ref().map_or(0, Bytes::len) + self.lines.len() + FIELD * self.fields.len() + size_of::<Self>()
    }
}

fn etag(state: &State, coding: Option<Coding>, is_strong: bool) -> HeaderValue {
    let (kind, time) = match state.real_modified() {
        Some(modified) => ("", modified),
        None => ("c", state.changed),
    };
    let nanoseconds = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
    let weak = if is_strong { "" } else { "W/" };
    let (hyphen, coding) = coding.map_or(("", ""), |coding| ("-", coding.name()));
    let text = format!("{weak}\"{:x}-{kind}{nanoseconds:x}{hyphen}{coding}\"", state.length);
    // It has visible ASCII characters only.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("W/\"\""))
}

fn content_type(settings: &FilesSettings, name: &[u8]) -> HeaderValue {
    let own = mime::extension(name).and_then(|extension| {
        let mut types = settings.mime_types.iter();
        types.find(|(known, _)| known.eq_ignore_ascii_case(extension))
    });
    own.map_or_else(
        || HeaderValue::from_static(mime::of_name(name)),
        |(_, content_type)| content_type.clone(),
    )
}
