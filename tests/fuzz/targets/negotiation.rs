//! Fields of content negotiation, in memory; ends at the first difference.
#![no_main]

use hinny_fuzz::negotiation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = negotiation::check(data) {
        panic!("{difference}\n{}", data.escape_ascii());
    }
});
