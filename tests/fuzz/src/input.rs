//! What the bytes of a test case mean.
//!
//! The first byte chooses the servers' options, the second how the handler answers and how the rest is cut; the rest is
//! what the client sends. In it [`CUT`] and [`CUT_AND_HOLD`] end a piece and are not sent. Only the low six bits of the
//! first two bytes count, so that test cases can be read: `@@GET / HTTP/1.1…` has all of them 0.

use crate::setting::Setting;

/// Ends a piece.
pub const CUT: u8 = 0xFE;

/// Ends a piece; while the server settles after it, the handler answers nothing.
pub const CUT_AND_HOLD: u8 = 0xFD;

/// About the most pieces of a stream that is cut into single bytes, or into a few at a time; a longer one has longer
/// pieces, because each piece takes time.
const SINGLES_MAX: usize = 40;
const FEWS_MAX: usize = 12;

/// A test case.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The options of the servers.
    pub setting: Setting,
    /// When the handler answers.
    pub answering: Answering,
    /// What the client does when it has sent everything.
    pub ending: Ending,
    cutting: Cutting,
    stream: &'a [u8],
}

/// When and in which order requests are answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answering {
    /// With the next poll, in order.
    Prompt,
    /// With the next poll, those of one turn in reverse.
    Reversed,
    /// One with each poll, in order.
    OnePerTurn,
    /// One at a time when nothing else happens any more, the oldest or the newest.
    OneAtRest {
        /// The newest.
        newest: bool,
    },
    /// As [`Self::OneAtRest`], when the client has sent everything.
    OneAtEnd {
        /// The newest.
        newest: bool,
    },
    /// All that there are at once in reverse, when the client has sent everything.
    AllAtEnd,
}

/// What a client does when it has sent everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// It waits for more.
    Stays,
    /// It ends its side when everything is answered.
    EndsItsSide,
    /// It leaves without waiting for answers, of which there is none yet.
    Leaves,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cutting {
    AsMarked,
    Single,
    Few,
    None,
}

/// What the client sends at once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The handler answers nothing until the next piece was sent.
    pub held: bool,
}

impl<'a> Input<'a> {
    /// Reads a test case; `None` if there are no two bytes.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let [first, second, stream @ ..] = data else {
            return None;
        };
        let answering = match second & 7 {
            0 => Answering::Prompt,
            1 => Answering::Reversed,
            2 => Answering::OnePerTurn,
            3 => Answering::OneAtRest { newest: false },
            4 => Answering::OneAtRest { newest: true },
            5 => Answering::OneAtEnd { newest: false },
            6 => Answering::OneAtEnd { newest: true },
            _ => Answering::AllAtEnd,
        };
        let cutting = match second >> 4 & 3 {
            0 => Cutting::AsMarked,
            1 => Cutting::Single,
            2 => Cutting::Few,
            _ => Cutting::None,
        };
        Some(Self {
            setting: Setting::numbered(*first),
            answering,
            ending: match second & 8 {
                0 => Ending::Stays,
                _ if answering.is_at_end() => Ending::Leaves,
                _ => Ending::EndsItsSide,
            },
            cutting,
            stream,
        })
    }

    /// What the client sends, piece by piece; none is empty.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for marked in self.stream.split_inclusive(|byte| matches!(*byte, CUT | CUT_AND_HOLD)) {
            let (bytes, held) = match marked {
                [bytes @ .., CUT] => (bytes, false),
                [bytes @ .., CUT_AND_HOLD] => (bytes, true),
                bytes => (bytes, false),
            };
            if !bytes.is_empty() {
                pieces.push(Piece {
                    bytes: bytes.to_vec(),
                    held,
                });
            }
        }
        let length = match self.cutting {
            Cutting::AsMarked => return pieces,
            Cutting::None => usize::MAX,
            Cutting::Single => 1 + self.stream.len() / SINGLES_MAX,
            Cutting::Few => 7 + self.stream.len() / FEWS_MAX,
        };
        let all: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.bytes).collect();
        let piece = |bytes: &[u8]| Piece {
            bytes: bytes.to_vec(),
            held: false,
        };
        all.chunks(length).map(piece).collect()
    }
}

impl Answering {
    /// Whether nothing is answered before the client has sent everything.
    #[must_use]
    pub const fn is_at_end(self) -> bool {
        matches!(self, Self::OneAtEnd { .. } | Self::AllAtEnd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(data: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let input = Input::read(data).unwrap();
        input.pieces().into_iter().map(|p| (p.bytes, p.held)).collect()
    }

    #[test]
    fn marks_cut_the_stream_and_are_no_part_of_it() {
        let expected = vec![(b"ab".to_vec(), false), (b"c".to_vec(), true), (b"d".to_vec(), false)];
        assert_eq!(pieces(b"@@ab\xfe\xfec\xfdd"), expected);
        assert_eq!(pieces(b"@@"), vec![]);
        assert!(Input::read(b"@").is_none());
    }

    #[test]
    fn other_cuttings_leave_the_marks_out() {
        assert_eq!(pieces(b"@pab\xfec"), vec![(b"abc".to_vec(), false)]);
        assert_eq!(
            pieces(b"@Pa\xfdb"),
            vec![(b"a".to_vec(), false), (b"b".to_vec(), false)]
        );
        assert_eq!(pieces(b"@`abcdefg\xfeh").len(), 2);
    }
}
