use super::*;
use crate::commands::{Broken, Command, Commands};
use crate::error::Kind;
use http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;

fn request(method: &Method, query: Option<&str>, headers: &HeaderMap, body: &[Bytes]) -> Vec<u8> {
    let mut out = vec![0xaa; 8];
    let head = RequestHead {
        exchange: 0x0102_0304_0506_0708,
        method_id: names::method_id(method),
        method: method.as_str(),
        flags: FLAG_HTTP_10,
        uri: b"/a%20b",
        query: query.map(str::as_bytes),
        server_name: "example.com",
        server_port: 8080,
        remote_addr: "127.0.0.1",
        endpoint: 0,
    };
    write_request(&mut out, &head, headers, body);
    out.split_off(8)
}

/// Reads a request record back, by the layout as `Records.java` has it.
fn texts(record: &[u8]) -> (String, String, Vec<(String, String)>, Vec<u8>) {
    let u16_at = |at| usize::from(get_u16(record, at).unwrap());
    let count = u16_at(REQUEST_HEADER_COUNT);
    let mut at = REQUEST_HEADERS + count * HEADER_ENTRY_SIZE;
    let mut text = |length: usize| {
        at += length;
        record[at - length..at].to_vec()
    };
    let method = text(u16_at(REQUEST_METHOD_LENGTH));
    let uri = text(u16_at(REQUEST_URI_LENGTH));
    let query = text(u16_at(REQUEST_QUERY_LENGTH));
    let server_name = text(u16_at(REQUEST_SERVER_NAME_LENGTH));
    let remote_addr = text(usize::from(record[REQUEST_REMOTE_ADDR_LENGTH]));
    assert_eq!(
        (uri, server_name, remote_addr),
        (b"/a%20b".to_vec(), b"example.com".to_vec(), b"127.0.0.1".to_vec())
    );
    let string = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let mut headers = Vec::new();
    for n in 0..count {
        let entry = REQUEST_HEADERS + n * HEADER_ENTRY_SIZE;
        let name = match u16_at(entry) {
            0 => string(text(u16_at(entry + 2))),
            id => names::HEADERS[id - 1].to_owned(),
        };
        headers.push((name, string(text(get_u32(record, entry + 4).unwrap()))));
    }
    let body = text(get_u32(record, REQUEST_BODY_LENGTH).unwrap());
    (string(method), string(query), headers, body)
}

#[test]
fn a_request_record_holds_what_was_written() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "example.com:8080"),
        ("x-one", "1"),
        ("cookie", "a=1"),
        ("x-one", "2"),
        ("cookie", "b=2"),
        ("content-length", "5"),
    ] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let record = request(
        &Method::POST,
        Some("q=1"),
        &headers,
        &[Bytes::from("he"), Bytes::from("llo")],
    );
    assert_eq!(length_at(&record, 0), Some(record.len()));
    assert_eq!(record[REQUEST_FLAGS], FLAG_HTTP_10 | FLAG_QUERY | FLAG_BODY);
    assert_eq!(record[REQUEST_METHOD], 3);
    assert_eq!(get_u64(&record, REQUEST_EXCHANGE), Some(0x0102_0304_0506_0708));
    assert_eq!(get_u16(&record, REQUEST_SERVER_PORT), Some(8080));
    let (method, query, fields, body) = texts(&record);
    assert_eq!(
        (method.as_str(), query.as_str(), body.as_slice()),
        ("", "q=1", b"hello".as_slice())
    );
    let expected = [
        ("host", "example.com:8080"),
        ("x-one", "1,2"),
        ("cookie", "a=1;b=2"),
        ("content-length", "5"),
    ];
    assert_eq!(fields, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
}

#[test]
fn a_query_may_be_absent_or_empty_and_a_method_may_be_unlisted() {
    let purge = Method::from_bytes(b"PURGE").unwrap();
    let absent = request(&purge, None, &HeaderMap::new(), &[]);
    let empty = request(&purge, Some(""), &HeaderMap::new(), &[]);
    assert_eq!(absent[REQUEST_FLAGS] & FLAG_QUERY, 0);
    assert_eq!(empty[REQUEST_FLAGS] & FLAG_QUERY, FLAG_QUERY);
    assert_eq!(empty[REQUEST_FLAGS] & FLAG_BODY, 0);
    assert_eq!(empty[REQUEST_METHOD], 0);
    assert_eq!(texts(&empty).0, "PURGE");
}

