//! Test cases to servers with the fast lane and to servers without, over sockets; ends at the first difference.
#![no_main]

use std::cell::RefCell;

use hinny_fuzz::difference::Pairs;
use hinny_fuzz::mutation;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

thread_local! {
    static PAIRS: RefCell<Pairs> = RefCell::new(Pairs::new());
}

fuzz_target!(|data: &[u8]| {
    PAIRS.with_borrow_mut(|pairs| {
        if let Err(difference) = pairs.check(data) {
            panic!("{difference}");
        }
    });
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
