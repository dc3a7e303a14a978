//! JSON texts to tapes, beside serde_json and simd-json.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_codec::json::{self, Settings};
use serde::de::IgnoredAny;

const SETTINGS: Settings = Settings {
    depth: 512,
    big_decimals: false,
};

/// An object with an array of records, as an API sends them, of about so many bytes.
fn payload(size: usize) -> Vec<u8> {
    let mut text = String::from("{\"status\":\"ok\",\"page\":3,\"items\":[");
    let mut id = 1000;
    while text.len() + 40 < size || id == 1000 {
        let more = if size < 200 { "" } else { RECORD_END };
        let comma = if id == 1000 { "" } else { "," };
        let city = if id % 3 == 0 { "Zürich" } else { "Oslo" };
        let note = if id % 4 == 0 { "\"line\\nbreak\"" } else { "null" };
        let price = id * 7919 % 100_000;
        let _ = write!(
            text,
            "{comma}{{\"id\":{id},\"name\":\"alpha bravo {id}\",\"price\":{}.{:02}{}}}",
            price / 100,
            price % 100,
            more.replace("CITY", city).replace("NOTE", note),
        );
        id += 1;
    }
    text.push_str("],\"total\":120}");
    text.into_bytes()
}

const RECORD_END: &str = ",\"uuid\":\"0f8fad5b-d9cb-469f-a165-70867728950e\",\"quantity\":17,\"active\":true,\"note\":NOTE,\
    \"place\":{\"city\":\"CITY\",\"lat\":59.913},\"tags\":[\"new\",\"delta\"]";

fn read(c: &mut Criterion) {
    for size in [100, 1_000, 10_000, 100_000, 1_000_000] {
        let text = payload(size);
        let mut group = c.benchmark_group(format!("json_read_{size}b"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let mut tape = Vec::new();
        group.bench_function("hinny_tape", |b| {
            b.iter(|| {
                tape.clear();
                json::decode(black_box(&text), SETTINGS, &mut tape)
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
