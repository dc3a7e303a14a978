//! Methods of requests, and the sets of them that a path has.

use hinny_core::names;

/// A request's method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Method<'a> {
    /// Its place in [`names::METHODS`], from 1; 0 if it is not listed.
    pub id: u8,
    /// Its text; not looked at if it has an id.
    pub text: &'a str,
}

impl<'a> Method<'a> {
    /// The method with this text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let position = names::METHODS.iter().position(|known| *known == text);
        Self {
            id: position.and_then(|n| u8::try_from(n + 1).ok()).unwrap_or(0),
            text,
        }
    }

    /// A listed method.
    #[must_use]
    pub const fn listed(id: u8) -> Self {
        Self { id, text: "" }
    }

    /// Its text.
    #[must_use]
    pub fn name(self) -> &'a str {
        match self.id {
            0 => self.text,
            id => names::METHODS[usize::from(id) - 1],
        }
    }
}

pub(crate) const GET: u8 = 1;
pub(crate) const HEAD: u8 = 2;
pub(crate) const OPTIONS: u8 = 6;

/// The value of an Allow field (RFC 9110 §10.2.1): these methods, which have an endpoint, and those that the core answers.
pub(crate) fn allow(mut methods: Vec<&str>) -> String {
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    let position = |method: &&str| names::METHODS.iter().position(|known| known == method);
    methods.sort_by_key(|method| (position(method).unwrap_or(usize::MAX), *method));
    methods.dedup();
    methods.join(", ")
}
