//! Whose a request is: an endpoint's, the server's own handler's, or the core's to answer.
//!
//! # Invariants
//! - A loop takes over another route table between two turns, and tells its driver before the first request that was
//!   matched with it. So an endpoint's number always means one of the table that the driver was told of last.
//! - Each request is matched when it is handed over, with the table of that moment.
//!
//! # Threads
//! [`Routes`] is shared by all; the rest is the loop's own.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hinny_codec::head::RequestLine;
use hinny_codec::target;
use hinny_core::commands::ResponseCommand;
use hinny_core::error::Kind;
use hinny_core::names;
use hinny_core::options::RouteOptions;
use hinny_core::records::{self, SIGNAL_ROUTES};
use hinny_core::status::{self, ErrorFormat};
use hinny_router::{Asked, Found, Method, Params, Source};

use crate::event_loop::LoopState;
use crate::parse::KeptParams;
use crate::route_table::RouteTable;

/// A server's route table, and the responses that its driver gives for some endpoints.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Changes with the table; 0 while there is none.
    version: AtomicU32,
    /// With its version, so that nobody takes one for the other.
    table: Mutex<(u32, Option<Arc<RouteTable>>)>,
    /// Changes with each reply.
    replies_version: AtomicU32,
    replies: Mutex<Vec<Option<ResponseCommand<Bytes>>>>,
}

/// The table as one loop holds it: to share it with its connections writes nothing that another loop reads.
pub(crate) type LoopRoutes = Rc<Arc<RouteTable>>;

/// The replies as one loop holds them, in memory of its own.
#[derive(Debug, Default)]
pub(crate) struct LoopReplies {
    version: u32,
    replies: Vec<Option<ResponseCommand<Bytes>>>,
}

impl Routes {
    /// Gives all loops another table.
    pub(crate) fn set(&self, table: Arc<RouteTable>, version: u32) {
        let mut current = lock(&self.table);
        *current = (version, Some(table));
        self.version.store(version, Ordering::Release);
    }

    /// Gives the response for all endpoints with this number ([`Source::Reply`]).
    pub(crate) fn set_reply(&self, number: usize, response: ResponseCommand<Bytes>) {
        let mut replies = lock(&self.replies);
        if replies.len() <= number {
            replies.resize(number + 1, None);
        }
        replies[number] = Some(response);
        self.replies_version.fetch_add(1, Ordering::Release);
    }
}

impl LoopReplies {
    fn get(&mut self, shared: &Routes, number: u32) -> Option<ResponseCommand<Bytes>> {
        let version = shared.replies_version.load(Ordering::Acquire);
        if version != self.version {
            let replies = lock(&shared.replies);
            self.replies = replies
                .iter()
                .map(|reply| reply.as_ref().map(ResponseCommand::copied))
                .collect();
            self.version = version;
        }
        self.replies.get(usize::try_from(number).ok()?)?.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is asked of the table about a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoutedRequest<'a> {
    pub(crate) method: Method<'a>,
    pub(crate) path: &'a [u8],
    pub(crate) query: Option<&'a [u8]>,
    /// The path may have escapes.
    pub(crate) escaped: bool,
}

impl<'a> From<&RequestLine<'a>> for RoutedRequest<'a> {
    #[inline]
    fn from(line: &RequestLine<'a>) -> Self {
        Self {
            method: Method::listed(line.method),
            path: line.path,
            query: line.query,
            escaped: line.escaped,
        }
    }
}

/// Who answers a request.
#[derive(Debug)]
pub(crate) enum Destination<'r> {
    /// A handler.
    Handler(Target<'r>),
    /// The core, with an error.
    Refused(Kind),
    /// The core, with a response.
    Answered(CoreResponse<'r>),
    /// The core, with one of the files of this endpoint; which is in `file_rest`.
    Files(u32),
}

/// A handler, and what holds for its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'r> {
    /// The endpoint's number, 0 for the server's own handler.
    pub(crate) endpoint: u32,
    pub(crate) options: &'r RouteOptions,
}

/// The handler of a request, kept for another one that is for the same.
#[derive(Debug, Default)]
pub(crate) struct KnownRoute {
    /// The table's.
    version: u32,
    endpoint: u32,
    params: KeptParams,
}

/// A response that the core gives by itself.
#[derive(Debug)]
pub(crate) enum CoreResponse<'r> {
    /// It is an endpoint's, and always the same.
    Constant(&'r ResponseCommand<Bytes>),
    /// It was made for the request.
    Own(Box<ResponseCommand<Bytes>>),
}

impl CoreResponse<'_> {
    /// The response, told as the client wants it if it is the router's 405.
    pub(crate) fn told(self, format: impl FnOnce() -> ErrorFormat) -> Self {
        let not_allowed = status::answer(Kind::MethodNotAllowed);
        let Some(answer) = not_allowed.filter(|answer| answer.status == self.command().status()) else {
            return self;
        };
        let Self::Own(command) = self else {
            return self;
        };
        let allow = command.fields().find(|field| field.id == names::ALLOW);
        let allow = allow.map_or(b"".as_slice(), |field| field.value);
        let (content_type, body) = answer.content(format());
        let fields = [(names::CONTENT_TYPE, content_type.as_bytes()), (names::ALLOW, allow)];
        Self::Own(Box::new(ResponseCommand::of_core(answer.status, &fields, &body)))
    }

    /// The response in memory of its own: that of an endpoint's constant is shared by all loops.
    pub(crate) fn into_own(self) -> ResponseCommand<Bytes> {
        match self {
            Self::Constant(command) => command.copied(),
            Self::Own(command) => *command,
        }
    }

    pub(crate) fn command(&self) -> &ResponseCommand<Bytes> {
        match self {
            Self::Constant(command) => command,
            Self::Own(command) => command,
        }
    }
}

