//! Allocations per keep-alive request in steady state, counted on the loop's thread.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hinny_benches::cases::CASES;
use hinny_benches::inputs;
use hinny_benches::routes::{CONSTANT_REQUEST, MISSING_REQUEST, PARAMS_REQUEST, Table};
use hinny_benches::{BODY, Client, Driver, JSON, POST, REQUEST, send_requests};
use hinny_codec::decode::Codec;

const REQUESTS: usize = 2_000;

/// Every way in which the benchmarks' requests can come, and be answered.
const WAYS: [(&str, usize); 4] = [("inline", 1), ("inline", 16), ("worker", 1), ("worker", 16)];

const ESCAPE: &[u8] = b"GET /users/%7eme/orders/17 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
const FILE: &[u8] = b"GET /files/a.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept-Encoding: gzip\r\n\r\n";
const FILE_TEXT: &[u8] = b"the text of a small file";
const KNOWN_FILE: &[u8] = b"GET /files/a.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nIf-None-Match: *\r\n\r\n";
const MISSING_FILE: &[u8] = b"GET /files/none HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
const DELETE: &[u8] = b"DELETE /users/7/orders/17 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// Serves `depth` pipelined requests at a time; returns how often memory was allocated for [`REQUESTS`] of them after
/// the first ones.
fn allocations(http1_engine: &str, handler_mode: &str, request: &'static [u8], depth: usize) -> Result<u64, String> {
    let mut driver = Driver::start(http1_engine, handler_mode)?;
    let port = driver.engine.port();
    let batches = REQUESTS / depth;
    let client = thread::spawn(move || send_requests(port, request, 2 * batches, depth));
    driver.serve(1 + batches * depth);
    let counted = allocation_counter::measure(|| driver.serve(batches * depth));
    client
        .join()
        .map_err(|_| "client panicked")?
        .map_err(|error| error.to_string())?;
    Ok(counted.count_total)
}

/// The same in the fast lane of a server with routes, where the core may answer; about [`REQUESTS`] are measured.
fn allocations_with_routes(
    handler_mode: &str,
    table: &Table,
    request: &'static [u8],
    body: &'static [u8],
    depth: usize,
) -> Result<u64, String> {
    let mut driver = Driver::start("auto", handler_mode)?;
    driver.set_routes(table)?;
    let engine = Arc::clone(&driver.engine);
    let [warm, done] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let reached = [Arc::clone(&warm), Arc::clone(&done)];
    let client = thread::spawn(move || -> std::io::Result<()> {
        let mut client = Client::connect(engine.port(), request, body, depth)?;
        for part in reached {
            client.send(REQUESTS / depth)?;
            part.store(true, Ordering::Release);
            engine.wake(0);
        }
        Ok(())
    });
    driver.serve_until(&warm);
    let counted = allocation_counter::measure(|| driver.serve_until(&done));
    client
        .join()
        .map_err(|_| "client panicked")?
        .map_err(|error| error.to_string())?;
    Ok(counted.count_total)
}

#[test]
fn a_request_in_the_fast_lane_allocates_nothing_in_steady_state() -> Result<(), String> {
    for (handler_mode, depth) in WAYS {
        for request in [REQUEST, POST, JSON] {
            let count = allocations("auto", handler_mode, request, depth)?;
            let name = request[..12].escape_ascii();
            assert_eq!(count, 0, "{name} {handler_mode} ×{depth}: of {REQUESTS} requests");
        }
    }
    Ok(())
}

#[test]
fn a_request_to_hyper_without_a_body_allocates_nothing_in_steady_state() -> Result<(), String> {
    for (handler_mode, depth) in WAYS {
        let count = allocations("hyper", handler_mode, REQUEST, depth)?;
        assert!(
            count * 1_000 < 10 * REQUESTS as u64,
            "{handler_mode} ×{depth}: {count} allocations for {REQUESTS} requests"
        );
    }
    Ok(())
}

#[test]
fn a_request_with_routes_allocates_nothing_in_steady_state() -> Result<(), String> {
    let requests = [
        ("text", REQUEST, BODY),
        ("2 parameters", PARAMS_REQUEST, BODY),
        ("constant", CONSTANT_REQUEST, BODY),
        ("not found", MISSING_REQUEST, b"Not Found"),
    ];
    for (handler_mode, depth) in WAYS {
        for (name, request, body) in requests {
            let count = allocations_with_routes(handler_mode, &Table::of_site(handler_mode), request, body, depth)?;
            assert_eq!(count, 0, "{name} {handler_mode} ×{depth}: of {REQUESTS} requests");
        }
    }
    Ok(())
}

