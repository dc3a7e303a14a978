//! Serves a fixed number of requests and ends: a run for callgrind.
//!
//! `hinny-benches DEPTH BATCHES` sends BATCHES batches of DEPTH pipelined requests over each of 32 connections.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::thread;

use hinny_benches::{Driver, send_requests};

const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [depth, batches] = numbers[..] else {
        eprintln!("usage: hinny-benches DEPTH BATCHES");
        return ExitCode::FAILURE;
    };
    let mut driver = match Driver::start("inline") {
        Ok(driver) => driver,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let port = driver.engine.port();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| thread::spawn(move || send_requests(port, batches, depth)))
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
