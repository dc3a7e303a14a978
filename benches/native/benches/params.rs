//! Query strings, forms and cookies to parameters.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_codec::cookies::{self, Values};
use hinny_codec::params;

const MOST: u32 = 1024;

/// Six parameters, two of them with escapes.
const QUERY: &str = "q=native+codecs&page=2&size=50&sort=name&tag=http%2F1.1&lang=en";

/// A session, a setting and what a consent banner leaves.
const COOKIES: &str =
    "session=0123456789abcdef0123456789abcdef; theme=dark; lang=en-US; consent=%7B%22all%22%3Atrue%7D";

fn decode(c: &mut Criterion) {
    let form = (0..100)
        .map(|n| format!("field{n}=a+value+of+some+length&"))
        .collect::<String>();
    let text = format!("text={}", "Gr%C3%BC%C3%9Fe+aus+M%C3%BCnchen.+".repeat(500));
    let mut group = c.benchmark_group("params_decode");
    for (name, input) in [
        ("query_6_params_62b", QUERY),
        ("form_100_fields_3kb", &form),
        ("form_1_text_17kb", &text),
    ] {
        let mut output = Vec::new();
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                output.clear();
                params::decode(black_box(input.as_bytes()), MOST, &mut output)
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("cookies_decode");
    let mut output = Vec::new();
    group.throughput(Throughput::Bytes(COOKIES.len() as u64));
    group.bench_function("cookies_4_96b", |b| {
        b.iter(|| {
            output.clear();
            cookies::decode(black_box(COOKIES.as_bytes()), Values::Decoded, MOST, &mut output)
        });
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
