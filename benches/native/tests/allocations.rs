//! Allocations per keep-alive request in steady state, counted on the loop's thread.

use std::thread;

use hinny_benches::{Driver, send_requests};

const REQUESTS: usize = 2_000;

/// Serves `depth` pipelined requests at a time; returns allocations per 1,000 requests after the first ones.
fn allocations(handler_mode: &str, depth: usize) -> Result<u64, String> {
    let mut driver = Driver::start(handler_mode)?;
    let port = driver.engine.port();
    let batches = REQUESTS / depth;
    let client = thread::spawn(move || send_requests(port, 2 * batches, depth));
    driver.serve(1 + batches * depth);
    let counted = allocation_counter::measure(|| driver.serve(batches * depth));
    client
        .join()
        .map_err(|_| "client panicked")?
        .map_err(|error| error.to_string())?;
    Ok(counted.count_total * 1_000 / REQUESTS as u64)
}

#[test]
fn a_request_allocates_nothing_in_steady_state() -> Result<(), String> {
    for (handler_mode, depth) in [("inline", 1), ("inline", 16), ("worker", 1)] {
        let per_thousand = allocations(handler_mode, depth)?;
        assert!(
            per_thousand < 10,
            "{handler_mode} ×{depth}: {per_thousand} allocations per 1,000 requests"
        );
    }
    Ok(())
}
