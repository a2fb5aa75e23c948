//! What is known of a run so far: who was born, who died, what was written, and who is held.
//!
//! The tracer and the reader of the output write here, the check that drives the run waits here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The kernel's number of a process or thread (`gettid(2)`).
pub type Id = i32;

/// What a task was born as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It has an address space or at least a process id of its own (fork, vfork, clone).
    Process,
    /// It shares the process of who made it (clone with `CLONE_THREAD`).
    Thread,
}

/// How a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It called `exit` with this status.
    Exit(i32),
    /// A signal ended it.
    Signal(i32),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Exit(status) => write!(f, "exit status {status}"),
            Ending::Signal(number) => match nix::sys::signal::Signal::try_from(*number) {
                Ok(signal) => write!(f, "signal {number} ({signal})"),
                Err(_) => write!(f, "signal {number}"),
            },
        }
    }
}

/// A process or a thread of the run, dead or alive. Times count from the start of the run.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its number; a process has that of its first thread.
    pub id: Id,
    /// The process that it belongs to; itself when it is one.
    pub process: Id,
    /// The task that made it; zero for the program itself.
    pub maker: Id,
    /// What it was born as.
    pub kind: Kind,
    /// The kernel's name of it when last looked at, at most 15 bytes.
    pub name: String,
    /// When it was born.
    pub born: Duration,
    /// When it ended.
    pub died: Option<Duration>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Whether those who wait for its end have been told: not before we have asked for it.
    pub told: bool,
    /// What it executed, the last of them.
    pub executed: Option<PathBuf>,
    /// When it executed what; only where the run is watched closely, as the next two.
    pub executions: Vec<(Duration, PathBuf)>,
    /// What the kernel had counted of it before it became the program: that is ours.
    pub before: Account,
    /// What the kernel had counted of it at its end.
    pub account: Option<Account>,
}

/// What the kernel counts of a task (`/proc/PID/task/TID/schedstat` and `status`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// The time for which it has run.
    pub ran: Duration,
    /// The time for which it could have run, and no processor was free.
    pub queued: Duration,
    /// How often it has gone to sleep by itself.
    pub slept: u64,
    /// How often a processor was taken from it.
    pub preempted: u64,
    /// The most memory that its process has held so far, in bytes.
    pub memory: u64,
}

/// A TCP connection that a task accepted or made; only where the run is watched closely.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose descriptor it is.
    pub process: Id,
    /// The task that accepted or made it.
    pub task: Id,
    /// The descriptor.
    pub fd: i32,
    /// What the kernel calls the socket, as `/proc/PID/fd` shows it.
    pub socket: PathBuf,
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// Whether it was accepted, not made.
    pub accepted: bool,
    /// When it came.
    pub from: Duration,
    /// When the descriptor was seen to be gone.
    pub to: Option<Duration>,
}

impl Task {
    /// Whether it is alive.
    pub fn alive(&self) -> bool {
        self.died.is_none()
    }
}

/// Which stream of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// A line that came out of the program.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was read.
    pub at: Duration,
    /// Where it was written.
    pub stream: Stream,
    /// Its bytes, without the newline.
    pub bytes: Vec<u8>,
    /// The task that is known to have written it.
    pub by: Option<Id>,
    /// When that task began to write it.
    pub written: Option<Duration>,
}

impl Line {
    /// Its text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A point at which the tracer can hold a task.
pub struct Moment<'a> {
    /// Who has come to it.
    pub task: Id,
    /// Its process.
    pub process: Id,
    /// Whether that is the program itself, not one of its descendants.
    pub root: bool,
    /// What it is about to do.
    pub what: Step<'a>,
}

/// What a task that could be held is about to do.
pub enum Step<'a> {
    /// To write these bytes (the first four thousand of them) to a stream.
    Write(Stream, &'a [u8]),
    /// To sleep for a time: it holds nothing then that others may need, such as a lock on stdout.
    Sleep,
    /// To end: it is still there, its memory and files are not yet given back.
    Exit,
}

