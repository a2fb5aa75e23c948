//! What every task of a run does between its birth and its end, as far as looking at it now and then
//! tells.
//!
//! The kernel counts for each task the time for which it has run and the time for which it waited
//! for a processor (`schedstat`), so what is between two looks is known in sum; only where in it
//! the task ran is not. Whoever has not run at all since the last look has waited all the time, in
//! the call in which it was seen.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use nix::libc;
use nix::time::{ClockId, clock_gettime};

use super::kernel;
use super::log::{Account, Connection, Id, Kind, Log, Task};

/// What a task that does not run waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wait {
    /// For time to pass.
    Sleep,
    /// For a child to end.
    Child,
    /// For a thread of its process to end.
    Join,
    /// For another task, at a lock, a condition or a channel.
    Futex,
    /// For a connection to accept.
    Accept,
    /// For one of many descriptors to be ready, in an epoll.
    Epoll,
    /// The same in a poll or a select.
    Poll,
    /// For something to read.
    Read(Object),
    /// For room to write.
    Write(Object),
    /// For a connection that it makes.
    Connect,
    /// For the lock of a file.
    FileLock,
    /// For a signal.
    Signal,
    /// For a disk, or for memory that has to be fetched.
    Disk,
    /// It is stopped by a signal.
    Stopped,
    /// In another system call.
    Call(i64),
}

/// What is read or written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Object {
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A terminal.
    Terminal,
    /// Anything else.
    File,
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let object = |object: &Object| match object {
            Object::Pipe => " pipe",
            Object::Socket => " socket",
            Object::Terminal => " terminal",
            Object::File => "",
        };
        match self {
            Wait::Sleep => f.write_str("sleep"),
            Wait::Child => f.write_str("wait for child"),
            Wait::Join => f.write_str("join"),
            Wait::Futex => f.write_str("futex"),
            Wait::Accept => f.write_str("accept"),
            Wait::Epoll => f.write_str("epoll"),
            Wait::Poll => f.write_str("poll"),
            Wait::Read(what) => write!(f, "read{}", object(what)),
            Wait::Write(what) => write!(f, "write{}", object(what)),
            Wait::Connect => f.write_str("connect"),
            Wait::FileLock => f.write_str("file lock"),
            Wait::Signal => f.write_str("signal"),
            Wait::Disk => f.write_str("disk"),
            Wait::Stopped => f.write_str("stopped"),
            Wait::Call(number) => match COMMON.iter().find(|(common, _)| common == number) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "system call {number}"),
            },
        }
    }
}

/// Calls that are no waiting in themselves, and in which one may be seen nevertheless.
const COMMON: &[(i64, &str)] = &[
    (libc::SYS_clone, "clone"),
    (libc::SYS_clone3, "clone"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_fork, "fork"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_vfork, "vfork"),
    (libc::SYS_execve, "execve"),
    (libc::SYS_exit_group, "exit"),
    (libc::SYS_exit, "exit"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_mmap, "mmap"),
    (libc::SYS_munmap, "munmap"),
    (libc::SYS_mprotect, "mprotect"),
    (libc::SYS_ioctl, "ioctl"),
    (libc::SYS_sched_yield, "sched_yield"),
    (libc::SYS_shutdown, "shutdown"),
];

/// The time between two looks at a task.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Piece {
    /// When it begins.
    pub from: Duration,
    /// When it ends.
    pub to: Duration,
    /// How long the task ran in it.
    pub ran: Duration,
    /// How long it could have run, and no processor was free.
    pub queued: Duration,
    /// What it waited for in the rest, as far as it was seen.
    pub wait: Option<Wait>,
    /// Whether at its end it ran or could have run: then what is counted later may belong to it.
    busy_at_end: bool,
}

impl Piece {
    /// Time that is not accounted for by running, and not by waiting for a processor.
    pub fn rest(&self) -> Duration {
        self.to.saturating_sub(self.from).saturating_sub(self.ran + self.queued)
    }
}

