//! Changes to a test case that keep most of its sense: a fuzzer that only flips bits rarely gets past a request line.

use crate::input::{CUT, CUT_AND_HOLD};

/// What a test case may be lengthened by at once, and how long a run of one byte may become.
const RUN_BYTES_MAX: usize = 1100;

/// Whole requests.
pub const REQUESTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /e?q=%20&n HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\nUser-Agent: wrk\r\n\r\n",
    "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "DELETE /d HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
    "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n0123456789012345678901234567890123456789",
    "POST /a?p HTTP/1.1\r\nHost: x\r\nContent-Length: 70\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789",
    "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "POST /a?n HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
    "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET http://h:81/a?b HTTP/1.1\r\nHost: x\r\n\r\n",
    "PATCH /s3 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n\n",
    "GET /s2l HTTP/1.1\r\nHost: x\r\n\r\n",
    "TRACE /f1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "PROPFIND /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
];

/// Lines without their CRLF.
pub const LINES: &[&str] = &[
    "GET / HTTP/1.1",
    "Host: x",
    "Host: example.com:8080",
    "host: [::1]",
    "Host: a b",
    "Host:",
    "Content-Length: 0",
    "Content-Length: 3",
    "Content-Length: 64",
    "Content-Length: 65",
    "content-length: +1",
    "Content-Length: 1, 1",
    "Content-Length: 00000000000000000000001",
    "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: Keep-Alive, TE",
    "Connection: upgrade",
    "CONNECTION: CLOSE",
    "Connection:",
    "Keep-Alive: timeout=5",
    "Upgrade: h2c",
    "Upgrade: websocket",
    "Expect: 100-continue",
    "Expect: x",
    "Trailer: x",
    "TE: trailers",
    "Cookie: a=1",
    "Cookie: b=2; c=3",
    "Accept: text/html;q=0.9,*/*",
    "X-Own: v",
    "x-own: w",
    "X-Empty:",
    "X-Spaces:  \t v \t",
    "X-Space : v",
    " folded",
    "X-High: \u{e4}",
    ": no name",
    "no colon",
    "",
];

/// Parts of lines.
pub const TOKENS: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "#",
    "?",
    "%",
    "%2e",
    "/",
    "//",
    "*",
    "\\",
    "\"",
    "|",
    "[",
    "]",
    "@",
    "GET ",
    "HEAD ",
    "POST ",
    "CONNECT ",
    "get ",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    " HTTP/1.1",
    " HTTP/1.0",
    " HTTP/1.2",
    " HTTP/2.0",
    " http/1.1",
    " HTTP/1.1 ",
    "http://",
    "https://h",
    "0\r\n\r\n",
    "a;x=y\r\n",
    "ffffffffffffffff\r\n",
    "1\r\na\r\n",
    "\u{7f}",
    "\u{e4}",
];

/// Targets that choose another answer.
pub const TARGETS: &[&str] = &[
    "/",
    "/a",
    "/b1",
    "/b9",
    "/e",
    "/f0",
    "/f1",
    "/f2",
    "/h1",
    "/h2",
    "/h3",
    "/h4",
    "/h5",
    "/h6",
    "/h7",
    "/h8",
    "/h9",
    "/hj",
    "/hk",
    "/hl",
    "/hm",
    "/hn",
    "/ho",
    "/i",
    "/ix",
    "/s0",
    "/s1",
    "/s2",
    "/s3",
    "/s3l",
    "/s2x",
    "/204",
    "/205",
    "/304",
    "/404",
    "/599",
    "/a?n",
    "/a?p",
    "/?",
    "*",
    "/%41",
    "/a#b",
    "http://x/",
    "a",
];

/// Bytes that mean something somewhere.
const BYTES: &[u8] = b"\r\n \t\0\x7f\x80\xff:;,%#?/*+-0aAzZ_|\"\\";

/// Pseudo-random numbers; the same from the same seed.
struct Dice(u64);

impl Dice {
    /// A number below `sides`, 0 if there are none.
    const fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if sides == 0 { 0 } else { (self.0 >> 11) as usize % sides }
    }

    fn pick<'a>(&mut self, list: &'a [&str]) -> &'a str {
        list[self.roll(list.len())]
    }
}

/// Changes a test case at one to four places; it will have at most `length_max` bytes.
pub fn mutate(data: &mut Vec<u8>, length_max: usize, seed: u32) {
    let mut dice = Dice(u64::from(seed) << 20 | 0x9E37);
    dice.roll(1);
    data.resize(data.len().max(2), b'@');
    for _ in 0..=dice.roll(4) {
        change(data, &mut dice);
    }
    data.truncate(length_max);
}

