//! Sends HTTP/1.1 requests at a constant rate and says how long each answer took, counted from the
//! time at which its request was due.
//!
//! The load is open: when the server stands still, the schedule goes on, and every request that had
//! to wait for its connection has that wait in its latency. (A closed loop, like wrk's, sends less
//! while the server stands still, and so leaves out what its users would have waited.)
//!
//! # Invariants
//! - Request `i` is due at `i / rate` after the start, on connection `i mod connections`.
//! - A connection has one request under way at most, and its requests go out in order.
//! - Every request that was due is sent and answered, or it is counted as missing.
//!
//! # Threads
//! One. It sleeps until a request is due or an answer is there.

#![forbid(unsafe_code)]

mod connection;
mod options;
mod run;

use std::process::ExitCode;

use hdrhistogram::Histogram;

use crate::options::{Options, USAGE};
use crate::run::Outcome;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("hinny-constant-rate: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run::run(&options) {
        Ok(outcome) => {
            print(&outcome);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hinny-constant-rate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the figures as one line of JSON; times are in µs.
fn print(outcome: &Outcome) {
    println!(
        "{{\"requests\":{},\"missing\":{},\"seconds\":{:.6},\"latency_us\":{},\"send_delay_us\":{}}}",
        outcome.latency.len(),
        outcome.missing,
        outcome.measured.as_secs_f64(),
        percentiles(&outcome.latency),
        percentiles(&outcome.send_delay),
    );
}

fn percentiles(nanos: &Histogram<u64>) -> String {
    let us = |nanos: u64| nanos as f64 / 1000.0;
    let at = |quantile: f64| us(nanos.value_at_quantile(quantile));
    format!(
        "{{\"p50\":{:.1},\"p90\":{:.1},\"p99\":{:.1},\"p99_9\":{:.1},\"max\":{:.1}}}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        us(nanos.max()),
    )
}
