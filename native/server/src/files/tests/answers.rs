//! What files are answered with.

use std::os::unix::fs::MetadataExt;

use hinny_core::files::Coding;
use hinny_core::names::{
    ACCEPT_ENCODING, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::HeaderValue;
use proptest::prelude::*;

use super::super::representation::{Representation, State};
use super::*;

fn etag(length: usize) -> String {
    format!("\"{length:x}-{LONG_AGO_HEX}\"")
}

#[test]
fn a_file_has_all_its_fields() {
    let mut site = Site::new(|settings| {
        settings.cache_control = Some(HeaderValue::from_static("public, max-age=60"));
        settings.headers = vec![(http::header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))];
        settings.mime_types = vec![(b"foo".to_vec(), HeaderValue::from_static("text/x-foo"))];
    });
    site.write("a.css", "a{}");
    site.write("a.FOO", "");
    site.write("a", "");
    let about = |length| {
        format!(
            "etag: {}\nlast-modified: {LONG_AGO}\naccept-ranges: bytes\ncache-control: public, max-age=60\n\
             x-frame-options: DENY\n",
            etag(length)
        )
    };
    let expected = Seen {
        status: 200,
        fields: format!("{}content-type: text/css; charset=utf-8\n", about(3)),
        content: b"a{}".to_vec(),
    };
    assert_eq!(site.get("a.css"), expected);
    let mut head = request("a.css", &[]);
    head.head = true;
    let without_content = Seen {
        content: Vec::new(),
        ..expected
    };
    assert_eq!(site.ask(head), without_content);
    let tag = etag(3);
    let not_modified = site.ask(request("a.css", &[(IF_NONE_MATCH, &tag)]));
    assert_eq!((not_modified.status, not_modified.fields), (304, about(3)));
    assert!(site.get("a.FOO").fields.ends_with("content-type: text/x-foo\n"));
    assert!(
        site.get("a")
            .fields
            .ends_with("content-type: application/octet-stream\n")
    );
}

