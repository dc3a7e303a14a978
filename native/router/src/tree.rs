//! Finds the best pattern for a path.
//!
//! A pattern is a path whose segments are text, a parameter with or without text around it (`{id}`, `{name}.json`), or at
//! its end the rest (`{*rest}`); `{{` and `}}` stand for braces.
//!
//! # Invariants
//! - Segment by segment from the left, text is better than a parameter with text around it (the more text the better,
//!   then the more of it in front), that is better than a parameter, and that than a rest. What is best is found whatever was tried before.
//! - A parameter is never empty; a rest may be.
//! - A look-up visits each node at most once and takes no memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use hinny_codec::near;

use crate::params::Params;

/// Up to so many texts are compared one by one.
const FEW: usize = 8;

/// Patterns, each with a number.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The first is the root: what follows the first slash.
    nodes: Vec<Node>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

/// What can follow a slash.
#[derive(Debug, Default)]
struct Node {
    texts: Vec<(Box<[u8]>, usize)>,
    /// There are many texts, and they are in `by_text`.
    has_many: bool,
    by_text: HashMap<Box<[u8]>, usize, BuildHasherDefault<TextHasher>>,
    /// Best first.
    affixed: Vec<Affixed>,
    param: Option<usize>,
    /// The number of the pattern that ends in front of the slash.
    end: Option<usize>,
    /// The number of the pattern whose rest is here.
    rest: Option<usize>,
}

/// A parameter with text around it.
#[derive(Debug)]
struct Affixed {
    before: Box<[u8]>,
    behind: Box<[u8]>,
    node: usize,
}

impl Affixed {
    /// The more, the better; of two that take a segment, one has more.
    fn exactness(&self) -> (usize, usize) {
        (self.before.len() + self.behind.len(), self.before.len())
    }

    fn value<'p>(&self, segment: &'p [u8]) -> Option<&'p [u8]> {
        let value = segment.strip_prefix(&*self.before)?.strip_suffix(&*self.behind)?;
        (!value.is_empty()).then_some(value)
    }
}

impl Tree {
    /// Gives the pattern the number `new`, or returns the number that it has.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub(crate) fn insert(&mut self, pattern: &str, new: usize) -> Result<usize, &'static str> {
        let segments = pattern
            .strip_prefix('/')
            .ok_or("it does not begin with a slash")?
            .split('/');
        let mut at = 0;
        let mut is_over = false;
        for segment in segments {
            if is_over {
                return Err("something follows the rest");
            }
            match Segment::parse(segment)? {
                Segment::Text(text) => at = self.text(at, text.as_bytes()),
                Segment::Param(before, behind) if before.is_empty() && behind.is_empty() => {
                    let child = self.nodes[at].param.unwrap_or_else(|| self.add_node());
                    self.nodes[at].param = Some(child);
                    at = child;
                }
                Segment::Param(before, behind) => {
                    at = self.affixed(at, before.into_bytes().into(), behind.into_bytes().into())
                }
                Segment::Rest => is_over = true,
            }
        }
        let node = &mut self.nodes[at];
        let number = if is_over { &mut node.rest } else { &mut node.end };
        Ok(*number.get_or_insert(new))
    }

    /// The number of the best pattern for a path; its parameters are in `params`, which was empty.
    #[inline]
    pub(crate) fn find<'p>(&self, path: &'p [u8], params: &mut Params<'p>) -> Option<usize> {
        self.walk(&self.nodes[0], path.strip_prefix(b"/")?, params)
    }

    /// What does not fit leaves parameters behind.
    fn walk<'t, 'p>(&'t self, mut node: &'t Node, mut path: &'p [u8], params: &mut Params<'p>) -> Option<usize> {
        loop {
            let (segment, behind) = split(path);
            let text = node.text(segment);
            let child = if node.is_simple(text.is_some()) {
                match text {
                    Some(child) => child,
                    None => {
                        let child = node.param.filter(|_| !segment.is_empty())?;
                        params.push(Some(segment));
                        child
                    }
                }
            } else {
                return self.try_all(node, text, path, segment, behind, params);
            };
            node = &self.nodes[child];
            match behind {
                Some(rest) => path = rest,
                None => return node.end,
            }
        }
    }

    /// Tries everything that `path` may be behind this slash: there is more than one way to go on.
    fn try_all<'p>(
        &self,
        node: &Node,
        text: Option<usize>,
        path: &'p [u8],
        segment: &'p [u8],
        behind: Option<&'p [u8]>,
        params: &mut Params<'p>,
    ) -> Option<usize> {
        let count = params.len();
        let go_on = |child: usize, value: Option<&'p [u8]>, params: &mut Params<'p>| {
            if value.is_some() {
                params.push(value);
            }
            let child = &self.nodes[child];
            let found = match behind {
                Some(rest) => self.walk(child, rest, params),
                None => child.end,
            };
            if found.is_none() {
                params.truncate(count);
            }
            found
        };
        if let Some(found) = text.and_then(|child| go_on(child, None, params)) {
            return Some(found);
        }
        if !segment.is_empty() {
            let affixed = node.affixed.iter();
            let affixed = affixed.filter_map(|one| Some((one.value(segment)?, one.node)));
            for (value, child) in affixed.chain(node.param.map(|child| (segment, child))) {
                if let Some(found) = go_on(child, Some(value), params) {
                    return Some(found);
                }
            }
        }
        node.rest.inspect(|_| params.push(Some(path)))
    }

    fn add_node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    fn text(&mut self, at: usize, text: &[u8]) -> usize {
        if let Some(child) = self.nodes[at].text(text) {
            return child;
        }
        let child = self.add_node();
        let node = &mut self.nodes[at];
        if !node.has_many && node.texts.len() < FEW {
            node.texts.push((text.into(), child));
        } else {
            node.has_many = true;
            node.by_text.extend(node.texts.drain(..));
            node.by_text.insert(text.into(), child);
        }
        child
    }

    fn affixed(&mut self, at: usize, before: Box<[u8]>, behind: Box<[u8]>) -> usize {
        let same = |one: &&Affixed| one.before == before && one.behind == behind;
        if let Some(one) = self.nodes[at].affixed.iter().find(same) {
            return one.node;
        }
        let node = self.add_node();
        let affixed = &mut self.nodes[at].affixed;
        affixed.push(Affixed { before, behind, node });
        affixed.sort_by_key(|one| Reverse(one.exactness()));
        node
    }
}

