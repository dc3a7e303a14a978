//! The codecs, for one input at a time.
//!
//! # Threads
//! Any thread; each has scratch memory of its own, of which it keeps at most [`SCRATCH_KEPT_BYTES`] twice.

use std::cell::RefCell;

use hinny_codec::decode::Codec;
use hinny_core::results::{GROW_OUTPUT, MALFORMED, MALFORMED_POSITION, MALFORMED_REASON, OUTPUT_SIZE_MIN};
use jni::EnvUnowned;
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

/// Puts the result for `input[from .. from + length)` into `output`, which has `room` bytes; returns its length,
/// `GROW_OUTPUT` or `MALFORMED`.
pub(crate) fn decode(
    env: &EnvUnowned<'_>,
    codec: jint,
    input: &JByteArray<'_>,
    (from, length): (jint, jint),
    settings: jlong,
    (output, room): (&JByteArray<'_>, jint),
) -> Result<jint, Failure> {
    let codec = u8::try_from(codec)
        .ok()
        .and_then(Codec::from_id)
        .ok_or_else(|| Failure::engine("internal", format!("no codec has the id {codec}")))?;
    if output.is_null() || usize::try_from(room).unwrap_or(0) < OUTPUT_SIZE_MIN {
        return Err(Failure::engine(
            "internal",
            format!("an output of {room} bytes is too short"),
        ));
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let length = usize::try_from(length).unwrap_or(0);
        if scratch.input.len() < length {
            scratch.input.resize(length, 0);
        }
        let bytes = &mut scratch.input[..length];
        if !convert::copy_in_region(env, input, from, bytes) {
            let message = format!("the input has no {length} bytes from {from} on");
            return Err(Failure::engine("internal", message));
        }
        let result = match codec.decode(bytes, settings.cast_unsigned(), &mut scratch.output) {
            Ok(()) => match jint::try_from(scratch.output.len()) {
                Ok(length) if length <= room => {
                    convert::copy_out_last(env, &scratch.output, output);
                    length
                }
                _ => {
                    let needed = u32::try_from(scratch.output.len()).unwrap_or(u32::MAX);
                    convert::copy_out_last(env, &needed.to_le_bytes(), output);
                    GROW_OUTPUT
                }
            },
            Err(malformed) => {
                let mut what = [0; OUTPUT_SIZE_MIN];
                let position = u32::try_from(malformed.position).unwrap_or(u32::MAX);
                what[MALFORMED_POSITION..MALFORMED_POSITION + 4].copy_from_slice(&position.to_le_bytes());
                what[MALFORMED_REASON] = malformed.reason;
                convert::copy_out_last(env, &what, output);
                MALFORMED
            }
        };
        scratch.forget();
        Ok(result)
    })
}

impl Scratch {
    fn forget(&mut self) {
        self.output.clear();
        if self.input.capacity() > SCRATCH_KEPT_BYTES || self.output.capacity() > SCRATCH_KEPT_BYTES {
            self.input.truncate(SCRATCH_KEPT_BYTES);
            self.input.shrink_to(SCRATCH_KEPT_BYTES);
            self.output.shrink_to(SCRATCH_KEPT_BYTES);
        }
    }
}