/// What was seen at one look.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Seen {
    /// Nothing: it has just been born, or it is in the hands of the tracer.
    Nothing,
    /// It runs, or could.
    Busy,
    Waits(Wait),
}

/// How often was looked, and what that took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks {
    /// How often.
    pub count: u32,
    /// The shortest time between two looks.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
    /// Processor time that all of them took.
    pub took: Duration,
}

/// Looks at all tasks of a run whenever it is told to.
#[derive(Default)]
pub struct Sampler {
    /// By number and birth: numbers come again.
    courses: BTreeMap<(Id, Duration), Course>,
    alive: Vec<(Id, Duration)>,
    births: usize,
    last: Duration,
    sockets_last: Duration,
    /// What it has done so far.
    pub looks: Looks,
}

/// Tasks whose files are kept open: two descriptors each, of the 1024 that a process may have.
const KEPT_OPEN: usize = 200;

/// How often the descriptors of connections are looked at.
const SOCKETS: Duration = Duration::from_millis(2);

impl Sampler {
    /// Looks at everybody who is alive.
    pub fn look(&mut self, log: &Log) {
        let before = processor_time();
        let now = log.now();
        {
            let state = log.lock();
            for id in &state.births[self.births..] {
                let task = &state.tasks[id];
                let keep_open = self.alive.len() < KEPT_OPEN;
                self.alive.push((*id, task.born));
                self.courses.insert((*id, task.born), Course::new(task, keep_open));
            }
            self.births = state.births.len();
            let lives = |key: &(Id, Duration)| {
                state.tasks.get(&key.0).is_some_and(|task| task.born == key.1 && task.alive())
            };
            self.alive.retain(|key| {
                let lives = lives(key);
                if !lives && let Some(course) = self.courses.get_mut(key) {
                    course.files = None;
                }
                lives
            });
        }
        for key in &self.alive {
            if let Some(course) = self.courses.get_mut(key) {
                course.look(key.0, log);
            }
        }
        if now >= self.sockets_last + SOCKETS {
            look_at_connections(log);
            self.sockets_last = now;
        }
        let looks = &mut self.looks;
        if looks.count > 0 {
            let gap = now.saturating_sub(self.last);
            looks.longest = looks.longest.max(gap);
            looks.shortest = if looks.count == 1 { gap } else { looks.shortest.min(gap) };
        }
        self.last = now;
        looks.count += 1;
        looks.took += processor_time().saturating_sub(before);
    }

    /// How long to wait until the next look. A picture is some hundred columns wide, however long
    /// the run: so the longer it has gone on, the less often one has to look. And looking must not
    /// take much, a hundredth of the time or so.
    pub fn pause(&self, now: Duration) -> Duration {
        const SHORTEST: Duration = Duration::from_micros(200);
        const LONGEST: Duration = Duration::from_millis(10);
        let took = self.looks.took / self.looks.count.max(1);
        // The first moments are worth more: whole programs fit into them.
        let times = match now {
            now if now < Duration::from_millis(20) => 3,
            now if now < Duration::from_millis(100) => 20,
            _ => 80,
        };
        let fine_enough = (now / 1000).min(LONGEST.max(now / 6000));
        fine_enough.max(took * times).max(SHORTEST)
    }

    /// What a task was called when it was looked at; nothing, if it never was.
    pub fn name(&self, task: &Task) -> Option<&str> {
        self.courses.get(&(task.id, task.born))?.name.as_deref()
    }

    /// What a task did, in a run that is over.
    pub fn pieces(&self, task: &Task) -> Vec<Piece> {
        let key = (task.id, task.born);
        let mut course = Course::new(task, false);
        if let Some(seen) = self.courses.get(&key) {
            course = Course { pieces: seen.pieces.clone(), files: None, name: None, ..*seen };
        }
        if let (Some(Account { ran, queued, .. }), Some(died)) = (task.account, task.died) {
            course.goes_on(died, ran, queued, Seen::Nothing);
        }
        course.pieces
    }
}

