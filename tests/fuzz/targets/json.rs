//! JSON texts to the tokenizer and to serde_json, which must agree; ends at the first difference.
#![no_main]

use hinny_fuzz::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = json::check(data) {
        panic!("{difference}\n{}", data.escape_ascii());
    }
});
