//! Finding a request's endpoint in small and large route tables, and compiling them.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hinny_benches::inputs::PATHS;
use hinny_benches::routes::Table;
use hinny_codec::target;
use hinny_router::{Found, Method, Router};

/// Tables of so many routes: the cost of a look-up must not grow with them.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

fn find(c: &mut Criterion) {
    let mut group = c.benchmark_group("routes_find");
    for size in SIZES {
        let table = Table::of_routes(size);
        let router = Router::compile(table.words()).expect("the table is right");
        // Not the first resource: a search from the front would show.
        let last = (size - 1) / 4 - 1;
        let cases = [
            ("text", "GET", format!("/v1/r{last}")),
            ("2_params", "GET", format!("/v1/r{last}/4711/parts/17")),
            ("not_found", "GET", format!("/v1/r{last}/4711/no-such-path")),
            ("not_allowed", "DELETE", format!("/v1/r{last}")),
        ];
        for (name, method, path) in &cases {
            let method = Method::of(method);
            let params = match (router.find(method, path, None, None), *name) {
                (Found::Endpoint(_, params), "text" | "2_params") => params.len(),
                (Found::Refused(_), "not_found") | (Found::Answered(_), "not_allowed") => 0,
                (other, _) => panic!("{name} in {size} routes: {other:?}"),
            };
            assert_eq!(params, if *name == "2_params" { 2 } else { 0 }, "{name}");
            group.bench_function(format!("{name}_in_{size}"), |b| {
                b.iter(|| router.find(black_box(method), black_box(path), None, None));
            });
        }
    }
    group.finish();
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("routes_compile");
    group.sample_size(10);
    for size in SIZES {
        let table = Table::of_routes(size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("{size}"), |b| {
            // The drop of a table is not in it.
            b.iter_batched(|| table.words(), Router::compile, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn normalize(c: &mut Criterion) {
    let mut group = c.benchmark_group("routes_normalized");
    for (name, path) in ["no_escape_25b", "2_escapes_34b"].into_iter().zip(PATHS) {
        group.bench_function(name, |b| b.iter(|| target::normalized(black_box(path.as_bytes()))));
    }
    group.finish();
}

criterion_group!(benches, find, compile, normalize);
criterion_main!(benches);
