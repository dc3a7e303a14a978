//! Writing request records and reading response commands.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hinny_benches::inputs::{headers, request_head, response_command};
use hinny_core::commands::{Command, Commands};
use hinny_core::records;

fn write_request(c: &mut Criterion) {
    for count in [1, 8] {
        let headers = headers(count);
        let head = request_head();
        let mut out = Vec::with_capacity(4096);
        c.bench_function(&format!("record_request_write_{count}_headers"), |b| {
            b.iter(|| {
                out.clear();
                records::write_request(black_box(&mut out), &head, &headers, &[]);
            });
        });
    }
}

fn read_response(c: &mut Criterion) {
    let outbox = response_command();
    c.bench_function("command_response_read_1_header_13b", |b| {
        b.iter(|| {
            for command in Commands::new(black_box(&outbox)) {
                let Ok(Command::Response(_, response)) = command else {
                    continue;
                };
                let response = response.share(&outbox);
                let read = response.for_each_header(|name, value| {
                    black_box((name, value));
                });
                let _ = black_box((read, response.body()));
            }
        });
    });
}

criterion_group!(benches, write_request, read_response);
criterion_main!(benches);
