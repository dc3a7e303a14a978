//! Listening sockets: one per event loop, all on one address.
//!
//! # Invariants
//! - The port belongs to this engine alone: the first socket is bound without `SO_REUSEPORT`, so that an address in use
//!   is an error even when its user shares ports; the option is set after that, for the sockets that follow.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel completes before they are accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Resolves `host` and binds `count` listening sockets to its first address. Port 0 takes a free port for all.
///
/// # Errors
/// The error of the system call that failed; [`io::ErrorKind::AddrInUse`] if somebody else listens there.
pub(crate) fn bind(host: &str, port: u16, count: usize) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let address = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "host has no address"))?;
    let first = socket(address)?;
    first.bind(&address.into())?;
    first.set_reuse_port(true)?;
    let bound = first
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::other("bound to no internet address"))?;
    let mut sockets = vec![first];
    for _ in 1..count {
        let next = socket(bound)?;
        next.set_reuse_port(true)?;
        next.bind(&bound.into())?;
        sockets.push(next);
    }
    for socket in &sockets {
        socket.listen(BACKLOG)?;
    }
    Ok((bound, sockets.into_iter().map(TcpListener::from).collect()))
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // A restarted server may take its port while connections of the last one linger in TIME_WAIT.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sockets_share_one_free_port() {
        let (address, sockets) = bind("127.0.0.1", 0, 3).unwrap();
        assert_ne!(address.port(), 0);
        for socket in &sockets {
            assert_eq!(socket.local_addr().unwrap(), address);
        }
    }

    #[test]
    fn a_port_in_use_is_refused_even_if_its_user_shares_ports() {
        let (address, _sockets) = bind("127.0.0.1", 0, 2).unwrap();
        let error = bind("127.0.0.1", address.port(), 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = bind("127.0.0.1", plain.local_addr().unwrap().port(), 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_released_port_can_be_bound_again_at_once() {
        let (address, sockets) = bind("127.0.0.1", 0, 2).unwrap();
        drop(sockets);
        assert!(bind("127.0.0.1", address.port(), 2).is_ok());
    }
}