#[test]
fn every_layout_constant_is_listed_once() {
    let mut names: Vec<_> = LAYOUT.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), LAYOUT.len());
}

fn response(exchange: u64, status: u16, fields: &[(u16, &str, &str)], body: Option<&[u8]>) -> Vec<u8> {
    let mut out = vec![0; RESPONSE_HEADERS];
    out[RESPONSE_TYPE] = RESPONSE;
    out[RESPONSE_FLAGS] = if body.is_some() { FLAG_RESPONSE_BODY } else { 0 };
    put_u16(&mut out, RESPONSE_STATUS, usize::from(status));
    put_u64(&mut out, RESPONSE_EXCHANGE, exchange);
    put_u32(&mut out, RESPONSE_BODY_LENGTH, body.map_or(0, <[u8]>::len));
    put_u16(&mut out, RESPONSE_HEADER_COUNT, fields.len());
    for (id, name, value) in fields {
        let at = out.len();
        out.resize(at + HEADER_ENTRY_SIZE, 0);
        put_u16(&mut out, at, usize::from(*id));
        put_u16(&mut out, at + 2, name.len());
        put_u32(&mut out, at + 4, value.len());
    }
    for (_, name, value) in fields {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(body.unwrap_or_default());
    finish(&mut out, 0);
    out
}

fn fail(exchange: u64, kind: u8) -> Vec<u8> {
    let mut out = vec![0; FAIL_SIZE];
    out[RESPONSE_TYPE] = FAIL;
    out[FAIL_KIND] = kind;
    put_u64(&mut out, FAIL_EXCHANGE, exchange);
    finish(&mut out, 0);
    out
}

#[test]
fn commands_are_read_in_order() {
    let mut outbox = response(7, 200, &[(26, "", "text/plain"), (0, "X-A", "1")], Some(b"hi"));
    outbox.extend(fail(8, KIND_OVERLOADED));
    outbox.extend(response(9, 204, &[], None));
    let outbox = Bytes::from(outbox);
    let commands: Vec<_> = Commands::new(&outbox).map(Result::unwrap).collect();
    let [
        Command::Response(7, first),
        Command::Fail(8, Kind::Overloaded, b""),
        Command::Response(9, last),
    ] = &commands[..]
    else {
        panic!("{commands:?}");
    };
    let (first, last) = (first.clone().share(&outbox), last.clone().copy());
    assert_eq!((first.status().as_u16(), first.body()), (200, Some(Bytes::from("hi"))));
    assert_eq!(first.body_bytes(), b"hi");
    let mut fields = Vec::new();
    first
        .for_each_header(|name, value| fields.push(format!("{name}: {}", value.to_str().unwrap())))
        .unwrap();
    assert_eq!(fields, ["content-type: text/plain", "x-a: 1"]);
    assert_eq!((last.status().as_u16(), last.body()), (204, None));
}

/// A chunk looks the same in both directions, so what Rust writes for Java stands for what Java writes for Rust.
fn chunk(exchange: u64, body: &[u8], last: bool) -> Vec<u8> {
    let mut out = vec![0xaa; 8];
    write_chunk(&mut out, exchange, body, last);
    out.split_off(8)
}

fn signal(exchange: u64, code: u8, amount: usize) -> Vec<u8> {
    let mut out = vec![0xaa; 8];
    write_signal(&mut out, exchange, code, amount);
    out.split_off(8)
}

#[test]
fn a_chunk_record_holds_what_was_written() {
    for (body, last, length) in [
        (b"".as_slice(), true, 24),
        (b"a", false, 32),
        (b"12345678", false, 32),
        (b"123456789", true, 40),
    ] {
        let record = chunk(0x0102_0304_0506_0708, body, last);
        assert_eq!(length_at(&record, 0), Some(length), "{body:?}");
        assert_eq!(record.len(), length);
        assert_eq!(record[REQUEST_TYPE], CHUNK);
        assert_eq!(record[CHUNK_FLAGS], if last { FLAG_CHUNK_LAST } else { 0 });
        assert_eq!(get_u64(&record, CHUNK_EXCHANGE), Some(0x0102_0304_0506_0708));
        assert_eq!(get_u32(&record, CHUNK_BODY_LENGTH), Some(body.len()));
        assert_eq!(&record[CHUNK_BODY..CHUNK_BODY + body.len()], body);
        assert!(record[CHUNK_BODY + body.len()..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_signal_record_holds_what_was_written() {
    let record = signal(0x0102_0304_0506_0708, SIGNAL_GONE, usize::from(KIND_HANDLER_TIMEOUT));
    assert_eq!((record.len(), length_at(&record, 0)), (SIGNAL_SIZE, Some(SIGNAL_SIZE)));
    assert_eq!((record[REQUEST_TYPE], record[SIGNAL_CODE]), (SIGNAL, SIGNAL_GONE));
    assert_eq!(get_u64(&record, SIGNAL_EXCHANGE), Some(0x0102_0304_0506_0708));
    assert_eq!(get_u32(&record, SIGNAL_AMOUNT), Some(usize::from(KIND_HANDLER_TIMEOUT)));
}

#[test]
fn an_amount_that_does_not_fit_is_the_greatest_that_does() {
    let record = signal(1, SIGNAL_CREDIT, usize::MAX);
    assert_eq!(get_u32(&record, SIGNAL_AMOUNT), usize::try_from(u32::MAX).ok());
}

#[test]
fn commands_about_bodies_are_read() {
    let mut outbox = chunk(7, b"hello", false);
    outbox.extend(signal(8, SIGNAL_CREDIT, 65_536));
    outbox.extend(signal(9, SIGNAL_DISCARD, 0));
    outbox.extend(signal(9, SIGNAL_ABANDON, 0));
    outbox.extend(chunk(7, b"", true));
    let outbox = Bytes::from(outbox);
    let commands: Vec<_> = Commands::new(&outbox).map(Result::unwrap).collect();
    let [
        Command::Chunk {
            exchange: 7,
            bytes: first,
            last: false,
        },
        Command::Credit(8, 65_536),
        Command::Discard(9),
        Command::Abandon(9),
        Command::Chunk {
            exchange: 7,
            bytes: end,
            last: true,
        },
    ] = &commands[..]
    else {
        panic!("{commands:?}");
    };
    assert_eq!((first.as_ref(), end.as_ref()), (b"hello".as_slice(), b"".as_slice()));
}

#[test]
fn a_chunk_keeps_no_outbox_alive_that_is_much_larger() {
    let large = Bytes::from(chunk(7, &[1; 1000], false));
    let within = large.as_ptr_range();
    let Some(Ok(Command::Chunk { bytes, .. })) = Commands::new(&large.clone()).next() else {
        panic!("no chunk");
    };
    assert!(within.contains(&bytes.as_ptr()), "most of the outbox is not copied");

    let mut outbox = chunk(7, b"small", false);
    outbox.extend(chunk(8, &[1; 1000], false));
    let outbox = Bytes::from(outbox);
    let within = outbox.as_ptr_range();
    let Some(Ok(Command::Chunk { bytes, .. })) = Commands::new(&outbox.clone()).next() else {
        panic!("no chunk");
    };
    assert_eq!(bytes.as_ref(), b"small");
    assert!(!within.contains(&bytes.as_ptr()));
}

#[test]
fn a_broken_command_names_its_exchange_and_the_next_one_is_read() {
    let mut outbox = signal(7, 99, 1);
    outbox.extend(signal(8, SIGNAL_DISCARD, 0));
    let outbox = Bytes::from(outbox);
    let mut commands = Commands::new(&outbox);
    assert_eq!(commands.exchange(), None);
    assert!(matches!(
        commands.next(),
        Some(Err(Broken {
            offset: 0,
            exchange: Some(7)
        }))
    ));
    assert!(matches!(commands.next(), Some(Ok(Command::Discard(8)))));
    assert_eq!(commands.exchange(), Some(8));
    assert!(commands.next().is_none());
}

#[test]
fn commands_about_bodies_that_are_broken_are_seen() {
    let mut too_long = chunk(7, b"hello", true);
    put_u32(&mut too_long, CHUNK_BODY_LENGTH, 9);
    let mut much_too_long = chunk(7, b"hello", true);
    put_u32(&mut much_too_long, CHUNK_BODY_LENGTH, usize::MAX);
    let table = [
        ("more bytes than the command has", too_long),
        ("more bytes than there can be", much_too_long),
        ("a signal that only Rust gives", signal(7, SIGNAL_BODY_FAILED, 1)),
        ("a signal that nobody gives", signal(7, 99, 1)),
        ("a signal that is cut", signal(7, SIGNAL_CREDIT, 1)[..16].to_vec()),
        ("a chunk that is cut", chunk(7, b"hello", true)[..24].to_vec()),
    ];
    for (what, broken) in table {
        let mut outbox = signal(6, SIGNAL_DISCARD, 0);
        outbox.extend(broken);
        let outbox = Bytes::from(outbox);
        let commands: Vec<_> = Commands::new(&outbox).collect();
        assert!(
            matches!(&commands[..], [Ok(Command::Discard(6)), Err(broken)] if broken.offset == SIGNAL_SIZE),
            "{what}: {commands:?}"
        );
    }
}

#[test]
fn a_response_tells_how_its_body_goes_on() {
    for (flags, streamed, file) in [
        (FLAG_RESPONSE_BODY, false, false),
        (FLAG_RESPONSE_BODY | FLAG_RESPONSE_STREAM, true, false),
        (FLAG_RESPONSE_BODY | FLAG_RESPONSE_FILE, false, true),
    ] {
        let mut outbox = response(7, 200, &[], Some(b"body"));
        outbox[RESPONSE_FLAGS] = flags;
        let outbox = Bytes::from(outbox);
        let Some(Ok(Command::Response(7, command))) = Commands::new(&outbox).next() else {
            panic!("no response");
        };
        assert_eq!(
            (command.is_streamed(), command.is_whole()),
            (streamed, !streamed && !file)
        );
        assert_eq!(command.copy().body(), Some(Bytes::from("body")));
    }
}

#[test]
fn header_fields_that_would_break_the_message_are_refused() {
    for (id, name, value) in [
        (0, "a b", "1"),
        (0, "", "1"),
        (9999, "", "1"),
        (26, "", "a\r\nb: c"),
        (26, "", "a\0"),
        (0, "a\n", "b"),
    ] {
        let outbox = response(1, 200, &[(id, name, value)], None);
        let outbox = Bytes::from(outbox);
        let Some(Ok(Command::Response(_, command))) = Commands::new(&outbox).next() else {
            panic!("{name:?}");
        };
        assert_eq!(
            command.copy().for_each_header(|_, _| ()),
            Err(Kind::ResponseInvalid),
            "{name:?} {value:?}"
        );
    }
}

#[test]
fn path_parameters_stand_behind_the_body_with_their_lengths() {
    let mut record = request(&Method::GET, None, &HeaderMap::new(), &[Bytes::from_static(b"body")]);
    let behind = record.len();
    let mut params = Vec::new();
    let values: [Option<&str>; 3] = [Some("7"), None, Some("\u{e9}")];
    write_params(&mut params, 3, values.into_iter(), |out, value| {
        out.extend_from_slice(value.as_bytes());
        !value.is_ascii()
    });
    let found = FoundInRequest {
        param_count: 3,
        flags: FLAG_QUERY_PARSED,
        bytes: &params,
    };
    add_found(&mut record, 0, found);
    assert_eq!(get_u16(&record, REQUEST_PARAM_COUNT), Some(3));
    assert_eq!(record[REQUEST_FLAGS], FLAG_HTTP_10 | FLAG_QUERY_PARSED);
    assert_eq!(get_u32(&record, REQUEST_LENGTH), Some(record.len()));
    assert_eq!(get_u32(&record, behind), Some(3 * 4 + 3));
    let lengths = [1, PARAM_ABSENT, 2 | PARAM_NOT_ASCII].map(|length: u32| Some(length as usize));
    let at = behind + PARSED_HEAD_SIZE;
    assert_eq!([0, 4, 8].map(|n| get_u32(&record, at + n)), lengths);
    assert_eq!(&record[at + 12..at + 15], b"7\xc3\xa9");
}

proptest! {
    #[test]
    fn a_template_writes_what_the_writer_writes(
        fields in proptest::collection::vec(("[a-z]{1,20}", "[ -~]{0,30}"), 0..8),
        lines in proptest::collection::vec(("/[a-z]{0,20}", proptest::option::of("[a-z]{0,9}"), 1_u8..9, "[a-z]{0,20}"), 2),
        content_length in any::<bool>(),
        words in proptest::option::of(0_u8..3),
    ) {
        let found_bytes = vec![9; usize::from(words.unwrap_or(0)) * 8];
        let found = FoundInRequest {
            param_count: words.map_or(0, u16::from),
            flags: if words.is_some() { FLAG_FORM_PARSED } else { 0 },
            bytes: &found_bytes,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &fields {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        if content_length {
            headers.insert("content-length", HeaderValue::from_static("20"));
        }
        let records: Vec<_> = (1..).zip(&lines).map(|(exchange, (uri, query, method_id, body))| {
            let head = RequestHead {
                exchange,
                method_id: *method_id,
                method: "",
                flags: 0,
                uri: uri.as_bytes(),
                query: query.as_deref().map(str::as_bytes),
                server_name: "example.com",
                server_port: 8080,
                remote_addr: "127.0.0.1",
                endpoint: u32::from(*method_id),
            };
            let mut out = Vec::new();
            write_request(&mut out, &head, &headers, &[Bytes::from(body.clone())]);
            if exchange == 2 {
                add_found(&mut out, 0, found);
            }
            out
        }).collect();
        let template = RequestTemplate::of(&records[0]).unwrap();
        let (uri, query, method_id, body) = &lines[1];
        let mut out = vec![7; 8];
        let query = query.as_deref().map(str::as_bytes);
        template.write(&mut out, RepeatedRequest {
            exchange: 2,
            endpoint: u32::from(*method_id),
            method_id: *method_id,
            uri: uri.as_bytes(),
            query,
            body: body.as_bytes(),
            found,
        });
        prop_assert_eq!(&out[8..], &records[1][..]);
    }

    #[test]
    fn no_record_panics_a_template(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = RequestTemplate::of(&bytes);
    }

    #[test]
    fn no_outbox_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for command in Commands::new(&bytes.into()) {
            if let Ok(Command::Response(_, response)) = command {
                let response = response.copy();
                let _ = response.body();
                let _ = response.for_each_header(|_, _| ());
            }
        }
    }

    #[test]
    fn no_damaged_chunk_or_signal_panics(at in 0_usize..72, byte in any::<u8>(), cut in 0_usize..72) {
        let mut outbox = chunk(7, b"hello", true);
        outbox.extend(signal(8, SIGNAL_CREDIT, 1));
        let last = outbox.len() - 1;
        outbox[at.min(last)] = byte;
        outbox.truncate(outbox.len() - cut.min(last));
        for command in Commands::new(&outbox.into()) {
            let _ = command;
        }
    }

    #[test]
    fn no_damaged_command_panics(at in 0_usize..80, byte in any::<u8>(), cut in 0_usize..80) {
        let mut outbox = response(7, 200, &[(26, "", "text/plain"), (0, "X-A", "1")], Some(b"hello"));
        let last = outbox.len() - 1;
        outbox[at.min(last)] = byte;
        outbox.truncate(outbox.len() - cut.min(last));
        for command in Commands::new(&outbox.into()) {
            if let Ok(Command::Response(_, response)) = command {
                let response = response.copy();
                let _ = response.body();
                let _ = response.for_each_header(|_, _| ());
            }
        }
    }
}
