//! The lifecycle tracer: sees every process and thread of a program from birth to death.
//!
//! The program is attached to with `PTRACE_SEIZE` before it executes, with the options that report
//! births, executions and ends only; together with the [filter](super::filter) it is stopped at
//! these, at its writes to stdout and stderr and before it sleeps, and nowhere else. Tasks that it makes are attached
//! by the kernel before they run their first instruction, daemons included. If this process dies, the
//! kernel ends them all (`PTRACE_O_EXITKILL`). See `ptrace(2)`.
//!
//! All of it happens in one thread per run: only the thread that attached may give orders, and
//! `__WNOTHREAD` keeps runs that go on at the same time out of each other's reports.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io::{PipeWriter, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, dup2_stdout, gettid};
use seccompiler::BpfProgram;

use super::isolation::Entry;
use super::limits::Limits;
use super::log::{
    Account, Connection, Cut, Ending, Id, Kind, Log, Moment, Step, Stream, Task, Write,
};
use super::{NotExecuted, NotTraced, kernel};

/// How often the orders are looked at while somebody is held.
const WHILE_HELD: Duration = Duration::from_micros(200);

/// How a stop at the end of a system call is told from one by SIGTRAP (`PTRACE_O_TRACESYSGOOD`).
const END_OF_A_CALL: i32 = libc::SIGTRAP | 0x80;

/// How much of a write is kept to find its lines again.
const KEPT_OF_A_WRITE: usize = 4096;

/// What is executed: path, arguments and environment, ready to be handed to `execve(2)`.
pub(super) struct Executable {
    path: CString,
    words: Vec<CString>,
    environment: Vec<CString>,
}

impl Executable {
    pub(super) fn new(
        command: &[OsString],
        environment: &BTreeMap<OsString, OsString>,
    ) -> Result<Executable> {
        let word = |text: &OsStr| {
            CString::new(text.as_bytes())
                .with_context(|| format!("a NUL in the argument {}", text.display()))
        };
        let path = command.first().context("no program to run")?;
        let pair = |(name, value): (&OsString, &OsString)| {
            let mut pair = name.clone();
            pair.push("=");
            pair.push(value);
            word(&pair)
        };
        Ok(Executable {
            path: word(path)?,
            words: command.iter().map(|text| word(text)).collect::<Result<_>>()?,
            environment: environment.iter().map(pair).collect::<Result<_>>()?,
        })
    }
}

/// A path as system calls take it.
pub(super) fn path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).context("a NUL in a path")
}

/// How a child becomes the program.
pub(super) struct Way {
    pub(super) executable: Executable,
    /// How many executions come before the program's own, as it is brought into its box.
    pub(super) executions: usize,
    pub(super) entry: Entry,
    pub(super) filter: Option<BpfProgram>,
    /// What its stdout goes to. Opened by the child: were it open in this process, each of our other
    /// children would hold it for a moment, and a program that somebody can write to is not executed.
    pub(super) result: Option<CString>,
    pub(super) limits: Limits,
    /// Whether to note what only a picture needs.
    pub(super) closely: bool,
}

