//! As much of socket2 as `socket-server` uses: a listener with clients in its backlog, and a table
//! that has room for so many descriptors.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// Relaxed: who sees that a descriptor has become free has to know it from somebody else.
struct Table {
    free: AtomicUsize,
    come: AtomicU16,
}

/// The listener, or a connection, which gives its place back when it is dropped.
pub struct Socket {
    table: Arc<Table>,
    connection: bool,
}

/// `socket2::SockAddr`.
pub struct SockAddr(SocketAddr);

/// `socket2::Domain`.
pub struct Domain;

/// `socket2::Type`.
pub struct Type;

impl Socket {
    /// Listens, where there is room for so many connections.
    pub fn with_room_for(connections: usize) -> Self {
        let free = AtomicUsize::new(connections);
        let table = Arc::new(Table { free, come: AtomicU16::new(0) });
        Self { table, connection: false }
    }

    /// The next client, from port 1, 2, …; or the system's words when there is no room.
    pub fn accept(&self) -> io::Result<(Self, SockAddr)> {
        if self.table.free.load(Ordering::Relaxed) == 0 {
            return Err(io::Error::from_raw_os_error(EMFILE));
        }
        self.table.free.fetch_sub(1, Ordering::Relaxed);
        let port = 1 + self.table.come.fetch_add(1, Ordering::Relaxed);
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok((Self { table: self.table.clone(), connection: true }, SockAddr(peer)))
    }

    /// As if there were one already.
    pub fn new(_: Domain, _: Type, _: Option<()>) -> io::Result<Self> {
        Ok(Self::with_room_for(usize::MAX))
    }

    /// Nothing to be done.
    pub fn set_reuse_address(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    /// Nothing to be done.
    pub fn bind(&self, _: &SockAddr) -> io::Result<()> {
        Ok(())
    }

    /// Nothing to be done.
    pub fn listen(&self, _: i32) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection {
            self.table.free.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Domain {
    /// The same for all.
    pub fn for_address(_: SocketAddr) -> Self {
        Self
    }
}

impl Type {
    /// `SOCK_STREAM`.
    pub const STREAM: Self = Self;
}

impl SockAddr {
    /// Whose it is.
    pub fn as_socket(&self) -> Option<SocketAddr> {
        Some(self.0)
    }
}

impl From<SocketAddr> for SockAddr {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

/// `EMFILE` of Linux: too many open files.
const EMFILE: i32 = 24;
