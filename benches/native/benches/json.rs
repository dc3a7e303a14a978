//! JSON texts to tapes, beside serde_json and simd-json.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_benches::inputs::{JSON_SETTINGS, json_text};
use hinny_codec::json;
use serde::de::IgnoredAny;

fn read(c: &mut Criterion) {
    for size in [100, 1_000, 10_000, 100_000, 1_000_000] {
        let text = json_text(size);
        let mut group = c.benchmark_group(format!("json_read_{size}b"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let mut tape = Vec::new();
        group.bench_function("hinny_tape", |b| {
            b.iter(|| {
                tape.clear();
                json::decode(black_box(&text), JSON_SETTINGS, &mut tape)
            });
        });
        group.bench_function("serde_json_ignored", |b| {
            b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&text)).is_ok());
        });
        let mut buffers = simd_json::Buffers::default();
        let mut copy = Vec::new();
        group.bench_function("simd_json_tape", |b| {
            b.iter(|| {
                // simd-json writes into its input.
                copy.clone_from(&text);
                simd_json::to_tape_with_buffers(black_box(&mut copy), &mut buffers).is_ok_and(|tape| !tape.0.is_empty())
            });
        });
        group.finish();
    }
}

criterion_group!(benches, read);
criterion_main!(benches);