impl Node {
    #[inline]
    fn text(&self, segment: &[u8]) -> Option<usize> {
        if self.has_many {
            return self.one_of_many(segment);
        }
        let found = self.texts.iter().find(|(text, _)| **text == *segment);
        found.map(|(_, child)| *child)
    }

    #[inline(never)]
    fn one_of_many(&self, segment: &[u8]) -> Option<usize> {
        self.by_text.get(segment).copied()
    }

    /// Whether a segment can only be the text that it is, or only a parameter.
    #[inline]
    fn is_simple(&self, is_text: bool) -> bool {
        self.affixed.is_empty() && self.rest.is_none() && !(is_text && self.param.is_some())
    }
}

/// Hashes texts of patterns (FNV-1a). They are chosen by who writes the routes, so nobody can make them collide.
#[derive(Debug)]
struct TextHasher(u64);

impl Default for TextHasher {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.0 ^= number as u64;
    }

    fn finish(&self) -> u64 {
        // A table looks at the bits at both ends.
        self.0 ^ (self.0 >> 32)
    }
}

/// The path up to its first slash, and what follows that.
#[inline]
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match near::find(b'/', path) {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

/// A segment of a pattern.
enum Segment {
    Text(String),
    /// Text in front of a parameter and behind it.
    Param(String, String),
    Rest,
}

impl Segment {
    fn parse(segment: &str) -> Result<Self, &'static str> {
        let mut texts = [String::new(), String::new()];
        let mut name: Option<String> = None;
        let mut chars = segment.chars().peekable();
        while let Some(char) = chars.next() {
            let text = &mut texts[usize::from(name.is_some())];
            match char {
                '{' | '}' if chars.next_if_eq(&char).is_some() => text.push(char),
                '{' if name.is_some() => return Err("a segment has two parameters"),
                '{' => {
                    let inside: String = chars.by_ref().take_while(|next| *next != '}').collect();
                    if inside.trim_start_matches('*').is_empty() || inside.contains('{') {
                        return Err("a parameter has no name or no end");
                    }
                    name = Some(inside);
                }
                '}' => return Err("a brace is closed that was not opened"),
                other => text.push(other),
            }
        }
        if name.is_some() && segment.matches('{').count() != segment.matches('}').count() {
            return Err("a parameter has no name or no end");
        }
        let [before, behind] = texts;
        match name {
            None => Ok(Self::Text(before)),
            Some(name) if !name.starts_with('*') => Ok(Self::Param(before, behind)),
            Some(_) if before.is_empty() && behind.is_empty() => Ok(Self::Rest),
            Some(_) => Err("text stands beside the rest in its segment"),
        }
    }
}
