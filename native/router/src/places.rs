//! The places of one method: which endpoints answer it at which path.

use hinny_core::names;

use crate::endpoint::Endpoint;
use crate::method::{GET, HEAD};
use crate::params::Params;
use crate::tree::Tree;

/// How an endpoint comes to answer a method.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Claim {
    /// It answers every method.
    Any,
    /// It answers GET, and so HEAD.
    Implied,
    /// It names the method.
    Named,
}

impl Claim {
    /// How an endpoint with these methods answers `method`, if it does.
    pub(crate) fn of(methods: &[String], method: &str) -> Option<Self> {
        let names = |id: u8| methods.iter().any(|named| named == names::METHODS[usize::from(id) - 1]);
        if methods.iter().any(|named| named == method) {
            Some(Self::Named)
        } else if methods.is_empty() {
            Some(Self::Any)
        } else if method == names::METHODS[usize::from(HEAD) - 1] && names(GET) {
            Some(Self::Implied)
        } else {
            None
        }
    }
}

/// An endpoint at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Index of the endpoint.
    pub(crate) endpoint: usize,
    pub(crate) route: u32,
    pub(crate) claim: Claim,
}

impl Candidate {
    /// Whether `other` does not answer the method where this one does. In its own route, and before all that answer HEAD for
    /// GET's sake, the one that names the method stays alone.
    fn hides(&self, other: &Self) -> bool {
        self.claim > other.claim && (self.route == other.route || other.claim == Claim::Implied)
    }
}

/// The endpoints at one place, in the order of the table. More than one only if they differ in content.
pub(crate) type Place = Vec<Candidate>;

/// Paths and what answers there.
#[derive(Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    tree: Tree,
}

/// Why an endpoint cannot be added.
#[derive(Debug)]
pub(crate) enum Clash {
    /// Another one, with this index, answers the same requests.
    Endpoint(usize),
    /// What is wrong with the pattern.
    Pattern(&'static str),
}

impl Places {
    /// Adds an endpoint.
    pub(crate) fn add(&mut self, pattern: &str, new: Candidate, endpoints: &[Endpoint]) -> Result<(), Clash> {
        let place = self.tree.insert(pattern, self.places.len()).map_err(Clash::Pattern)?;
        match self.places.get_mut(place) {
            Some(place) => join(place, new, endpoints).map_err(Clash::Endpoint),
            None => {
                self.places.push(vec![new]);
                Ok(())
            }
        }
    }

    /// The place of a path; its parameters are in `params`, which was empty.
    #[inline]
    pub(crate) fn find<'p>(&self, path: &'p [u8], params: &mut Params<'p>) -> Option<&Place> {
        self.tree.find(path, params).map(|number| &self.places[number])
    }

    /// Whether a path has a place.
    pub(crate) fn has(&self, path: &[u8]) -> bool {
        self.tree.find(path, &mut Params::default()).is_some()
    }
}

/// Adds an endpoint to those that answer the same method at the same paths, if none of them hides it; those that it hides
/// go.
fn join(place: &mut Place, new: Candidate, endpoints: &[Endpoint]) -> Result<(), usize> {
    if place.iter().any(|other| other.hides(&new)) {
        return Ok(());
    }
    place.retain(|other| !new.hides(other));
    let content = |candidate: &Candidate| {
        let endpoint = &endpoints[candidate.endpoint];
        (sorted(&endpoint.consumes), sorted(&endpoint.produces))
    };
    if let Some(same) = place.iter().find(|other| content(other) == content(&new)) {
        return Err(same.endpoint);
    }
    place.push(new);
    Ok(())
}

/// Media types in an order that does not depend on how they were written.
fn sorted(types: &[Box<[u8]>]) -> Vec<&[u8]> {
    let mut sorted: Vec<_> = types.iter().map(AsRef::as_ref).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}
