use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    target_bytes: 40,
    head_bytes: 60,
    field_count: 3,
};

/// What a decoder gave for bytes that came in pieces which end at `cuts`, each for at most `most` bytes of data a call.
#[derive(Debug, Eq, PartialEq)]
struct Read {
    data: Vec<u8>,
    /// Bytes of the body, if it has ended.
    length: Option<usize>,
    fault: Option<Fault>,
}

fn read(mut decoder: BodyDecoder, bytes: &[u8], cuts: &[usize], most: usize) -> Read {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut data = Vec::new();
    let mut at = 0;
    for end in ends {
        while at < end {
            match decoder.decode(&bytes[at..end], most, &LIMITS) {
                Err((_, fault)) => {
                    let again = decoder.decode(b"0", most, &LIMITS);
                    assert_eq!(again, Err((0, fault)), "a fault is for ever");
                    return Read {
                        data,
                        length: None,
                        fault: Some(fault),
                    };
                }
                Ok(decoded) => {
                    assert!(decoded.data.len() <= most);
                    data.extend_from_slice(decoded.data);
                    at += decoded.used;
                }
            }
            if decoder.has_ended() {
                return Read {
                    data,
                    length: Some(at),
                    fault: None,
                };
            }
        }
    }
    Read {
        data,
        length: None,
        fault: None,
    }
}

#[test]
fn bodies() {
    let table: &[(&str, &str, Option<usize>, Option<Fault>)] = &[
        ("3\r\nabc\r\n0\r\n\r\nGET", "abc", Some(13), None),
        ("0\r\n\r\n", "", Some(5), None),
        ("1;x=y\r\na\r\n2 ;z\r\nbc\r\n000\r\nA: b\r\n\r\n", "abc", Some(33), None),
        ("3\r\nabc\r\n", "abc", None, None),
        ("3\r\nabcd", "abc", None, Some(Fault::ChunkDataUnterminated)),
        ("3\r\nabc\r\n\r\n", "abc", None, Some(Fault::ChunkSizeInvalid)),
        ("x", "", None, Some(Fault::ChunkSizeInvalid)),
        ("1\na", "", None, Some(Fault::BareLf)),
        ("0\r\nHost: a\r\n\r\n", "", None, Some(Fault::TrailerForbidden)),
        ("0\r\na:\r\nb:\r\nc:\r\nd:\r\n", "", None, Some(Fault::TooManyFields)),
    ];
    for (bytes, data, length, fault) in table {
        let expected = Read {
            data: data.as_bytes().to_vec(),
            length: *length,
            fault: *fault,
        };
        assert_eq!(
            read(BodyDecoder::chunked(), bytes.as_bytes(), &[], usize::MAX),
            expected,
            "{bytes:?}"
        );
    }
}

#[test]
fn nothing_is_taken_where_no_data_may_be() {
    let mut decoder = BodyDecoder::chunked();
    let decoded = decoder.decode(b"5\r\nabcde", 0, &LIMITS);
    assert_eq!(decoded, Ok(Decoded { data: b"", used: 3 }));
    assert_eq!(decoder.remaining(), 5);
    let decoded = decoder.decode(b"abcde\r\n0\r\n\r\nGET", 9, &LIMITS);
    assert_eq!(
        decoded,
        Ok(Decoded {
            data: b"abcde",
            used: 12
        })
    );
    assert!(decoder.has_ended());
    let mut sized = BodyDecoder::sized(3);
    assert_eq!(
        sized.decode(b"abcdef", 2, &LIMITS),
        Ok(Decoded { data: b"ab", used: 2 })
    );
    assert_eq!(sized.decode(b"cdef", 2, &LIMITS), Ok(Decoded { data: b"c", used: 1 }));
    assert!(sized.has_ended());
}

/// A body in these chunks.
fn in_chunks(chunks: &[Vec<u8>], extension: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    bytes
}

proptest! {
    #[test]
    fn what_was_put_into_chunks_comes_out(
        chunks in vec(vec(any::<u8>(), 0..40), 0..6),
        extension in prop::sample::select(vec!["", ";a", " \t;a=b"]),
        cuts in vec(any::<usize>(), 0..12),
        most in 1_usize..50,
    ) {
        let bytes = in_chunks(&chunks, extension);
        let mut with_rest = bytes.clone();
        with_rest.extend_from_slice(b"GET / HTTP/1.1\r\n");
        let expected = Read { data: chunks.concat(), length: Some(bytes.len()), fault: None };
        prop_assert_eq!(read(BodyDecoder::chunked(), &with_rest, &cuts, most), expected);
    }

    #[test]
    fn any_split_of_damaged_bytes_gives_the_same(
        chunks in vec(vec(any::<u8>(), 0..10), 0..4),
        damage in vec((any::<prop::sample::Index>(), prop::sample::select(&b"\r\n;0ag \0"[..])), 0..3),
        cuts in vec(any::<usize>(), 0..12),
        most in 1_usize..20,
    ) {
        let mut bytes = in_chunks(&chunks, ";e");
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert_eq!(
            read(BodyDecoder::chunked(), &bytes, &cuts, most),
            read(BodyDecoder::chunked(), &bytes, &[], usize::MAX)
        );
    }
}
