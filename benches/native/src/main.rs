//! Serves a fixed number of requests and ends: a run for callgrind.
//!
//! `hinny-benches ENGINE DEPTH BATCHES` sends BATCHES batches of DEPTH pipelined requests over each of 32 connections to
//! a server with this `:http1-engine`.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::thread;

use hinny_benches::{Driver, REQUEST, send_requests};

const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = arguments.iter().skip(1).filter_map(|text| text.parse().ok()).collect();
    let ([engine, ..], [depth, batches]) = (&arguments[..], &numbers[..]) else {
        eprintln!("usage: hinny-benches ENGINE DEPTH BATCHES");
        return ExitCode::FAILURE;
    };
    let (depth, batches) = (*depth, *batches);
    let mut driver = match Driver::start(engine, "inline") {
        Ok(driver) => driver,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let port = driver.engine.port();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| thread::spawn(move || send_requests(port, REQUEST, batches, depth)))
        .collect();
    let requests = CONNECTIONS * (batches * depth + 1);
    driver.serve(requests);
    for client in clients {
        match client.join() {
            Ok(Ok(())) => {}
            failed => {
                eprintln!("client failed: {failed:?}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{requests} requests served");
    ExitCode::SUCCESS
}
