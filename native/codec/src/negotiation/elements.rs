//! The elements of a list with weights (RFC 9110 sections 5.6.1 and 12.4.2).

/// What a client may want, and how much.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// What stands in front of the weight, not empty.
    pub(super) range: &'a [u8],
    /// Thousandths, 0 to 1000.
    pub(super) weight: u16,
}

/// Returns the elements of a field; those that are empty or whose weight is no number are skipped.
pub(super) fn elements(field: &[u8]) -> impl Iterator<Item = Element<'_>> {
    Split::new(field, b',').filter_map(|(text, _)| {
        let mut parts = Split::new(text, b';');
        let (_, mut end) = parts.next().filter(|(range, _)| !range.is_empty())?;
        for (part, part_end) in parts {
            if let [b'q' | b'Q', b'=', number @ ..] = part {
                let range = text[..end].trim_ascii_end();
                return weight(number).map(|weight| Element { range, weight });
            }
            end = part_end;
        }
        Some(Element {
            range: text,
            weight: 1000,
        })
    })
}

/// Reads a weight. More digits than three, none in front of the point, and more than 1 are let pass.
fn weight(number: &[u8]) -> Option<u16> {
    let (whole, fraction) = match number.iter().position(|byte| *byte == b'.') {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    if whole.iter().any(|digit| *digit != b'0') {
        return Some(1000);
    }
    let digit = |at: usize| fraction.get(at).map_or(0, |digit| u16::from(digit - b'0'));
    Some(100 * digit(0) + 10 * digit(1) + digit(2))
}

/// The parts of a text between separators outside quotes, without spaces and tabs around them, and where in the text each
/// ends.
pub(super) struct Split<'a> {
    text: &'a [u8],
    at: usize,
    separator: u8,
}

impl<'a> Split<'a> {
    pub(super) const fn new(text: &'a [u8], separator: u8) -> Self {
        Self { text, at: 0, separator }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = (&'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let end = self.at + part_length(rest, self.separator);
        let part = self.text[self.at..end].trim_ascii();
        self.at = end + 1;
        Some((part, end))
    }
}

fn part_length(text: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        if *byte == separator && !quoted {
            return at;
        }
        if *byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && !escaped && *byte == b'\\';
    }
    text.len()
}
