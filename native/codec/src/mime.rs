//! The media type of a file by the extension of its name.
//!
//! # Invariants
//! - Text has `charset=utf-8`, but for what says itself which charset it has (XML), or has one only (JSON).

/// The type of a file whose extension is not known.
pub const UNKNOWN: &str = "application/octet-stream";

/// Longer than any extension in the table.
const EXTENSION_BYTES_MAX: usize = 16;

/// Returns what stands behind the last dot of a file's name; `None` without a dot, and for one at the start.
#[must_use]
pub fn extension(name: &[u8]) -> Option<&[u8]> {
    let start = name.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let name = &name[start..];
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0)?;
    Some(&name[dot + 1..])
}

/// Returns the Content-Type for an extension, in letters of either case.
#[must_use]
pub fn of_extension(extension: &[u8]) -> Option<&'static str> {
    let mut buffer = [0; EXTENSION_BYTES_MAX];
    let lower = buffer.get_mut(..extension.len())?;
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    let found = TYPES.binary_search_by(|(known, _)| known.as_bytes().cmp(lower)).ok()?;
    Some(TYPES[found].1)
}

/// Returns the Content-Type for the name of a file, with or without directories in front.
#[must_use]
pub fn of_name(name: &[u8]) -> &'static str {
    extension(name).and_then(of_extension).unwrap_or(UNKNOWN)
}

/// Extensions in order, in lower case.
const TYPES: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("apng", "image/apng"),
    ("atom", "application/atom+xml"),
    ("avi", "video/x-msvideo"),
    ("avif", "image/avif"),
    ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"),
    ("br", "application/octet-stream"),
    ("bz2", "application/x-bzip2"),
    ("cjs", "text/javascript; charset=utf-8"),
    ("clj", "text/plain; charset=utf-8"),
    ("cljc", "text/plain; charset=utf-8"),
    ("cljs", "text/plain; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("edn", "application/edn"),
    ("eot", "application/vnd.ms-fontobject"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("geojson", "application/geo+json"),
    ("gif", "image/gif"),
    ("glb", "model/gltf-binary"),
    ("gltf", "model/gltf+json"),
    ("gz", "application/gzip"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("ics", "text/calendar; charset=utf-8"),
    ("jar", "application/java-archive"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("map", "application/json"),
    ("markdown", "text/markdown; charset=utf-8"),
    ("md", "text/markdown; charset=utf-8"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("ps", "application/postscript"),
    ("rss", "application/rss+xml"),
    ("rtf", "application/rtf"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("ttc", "font/collection"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("vcf", "text/vcard; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("xml", "application/xml"),
    ("xsl", "application/xslt+xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::MediaType;
    use proptest::prelude::*;

    #[test]
    fn the_table_is_in_order_and_has_media_types() {
        assert!(TYPES.is_sorted_by(|(before, _), (behind, _)| before < behind));
        for (extension, content_type) in TYPES {
            assert!(extension.len() <= EXTENSION_BYTES_MAX);
            assert_eq!(extension.to_ascii_lowercase(), *extension);
            let parsed = MediaType::parse(content_type.as_bytes()).unwrap();
            let charset = parsed.parameter(b"charset");
            assert_eq!(
                charset.as_deref(),
                (parsed.kind() == b"text").then_some(&b"utf-8"[..]),
                "{extension}"
            );
        }
    }

    #[test]
    fn types_of_names() {
        for (name, expected) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a.HTML", "text/html; charset=utf-8"),
            ("d/e.f/app.min.js", "text/javascript; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.tar.gz", "application/gzip"),
            ("a.woff2", "font/woff2"),
            ("a.xyz", UNKNOWN),
            ("a.", UNKNOWN),
            ("html", UNKNOWN),
            (".html", UNKNOWN),
            ("d.html/a", UNKNOWN),
            ("d/.html", UNKNOWN),
            ("", UNKNOWN),
            ("a.an-extension-beyond-all", UNKNOWN),
        ] {
            assert_eq!(of_name(name.as_bytes()), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_has_a_type(name in prop::collection::vec(any::<u8>(), 0..30)) {
            prop_assert!(MediaType::parse(of_name(&name).as_bytes()).is_some());
        }
    }
}