/// Who is to be held.
pub type Gate = Arc<dyn Fn(&Moment) -> bool + Send + Sync>;

/// Why a run was ended before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// It ran longer than it was given.
    Time,
    /// Everybody in it waited for somebody else of it, so that it could never end.
    Still,
    /// It wrote more than is kept.
    Output,
    /// It had more processes and threads at once than it may.
    Tasks,
    /// Its processes held more memory than they may.
    Memory,
    /// Its processes had more descriptors open than they may.
    Descriptors,
    /// It made more files than it may.
    Files,
}

impl Cut {
    /// Whether it had not ended, and did nothing else that is forbidden.
    pub fn hangs(self) -> bool {
        matches!(self, Cut::Time | Cut::Still)
    }
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Cut::Time => "it did not end in the time it was given",
            Cut::Still => {
                "it would never have ended: all its processes and threads wait for one another"
            }
            Cut::Output => "it wrote more than it may",
            Cut::Tasks => "it made more processes or threads than it may",
            Cut::Memory => "it took more memory than it may",
            Cut::Descriptors => "it had more files and sockets open than it may",
            Cut::Files => "it made more files than it may",
        })
    }
}

/// Lines whose writers are looked for; a program that floods is not worth the search.
const ATTRIBUTED: usize = 4096;

/// A write that the tracer saw, and how much of it was found in lines already.
pub(super) struct Write {
    pub(super) at: Duration,
    pub(super) task: Id,
    pub(super) stream: Stream,
    pub(super) bytes: Vec<u8>,
    pub(super) used: usize,
}

/// All that is known of a run.
#[derive(Default)]
pub struct State {
    /// The time of day at which it began.
    pub began: Option<SystemTime>,
    /// Every process and thread that was ever born, by number, the latest with that number.
    pub tasks: BTreeMap<Id, Task>,
    /// Their numbers in the order of their births; the program itself comes first.
    pub births: Vec<Id>,
    /// The lines of both streams as they came.
    pub lines: Vec<Line>,
    /// The end of what was read of each stream and is no line yet, such as a question.
    pub begun: [Vec<u8>; 2],
    /// Bytes read from stdout and from stderr.
    pub read: u64,
    /// Who is held at this moment.
    pub held: Vec<Id>,
    /// How the program itself ended.
    pub ended: Option<Ending>,
    /// When the program itself ended.
    pub ended_at: Option<Duration>,
    /// Children of the program that had ended when it did, and that it had not waited for.
    pub zombies: Vec<Id>,
    /// Tasks that were still there a moment after the program had ended, and were then killed.
    pub survivors: Vec<Id>,
    /// Why it was cut short.
    pub cut: Option<Cut>,
    /// How often it was refused a local socket (`AF_UNIX`), which programs have where they can't reach
    /// those of others.
    pub refused: u64,
    /// Tasks whose number another one has got since.
    pub replaced: Vec<Task>,
    /// The connections that were seen to come.
    pub connections: Vec<Connection>,
    /// How often a task was stopped by the tracer, and how long the tracer took for all of that.
    pub stops: (u64, Duration),
    pub(super) writes: VecDeque<Write>,
    pub(super) gate: Option<Gate>,
    pub(super) release: Vec<Id>,
    /// How often those who were held have been let go.
    pub(super) openings: u64,
    /// When the gate was opened to all of them for the first time.
    pub opened: Option<Duration>,
    /// Processes that only bring the program into its box; they count for nothing.
    pub(super) helpers: BTreeSet<Id>,
    pub(super) doomed: bool,
    pub(super) traced: bool,
    pub(super) drained: bool,
    /// Until when all that was written has been read.
    pub(super) read_until: Duration,
    /// For how long the run could not go on for want of a processor, as far as somebody looked; when
    /// that was for the last time, and who was ready to run then, and had run for how long.
    pub(super) lost: Duration,
    pub(super) looked: Duration,
    pub(super) ready: BTreeMap<Id, Duration>,
    /// Our own threads without which nothing goes on in the run, or nothing is known of it: that of the
    /// tracer, and that of the reader. Which of them could not go on when that was looked at last, and
    /// how much of what was lost that is.
    pub(super) servants: Vec<Id>,
    pub(super) stuck: BTreeMap<Id, Duration>,
    pub(super) lost_by_us: Duration,
}

