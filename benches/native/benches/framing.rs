//! Looking at the bytes of requests before hyper does.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_codec::framing::{Framing, Limits};

const LIMITS: Limits = Limits {
    target_bytes: 8 << 10,
    head_bytes: 32 << 10,
    field_count: 100,
};

/// As wrk sends it.
const PLAIN: &str = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// As a browser sends it.
const BROWSER: &str = "GET /articles/2031/a-title-of-some-length?page=2 HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1.2.3.4.5.6\r\n\
    Connection: keep-alive\r\n\
    Cache-Control: max-age=0\r\n\r\n";

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
