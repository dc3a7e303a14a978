//! Bytes between Java arrays and Rust: always copied, never shared.

use bytes::{Bytes, BytesMut};
use jni::errors::Result;
use jni::objects::{JByteArray, JLongArray};
use jni::sys::{JNINativeInterface__1_2, jbyte, jint, jlong, jsize};
use jni::{Env, EnvUnowned};

/// The size of an arena; a batch of a few hundred small responses.
pub(crate) const ARENA_BYTES: usize = 64 << 10;

/// Copies the first `length` bytes of `array` into `arena`, and gives them as a slice of it.
///
/// The arena's memory is used again as soon as all slices of it are gone; what is too large for it gets memory of its
/// own.
pub(crate) fn copy_in(env: &Env<'_>, array: &JByteArray<'_>, length: usize, arena: &mut BytesMut) -> Result<Bytes> {
    if length == 0 {
        return Ok(Bytes::new());
    }
    if length > ARENA_BYTES {
        let mut bytes = vec![0; length];
        return array.get_region(env, 0, signed_mut(&mut bytes)).map(|()| bytes.into());
    }
    arena.resize(length, 0);
    let copied = array.get_region(env, 0, signed_mut(arena));
    let bytes = arena.split().freeze();
    copied.map(|()| bytes)
}

/// Fills `bytes` from `array`, from position `from` on; returns whether there are as many. If not, a Java exception is pending.
pub(crate) fn copy_in_region(env: &EnvUnowned<'_>, array: &JByteArray<'_>, from: jint, bytes: &mut [u8]) -> bool {
    if array.is_null() {
        return false;
    }
    let length = jsize::try_from(bytes.len()).unwrap_or(jsize::MAX);
    let functions = functions(env);
    let env = env.as_raw();
    // SAFETY: `array` is a reference of the same call to a byte array; at most `length` bytes are written, and `bytes` has
    // as many. For a wrong position the JVM throws.
    unsafe { (functions.GetByteArrayRegion)(env, array.as_raw(), from, length, bytes.as_mut_ptr().cast()) };
    // SAFETY: the pointer is the one of the call, and may be asked at any time.
    unsafe { !(functions.ExceptionCheck)(env) }
}

/// Copies `bytes` to the start of `array`. If that is shorter, it is as before and a Java exception is pending: the call must
/// end with this.
pub(crate) fn copy_out_last(env: &EnvUnowned<'_>, bytes: &[u8], array: &JByteArray<'_>) {
    if array.is_null() {
        return;
    }
    let length = jsize::try_from(bytes.len()).unwrap_or(jsize::MAX);
    let functions = functions(env);
    let env = env.as_raw();
    // SAFETY: `array` is a reference of the same call to a byte array; at most `length` bytes are read, and `bytes` has as
    // many. For a wrong length the JVM throws.
    unsafe { (functions.SetByteArrayRegion)(env, array.as_raw(), 0, length, bytes.as_ptr().cast()) }
}

/// Copies `bytes` to the start of `array`.
pub(crate) fn copy_out(env: &Env<'_>, bytes: &[u8], array: &JByteArray<'_>) -> Result<()> {
    array.set_region(env, 0, signed(bytes))
}

/// Copies numbers to the start of `array`, as many as both have.
pub(crate) fn copy_out_longs(env: &Env<'_>, numbers: &[u64], array: &JLongArray<'_>) -> Result<()> {
    let numbers: Vec<jlong> = numbers
        .iter()
        .map(|n| jlong::try_from(*n).unwrap_or(jlong::MAX))
        .collect();
    let length = array.len(env)?.min(numbers.len());
    array.set_region(env, 0, &numbers[..length])
}

/// The JVM's functions, as far as versions from 1.2 on have them.
fn functions<'call>(env: &EnvUnowned<'call>) -> &'call JNINativeInterface__1_2 {
    // SAFETY: `EnvUnowned` holds the pointer that the JVM gave this thread for its call, and is not null.
    let table = unsafe { *env.as_raw() };
    // SAFETY: what it points to is the table of functions, which stays where it is as long as the JVM.
    let table = unsafe { &*table };
    // SAFETY: each later version's table begins with that of 1.2, and no JVM of ours has an earlier one.
    unsafe { &table.v1_2 }
}

const fn signed(bytes: &[u8]) -> &[jbyte] {
    // SAFETY: `u8` and `i8` have the same size and alignment and no invalid values; length, lifetime and mutability are
    // those of `bytes`.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

const fn signed_mut(bytes: &mut [u8]) -> &mut [jbyte] {
    // SAFETY: as in `signed`; the exclusive borrow of `bytes` lasts as long as the result.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len()) }
}
