//! Preconditions of requests, in memory; ends at the first difference.
#![no_main]

use hinny_fuzz::files;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = files::check_conditions(data) {
        panic!("{difference}\n{}", data.escape_ascii());
    }
});