/// Notes which connections have gone. One whose process has closed it may live on in another one,
/// such as the child that serves it.
fn look_at_connections(log: &Log) {
    let open: Vec<(usize, Connection)> = {
        let state = log.lock();
        let all = state.connections.iter().cloned().enumerate();
        all.filter(|(_, connection)| connection.to.is_none()).collect()
    };
    for (index, connection) in open {
        let Connection { process, fd, socket, .. } = connection;
        if kernel::descriptor(process, fd).is_some_and(|now| now == socket) {
            continue;
        }
        let others: Vec<Id> = {
            let state = log.lock();
            let others = state.tasks.values().filter(|task| task.alive());
            others.filter(|t| t.kind == Kind::Process && t.id != process).map(|t| t.id).collect()
        };
        let heir = others.into_iter().find(|other| {
            kernel::descriptor(*other, fd).is_some_and(|descriptor| descriptor == socket)
        });
        let now = log.now();
        log.change(|state| {
            let connection = &mut state.connections[index];
            match heir {
                Some(heir) => connection.process = heir,
                None => connection.to = Some(now),
            }
        });
    }
}

/// What was seen of one task so far.
struct Course {
    process: Id,
    pieces: Vec<Piece>,
    /// The end of the last piece, and what had been counted by then.
    at: Duration,
    ran: Duration,
    queued: Duration,
    /// How often it had got a processor.
    turns: u64,
    seen: Seen,
    /// How often it was looked at, and the name that it had at one of the last times.
    looks: u32,
    name: Option<String>,
    /// Its `schedstat` and `syscall`, while they are kept open.
    files: Option<(File, File)>,
}

impl Course {
    fn new(task: &Task, keep_open: bool) -> Course {
        let open = |name| File::open(format!("/proc/{}/task/{}/{name}", task.process, task.id));
        let files = || Some((open("schedstat").ok()?, open("syscall").ok()?));
        Course {
            process: task.process,
            pieces: Vec::new(),
            at: task.born,
            ran: task.before.ran,
            queued: task.before.queued,
            turns: 0,
            seen: Seen::Nothing,
            looks: 0,
            name: None,
            files: if keep_open { files() } else { None },
        }
    }

    fn look(&mut self, id: Id, log: &Log) {
        let mut buffer = [0; 256];
        let schedstat = self.files.as_ref().map(|(schedstat, _)| schedstat);
        let Some(text) = text_of(schedstat, self.process, id, "schedstat", &mut buffer) else {
            return;
        };
        let mut figures = text.split_whitespace().map_while(|word| word.parse().ok());
        let (Some(ran), Some(queued), Some(turns)) =
            (figures.next(), figures.next(), figures.next())
        else {
            return;
        };
        let (ran, queued) = (Duration::from_nanos(ran), Duration::from_nanos(queued));
        self.looks += 1;
        if self.looks.is_power_of_two() {
            self.name = kernel::name(id);
        }
        let at = log.now();
        let waited_on = matches!(self.seen, Seen::Waits(_)) && turns == self.turns;
        let seen = if waited_on { self.seen } else { self.see(id) };
        self.turns = turns;
        self.goes_on(at, ran, queued, seen);
    }

