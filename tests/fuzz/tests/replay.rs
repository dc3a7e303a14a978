//! Every test case that is kept: the corpus, and what a fuzzer has found.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hinny_fuzz::difference::Pairs;
use hinny_fuzz::{files, forms, json, negotiation, params, plain};

/// The test cases for a target, which has some.
fn test_cases(target: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut cases = Vec::new();
    for kind in ["corpus", "found"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target);
        // What nothing was found for has no directory.
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry?.path();
            let data = fs::read(&path)?;
            cases.push((path, data));
        }
    }
    assert!(!cases.is_empty());
    Ok(cases)
}

#[test]
fn the_fast_lane_does_with_every_test_case_what_hyper_does() -> io::Result<()> {
    let mut pairs = Pairs::new();
    for (path, data) in test_cases("exchanges")? {
        if let Err(difference) = pairs.check(&data) {
            panic!("{}\n{difference}", path.display());
        }
    }
    Ok(())
}

#[test]
fn a_head_that_is_plain_is_the_same_request_to_all() -> io::Result<()> {
    for (path, data) in test_cases("heads")? {
        if let Err(difference) = plain::check(&data) {
            panic!("{}\n{difference}", path.display());
        }
    }
    Ok(())
}

#[test]
fn a_form_is_the_same_whatever_its_pieces() -> io::Result<()> {
    for (path, data) in test_cases("multipart")? {
        if let Err(difference) = forms::check(&data) {
            panic!("{}\n{difference}", path.display());
        }
    }
    Ok(())
}

#[test]
fn what_is_chosen_of_several_offers_is_taken_alone() -> io::Result<()> {
    for (path, data) in test_cases("negotiation")? {
        if let Err(difference) = negotiation::check(&data) {
            panic!("{}\n{difference}", path.display());
        }
    }
    Ok(())
}

#[test]
fn a_json_text_is_to_the_tokenizer_what_it_is_to_serde() -> io::Result<()> {
    for (path, data) in test_cases("json")? {
        if let Err(difference) = json::check(&data) {
            panic!("{}\n{difference}", path.display());
        }
    }
    Ok(())
}

#[test]
fn parameters_and_cookies_are_what_their_rules_say() -> io::Result<()> {
    type Check = fn(&[u8]) -> Result<(), String>;
    let targets: [(&str, Check); 2] = [("params", params::check_form), ("cookies", params::check_cookies)];
    for (target, check) in targets {
        for (path, data) in test_cases(target)? {
            if let Err(difference) = check(&data) {
                panic!("{}\n{difference}", path.display());
            }
        }
    }
    Ok(())
}

#[test]
fn requests_for_files_are_what_their_rules_say() -> io::Result<()> {
    type Check = fn(&[u8]) -> Result<(), String>;
    let targets: [(&str, Check); 3] = [
        ("ranges", files::check_ranges),
        ("conditions", files::check_conditions),
        ("paths", files::check_paths),
    ];
    for (target, check) in targets {
        for (path, data) in test_cases(target)? {
            if let Err(difference) = check(&data) {
                panic!("{}\n{difference}", path.display());
            }
        }
    }
    Ok(())
}
