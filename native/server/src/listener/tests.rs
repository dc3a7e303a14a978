use super::*;

fn refusal(address: SocketAddr, count: usize, shared: bool) -> Option<io::ErrorKind> {
    bind_to(address, count, shared).err().map(|error| error.kind())
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn all_sockets_share_one_free_port() {
    let (bound, listeners) = bind("127.0.0.1", 0, 3, false).unwrap();
    assert_ne!(bound.port(), 0);
    for listener in &listeners {
        assert_eq!(listener.socket.local_addr().unwrap(), bound);
    }
}

#[test]
fn a_port_in_use_is_refused_even_if_its_user_shares_ports() {
    let (bound, _listeners) = bind("127.0.0.1", 0, 2, false).unwrap();
    assert_eq!(refusal(bound, 2, false), Some(io::ErrorKind::AddrInUse));
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = plain.local_addr().unwrap();
    assert_eq!(refusal(taken, 1, false), Some(io::ErrorKind::AddrInUse));
    assert_eq!(refusal(taken, 1, true), Some(io::ErrorKind::AddrInUse));
}

#[test]
fn a_shared_port_can_be_bound_by_all_who_share_it_and_by_nobody_else() {
    let (bound, _listeners) = bind("127.0.0.1", 0, 2, true).unwrap();
    assert_eq!(refusal(bound, 2, true), None);
    assert_eq!(refusal(bound, 2, false), Some(io::ErrorKind::AddrInUse));
}

#[test]
fn a_port_that_its_owner_does_not_share_is_refused_to_those_who_would() {
    for (owner, count) in [("127.0.0.1", 1), ("127.0.0.1", 2), ("0.0.0.0", 2), ("::", 2), ("::", 1)] {
        let (bound, listeners) = bind(owner, 0, count, false).unwrap();
        let port = bound.port();
        for stranger in [bound, ([127, 0, 0, 1], port).into()] {
            let refused = refusal(stranger, 2, true);
            assert_eq!(refused, Some(io::ErrorKind::AddrInUse), "{owner} {count} {stranger}");
        }
        drop(listeners);
        assert_eq!(refusal(([127, 0, 0, 1], port).into(), 2, true), None, "{owner} {count}");
    }
}

#[test]
fn a_port_of_another_address_is_nobody_elses() {
    let (bound, _listeners) = bind("127.0.0.1", 0, 2, false).unwrap();
    let port = bound.port();
    for (other, shared) in [("127.0.0.2", true), ("127.0.0.2", false), ("::1", true), ("::1", false)] {
        let other = SocketAddr::new(other.parse().unwrap(), port);
        assert_eq!(refusal(other, 2, shared), None, "{other} {shared}");
    }
}

#[test]
fn a_released_port_can_be_bound_again_at_once() {
    let (bound, listeners) = bind("127.0.0.1", 0, 2, false).unwrap();
    drop(listeners);
    assert_eq!(refusal(bound, 2, false), None);
}

#[test]
fn every_address_is_that_of_ipv6_and_of_ipv4() {
    let (bound, _listeners) = bind("::", 0, 2, false).unwrap();
    let port = bound.port();
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok());
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    let (bound, _listeners) = bind("0.0.0.0", 0, 2, false).unwrap();
    let port = bound.port();
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_err());
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
}

#[test]
fn every_address_is_that_of_ipv4_where_there_is_no_ipv6() {
    assert_eq!(addresses("::", 1).unwrap(), [address("[::]:1"), address("0.0.0.0:1")]);
    assert_eq!(addresses("::1", 1).unwrap(), [address("[::1]:1")]);
    assert_eq!(addresses("0.0.0.0", 1).unwrap(), [address("0.0.0.0:1")]);
    // An address of documents, which no system has (RFC 3849), stands for those of a family that is not there.
    let missing = address("[2001:db8::1]:0");
    assert!(is_family_missing(&bind_one_of(&[missing], 1, false).unwrap_err()));
    let (bound, _listeners) = bind_one_of(&[missing, address("127.0.0.1:0")], 1, false).unwrap();
    assert_eq!(bound.ip(), Ipv4Addr::LOCALHOST);
    assert!(is_family_missing(&io::Error::from_raw_os_error(EAFNOSUPPORT)));
    let error = bind_one_of(&[bound, address("127.0.0.1:0")], 1, false).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn a_name_with_addresses_of_both_families_is_that_of_ipv4() {
    assert_eq!(addresses("localhost", 1).unwrap(), [address("127.0.0.1:1")]);
}
