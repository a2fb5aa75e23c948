//! A small `multiprocessing.Process`: what is to run, `start`, `join`, `exitcode`.

use std::env;
use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getpid};

use crate::child::{end_with, exit, fork};
use crate::{failed, status};

/// What a process is to run.
pub(crate) struct Process(Box<dyn FnOnce() -> io::Result<()>>);

/// The note's "by inheritance": a type that says what its process runs. There is no base class in
/// Rust; what a subclass would inherit, a trait provides.
pub(crate) trait Run: Sized + 'static {
    /// Python's `run`, which a subclass overrides.
    fn run(self) -> io::Result<()>;

    /// A process for it: its `run` is a function like any other, and it is the argument.
    fn process(self) -> Process {
        Process::new(Self::run, self)
    }
}

/// How a child comes to be, and how it learns what to run.
pub(crate) enum Method {
    /// It is a copy of this process, and has all that this one has.
    Fork,
    /// It is this program anew, and knows only what its command line says.
    Spawn(Vec<OsString>),
}

impl Process {
    /// `Process(target=target, args=args)`.
    pub(crate) fn new<A: 'static>(target: fn(A) -> io::Result<()>, args: A) -> Process {
        Process(Box::new(move || target(args)))
    }

    /// Runs it in this process, which has to end with the status that comes back. In Python, too,
    /// a call of `run` instead of `start` makes no process.
    pub(crate) fn run(self) -> u8 {
        // A panic must not unwind into the copy of what the parent was doing.
        catch_unwind(AssertUnwindSafe(self.0)).map_or(1, status)
    }

    /// Makes a process, which runs it.
    pub(crate) fn start(self, method: Method) -> io::Result<Started> {
        let parent = getpid();
        let pid = match method {
            Method::Fork => match fork()? {
                ForkResult::Parent { child } => child,
                ForkResult::Child => match end_with(parent) {
                    Ok(()) => exit(self.run()),
                    Err(why) => exit(status(Err(why))),
                },
            },
            Method::Spawn(args) => {
                let program = env::current_exe().map_err(failed("/proc/self/exe"))?;
                let child = Command::new(&program).args(args).spawn();
                let child = child.map_err(failed(format_args!("spawn {}", program.display())))?;
                Pid::from_raw(child.id().cast_signed())
            }
        };
        Ok(Started { pid, exitcode: None })
    }
}

/// A process that was started. One that has not ended by the end of its scope is killed.
pub(crate) struct Started {
    pid: Pid,
    exitcode: Option<i32>,
}

impl Started {
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// As in Python: none while it runs, then its exit status, or minus the signal that ended it.
    pub(crate) fn exitcode(&mut self) -> io::Result<Option<i32>> {
        self.wait(WaitPidFlag::WNOHANG)
    }

    /// Waits until it has ended, and gives the exitcode.
    pub(crate) fn join(&mut self) -> io::Result<i32> {
        loop {
            if let Some(exitcode) = self.wait(WaitPidFlag::empty())? {
                return Ok(exitcode);
            }
        }
    }

    /// Asks it to end; a program may ignore that.
    pub(crate) fn terminate(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Ends it.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGKILL)
    }

    fn wait(&mut self, flag: WaitPidFlag) -> io::Result<Option<i32>> {
        // Once only: as soon as we know how it ended, its PID is free for another process.
        if self.exitcode.is_none() {
            let status = waitpid(self.pid, Some(flag));
            self.exitcode = match status.map_err(|errno| self.failed("wait for", errno))? {
                WaitStatus::Exited(_, status) => Some(status),
                WaitStatus::Signaled(_, signal, _) => Some(-(signal as i32)),
                _ => None,
            };
        }
        Ok(self.exitcode)
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.exitcode()?.is_none() {
            signal::kill(self.pid, signal).map_err(|errno| self.failed("kill", errno))?;
        }
        Ok(())
    }

    fn failed(&self, call: &str, errno: Errno) -> io::Error {
        failed(format_args!("{call} process {}", self.pid))(errno.into())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.kill().and_then(|()| self.join());
    }
}
