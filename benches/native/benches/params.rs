//! Query strings, forms and cookies to parameters.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hinny_benches::inputs::{COOKIES, PARAMS_MOST, QUERY, escaped_form, form};
use hinny_codec::cookies::{self, Values};
use hinny_codec::params;

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("params_decode");
    for (name, input) in [
        ("query_6_params_62b", QUERY),
        ("form_100_fields_3kb", &form(100)),
        ("form_1_text_17kb", &escaped_form()),
    ] {
        let mut output = Vec::new();
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                output.clear();
                params::decode(black_box(input.as_bytes()), PARAMS_MOST, &mut output)
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
            cookies::decode(black_box(COOKIES.as_bytes()), Values::Decoded, PARAMS_MOST, &mut output)
        });
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
