//! The other side of a connection: a client that behaves, or misbehaves, as a check wants it to.
//!
//! Every call has a deadline: a program under examination may never answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use socket2::{Domain, SockRef, Socket, Type};

use super::{common::some, manners};
use crate::exam::{self, Exam, SOON, Trouble, done, fail, last_word, whole};
use crate::run::{
    Ending, Live, Spec, State, Stream,
    kernel::{self, Waits},
    while_nothing_starts,
};

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

    /// Its own address, by which the other side knows it.
    pub fn address(&self) -> Option<SocketAddr> {
        self.stream.local_addr().ok()
    }

    /// The other side's port.
    pub fn far_port(&self) -> u16 {
        self.stream.peer_addr().map_or(0, |address| address.port())
    }

    /// Sends all of it; a server that has closed the connection meanwhile is not an error here.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends what the other side takes at once of these bytes; how much that was.
    pub fn try_send(&mut self, bytes: &[u8]) -> usize {
        let _ = self.stream.set_nonblocking(true);
        let sent = if bytes.is_empty() { 0 } else { self.stream.write(bytes).unwrap_or(0) };
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

    /// Reads what has come by now: whether the end was with it.
    pub fn read_what_is_there(&mut self) -> Closed {
        const ENOUGH: usize = 4096; // of whoever sends faster than we read
        let _ = self.stream.set_nonblocking(true);
        let mut buffer = [0; 16 << 10];
        let closed = (0..ENOUGH).find_map(|_| match self.stream.read(&mut buffer) {
            Ok(0) => Some(Closed::Fin),
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Closed::Open),
            Err(_) => Some(Closed::Reset),
        });
        let _ = self.stream.set_nonblocking(false);
        closed.unwrap_or(Closed::Open)
    }

    /// Has the system keep much of what comes: from now on it is to go fast.
    pub fn widen(&self) {
        let _ = SockRef::from(&self.stream).set_recv_buffer_size(1 << 20);
    }

    /// Whether the other side has closed the connection, and nothing of it is left to be read.
    pub fn is_closed(&self) -> bool {
        let _ = self.stream.set_nonblocking(true);
        let left = self.stream.peek(&mut [0]);
        let _ = self.stream.set_nonblocking(false);
        match left {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
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
    pub fn small(exam: &Exam) -> Result<Host, Trouble> {
        let host = Host::new(exam)?;
        let socket = SockRef::from(&host.listener); // what it accepts inherits both
        socket.set_recv_buffer_size(4096)?;
        socket.set_tcp_mss(1024)?;
        Ok(host)
    }

    /// Listens at an address of its own.
    pub fn new(exam: &Exam) -> Result<Host, Trouble> {
        let wanted = exam.place(10001);
        let listener = TcpListener::bind(wanted)
            .or_else(|_| TcpListener::bind((wanted.ip(), 0)))
            .context("listen")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Host { listener, address })
    }

    /// The next connection of the program, if one comes.
    pub fn accept(&self, live: &Live) -> Result<Option<Peer>, Trouble> {
        in_time(live, |slice| live.poll(slice, || self.pending().transpose())).transpose()
    }

    /// The next connection, if it is there.
    pub fn pending(&self) -> Result<Option<Peer>, Trouble> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                Ok(Some(Peer::new(stream)?))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// How long a program sleeps that will do nothing more until somebody does something to it. Longer
/// than the second after which many look whether they should stop.
const STILL: Duration = Duration::from_millis(1200);

/// More processor time than a program needs for anything that it is asked to do at once.
const ENOUGH: Duration = Duration::from_secs(2);

/// Gives the program time for what it should do at once: until `seen`, which waits for as long as it
/// is told, has seen it. Nobody waits for a program that has ended, that is fast asleep, or that runs
/// in circles: then it can't come any more.
pub fn in_time<T>(live: &Live, mut seen: impl FnMut(Duration) -> Option<T>) -> Option<T> {
    const SLICE: Duration = Duration::from_millis(25);
    let mut last = (None, Instant::now());
    let mut patience = live.patience(SOON);
    let used = || kernel::processor_time(live.pid()).unwrap_or_default();
    let before = used();
    loop {
        if let Some(seen) = seen(SLICE) {
            return Some(seen);
        }
        let asleep = asleep(live);
        if asleep.is_none() || asleep != last.0 {
            last = (asleep, Instant::now());
        }
        let ended = {
            let state = live.log.lock();
            state.ended_at.is_some_and(|at| state.has_been_read(at)) // what it said last, too
        };
        let spins = used().saturating_sub(before) > ENOUGH;
        let over = patience.end(&live.log).is_some();
        if ended || spins || last.1.elapsed() > STILL || over {
            return seen(SLICE);
        }
    }
}

/// In what each task of the program is blocked, and how often it has been so: nothing when one of
/// them runs, or will when some time has passed.
pub fn asleep(live: &Live) -> Option<Vec<(Waits, u64)>> {
    let alive: Vec<_> = {
        let state = live.log.lock();
        let alive = state.tasks.values().filter(|task| task.alive());
        alive.map(|task| (task.process, task.id)).collect()
    };
    // Who waits in write waits for us, who read its output.
    let write = Waits::Other(nix::libc::SYS_write.unsigned_abs());
    let of_task = |(process, id)| {
        let waits = kernel::waits_for(process, id)?;
        let waits = Some(waits).filter(|waits| *waits != Waits::Sleep && *waits != write)?;
        Some((waits, kernel::sleeps_of(process, id)?))
    };
    alive.into_iter().map(of_task).collect()
}

/// Whether nobody in the program runs, or wants to, at this moment.
pub fn everybody_waits(live: &Live) -> bool {
    let state = live.log.lock();
    let mut alive = state.tasks.values().filter(|task| task.alive());
    alive.all(|task| kernel::waits_for(task.process, task.id).is_some())
}

/// Starts a server at an address of its own; returns when the kernel shows that it listens there.
pub fn serve(exam: &mut Exam, port: u16, more: &[&str]) -> Result<(Live, SocketAddr), Trouble> {
    let address = exam.place(port);
    // Somebody else's server on all addresses would be in the way of the note's own port.
    let is_free = while_nothing_starts(|| TcpListener::bind(address).is_ok());
    let address = if is_free { address } else { SocketAddr::new(address.ip(), 0) };
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
    let listens = in_time(&live, |slice| {
        live.poll(slice, || {
            let listening = kernel::listening(&live.log.lock());
            let here = |at: &SocketAddr| {
                (at.ip() == address.ip() || at.ip().is_unspecified())
                    && (at.port() == address.port() || address.port() == 0)
            };
            listening.into_iter().find(here).map(|at| SocketAddr::new(address.ip(), at.port()))
        })
    });
    if let Some(address) = listens {
        return Ok((live, address));
    }
    // Asked before we end it ourselves.
    let (ended, cut) = {
        let state = live.log.lock();
        (state.ended, state.cut)
    };
    let elsewhere = kernel::listening(&live.log.lock());
    let how = match (cut, ended, elsewhere.first()) {
        (Some(cut), ..) => cut.to_string(),
        (None, Some(ending), _) => format!("it ended before it listened: {ending}"),
        (None, None, Some(at)) => format!("it listens at {at}"),
        (None, None, None) => "it runs and listens nowhere".into(),
    };
    let state = live.end();
    let said: Vec<_> = last_word(&state).into_iter().collect();
    let said = if said.is_empty() { String::new() } else { format!("; it said: {}", some(&said)) };
    fail(format!("the program listens at {address}"), format!("{how}{said}"))
}

/// What has become of the program, to be put after what was seen of it: nothing if it still runs.
pub fn fate(live: &Live) -> String {
    // Its end comes a moment after that of its connections. Who sleeps is not about to end.
    let (pid, ended) = (live.pid(), || live.log.lock().ended);
    let sleeps = || kernel::waits_for(pid, pid).is_some();
    live.poll(Duration::from_secs(1), || (ended().is_some() || sleeps()).then_some(()));
    let ended = ended();
    let state = live.log.lock();
    match (state.cut, ended) {
        (Some(cut), _) => format!("; the program had been ended: {cut}"),
        (None, Some(ending)) => {
            format!("; the program had ended: {ending}, {}", manners::last_words(&state))
        }
        (None, None) => String::new(),
    }
}

/// What becomes of a program that should end by itself; one that does not is ended.
pub fn ending(live: Live) -> (Option<Ending>, State) {
    let ended = in_time(&live, |slice| live.until(slice, |state| state.ended));
    (ended, if ended.is_some() { live.finish() } else { live.end() })
}

/// Passes when a program that has nothing more to do ends by itself, with status 0.
///
/// # Errors
/// Else with how it ended; `when` says what it was that it had done.
pub fn ends(live: Live, when: &str) -> Result<State, Trouble> {
    let (ended, state) = ending(live);
    let state = whole(state)?;
    if ended.is_none() {
        return fail(format!("exit status 0 {when}"), "it was still running");
    }
    done(&state).map(|()| state)
}

/// Passes when a program that was sent this signal ends in good order, with status 0.
///
/// # Errors
/// Else with how it ended.
pub fn ends_at(live: Live, signal: Signal) -> Result<State, Trouble> {
    let (ended, state) = ending(live);
    let state = whole(state)?;
    let saw = match ended {
        Some(Ending::Exit(0)) => return Ok(state),
        Some(Ending::Signal(number)) if number == signal as i32 => {
            format!("{signal} itself ended it: the program does nothing about this signal")
        }
        Some(Ending::Signal(_)) => return Err(Trouble::Crashed(exam::ending(&state))),
        Some(ending @ Ending::Exit(_)) => {
            format!("{signal}: {ending}; {}", manners::last_words(&state))
        }
        None => format!("{signal}: it was still running"),
    };
    fail(format!("exit status 0 at {signal}"), saw)
}

/// A connection to a server that is running; if there is none, what became of it.
pub fn connect(live: &Live, address: SocketAddr) -> Result<Peer, Trouble> {
    Peer::connect(address).map_err(|trouble| match trouble {
        Trouble::Fail { expected, saw } => {
            in_time(live, |slice| live.until(slice, |state| state.ended)); // it may be on its way
            Trouble::Fail { expected, saw: vec![saw.concat() + &fate(live)] }
        }
        other => other,
    })
}

/// Sends one byte, and waits until the program has read it, so that the next one comes in a chunk of
/// its own. Whether it has.
pub fn send_byte(live: &Live, client: &mut Peer, byte: u8) -> bool {
    client.send(&[byte]);
    let Some(address) = client.address() else {
        return false;
    };
    let read = in_time(live, |slice| {
        live.poll(slice, || {
            let read = kernel::has_read(&live.log.lock(), address);
            (read || client.is_closed()).then_some(read)
        })
    });
    read == Some(true)
}

/// Waits until everybody in the program sleeps. A signal that comes while it is on its way to sleep is
/// missed by many that would see it a moment later or earlier, and Python aborts when it is to end while
/// a daemon thread prints; that is not what is examined.
pub fn settle(live: &Live) {
    live.poll(Duration::from_secs(1), || everybody_waits(live).then_some(()));
}

/// Does several things of which the program sees none before the others: it is stopped meanwhile.
pub fn paused<T>(live: &Live, act: impl FnOnce() -> T) -> T {
    live.signal(Signal::SIGSTOP);
    live.poll(SOON, || kernel::stopped(live.pid()).then_some(()));
    let done = act();
    live.signal(Signal::SIGCONT);
    done
}

/// Sends a text and a signal at the same time.
pub fn text_and_signal(live: &Live, client: &mut Peer, text: &str, signal: Signal) {
    settle(live);
    paused(live, || {
        client.send(text.as_bytes());
        live.signal(signal);
    });
}

/// All of stdout without its newlines: what came through, however it was cut into chunks.
pub fn joined(state: &State) -> Vec<u8> {
    state.lines_of(Stream::Stdout).flat_map(|line| line.bytes.iter().copied()).collect()
}

/// Whether stdout gets this line, whole.
pub fn printed(live: &Live, text: &str) -> bool {
    in_time(live, |slice| live.until(slice, |state| has_line(state, text))).is_some()
}

/// Whether stdout has this line.
pub fn has_line(state: &State, text: &str) -> Option<()> {
    state.lines_of(Stream::Stdout).any(|line| line.text() == text).then_some(())
}
