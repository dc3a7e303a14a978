//! Looking at the bytes of requests before hyper does.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_benches::inputs::{BROWSER, LIMITS};
use hinny_codec::framing::Framing;

/// As wrk sends it.
const PLAIN: &str = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

fn check(c: &mut Criterion) {
    let sized = format!(
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n{}",
        "b".repeat(16_000)
    );
    let chunk = format!("3e8\r\n{}\r\n", "b".repeat(1_000));
    let chunked = format!(
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(16)
    );
    let pipeline = PLAIN.repeat(16);
    let cases = [
        ("get_1_header_49b", PLAIN),
        ("get_8_headers_496b", BROWSER),
        ("get_1_header_x16", &pipeline),
        ("post_sized_16kb", &sized),
        ("post_16_chunks_16kb", &chunked),
    ];
    let mut group = c.benchmark_group("framing_check");
    for (name, bytes) in cases {
        let mut framing = Framing::new();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| framing.check(black_box(bytes.as_bytes()), &LIMITS));
        });
        assert_eq!(framing.fault(), None, "{name}");
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
