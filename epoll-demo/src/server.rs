//! The loop: one thread asks one epoll what is ready, and does just that, never waiting for anybody
//! in particular. Ready may be: the listener (somebody has come), a client (it has sent something,
//! or can be sent to), the signals (it is time to end).

use std::io;
use std::os::fd::AsRawFd;
use std::process;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::client::Client;
use crate::listener::{LISTENER, Listener};
use crate::{Options, failed, hint, print_line, say};

const SIGNALS: u64 = LISTENER - 1;
/// Events taken at once; if there are more, they come next time.
const BATCH: usize = 1024;

/// The epoll, and all that it watches.
pub(crate) struct Server {
    epoll: Epoll,
    _signals: SignalFd, // never read: one signal is the end
    listener: Listener,
    /// By descriptor, like the note's `conn_map`. The system gives out the lowest number that is
    /// free, so this is only as long as there have been clients at once.
    clients: Vec<Option<Client>>,
    connected: usize,
    flood: bool,
    /// For all clients, one after the other: the bytes of a chunk, and the line made of them.
    buffer: Vec<u8>,
    line: String,
}

impl Server {
    /// Puts the signals and the listener into an epoll: from now on one can connect.
    pub(crate) fn new(options: &Options) -> io::Result<Server> {
        // Through a descriptor, a signal is an event among others. It must be blocked as well, or
        // it would do what signals do: end us, wherever we are (signalfd(2)).
        let ending = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        ending.thread_block().map_err(failed("sigprocmask"))?;
        let signals =
            SignalFd::with_flags(&ending, SfdFlags::SFD_CLOEXEC).map_err(failed("signalfd"))?;

        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(failed("epoll_create"))?;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS);
        epoll.add(&signals, event).map_err(failed("epoll_ctl"))?;
        let mut buffer = Vec::new(); // not `vec![0; …]`, which would abort where memory is refused
        buffer.try_reserve_exact(options.buffer).map_err(|why| {
            io::Error::other(format!("buffer of {} bytes: {why}", options.buffer))
        })?;
        buffer.resize(options.buffer, 0);
        Ok(Server {
            listener: Listener::new(options, &epoll)?,
            epoll,
            _signals: signals,
            clients: Vec::new(),
            connected: 0,
            flood: options.flood,
            buffer,
            line: String::new(),
        })
    }

    /// Serves until a signal comes, or until the last of `--connections` has gone.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let address = self.listener.address;
        say(format_args!("listening on {address}"));
        hint(format_args!("nc {} {}", address.ip(), address.port()));
        hint(format_args!("grep . /proc/{}/fdinfo/{}", process::id(), self.epoll.0.as_raw_fd()));
        hint(format_args!("strace -p {}", process::id()));
        let mut events = vec![EpollEvent::empty(); BATCH];
        while self.listener.is_open() || self.connected > 0 {
            let ready = match self.epoll.wait(&mut events, self.listener.patience()) {
                Ok(ready) => ready,
                Err(Errno::EINTR) => continue, // stopped and continued (signal(7))
                Err(errno) => return Err(failed("epoll_wait")(errno)),
            };
            if ready == 0 {
                self.listener.resume(&self.epoll)?; // its patience is at an end
            }
            for event in &events[..ready] {
                match event.data() {
                    SIGNALS => return self.finish(),
                    LISTENER => {
                        self.admit()?;
                    }
                    client => self.serve(client, event.events())?,
                }
            }
        }
        Ok(())
    }

    /// Lets in one client, if one waits; whether there was one.
    fn admit(&mut self) -> io::Result<bool> {
        let Some(stream) = self.listener.accept(&self.epoll)? else {
            return Ok(false);
        };
        let fd = stream.as_raw_fd();
        let key = usize::try_from(fd).expect("an open descriptor is not negative");
        match Client::new(stream, &self.epoll, key as u64) {
            Ok(client) => {
                if key >= self.clients.len() {
                    self.clients.resize_with(key + 1, || None);
                }
                self.clients[key] = Some(client);
                self.connected += 1;
            }
            Err(why) => say(format_args!("epoll-demo: client {fd}: {why}")),
        }
        Ok(true)
    }

    /// A client's turn: at most one read, one line, one write. What is left is reported again
    /// (the epoll is level-triggered, as by default), after the others have had their turns.
    ///
    /// Can its event be out of date, the client closed and the descriptor another's by now? Not
    /// here: one `epoll_wait` reports a descriptor once, and a client is closed only in its own
    /// turn. Nor would it do harm: an event only says whom to look at; the read and the write,
    /// which don't block, say what there is.
    fn serve(&mut self, key: u64, ready: EpollFlags) -> io::Result<()> {
        let slot = usize::try_from(key).expect("a descriptor, from admit()");
        let Some(client) = &mut self.clients[slot] else {
            return Ok(());
        };
        let mut outcome = Ok(());
        // Also for EPOLLHUP and EPOLLERR, which come unasked: the read tells what has happened.
        if client.is_read() && ready != EpollFlags::EPOLLOUT {
            outcome = client.receive(&mut self.buffer, &mut self.line).map(drop);
            print_line(&mut self.line)?; // before its ping, which so tells that the line is out
        }
        if client.is_owed() {
            outcome = outcome.and(client.send());
        }
        if self.flood && !client.is_owed() {
            client.owe();
        }
        if let Err(why) = outcome {
            say(format_args!("epoll-demo: client {slot}: {why}"));
        }
        if !client.is_done() {
            return client.watch(&self.epoll, key);
        }
        client.leave(&self.epoll)?;
        self.clients[slot] = None;
        self.connected -= 1;
        self.listener.resume(&self.epoll) // there is a descriptor again
    }

    /// Prints what had been received when the signal came, also from those still at the door.
    fn finish(mut self) -> io::Result<()> {
        while self.admit()? {}
        for client in self.clients.iter_mut().flatten() {
            // No more than this can have been received by now. Without a bound, a client that
            // doesn't stop sending would keep us from ending.
            let mut bound = client.receive_buffer();
            while bound > 0
                && let Ok(received @ 1..) = client.receive(&mut self.buffer, &mut self.line)
            {
                print_line(&mut self.line)?;
                bound = bound.saturating_sub(received);
            }
            client.end(&mut self.line);
            print_line(&mut self.line)?;
            let _ = client.send(); // as far as that goes; then it is closed
        }
        Ok(())
    }
}
