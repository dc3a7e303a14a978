//! Every answer that the handler knows, to every method, in every setting: a table that no fuzzer needs to find.

use hinny_fuzz::difference::Pairs;
use hinny_fuzz::mutation::TARGETS;
use hinny_fuzz::setting::SETTINGS;

const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "OPTIONS", "PURGE"];

const FIELDS: [&str; 4] = [
    "",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Content-Length: 0\r\n",
];

/// How the handler answers, see `hinny_fuzz::input`.
const ANSWERINGS: &[u8] = b"@BDGH";

/// How many requests stand before and behind. The last two make it the last request that some settings allow.
const PLACES: [(usize, usize); 5] = [(0, 0), (0, 1), (1, 1), (2, 0), (3, 0)];

#[test]
fn every_answer_has_the_same_bytes_in_the_fast_lane() {
    let mut pairs = Pairs::new();
    let mut case = 0;
    for target in TARGETS {
        for method in METHODS {
            for fields in FIELDS {
                // Not each with each: but every setting, place and way to answer comes with every target.
                let setting = b'@' + (case % SETTINGS) as u8;
                let answering = ANSWERINGS[case % ANSWERINGS.len()];
                case += 1;
                let request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
                let next = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
                for (before, after) in [PLACES[case % PLACES.len()], PLACES[(case + 2) % PLACES.len()]] {
                    let bytes = next.repeat(before) + &request + &next.repeat(after);
                    let mut data = vec![setting, answering];
                    data.extend_from_slice(bytes.as_bytes());
                    if let Err(difference) = pairs.check(&data) {
                        panic!("{}\n{difference}", data.escape_ascii());
                    }
                }
            }
        }
    }
}
