//! The route tables of this JVM by handle.
//!
//! # Threads
//! Any. The lock is held for a look-up; a server keeps its table, whatever becomes of the handle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hinny_codec::target;
use hinny_core::results::GROW_OUTPUT;
use hinny_core::slots::Slots;
use hinny_router::Method;
use hinny_server::RouteTable;
use jni::sys::jlong;

use crate::boundary::Failure;

static TABLES: Mutex<Slots<Arc<RouteTable>>> = Mutex::new(Slots::new());

/// Compiles a table and gives its handle.
pub(crate) fn compile(words: &[u8]) -> Result<jlong, Failure> {
    let table = RouteTable::compile(words).map_err(|error| Failure::Engine {
        kind: error.kind,
        message: error.message,
        endpoints: error.endpoints,
    })?;
    lock()
        .insert(Arc::new(table))
        .and_then(|id| jlong::try_from(id).ok())
        .ok_or_else(|| Failure::engine("internal", "too many route tables".into()))
}

/// The table of a handle.
pub(crate) fn get(handle: jlong) -> Result<Arc<RouteTable>, Failure> {
    let table = u64::try_from(handle).ok().and_then(|id| lock().get_mut(id).cloned());
    table.ok_or_else(|| Failure::engine("internal", "the route table is gone".into()))
}

/// Ends a handle.
pub(crate) fn free(handle: jlong) {
    let table = u64::try_from(handle).ok().and_then(|id| lock().remove(id));
    drop(table);
}

/// What matches a method and a path: the endpoint's number and the parameters, as a request's record has them; 0 if nothing
/// does, `GROW_OUTPUT` if there are more than `room` bytes of parameters.
pub(crate) fn find(handle: jlong, method: &[u8], path: &[u8], room: usize) -> Result<(i32, Vec<u8>), Failure> {
    let table = get(handle)?;
    let method = str::from_utf8(method).unwrap_or_default();
    let path = target::normalized(path);
    let mut bytes = Vec::new();
    let Some((endpoint, params)) = table.router().first(Method::of(method), &path) else {
        return Ok((0, bytes));
    };
    params.write(&mut bytes);
    if bytes.len() > room {
        return Ok((
            GROW_OUTPUT,
            u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec(),
        ));
    }
    Ok((i32::try_from(endpoint.number).unwrap_or(0), bytes))
}

fn lock() -> MutexGuard<'static, Slots<Arc<RouteTable>>> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}
