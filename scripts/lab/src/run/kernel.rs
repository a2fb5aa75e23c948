//! What the kernel says of a process while it runs or is held, read from `/proc` (`proc(5)`).
//!
//! Everything here may be asked of a process that has ended meanwhile, and then says nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{getsockopt, sockopt::AcceptConn};
use procfs::process::{FDTarget, MMapPath, Process, Syscall};
use socket2::SockRef;

use super::log::{Account, Id, State};

/// Bytes of memory that a process holds (`VmRSS`).
pub fn resident(pid: Id) -> Option<u64> {
    let pages = Process::new(pid).ok()?.statm().ok()?.resident;
    Some(pages * procfs::page_size())
}

/// How many descriptors a process has open: what the kernel says the size of their folder is.
pub fn open_descriptors(pid: Id) -> Option<u64> {
    Some(std::fs::metadata(format!("/proc/{pid}/fd")).ok()?.len())
}

/// How many files and folders there are in this one, as a process sees it, where it is kept in memory
/// and that process is not where we are.
pub fn names_in(pid: Id, folder: &str) -> Option<u64> {
    let root = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    if root("self")? == root(&pid.to_string())? {
        return None;
    }
    let folder = nix::sys::statfs::statfs(format!("/proc/{pid}/root{folder}").as_str()).ok()?;
    let in_memory = folder.filesystem_type() == nix::sys::statfs::TMPFS_MAGIC;
    in_memory.then(|| folder.files().saturating_sub(folder.files_free()))
}

/// The most memory that a process has held so far (`VmHWM`), in bytes.
pub fn most_resident(pid: Id) -> Option<u64> {
    let kibibytes = Process::new(pid).ok()?.status().ok()?.vmhwm?;
    Some(kibibytes << 10)
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

/// Time for which the threads of a process have run, or have waited for a processor: what it has
/// used, or would have on a machine with nothing else to do. Without scheduler statistics: used.
pub fn demanded_time(pid: Id) -> Option<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let of_task = |task: fs::DirEntry| -> Option<u64> {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        let mut figures = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        Some(figures.next()? + figures.next()?)
    };
    let nanoseconds: Option<u64> = tasks.flatten().map(of_task).sum();
    nanoseconds.map(Duration::from_nanos).or_else(|| processor_time(pid))
}

/// For how long a task has run so far, if it is ready to run on, with a processor or without one.
pub fn ran_and_is_ready(process: Id, task: Id) -> Option<Duration> {
    ran_and_is(&['R'], process, task)
}

/// For how long a task has run so far, if it is ready to run on, or waits for what only the kernel has
/// to do (`D` in `proc_pid_stat(5)`): not for anybody else.
pub fn ran_and_does_not_wait(process: Id, task: Id) -> Option<Duration> {
    ran_and_is(&['R', 'D'], process, task)
}

/// For how long a task has run so far, if it is in one of these states.
fn ran_and_is(states: &[char], process: Id, task: Id) -> Option<Duration> {
    let of_task = Process::new(process).ok()?.task_from_tid(task).ok()?;
    let state = of_task.stat().ok()?.state;
    let times = fs::read_to_string(format!("/proc/{process}/task/{task}/schedstat")).ok()?;
    let ran = times.split_whitespace().next()?.parse().ok()?;
    states.contains(&state).then_some(Duration::from_nanos(ran))
}

/// Whether a task has ended; whoever waited for that has been woken by then.
pub fn has_ended(process: Id, task: Id) -> bool {
    let stat = Process::new(process).and_then(|process| process.task_from_tid(task)?.stat());
    stat.map_or(true, |stat| matches!(stat.state, 'Z' | 'X'))
}

/// What is counted of one task.
pub fn account(process: Id, task: Id) -> Option<Account> {
    let folder = format!("/proc/{process}/task/{task}");
    let times = fs::read_to_string(format!("{folder}/schedstat")).ok()?;
    let mut times = times.split_whitespace().map_while(|word| word.parse().ok());
    let status = fs::read_to_string(format!("{folder}/status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    Some(Account {
        ran: Duration::from_nanos(times.next()?),
        queued: Duration::from_nanos(times.next()?),
        slept: field("voluntary_ctxt_switches")?,
        preempted: field("nonvoluntary_ctxt_switches")?,
        memory: field("VmHWM").unwrap_or(0) << 10,
    })
}

