//! Content negotiation: what is chosen of several offers would be taken alone, and of what is refused nothing would.
//!
//! A test case is a line with the field, and a line for each offer.

use hinny_codec::negotiation;

type Choice = fn(Option<&[u8]>, &[&[u8]]) -> Option<usize>;

const CHOICES: [(&str, Choice); 5] = [
    ("accept", negotiation::accept),
    ("accept-charset", negotiation::accept_charset),
    ("accept-encoding", negotiation::accept_encoding),
    ("accept-language", negotiation::accept_language),
    ("content-type", |field, offers| {
        negotiation::content_type(field?, offers)
    }),
];

/// Says what is wrong with the choices for a test case, if anything is.
///
/// # Errors
/// A choice makes no sense.
pub fn check(data: &[u8]) -> Result<(), String> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let field = lines.next();
    let offers: Vec<&[u8]> = lines.collect();
    for (name, choice) in CHOICES {
        let chosen = choice(field, &offers);
        let alone = |offer: &[u8]| choice(field, &[offer]).is_some();
        let sound = match chosen {
            Some(index) => offers.get(index).is_some_and(|offer| alone(offer)),
            None => !offers.iter().any(|offer| alone(offer)),
        };
        if !sound {
            return Err(format!("{name} chooses {chosen:?}"));
        }
    }
    Ok(())
}
