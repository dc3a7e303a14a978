use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::range::{self, Selection};

fn content(representation: &[u8], pieces: &[Piece]) -> Vec<u8> {
    let mut content = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => content.extend_from_slice(text),
            Piece::Content(range) => content.extend_from_slice(slice(representation, *range)),
        }
    }
    content
}

fn slice(representation: &[u8], range: ByteRange) -> &[u8] {
    &representation[usize::try_from(range.offset).unwrap()..usize::try_from(range.end()).unwrap()]
}

#[test]
fn two_ranges_of_a_text() {
    let ranges = [ByteRange { offset: 0, length: 2 }, ByteRange { offset: 8, length: 2 }];
    let pieces = pieces(&ranges, 10, b"text/plain", "B");
    let text = content(b"0123456789", &pieces);
    let expected = "--B\r\ncontent-type: text/plain\r\ncontent-range: bytes 0-1/10\r\n\r\n01\r\n\
                    --B\r\ncontent-type: text/plain\r\ncontent-range: bytes 8-9/10\r\n\r\n89\r\n--B--\r\n";
    assert_eq!(
        text.escape_ascii().to_string(),
        expected.as_bytes().escape_ascii().to_string()
    );
    assert_eq!(content_length(&pieces), expected.len() as u64);
}

/// The parts of a content, each its Content-Range and its bytes, as a client reads them.
fn parts<'a>(content: &'a [u8], boundary: &str) -> Vec<(String, &'a [u8])> {
    let find = |text: &[u8], what: &str| {
        text.windows(what.len())
            .position(|window| window == what.as_bytes())
            .unwrap()
    };
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = &content[delimiter.len() - 2..];
    let mut parts = Vec::new();
    while rest != b"--\r\n" {
        let head_end = find(rest, "\r\n\r\n");
        let head = str::from_utf8(&rest[..head_end]).unwrap();
        let range = head
            .lines()
            .find_map(|line| line.strip_prefix("content-range: "))
            .unwrap();
        rest = &rest[head_end + 4..];
        let end = find(rest, &delimiter);
        parts.push((range.to_owned(), &rest[..end]));
        rest = &rest[end + delimiter.len()..];
    }
    parts
}

proptest! {
    #[test]
    fn the_parts_are_slices_of_the_representation(
        representation in vec(any::<u8>(), 500..1500),
        firsts in vec((0_u64..1500, 0_u64..40), 2..10),
    ) {
        let list: Vec<String> = firsts.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
        let field = format!("bytes={}", list.join(","));
        let length = representation.len() as u64;
        if let Selection::Several(ranges) = range::select(field.as_bytes(), length) {
            let boundary = "0123456789abcdef0123456789abcdef";
            let pieces = pieces(&ranges, length, b"a/b", boundary);
            let content = content(&representation, &pieces);
            prop_assert_eq!(content.len() as u64, content_length(&pieces));
            let expected: Vec<(String, &[u8])> = ranges
                .iter()
                .map(|range| (ContentRange::Of(*range, length).to_string(), slice(&representation, *range)))
                .collect();
            prop_assert_eq!(parts(&content, boundary), expected);
        }
    }
}
