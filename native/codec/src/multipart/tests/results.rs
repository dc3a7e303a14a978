use hinny_core::results::{
    MULTIPART_SETTING_DELIMITER_SHIFT, MULTIPART_SETTING_FLAGS_SHIFT, MULTIPART_SETTING_HEAD_BYTES_SHIFT,
    MULTIPART_SETTING_LAST, MULTIPART_SETTING_STATE_SHIFT, MULTIPART_STATE_END, MULTIPART_WRONG_DELIMITER,
    MULTIPART_WRONG_END, MULTIPART_WRONG_FILENAME, MULTIPART_WRONG_HEAD_SIZE,
};

use super::super::{Reason, State, decode};
use super::*;

fn settings(state: u8, last: bool, delimiter: &[u8]) -> u64 {
    u64::from(state) << MULTIPART_SETTING_STATE_SHIFT
        | if last { u64::from(MULTIPART_SETTING_LAST) } else { 0 } << MULTIPART_SETTING_FLAGS_SHIFT
        | (delimiter.len() as u64) << MULTIPART_SETTING_DELIMITER_SHIFT
        | 1000 << MULTIPART_SETTING_HEAD_BYTES_SHIFT
}

fn decoded(state: u8, last: bool, piece: &[u8]) -> Result<Vec<u8>, Malformed> {
    let delimiter = b"\r\n--b";
    let input = [&delimiter[..], piece].concat();
    let mut output = b"before".to_vec();
    decode(&input, settings(state, last, delimiter), &mut output)?;
    assert_eq!(b"before", &output[..6]);
    Ok(output[6..].to_vec())
}

#[test]
fn events_have_their_layout() {
    let piece =
        b"--b\r\nContent-Disposition: form-data; name=ab; filename=\"c\"\r\nContent-Type: d/e\r\n\r\nxyz\r\n--b";
    #[rustfmt::skip]
    let expected = [
        84, 0, 0, 0, 3, 0, 0, 0,
        1, 5, 0, 0, 5, 0, 0, 0, 74, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, b'a', b'b', b'c', b'd', b'/', b'e',
        2, 0, 0, 0, 81, 0, 0, 0, 3, 0, 0, 0,
    ];
    assert_eq!(&expected[..], decoded(0, false, piece).unwrap());
    assert_eq!(
        [7, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0],
        decoded(3, false, b"\r\n--b--").unwrap()[..]
    );
}

#[test]
fn a_piece_that_goes_wrong_behind_events_gives_the_events_first() {
    let piece = b"xyz\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b?";
    let first = decoded(State::Data as u8, false, piece).unwrap();
    assert_eq!(52, first[0]);
    let wrong = decoded(first[4], false, &piece[52..]).unwrap_err();
    assert_eq!((0, Reason::Delimiter as u8), (wrong.position, wrong.reason));
}

#[test]
fn wrong_calls_fail() {
    let mut output = Vec::new();
    for (input, settings) in [
        (&b"\r\n--b"[..], settings(6, false, b"\r\n--b")),
        (b"\r\n--", settings(0, false, b"\r\n--b")),
        (b"--b", settings(0, false, b"--b")),
        (b"", 0),
    ] {
        let wrong = decode(input, settings, &mut output).unwrap_err();
        assert_eq!(Reason::Call as u8, wrong.reason);
    }
}

#[test]
fn constants_are_the_enums_numbers() {
    assert_eq!(MULTIPART_STATE_END, State::End as u8);
    assert_eq!(MULTIPART_WRONG_DELIMITER, Reason::Delimiter as u8);
    assert_eq!(MULTIPART_WRONG_HEAD_SIZE, Reason::HeadTooLarge as u8);
    assert_eq!(MULTIPART_WRONG_END, Reason::Truncated as u8);
    assert_eq!(MULTIPART_WRONG_FILENAME, Reason::FilenameNul as u8);
}

proptest! {
    #[test]
    fn no_bytes_and_no_settings_make_it_panic(input in vec(any::<u8>(), 0..200), settings in any::<u64>()) {
        let _ = decode(&input, settings, &mut Vec::new());
        let mut input = input;
        input.splice(0..0, *b"\r\n--b");
        let _ = decode(&input, settings & !0xffff_0000 | 5 << 16, &mut Vec::new());
    }
}
