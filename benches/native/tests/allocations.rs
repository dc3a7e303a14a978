//! Allocations per keep-alive request in steady state, counted on the loop's thread.

use std::thread;

use hinny_benches::{Driver, JSON, POST, REQUEST, send_requests};

const REQUESTS: usize = 2_000;

/// Every way in which the benchmarks' requests can come, and be answered.
const WAYS: [(&str, usize); 4] = [("inline", 1), ("inline", 16), ("worker", 1), ("worker", 16)];

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
