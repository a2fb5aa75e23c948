//! The other side of a connection: a client that behaves, or misbehaves, as a check wants it to.
//!
//! Every call has a deadline: a program under examination may never answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use socket2::{Domain, SockRef, Socket, Type};

use super::common::some;
use crate::exam::{Exam, SOON, Trouble, fail};
use crate::run::{Line, Live, Spec, State, Stream, kernel};

/// A connection.
pub struct Peer {
    stream: TcpStream,
    /// All that has come through it so far.
    pub received: Vec<u8>,
}

/// How the other side ended the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closed {
    /// In order: everything that it sent has come.
    Fin,
    /// By a reset: something was lost, or the process did not close the socket in order.
    Reset,
    /// Not at all in the time it had.
    Open,
}

impl Peer {
    /// Connects to a server.
    pub fn connect(address: SocketAddr) -> Result<Peer, Trouble> {
        match TcpStream::connect_timeout(&address, SOON) {
            Ok(stream) => Ok(Peer::new(stream)?),
            Err(error) => fail(format!("a connection to {address}"), error.to_string()),
        }
    }

    /// Connects to a server, and lets the system keep as little as it can for this connection, so
    /// that it is soon full in both directions. How much the server's side keeps depends on the
    /// size of a segment, too (and on its congestion control: with BBR it may still be megabytes).
    pub fn connect_small(address: SocketAddr) -> Result<Peer, Trouble> {
        const LITTLE: usize = 4096;
        const SEGMENT: u32 = 536;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_recv_buffer_size(LITTLE)?;
        socket.set_send_buffer_size(LITTLE)?;
        socket.set_tcp_mss(SEGMENT)?;
        match socket.connect_timeout(&address.into(), SOON) {
            Ok(()) => Ok(Peer::new(socket.into())?),
            Err(error) => fail(format!("a connection to {address}"), error.to_string()),
        }
    }

    fn new(stream: TcpStream) -> std::io::Result<Peer> {
        stream.set_nodelay(true)?; // what is sent in pieces should come in pieces
        stream.set_write_timeout(Some(SOON))?;
        Ok(Peer { stream, received: Vec::new() })
    }

    /// The other side's port.
    pub fn far_port(&self) -> u16 {
        self.stream.peer_addr().map_or(0, |address| address.port())
    }