fn change(data: &mut Vec<u8>, dice: &mut Dice) {
    let anywhere = 2 + dice.roll(data.len() - 1);
    match dice.roll(18) {
        0 => insert(data, anywhere, dice.pick(TOKENS)),
        1 => {
            let at = line_start(data, dice);
            let line = dice.pick(LINES).to_owned() + "\r\n";
            insert(data, at, &line);
        }
        2 => {
            let (at, end) = line(data, dice);
            let line = dice.pick(LINES).to_owned() + "\r\n";
            data.splice(at..end, line.bytes());
        }
        3 => {
            let (at, end) = line(data, dice);
            let copy = data[at..end].to_vec();
            let to = line_start(data, dice);
            data.splice(to..to, copy);
        }
        4 => {
            let (at, end) = line(data, dice);
            data.drain(at..end);
        }
        5 | 6 => data.insert(anywhere, if dice.roll(4) == 0 { CUT_AND_HOLD } else { CUT }),
        7 | 8 => {
            let at = if dice.roll(3) == 0 {
                line_start(data, dice)
            } else {
                data.len()
            };
            insert(data, at, dice.pick(REQUESTS));
        }
        9 => {
            if let Some(at) = find(data, dice, |byte| matches!(*byte, CUT | CUT_AND_HOLD)) {
                data.remove(at);
            }
        }
        10 => {
            if let Some(at) = find(data, dice, u8::is_ascii_digit) {
                data[at] = b'0' + dice.roll(10) as u8;
            }
        }
        11 => {
            if let Some(at) = find(data, dice, u8::is_ascii_alphabetic) {
                data[at] ^= 0x20;
            }
        }
        12 => {
            let at = dice.roll(2);
            data[at] = b'@' + dice.roll(64) as u8;
            if dice.roll(4) > 0 {
                // Cut as marked: many small pieces take long.
                data[1] &= !0x30;
            }
        }
        13 => {
            if let Some(byte) = data.get_mut(anywhere) {
                *byte = BYTES[dice.roll(BYTES.len())];
            }
        }
        14 => {
            if let Some(byte) = data.get(anywhere).copied() {
                let length = [1, 8, 62, 64, 66, 100, 255, RUN_BYTES_MAX][dice.roll(8)];
                data.splice(anywhere..anywhere, std::iter::repeat_n(byte, length));
            }
        }
        15 => {
            // A client repeats itself.
            let copy = data[line_start(data, dice)..].to_vec();
            data.extend_from_slice(&copy);
        }
        16 => {
            let (at, end) = line(data, dice);
            let text = &data[at..end];
            let spaces: Vec<usize> = (at..end).filter(|n| text[n - at] == b' ').collect();
            if let [first, .., last] = spaces[..] {
                data.splice(first + 1..last, dice.pick(TARGETS).bytes());
            }
        }
        _ => {
            let end = (anywhere + 1 + dice.roll(12)).min(data.len());
            data.drain(anywhere.min(end)..end);
        }
    }
}

fn insert(data: &mut Vec<u8>, at: usize, text: &str) {
    // Latin-1, as on the wire.
    data.splice(at..at, text.chars().map(|c| c as u8));
}

/// Where some line starts, or the end.
fn line_start(data: &[u8], dice: &mut Dice) -> usize {
    find(data, dice, |byte| *byte == b'\n').map_or(2, |at| at + 1)
}

/// Start and end of some line with its LF.
fn line(data: &[u8], dice: &mut Dice) -> (usize, usize) {
    let start = line_start(data, dice).min(data.len());
    let length = data[start..].iter().position(|byte| *byte == b'\n');
    (start, length.map_or(data.len(), |length| start + length + 1))
}

/// The place of some byte of the stream that is wanted.
fn find(data: &[u8], dice: &mut Dice, wanted: impl Fn(&u8) -> bool) -> Option<usize> {
    let count = data.iter().skip(2).filter(|byte| wanted(byte)).count();
    let chosen = dice.roll(count);
    let mut places = data.iter().enumerate().skip(2).filter(|(_, byte)| wanted(byte));
    places.nth(chosen).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_gives_a_test_case_of_the_allowed_length() {
        for seed in 0..20_000 {
            for case in ["", "@", "@@", "@@GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
                let mut data = case.as_bytes().to_vec();
                mutate(&mut data, 500, seed);
                assert!((2..=500).contains(&data.len()), "{seed}");
            }
        }
    }
}
