use super::*;

fn decoded(pairs: &[(&str, &str)]) -> Result<FilesSettings, String> {
    let pairs: Vec<(&str, &[u8])> = pairs.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
    FilesSettings::decode(b"/srv", &pairs).map_err(|error| error.0)
}

#[test]
fn settings_have_defaults() {
    let settings = decoded(&[("produces", "text/html"), ("max-body-bytes", "7")]).unwrap();
    assert_eq!(settings.root, PathBuf::from("/srv"));
    assert!(settings.index.is_empty());
    assert_eq!(settings.precompressed, []);
    assert_eq!(settings.symlinks, Symlinks::Inside);
    assert!(!settings.single && !settings.hidden && settings.cache_control.is_none());
    assert!(settings.headers.is_empty() && settings.mime_types.is_empty());
    assert_eq!((settings.cache_ms, settings.cache_bytes), (1000, 16 << 20));
}

#[test]
fn every_setting_is_read() {
    let settings = decoded(&[
        ("files-single", "true"),
        ("files-index", "a.html"),
        ("files-index", "b.html"),
        ("files-precompressed", "gzip"),
        ("files-precompressed", "br"),
        ("files-precompressed", "gzip"),
        ("files-symlinks", "refuse"),
        ("files-hidden", "true"),
        ("files-cache-control", "public, max-age=60"),
        ("files-header", "X-Frame-Options: DENY"),
        ("files-header", "vary:origin"),
        ("files-mime", ".WASM application/x"),
        ("files-cache-ms", "0"),
        ("files-cache-bytes", "1"),
    ])
    .unwrap();
    assert!(settings.single && settings.hidden);
    assert_eq!(settings.index, [b"a.html".to_vec(), b"b.html".to_vec()]);
    assert_eq!(settings.precompressed, [Coding::Gzip, Coding::Brotli]);
    assert_eq!(settings.symlinks, Symlinks::Refuse);
    assert_eq!(settings.cache_control.unwrap(), "public, max-age=60");
    let fields: Vec<(&str, &[u8])> = settings
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    assert_eq!(fields, [("x-frame-options", &b"DENY"[..]), ("vary", b"origin")]);
    assert_eq!(
        settings.mime_types,
        [(b"wasm".to_vec(), HeaderValue::from_static("application/x"))]
    );
    assert_eq!((settings.cache_ms, settings.cache_bytes), (0, 1));
    assert_eq!(
        decoded(&[("files-symlinks", "follow")]).unwrap().symlinks,
        Symlinks::Follow
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (key, value, expected) in [
        ("files-nope", "1", "unknown option :files :nope"),
        ("files-hidden", "yes", ":files :hidden? must be true or false"),
        (
            "files-index",
            "a/b",
            ":files :index must be names of files, \"a/b\" is none",
        ),
        (
            "files-index",
            "..",
            ":files :index must be names of files, \"..\" is none",
        ),
        (
            "files-precompressed",
            "zstd",
            ":files :precompressed must be of :br and :gzip",
        ),
        (
            "files-symlinks",
            "some",
            ":files :symlinks must be :inside, :follow or :refuse",
        ),
        (
            "files-cache-ms",
            "-1",
            ":files :cache-ms must be an integer from 0 to 86400000",
        ),
        (
            "files-cache-bytes",
            "x",
            ":files :cache-bytes must be an integer from 0 to 1099511627776",
        ),
        (
            "files-cache-control",
            "a\r\nb",
            ":files :cache-control must be a header value: visible ASCII characters and spaces",
        ),
        (
            "files-header",
            "x: a\r\nset-cookie: b",
            ":files :headers must be a header value: visible ASCII characters and spaces",
        ),
        (
            "files-header",
            "a b: c",
            ":files :headers has a name that is none, \"a b\"",
        ),
        (
            "files-header",
            "ETag: \"1\"",
            ":files :headers has etag, which the server sets itself",
        ),
        (
            "files-header",
            "Cache-Control: no-store",
            ":files :headers has Cache-Control, which is :cache-control",
        ),
        (
            "files-header",
            "content-type: a/b",
            ":files :headers has Content-Type, see :mime-types",
        ),
        (
            "files-mime",
            "html",
            ":files :mime-types must be a map of extension to Content-Type",
        ),
        (
            "files-mime",
            "html html",
            ":files :mime-types must be a map of extension to Content-Type",
        ),
    ] {
        assert_eq!(
            decoded(&[(key, value)]).err().as_deref(),
            Some(expected),
            "{key} {value}"
        );
    }
    let error = FilesSettings::decode(b"", &[]).err().map(|error| error.0);
    assert_eq!(error.as_deref(), Some(":files :root must be a path"));
    let error = FilesSettings::decode(b"/srv", &[("files-index", b"\xff")])
        .err()
        .map(|error| error.0);
    assert_eq!(error.as_deref(), Some(":files :index is not UTF-8"));
}
