//! The four steps that make a server, each a call of its own: socket, bind, listen, accept.
//! (`std::net::TcpListener::bind` is the first three in one.)

use std::io;
use std::net::ToSocketAddrs;
use std::thread;

use nix::errno::Errno;
use nix::libc::SOMAXCONN;
use socket2::{Domain, Socket, Type};

use crate::client::Client;
use crate::threads::Threads;
use crate::{failed, report};

/// Steps one to three.
pub(crate) fn listen(addr: &str) -> io::Result<Socket> {
    let address = addr
        .to_socket_addrs()
        .and_then(|mut found| found.next().ok_or(io::ErrorKind::NotFound.into()))
        .map_err(failed(format!("resolve {addr}")))?;
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, None).map_err(failed("socket"))?;
    // A connection that the server closed first keeps the port for a minute (TIME_WAIT, tcp(7)), and
    // a restart would fail: "Address already in use". std sets this by itself, socket2 does not.
    socket.set_reuse_address(true).map_err(failed("setsockopt SO_REUSEADDR"))?;
    socket.bind(&address.into()).map_err(failed(format!("bind {address}")))?;
    socket.listen(SOMAXCONN).map_err(failed(format!("listen {address}")))?;
    Ok(socket)
}

/// Step four: takes a client out of the backlog, or reports why there is none after all.
pub(crate) fn accept(listener: &Socket, threads: &Threads) -> io::Result<Option<Client>> {
    let running = threads.running(); // asked first: one that ends from now on makes room
    match listener.accept() {
        Ok((socket, peer)) => {
            let peer = peer.as_socket().expect("the peer of a TCP socket has an IP address");
            return Ok(Some(Client { stream: socket.into(), peer }));
        }
        // No room for another. The client stays in the backlog, so to try again at once would be a
        // busy loop; sleep until a thread ends. One that ended just now isn't missed: see unpark.
        Err(why) if is_shortage(&why) && running > 0 => {
            report(format_args!("accept: {why}"));
            thread::park();
        }
        Err(why) if is_shortage(&why) => return Err(failed("accept")(why)),
        // All else is the fault of one connection, which has gone again: accept(2), "Error handling".
        Err(why) => report(format_args!("accept: {why}")),
    }
    Ok(None)
}

fn is_shortage(why: &io::Error) -> bool {
    let errno = Errno::from_raw(why.raw_os_error().unwrap_or_default());
    matches!(errno, Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)
}
