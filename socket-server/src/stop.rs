//! Ctrl-C and SIGTERM end the server in good order: what has come is printed, and nothing is left.
//!
//! The trap: a server that sleeps in `accept` or `recv` sees no flag that a signal handler sets, and
//! a signal just before the call is missed. So the signals are made something that can be waited for
//! like a socket, a descriptor, and `poll` waits for both (signalfd(2), ppoll(2)). No handler runs, no
//! thread is needed for it, and the signal is never read: it stays, so that every thread sees it.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// What ends the server: a signal, or that nobody reads its output any more.
pub(crate) struct Stop {
    signals: SignalFd,
}

/// Why a wait is over; with neither of the two, the time was up.
pub(crate) struct Wake {
    pub(crate) readable: bool,
    pub(crate) stopping: bool,
}

impl Stop {
    /// From now on the two signals wait to be seen. Call it before any thread is made: threads
    /// inherit which signals are blocked, and one that has them open would die of them.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        signals.thread_block()?;
        Ok(Self { signals: SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)? })
    }

    /// Sleeps until `socket` has something to read or to accept, a signal came, or the time is up.
    /// An error, mostly that stdout is closed, is not the client's, and ends the server.
    pub(crate) fn wait(&self, socket: &impl AsFd, limit: Option<Duration>) -> io::Result<Wake> {
        let stdout = io::stdout();
        let mut waiting = [
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            // Nothing asked: it only reports that the other end has gone (`| head -1`).
            PollFd::new(stdout.as_fd(), PollFlags::empty()),
        ];
        while let Err(why) = ppoll(&mut waiting, limit.map(Into::into), None) {
            if why != Errno::EINTR {
                return Err(why.into());
            }
        }
        let [readable, stopping, closed] = waiting.map(|one| one.any().unwrap_or(true));
        if closed { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(Wake { readable, stopping }) }
    }

    /// Ends the server from one of its threads, just as `kill PID` would.
    pub(crate) fn now() {
        kill(Pid::this(), Signal::SIGTERM).expect("a process may signal itself");
    }
}
