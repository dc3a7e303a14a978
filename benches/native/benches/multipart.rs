//! Multipart bodies and content negotiation: a small form, a large file, what browsers accept.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_codec::{multipart, negotiation};

const DELIMITER: &[u8] = b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW";

/// Last piece, state 0, a head of 10 KiB at most.
const SETTINGS: u64 = 10_240 << 32 | (DELIMITER.len() as u64) << 16 | 1 << 8;

/// A delimiter as the codec wants it in front of a form with five fields and a file.
fn form(file: &[u8]) -> Vec<u8> {
    let mut form = DELIMITER.to_vec();
    for field in 0..5 {
        form.extend_from_slice(if field == 0 { &DELIMITER[2..] } else { DELIMITER });
        form.extend_from_slice(
            format!("\r\nContent-Disposition: form-data; name=\"field-{field}\"\r\n\r\na value of some length")
                .as_bytes(),
        );
    }
    form.extend_from_slice(DELIMITER);
    form.extend_from_slice(
        b"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"picture.png\"\r\nContent-Type: image/png\r\n\r\n",
    );
    form.extend_from_slice(file);
    form.extend_from_slice(DELIMITER);
    form.extend_from_slice(b"--\r\n");
    form
}

/// Bytes of a file that is compressed, so that all occur alike.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24).to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

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
                multipart::decode(black_box(input), SETTINGS, &mut output)
            });
        });
    }
    group.finish();
}

fn negotiate(c: &mut Criterion) {
    let browser = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
    let offered: [&[u8]; 3] = [b"application/json", b"text/html", b"application/edn"];
    let mut group = c.benchmark_group("negotiation");
    group.bench_function("accept_browser_of_3", |b| {
        b.iter(|| negotiation::accept(black_box(Some(browser)), black_box(&offered)));
    });
    group.bench_function("accept_any_of_3", |b| {
        b.iter(|| negotiation::accept(black_box(Some(b"*/*")), black_box(&offered)));
    });
    group.bench_function("content_type_of_3", |b| {
        b.iter(|| negotiation::content_type(black_box(b"application/json; charset=utf-8"), black_box(&offered)));
    });
    group.finish();
}

criterion_group!(benches, decode, negotiate);
criterion_main!(benches);