/// A body goes through hyper's own buffers and a queue.
#[test]
fn a_request_to_hyper_with_a_body_allocates_little() -> Result<(), String> {
    for (handler_mode, depth) in WAYS {
        for request in [POST, JSON] {
            let count = allocations("hyper", handler_mode, request, depth)?;
            let name = request[..12].escape_ascii();
            assert!(
                count <= 6 * REQUESTS as u64,
                "{name} {handler_mode} ×{depth}: {count} for {REQUESTS} requests"
            );
        }
    }
    Ok(())
}

/// What is rarer may allocate: the path is written anew without needless escapes; a 405 is put together.
#[test]
fn a_request_with_an_escape_or_another_method_allocates_little() -> Result<(), String> {
    let requests = [(ESCAPE, BODY, 1), (DELETE, b"Method Not Allowed", 7)];
    for (handler_mode, depth) in WAYS {
        for (request, body, each) in requests {
            let count = allocations_with_routes(handler_mode, &Table::of_site(handler_mode), request, body, depth)?;
            let name = request[..12].escape_ascii();
            assert!(
                count <= each * REQUESTS as u64,
                "{name} {handler_mode} ×{depth}: {count} for {REQUESTS} requests"
            );
        }
    }
    Ok(())
}

/// How often a case allocates for each call; those that are not named, nothing.
const ALLOCATING: [(&str, u64); 4] = [
    ("path_normalized_2_escapes_34b", 1),
    ("file_path_3_segments", 1),
    ("accept_browser_of_3", 1),
    ("range_3", 1),
];

/// How often each case is measured.
const TIMES: u64 = 20;

/// A codec writes into a buffer that is used again, and reads from where the bytes are; requests are answered in the
/// buffers of the loop.
#[test]
fn what_instructions_are_counted_of_allocates_no_more_in_steady_state() -> Result<(), String> {
    for case in CASES {
        let mut work = case.prepare()?;
        (0..case.times[0]).try_for_each(|_| work())?;
        let mut done = Ok(());
        let counted = allocation_counter::measure(|| done = (0..TIMES).try_for_each(|_| work()));
        done?;
        let known = ALLOCATING.iter().find(|(name, _)| *name == case.name);
        let each = known.map_or(0, |(_, each)| *each);
        assert_eq!(counted.count_total, each * TIMES, "{}: {TIMES} times", case.name);
    }
    Ok(())
}

/// Where no buffer is there yet, it grows to its size a few times; the data of a file in a form is not copied at all.
#[test]
fn a_codec_with_a_new_buffer_allocates_no_more_than_it_did() {
    let json = inputs::json_text(10_000);
    let form = inputs::form(100);
    let multipart = inputs::multipart(&inputs::noise(10_000));
    let decoded: [(_, &[u8], _, _, _); 4] = [
        (Codec::Json, &json, u64::from(inputs::JSON_SETTINGS.depth), 12, 24_576),
        (Codec::Params, form.as_bytes(), 0, 2, 9_474),
        (Codec::Cookies, inputs::COOKIES.as_bytes(), 0, 1, 164),
        (Codec::Multipart, &multipart, inputs::MULTIPART_SETTINGS, 7, 768),
    ];
    for (codec, input, settings, times, bytes) in decoded {
        let mut result = Ok(());
        let counted = allocation_counter::measure(|| {
            result = codec.decode(input, settings, &mut Vec::new());
        });
        assert_eq!(result, Ok(()), "{codec:?}");
        let (count, most) = (counted.count_total, counted.bytes_max);
        assert!(count <= times, "{codec:?}: {count} allocations, not {times}");
        assert!(most <= bytes, "{codec:?}: {most} bytes at once, not {bytes}");
    }
}

/// A small file that the loop knows, one that is not there, and what a client has already.
#[test]
fn a_request_for_a_known_file_allocates_nothing_in_steady_state() -> Result<(), String> {
    let directory = std::env::temp_dir().join(format!("hinny-allocations-{}", std::process::id()));
    let written = fs::create_dir(&directory).and_then(|()| fs::write(directory.join("a.txt"), FILE_TEXT));
    let counted = written.map_err(|error| error.to_string()).and_then(|()| {
        let root = directory.to_str().ok_or("a path that is text")?.as_bytes();
        let files = [("files", root), ("files-cache-ms", b"86400000")];
        let table = Table::default().route("GET", "/files/{*p0}", &files);
        let mut counts = Vec::new();
        for (request, body) in [
            (FILE, FILE_TEXT),
            (KNOWN_FILE, b"\r\n\r\n"),
            (MISSING_FILE, b"Not Found"),
        ] {
            for depth in [1, 16] {
                let count = allocations_with_routes("inline", &table, request, body, depth)?;
                counts.push((request[..16].escape_ascii().to_string(), depth, count));
            }
        }
        Ok(counts)
    });
    fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    for (name, depth, count) in counted? {
        assert_eq!(count, 0, "{name} ×{depth}: of {REQUESTS} requests");
    }
    Ok(())
}
