//! A client of `socket-server`, of which the threads that serve it know no more than this.

use std::io;
use std::net::SocketAddr;

use socket2::Socket;

use crate::stop::Stop;

/// Who finds that stdout is full.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) fails: Option<u16>,
}

/// A client, connected.
pub(crate) struct Client {
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(crate) stream: Socket,
    pub(crate) peer: SocketAddr,
}

impl Client {
    /// Serves it, and closes its connection.
    pub(crate) fn serve(self, options: &Options, _: &Stop) -> io::Result<()> {
        if options.fails == Some(self.peer.port()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}
