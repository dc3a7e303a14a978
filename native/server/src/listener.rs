//! Listening sockets: one per event loop, all on one address.
//!
//! # Invariants
//! - Unless the port may be shared, it belongs to this engine alone: the first socket is bound without `SO_REUSEPORT`,
//!   so that an address in use is an error even when its user shares ports; the option is set after that, for the
//!   sockets that follow.
//! - No connection that the kernel has completed is lost when a socket is closed in a drain: see [`stop_new`].

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};

/// Connections that the kernel completes before they are accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Where the flags of a TCP segment are, and its SYN flag (RFC 9293 §3.1).
const TCP_FLAGS: u32 = 13;
const TCP_SYN: u32 = 2;

// Classic BPF (Linux: filter.h, bpf_common.h): load a byte at an offset; jump if bits are set; return.
const LOAD_BYTE: u16 = 0x30;
const JUMP_IF_SET: u16 = 0x45;
const RETURN: u16 = 0x06;
const DROP: u32 = 0;
const KEEP: u32 = u32::MAX;

/// Makes the kernel drop what would open a new connection on `listener`. A client's kernel sends it again within a
/// second, and then another socket on the port takes it. So the socket can be closed without a reset for anybody, when
/// the connections that were begun before have been accepted.
///
/// # Errors
/// That of the system call.
pub(crate) fn stop_new(listener: &impl AsFd) -> io::Result<()> {
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, TCP_FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, TCP_SYN),
        SockFilter::new(RETURN, 0, 0, DROP),
        SockFilter::new(RETURN, 0, 0, KEEP),
    ])
}

/// Takes a connection that the kernel has completed, whether or not the runtime has heard of it.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if there is none.
pub(crate) fn accept_now(listener: &impl AsFd) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = SockRef::from(listener).accept()?;
    stream.set_nonblocking(true)?;
    let peer = peer
        .as_socket()
        .ok_or_else(|| io::Error::other("peer has no internet address"))?;
    Ok((stream.into(), peer))
}

/// Resolves `host` and binds `count` listening sockets to its first address. Port 0 takes a free port for all.
///
/// # Errors
/// The error of the system call that failed; [`io::ErrorKind::AddrInUse`] if somebody else listens there.
pub(crate) fn bind(host: &str, port: u16, count: usize, shared: bool) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let address = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "host has no address"))?;
    let first = socket(address)?;
    first.set_reuse_port(shared)?;
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
        let (address, sockets) = bind("127.0.0.1", 0, 3, false).unwrap();
        assert_ne!(address.port(), 0);
        for socket in &sockets {
            assert_eq!(socket.local_addr().unwrap(), address);
        }
    }

    #[test]
    fn a_port_in_use_is_refused_even_if_its_user_shares_ports() {
        let (address, _sockets) = bind("127.0.0.1", 0, 2, false).unwrap();
        let error = bind("127.0.0.1", address.port(), 2, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = bind("127.0.0.1", plain.local_addr().unwrap().port(), 1, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_shared_port_can_be_bound_by_all_who_share_it_and_by_nobody_else() {
        let (address, _sockets) = bind("127.0.0.1", 0, 2, true).unwrap();
        assert!(bind("127.0.0.1", address.port(), 2, true).is_ok());
        let error = bind("127.0.0.1", address.port(), 2, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_released_port_can_be_bound_again_at_once() {
        let (address, sockets) = bind("127.0.0.1", 0, 2, false).unwrap();
        drop(sockets);
        assert!(bind("127.0.0.1", address.port(), 2, false).is_ok());
    }
}
