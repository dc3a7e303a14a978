//! Writing request records and reading response commands.
#![allow(missing_docs, reason = "criterion_group makes a public function")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use hinny_core::commands::{Command, Commands};
use hinny_core::records::{self, RequestHead};
use http::{HeaderMap, HeaderName, HeaderValue};

fn headers(count: usize) -> HeaderMap {
    [
        ("host", "127.0.0.1:8080"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br"),
        ("cookie", "session=0123456789abcdef; theme=dark"),
        ("x-request-id", "7f3a2c9e-1111-2222-3333-444455556666"),
        ("x-custom", "value"),
    ]
    .into_iter()
    .take(count)
    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
    .collect()
}

fn write_request(c: &mut Criterion) {
    for count in [1, 8] {
        let headers = headers(count);
        let head = RequestHead {
            exchange: 1 << 32,
            method_id: 1,
            method: "GET",
            flags: 0,
            uri: b"/plaintext",
            query: None,
            server_name: "127.0.0.1",
            server_port: 8080,
            remote_addr: "127.0.0.1",
            endpoint: 0,
        };
        let mut out = Vec::with_capacity(4096);
        c.bench_function(&format!("record_request_write_{count}_headers"), |b| {
            b.iter(|| {
                out.clear();
                records::write_request(black_box(&mut out), &head, &headers, &[]);
            });
        });
    }
}

/// A response with Content-Type and a body of 13 bytes, as `Outbox` writes it.
fn response_command() -> Bytes {
    let mut out = vec![0; 24];
    out[records::RESPONSE_TYPE] = records::RESPONSE;
    out[records::RESPONSE_FLAGS] = records::FLAG_RESPONSE_BODY;
    out[6..8].copy_from_slice(&200_u16.to_le_bytes());
    out[16..20].copy_from_slice(&13_u32.to_le_bytes());
    out[20..22].copy_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&[26, 0, 0, 0, 10, 0, 0, 0]);
    out.extend_from_slice(b"text/plainHello, World!\0");
    out[0..4].copy_from_slice(&56_u32.to_le_bytes());
    out.into()
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
