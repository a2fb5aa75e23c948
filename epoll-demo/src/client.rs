//! One connection: what there is to remember of a client between two events, in 24 bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use socket2::SockRef;

use crate::decoder::Decoder;
use crate::failed;

const PING: usize = 4;
/// All that a client may be owed. We never send anything else, so what it is owed are always the
/// last bytes of these, and their number is the whole out-buffer. (A server with more to say keeps
/// a queue of bytes for each client.)
static PINGS: [[u8; PING]; 1024] = [*b"ping"; 1024];

/// A client that has been let in.
pub(crate) struct Client {
    stream: TcpStream,
    decoder: Decoder,
    owed: usize, // bytes
    watched: EpollFlags,
    open: bool,  // it may still send
    hears: bool, // it can still be sent to
}

const _: () = assert!(size_of::<Option<Client>>() <= 24, "each connection takes as much");

impl Client {
    /// It is owed a greeting, and so it is watched for both, as in the note.
    pub(crate) fn new(stream: TcpStream, epoll: &Epoll, key: u64) -> io::Result<Client> {
        // That a descriptor is ready does not promise that a call will not block (select(2), BUGS),
        // and one call that blocks stops everybody.
        stream.set_nonblocking(true).map_err(failed("FIONBIO"))?;
        let watched = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
        epoll.add(&stream, EpollEvent::new(watched, key)).map_err(failed("epoll_ctl"))?;
        let decoder = Decoder::default();
        Ok(Client { stream, decoder, owed: PING, watched, open: true, hears: true })
    }

    /// Reads a chunk, for which it is owed a ping, and appends its characters to `line`. Returns the
    /// number of bytes; 0: there are none now, or no more will come.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], line: &mut String) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(received @ 1..) => {
                self.decoder.decode(&buffer[..received], line);
                self.owe();
                Ok(received)
            }
            Err(why) if why.kind() == ErrorKind::WouldBlock => Ok(0),
            // It sends no more. It may have closed one direction only (half-close), so it still gets
            // what it is owed; if it is gone altogether, `send` will be told.
            Ok(_) => {
                self.end(line);
                Ok(0)
            }
            Err(why) => {
                self.end(line);
                self.owed = 0;
                Err(failed("recv")(why))
            }
        }
    }

    /// No more is read from it. A character that it has not finished is none.
    pub(crate) fn end(&mut self, line: &mut String) {
        self.open = false;
        self.decoder.finish(line);
    }

    /// One more ping to be sent.
    pub(crate) fn owe(&mut self) {
        if self.open && self.hears && self.has_room() {
            self.owed += PING;
        }
    }

    /// Sends what it is owed, or as much of that as the system takes now. The rest stays owed.
    pub(crate) fn send(&mut self) -> io::Result<()> {
        let pings = PINGS.as_flattened();
        match self.stream.write(&pings[pings.len() - self.owed..]) {
            Ok(sent) => self.owed -= sent,
            Err(why) if why.kind() == ErrorKind::WouldBlock => {}
            // It has gone without reading its pings. What it had sent may still have to be read: so
            // this is not yet its end.
            Err(why) => {
                self.hears = false;
                self.owed = 0;
                return Err(failed("send")(why));
            }
        }
        Ok(())
    }

    /// Tells the epoll what it is to be watched for from now on, if that has changed.
    ///
    /// - `EPOLLOUT` only while it is owed something: a socket is nearly always writable, so this
    ///   would wake us without end.
    /// - `EPOLLIN` until its end of file, after which it is readable without end; and only while it
    ///   can be owed more. One that doesn't take its pings isn't listened to either, until it does:
    ///   back-pressure. Its bytes wait in the system, then at its own side; nobody else is held up.
    /// - `EPOLLHUP` and `EPOLLERR` come unasked. `EPOLLRDHUP` is not asked for: it says no more than
    ///   the read that returns 0, and would be said again and again while something is still owed.
    pub(crate) fn watch(&mut self, epoll: &Epoll, key: u64) -> io::Result<()> {
        let mut wanted = EpollFlags::empty();
        wanted.set(EpollFlags::EPOLLIN, self.open && self.has_room());
        wanted.set(EpollFlags::EPOLLOUT, self.is_owed());
        if wanted != self.watched {
            let mut event = EpollEvent::new(wanted, key);
            epoll.modify(&self.stream, &mut event).map_err(failed("epoll_ctl"))?;
            self.watched = wanted;
        }
        Ok(())
    }

    /// Takes it out of the epoll; then it can be closed, by dropping it. Closing alone would do as
    /// long as the socket has no second descriptor, made by `dup` or `fork` (epoll(7), Questions).
    pub(crate) fn leave(&self, epoll: &Epoll) -> io::Result<()> {
        epoll.delete(&self.stream).map_err(failed("epoll_ctl"))
    }

    /// Whether it is to be read from.
    pub(crate) fn is_read(&self) -> bool {
        self.watched.contains(EpollFlags::EPOLLIN)
    }

    /// Whether there is something to send to it.
    pub(crate) fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// Whether all has been received and sent.
    pub(crate) fn is_done(&self) -> bool {
        !self.open && self.owed == 0
    }

    /// How many bytes can have been received that have not been read.
    pub(crate) fn receive_buffer(&self) -> usize {
        SockRef::from(&self.stream).recv_buffer_size().unwrap_or(0)
    }

    fn has_room(&self) -> bool {
        self.owed + PING <= PINGS.as_flattened().len()
    }
}
