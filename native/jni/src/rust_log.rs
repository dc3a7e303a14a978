//! Sends log events of Rust to the JVM, as records of the loop on whose thread they happen.
//!
//! An event below the level that Java has set is neither formatted nor counted: the `log` macros test that first.

use std::cell::RefCell;
use std::panic::PanicHookInfo;

use hinny_server::LogSink;
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::boundary::panic_text;

struct ToInbox;

thread_local! {
    static SINK: RefCell<Option<LogSink>> = const { RefCell::new(None) };
}

/// Called once, at load.
pub(crate) fn install() {
    // It fails only if a logger is set already, which is then this one.
    let _ = log::set_logger(&ToInbox);
    log::set_max_level(LevelFilter::Info);
    // The library has its own copy of Rust's standard library, so this hook sees its own panics only.
    std::panic::set_hook(Box::new(log_panic));
}

/// 0 off, 1 error, 2 warn, 3 info, 4 debug, 5 trace.
pub(crate) fn set_level(level: i32) {
    log::set_max_level(match level {
        i32::MIN..=0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        5.. => LevelFilter::Trace,
    });
}

/// Events of this thread go to `sink` from now on.
pub(crate) fn attach(sink: LogSink) {
    SINK.replace(Some(sink));
}

/// Events of this thread go nowhere.
pub(crate) fn detach() {
    let sink = SINK.take();
    drop(sink);
}

impl Log for ToInbox {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // hyper and tokio speak to developers of hyper and tokio.
        metadata.target().starts_with("hinny")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            send(record.level(), record.target(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn send(level: Level, target: &str, message: &str) {
    // Neither a dying thread nor an event inside `attach` may fail here.
    let _ = SINK.try_with(|sink| {
        if let Ok(sink) = sink.try_borrow()
            && let Some(sink) = sink.as_ref()
        {
            sink.push(level as u8, target, message);
        }
    });
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    send(
        Level::Error,
        "hinny_server::panic",
        &format!("panic at {place}: {}", panic_text(info.payload())),
    );
}