/// Starts a program under a tracer of its own; returns when it has been executed. `stage` brings
/// its working directory and its descriptors; what is run is the executable of `way`.
pub(super) fn start(mut stage: Command, way: Way, log: Arc<Log>) -> Result<Child> {
    let Way { executable, executions, entry, filter, result, limits, closely } = way;
    let (mut child_says, mut say) = std::io::pipe()?;
    let (mut hear, mut tell_child) = std::io::pipe()?;
    let name = executable.path.to_string_lossy().into_owned();
    let (ours, theirs) = (tell_child.as_raw_fd(), child_says.as_raw_fd());
    let prepare = move || {
        // In the child, between fork and exec: system calls only, no allocation.
        say.write_all(&std::process::id().to_ne_bytes())?;
        // Our copies of the parent's ends, or there would never be an end of file for us.
        nix::unistd::close(ours)?;
        nix::unistd::close(theirs)?;
        // End of file instead of a byte: the grader has gone meanwhile.
        hear.read_exact(&mut [0])?;
        super::keep_own_descriptors();
        if let Some(result) = &result {
            let file = open(result.as_c_str(), OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
            dup2_stdout(&file)?;
        }
        limits.apply()?;
        entry.enter()?;
        if let Some(filter) = &filter {
            seccompiler::apply_filter(filter).map_err(|_| std::io::Error::last_os_error())?;
        }
        execute(&executable, &mut say)
    };
    // SAFETY: `prepare` only makes system calls, which is what a child of a process with threads
    // may do before it executes.
    #[allow(unsafe_code)]
    unsafe {
        stage.pre_exec(prepare);
    }
    // `spawn` returns only after the execution, and the child executes only when it is attached:
    // so one thread spawns and another attaches.
    let starter = thread::Builder::new().name("starter".into()).spawn(move || {
        let child = super::starting(|| stage.spawn());
        drop(stage); // with it our copies of the child's ends of the pipes
        child
    })?;
    let (executed, has_executed) = mpsc::channel();
    thread::Builder::new().name("tracer".into()).spawn(move || {
        let attached = (|| -> Result<i32> {
            let mut pid = [0; 4];
            child_says.read_exact(&mut pid).context("fork")?;
            let root = i32::from_ne_bytes(pid);
            let events = Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE
                | Options::PTRACE_O_TRACEEXEC
                | Options::PTRACE_O_TRACEEXIT
                | Options::PTRACE_O_TRACESECCOMP
                | Options::PTRACE_O_TRACESYSGOOD
                | Options::PTRACE_O_EXITKILL;
            ptrace::seize(Pid::from_raw(root), events).map_err(NotTraced)?;
            tell_child.write_all(&[0]).context("start")?;
            Ok(root)
        })();
        let root = match attached {
            Ok(root) => root,
            Err(error) => return drop(executed.send(Err(error))),
        };
        log.change(|state| {
            state.traced = true;
            state.servants.push(gettid().as_raw());
        });
        let mut tracer = Tracer {
            log: &log,
            root,
            executions,
            executed: false,
            held: BTreeSet::new(),
            unclaimed: BTreeSet::new(),
            closely,
            connecting: BTreeMap::new(),
            stops_of: BTreeMap::new(),
            stops: (0, Duration::ZERO),
        };
        tracer.follow(limits.tasks, &executed);
        let stops = tracer.stops;
        log.change(|state| {
            state.traced = false;
            state.stops = stops;
            state.held.clear();
        });
        if !tracer.executed {
            let mut number = [0; 4];
            let why = match child_says.read_exact(&mut number) {
                Ok(()) => std::io::Error::from_raw_os_error(i32::from_ne_bytes(number)).to_string(),
                Err(_) => "it ended before it was executed".into(),
            };
            let _ = executed.send(Err(NotExecuted { name, why }.into()));
        }
    })?;
    // The child's numbers are pipes already; that it has become the program, only the tracer sees.
    let executed = has_executed.recv().context("the tracer has gone")?;
    let child = starter.join().map_err(|_| anyhow!("the program could not be started"))?;
    if executions > 0
        && executed.is_err()
        && let Ok(mut box_of) = child
    {
        return Err(not_boxed(&mut box_of));
    }
    executed?;
    Ok(child?)
}

/// Why there was no execution of the program, in the words of who should have executed it.
fn not_boxed(child: &mut Child) -> anyhow::Error {
    let mut words = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.read_to_string(&mut words);
    }
    let line = words.lines().next_back().unwrap_or("it ended before it was executed");
    for before in ["bwrap: execvp ", "setpriv: failed to execute "] {
        if let Some((name, why)) = line.strip_prefix(before).and_then(|rest| rest.rsplit_once(": "))
        {
            return NotExecuted { name: name.into(), why: why.into() }.into();
        }
    }
    anyhow!("{line}")
}

/// Becomes the program, or says why not and ends. Not left to the standard library: when it fails
/// there, the parent waits for the child, and would take the tracer's reports.
fn execute(executable: &Executable, say: &mut PipeWriter) -> std::io::Result<()> {
    /// Pointers to at most this many words: no allocation is possible here.
    const WORDS: usize = 512;
    let pointers = |words: &[CString]| {
        let mut pointers = [std::ptr::null(); WORDS + 1];
        for (pointer, word) in pointers.iter_mut().take(WORDS).zip(words) {
            *pointer = word.as_ptr();
        }
        pointers
    };
    if executable.words.len() > WORDS {
        return Err(std::io::Error::from(Errno::E2BIG));
    }
    let (words, environment) = (pointers(&executable.words), pointers(&executable.environment));
    // SAFETY: both arrays end with a null pointer, and the strings live in `executable`.
    #[allow(unsafe_code)]
    unsafe {
        libc::execve(executable.path.as_ptr(), words.as_ptr(), environment.as_ptr());
        let _ = say.write_all(&Errno::last_raw().to_ne_bytes());
        libc::_exit(127)
    }
}