/// What a task calls itself, at most 15 bytes.
pub fn name(task: Id) -> Option<String> {
    let name = fs::read(format!("/proc/{task}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end_matches('\n').to_string())
}

/// What a descriptor of a process is, as a link of `/proc/PID/fd` says.
pub fn descriptor(pid: Id, fd: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()
}

/// Who is at the other end of a connected socket.
pub fn peer(pid: Id, fd: i32) -> Option<SocketAddr> {
    let copy = copy_of(&open_process(pid)?, fd)?;
    SockRef::from(&copy).peer_addr().ok()?.as_socket()
}

/// Whether a process is stopped, by a signal or by us.
pub fn stopped(pid: Id) -> bool {
    Process::new(pid)
        .and_then(|process| process.stat())
        .is_ok_and(|stat| matches!(stat.state, 'T' | 't'))
}

/// How often the threads of a process have gone to sleep by themselves.
pub fn sleeps(pid: Id) -> Option<u64> {
    let tasks = Process::new(pid).ok()?.tasks().ok()?.flatten();
    Some(tasks.filter_map(|task| task.status().ok()?.voluntary_ctxt_switches).sum())
}

/// How often one task has gone to sleep by itself.
pub fn sleeps_of(process: Id, task: Id) -> Option<u64> {
    let task = Process::new(process).ok()?.task_from_tid(task).ok()?;
    task.status().ok()?.voluntary_ctxt_switches
}

/// Where the stack of the first thread of a process is.
pub fn stack(pid: Id) -> Option<(u64, u64)> {
    let maps = Process::new(pid).ok()?.maps().ok()?;
    maps.iter().find(|map| map.pathname == MMapPath::Stack).map(|map| map.address)
}

/// What a process has read and written: bytes read, in how many calls, bytes written, in how many.
pub fn read_and_written(pid: Id) -> Option<[u64; 4]> {
    let io = Process::new(pid).ok()?.io().ok()?;
    Some([io.rchar, io.syscr, io.wchar, io.syscw])
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
    /// For another thread of the process, for as long as it takes (futex).
    Thread,
    /// For another thread, but not longer than a time (futex with a time-out).
    ThreadOrTime,
    /// For time to pass.
    Sleep,
    /// For anything else: the number of the system call.
    Other(u64),
}

/// The system call in which a task waits, and its arguments. Who has been stopped waits for us alone,
/// whatever the call: on a busy machine for a while, until it is our turn to let it go on.
fn waits_in(process: Id, task: Id) -> Option<(i64, [u64; 6])> {
    let task = Process::new(process).ok()?.task_from_tid(task).ok()?;
    let Syscall::Blocked { syscall_number, argument_registers, .. } = task.syscall().ok()? else {
        return None;
    };
    let stopped = matches!(task.stat().ok()?.state, 't' | 'T');
    (!stopped).then_some((syscall_number, argument_registers))
}

/// What a task waits for, unless it runs or has been stopped.
pub fn waits_for(process: Id, task: Id) -> Option<Waits> {
    let (number, arguments) = waits_in(process, task)?;
    Some(match number {
        libc::SYS_wait4 | libc::SYS_waitid => Waits::Child,
        libc::SYS_futex if arguments[3] == 0 => Waits::Thread,
        libc::SYS_futex => Waits::ThreadOrTime,
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Waits::Sleep,
        other if only_for_time(other, &arguments) => Waits::Sleep,
        // A sleep that a signal has interrupted, and that goes on under another number.
        libc::SYS_restart_syscall if sleeps_on(process, task) => Waits::Sleep,
        other => Waits::Other(other.unsigned_abs()),
    })
}

/// Whether a task can only be woken by another one of its run: it waits without a time-out for a
/// child, for a thread (futex), or for what comes through a pipe; `fed` where its stdin is none
/// of these, as somebody else may write to it meanwhile.
pub fn never_by_itself(process: Id, task: Id, fed: bool) -> bool {
    let Some((number, arguments)) = waits_in(process, task) else { return false };
    let file = |number: u64| fs::read_link(format!("/proc/{process}/fd/{number}")).ok();
    match number {
        libc::SYS_wait4 | libc::SYS_waitid => true,
        libc::SYS_futex => arguments[3] == 0,
        libc::SYS_read => {
            let pipe = file(arguments[0]);
            pipe.as_ref().is_some_and(|to| to.to_string_lossy().starts_with("pipe:"))
                && !(fed && pipe == file(0))
        }
        _ => false,
    }
}

/// Whether a task waits in a call that was given a time-out.
pub fn has_time_out(process: Id, task: Id) -> bool {
    let Some((number, arguments)) = waits_in(process, task) else { return false };
    match number {
        libc::SYS_futex => arguments[3] != 0,
        // Milliseconds, and -1 for none.
        libc::SYS_epoll_pwait => arguments[3] & 0xffff_ffff != 0xffff_ffff,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => arguments[3] & 0xffff_ffff != 0xffff_ffff,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => arguments[2] & 0xffff_ffff != 0xffff_ffff,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => arguments[4] != 0,
        libc::SYS_ppoll => arguments[2] != 0,
        libc::SYS_pselect6 => arguments[4] != 0,
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => true,
        _ => false,
    }
}

/// Whether a task waits for what an epoll of its process has to tell, or, at a descriptor of its own,
/// for one TCP connection; neither when it runs, or waits for anything else.
pub fn waits_for_clients(process: Id, task: Id) -> Option<ForClients> {
    let (number, arguments) = waits_in(process, task)?;
    match number {
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => Some(ForClients::All),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => Some(ForClients::All),
        libc::SYS_read | libc::SYS_readv | libc::SYS_recvfrom | libc::SYS_recvmsg => {
            let fd = i32::try_from(arguments[0]).ok()?;
            peer(process, fd).map(|_| ForClients::One)
        }
        _ => None,
    }
}

/// For whom a task waits that serves clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForClients {
    /// For whoever is ready, in an epoll.
    All,
    /// For one of them, in a call that reads.
    One,
}

/// Whether the function of the kernel in which a task waits is that of a sleep.
fn sleeps_on(process: Id, task: Id) -> bool {
    function(process, task).is_some_and(|function| function.contains("nanosleep"))
}

/// The function of the kernel in which a task waits.
pub fn function(process: Id, task: Id) -> Option<String> {
    fs::read_to_string(format!("/proc/{process}/task/{task}/wchan")).ok()
}

/// Whether a call is a select or a poll of no descriptors with a time-out: so does Python before
/// 3.11 sleep.
pub(super) fn only_for_time(call: i64, arguments: &[u64; 6]) -> bool {
    let selects = [
        libc::SYS_pselect6,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select,
    ];
    let polls = [
        libc::SYS_ppoll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
    ];
    // poll's time-out is a number of milliseconds, that of the others is behind a pointer.
    let ends = |timeout: u64| timeout != 0 && timeout & 0xffff_ffff != 0xffff_ffff;
    selects.contains(&call) && arguments[0] == 0 && ends(arguments[4])
        || polls.contains(&call) && arguments[1] == 0 && ends(arguments[2])
}

/// Where the processes of a run listen for TCP connections.
pub fn listening(run: &State) -> Vec<SocketAddr> {
    let alive: BTreeSet<Id> = run.tasks.values().filter(|t| t.alive()).map(|t| t.process).collect();
    alive.into_iter().flat_map(listening_of).collect()
}

/// Bytes of the connection between two ports that wait at the first one's side: to be sent or to
/// be confirmed, and to be read.
pub fn waiting(here: u16, there: u16) -> (usize, usize) {
    // Of this thread: another one may have another network.
    let Ok(own) = Process::new(nix::unistd::gettid().as_raw()) else { return (0, 0) };
    let mut ends = [own.tcp(), own.tcp6()].into_iter().flatten().flatten();
    ends.find(|end| (end.local_address.port(), end.remote_address.port()) == (here, there))
        .map_or((0, 0), |end| (end.tx_queue as usize, end.rx_queue as usize))
}

/// Where one process listens for TCP connections: each of its sockets is asked itself. To look for
/// them in `/proc/net/tcp` takes milliseconds, however few there are.
pub fn listening_of(pid: Id) -> Vec<SocketAddr> {
    let listen = sockets_of(pid).into_iter().filter(listens);
    listen.filter_map(|socket| SockRef::from(&socket).local_addr().ok()?.as_socket()).collect()
}

/// Has the system keep little for each connection that will be accepted, to be sent and to be read:
/// these are soon full. How much it keeps by itself is different from machine to machine.
pub fn narrow(run: &State, bytes: usize) -> io::Result<()> {
    for listener in sockets(run).into_iter().filter(listens) {
        let listener = SockRef::from(&listener); // what it accepts inherits both
        listener.set_send_buffer_size(bytes)?;
        listener.set_recv_buffer_size(bytes)?;
    }
    Ok(())
}

/// Whether the run has taken the connection of this client, and read all that came through it.
pub fn has_read(run: &State, client: SocketAddr) -> bool {
    sockets(run).into_iter().any(|socket| {
        let socket = SockRef::from(&socket);
        let far = socket.peer_addr().ok().and_then(|far| far.as_socket());
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        let unread = || socket.recv_with_flags(&mut [MaybeUninit::uninit()], flags);
        far.is_some_and(|far| far.port() == client.port()) && !unread().is_ok_and(|count| count > 0)
    })
}

fn listens(socket: &OwnedFd) -> bool {
    getsockopt(socket, AcceptConn).unwrap_or(false)
}

/// Copies of the sockets that the processes of a run have open.
fn sockets(run: &State) -> Vec<OwnedFd> {
    let alive: BTreeSet<Id> = run.tasks.values().filter(|t| t.alive()).map(|t| t.process).collect();
    alive.into_iter().flat_map(sockets_of).collect()
}

/// Copies of the sockets that a process has open.
fn sockets_of(pid: Id) -> Vec<OwnedFd> {
    let descriptors = Process::new(pid).and_then(|process| process.fd());
    let (Ok(descriptors), Some(process)) = (descriptors, open_process(pid)) else {
        return Vec::new();
    };
    descriptors
        .flatten()
        .filter(|descriptor| matches!(descriptor.target, FDTarget::Socket(_)))
        .filter_map(|descriptor| copy_of(&process, descriptor.fd))
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

/// How many descriptors a process has open. They are listed, not asked for their number: in that is
/// also the one which `accept` has set aside while it waits.
pub fn descriptors(pid: Id) -> Option<usize> {
    Some(Process::new(pid).ok()?.fd().ok()?.count())
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
    use nix::sys::ptrace;
    use proptest::prelude::*;

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
    fn who_has_been_stopped_waits_for_nobody_else() {
        use std::process::{Command, Stdio};
        let mut cat = Command::new("cat");
        let cat = cat.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut cat = cat.expect("cat");
        let pid = nix::unistd::Pid::from_raw(Id::try_from(cat.id()).expect("a number"));
        let waits = || never_by_itself(pid.as_raw(), pid.as_raw(), false);
        while !waits() {
            std::thread::yield_now(); // it has not begun to read
        }
        ptrace::seize(pid, ptrace::Options::empty()).expect("a child may be traced");
        ptrace::interrupt(pid).expect("it is traced");
        nix::sys::wait::waitpid(pid, None).expect("it stops");
        assert!(!waits());
        assert_eq!(waits_for(pid.as_raw(), pid.as_raw()), None);
        ptrace::detach(pid, None).expect("it is stopped");
        drop(cat.stdin.take());
        assert!(cat.wait().expect("its end").success());
    }

    #[test]
    fn reads_the_registrations_of_an_epoll() {
        let line = "tfd:        5 events:       1d data: 5  pos:0 ino:8 sdev:8";
        let found = registered(line).expect("a registration");
        assert_eq!((found.fd, found.events), (5, 0x1d));
        assert!(registered("flags:\t02000002").is_none());
        assert!(registered("tfd: x events: 1").is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_line_of_fdinfo_is_a_registration_or_none(fd in any::<i32>(), events in any::<u32>(), text in ".*") {
            let line = format!("tfd: {fd:8} events: {events:8x} data: {text}");
            let found = registered(&line).expect("a registration");
            prop_assert_eq!((found.fd, found.events), (fd, events));
            prop_assert!(registered(&text).is_none_or(|_| text.starts_with("tfd:")));
        }
    }
}
