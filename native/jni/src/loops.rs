//! The event loop of the calling thread.
//!
//! # Invariants
//! - A thread runs at most one loop. It is found by thread, so no handle can reach another thread's loop.
//!
//! # Threads
//! Each function acts on its own thread only.

use std::cell::RefCell;

use bytes::BytesMut;
use hinny_core::records::{CLOSED, GROW_INBOX, POLL_FULL_BIT};
use hinny_server::{EventLoop, Turn};
use jni::Env;
use jni::objects::JByteArray;
use jni::sys::{jint, jlong};

use crate::boundary::Failure;
use crate::{convert, engines, rust_log};

struct ThreadLoop {
    event_loop: EventLoop,
    arena: BytesMut,
}

thread_local! {
    static LOOP: RefCell<Option<ThreadLoop>> = const { RefCell::new(None) };
}

pub(crate) fn open(engine: i64, index: jint) -> Result<(), Failure> {
    let engine = engines::get(engine)?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let event_loop = EventLoop::open(&engine, index)
        .map_err(|error| Failure::engine("internal", format!("cannot open event loop {index}: {error}")))?;
    rust_log::attach(event_loop.log_sink());
    LOOP.replace(Some(ThreadLoop {
        event_loop,
        arena: BytesMut::with_capacity(convert::ARENA_BYTES),
    }));
    Ok(())
}

pub(crate) fn poll(
    env: &Env<'_>,
    outbox: &JByteArray<'_>,
    outbox_length: jint,
    inbox: &JByteArray<'_>,
) -> Result<jlong, Failure> {
    LOOP.with_borrow_mut(|slot| {
        let Some(ThreadLoop { event_loop, arena }) = slot else {
            return Ok(CLOSED.into());
        };
        let commands = convert::copy_in(env, outbox, usize::try_from(outbox_length).unwrap_or(0), arena)?;
        if event_loop.poll(commands) == Turn::Closed {
            return Ok(CLOSED.into());
        }
        let taken = event_loop.take(inbox.len(env)?, |records| convert::copy_out(env, records, inbox))?;
        let result = match taken {
            Some(count) => jint::try_from(count).unwrap_or(jint::MAX),
            None => {
                event_loop.show_first(|head| convert::copy_out(env, head, inbox))?;
                GROW_INBOX
            }
        };
        Ok(jlong::from(result.cast_unsigned()) | jlong::from(event_loop.is_full()) << POLL_FULL_BIT)
    })
}

pub(crate) fn drop_record() {
    LOOP.with_borrow(|slot| {
        if let Some(ThreadLoop { event_loop, .. }) = slot {
            event_loop.drop_first();
        }
    });
}

pub(crate) fn close() {
    rust_log::detach();
    let closed = LOOP.take();
    drop(closed);
}