struct Tracer<'a> {
    log: &'a Log,
    /// The process that becomes the program.
    root: Id,
    /// Executions that are still to come before the program's own.
    executions: usize,
    /// Whether the program itself has been executed; what comes before is ours, not its.
    executed: bool,
    held: BTreeSet<Id>,
    /// Tasks that have been seen, and that nobody has reported to have made.
    unclaimed: BTreeSet<Id>,
    /// Whether to note what only a picture needs.
    closely: bool,
    /// Who is in a call that may bring a connection: the descriptor, where the call names it.
    connecting: BTreeMap<Id, Option<i32>>,
    /// How many stops there were, and how long they took.
    stops: (u64, Duration),
    /// How many of each task: to the kernel each of them is a sleep.
    stops_of: BTreeMap<Id, u64>,
}

impl Tracer<'_> {
    /// Handles stop after stop until nobody is left.
    fn follow(&mut self, most_tasks: usize, executed: &Sender<Result<()>>) {
        let mut told = false;
        loop {
            self.let_go();
            if self.executed && !told {
                told = executed.send(Ok(())).is_ok();
            }
            let flags = libc::__WALL
                | libc::__WNOTHREAD
                | if self.held.is_empty() { 0 } else { libc::WNOHANG };
            let mut status = 0;
            // SAFETY: waitpid writes one integer, to a place that is ours. Not nix's wrapper, which
            // cannot express real-time signals and loses the report.
            #[allow(unsafe_code)]
            let task = unsafe { libc::waitpid(-1, &raw mut status, flags) };
            match task {
                -1 if Errno::last() == Errno::EINTR => {}
                -1 => return, // ECHILD: the last one has ended
                0 => thread::sleep(WHILE_HELD),
                task => {
                    let begun = self.log.now();
                    self.stopped(task, status, most_tasks);
                    self.stops.0 += 1;
                    self.stops.1 += self.log.now().saturating_sub(begun);
                }
            }
        }
    }

    /// Continues whoever was held and need not be any longer.
    fn let_go(&mut self) {
        if self.held.is_empty() {
            return;
        }
        // Nobody is told of that: often there is nothing to tell.
        let (free, doomed) = {
            let mut state = self.log.lock();
            if state.doomed {
                state.held.clear();
            }
            (std::mem::take(&mut state.release), state.doomed)
        };
        if doomed {
            // A process in the middle of its end does not hear a signal any more, SIGKILL included:
            // it has to be let go on. The others are killed before they go anywhere.
            for task in std::mem::take(&mut self.held) {
                let process = self.log.lock().tasks.get(&task).map_or(task, |task| task.process);
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
                resume(task, 0);
            }
        }
        for task in free {
            if self.held.remove(&task) {
                self.log.change(|state| state.held.retain(|id| *id != task));
                resume(task, 0);
            }
        }
    }

    fn stopped(&mut self, task: Id, status: i32, most_tasks: usize) {
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            self.gone(task, status);
            return;
        }
        if self.is_helper(task, status) {
            return;
        }
        if self.closely {
            *self.stops_of.entry(task).or_default() += 1;
        }
        let signal = libc::WSTOPSIG(status);
        if self.log.lock().doomed {
            let process = self.born(task, None, most_tasks);
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        match status >> 16 {
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                if let Ok(child) = ptrace::getevent(Pid::from_raw(task)) {
                    self.born(as_id(child), Some(task), most_tasks);
                }
                resume(task, 0);
            }
            libc::PTRACE_EVENT_EXEC => {
                self.execs(task);
                resume(task, 0);
            }
            libc::PTRACE_EVENT_SECCOMP => {
                let Some((number, arguments)) = call_of(task) else {
                    return resume(task, 0);
                };
                match number {
                    libc::SYS_accept | libc::SYS_accept4 => {
                        self.connecting.insert(task, None);
                        resume_to_the_end_of_the_call(task);
                    }
                    libc::SYS_connect => {
                        self.connecting.insert(task, i32::try_from(arguments[0]).ok());
                        resume_to_the_end_of_the_call(task);
                    }
                    libc::SYS_write | libc::SYS_writev => {
                        let (stream, bytes) = self.sees_write(task, number, arguments);
                        self.hold_or_resume(task, Some(Step::Write(stream, &bytes)));
                    }
                    libc::SYS_socket | libc::SYS_socketpair => self.refuses(task),
                    _ => self.hold_or_resume(task, Some(Step::Sleep)),
                }
            }
            0 if signal == END_OF_A_CALL => {
                self.connects(task);
                resume(task, 0);
            }
            libc::PTRACE_EVENT_EXIT => self.exits(task),
            // A newborn's first stop, or a stop by a job control signal: it stays stopped until
            // SIGCONT, as it would without a tracer.
            libc::PTRACE_EVENT_STOP => {
                self.born(task, None, most_tasks);
                if matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) {
                    listen(task);
                } else {
                    resume(task, 0);
                }
            }
            // A signal on its way: deliver it.
            _ => resume(task, signal),
        }
    }

    /// Whether a task only brings the program into its box: until the program is executed all are
    /// such, and they stay so. They are let go on whatever they do.
    fn is_helper(&mut self, task: Id, status: i32) -> bool {
        let executes = status >> 16 == libc::PTRACE_EVENT_EXEC;
        if !self.executed && executes && self.executions == 0 {
            self.log.change(|state| state.helpers.remove(&task));
            self.root = task;
            return false;
        }
        if self.executed && !self.log.lock().helpers.contains(&task) {
            return false;
        }
        let doomed = self.log.change(|state| {
            state.helpers.insert(task);
            state.doomed
        });
        if doomed {
            let _ = kill(Pid::from_raw(task), Signal::SIGKILL);
        }
        self.executions -= usize::from(!self.executed && executes);
        let signal = if status >> 16 == 0 { libc::WSTOPSIG(status) } else { 0 };
        resume(task, signal);
        true
    }

    /// Notes a new task, once, whichever report of it comes first; returns its process.
    fn born(&mut self, id: Id, maker: Option<Id>, most: usize) -> Id {
        // A task's own first stop may come before its maker reports it; it may even be dead by then.
        let late = maker.is_some() && self.unclaimed.remove(&id);
        let mut state = self.log.lock();
        if let Some(task) = state.tasks.get_mut(&id).filter(|task| task.alive() || late) {
            if let Some(maker) = maker {
                task.maker = maker;
            }
            return task.process;
        }
        drop(state);
        if maker.is_none() {
            self.unclaimed.insert(id);
        }
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim_start_matches(':').trim().parse().ok()
        };
        let process = field("Tgid").unwrap_or(id);
        let task = Task {
            id,
            process,
            maker: maker.or_else(|| field("PPid")).unwrap_or(0),
            kind: if process == id { Kind::Process } else { Kind::Thread },
            name: name_of(id),
            born: self.log.now(),
            died: None,
            ending: None,
            told: false,
            executed: None,
            executions: Vec::new(),
            before: Account::default(),
            account: None,
        };
        let too_many = self.log.change(|state| {
            state.births.push(id);
            let replaced = state.tasks.insert(id, task);
            state.replaced.extend(replaced);
            let alive = || state.tasks.values().filter(|task| task.alive()).count();
            let too_many = most < usize::MAX && alive() > most && !state.doomed;
            if too_many {
                state.cut = state.cut.or(Some(Cut::Tasks));
            }
            too_many
        });
        if too_many {
            super::kill_all(self.log);
        }
        process
    }

    fn execs(&mut self, id: Id) {
        let first = id == self.root && !self.executed;
        if first {
            self.executed = true;
            self.born(id, None, usize::MAX);
        }
        let executed = fs::read_link(format!("/proc/{id}/exe")).ok();
        let account = if first && self.closely { kernel::account(id, id) } else { None };
        if first {
            self.stops_of.clear();
        }
        let name = name_of(id);
        let now = self.log.now();
        // Executing ends all other threads of the process; the kernel reports each but the one that
        // asked, which goes on under the number of the first.
        let former = ptrace::getevent(Pid::from_raw(id)).map_or(id, as_id);
        self.log.change(|state| {
            if former != id
                && let Some(task) = state.tasks.get_mut(&former)
            {
                task.died.get_or_insert(now);
                task.told = true;
            }
            if let Some(task) = state.tasks.get_mut(&id) {
                if self.closely {
                    task.executions.extend(executed.clone().map(|file| (now, file)));
                }
                task.executed = executed;
                task.name = name;
                (task.died, task.told) = (None, false);
                if first {
                    task.maker = 0;
                    task.before = account.unwrap_or_default();
                }
            }
        });
    }

    /// Notes what a task is about to write to stdout or stderr.
    fn sees_write(&self, task: Id, number: i64, arguments: [u64; 6]) -> (Stream, Vec<u8>) {
        let [descriptor, address, length, ..] = arguments;
        let stream = if descriptor == 1 { Stream::Stdout } else { Stream::Stderr };
        let bytes = if number == libc::SYS_writev {
            gather(task, address, length)
        } else {
            read_memory(task, address, length)
        };
        let write = Write { at: self.log.now(), task, stream, bytes: bytes.clone(), used: 0 };
        let name = name_of(task);
        self.log.change(|state| {
            state.saw(write);
            if let Some(task) = state.tasks.get_mut(&task) {
                task.name = name;
            }
        });
        (stream, bytes)
    }

    /// Refuses a call, and notes that a program was refused what it has elsewhere.
    fn refuses(&self, task: Id) {
        let process = self.log.change(|state| {
            state.refused += 1;
            state.tasks.get(&task).map_or(task, |task| task.process)
        });
        if fail_the_call(task).is_err() {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        resume(task, 0);
    }

    /// Notes a connection at the end of the call that accepted or made it.
    fn connects(&mut self, task: Id) {
        let Some(made_by) = self.connecting.remove(&task) else { return };
        let Ok(call) = ptrace::syscall_info(Pid::from_raw(task)) else { return };
        if call.op != libc::PTRACE_SYSCALL_INFO_EXIT {
            return;
        }
        // SAFETY: that is the member which the kernel fills for a stop of this kind.
        #[allow(unsafe_code)]
        let result = unsafe { call.u.exit }.sval;
        // A connection that is still on its way has nobody at the other end, and is not noted.
        let fd = made_by.unwrap_or(i32::try_from(result).unwrap_or(-1));
        let process = self.log.lock().tasks.get(&task).map_or(task, |task| task.process);
        let (Some(peer), Some(socket)) =
            (kernel::peer(process, fd), kernel::descriptor(process, fd))
        else {
            return;
        };
        let connection = Connection {
            process,
            task,
            fd,
            socket,
            peer,
            accepted: made_by.is_none(),
            from: self.log.now(),
            to: None,
        };
        self.log.change(|state| state.connections.push(connection));
    }

    fn exits(&mut self, id: Id) {
        let ending = ptrace::getevent(Pid::from_raw(id)).ok().map(|status| ending(as_id(status)));
        let name = name_of(id);
        let account = if self.closely {
            let process = self.log.lock().tasks.get(&id).map_or(id, |task| task.process);
            let stops = self.stops_of.remove(&id).unwrap_or(0);
            let sleeps = |all: Account| Account { slept: all.slept.saturating_sub(stops), ..all };
            kernel::account(process, id).map(sleeps)
        } else {
            None
        };
        if id == self.root {
            let dead: Vec<Id> = {
                let state = self.log.lock();
                state
                    .made()
                    .filter(|t| t.kind == Kind::Process && !t.alive())
                    .map(|t| t.id)
                    .collect()
            };
            let zombies = dead.into_iter().filter(|pid| zombie_of(*pid, id)).collect();
            self.log.change(|state| state.zombies = zombies);
        }
        self.hold_or_resume(id, Some(Step::Exit));
        let now = self.log.now();
        self.log.change(|state| {
            if let Some(task) = state.tasks.get_mut(&id) {
                task.name = name;
                task.ending = ending;
                task.account = account;
                // Held at its end it is still alive, for us and for whoever waits for it.
                if !state.held.contains(&id) {
                    task.died.get_or_insert(now);
                }
            }
        });
    }

    fn gone(&mut self, id: Id, status: i32) {
        self.held.remove(&id);
        self.connecting.remove(&id);
        let now = self.log.now();
        self.log.change(|state| {
            if state.helpers.remove(&id) {
                return;
            }
            state.held.retain(|held| *held != id);
            if let Some(task) = state.tasks.get_mut(&id) {
                task.died.get_or_insert(now);
                task.ending = Some(ending(status));
                task.told = true;
            }
            if id == self.root {
                state.ended = Some(ending(status));
                state.ended_at = Some(now);
            }
        });
    }

    fn hold_or_resume(&mut self, task: Id, step: Option<Step>) {
        let mut openings = 0;
        let hold = step.is_some_and(|what| {
            let (gate, process, doomed) = {
                let state = self.log.lock();
                let process = state.tasks.get(&task).map_or(task, |task| task.process);
                openings = state.openings;
                (state.gate.clone(), process, state.doomed)
            };
            let moment = Moment { task, process, root: process == self.root, what };
            !doomed && gate.is_some_and(|gate| gate(&moment))
        });
        // Not if the others have been let go meanwhile: nobody would know of this one.
        let hold = hold
            && self.log.change(|state| {
                let in_time = state.openings == openings;
                state.held.extend(in_time.then_some(task));
                in_time
            });
        if hold {
            self.held.insert(task);
        } else {
            resume(task, 0);
        }
    }
}

