//! Multipart bodies and content negotiation: a small form, a large file, what browsers accept.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_benches::inputs::{ACCEPT, DELIMITER, MULTIPART_SETTINGS, OFFERED, multipart as form, noise};
use hinny_codec::{multipart, negotiation};

fn decode(c: &mut Criterion) {
    let text = "A line of text, ended as forms end lines.\r\n".repeat(1_560);
    let cases = [
        ("5_fields_10kb_file", form(&noise(10_000))),
        ("64kb_noise", form(&noise(65_000))),
        ("64kb_text", form(text.as_bytes())),
        // What begins as a delimiter does, all the time.
        ("64kb_hostile", form(&DELIMITER[..DELIMITER.len() - 1].repeat(1_600))),
    ];
    let mut group = c.benchmark_group("multipart_decode");
    let mut output = Vec::new();
    for (name, input) in &cases {
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(*name, |b| {
            b.iter(|| {
                output.clear();
                multipart::decode(black_box(input), MULTIPART_SETTINGS, &mut output)
            });
        });
    }
    group.finish();
}

fn negotiate(c: &mut Criterion) {
    let mut group = c.benchmark_group("negotiation");
    group.bench_function("accept_browser_of_3", |b| {
        b.iter(|| negotiation::accept(black_box(Some(ACCEPT)), black_box(&OFFERED)));
    });
    group.bench_function("accept_any_of_3", |b| {
        b.iter(|| negotiation::accept(black_box(Some(b"*/*")), black_box(&OFFERED)));
    });
    group.bench_function("content_type_of_3", |b| {
        b.iter(|| negotiation::content_type(black_box(b"application/json; charset=utf-8"), black_box(&OFFERED)));
    });
    group.finish();
}

criterion_group!(benches, decode, negotiate);
criterion_main!(benches);
