//! Query strings and forms to the codec of parameters; ends at the first difference to its rules.
#![no_main]

use hinny_fuzz::params;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = params::check_form(data) {
        panic!("{difference}\n{}", data.escape_ascii());
    }
});