impl LoopState {
    /// Takes over another route table, if there is one. To be called between two turns.
    pub(crate) fn adopt_routes(&self) {
        if self.shared_routes.version.load(Ordering::Acquire) == self.routes_version.get() {
            return;
        }
        let (version, table) = lock(&self.shared_routes.table).clone();
        self.routes_version.set(version);
        let of_routes = table.iter().flat_map(|table| table.router().endpoints());
        let shortest = of_routes.map(|endpoint| shortest_timeout_ms(&endpoint.options)).min();
        self.shortest_route_timeout_ms.set(shortest.unwrap_or(u64::MAX));
        self.file_caches
            .replace(table.as_ref().map(|table| table.file_caches()).unwrap_or_default());
        self.routes.replace(table.map(Rc::new));
        self.push_record(|out| records::write_signal(out, 0, SIGNAL_ROUTES, version as usize));
    }

    /// The table that requests are matched with now.
    pub(crate) fn routes(&self) -> Option<LoopRoutes> {
        self.routes.borrow().clone()
    }

    /// Who answers a request where there is no table.
    #[inline]
    pub(crate) fn own_handler(&self) -> Target<'_> {
        self.parsed.borrow_mut().restart();
        Target {
            endpoint: 0,
            options: &self.options.route,
        }
    }

    /// Who answers a request, by the table that [`Self::routes`] has given; the parameters of its path are in `parsed` then,
    /// or its file's in `file_rest`. Without `asked` it may be too early to say: `None`.
    #[inline]
    pub(crate) fn routed<'r>(
        &'r self,
        table: &'r RouteTable,
        request: &RoutedRequest<'_>,
        asked: Option<&Asked<'_>>,
    ) -> Option<Destination<'r>> {
        if request.escaped {
            let path = target::normalized(request.path);
            return self.found(
                table,
                &RoutedRequest {
                    path: &path,
                    ..*request
                },
                asked,
            );
        }
        self.found(table, request, asked)
    }

    /// Keeps what [`Self::routed`] has just found.
    pub(crate) fn keep_route(&self, target: &Target<'_>, route: &mut KnownRoute) {
        route.version = self.routes_version.get();
        route.endpoint = target.endpoint;
        self.parsed.borrow().keep_params(&mut route.params);
    }

    /// What [`Self::routed`] would find for the same method and path; `None` if the route is not of this table.
    #[inline]
    pub(crate) fn routed_again<'r>(&'r self, table: &'r RouteTable, route: &KnownRoute) -> Option<Target<'r>> {
        if route.version != self.routes_version.get() {
            return None;
        }
        let options = match route.endpoint.checked_sub(1) {
            None => &self.options.route,
            Some(index) => &table.router().endpoints().get(index as usize)?.options,
        };
        self.parsed.borrow_mut().reset_params(&route.params);
        Some(Target {
            endpoint: route.endpoint,
            options,
        })
    }

    /// [`Self::routed`] for a normal path.
    fn found<'r>(
        &'r self,
        table: &'r RouteTable,
        request: &RoutedRequest<'_>,
        asked: Option<&Asked<'_>>,
    ) -> Option<Destination<'r>> {
        let RoutedRequest {
            method, path, query, ..
        } = *request;
        let mut params = Params::default();
        Some(
            match table.router().find_into(&mut params, method, path, query, asked) {
                Found::Endpoint(endpoint, ()) => match &endpoint.source {
                    Source::Handler => {
                        self.parsed.borrow_mut().set_params(&params);
                        Destination::Handler(Target {
                            endpoint: endpoint.number,
                            options: &endpoint.options,
                        })
                    }
                    Source::Response(response) => Destination::Answered(CoreResponse::Constant(response)),
                    Source::Reply(number) => self
                        .replies
                        .borrow_mut()
                        .get(&self.shared_routes, *number)
                        // The driver has not given it yet: 503.
                        .map_or(Destination::Refused(Kind::Overloaded), own_response),
                    // Other fields matter too.
                    Source::Files(_) if asked.is_none() => return None,
                    Source::Files(settings) => {
                        let rest = params.values().last().flatten().filter(|_| !settings.single);
                        let kept = &mut *self.file_rest.borrow_mut();
                        kept.clear();
                        kept.extend_from_slice(rest.unwrap_or_default());
                        Destination::Files(endpoint.number)
                    }
                },
                Found::Fallback => Destination::Handler(self.own_handler()),
                Found::Refused(kind) => Destination::Refused(kind),
                Found::Answered(response) => own_response(response),
                Found::Unsure => return None,
            },
        )
    }
}

fn own_response<'r>(response: ResponseCommand<Bytes>) -> Destination<'r> {
    Destination::Answered(CoreResponse::Own(Box::new(response)))
}

fn shortest_timeout_ms(options: &RouteOptions) -> u64 {
    let handler_ms = options.handler_timeout_ms.unwrap_or(u64::MAX);
    options.body_read_timeout_ms.min(handler_ms)
}