#[test]
fn preconditions_and_ranges_work_together() {
    let mut site = Site::new(|_| {});
    site.write("a.txt", "0123456789");
    site.write("empty.txt", "");
    let (own, other) = (etag(10), "\"x\"");
    let range = "bytes=2-3";
    let later = "Sun, 06 Nov 1994 08:49:38 GMT";
    let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
    type Fields<'a> = &'a [(u16, &'a str)];
    let table: [(Fields<'_>, u16, &str); 18] = [
        (&[(RANGE, range)], 206, "23"),
        (&[(RANGE, "bytes=-3")], 206, "789"),
        (&[(RANGE, "bytes=0-")], 206, "0123456789"),
        (&[(RANGE, "bytes=1-2,4-5")], 206, "12345"),
        (&[(RANGE, "bytes=10-")], 416, ""),
        (&[(RANGE, "items=1-2")], 200, "0123456789"),
        (&[(RANGE, range), (IF_RANGE, &own)], 206, "23"),
        (&[(RANGE, range), (IF_RANGE, other)], 200, "0123456789"),
        (&[(RANGE, range), (IF_RANGE, LONG_AGO)], 206, "23"),
        (&[(RANGE, range), (IF_RANGE, later)], 200, "0123456789"),
        (&[(RANGE, "bytes=10-"), (IF_RANGE, other)], 200, "0123456789"),
        (&[(RANGE, range), (IF_NONE_MATCH, &own)], 304, ""),
        (&[(RANGE, "bytes=10-"), (IF_NONE_MATCH, &own)], 304, ""),
        (&[(RANGE, range), (IF_MATCH, other)], 412, ""),
        (&[(IF_MATCH, &own)], 200, "0123456789"),
        (&[(IF_UNMODIFIED_SINCE, earlier)], 412, ""),
        (&[(IF_MODIFIED_SINCE, LONG_AGO)], 304, ""),
        (&[(IF_MODIFIED_SINCE, earlier)], 200, "0123456789"),
    ];
    for (fields, status, content) in table {
        // First looked for, then known.
        for _ in 0..2 {
            let seen = site.ask(request("a.txt", fields));
            assert_eq!(
                (seen.status, seen.content.as_slice()),
                (status, content.as_bytes()),
                "{fields:?}"
            );
        }
    }
    assert_eq!(site.looks, 1);
    let seen = site.ask(request("a.txt", &[(RANGE, range)]));
    assert!(
        seen.fields
            .ends_with("content-type: text/plain; charset=utf-8\ncontent-range: bytes 2-3/10\n")
    );
    let seen = site.ask(request("a.txt", &[(RANGE, "bytes=10-")]));
    assert_eq!(seen.fields, "content-range: bytes */10\n");
    let mut head = request("a.txt", &[(RANGE, range)]);
    head.head = true;
    assert_eq!(site.ask(head).status, 200);
    assert_eq!(site.ask(request("empty.txt", &[(RANGE, "bytes=0-")])).status, 200);
}

#[test]
fn several_ranges_are_parts() {
    for length in [1000, 300_000] {
        let content = noise(length);
        let mut site = Site::new(|_| {});
        site.write("a.txt", &content);
        for _ in 0..2 {
            let seen = site.ask(request("a.txt", &[(RANGE, "bytes=0-1,500-501,-1")]));
            assert_eq!(seen.status, 206);
            let (about, content_type) = seen.fields.split_once("content-type: ").unwrap();
            assert!(about.starts_with("etag: ") && !about.contains("content-range"));
            let boundary = content_type
                .trim_end()
                .strip_prefix("multipart/byteranges; boundary=")
                .unwrap();
            assert_eq!(boundary.len(), 32);
            let mut expected = Vec::new();
            for (first, last) in [(0, 1), (500, 501), (length - 1, length - 1)] {
                let line_end = if first == 0 { "" } else { "\r\n" };
                expected.extend_from_slice(
                    format!(
                        "{line_end}--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\n\
                         content-range: bytes {first}-{last}/{length}\r\n\r\n"
                    )
                    .as_bytes(),
                );
                expected.extend_from_slice(&content[first..=last]);
            }
            expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
            assert_eq!(
                seen.content.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
            let again = site.ask(request("a.txt", &[(RANGE, "bytes=0-1,500-501,-1")]));
            assert_ne!(again.fields, seen.fields);
        }
    }
}

#[test]
fn encoded_files_stand_in_for_those_who_take_them() {
    let mut site = Site::new(|settings| settings.precompressed = vec![Coding::Brotli, Coding::Gzip]);
    site.write("a.js", "plain");
    site.write("a.js.br", "brotli");
    site.write("a.js.gz", "gzip!");
    site.write("only.js", "plain");
    site.write("none", "plain");
    site.write("none.gz", "gzip!");
    site.write("old.js", "plain");
    site.write("old.js.br", "brotli");
    let old = site.directory.0.join("root/old.js.br");
    set_modified(&old, UNIX_EPOCH + Duration::from_secs(LONG_AGO_SECONDS - 1));
    let browser = "gzip, deflate, br, zstd";
    for (rest, accept, expected) in [
        ("a.js", browser, "brotli"),
        ("a.js", "gzip", "gzip!"),
        ("a.js", "br;q=0.5, gzip", "gzip!"),
        ("a.js", "gzip;q=0, br;q=0", "plain"),
        ("a.js", "identity;q=1, *;q=0", "plain"),
        ("a.js", "*", "brotli"),
        ("a.js", "", "plain"),
        // Better this than nothing.
        ("only.js", "br, identity;q=0", "plain"),
        ("only.js", browser, "plain"),
        ("none", browser, "gzip!"),
        ("old.js", browser, "plain"),
    ] {
        let seen = site.ask(request(rest, &[(ACCEPT_ENCODING, accept)]));
        assert_eq!(
            (seen.status, seen.content.as_slice()),
            (200, expected.as_bytes()),
            "{rest} {accept}"
        );
        assert!(seen.fields.contains("vary: accept-encoding\n"));
        let coding = match expected {
            "brotli" => "content-encoding: br\n",
            "gzip!" => "content-encoding: gzip\n",
            _ => "content-type: ",
        };
        assert!(seen.fields.contains(coding), "{}", seen.fields);
        assert_eq!(seen.fields.contains("content-encoding"), expected != "plain");
        assert_eq!(seen.fields.contains("content-type: text/javascript"), rest != "none");
    }
    assert_eq!(site.get("a.js").content, b"plain");
    // Each has a tag of its own, even if length and time are the same.
    let (plain, gzip) = (etag(5), format!("\"5-{LONG_AGO_HEX}-gzip\""));
    let (plain, gzip) = (plain.as_str(), gzip.as_str());
    let fields = |tag, accept| [(IF_NONE_MATCH, tag), (ACCEPT_ENCODING, accept)];
    assert_eq!(site.ask(request("a.js", &fields(gzip, "gzip"))).status, 304);
    assert_eq!(site.ask(request("a.js", &fields(plain, "gzip"))).status, 200);
    assert_eq!(site.ask(request("a.js", &fields(gzip, ""))).status, 200);
    let not_modified = site.ask(request("a.js", &fields(plain, "")));
    assert_eq!(not_modified.status, 304);
    assert!(not_modified.fields.contains("vary: accept-encoding\n"));
    // A range is one of the encoded bytes; of several, parts could not say how they are encoded.
    let seen = site.ask(request("a.js", &[(ACCEPT_ENCODING, browser), (RANGE, "bytes=0-1")]));
    assert_eq!((seen.status, seen.content.as_slice()), (206, &b"br"[..]));
    assert!(seen.fields.contains("vary: accept-encoding\n") && seen.fields.contains("content-encoding: br\n"));
    site.write("large.js.br", noise(2000));
    site.write("large.js", noise(2000));
    let seen = site.ask(request(
        "large.js",
        &[(ACCEPT_ENCODING, browser), (RANGE, "bytes=0-1,1000-1001")],
    ));
    assert_eq!((seen.status, seen.content.len()), (200, 2000));
}

#[test]
fn a_tag_is_weak_until_the_file_cannot_change_unseen() {
    let directory = Directory::new();
    directory.write("a", "abc");
    let path = directory.0.join("a");
    let second = |second| UNIX_EPOCH + Duration::from_secs(second);
    let fields = |modified, now| {
        set_modified(&path, modified);
        let state = State::of(&fs::metadata(&path).unwrap());
        let settings = FilesSettings::new(&directory.0);
        let representation = Representation::new(&settings, b"a", None, state, None, now);
        String::from_utf8(representation.lines().to_vec()).unwrap()
    };
    let modified = second(LONG_AGO_SECONDS);
    for (now, is_strong) in [
        (LONG_AGO_SECONDS, false),
        (LONG_AGO_SECONDS + 1, false),
        (LONG_AGO_SECONDS + 2, true),
    ] {
        let lines = fields(modified, second(now));
        let weak = if is_strong { "" } else { "W/" };
        assert!(
            lines.starts_with(&format!("etag: {weak}\"3-{LONG_AGO_HEX}\"\r\nlast-modified: ")),
            "{lines}"
        );
    }
    // The time of a file that is yet to come is no date to send.
    let lines = fields(second(LONG_AGO_SECONDS + 1), modified);
    assert!(
        lines.starts_with("etag: W/\"3-") && !lines.contains("last-modified"),
        "{lines}"
    );
    // A constant for all files says nothing of this one.
    let changed = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
    };
    for constant in [0, 1, 315_532_800] {
        let lines = fields(second(constant), SystemTime::now() + Duration::from_secs(5));
        let expected = format!("etag: \"3-c{:x}\"\r\naccept-ranges: bytes\r\n", changed(&path));
        assert!(lines.starts_with(&expected), "{lines}");
    }
    assert!(fields(second(315_619_200), SystemTime::now()).contains("last-modified: Wed, 02 Jan 1980"));
}

#[test]
fn a_large_file_that_becomes_shorter_breaks_off() {
    let mut site = Site::new(|_| {});
    let content = noise(400_000);
    site.write("a", &content);
    assert_eq!(site.get("a").content, content);
    let Lookup::Unknown(look) = site.cache.answer(&request("a", &[]), site.now_ms) else {
        unreachable!("its content is not kept");
    };
    let Ok(answer) = site.cache.learn(look.run()) else {
        unreachable!("it is there");
    };
    assert_eq!(answer.content_length(), Some(400_000));
    fs::OpenOptions::new()
        .write(true)
        .open(site.directory.0.join("root/a"))
        .unwrap()
        .set_len(200_000)
        .unwrap();
    let FileContent::Parts(parts) = answer.into_content() else {
        unreachable!("it is large");
    };
    let error = all(parts).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    // The next answer is of the file as it is now.
    assert_eq!(site.get("a").content, &content[..200_000]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ranges_of_a_file_are_those_of_its_bytes(
        length in prop::sample::select(vec![1_usize, 900, 65_536, 65_537, 300_000]),
        list in prop::collection::vec((0_u32..300_000, 0_u32..200_000), 1..5),
    ) {
        let mut site = Site::new(|_| {});
        let content = noise(length);
        site.write("a", &content);
        let specs: Vec<String> = list.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
        let field = format!("bytes={}", specs.join(","));
        let seen = site.ask(request("a", &[(RANGE, &field)]));
        let slice = |first: &str, last: &str| {
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            content[first..=last].to_vec()
        };
        let is_none = list.iter().all(|(first, _)| *first as usize >= length);
        prop_assert_eq!(seen.status, if is_none { 416 } else { 206 });
        if seen.status == 416 {
            return Ok(());
        }
        if let Some((_, range)) = seen.fields.split_once("content-range: bytes ") {
            let (first, rest) = range.split_once('-').unwrap();
            prop_assert!(seen.content == slice(first, rest.split_once('/').unwrap().0));
            return Ok(());
        }
        let (_, boundary) = seen.fields.trim_end().rsplit_once("boundary=").unwrap();
        // Each part is where the one before ends.
        let mut rest = seen.content.as_slice();
        let mut parts = 0;
        while !rest.starts_with(format!("\r\n--{boundary}--").as_bytes()) {
            let head_end = rest.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
            let head = str::from_utf8(&rest[..head_end]).unwrap();
            let (_, range) = head.split_once("content-range: bytes ").unwrap();
            let (first, last) = range.split_once('-').unwrap();
            let expected = slice(first, last.split_once('/').unwrap().0);
            let behind = &rest[head_end + 4..];
            prop_assert!(behind.starts_with(&expected));
            rest = &behind[expected.len()..];
            parts += 1;
        }
        prop_assert!(parts > 1 && rest.len() == boundary.len() + 8);
    }
}
