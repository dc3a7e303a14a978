//! The native methods, and the table that binds them.
//!
//! Each is a shell around a plain function. `Native.java` documents what they do. Those that are called often return a long: of
//! an int the JVM's compilers may take the upper half of the register, which native code leaves as it is.

use std::fmt::Write as _;

use hinny_core::commands::ResponseCommand;
use hinny_core::{metrics, names, options, records, results};
use jni::objects::{JByteArray, JClass, JLongArray, JString};
use jni::strings::JNIStr;
use jni::sys::{jint, jlong};
use jni::{EnvUnowned, NativeMethod, jni_str};

use crate::boundary::{Failure, fence, short_fence};
use crate::{codecs, convert, engines, loops, route_tables, rust_log};

extern "system" fn abi_version<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> jint {
    fence(env, |_| Ok(records::ABI_VERSION))
}

extern "system" fn layout<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JString<'local> {
    fence(env, |env| Ok(env.new_string(layout_text())?))
}

extern "system" fn option_table<'local>(env: EnvUnowned<'local>, _: JClass<'local>) -> JString<'local> {
    fence(env, |env| Ok(env.new_string(options::table_edn())?))
}

extern "system" fn log_level<'local>(env: EnvUnowned<'local>, _: JClass<'local>, level: jint) {
    fence(env, |_| {
        rust_log::set_level(level);
        Ok(())
    });
}

extern "system" fn start<'local>(env: EnvUnowned<'local>, _: JClass<'local>, options: JByteArray<'local>) -> jlong {
    fence(env, |env| engines::start(&env.convert_byte_array(&options)?))
}

extern "system" fn port<'local>(env: EnvUnowned<'local>, _: JClass<'local>, engine: jlong) -> jint {
    fence(env, |_| Ok(jint::from(engines::get(engine)?.port())))
}

extern "system" fn metrics<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    engine: jlong,
    values: JLongArray<'local>,
) {
    fence(env, |env| {
        convert::copy_out_longs(env, &engines::get(engine)?.metrics(), &values)?;
        Ok(())
    });
}

extern "system" fn open_loop<'local>(env: EnvUnowned<'local>, _: JClass<'local>, engine: jlong, index: jint) {
    fence(env, |_| loops::open(engine, index));
}

extern "system" fn poll<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    outbox: JByteArray<'local>,
    outbox_length: jint,
    inbox: JByteArray<'local>,
) -> jlong {
    fence(env, |env| loops::poll(env, &outbox, outbox_length, &inbox))
}

extern "system" fn drop_record<'local>(env: EnvUnowned<'local>, _: JClass<'local>) {
    fence(env, |_| {
        loops::drop_record();
        Ok(())
    });
}

extern "system" fn close_loop<'local>(env: EnvUnowned<'local>, _: JClass<'local>) {
    fence(env, |_| {
        loops::close();
        Ok(())
    });
}

extern "system" fn wake<'local>(env: EnvUnowned<'local>, _: JClass<'local>, engine: jlong, index: jint) {
    fence(env, |_| {
        if let Some(engine) = engines::find(engine) {
            engine.wake(usize::try_from(index).unwrap_or(usize::MAX));
        }
        Ok(())
    });
}

extern "system" fn drain<'local>(env: EnvUnowned<'local>, _: JClass<'local>, engine: jlong, deadline_ms: jlong) {
    fence(env, |_| {
        if let Some(engine) = engines::find(engine) {
            engine.drain(u64::try_from(deadline_ms).unwrap_or(0));
        }
        Ok(())
    });
}

extern "system" fn pass_time<'local>(env: EnvUnowned<'local>, _: JClass<'local>, engine: jlong, ms: jlong) {
    fence(env, |_| engines::pass_time(engine, u64::try_from(ms).unwrap_or(0)));
}

extern "system" fn stop<'local>(env: EnvUnowned<'local>, _: JClass<'local>, engine: jlong) {
    fence(env, |_| {
        engines::stop(engine);
        Ok(())
    });
}

extern "system" fn compile_routes<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    words: JByteArray<'local>,
) -> jlong {
    fence(env, |env| route_tables::compile(&env.convert_byte_array(&words)?))
}

extern "system" fn find_route<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    routes: jlong,
    method: JByteArray<'local>,
    path: JByteArray<'local>,
    params: JByteArray<'local>,
) -> jlong {
    fence(env, |env| {
        let (method, path) = (env.convert_byte_array(&method)?, env.convert_byte_array(&path)?);
        let (endpoint, bytes) = route_tables::find(routes, &method, &path, params.len(env)?)?;
        convert::copy_out(env, &bytes, &params)?;
        Ok(jlong::from(endpoint))
    })
}

extern "system" fn free_routes<'local>(env: EnvUnowned<'local>, _: JClass<'local>, routes: jlong) {
    fence(env, |_| {
        route_tables::free(routes);
        Ok(())
    });
}

extern "system" fn set_routes<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    engine: jlong,
    routes: jlong,
    version: jint,
) {
    fence(env, |_| {
        engines::get(engine)?.set_routes(route_tables::get(routes)?, version.cast_unsigned());
        Ok(())
    });
}