    /// Adds the piece up to now.
    fn goes_on(&mut self, to: Duration, ran: Duration, queued: Duration, seen: Seen) {
        let waits = |seen| match seen {
            Seen::Waits(wait) => Some(wait),
            _ => None,
        };
        let mut piece = Piece {
            from: self.at,
            to: to.max(self.at),
            ran: ran.saturating_sub(self.ran),
            queued: queued.saturating_sub(self.queued),
            wait: waits(seen).or(waits(self.seen)),
            busy_at_end: seen == Seen::Busy,
        };
        (self.at, self.ran, self.queued, self.seen) = (piece.to, ran, queued, seen);
        // The kernel counts at the clock's tick and when another task gets the processor, so what
        // it counts now may have been earlier.
        let length = piece.to.saturating_sub(piece.from);
        let mut too_much_ran = piece.ran.saturating_sub(length);
        piece.ran -= too_much_ran;
        let mut too_much_queued = piece.queued.saturating_sub(length.saturating_sub(piece.ran));
        piece.queued -= too_much_queued;
        for before in self.pieces.iter_mut().rev().take_while(|piece| piece.busy_at_end) {
            let ran = too_much_ran.min(before.rest());
            before.ran += ran;
            too_much_ran -= ran;
            let queued = too_much_queued.min(before.rest());
            before.queued += queued;
            too_much_queued -= queued;
            if too_much_ran.is_zero() && too_much_queued.is_zero() {
                break;
            }
        }
        let quiet = |piece: &Piece| {
            piece.ran.is_zero()
                && piece.queued.is_zero()
                && piece.wait.is_some()
                && !piece.busy_at_end
        };
        match self.pieces.last_mut() {
            Some(last) if quiet(last) && quiet(&piece) && last.wait == piece.wait => {
                last.to = piece.to;
            }
            _ => self.pieces.push(piece),
        }
    }

    /// What it does at this moment.
    fn see(&self, id: Id) -> Seen {
        let mut buffer = [0; 256];
        let syscall = self.files.as_ref().map(|(_, syscall)| syscall);
        let Some(text) = text_of(syscall, self.process, id, "syscall", &mut buffer) else {
            return Seen::Nothing;
        };
        let mut words = text.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let Some(number) = number else {
            return if text.starts_with("running") { Seen::Busy } else { Seen::Nothing };
        };
        let mut arguments = [0; 6];
        for (argument, word) in arguments.iter_mut().zip(words) {
            *argument = u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(0);
        }
        wait_in(self.process, id, number, &arguments)
    }
}

/// A file of a task in /proc, read from its beginning.
fn text_of<'a>(
    open: Option<&File>,
    process: Id,
    id: Id,
    name: &str,
    buffer: &'a mut [u8; 256],
) -> Option<&'a str> {
    let read = match open {
        Some(file) => file.read_at(buffer, 0),
        None => File::open(format!("/proc/{process}/task/{id}/{name}"))
            .and_then(|file| file.read_at(buffer, 0)),
    };
    std::str::from_utf8(&buffer[..read.ok()?]).ok()
}

/// What a task waits for that is in this system call; -1 is none.
fn wait_in(process: Id, id: Id, number: i64, arguments: &[u64; 6]) -> Seen {
    let object = || match kernel::descriptor(process, i32::try_from(arguments[0]).unwrap_or(-1)) {
        Some(file) => {
            let file = file.to_string_lossy();
            if file.starts_with("pipe:") {
                Object::Pipe
            } else if file.starts_with("socket:") {
                Object::Socket
            } else if file.starts_with("/dev/pts/") || file.starts_with("/dev/tty") {
                Object::Terminal
            } else {
                Object::File
            }
        }
        None => Object::File,
    };
    Seen::Waits(match number {
        -1 => match state_of(process, id) {
            Some('D') => Wait::Disk,
            Some('T') => Wait::Stopped,
            Some('R') => return Seen::Busy,
            _ => return Seen::Nothing,
        },
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Wait::Sleep,
        libc::SYS_restart_syscall => match kernel::function(process, id) {
            Some(name) if name.contains("nanosleep") => Wait::Sleep,
            Some(name) if name.contains("futex") => Wait::Futex,
            _ => Wait::Poll,
        },
        libc::SYS_wait4 | libc::SYS_waitid => Wait::Child,
        libc::SYS_futex if joins(process, id, arguments) => Wait::Join,
        libc::SYS_futex => Wait::Futex,
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => Wait::Epoll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => Wait::Epoll,
        other if kernel::only_for_time(other, arguments) => Wait::Sleep,
        libc::SYS_ppoll | libc::SYS_pselect6 => Wait::Poll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll | libc::SYS_select => Wait::Poll,
        libc::SYS_read
        | libc::SYS_readv
        | libc::SYS_pread64
        | libc::SYS_recvfrom
        | libc::SYS_recvmsg => Wait::Read(object()),
        // The tracer stops it at all calls from here on: that is no waiting.
        _ if state_of(process, id) == Some('t') => return Seen::Nothing,
        libc::SYS_accept | libc::SYS_accept4 => Wait::Accept,
        libc::SYS_write
        | libc::SYS_writev
        | libc::SYS_pwrite64
        | libc::SYS_sendto
        | libc::SYS_sendmsg => Wait::Write(object()),
        libc::SYS_connect => Wait::Connect,
        libc::SYS_flock | libc::SYS_fcntl => Wait::FileLock,
        libc::SYS_rt_sigsuspend | libc::SYS_rt_sigtimedwait => Wait::Signal,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_pause => Wait::Signal,
        other => Wait::Call(other),
    })
}

