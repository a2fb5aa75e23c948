//! A child process that can't do harm: `fork`, `finish` in the child, `wait` in the parent.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::process;

use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getpid, getppid};

use crate::{failed, status};

/// `os.fork()`, for a program of one thread. The child ends when its parent does, however that ends.
pub(crate) fn fork() -> io::Result<ForkResult> {
    let parent = getpid();
    let forked = fork_single_threaded()?;
    if let ForkResult::Child = forked {
        // A fork does not inherit this, so each child asks for it; too late if its parent has gone
        // already, hence the second look: prctl(2), PR_SET_PDEATHSIG.
        let asked = prctl::set_pdeathsig(Signal::SIGKILL);
        if asked.is_err() || getppid() != parent {
            finish(asked.map_err(|errno| failed("prctl")(errno.into())));
        }
    }
    Ok(forked)
}

#[allow(unsafe_code)]
fn fork_single_threaded() -> io::Result<ForkResult> {
    // Only the calling thread is copied: a lock that another one holds stays locked in the child
    // for ever, fork(2). A directory has a link for each directory in it, and two of its own.
    if fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() > 2 + 1) {
        return Err(io::Error::other("fork: this process has several threads"));
    }
    // SAFETY: there is no other thread, so the child may do whatever the parent might.
    unsafe { nix::unistd::fork() }.map_err(|errno| failed("fork")(errno.into()))
}

/// Ends the child here and now: one that returned from `main` would run the parent's code, and one
/// that called `exit` would do its parent's last work (at-exit functions, buffers) again.
#[allow(unsafe_code)]
pub(crate) fn finish(done: io::Result<()>) -> ! {
    // SAFETY: _exit(2) has no preconditions; nothing waits in a buffer, see `print_line`.
    unsafe { libc::_exit(status(done).into()) }
}

/// Waits for that very child; that it failed is our failure, too.
pub(crate) fn wait(child: Pid) -> io::Result<()> {
    let why = match waitpid(child, None) {
        Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
        // It has said why itself.
        Ok(WaitStatus::Exited(_, code)) => process::exit(code),
        Ok(WaitStatus::Signaled(_, signal, _)) => format!("ended by {signal}"),
        Ok(other) => format!("{other:?}"),
        Err(errno) => io::Error::from(errno).to_string(),
    };
    Err(io::Error::other(format!("wait for child {child}: {why}")))
}

/// Does `work` in a child, and waits for it.
pub(crate) fn in_child(work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match fork()? {
        ForkResult::Child => finish(work()),
        ForkResult::Parent { child } => wait(child),
    }
}
