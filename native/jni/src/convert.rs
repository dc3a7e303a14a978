//! Bytes between Java arrays and Rust: always copied, never shared.

use bytes::{Bytes, BytesMut};
use jni::Env;
use jni::errors::Result;
use jni::objects::{JByteArray, JLongArray};
use jni::sys::{jbyte, jint, jlong};

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

/// Fills `bytes` from `array`, from position `from` on. Fails, with a Java exception pending, if there are not as many.
pub(crate) fn copy_in_region(env: &Env<'_>, array: &JByteArray<'_>, from: jint, bytes: &mut [u8]) -> Result<()> {
    array.get_region(env, from, signed_mut(bytes))
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

const fn signed(bytes: &[u8]) -> &[jbyte] {
    // SAFETY: `u8` and `i8` have the same size and alignment and no invalid values; length, lifetime and mutability are
    // those of `bytes`.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

const fn signed_mut(bytes: &mut [u8]) -> &mut [jbyte] {
    // SAFETY: as in `signed`; the exclusive borrow of `bytes` lasts as long as the result.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len()) }
}
