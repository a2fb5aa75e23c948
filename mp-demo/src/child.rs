//! A child process that can't do harm: made with nothing but itself in it, and gone with its parent.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, getppid};

use crate::failed;

/// Makes this process end with its parent, however that ends.
pub(crate) fn end_with(parent: Pid) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|errno| failed("prctl")(errno.into()))?;
    // It asked too late if its parent had gone already: prctl(2), PR_SET_PDEATHSIG.
    if getppid() != parent {
        exit(0);
    }
    Ok(())
}

/// `os.fork()`, for a program of one thread.
#[allow(unsafe_code)]
pub(crate) fn fork() -> io::Result<ForkResult> {
    // Only the calling thread is copied: a lock that another one holds stays locked in the child
    // for ever, fork(2). A directory has a link for each directory in it, and two of its own.
    if fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() > 2 + 1) {
        return Err(io::Error::other("fork: this process has several threads"));
    }
    // SAFETY: there is no other thread, so the child may do whatever the parent might.
    unsafe { nix::unistd::fork() }.map_err(|errno| failed("fork")(errno.into()))
}

/// Ends a child here and now: one that returned from `main` would run the parent's code.
#[allow(unsafe_code)]
pub(crate) fn exit(status: u8) -> ! {
    // SAFETY: _exit(2) has no preconditions; nothing waits in a buffer, see `print_line`.
    unsafe { libc::_exit(status.into()) }
}
