//! The events of one piece of a body as Java reads them: the layout of `MULTIPART_…`.

use hinny_core::results::{
    MULTIPART_DATA, MULTIPART_DATA_SIZE, MULTIPART_EVENTS, MULTIPART_FLAG_FILE, MULTIPART_FLAG_FILENAME_UTF8,
    MULTIPART_FLAG_TYPE, MULTIPART_PART, MULTIPART_PART_END, MULTIPART_PART_END_SIZE, MULTIPART_PART_SIZE,
    MULTIPART_SETTING_LAST,
};

use super::head::Part;
use super::parser::{Event, Form, State};
use super::reason::Reason;
use crate::malformed::Malformed;

/// Appends the events of a piece to `output`, in the layout of `MULTIPART_…`. The input is a delimiter (CR, LF, two
/// hyphens, boundary) and the piece behind it; `settings` are the bits of `MULTIPART_SETTING_…`.
///
/// If the piece is malformed behind some events, it appends those, and the next call fails: so whoever stops at an
/// earlier event stops at the same one, however the body is split.
///
/// # Errors
/// The piece is malformed from its start; the position counts from the start of the piece.
pub fn decode(input: &[u8], settings: u64, output: &mut Vec<u8>) -> Result<(), Malformed> {
    let [state, flags, low, high, head_0, head_1, head_2, head_3] = settings.to_le_bytes();
    let delimiter_length = usize::from(u16::from_le_bytes([low, high]));
    let head_bytes_max = u32::from_le_bytes([head_0, head_1, head_2, head_3]);
    let wrong_call = Malformed {
        position: 0,
        reason: Reason::Call as u8,
    };
    let state = State::from_u8(state).ok_or(wrong_call)?;
    let (delimiter, piece) = input.split_at_checked(delimiter_length).ok_or(wrong_call)?;
    if !delimiter.starts_with(b"\r\n--") {
        return Err(wrong_call);
    }
    let form = Form::new(delimiter, usize::try_from(head_bytes_max).unwrap_or(usize::MAX));
    let mut parser = form.parse(state, piece, flags & MULTIPART_SETTING_LAST != 0);
    let start = output.len();
    output.resize(start + MULTIPART_EVENTS, 0);
    let (used, state) = loop {
        let before = (parser.used(), parser.state());
        match parser.next_event() {
            Ok(Some(event)) => append(&event, output),
            Ok(None) => break (parser.used(), parser.state()),
            Err(malformed) if output.len() == start + MULTIPART_EVENTS => return Err(malformed),
            Err(_) => break before,
        }
    };
    output[start..start + 4].copy_from_slice(&word(used).to_le_bytes());
    output[start + 4..start + 8].copy_from_slice(&(state as u32).to_le_bytes());
    Ok(())
}

fn append(event: &Event<'_>, output: &mut Vec<u8>) {
    match event {
        Event::Part(part) => append_part(part, output),
        Event::Data(data) => {
            let words = [u32::from(MULTIPART_DATA), word(data.start), word(data.len())];
            append_words(&words, MULTIPART_DATA_SIZE, output);
        }
        Event::PartEnd => append_words(&[u32::from(MULTIPART_PART_END)], MULTIPART_PART_END_SIZE, output),
    }
}

fn append_part(part: &Part<'_>, output: &mut Vec<u8>) {
    let filename = part.filename().unwrap_or_default();
    let content_type = part.content_type().unwrap_or_default();
    let flags = [
        (part.filename().is_some(), MULTIPART_FLAG_FILE),
        (part.is_filename_utf8(), MULTIPART_FLAG_FILENAME_UTF8),
        (part.content_type().is_some(), MULTIPART_FLAG_TYPE),
    ];
    let flags = flags
        .iter()
        .filter(|(set, _)| *set)
        .fold(0, |all, (_, flag)| all | flag);
    let words = [
        u32::from(MULTIPART_PART) | u32::from(flags) << 8,
        word(part.position().start),
        word(part.position().len()),
        word(part.name().len()),
        word(filename.len()),
        word(content_type.len()),
    ];
    append_words(&words, MULTIPART_PART_SIZE, output);
    for text in [part.name(), filename, content_type] {
        output.extend_from_slice(text);
    }
}

fn append_words(words: &[u32], size: usize, output: &mut Vec<u8>) {
    debug_assert_eq!(words.len() * 4, size);
    for word in words {
        output.extend_from_slice(&word.to_le_bytes());
    }
}

fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