/// Continues a stopped task. That it has been killed meanwhile is no error.
fn resume(task: Id, signal: i32) {
    request(libc::PTRACE_CONT, task, signal);
}

/// Continues a task that is stopped at the begin of a system call until that call ends.
fn resume_to_the_end_of_the_call(task: Id) {
    request(libc::PTRACE_SYSCALL, task, 0);
}

/// The system call at whose begin a task is stopped by the filter, and its arguments.
fn call_of(task: Id) -> Option<(i64, [u64; 6])> {
    let call = ptrace::syscall_info(Pid::from_raw(task)).ok()?;
    if call.op != libc::PTRACE_SYSCALL_INFO_SECCOMP {
        return None;
    }
    // SAFETY: that is the member which the kernel fills for a stop of this kind.
    #[allow(unsafe_code)]
    let call = unsafe { call.u.seccomp };
    Some((call.nr.cast_signed(), call.args))
}

/// Makes the call that a task is about to make fail with EPERM.
#[cfg(target_arch = "x86_64")]
fn fail_the_call(task: Id) -> nix::Result<()> {
    let mut registers = ptrace::getregs(Pid::from_raw(task))?;
    registers.orig_rax = u64::MAX; // no call
    registers.rax = i64::from(-libc::EPERM).cast_unsigned();
    ptrace::setregs(Pid::from_raw(task), registers)
}

