//! The fence: the one place where errors and panics become Java exceptions.

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use jni::errors::{Error, ErrorPolicy};
use jni::strings::JNIString;
use jni::{Env, EnvUnowned, jni_str};

/// Why a native method failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A fact for the user: `EngineException` with a kind and a message, and the numbers of endpoints that it is about.
    Engine {
        kind: &'static str,
        message: String,
        endpoints: Vec<u32>,
    },
    /// JNI itself failed; a Java exception may be pending.
    Jni(Error),
}

impl Failure {
    pub(crate) const fn engine(kind: &'static str, message: String) -> Self {
        Self::Engine {
            kind,
            message,
            endpoints: Vec::new(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Jni(error)
    }
}

impl fmt::Display for Failure {
    /// As `EngineException` reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine {
                kind,
                message,
                endpoints,
            } => {
                f.write_str(kind)?;
                for number in endpoints {
                    write!(f, " {number}")?;
                }
                write!(f, "\n{message}")
            }
            Self::Jni(error) => write!(f, "internal\n{error}"),
        }
    }
}

/// Runs the body of a native method. If it fails or panics, its default is returned and an exception is pending.
pub(crate) fn fence<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T, Failure>,
) -> T {
    env.with_env(body).resolve::<ThrowEngineException>()
}

/// As [`fence`], for a body that takes less time than what an `Env` costs, which asks about exceptions around every JNI
/// function. The body has none, so it can only do what `convert` does without; if it fails, a pending exception is replaced.
pub(crate) fn short_fence<'local, T: Default>(
    env: EnvUnowned<'local>,
    body: impl FnOnce(&EnvUnowned<'local>) -> Result<T, Failure>,
) -> T {
    match panic::catch_unwind(AssertUnwindSafe(|| body(&env))) {
        Ok(Ok(result)) => result,
        Ok(Err(failure)) => fence(env, |env| {
            env.exception_clear();
            Err(failure)
        }),
        Err(payload) => fence(env, |_| panic::resume_unwind(payload)),
    }
}

struct ThrowEngineException;

impl<T: Default> ErrorPolicy<T, Failure> for ThrowEngineException {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        (): &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        throw(env, &failure);
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        (): &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        let message = format!("panic in the native library: {}", panic_text(payload.as_ref()));
        throw(env, &Failure::engine("panic", message));
        Ok(T::default())
    }
}

fn throw(env: &mut Env<'_>, failure: &Failure) {
    // A pending exception is the cause itself: it must not be replaced, and no JNI call is allowed before it is handled.
    if !env.exception_check() {
        // `throw_new` reports the exception it throws as an error; the class is looked up here, on a cold path, so that
        // the library holds no global reference that would keep its class loader alive.
        let _ = env.throw_new(
            jni_str!("io/github/hinny/EngineException"),
            JNIString::from(failure.to_string()),
        );
    }
}

/// The text of a panic.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
