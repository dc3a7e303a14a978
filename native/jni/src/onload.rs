//! The one exported symbol.

use std::ffi::c_void;

use jni::sys::{JNI_ERR, JNI_VERSION_1_8, jint};
use jni::{JavaVM, jni_str};

use crate::boundary::Failure;
use crate::{methods, rust_log};

/// Called by the JVM when it loads the library: binds the native methods.
#[unsafe(no_mangle)]
pub extern "system" fn JNI_OnLoad(vm: *mut jni::sys::JavaVM, _reserved: *mut c_void) -> jint {
    if vm.is_null() {
        return JNI_ERR;
    }
    // SAFETY: `vm` is not null, and the JVM passes its own valid pointer.
    let vm = unsafe { JavaVM::from_raw(vm) };
    rust_log::install();
    let registered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        vm.attach_current_thread(|env| -> Result<(), Failure> {
            let class = env.find_class(jni_str!("io/github/hinny/Native"))?;
            // SAFETY: all methods of the table are static and take the class as their second parameter; `method`
            // argues for the rest.
            unsafe { env.register_native_methods(&class, &methods::table()) }?;
            Ok(())
        })
    }));
    // A failed look-up leaves its own exception pending; System.load throws it.
    match registered {
        Ok(Ok(())) => JNI_VERSION_1_8,
        Ok(Err(_)) | Err(_) => JNI_ERR,
    }
}