    /// Sends all of it; a server that has closed the connection meanwhile is not an error here.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends as much as the other side takes within this time, and says how much that was.
    pub fn send_for(&mut self, time: Duration, bytes: &[u8]) -> usize {
        let end = Instant::now() + time;
        let mut sent = 0;
        let _ = self.stream.set_nonblocking(true);
        while sent < bytes.len() && Instant::now() < end {
            match self.stream.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(_) => break,
            }
        }
        let _ = self.stream.set_nonblocking(false);
        sent
    }

    /// Reads until `enough` is satisfied, at most for `time`; whether it was.
    pub fn read_until(&mut self, time: Duration, enough: impl Fn(&[u8]) -> bool) -> bool {
        let end = Instant::now() + time;
        let mut buffer = [0; 16 << 10];
        while !enough(&self.received) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let _ = self.stream.set_read_timeout(Some(left));
            match self.stream.read(&mut buffer) {
                Ok(0) => return enough(&self.received),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return enough(&self.received),
            }
        }
        true
    }

    /// Reads to the end of the stream, at most for `time`, a little at a time.
    pub fn read_to_end(&mut self, time: Duration) -> Closed {
        let end = Instant::now() + time;
        let mut buffer = [0; 16 << 10];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Closed::Open;
            }
            let _ = self.stream.set_read_timeout(Some(left));
            match self.stream.read(&mut buffer) {
                Ok(0) => return Closed::Fin,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Closed::Reset,
            }
        }
    }

    /// Has the system keep much of what comes: from now on it is to go fast.
    pub fn widen(&self) {
        let _ = SockRef::from(&self.stream).set_recv_buffer_size(1 << 20);
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub fn half_close(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Goes away rudely: the other side gets a reset (`SO_LINGER` of zero, socket(7)).
    pub fn reset(self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

/// A server of our own, for a client under examination.
pub struct Host {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Host {
    /// Listens at an address of its own, and lets the system keep as little as it can for what
    /// comes and is not read.
    pub fn small() -> Result<Host, Trouble> {
        let host = Host::new()?;
        let socket = SockRef::from(&host.listener); // what it accepts inherits both
        socket.set_recv_buffer_size(4096)?;
        socket.set_tcp_mss(1024)?;
        Ok(host)
    }

    /// Listens at an address of its own.
    pub fn new() -> Result<Host, Trouble> {
        let wanted = Exam::address(10001);
        let listener = TcpListener::bind(wanted)
            .or_else(|_| TcpListener::bind((wanted.ip(), 0)))
            .context("listen")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Host { listener, address })
    }

    /// The next client, if one comes in this time.
    pub fn accept(&self, time: Duration) -> Result<Option<Peer>, Trouble> {
        let end = Instant::now() + time;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(Some(Peer::new(stream)?));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if Instant::now() >= end {
                        return Ok(None);
                    }
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Starts a server at an address of its own; returns when the kernel shows that it listens there.
pub fn serve(exam: &mut Exam, port: u16, more: &[&str]) -> Result<(Live, SocketAddr), Trouble> {
    let address = Exam::address(port);
    // Somebody else's server on all addresses would be in the way of the note's own port.
    let address = match TcpListener::bind(address) {
        Ok(_) => address,
        Err(_) => SocketAddr::new(address.ip(), 0),
    };
    serve_at(exam, address, more)
}

/// The same at this very address.
pub fn serve_at(
    exam: &mut Exam,
    address: SocketAddr,
    more: &[&str],
) -> Result<(Live, SocketAddr), Trouble> {
    let mut arguments = vec![address.to_string()];
    arguments.extend(more.iter().map(|word| (*word).to_string()));
    // Nobody asks who printed a line, and some checks make them print very many.
    let spec = Spec { unattributed: true, ..exam.spec(&arguments) };
    let live = exam.start(spec)?;
    let listens = live.poll(SOON, || {
        let listening = kernel::listening(&live.log.lock());
        let here = |at: &SocketAddr| {
            (at.ip() == address.ip() || at.ip().is_unspecified())
                && (at.port() == address.port() || address.port() == 0)
        };
        listening.into_iter().find(here).map(|at| SocketAddr::new(address.ip(), at.port()))
    });
    if let Some(address) = listens {
        return Ok((live, address));
    }
    // Asked before we end it ourselves.
    let ended = live.log.lock().ended;
    let elsewhere = kernel::listening(&live.log.lock());
    let how = match (ended, elsewhere.first()) {
        (Some(ending), _) => format!("it ended: {ending}"),
        (None, Some(at)) => format!("it listens at {at}"),
        (None, None) => format!("it listens nowhere after {} seconds", SOON.as_secs()),
    };
    let state = live.end();
    let said: Vec<_> = state.lines_of(Stream::Stderr).map(Line::text).collect();
    let said = if said.is_empty() { String::new() } else { format!("; it said: {}", some(&said)) };
    fail(format!("the program listens at {address}"), format!("{how}{said}"))
}

/// What has become of the program, to be put after what was seen of it: nothing if it still runs.
pub fn fate(live: &Live) -> String {
    // Its end comes a moment after that of its connections.
    let ended = live.poll(Duration::from_millis(50), || live.log.lock().ended);
    let state = live.log.lock();
    let said = state.lines_of(Stream::Stderr).last().map(Line::text).unwrap_or_default();
    match (state.cut, ended) {
        (Some(cut), _) => format!("; the program had been ended: {cut}"),
        (None, Some(ending)) => format!("; the program had ended: {ending}, '{said}'"),
        (None, None) => String::new(),
    }
}

/// A connection to a server that is running; if there is none, what became of it.
pub fn connect(live: &Live, address: SocketAddr) -> Result<Peer, Trouble> {
    Peer::connect(address).map_err(|trouble| match trouble {
        Trouble::Fail { expected, saw } => {
            Trouble::Fail { expected, saw: vec![saw.concat() + &fate(live)] }
        }
        other => other,
    })
}

/// Waits until the program sleeps. A signal that comes while it is on its way to sleep is missed
/// by many that would see it a moment later or earlier; that is not what is examined.
pub fn settle(live: &Live) {
    let pid = live.pid();
    live.poll(Duration::from_secs(1), || kernel::waits_for(pid, pid).map(drop));
}

/// Sends a word and then a signal, of which the program sees neither before the other: it is
/// stopped meanwhile.
pub fn word_and_signal(live: &Live, client: &mut Peer, word: &str, signal: Signal) {
    settle(live);
    live.signal(Signal::SIGSTOP);
    live.poll(SOON, || kernel::stopped(live.pid()).then_some(()));
    client.send(word.as_bytes());
    live.signal(signal);
    live.signal(Signal::SIGCONT);
}

/// All of stdout without its newlines: what came through, however it was cut into chunks.
pub fn joined(state: &State) -> Vec<u8> {
    state.lines_of(Stream::Stdout).flat_map(|line| line.bytes.iter().copied()).collect()
}

/// Waits until stdout has this line, whole.
pub fn printed(live: &Live, time: Duration, text: &str) -> bool {
    let came = |state: &State| {
        state.lines_of(Stream::Stdout).any(|line| line.text() == text).then_some(())
    };
    live.until(time, came).is_some()
}