extern "system" fn set_reply<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    engine: jlong,
    number: jint,
    response: JByteArray<'local>,
) {
    fence(env, |env| {
        let response = ResponseCommand::of(&env.convert_byte_array(&response)?)
            .ok_or_else(|| Failure::engine("internal", "a reply does not decode".into()))?;
        if let Some(engine) = engines::find(engine) {
            engine.set_reply(usize::try_from(number).unwrap_or(0), response);
        }
        Ok(())
    });
}

extern "system" fn decode<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    codec: jint,
    input: JByteArray<'local>,
    from: jint,
    length: jint,
    settings: jlong,
    output: JByteArray<'local>,
    room: jint,
) -> jlong {
    short_fence(env, |env| {
        codecs::decode(env, codec, &input, (from, length), settings, (&output, room)).map(jlong::from)
    })
}

macro_rules! methods {
    ($($name:literal $signature:literal => $function:ident as $type:ty;)+) => {
        /// Name, descriptor and function of every native method.
        pub(crate) fn table() -> Vec<NativeMethod<'static>> {
            vec![$({
                let function: $type = $function;
                method(jni_str!($name), jni_str!($signature), function as *mut std::ffi::c_void)
            }),+]
        }

        const DESCRIPTORS: &[(&str, &str)] = &[$(($name, $signature)),+];
    };
}

fn method(name: &'static JNIStr, signature: &'static JNIStr, function: *mut std::ffi::c_void) -> NativeMethod<'static> {
    // SAFETY: `function` is one of this file's `extern "system"` functions, cast from a type that spells out the
    // parameters which `signature` names; `native-methods-test` in tests/boundary compares names and descriptors with `Native.java`.
    unsafe { NativeMethod::from_raw_parts(name, signature, function) }
}

methods! {
    "abiVersion" "()I" => abi_version as extern "system" fn(EnvUnowned<'static>, JClass<'static>) -> jint;
    "layout" "()Ljava/lang/String;" =>
        layout as extern "system" fn(EnvUnowned<'static>, JClass<'static>) -> JString<'static>;
    "optionTable" "()Ljava/lang/String;" =>
        option_table as extern "system" fn(EnvUnowned<'static>, JClass<'static>) -> JString<'static>;
    "logLevel" "(I)V" => log_level as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jint);
    "start" "([B)J" => start as extern "system" fn(EnvUnowned<'static>, JClass<'static>, JByteArray<'static>) -> jlong;
    "port" "(J)I" => port as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong) -> jint;
    "metrics" "(J[J)V" =>
        metrics as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, JLongArray<'static>);
    "openLoop" "(JI)V" => open_loop as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, jint);
    "poll" "([BI[B)J" =>
        poll as extern "system" fn(
            EnvUnowned<'static>, JClass<'static>, JByteArray<'static>, jint, JByteArray<'static>,
        ) -> jlong;
    "dropRecord" "()V" => drop_record as extern "system" fn(EnvUnowned<'static>, JClass<'static>);
    "closeLoop" "()V" => close_loop as extern "system" fn(EnvUnowned<'static>, JClass<'static>);
    "wake" "(JI)V" => wake as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, jint);
    "drain" "(JJ)V" => drain as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, jlong);
    "decode" "(I[BIIJ[BI)J" =>
        decode as extern "system" fn(
            EnvUnowned<'static>, JClass<'static>, jint, JByteArray<'static>, jint, jint, jlong, JByteArray<'static>,
            jint,
        ) -> jlong;
    "compileRoutes" "([B)J" =>
        compile_routes as extern "system" fn(EnvUnowned<'static>, JClass<'static>, JByteArray<'static>) -> jlong;
    "findRoute" "(J[B[B[B)J" =>
        find_route as extern "system" fn(
            EnvUnowned<'static>, JClass<'static>, jlong, JByteArray<'static>, JByteArray<'static>, JByteArray<'static>,
        ) -> jlong;
    "freeRoutes" "(J)V" => free_routes as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong);
    "setRoutes" "(JJI)V" =>
        set_routes as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, jlong, jint);
    "setReply" "(JI[B)V" =>
        set_reply as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, jint, JByteArray<'static>);
    "passTime" "(JJ)V" => pass_time as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong, jlong);
    "stop" "(J)V" => stop as extern "system" fn(EnvUnowned<'static>, JClass<'static>, jlong);
}

/// Everything that both sides must agree on, a line each: `const NAME value`, `result NAME value`, `json-reason NUMBER WORD WORDS`,
/// `method name`, `header name`,
/// `metric name`, `worker-metric name`, `native name descriptor`.
fn layout_text() -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for (name, value) in records::LAYOUT {
        let _ = writeln!(text, "const {name} {value}");
    }
    for (name, value) in results::LAYOUT {
        let _ = writeln!(text, "result {name} {value}");
    }
    for (number, word, words) in hinny_codec::json::REASONS {
        let _ = writeln!(text, "json-reason {number} {word} {words}");
    }
    for name in names::METHODS {
        let _ = writeln!(text, "method {name}");
    }
    for name in names::HEADERS {
        let _ = writeln!(text, "header {name}");
    }
    for name in metrics::NAMES {
        let _ = writeln!(text, "metric {name}");
    }
    for name in metrics::WORKER_NAMES {
        let _ = writeln!(text, "worker-metric {name}");
    }
    for (name, descriptor) in DESCRIPTORS {
        let _ = writeln!(text, "native {name} {descriptor}");
    }
    text
}
