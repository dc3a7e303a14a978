//! Requests for files that are in memory, and what must be parsed of them.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::fs;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use hinny_benches::inputs::{FILE_PATH as PATH, VALIDATORS};
use hinny_codec::conditional::{self, Conditions};
use hinny_codec::{file_path, negotiation, range};
use hinny_core::files::{Coding, FilesSettings};
use hinny_core::names::{ACCEPT_ENCODING, IF_NONE_MATCH, RANGE};
use hinny_server::files::{FileCache, FileRequest, Files, Lookup};

const BROWSER: &[u8] = b"gzip, deflate, br, zstd";

/// The cache of a loop that knows a file of 1 kB and its encoded form.
fn cache(directory: &std::path::Path) -> FileCache {
    let path = directory.join(PATH);
    fs::create_dir_all(path.parent().unwrap_or(directory)).expect("a directory for temporary files");
    fs::write(&path, [b'a'; 1024]).expect("a file");
    fs::write(path.with_extension("css.br"), [b'b'; 300]).expect("a file");
    let mut settings = FilesSettings::new(directory);
    settings.precompressed = vec![Coding::Brotli, Coding::Gzip];
    let mut cache = FileCache::new(Arc::new(Files::new(settings).expect("a directory")));
    for path in [PATH, "assets/css/none.css"] {
        if let Lookup::Unknown(look) = cache.answer(&request(path, &[]), 0) {
            let _ = cache.learn(look.run());
        }
    }
    cache
}

fn request<'a>(path: &'a str, fields: &[(u16, &'a [u8])]) -> FileRequest<'a> {
    let mut request = FileRequest {
        rest: path.as_bytes().into(),
        ..FileRequest::default()
    };
    for (id, value) in fields {
        request.add(*id, value);
    }
    request
}

fn hits(c: &mut Criterion) {
    let directory = std::env::temp_dir().join(format!("hinny-bench-files-{}", std::process::id()));
    let mut cache = cache(&directory);
    let mut group = c.benchmark_group("files_hit");
    let mut out = Vec::new();
    for (name, path, fields) in [
        ("plain_1kb", PATH, &[][..]),
        ("encoded_300b", PATH, &[(ACCEPT_ENCODING, BROWSER)][..]),
        ("not_modified", PATH, &[(IF_NONE_MATCH, &b"*"[..])][..]),
        ("range_100b", PATH, &[(RANGE, &b"bytes=100-199"[..])][..]),
        ("three_ranges", PATH, &[(RANGE, &b"bytes=0-9,300-399,-10"[..])][..]),
        ("not_found", "assets/css/none.css", &[][..]),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                let lookup = cache.answer(&black_box(request(path, fields)), 1);
                if let Lookup::Known(Ok(answer)) = &lookup {
                    answer.write_fields(&mut out);
                }
                assert!(matches!(lookup, Lookup::Known(_)));
                lookup
            });
        });
    }
    group.finish();
    fs::remove_dir_all(directory).expect("the directory");
}

fn parsing(c: &mut Criterion) {
    let mut group = c.benchmark_group("files_parse");
    for field in [
        "bytes=0-499",
        "bytes=0-0,500-999,-1",
        "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14",
    ] {
        group.bench_function(field, |b| b.iter(|| range::select(black_box(field.as_bytes()), 10_000)));
    }
    for (name, conditions) in [
        ("no_condition", Conditions::default()),
        (
            "if_none_match_1_tag",
            Conditions {
                if_none_match: VALIDATORS.etag,
                ..Conditions::default()
            },
        ),
        (
            "if_modified_since",
            Conditions {
                if_modified_since: Some(b"Sun, 06 Nov 1994 08:49:37 GMT"),
                ..Conditions::default()
            },
        ),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| conditional::evaluate(black_box(&conditions), &VALIDATORS));
        });
    }
    group.bench_function("coding_weight", |b| {
        b.iter(|| negotiation::coding_weight(black_box(Some(BROWSER)), b"br"));
    });
    group.bench_function("path_3_segments", |b| {
        b.iter(|| file_path::decode(black_box(PATH.as_bytes()), false));
    });
    group.finish();
}

criterion_group!(benches, hits, parsing);
criterion_main!(benches);
