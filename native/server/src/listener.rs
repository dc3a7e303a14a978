//! Listening sockets: one per event loop, all on one address.
//!
//! # Invariants
//! - Unless the port may be shared, it belongs to this engine alone: the first socket is bound without `SO_REUSEPORT`,
//!   so that an address in use is an error even when its user shares ports; the option is set after that, for the
//!   sockets that follow. From then on the kernel would let a stranger with the option bind the port too, so there is a
//!   [`Claim`] before, and who shares a port looks for one.
//! - No connection that the kernel has completed is lost when a socket is closed in a drain: see [`stop_new`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixDatagram};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};

/// Connections that the kernel completes before they are accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// The system has no such family of addresses.
const EAFNOSUPPORT: i32 = 97;

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

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    /// That its port is not shared, for as long as one of the server's sockets is open.
    pub(crate) claim: Option<Arc<Claim>>,
}

impl Listener {
    /// The same socket, by another descriptor.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: self.socket.try_clone()?,
            claim: self.claim.clone(),
        })
    }
}

/// An address and what is bound to it.
type Bound = (SocketAddr, Vec<Listener>);

/// Binds `count` listening sockets to `host`. Port 0 takes a free port for all.
///
/// # Errors
/// The error of the system call that failed; [`io::ErrorKind::AddrInUse`] if somebody else listens there.
pub(crate) fn bind(host: &str, port: u16, count: usize, shared: bool) -> io::Result<Bound> {
    bind_one_of(&addresses(host, port)?, count, shared)
}

/// The addresses to try: the host's first one, IPv4 before IPv6 as the JVM has it, and IPv4's "every address" behind that of
/// IPv6, for a system that has no IPv6.
fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut found: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.truncate(1);
    if found
        .iter()
        .any(|address| address.is_ipv6() && address.ip().is_unspecified())
    {
        found.push((Ipv4Addr::UNSPECIFIED, port).into());
    }
    Ok(found)
}

/// Binds to the first of the addresses whose family the system has.
fn bind_one_of(addresses: &[SocketAddr], count: usize, shared: bool) -> io::Result<Bound> {
    let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "host has no address"));
    for address in addresses {
        result = bind_to(*address, count, shared);
        if !matches!(&result, Err(error) if is_family_missing(error)) {
            break;
        }
    }
    result
}

/// `EAFNOSUPPORT` of a kernel without IPv6, `EADDRNOTAVAIL` of one in which it is switched off.
fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EAFNOSUPPORT) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn bind_to(address: SocketAddr, count: usize, shared: bool) -> io::Result<Bound> {
    let first = socket(address)?;
    first.set_reuse_port(shared)?;
    first.bind(&address.into())?;
    let address = first
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::other("bound to no internet address"))?;
    let claim = if shared { None } else { Claim::stake(address) }.map(Arc::new);
    first.set_reuse_port(shared || count > 1)?;
    let mut sockets = vec![first];
    for _ in 1..count {
        let next = socket(address)?;
        next.set_reuse_port(true)?;
        next.bind(&address.into())?;
        sockets.push(next);
    }
    if shared && Claim::covers(address) {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    for socket in &sockets {
        socket.listen(BACKLOG)?;
    }
    let listeners = sockets.into_iter().map(|socket| Listener {
        socket: socket.into(),
        claim: claim.clone(),
    });
    Ok((address, listeners.collect()))
}

/// Says to other servers that a port is not shared, for as long as it lives: a datagram socket with a name in Linux's abstract
/// namespace. That belongs to the same network namespace as the port, and goes with the process.
#[derive(Debug)]
pub(crate) struct Claim(#[expect(dead_code, reason = "what matters is that it is open")] UnixDatagram);

impl Claim {
    /// `None` where a system (or its sandbox) gives no such socket: then only a server that does not share is kept away.
    fn stake(address: SocketAddr) -> Option<Self> {
        let name = Self::name(address).ok()?;
        UnixDatagram::bind_addr(&name).ok().map(Self)
    }

    /// Whether the connections to `address` are somebody's who does not share them.
    fn covers(address: SocketAddr) -> bool {
        let every = |ip: IpAddr| SocketAddr::new(ip, address.port());
        let mut claimable = vec![address, every(Ipv6Addr::UNSPECIFIED.into())];
        if address.is_ipv4() || address.ip().is_unspecified() {
            claimable.push(every(Ipv4Addr::UNSPECIFIED.into()));
        }
        claimable
            .into_iter()
            .any(|claimed| Self::is_staked(claimed).unwrap_or(false))
    }

    fn is_staked(address: SocketAddr) -> io::Result<bool> {
        let name = Self::name(address)?;
        Ok(UnixDatagram::unbound()?.connect_addr(&name).is_ok())
    }

    fn name(address: SocketAddr) -> io::Result<unix::SocketAddr> {
        unix::SocketAddr::from_abstract_name(format!("hinny/not-shared/{address}"))
    }
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // IPv6's "every address" is IPv4's too, whatever the system's default.
        socket.set_only_v6(false)?;
    }
    // A restarted server may take its port while connections of the last one linger in TIME_WAIT.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
