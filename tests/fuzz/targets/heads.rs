//! Request heads to the fast lane's parser, the framing guard and hyper, in memory; ends at the first difference.
#![no_main]

use hinny_fuzz::{mutation, plain};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = plain::check(data) {
        panic!("{difference}\n{}", data.escape_ascii());
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 4 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut changed = data[..size].to_vec();
    mutation::mutate(&mut changed, max_size, seed);
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
});