impl State {
    /// The program itself, once it runs.
    pub fn root(&self) -> Option<&Task> {
        self.births.first().map(|id| &self.tasks[id])
    }

    /// All tasks but the program's first, in the order of their births.
    pub fn made(&self) -> impl Iterator<Item = &Task> {
        self.births.iter().skip(1).map(|id| &self.tasks[id])
    }

    /// Whether all that was written before this moment has been read.
    pub fn has_been_read(&self, moment: Duration) -> bool {
        self.drained || self.read_until >= moment
    }

    /// The lines of one stream.
    pub fn lines_of(&self, stream: Stream) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.stream == stream)
    }

    /// Notes a write, to find the lines in it when they have come through the pipe.
    pub(super) fn saw(&mut self, write: Write) {
        if self.lines.len() < ATTRIBUTED && !write.bytes.is_empty() {
            self.writes.push_back(write);
        }
    }

    /// Whether all tasks have ended, and all that they have written has been read.
    pub fn over(&self) -> bool {
        !self.traced && self.drained
    }

    /// Which task wrote the line and when, as far as its bytes are found in the writes that were
    /// seen.
    pub(super) fn writer_of(&mut self, stream: Stream, line: &[u8]) -> Option<(Id, Duration)> {
        if self.lines.len() >= ATTRIBUTED {
            self.writes = VecDeque::new();
            return None;
        }
        let length = line.len();
        let line = &line[..length.min(256)];
        let writes = || self.writes.iter().enumerate().filter(|(_, w)| w.stream == stream);
        let whole = writes().find_map(|(index, write)| {
            let rest = &write.bytes[write.used..];
            let at = if line.is_empty() {
                rest.iter().position(|byte| *byte == b'\n')
            } else {
                rest.windows(line.len()).position(|window| window == line)
            };
            Some((index, (write.used + at? + length).min(write.bytes.len())))
        });
        // A line written in pieces belongs to whoever wrote its beginning.
        let (index, used) = whole.or_else(|| {
            writes().find_map(|(index, write)| {
                let rest = &write.bytes[write.used..];
                (!rest.is_empty() && line.starts_with(rest)).then_some((index, write.bytes.len()))
            })
        })?;
        let write = &mut self.writes[index];
        // The newline too, if it is in this write.
        write.used = used + usize::from(write.bytes.get(used) == Some(&b'\n'));
        let written = (write.task, write.at);
        if write.used >= write.bytes.len() {
            self.writes.remove(index);
        }
        Some(written)
    }
}

/// The state of a run between the threads that know of it.
pub struct Log {
    state: Mutex<State>,
    changed: Condvar,
    started: Instant,
}

impl Log {
    pub(super) fn new(gate: Option<Gate>) -> Arc<Log> {
        let state = State { gate, began: Some(SystemTime::now()), ..State::default() };
        Arc::new(Log { state: Mutex::new(state), changed: Condvar::new(), started: Instant::now() })
    }

    /// The time since the start of the run.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The state, to be looked at; nothing happens in the log meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held the lock has left plain data behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `seen` finds what it looks for, at most until `deadline` (time of the run).
    pub fn until<T>(
        &self,
        deadline: Duration,
        mut seen: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(found) = seen(&state) {
                return Some(found);
            }
            let left = deadline.checked_sub(self.now())?;
            state =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
