//! `--threads`: a thread per client. What is the same for all clients stands in `client.rs`; here is
//! only what threads bring with them: they may not start, they may be too many, and one of them may
//! be the one that finds stdout full.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder, Scope, Thread};

use crate::client::Client;
use crate::stop::Stop;
use crate::{Options, report};

/// The threads that serve clients now.
pub(crate) struct Threads {
    running: AtomicUsize,
    acceptor: Thread,
    failure: OnceLock<io::Error>,
}

impl Threads {
    /// None yet. To be called by the thread that accepts.
    pub(crate) fn new() -> Self {
        Self { running: AtomicUsize::new(0), acceptor: thread::current(), failure: OnceLock::new() }
    }

    /// How many clients are being served.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Serves one client in a thread of its own; the scope joins it.
    pub(crate) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        client: Client,
        options: &'scope Options,
        stop: &'scope Stop,
    ) {
        let peer = client.peer;
        let running = Running::new(self);
        let serve = move || {
            if let Err(why) = client.serve(options, stop) {
                let _ = self.failure.set(why);
                Stop::now();
            }
            drop(running);
        };
        // `thread::spawn` would panic. A closure that did not start is dropped, and the client with it.
        let thread =
            Builder::new().name(format!("client {}", peer.port())).spawn_scoped(scope, serve);
        if let Err(why) = thread {
            report(format_args!("thread for {peer}: {why}"));
        }
    }

    /// The failure that one of them ended the server with.
    pub(crate) fn result(self) -> io::Result<()> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }
}

/// Counts a client from before its thread starts until after its socket is closed.
struct Running<'a>(&'a Threads);

impl<'a> Running<'a> {
    fn new(threads: &'a Threads) -> Self {
        threads.running.fetch_add(1, Ordering::AcqRel);
        Self(threads)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
        self.0.acceptor.unpark();
    }
}
