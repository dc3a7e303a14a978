//! What requests for files have in them, beside its rules in the plainest form.

use hinny_codec::byte_ranges;
use hinny_codec::conditional::{self, Conditions, Validators, Verdict};
use hinny_codec::file_path::{self, FilePath};
use hinny_codec::mime;
use hinny_codec::negotiation::MediaType;
use hinny_codec::range::{self, ByteRange, GAP_BYTES, RANGES_MAX, Selection};

/// The longest representation, so that its bytes can be counted one by one.
const LENGTH_MAX: usize = 4096;

/// Says what is wrong with the ranges that are selected, if anything is.
///
/// A test case is two bytes with the length of the representation, and the field.
///
/// # Errors
/// The ranges are not those that were asked for.
pub fn check_ranges(data: &[u8]) -> Result<(), String> {
    let Some((length, field)) = data.split_first_chunk() else {
        return Ok(());
    };
    let length = usize::from(u16::from_le_bytes(*length)) % (LENGTH_MAX + 1);
    let selection = range::select(field, length as u64);
    let Some(asked) = asked(field, length).filter(|_| length > 0) else {
        return equal(&selection, &Selection::Whole);
    };
    let ranges = match &selection {
        Selection::Whole => return Err("ignored".into()),
        Selection::Unsatisfiable => Vec::new(),
        Selection::One(range) => vec![*range],
        Selection::Several(ranges) => ranges.clone(),
    };
    let mut sent = vec![0; length];
    for ByteRange { offset, length } in &ranges {
        let (start, end) = (position(*offset)?, position(offset + length)?);
        let slice = sent.get_mut(start..end).filter(|slice| !slice.is_empty());
        for times in slice.ok_or_else(|| format!("{selection:?}"))? {
            *times += 1;
        }
    }
    let mut unasked = 0;
    for (asked, times) in asked.iter().zip(sent) {
        unasked = if times == 1 && !asked { unasked + 1 } else { 0 };
        if times > 1 || times == 0 && *asked || unasked > GAP_BYTES {
            return Err(format!("{selection:?}"));
        }
    }
    if asked.contains(&true) == ranges.is_empty() {
        return Err(format!("{selection:?}"));
    }
    let pieces = byte_ranges::pieces(&ranges, length as u64, b"a/b", "boundary");
    equal(&pieces.len(), &(2 * ranges.len() + 1))
}

/// Of each byte, whether a field asks for it; nothing if it is to be ignored.
fn asked(field: &[u8], length: usize) -> Option<Vec<bool>> {
    let field = str::from_utf8(field).ok()?;
    let (unit, set) = field.trim_matches([' ', '\t']).split_once('=')?;
    let texts = set.split(',').map(|text| text.trim_matches([' ', '\t']));
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    if !unit.eq_ignore_ascii_case("bytes") || texts.is_empty() || texts.len() > RANGES_MAX {
        return None;
    }
    let mut asked = vec![false; length];
    for text in texts {
        let (first, last) = text.split_once('-')?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(first) || !is_number(last) || first.is_empty() && last.is_empty() {
            return None;
        }
        let number = |text: &str| text.parse::<u128>().unwrap_or(u128::MAX).min(u128::from(u64::MAX));
        let end = length as u128;
        let (start, end) = match (first, last) {
            ("", suffix) => (end.saturating_sub(number(suffix)), end),
            (first, "") => (number(first), end),
            (first, last) if number(first) > number(last) => return None,
            (first, last) => (number(first), end.min(number(last) + 1)),
        };
        for (at, asked) in asked.iter_mut().enumerate() {
            *asked |= (start..end).contains(&(at as u128));
        }
    }
    Some(asked)
}

/// Says what is wrong with the verdict on a request, if anything is: it must be that of the fields one by one, in the order
/// of RFC 9110 section 13.2.2.
///
/// A test case is a line each for the ETag, the date and the five fields; an empty one for a field that is not there.
///
/// # Errors
/// The verdict is another.
pub fn check_conditions(data: &[u8]) -> Result<(), String> {
    let mut lines = data
        .split(|byte| *byte == b'\n')
        .map(|line| Some(line).filter(|line| !line.is_empty()));
    let mut line = || lines.next().flatten();
    let (etag, date) = (line(), line());
    let validators = Validators {
        etag,
        last_modified: date.and_then(|date| str::from_utf8(date).ok()?.parse().ok()),
        is_date_strong: true,
    };
    let all = Conditions {
        if_match: line(),
        if_unmodified_since: line(),
        if_none_match: line(),
        if_modified_since: line(),
        if_range: line(),
    };
    let none = Conditions::default();
    let alone = |conditions: Conditions<'_>| conditional::evaluate(&conditions, &validators);
    let first = match all.if_match {
        if_match @ Some(_) => alone(Conditions { if_match, ..none }),
        None => alone(Conditions {
            if_unmodified_since: all.if_unmodified_since,
            ..none
        }),
    };
    let second = match all.if_none_match {
        if_none_match @ Some(_) => alone(Conditions { if_none_match, ..none }),
        None => alone(Conditions {
            if_modified_since: all.if_modified_since,
            ..none
        }),
    };
    let third = alone(Conditions {
        if_range: all.if_range,
        ..none
    });
    let expected = [first, second].into_iter().find(|verdict| *verdict != Verdict::Proceed);
    equal(&alone(all), &expected.unwrap_or(third))
}

/// Says what is wrong with the file that a path means, or with its type, if anything is.
///
/// # Errors
/// The path could lead out of the root, or the type is none.
pub fn check_paths(data: &[u8]) -> Result<(), String> {
    for hidden in [false, true] {
        let Some(FilePath { path, is_directory }) = file_path::decode(data, hidden) else {
            continue;
        };
        let is_name = |segment: &[u8]| {
            let is_plain = !segment.iter().any(|byte| matches!(byte, 0 | b'\\'));
            let is_shown = hidden || !segment.starts_with(b".") || segment == b".well-known";
            is_plain && is_shown && !matches!(segment, b"" | b"." | b"..")
        };
        let is_root = path.is_empty() && is_directory;
        if !is_root && !path.split(|byte| *byte == b'/').all(is_name) {
            return Err(format!("{}", path.escape_ascii()));
        }
        let slashes = |text: &[u8]| text.iter().filter(|byte| **byte == b'/').count();
        let own = slashes(data) - usize::from(data.ends_with(b"/"));
        equal(&slashes(&path), &own)?;
        equal(&MediaType::parse(mime::of_name(&path).as_bytes()).is_some(), &true)?;
    }
    Ok(())
}

fn position(offset: u64) -> Result<usize, String> {
    usize::try_from(offset).map_err(|error| error.to_string())
}

fn equal<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Result<(), String> {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{got:?} in place of {expected:?}"))
    }
}
