//! Runs test cases and shows what the servers did: `hinny-fuzz [--same | --heads] FILE...`. With `--same` both servers
//! are hyper's; with `--heads` the files are test cases for the parser.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use hinny_fuzz::difference::Pairs;
use hinny_fuzz::plain;
use hinny_fuzz::setting::Http1;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: Vec<String> = arguments
        .extract_if(.., |argument| argument.starts_with("--"))
        .collect();
    let has = |name: &str| options.iter().any(|option| option == name);
    let mut pairs = Pairs::of(if has("--same") { Http1::Hyper } else { Http1::Auto });
    let mut differences = 0;
    for file in &arguments {
        let data = match std::fs::read(Path::new(file)) {
            Ok(data) => data,
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        };
        println!("{file}: {}", data.escape_ascii());
        let difference = if has("--heads") {
            plain::check(&data).err()
        } else {
            show(&mut pairs, &data)
        };
        if let Some(difference) = difference {
            println!("differs: {difference}");
            differences += 1;
        }
    }
    println!("{differences} different, {} unsteady", pairs.unsteady);
    if differences == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Shows what both servers did; returns the difference, if there is one.
fn show(pairs: &mut Pairs, data: &[u8]) -> Option<String> {
    match pairs.check(data) {
        Ok(Some(seen)) => print!("{seen}"),
        Ok(None) => println!("  no test case"),
        Err(difference) => return Some(difference.to_string()),
    }
    None
}