/// Whether a futex is that of a thread's end: the C library keeps the thread's number in it.
fn joins(process: Id, id: Id, arguments: &[u64; 6]) -> bool {
    let operation = arguments[1] & 0x7f;
    let waits = operation == libc::FUTEX_WAIT as u64 || operation == libc::FUTEX_WAIT_BITSET as u64;
    let awaited = arguments[2] & 0xffff_ffff;
    waits
        && awaited > 2
        && awaited != u64::from(id.unsigned_abs())
        && fs::exists(format!("/proc/{process}/task/{awaited}")).unwrap_or(false)
}

/// The letter of its state, as `ps` shows it.
fn state_of(process: Id, id: Id) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{process}/task/{id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Processor time that this thread has used.
pub fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn course() -> Course {
        Course {
            process: 1,
            pieces: Vec::new(),
            at: ms(0),
            ran: ms(0),
            queued: ms(0),
            turns: 0,
            seen: Seen::Nothing,
            looks: 0,
            name: None,
            files: None,
        }
    }

    #[test]
    fn what_the_kernel_counts_at_a_tick_is_given_back_to_where_it_was() {
        let mut course = course();
        for at in 1..4 {
            course.goes_on(ms(at), ms(0), ms(0), Seen::Busy);
        }
        course.goes_on(ms(4), ms(3), ms(1), Seen::Busy);
        let ran: Duration = course.pieces.iter().map(|piece| piece.ran).sum();
        assert_eq!(ran, ms(3));
        let queued: Duration = course.pieces.iter().map(|piece| piece.queued).sum();
        assert_eq!(queued, ms(1));
        assert!(course.pieces.iter().all(|piece| piece.rest().is_zero()), "{:?}", course.pieces);
    }

    #[test]
    fn who_waits_on_is_one_piece() {
        let mut course = course();
        course.goes_on(ms(1), ms(1), ms(0), Seen::Waits(Wait::Sleep));
        for at in 2..100 {
            course.goes_on(ms(at), ms(1), ms(0), Seen::Waits(Wait::Sleep));
        }
        assert_eq!(course.pieces.len(), 2);
        assert_eq!(course.pieces[1].to, ms(99));
        assert_eq!(course.pieces[1].wait, Some(Wait::Sleep));
    }

    #[test]
    fn a_look_at_this_very_thread_finds_it_busy_and_its_sleep_a_sleep() {
        let me = Id::try_from(std::process::id()).expect("a number");
        assert_eq!(wait_in(me, me, libc::SYS_clock_nanosleep, &[0; 6]), Seen::Waits(Wait::Sleep));
        assert_eq!(
            wait_in(me, me, libc::SYS_read, &[u64::MAX; 6]),
            Seen::Waits(Wait::Read(Object::File))
        );
    }
}