/// Makes the call of a socket that a task is about to make fail: there is no such family.
#[cfg(target_arch = "aarch64")]
fn fail_the_call(task: Id) -> nix::Result<()> {
    let mut registers = ptrace::getregs(Pid::from_raw(task))?;
    registers.regs[0] = u64::MAX;
    ptrace::setregs(Pid::from_raw(task), registers)
}

/// Leaves a task stopped, and hears of it when SIGCONT comes.
fn listen(task: Id) {
    request(libc::PTRACE_LISTEN, task, 0);
}

fn request(request: libc::c_uint, task: Id, data: i32) {
    // SAFETY: none of the requests reads or writes memory. Not nix's wrappers, which know no real-time
    // signals and no PTRACE_LISTEN.
    #[allow(unsafe_code)]
    unsafe {
        libc::ptrace(request, task, 0, libc::c_long::from(data));
    }
}

fn ending(status: i32) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signal(libc::WTERMSIG(status))
    } else {
        Ending::Exit(libc::WEXITSTATUS(status))
    }
}

/// The kernel hands numbers of tasks and wait statuses over in a long.
fn as_id(number: libc::c_long) -> Id {
    Id::try_from(number).unwrap_or(0)
}

fn name_of(task: Id) -> String {
    kernel::name(task).unwrap_or_default()
}

