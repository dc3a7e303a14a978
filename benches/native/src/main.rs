//! Does what instructions are counted of, a fixed number of times, and ends: a run for callgrind.
//!
//! `hinny-benches list` prints a line for each case: its name, how many calls or requests its work has, and how often a
//! short and a long run do it. `hinny-benches run NAME TIMES` is such a run.
//!
//! # Threads
//! The work is done by a thread of its own while the first one waits: its stack begins at a page, whereas that of the
//! first one begins below arguments, environment and what the kernel says, whose lengths differ. How a stack is aligned
//! decides how memory on it is copied and cleared; that alone changed counts by 1 %.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::thread;

use hinny_benches::cases::{self, CASES};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["list"] => {
            list();
            Ok(())
        }
        ["run", name, times] => run(name, times),
        _ => Err("usage: hinny-benches list | run NAME TIMES".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    for case in CASES {
        let [few, many] = case.times;
        println!("{}\t{}\t{few}\t{many}", case.name, case.units);
    }
}

fn run(name: &str, times: &str) -> Result<(), String> {
    let case = cases::find(name).ok_or_else(|| format!("no case is called {name}"))?;
    let times: usize = times.parse().map_err(|_| format!("{times} is no number"))?;
    let run = move || {
        let mut work = case.prepare()?;
        (0..times).try_for_each(|_| work())
    };
    thread::spawn(run).join().map_err(|_| format!("{name} panicked"))?
}
