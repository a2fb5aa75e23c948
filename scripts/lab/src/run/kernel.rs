//! What the kernel says of a process while it runs or is held, read from `/proc` (`proc(5)`).
//!
//! Everything here may be asked of a process that has ended meanwhile, and then says nothing.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{getsockopt, sockopt::AcceptConn};
use procfs::process::{FDTarget, Process, Syscall};
use socket2::SockRef;

use super::log::{Id, State};

/// Bytes of memory that a process holds (`VmRSS`).
pub fn resident(pid: Id) -> Option<u64> {
    let pages = Process::new(pid).ok()?.statm().ok()?.resident;
    Some(pages * procfs::page_size())
}

/// Bytes that belong to a process alone because it has written to them (`Private_Dirty`), and its
/// share of all that it maps (`Pss`).
pub fn private_and_share(pid: Id) -> Option<(u64, u64)> {
    let rollup = Process::new(pid).ok()?.smaps_rollup().ok()?;
    let map = &rollup.memory_map_rollup.0.first()?.extension.map;
    Some((*map.get("Private_Dirty")?, *map.get("Pss")?))
}

/// Processor time that a process has used, all its threads together, to a hundredth of a second.
pub fn processor_time(pid: Id) -> Option<Duration> {
    let stat = Process::new(pid).ok()?.stat().ok()?;
    let ticks = stat.utime + stat.stime;
    Some(Duration::from_millis(ticks * 1000 / procfs::ticks_per_second()))
}

/// How often the threads of a process have gone to sleep by themselves.
pub fn sleeps(pid: Id) -> Option<u64> {
    let tasks = Process::new(pid).ok()?.tasks().ok()?.flatten();
    Some(tasks.filter_map(|task| task.status().ok()?.voluntary_ctxt_switches).sum())
}

/// The numbers of the threads that a process has.
pub fn threads(pid: Id) -> Vec<Id> {
    let Ok(tasks) = Process::new(pid).and_then(|process| process.tasks()) else {
        return Vec::new();
    };
    tasks.flatten().map(|task| task.tid).collect()
}

/// What a task that does not run waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waits {
    /// For a child to end (wait4, waitid).
    Child,
    /// For another thread of the process (futex).
    Thread,
    /// For time to pass.
    Sleep,
    /// For anything else: the number of the system call.
    Other(u64),
}

/// What a task waits for, unless it runs.
pub fn waits_for(process: Id, task: Id) -> Option<Waits> {
    let task = Process::new(process).ok()?.task_from_tid(task).ok()?;
    let Syscall::Blocked { syscall_number: number, .. } = task.syscall().ok()? else {
        return None;
    };
    Some(match number {
        libc::SYS_wait4 | libc::SYS_waitid => Waits::Child,
        libc::SYS_futex => Waits::Thread,
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Waits::Sleep,
        other => Waits::Other(other.unsigned_abs()),
    })
}

/// Where the processes of a run listen for TCP connections.
pub fn listening(run: &State) -> Vec<SocketAddr> {
    let alive: BTreeSet<Id> = run.tasks.values().filter(|t| t.alive()).map(|t| t.process).collect();
    alive.into_iter().flat_map(listening_of).collect()
}

/// Where one process listens for TCP connections: each of its sockets is asked itself. To look for
/// them in `/proc/net/tcp` takes milliseconds, however few there are.
pub fn listening_of(pid: Id) -> Vec<SocketAddr> {
    let descriptors = Process::new(pid).and_then(|process| process.fd());
    let (Ok(descriptors), Some(process)) = (descriptors, open_process(pid)) else {
        return Vec::new();
    };
    descriptors
        .flatten()
        .filter(|descriptor| matches!(descriptor.target, FDTarget::Socket(_)))
        .filter_map(|descriptor| {
            let copy = copy_of(&process, descriptor.fd)?;
            let listens = getsockopt(&copy, AcceptConn).ok()?;
            if listens { SockRef::from(&copy).local_addr().ok()?.as_socket() } else { None }
        })
        .collect()
}

/// A descriptor of a process (`pidfd_open(2)`).
fn open_process(pid: Id) -> Option<OwnedFd> {
    // SAFETY: the call takes two numbers; what it gives is a new descriptor, and ours.
    #[allow(unsafe_code)]
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        i32::try_from(fd).ok().filter(|fd| *fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// A copy of a descriptor of another process, for who may trace it (`pidfd_getfd(2)`).
fn copy_of(process: &OwnedFd, descriptor: i32) -> Option<OwnedFd> {
    // SAFETY: the call takes three numbers; what it gives is a new descriptor, and ours.
    #[allow(unsafe_code)]
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), descriptor, 0);
        i32::try_from(fd).ok().filter(|fd| *fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// How many descriptors a process has open.
pub fn descriptors(pid: Id) -> Option<usize> {
    Process::new(pid).ok()?.fd_count().ok()
}

/// A descriptor that is registered in an epoll, and the events asked for.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// The descriptor.
    pub fd: i32,
    /// The events, as bits (`epoll_ctl(2)`).
    pub events: u32,
}

/// The epolls that a process has open, each with what is registered in it.
pub fn epolls(pid: Id) -> Vec<Vec<Registered>> {
    let Ok(descriptors) = Process::new(pid).and_then(|process| process.fd()) else {
        return Vec::new();
    };
    descriptors
        .flatten()
        .filter(|fd| matches!(&fd.target, FDTarget::AnonInode(kind) if kind.contains("eventpoll")))
        .map(|fd| {
            let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", fd.fd));
            info.unwrap_or_default().lines().filter_map(registered).collect()
        })
        .collect()
}

/// Reads a line such as `tfd:        5 events:       19 data: 5 …`.
fn registered(line: &str) -> Option<Registered> {
    let mut words = line.strip_prefix("tfd:")?.split_whitespace();
    let fd = words.next()?.parse().ok()?;
    let events = u32::from_str_radix(words.nth(1)?, 16).ok()?;
    Some(Registered { fd, events })
}

/// Which of these descriptors of a process are sockets.
pub fn is_socket(pid: Id, fd: i32) -> bool {
    fs::read_link(format!("/proc/{pid}/fd/{fd}"))
        .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_a_process_listens() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let client = std::net::TcpStream::connect(address).expect("a connection");
        let own = Id::try_from(std::process::id()).expect("a number");
        let found = listening_of(own);
        assert!(found.contains(&address), "{found:?}");
        assert!(!found.contains(&client.local_addr().expect("its address")), "{found:?}");
    }

    #[test]
    fn reads_the_registrations_of_an_epoll() {
        let line = "tfd:        5 events:       1d data: 5  pos:0 ino:8 sdev:8";
        let found = registered(line).expect("a registration");
        assert_eq!((found.fd, found.events), (5, 0x1d));
        assert!(registered("flags:\t02000002").is_none());
        assert!(registered("tfd: x events: 1").is_none());
    }
}
