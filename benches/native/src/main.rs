//! Serves a fixed number of requests and ends: a run for callgrind.
//!
//! `hinny-benches ENGINE DEPTH BATCHES [REQUEST]` sends BATCHES batches of DEPTH pipelined requests over each of 32
//! connections to a server with this `:http1-engine`. REQUEST is `bare` for a server without routes, which is the default,
//! or one that a server with routes gets: `text`, `params`, `constant`, `missing`.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hinny_benches::routes::{CONSTANT_REQUEST, MISSING_REQUEST, PARAMS_REQUEST, Table};
use hinny_benches::{BODY, Client, Driver, REQUEST};

const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(requests) => {
            println!("{requests} requests served");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<usize, String> {
    let usage = "usage: hinny-benches ENGINE DEPTH BATCHES [bare|text|params|constant|missing]";
    let [engine, depth, batches, request @ ..] = arguments else {
        return Err(usage.into());
    };
    let number = |text: &str| text.parse::<usize>().map_err(|_| usage);
    let (depth, batches) = (number(depth)?, number(batches)?);
    let request = request.first().map_or("bare", String::as_str);
    let (bytes, body): (_, &[u8]) = match request {
        "bare" | "text" => (REQUEST, BODY),
        "params" => (PARAMS_REQUEST, BODY),
        "constant" => (CONSTANT_REQUEST, BODY),
        "missing" => (MISSING_REQUEST, b"Not Found"),
        _ => return Err(usage.into()),
    };
    let mut driver = Driver::start(engine, "inline")?;
    if request != "bare" {
        driver.set_routes(&Table::of_site("inline"))?;
    }
    let engine = Arc::clone(&driver.engine);
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let clients = thread::spawn(move || {
        let sent = send(engine.port(), bytes, body, batches, depth);
        done.store(true, Ordering::Release);
        engine.wake(0);
        sent
    });
    driver.serve_until(&is_done);
    clients.join().map_err(|_| "client panicked")??;
    Ok(CONNECTIONS * (batches * depth + 1))
}

/// Sends all requests, each connection on a thread of its own.
fn send(port: u16, request: &'static [u8], body: &'static [u8], batches: usize, depth: usize) -> Result<(), String> {
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| thread::spawn(move || Client::connect(port, request, body, depth)?.send(batches)))
        .collect();
    for client in clients {
        client
            .join()
            .map_err(|_| "client panicked")?
            .map_err(|error| format!("client failed: {error}"))?;
    }
    Ok(())
}
