//! The servers of this JVM by handle.
//!
//! # Threads
//! Any. The lock is held for a look-up, never while an engine works; no request takes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hinny_core::options::Options;
use hinny_core::slots::Slots;
use hinny_server::{Engine, StartError};
use jni::sys::jlong;

use crate::boundary::Failure;

static ENGINES: Mutex<Slots<Arc<Engine>>> = Mutex::new(Slots::new());

/// Starts an engine and gives its handle.
pub(crate) fn start(encoded_options: &[u8]) -> Result<jlong, Failure> {
    let options = Options::decode(encoded_options).map_err(|error| start_failure(&StartError::Option(error)))?;
    let engine = Engine::start(options).map_err(|error| start_failure(&error))?;
    lock()
        .insert(engine)
        .and_then(|id| jlong::try_from(id).ok())
        .ok_or_else(|| Failure::engine("internal", "too many servers".into()))
}

/// The engine of a handle; an error if it was stopped.
pub(crate) fn get(handle: jlong) -> Result<Arc<Engine>, Failure> {
    find(handle).ok_or_else(|| Failure::engine("stopped", "the server is stopped".into()))
}

/// The engine of a handle, if it was not stopped.
pub(crate) fn find(handle: jlong) -> Option<Arc<Engine>> {
    lock().get_mut(u64::try_from(handle).ok()?).cloned()
}

/// Lets time pass for an engine whose clock a test turns.
pub(crate) fn pass_time(handle: jlong, ms: u64) -> Result<(), Failure> {
    if get(handle)?.pass_time(ms) {
        return Ok(());
    }
    Err(Failure::engine("internal", "the server has the system's clock".into()))
}

/// Ends a handle; later calls with it find nothing.
pub(crate) fn stop(handle: jlong) {
    let engine = u64::try_from(handle).ok().and_then(|id| lock().remove(id));
    drop(engine);
}

fn lock() -> MutexGuard<'static, Slots<Arc<Engine>>> {
    ENGINES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_failure(error: &StartError) -> Failure {
    let kind = match error {
        StartError::Option(_) => "option-invalid",
        StartError::Bind { error, .. } if error.kind() == std::io::ErrorKind::AddrInUse => "port-in-use",
        StartError::Bind { .. } => "bind-failed",
    };
    Failure::engine(kind, error.to_string())
}
