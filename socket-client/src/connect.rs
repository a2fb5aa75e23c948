//! Two ways to a connection. `strace -e trace=network` shows the same calls for both.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::failed;

/// The long way, one call after the other: `socket.socket()` and `sock.connect(address)`.
pub(crate) fn step_by_step(addr: &str, limit: Option<Duration>) -> io::Result<TcpStream> {
    first_of(addr, |address| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        match limit {
            None => socket.connect(&address.into())?,
            Some(limit) => socket.connect_timeout(&address.into(), limit)?,
        }
        Ok(socket.into()) // the same descriptor, now with `write_all`
    })
}

/// The short way: `socket.create_connection(address, timeout)`.
pub(crate) fn at_once(addr: &str, limit: Option<Duration>) -> io::Result<TcpStream> {
    first_of(addr, |address| match limit {
        None => TcpStream::connect(address),
        Some(limit) => TcpStream::connect_timeout(&address, limit),
    })
}

/// A name may stand for several addresses (`localhost` is often `::1` and `127.0.0.1`): tries one
/// after the other, as `create_connection` does, and returns the error of the last.
fn first_of(
    addr: &str,
    connect: impl Fn(SocketAddr) -> io::Result<TcpStream>,
) -> io::Result<TcpStream> {
    let mut done = Err(io::ErrorKind::NotFound.into());
    for address in addr.to_socket_addrs().map_err(failed(format!("resolve {addr}")))? {
        done = connect(address).map_err(failed(format!("connect {address}")));
        if done.is_ok() {
            break;
        }
    }
    done
}
