//! Where clients come in: the steps from a socket to a port that one can connect to, and what to do
//! when there is no descriptor for another client.

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Socket, Type};

use crate::{Options, failed, say};

/// By this its events are known; those of a client, by the client's descriptor.
pub(crate) const LISTENER: u64 = u64::MAX;

/// The listening socket.
pub(crate) struct Listener {
    /// With the real port where 0 was asked for.
    pub(crate) address: SocketAddr,
    socket: Option<Socket>, // closed when the last of `--connections` has come
    to_come: u64,
    paused: bool,
    told: bool,
}

impl Listener {
    /// Listens at the address, for so many connections if there is a number, and has the epoll say
    /// when somebody comes.
    pub(crate) fn new(options: &Options, epoll: &Epoll) -> io::Result<Listener> {
        // As long a queue as the system allows (listen(2): up to net.core.somaxconn). The note's
        // `listen()` means 128; when more than that come at once, the rest try again in a second.
        const BACKLOG: i32 = 4096;
        // What a client does not read waits in the system's memory, up to 4 MiB for each (tcp(7),
        // tcp_wmem). This will do for pings; accepted sockets inherit it.
        const SEND_BUFFER: usize = 16 * 1024;

        let address = options.address.to_socket_addrs();
        let address = address
            .and_then(|mut found| found.next().ok_or(ErrorKind::NotFound.into()))
            .map_err(failed(format_args!("resolve {}", options.address)))?;
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, None).map_err(failed("socket"))?;
        // Or the port would be taken for a minute after an end with clients connected (TIME_WAIT).
        socket.set_reuse_address(true).map_err(failed("SO_REUSEADDR"))?;
        socket.set_send_buffer_size(SEND_BUFFER).map_err(failed("SO_SNDBUF"))?;
        // Whoever has come may be gone when we accept, which would then wait for somebody else.
        socket.set_nonblocking(true).map_err(failed("O_NONBLOCK"))?;
        socket.bind(&address.into()).map_err(failed(format_args!("bind {address}")))?;
        socket.listen(BACKLOG).map_err(failed(format_args!("listen {address}")))?;

        let local = socket.local_addr().map_err(failed("getsockname"))?;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, LISTENER);
        epoll.add(&socket, event).map_err(failed("epoll_ctl"))?;
        Ok(Listener {
            address: local.as_socket().unwrap_or(address),
            socket: Some(socket),
            to_come: options.connections.unwrap_or(u64::MAX),
            paused: false,
            told: false,
        })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.socket.is_some()
    }

    /// The next client, if there is one that can be let in. One for each event: if more wait, the
    /// next `epoll_wait` says so, and the clients that are in have their turn in between.
    pub(crate) fn accept(&mut self, epoll: &Epoll) -> io::Result<Option<TcpStream>> {
        let Some(socket) = &self.socket else {
            return Ok(None);
        };
        match socket.accept() {
            Ok((client, _)) => {
                self.to_come -= 1;
                if self.to_come == 0 {
                    self.socket = None; // whoever still comes is refused by the system
                }
                Ok(Some(client.into()))
            }
            Err(why) if why.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(why) if why.kind() == ErrorKind::ConnectionAborted => Ok(None), // gone again
            // Most likely EMFILE: no descriptor is free. The client waits on, and the listener stays
            // ready: if watched, it would wake us without end for what we can't do.
            Err(why) => {
                if !self.told {
                    say(format_args!("epoll-demo: accept: {why}: others wait until a client goes"));
                    self.told = true;
                }
                self.paused = true;
                self.watch(epoll, EpollFlags::empty())?;
                Ok(None)
            }
        }
    }

    /// Tries again, where it has given up for a while.
    pub(crate) fn resume(&mut self, epoll: &Epoll) -> io::Result<()> {
        if mem::take(&mut self.paused) {
            return self.watch(epoll, EpollFlags::EPOLLIN);
        }
        Ok(())
    }

    /// How long to wait for events: without limit, so that nothing wakes us while nothing happens.
    /// But where the whole system is out of descriptors (ENFILE), not only clients of ours can
    /// give one back: then it's worth a try each second.
    pub(crate) fn patience(&self) -> EpollTimeout {
        const RETRY: u16 = 1000; // milliseconds
        if self.paused { RETRY.into() } else { EpollTimeout::NONE }
    }

    fn watch(&self, epoll: &Epoll, wanted: EpollFlags) -> io::Result<()> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        let mut event = EpollEvent::new(wanted, LISTENER);
        epoll.modify(socket, &mut event).map_err(failed("epoll_ctl"))
    }
}
