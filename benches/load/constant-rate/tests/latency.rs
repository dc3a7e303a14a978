//! The generator against servers that misbehave in a known way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

const GET: &str = "GET /plaintext HTTP/1.1\r\nHost: test\r\n\r\n";

/// Runs the generator for a second at 1,000 requests a second on one connection that `serve` serves.
fn run(serve: impl FnOnce(TcpStream) + Send + 'static) -> Output {
    run_with(&[], serve)
}

/// The same with more arguments.
fn run_with(more: &[&str], serve: impl FnOnce(TcpStream) + Send + 'static) -> Output {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("the address").to_string();
    let server = thread::spawn(move || serve(listener.accept().expect("a connection").0));
    let output = Command::new(env!("CARGO_BIN_EXE_hinny-constant-rate"))
        .args(["--address", &address, "--rate", "1000", "--seconds", "1"])
        .args(["--connections", "1", "--response-bytes", &ANSWER.len().to_string()])
        .args(["--path", "/plaintext", "--header", "Host: test"])
        .args(more)
        .output()
        .expect("the generator runs");
    server.join().expect("the server ends well");
    output
}

/// Reads one request; false at the end of the connection.
fn read_request(stream: &mut TcpStream) -> bool {
    read_exactly(stream, GET.as_bytes())
}

/// Reads as many bytes as are expected, which must be these.
fn read_exactly(stream: &mut TcpStream, expected: &[u8]) -> bool {
    let mut request = vec![0; expected.len()];
    if stream.read_exact(&mut request).is_err() {
        return false;
    }
    assert_eq!(request, expected);
    true
}

/// The first number after `"name":` behind `"section":`.
fn figure(output: &Output, section: &str, name: &str) -> f64 {
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = text.split_once(&format!("\"{section}\":")).expect(section);
    let (_, rest) = rest.split_once(&format!("\"{name}\":")).expect(name);
    let end = rest.find([',', '}']).expect("an end");
    rest[..end].parse().expect("a number")
}

#[test]
fn a_stall_is_in_the_latency_of_every_request_that_was_due_in_it() {
    let output = run(|mut stream| {
        assert!(read_request(&mut stream));
        let (_keep, stall) = mpsc::channel::<()>();
        stall
            .recv_timeout(Duration::from_millis(500))
            .expect_err("nothing is sent");
        stream.write_all(ANSWER).expect("the answer goes out");
        while read_request(&mut stream) {
            stream.write_all(ANSWER).expect("the answer goes out");
        }
    });
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"requests\":1000,\"missing\":0,"));
    // Half of all requests were due while the server stood still; of a closed loop's, one was.
    assert!(figure(&output, "latency_us", "p90") > 300_000.0, "{output:?}");
    assert!(figure(&output, "send_delay_us", "p90") > 300_000.0, "{output:?}");
}

#[test]
fn a_wrong_status_ends_the_run() {
    let output = run(|mut stream| {
        assert!(read_request(&mut stream));
        stream
            .write_all(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nno")
            .expect("the answer goes out");
        assert!(!read_request(&mut stream));
    });
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("not a 200"),
        "{output:?}"
    );
}

#[test]
fn a_closed_connection_ends_the_run() {
    let output = run(|mut stream| {
        assert!(read_request(&mut stream));
    });
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("closed a connection"),
        "{output:?}"
    );
}

#[test]
fn a_body_is_posted_as_json() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = run_with(&["--body", manifest], move |mut stream| {
        let body = std::fs::read_to_string(manifest).expect("a file that is there");
        let length = body.len();
        let expected = format!(
            "POST /plaintext HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        while read_exactly(&mut stream, expected.as_bytes()) {
            stream.write_all(ANSWER).expect("the answer goes out");
        }
    });
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"requests\":1000,\"missing\":0,"));
}
