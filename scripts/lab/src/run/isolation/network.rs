//! Takes the network away from this process, and so from all that it starts.
//!
//! Servers and clients are examined from outside, so they and the grader must share a loopback
//! network. It need not be the machine's: the grader moves to one of its own before it starts
//! anything, and no program that it runs can reach, or be reached from, anywhere else. Where several
//! are examined at the same time, each has one more of its own, or one could connect to the server of
//! another.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};

use anyhow::Result;
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getgid, getuid};

use super::is_root;

/// What this process, and all that it starts, can reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// The machine's network, and what lies behind it.
    All,
    /// A loopback network of its own.
    Loopback,
}

/// Leaves the machine's network where that is possible. Tried in a child first: some systems let a
/// process leave and then not set its new network up.
pub(super) fn leave() -> Reach {
    // The child may do all that a process may only while there is no other thread.
    let alone = fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1);
    if !alone {
        return Reach::All;
    }
    // SAFETY: this process has one thread, so its copy is whole.
    #[allow(unsafe_code)]
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            let done = move_out().is_ok();
            // SAFETY: it ends the child, without what the parent wants done at its own end.
            unsafe { libc::_exit(i32::from(!done)) }
        }
        Ok(ForkResult::Parent { child }) => match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, 0)) if move_out().is_ok() => Reach::Loopback,
            _ => Reach::All,
        },
        Err(_) => Reach::All,
    }
}

fn move_out() -> Result<()> {
    let (user, group) = (getuid(), getgid());
    if is_root() {
        unshare(CloneFlags::CLONE_NEWNET)?;
    } else {
        // The right to a network of its own comes with a user namespace, in which everybody keeps
        // their number (user_namespaces(7)).
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    set_up()
}

/// Gives the calling thread, and all that it starts from now on, a loopback network of its own.
/// Namespaces belong to threads: the others stay where they are.
pub(super) fn divide() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    set_up()
}

fn set_up() -> Result<()> {
    raise_loopback()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    TcpStream::connect(listener.local_addr()?)?;
    Ok(())
}

/// `ip link set lo up`, see `netdevice(7)`.
fn raise_loopback() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: a structure of numbers, for which zeros are fine.
    #[allow(unsafe_code)]
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = libc::c_char::from_ne_bytes([*from]); // signed on some machines
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or_default();
    // SAFETY: the request is of the type that this call reads, and lives until it returns.
    #[allow(unsafe_code)]
    let result = unsafe {
        libc::ioctl(
            std::os::fd::AsRawFd::as_raw_fd(&socket),
            libc::SIOCSIFFLAGS,
            &raw const request,
        )
    };
    Errno::result(result)?;
    Ok(())
}
