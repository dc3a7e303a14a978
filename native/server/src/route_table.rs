//! A route table as a server uses it: the router, and the files that some of its endpoints answer with.

use std::sync::Arc;

use hinny_router::{Endpoint, RouteError, Router, Source};

use crate::files::{FileCache, Files};

/// A route table. Immutable; shared by all threads, and by any number of servers.
#[derive(Debug)]
pub struct RouteTable {
    router: Router,
    /// With the number of their endpoint, in order.
    files: Vec<(u32, Arc<Files>)>,
    asks: bool,
}

impl RouteTable {
    /// Compiles a table, see [`Router::compile`].
    ///
    /// # Errors
    /// A [`RouteError`], also for files whose root is not there.
    pub fn compile(words: &[u8]) -> Result<Self, RouteError> {
        let router = Router::compile(words)?;
        let mut files = Vec::new();
        for endpoint in router.endpoints() {
            if let Source::Files(settings) = &endpoint.source {
                let opened = Files::new((**settings).clone()).map_err(|error| RouteError {
                    kind: "route-invalid",
                    message: format!("the route {}: {error}", endpoint.label),
                    endpoints: Vec::new(),
                })?;
                files.push((endpoint.number, Arc::new(opened)));
            }
        }
        let asks = !files.is_empty() || router.endpoints().iter().any(Endpoint::is_choosy);
        Ok(Self { router, files, asks })
    }

    /// The router.
    #[must_use]
    pub const fn router(&self) -> &Router {
        &self.router
    }

    /// Whether who answers can depend on more of a request than its method and path.
    pub(crate) const fn asks(&self) -> bool {
        self.asks
    }

    /// What a loop knows of the files: nothing.
    pub(crate) fn file_caches(&self) -> FileCaches {
        let caches = self.files.iter();
        FileCaches(
            caches
                .map(|(number, files)| (*number, FileCache::new(Arc::clone(files))))
                .collect(),
        )
    }
}

/// What a loop knows of the files of each endpoint.
#[derive(Debug, Default)]
pub(crate) struct FileCaches(Vec<(u32, FileCache)>);

impl FileCaches {
    /// What it knows of those of this endpoint.
    pub(crate) fn of_endpoint(&mut self, number: u32) -> Option<&mut FileCache> {
        let at = self.0.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&mut self.0[at].1)
    }
}
