use super::*;

fn decode(pairs: &[(&str, &str)]) -> Result<Options, OptionError> {
    let mut text = String::from("event-loops\x002\0");
    for (name, value) in pairs {
        text.push_str(&format!("{name}\0{value}\0"));
    }
    Options::decode(text.as_bytes())
}

#[test]
fn absent_options_have_the_defaults_of_the_table() {
    let options = decode(&[]).unwrap();
    assert_eq!(options.host, "::");
    assert_eq!(options.port, 8080);
    assert_eq!(options.route.max_body_bytes, 8 << 20);
    assert_eq!(options.server_header.unwrap(), "hinny");
    assert!(!options.route.on_loop);
    assert!(options.fast_lane);
}

#[test]
fn given_options_win() {
    let options = decode(&[
        ("port", "0"),
        ("server-header", ""),
        ("handler-mode", "inline"),
        ("http1-engine", "hyper"),
    ])
    .unwrap();
    assert_eq!(options.port, 0);
    assert_eq!(options.server_header, None);
    assert!(options.route.on_loop);
    assert!(!options.fast_lane);
}

#[test]
fn values_out_of_range_are_refused_with_the_range() {
    let table = [
        ("port", "65536", ":port must be an integer from 0 to 65535"),
        ("port", "x", ":port must be an integer from 0 to 65535"),
        (
            "max-head-bytes",
            "1023",
            ":max-head-bytes must be an integer from 1024 to 1048576",
        ),
    ];
    for (name, value, message) in table {
        assert_eq!(decode(&[(name, value)]).unwrap_err().0, message);
    }
}

#[test]
fn unknown_names_and_bad_header_values_are_refused() {
    assert_eq!(decode(&[("prot", "1")]).unwrap_err().0, "unknown option :prot");
    assert!(decode(&[("server-header", "a\r\nb")]).is_err());
}

#[test]
fn every_default_lies_in_its_range() {
    for spec in OPTIONS {
        if let (
            OptionKind::Integer { min, max } | OptionKind::IntegerOr { min, max, .. },
            OptionDefault::Integer(value),
        ) = (&spec.kind, &spec.default)
        {
            assert!((min..=max).contains(&value), "{}", spec.name);
        }
        if let (OptionKind::Keyword(keywords), OptionDefault::Keyword(value)) = (&spec.kind, &spec.default) {
            assert!(keywords.contains(value), "{}", spec.name);
        }
    }
}

#[test]
fn the_edn_table_names_every_option() {
    let edn = table_edn();
    for spec in OPTIONS {
        assert!(edn.contains(&format!(":name :{} ", spec.name)));
    }
    assert!(edn.contains(":default :cores}"));
}

#[test]
fn a_route_may_set_what_the_list_says_and_nothing_else() {
    for name in ROUTE_OPTIONS {
        assert!(spec(name).is_some(), "{name}");
    }
    let route = RouteOptions::decode(vec![("handler-mode", "inline"), ("max-body-bytes", "7")]).unwrap();
    assert!(route.on_loop);
    assert_eq!(route.max_body_bytes, 7);
    assert_eq!(
        RouteOptions {
            on_loop: false,
            max_body_bytes: decode(&[]).unwrap().route.max_body_bytes,
            ..route
        },
        decode(&[]).unwrap().route
    );
    assert_eq!(
        RouteOptions::decode(vec![("port", "1")]).unwrap_err().0,
        "a route cannot set :port"
    );
    assert!(RouteOptions::decode(vec![("handler-timeout-ms", "x")]).is_err());
}