/// Whether `pid` has ended and waits to be waited for by `parent`.
fn zombie_of(pid: Id, parent: Id) -> bool {
    procfs::process::Process::new(pid)
        .and_then(|process| process.stat())
        .is_ok_and(|stat| stat.state == 'Z' && stat.ppid == parent)
}

/// The first bytes at an address of a stopped task.
fn read_memory(task: Id, address: u64, length: u64) -> Vec<u8> {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(KEPT_OF_A_WRITE);
    let mut bytes = vec![0; length];
    let Ok(base) = usize::try_from(address) else {
        return Vec::new();
    };
    let remote = nix::sys::uio::RemoteIoVec { base, len: length };
    let local = &mut [std::io::IoSliceMut::new(&mut bytes)];
    let read = nix::sys::uio::process_vm_readv(Pid::from_raw(task), local, &[remote]).unwrap_or(0);
    bytes.truncate(read);
    bytes
}

/// The same for the pieces of a `writev(2)`.
fn gather(task: Id, vector: u64, pieces: u64) -> Vec<u8> {
    let size = size_of::<libc::iovec>();
    let table = read_memory(task, vector, pieces.min(64) * size as u64);
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    let mut all = Vec::new();
    for piece in table.chunks_exact(size) {
        let (base, length) = piece.split_at(size / 2);
        all.extend(read_memory(task, word(base), word(length)));
    }
    all.truncate(KEPT_OF_A_WRITE);
    all
}
