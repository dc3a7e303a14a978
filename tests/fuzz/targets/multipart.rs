//! Multipart bodies in one piece and in several, in memory; ends at the first difference.
#![no_main]

use hinny_fuzz::forms;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = forms::check(data) {
        panic!("{difference}\n{}", data.escape_ascii());
    }
});
