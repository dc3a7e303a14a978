//! The settings of an endpoint that answers with files.
//!
//! # Invariants
//! - What is decoded can be sent: header fields are valid, and none of them is one that the server itself must set.
//! - Nothing is looked at on disk here: that a root exists is checked where it is opened.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use http::{HeaderName, HeaderValue, header};

use crate::options::OptionError;

#[cfg(test)]
mod tests;

/// What the `files` and `files-…` words of an endpoint say.
#[derive(Clone, Debug)]
pub struct FilesSettings {
    /// `:root`, or the file if `single`
    pub root: PathBuf,
    /// The root is a file, and the only one.
    pub single: bool,
    /// `:index`: names of the file that answers for a directory, the first that is there
    pub index: Vec<Vec<u8>>,
    /// `:precompressed`: what stands beside a file in encoded form, best first
    pub precompressed: Vec<Coding>,
    /// `:symlinks`
    pub symlinks: Symlinks,
    /// `:hidden?`
    pub hidden: bool,
    /// `:cache-control`
    pub cache_control: Option<HeaderValue>,
    /// `:headers`
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `:mime-types`: extensions in lower case, each with its Content-Type
    pub mime_types: Vec<(Vec<u8>, HeaderValue)>,
    /// `:cache-ms`
    pub cache_ms: u64,
    /// `:cache-bytes`
    pub cache_bytes: usize,
}

/// A content coding that files may be in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// Brotli (RFC 7932), `x.br`.
    Brotli,
    /// gzip (RFC 1952), `x.gz`.
    Gzip,
}

/// What is done with symbolic links below a root; the root itself may be one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Symlinks {
    /// They are followed if they are relative and no step of them leaves the root.
    Inside,
    /// They are followed wherever they lead.
    Follow,
    /// They are not followed.
    Refuse,
}

/// For how long a small file in memory is not looked at again.
const CACHE_MS: u64 = 1000;

/// The most of it: what changes on disk is seen within a day.
const CACHE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Memory for small files.
const CACHE_BYTES: usize = 16 << 20;

/// The most of it.
const CACHE_BYTES_MAX: u64 = 1 << 40;

impl Coding {
    /// Its name in Accept-Encoding and Content-Encoding (RFC 9110 §8.4.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What the name of a file in it ends with.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|coding| coding.name() == name)
    }
}

impl FilesSettings {
    /// The defaults for a root.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            single: false,
            index: vec![b"index.html".to_vec()],
            precompressed: Vec::new(),
            symlinks: Symlinks::Inside,
            hidden: false,
            cache_control: None,
            headers: Vec::new(),
            mime_types: Vec::new(),
            cache_ms: CACHE_MS,
            cache_bytes: CACHE_BYTES,
        }
    }

    /// Reads the words of an endpoint whose `files` word is `root`, a path as the system has it; keys that do not begin with `files-` are other's.
    ///
    /// Each `files-index` is a name; without one there is no index.
    ///
    /// # Errors
    /// An [`OptionError`] that names the option in Clojure.
    pub fn decode(root: &[u8], pairs: &[(&str, &[u8])]) -> Result<Self, OptionError> {
        if root.is_empty() || root.contains(&0) {
            return Err(OptionError(":files :root must be a path".into()));
        }
        let mut settings = Self::new(OsStr::from_bytes(root));
        settings.index.clear();
        for (key, value) in pairs {
            let Some(name) = key.strip_prefix("files-") else {
                continue;
            };
            let text = str::from_utf8(value).map_err(|_| OptionError(format!(":files :{name} is not UTF-8")))?;
            match name {
                "single" => settings.single = boolean("single", text)?,
                "index" => settings.index.push(index_name(text)?),
                "precompressed" => {
                    let coding = Coding::from_name(text)
                        .ok_or_else(|| OptionError(":files :precompressed must be of :br and :gzip".into()))?;
                    if !settings.precompressed.contains(&coding) {
                        settings.precompressed.push(coding);
                    }
                }
                "symlinks" => {
                    settings.symlinks = match text {
                        "inside" => Symlinks::Inside,
                        "follow" => Symlinks::Follow,
                        "refuse" => Symlinks::Refuse,
                        _ => {
                            return Err(OptionError(
                                ":files :symlinks must be :inside, :follow or :refuse".into(),
                            ));
                        }
                    }
                }
                "hidden" => settings.hidden = boolean("hidden?", text)?,
                "cache-control" => settings.cache_control = Some(header_value("cache-control", text)?),
                "header" => settings.headers.push(field(text)?),
                "mime" => settings.mime_types.push(mime_type(text)?),
                "cache-ms" => settings.cache_ms = number("cache-ms", text, CACHE_MS_MAX)?,
                "cache-bytes" => settings.cache_bytes = number("cache-bytes", text, CACHE_BYTES_MAX)?,
                _ => return Err(OptionError(format!("unknown option :files :{name}"))),
            }
        }
        Ok(settings)
    }
}

fn boolean(name: &str, text: &str) -> Result<bool, OptionError> {
    text.parse()
        .map_err(|_| OptionError(format!(":files :{name} must be true or false")))
}

fn number<T: TryFrom<u64>>(name: &str, text: &str, max: u64) -> Result<T, OptionError> {
    text.parse()
        .ok()
        .filter(|number| *number <= max)
        .and_then(|number: u64| T::try_from(number).ok())
        .ok_or_else(|| OptionError(format!(":files :{name} must be an integer from 0 to {max}")))
}

fn index_name(text: &str) -> Result<Vec<u8>, OptionError> {
    if matches!(text, "." | "..") || text.contains(['/', '\\', '\0']) {
        return Err(OptionError(format!(
            ":files :index must be names of files, {text:?} is none"
        )));
    }
    Ok(text.as_bytes().to_vec())
}

fn header_value(name: &str, text: &str) -> Result<HeaderValue, OptionError> {
    HeaderValue::from_str(text.trim_matches([' ', '\t'])).map_err(|_| {
        OptionError(format!(
            ":files :{name} must be a header value: visible ASCII characters and spaces"
        ))
    })
}

fn field(text: &str) -> Result<(HeaderName, HeaderValue), OptionError> {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let value = header_value("headers", value)?;
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| OptionError(format!(":files :headers has a name that is none, {name:?}")))?;
    match name {
        header::CACHE_CONTROL => Err(OptionError(
            ":files :headers has Cache-Control, which is :cache-control".into(),
        )),
        header::CONTENT_TYPE => Err(OptionError(":files :headers has Content-Type, see :mime-types".into())),
        name if SERVERS_OWN.contains(&name) => Err(OptionError(format!(
            ":files :headers has {name}, which the server sets itself"
        ))),
        name => Ok((name, value)),
    }
}

fn mime_type(text: &str) -> Result<(Vec<u8>, HeaderValue), OptionError> {
    let (extension, content_type) = text
        .split_once(' ')
        .filter(|(extension, content_type)| !extension.is_empty() && content_type.contains('/'))
        .ok_or_else(|| OptionError(":files :mime-types must be a map of extension to Content-Type".into()))?;
    let extension = extension.strip_prefix('.').unwrap_or(extension);
    Ok((
        extension.to_ascii_lowercase().into_bytes(),
        header_value("mime-types", content_type)?,
    ))
}

/// Header fields that say what a file, the message or the connection is.
const SERVERS_OWN: [HeaderName; 15] = [
    header::ACCEPT_RANGES,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::DATE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::SERVER,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];
