//! Tasks that a loop cannot do without: they are begun again when they panic.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;

use tokio::task::JoinHandle;

use crate::event_loop::LoopState;

/// How long a task that failed rests.
const PAUSE_MS: u64 = 50;

/// Runs what `begin` makes until it ends by itself. In a runtime.
pub(crate) fn spawn<F: Future<Output = ()> + 'static>(
    state: &Rc<LoopState>,
    name: &'static str,
    begin: impl Fn() -> F + 'static,
) -> JoinHandle<()> {
    let state = Rc::clone(state);
    tokio::task::spawn_local(async move {
        loop {
            let mut task = Box::pin(begin());
            let ended = poll_fn(|cx| {
                catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx)))
                    .map_or(Poll::Ready(false), |polled| polled.map(|()| true))
            });
            if ended.await {
                return;
            }
            state.switches.metrics.panics.add(1);
            log::error!("{name} failed and goes on");
            state.clock.sleep_ms(PAUSE_MS).await;
        }
    })
}
