//! Multipart bodies: in one piece and in several, as events and as results for Java; all must say the same.
//!
//! A test case is a line with the boundary and the ends of pieces in bytes, `b 10 25`, and the body.

use hinny_codec::malformed::Malformed;
use hinny_codec::multipart::{self, Event, Form, State};
use hinny_core::results::{
    MULTIPART_DATA, MULTIPART_DATA_SIZE, MULTIPART_EVENTS, MULTIPART_PART, MULTIPART_PART_END_SIZE,
    MULTIPART_PART_FILENAME_LENGTH, MULTIPART_PART_NAME_LENGTH, MULTIPART_PART_SIZE, MULTIPART_PART_TYPE_LENGTH,
    MULTIPART_SETTING_DELIMITER_SHIFT, MULTIPART_SETTING_FLAGS_SHIFT, MULTIPART_SETTING_HEAD_BYTES_SHIFT,
    MULTIPART_SETTING_LAST, MULTIPART_STATE, MULTIPART_USED,
};
use memchr::memchr;

const HEAD_BYTES_MAX: usize = 300;

/// What a body says: for each part `(`, its texts, its data, and `)` if it ends; then what is wrong and where.
type Said = (Vec<u8>, Option<(u8, usize)>);

/// Says how the ways to read a test case differ, if they do.
///
/// # Errors
/// They differ.
pub fn check(data: &[u8]) -> Result<(), String> {
    let (line, body) = data.split_at(memchr(b'\n', data).unwrap_or(data.len()));
    let body = body.get(1..).unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let delimiter = [b"\r\n--", words.next().unwrap_or_default()].concat();
    let mut ends: Vec<usize> = words
        .filter_map(|word| str::from_utf8(word).ok()?.parse().ok())
        .filter(|end| *end <= body.len())
        .collect();
    ends.sort_unstable();
    ends.push(body.len());
    let whole = by_events(&delimiter, body, &[body.len()]);
    for (way, said) in [
        ("events in pieces", by_events(&delimiter, body, &ends)),
        ("results", by_results(&delimiter, body, &[body.len()])),
        ("results in pieces", by_results(&delimiter, body, &ends)),
    ] {
        if said != whole {
            return Err(format!("{way}: {}\nevents: {}", text(&said), text(&whole)));
        }
    }
    Ok(())
}

fn text((said, wrong): &Said) -> String {
    format!("{} {wrong:?}", said.escape_ascii())
}

fn by_events(delimiter: &[u8], body: &[u8], ends: &[usize]) -> Said {
    let form = Form::new(delimiter, HEAD_BYTES_MAX);
    let mut said = Vec::new();
    let (mut from, mut state) = (0, State::Start);
    for (at, end) in ends.iter().enumerate() {
        let piece = &body[from..*end];
        let mut parser = form.parse(state, piece, at + 1 == ends.len());
        loop {
            match parser.next_event() {
                Ok(Some(Event::Part(part))) => {
                    said.push(b'(');
                    for text in [Some(part.name()), part.filename(), part.content_type()] {
                        said.extend_from_slice(text.unwrap_or_default());
                    }
                }
                Ok(Some(Event::Data(data))) => said.extend_from_slice(&piece[data]),
                Ok(Some(Event::PartEnd)) => said.push(b')'),
                Ok(None) => break,
                Err(wrong) => return (said, Some((wrong.reason, from + wrong.position))),
            }
        }
        state = parser.state();
        from += parser.used();
    }
    (said, None)
}

fn by_results(delimiter: &[u8], body: &[u8], ends: &[usize]) -> Said {
    let mut said = Vec::new();
    let (mut from, mut state) = (0, 0);
    for (at, end) in ends.iter().enumerate() {
        let last = at + 1 == ends.len();
        loop {
            let piece = &body[from..*end];
            match decoded(delimiter, piece, state, last) {
                Ok(result) => {
                    append(&result, piece, &mut said);
                    from += u32_at(&result, MULTIPART_USED);
                    state = u32_at(&result, MULTIPART_STATE) as u64;
                    // Events in front of what is malformed come by themselves.
                    if result.len() == MULTIPART_EVENTS {
                        break;
                    }
                }
                Err(wrong) => return (said, Some((wrong.reason, from + wrong.position))),
            }
        }
    }
    (said, None)
}

fn decoded(delimiter: &[u8], piece: &[u8], state: u64, last: bool) -> Result<Vec<u8>, Malformed> {
    let flags = if last { u64::from(MULTIPART_SETTING_LAST) } else { 0 };
    let settings = state
        | flags << MULTIPART_SETTING_FLAGS_SHIFT
        | (delimiter.len() as u64) << MULTIPART_SETTING_DELIMITER_SHIFT
        | (HEAD_BYTES_MAX as u64) << MULTIPART_SETTING_HEAD_BYTES_SHIFT;
    let mut result = Vec::new();
    multipart::decode(&[delimiter, piece].concat(), settings, &mut result).map(|()| result)
}

fn append(result: &[u8], piece: &[u8], said: &mut Vec<u8>) {
    let mut at = MULTIPART_EVENTS;
    while let Some(kind) = result.get(at) {
        if *kind == MULTIPART_PART {
            let lengths = [
                MULTIPART_PART_NAME_LENGTH,
                MULTIPART_PART_FILENAME_LENGTH,
                MULTIPART_PART_TYPE_LENGTH,
            ];
            let length: usize = lengths.iter().map(|field| u32_at(result, at + field)).sum();
            at += MULTIPART_PART_SIZE;
            said.push(b'(');
            said.extend_from_slice(&result[at..at + length]);
            at += length;
        } else if *kind == MULTIPART_DATA {
            let from = u32_at(result, at + 4);
            said.extend_from_slice(&piece[from..from + u32_at(result, at + 8)]);
            at += MULTIPART_DATA_SIZE;
        } else {
            said.push(b')');
            at += MULTIPART_PART_END_SIZE;
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    let [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX)
}
