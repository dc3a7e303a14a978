//! The codecs, for one input at a time.
//!
//! # Threads
//! Any thread; each has scratch memory of its own, of which it keeps at most [`SCRATCH_KEPT_BYTES`] twice.

use std::cell::RefCell;

use hinny_codec::decode::Codec;
use hinny_core::results::{GROW_OUTPUT, MALFORMED, MALFORMED_POSITION, MALFORMED_REASON, OUTPUT_SIZE_MIN};
use jni::Env;
use jni::objects::JByteArray;
use jni::sys::{jint, jlong};

use crate::boundary::Failure;
use crate::convert;

/// What a thread keeps of a large input or output for its next; more than most have.
const SCRATCH_KEPT_BYTES: usize = 256 << 10;

#[derive(Default)]
struct Scratch {
    input: Vec<u8>,
    output: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Puts the result for `input[from .. from + length)` into `output`; returns its length, `GROW_OUTPUT` or `MALFORMED`.
pub(crate) fn decode(
    env: &Env<'_>,
    codec: jint,
    input: &JByteArray<'_>,
    (from, length): (jint, jint),
    settings: jlong,
    output: &JByteArray<'_>,
) -> Result<jint, Failure> {
    let codec = u8::try_from(codec)
        .ok()
        .and_then(Codec::from_id)
        .ok_or_else(|| Failure::engine("internal", format!("no codec has the id {codec}")))?;
    SCRATCH.with_borrow_mut(|scratch| {
        let length = usize::try_from(length).unwrap_or(0);
        if scratch.input.len() < length {
            scratch.input.resize(length, 0);
        }
        scratch.output.clear();
        let bytes = &mut scratch.input[..length];
        convert::copy_in_region(env, input, from, bytes)?;
        let result = match codec.decode(bytes, settings.cast_unsigned(), &mut scratch.output) {
            Ok(()) if scratch.output.len() <= output.len(env)? => {
                convert::copy_out(env, &scratch.output, output)?;
                jint::try_from(scratch.output.len()).unwrap_or(jint::MAX)
            }
            Ok(()) => {
                let needed = u32::try_from(scratch.output.len()).unwrap_or(u32::MAX);
                convert::copy_out(env, &needed.to_le_bytes(), output)?;
                GROW_OUTPUT
            }
            Err(malformed) => {
                let mut what = [0; OUTPUT_SIZE_MIN];
                let position = u32::try_from(malformed.position).unwrap_or(u32::MAX);
                what[MALFORMED_POSITION..MALFORMED_POSITION + 4].copy_from_slice(&position.to_le_bytes());
                what[MALFORMED_REASON] = malformed.reason;
                convert::copy_out(env, &what, output)?;
                MALFORMED
            }
        };
        scratch.input.truncate(SCRATCH_KEPT_BYTES);
        scratch.input.shrink_to(SCRATCH_KEPT_BYTES);
        scratch.output.clear();
        scratch.output.shrink_to(SCRATCH_KEPT_BYTES);
        Ok(result)
    })
}
