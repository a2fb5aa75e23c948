//! A server under load: what it printed is counted, and the kernel is asked what it holds.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take before it counts as lost. Nobody waits for it otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How often each byte occurs: what was sent, or what was printed.
#[derive(Clone, PartialEq)]
pub(crate) struct Count(pub(crate) [u64; 256]);

impl Count {
    pub(crate) fn new() -> Self {
        Self([0; 256])
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0[usize::from(*byte)] += 1);
    }

    pub(crate) fn join(&mut self, other: &Count) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }

    /// All but newlines, which the servers add, and `x`, which may be lost: who resets a connection
    /// says that nothing of it matters any more.
    pub(crate) fn certain(&self) -> u64 {
        let all: u64 = self.0.iter().sum();
        all - self.0[usize::from(b'\n')] - self.0[usize::from(b'x')]
    }
}

pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    child: Child,
    printed: Arc<Mutex<Count>>,
    readers: Vec<JoinHandle<()>>,
}

/// What the kernel says that a process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) kibibytes: usize,
}

impl Server {
    /// Starts a server, at most with so many descriptors.
    pub(crate) fn start(folder: &Path, command: &str, descriptors: usize) -> io::Result<Server> {
        let line = format!("ulimit -n {descriptors}; exec {}/{command}", folder.display());
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").and_then(|at| at.parse().ok());
        let address = address.ok_or_else(|| io::Error::other(format!("{command}: {line}")))?;
        let printed = Arc::new(Mutex::new(Count::new()));
        let (mut stdout, count) = (child.stdout.take().expect("piped"), printed.clone());
        let readers = vec![
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                    count.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..length]);
                }
            }),
            thread::spawn(move || drop(io::copy(&mut stderr, &mut io::sink()))),
        ];
        Ok(Server { name: command.into(), address, child, printed, readers })
    }

    pub(crate) fn printed(&self) -> Count {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn held(&self) -> Held {
        let process = format!("/proc/{}", self.child.id());
        let entries = |what| fs::read_dir(format!("{process}/{what}")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let word = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Held { descriptors: entries("fd"), threads: entries("task"), kibibytes: word.unwrap_or(0) }
    }

    /// Waits until a fact holds.
    pub(crate) fn until(&self, what: &str, fact: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !fact(self) {
            let (held, printed) = (self.held(), self.printed().certain());
            assert!(start.elapsed() < PATIENCE, "{}: not {what}: {held:?}, {printed}", self.name);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as `kill PID` does; it must end well.
    pub(crate) fn end(mut self) -> Count {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("it is ours");
        let status = self.child.wait().expect("it is ours");
        assert!(status.success(), "{}: {status}", self.name);
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        self.printed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
