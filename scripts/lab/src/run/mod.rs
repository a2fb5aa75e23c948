//! One execution of a program under examination: started, watched, held, and ended with all that
//! it started.
//!
//! Nothing here knows what the program should do.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::fcntl::{OFlag, open};
use nix::pty::Winsize;
use nix::sys::signal::{SigHandler, Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::termios::{OutputFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::Pid;

mod filter;
mod isolation;
pub mod kernel;
mod limits;
pub mod log;
mod patience;
pub mod plain;
pub mod sampler;
mod still;
mod streams;
mod tracer;

pub use isolation::{Isolation, Protection, Tier, hide_value_of};
pub use limits::Limits;
pub use log::{
    Account, Connection, Cut, Ending, Gate, Id, Kind, Line, Log, Moment, State, Step, Stream, Task,
};
pub use patience::Patience;
pub use streams::Echo;

/// How long what the program started may outlive it before that counts as left behind. A child
/// that ends because its parent has ended, such as the helpers of Python's `multiprocessing`, needs
/// a moment for it, on a busy machine a long one. Nobody waits for it who leaves nothing.
const GRACE: Duration = Duration::from_secs(1);

/// How often what no event tells is asked for, and how seldom at least.
const OFTEN: Duration = Duration::from_millis(2);
const SELDOM: Duration = Duration::from_millis(5);

/// Where the program's stdout goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stdout {
    /// Into a pipe that is read to its end.
    #[default]
    Pipe,
    /// Into a terminal, as a person would run it: there most languages write each line at once,
    /// where into a pipe they would keep many of them back.
    Terminal,
    /// Into a pipe whose reader goes away after so many lines.
    Head(usize),
    /// Into `/dev/full`, where every write fails.
    Full,
}

/// What is to be run, and how.
#[derive(Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Spec {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Whether its stdin is a pipe that the check writes to, instead of empty.
    pub stdin: bool,
    /// Where its stdout goes.
    pub stdout: Stdout,
    /// What it may use.
    pub limits: Limits,
    /// What it is kept away from.
    pub isolation: Isolation,
    /// What it may read besides the system's files.
    pub files: Vec<PathBuf>,
    /// A file that takes its stdout instead.
    pub result: Option<PathBuf>,
    /// What it finds in its environment besides, or instead of, what all find there.
    pub environment: Vec<(&'static str, OsString)>,
    /// Whether it runs as a program of the user's own: with his environment, folder and stdin, in
    /// the terminal's foreground.
    pub as_user: bool,
    /// Whether to note what only a picture needs: when a task executed what, what the kernel has
    /// counted of it at its end, and the connections that come. Then sleeps are not stopped at.
    pub closely: bool,
    /// Whether nobody needs to know who wrote which line. Then writes and sleeps are not stopped
    /// at: for programs that make very many of them.
    pub unattributed: bool,
    /// Who is held, and where.
    pub gate: Option<Gate>,
    /// Who is told of each line as it comes.
    pub echo: Option<Echo>,
    /// What the microseconds of the run are added to at its end.
    pub ran: Option<Arc<AtomicU64>>,
    /// What becomes true at the end of a run that was refused what programs have elsewhere.
    pub refused: Option<Arc<AtomicBool>>,
}

/// The program can't be executed: that is its own fault, not ours.
#[derive(Debug)]
pub struct NotExecuted {
    name: String,
    why: String,
}

impl std::fmt::Display for NotExecuted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "execute {}: {}", self.name, self.why)
    }
}

impl std::error::Error for NotExecuted {}

/// Tracing is refused here, so nothing would be known of a program.
#[derive(Debug)]
pub struct NotTraced(nix::errno::Errno);

impl NotTraced {
    /// What would make it possible.
    pub fn what_helps() -> String {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let status = read("/proc/self/status");
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        let in_container =
            ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists());
        match read("/proc/sys/kernel/yama/ptrace_scope").trim() {
            _ if tracer.is_some_and(|pid| pid.trim() != "0") => {
                "run it without the tracer that it runs under".into()
            }
            "3" => {
                "set kernel.yama.ptrace_scope=1 in /etc/sysctl.d and start the machine again".into()
            }
            "2" => "sudo sysctl kernel.yama.ptrace_scope=1".into(),
            _ if in_container => "start the container with --cap-add=SYS_PTRACE".into(),
            _ => "run it outside of the sandbox that refuses it".into(),
        }
    }
}

impl std::fmt::Display for NotTraced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tracing programs is refused here (ptrace: {})", self.0.desc())
    }
}

impl std::error::Error for NotTraced {}

/// Whether tracing is refused here, found by trying.
pub fn untraced() -> Option<NotTraced> {
    let spec = Spec { command: vec!["/bin/true".into()], ..Spec::default() };
    start(&spec).err()?.downcast().ok()
}

/// A program that runs. Dropped, it is ended with all that it started.
pub struct Live {
    /// What is known of it so far.
    pub log: Arc<Log>,
    /// Its stdin, when the specification asks for it; dropping it is end of file.
    pub stdin: Option<ChildStdin>,
    limits: Limits,
    ran: Option<Arc<AtomicU64>>,
    refused: Option<Arc<AtomicBool>>,
    reader: Option<JoinHandle<()>>,
    /// Goes when the program has gone.
    _folder: Option<isolation::Folder>,
}

/// Whoever starts a program shares it; who opens what no program may get has it alone.
static STARTS: RwLock<()> = RwLock::new(());

/// Starts a program: from its fork until it executes, it has all descriptors that we have.
fn starting<T>(start: impl FnOnce() -> T) -> T {
    let _others_may_too = STARTS.read().unwrap_or_else(PoisonError::into_inner);
    start()
}

/// Does what opens and closes something that no program may have meanwhile: an address that we try
/// out is in use for as long as one that is about to execute has our socket.
pub fn while_nothing_starts<T>(work: impl FnOnce() -> T) -> T {
    let _alone = STARTS.write().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Starts a program.
///
/// # Errors
/// When it can't be executed, or tracing is not permitted here.
pub fn start(spec: &Spec) -> Result<Live> {
    // Small, and the same for everyone.
    let confined = spec.isolation.confine(&spec.command, &spec.files, &spec.limits)?;
    let home = confined.home.clone().into_os_string();
    let mut environment: BTreeMap<OsString, OsString> = if spec.as_user {
        std::env::vars_os().collect()
    } else {
        BTreeMap::from([
            ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("HOME".into(), home.clone()),
            ("TMPDIR".into(), home),
        ])
    };
    environment.extend(spec.environment.iter().map(|(name, value)| (name.into(), value.clone())));
    let executable = tracer::Executable::new(&confined.command, &environment)?;
    let mut screen = None;
    let mut stage = Command::new("/"); // never executed: what is run is the executable above
    stage
        .current_dir(if spec.as_user { std::env::current_dir()? } else { confined.folder })
        .stdin(match spec {
            Spec { as_user: true, .. } => Stdio::inherit(),
            Spec { stdin: true, .. } => Stdio::piped(),
            _ => Stdio::null(),
        })
        .stdout(match spec.stdout {
            _ if spec.result.is_some() => Stdio::null(),
            // With nobody at the other end from the very beginning.
            Stdout::Head(0) => std::io::pipe()?.1.into(),
            Stdout::Pipe | Stdout::Head(_) => Stdio::piped(),
            Stdout::Full => File::options().write(true).open("/dev/full")?.into(),
            Stdout::Terminal => {
                let (ours, theirs) = terminal()?;
                screen = Some(ours);
                theirs.into()
            }
        })
        .stderr(Stdio::piped());
    // A group of its own, or Ctrl-C on the grader would end the program in the middle of a check.
    if !spec.as_user {
        stage.process_group(0);
        // SAFETY: it makes system calls only, which is what a child of a process with threads may do
        // before it executes.
        #[allow(unsafe_code)]
        unsafe {
            stage.pre_exec(|| leave_the_terminal().and_then(|()| hear_all_signals()));
        }
    }
    let filter = if spec.unattributed {
        None
    } else {
        Some(filter::writes_and(!spec.closely, spec.closely)?)
    };
    let log = Log::new(spec.gate.clone());
    let way = tracer::Way {
        executable,
        executions: confined.executions,
        entry: confined.entry,
        filter,
        result: spec.result.as_deref().map(tracer::path).transpose()?,
        limits: spec.limits,
        closely: spec.closely,
    };
    let mut child = tracer::start(stage, way, log.clone())?;
    let stdout = child.stdout.take().map(OwnedFd::from).or(screen);
    let stderr = child.stderr.take().map(OwnedFd::from);
    let stdin = child.stdin.take();
    let reader = {
        let (log, limits, echo) = (log.clone(), spec.limits, spec.echo.clone());
        let close_after = match spec.stdout {
            Stdout::Head(lines) => Some(lines),
            _ => None,
        };
        std::thread::Builder::new().name("reader".into()).spawn(move || {
            streams::drain(&log, stdout, stderr, close_after, &limits, echo.as_ref());
        })?
    };
    let (limits, ran, refused) = (spec.limits, spec.ran.clone(), spec.refused.clone());
    Ok(Live { log, stdin, limits, ran, refused, reader: Some(reader), _folder: confined.kept })
}

/// A terminal: the end that shows, and the end that the program writes to.
fn terminal() -> Result<(OwnedFd, OwnedFd)> {
    let size = terminal_size::terminal_size().map(|(columns, rows)| Winsize {
        ws_row: rows.0,
        ws_col: columns.0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    });
    let pair = nix::pty::openpty(size.as_ref(), None).context("a terminal for the program")?;
    let mut as_it_is = tcgetattr(&pair.slave)?;
    as_it_is.output_flags.remove(OutputFlags::OPOST); // a newline stays a newline
    tcsetattr(&pair.slave, SetArg::TCSANOW, &as_it_is)?;
    Ok((pair.master, pair.slave))
}

impl Live {
    /// The number of the program's process.
    pub fn pid(&self) -> Id {
        self.log.lock().root().map_or(0, |task| task.id)
    }

    /// Waits until `seen` finds what it looks for, until the program has ended and said all, until
    /// nobody in it can go on any more, or until the time-out: then `None`.
    pub fn until<T>(
        &self,
        timeout: Duration,
        mut seen: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        let mut patience = self.patience(timeout);
        loop {
            let found = self.log.until(patience.next_look(), |state| match seen(state) {
                Some(found) => Some(Some(found)),
                None if !state.traced && state.drained => Some(None),
                None => None,
            });
            match found {
                Some(found) => return found,
                None if patience.end(&self.log).is_some() => return None,
                None => {}
            }
        }
    }

    /// Asks again and again what no event tells (kernel state), until there is an answer.
    pub fn poll<T>(&self, timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
        let mut patience = self.patience(timeout);
        loop {
            let asked = self.log.now();
            if let Some(answer) = ask() {
                return Some(answer);
            }
            let now = self.log.now();
            let over = patience.end(&self.log).is_some();
            if over || self.log.lock().ended.is_some() {
                return ask();
            }
            // On a busy machine an answer takes long, and who asks is in the way of the others.
            let took = now.saturating_sub(asked);
            std::thread::sleep((3 * took).clamp(OFTEN, SELDOM));
        }
    }

    /// Who waits for the program for so long, beginning now.
    pub fn patience(&self, timeout: Duration) -> Patience {
        Patience::new(&self.log, timeout, self.stdin.is_none())
    }

    /// Opens the gate: continues everybody who is held, and holds nobody from now on.
    pub fn open_gate(&self) {
        let now = self.log.now();
        self.log.change(|state| {
            state.opened.get_or_insert(now);
            state.gate = None;
            state.openings += 1;
            state.release.extend(&state.held);
        });
    }

    /// Opens the gate for everybody but this one, who is held on.
    pub fn open_gate_but_for(&self, kept: Id) {
        self.log.change(|state| {
            state.gate = None;
            state.openings += 1;
            state.release.extend(state.held.iter().filter(|id| **id != kept));
        });
    }

    /// Continues this one; who comes to the gate later is held, and so is this one.
    pub fn let_one_go(&self, one: Id) {
        self.log.change(|state| {
            state.release.push(one);
            state.held.retain(|id| *id != one);
        });
    }

    /// Continues everybody who is held now; who comes to the gate later is held.
    pub fn let_go(&self) {
        self.log.change(|state| {
            state.openings += 1;
            state.release.append(&mut state.held);
        });
    }

    /// Writes to the program's stdin; that it does not read any more is not an error.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(bytes);
        }
    }

    /// Sends the program itself a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.pid();
        if pid > 0 && self.log.lock().ended.is_none() {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Waits for the end of the program, at most as long as its limits say, ends what it left, and
    /// says what happened.
    pub fn finish(mut self) -> State {
        self.stdin = None;
        self.wait_for_the_end();
        std::mem::take(&mut *self.log.lock())
    }

    /// The same for a program that need not end by itself: it is ended now.
    pub fn end(self) -> State {
        self.log.change(|state| state.doomed = true);
        kill_all(&self.log);
        self.finish()
    }

    fn wait_for_the_end(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        let mut patience = Patience::with_all(&self.log, self.limits.time);
        let ended = loop {
            let ended = self.log.until(patience.next_look(), |state| {
                (state.ended.is_some() || !state.traced).then_some(())
            });
            if ended.is_some() {
                break ended;
            }
            if let Some(cut) = patience.end(&self.log) {
                self.log.change(|state| state.cut = state.cut.or(Some(cut)));
                break None;
            }
        };
        if ended.is_some() {
            self.until(GRACE, |state| (!state.traced).then_some(()));
        }
        self.log.change(|state| {
            if ended.is_some() && !state.doomed {
                let alive = state.tasks.values().filter(|task| task.alive());
                state.survivors = alive.map(|task| task.id).collect();
            }
            state.doomed = true;
        });
        kill_all(&self.log);
        // With the last writer dead the pipes end, and with the last task the tracer.
        let _ = reader.join();
        self.log.until(Duration::MAX, |state| (!state.traced).then_some(()));
        if let Some(ran) = &self.ran {
            let time = u64::try_from(self.log.now().as_micros()).unwrap_or(u64::MAX);
            ran.fetch_add(time, Ordering::Relaxed);
        }
        if let Some(refused) = &self.refused {
            refused.fetch_or(self.log.lock().refused > 0, Ordering::Relaxed);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.reader.is_some() {
            self.log.change(|state| state.doomed = true);
            kill_all(&self.log);
            self.wait_for_the_end();
        }
    }
}

/// Leaves the grader's terminal: who has none can't write to it by the name of /dev/tty, nor type
/// there (`ioctl_tty(2)`). For use between fork and exec. Not by a session of its own: kernels that share
/// the processors by session have been seen to keep one waiting for many seconds.
fn leave_the_terminal() -> std::io::Result<()> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let Ok(terminal) = open("/dev/tty", flags, Mode::empty()) else { return Ok(()) };
    // SAFETY: this request takes no argument.
    #[allow(unsafe_code)]
    let left = unsafe { nix::libc::ioctl(terminal.as_raw_fd(), nix::libc::TIOCNOTTY) };
    nix::errno::Errno::result(left)?;
    Ok(())
}

/// Lets no signal be ignored that the grader was started to ignore: of what is started with `&` by a
/// script, SIGINT (`sh`), and under nohup SIGHUP. A program that finds SIGINT ignored does not listen to it
/// either, and in Python there is no `KeyboardInterrupt` then. For use between fork and exec.
fn hear_all_signals() -> std::io::Result<()> {
    for signal in Signal::iterator().filter(|s| ![Signal::SIGKILL, Signal::SIGSTOP].contains(s)) {
        // SAFETY: no handler is set, but the kernel's own way.
        #[allow(unsafe_code)]
        unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }?;
    }
    Ok(())
}

/// Lets a child have the three standard descriptors and no other one, whoever started us: for use
/// between fork and exec. A kernel older than 5.11 does not know how; then they are inherited.
fn keep_own_descriptors() {
    // SAFETY: it closes nothing now, it marks what is to be closed by the execution.
    #[allow(unsafe_code)]
    unsafe {
        nix::libc::close_range(3, u32::MAX, nix::libc::CLOSE_RANGE_CLOEXEC.cast_signed());
    }
}

/// Kills every process of a run. Those born meanwhile are killed by the tracer at their birth.
fn kill_all(log: &Log) {
    let alive: BTreeSet<Id> = log.change(|state| {
        state.doomed = true;
        let alive = state.tasks.values().filter(|task| task.alive()).map(|task| task.process);
        alive.chain(state.helpers.iter().copied()).collect()
    });
    for process in alive {
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    #[test]
    fn a_program_hears_what_we_ignore() {
        // SAFETY: no handler is set, and nobody sends it.
        #[allow(unsafe_code)]
        unsafe { nix::sys::signal::signal(Signal::SIGUSR1, SigHandler::SigIgn) }.expect("a signal");
        let command = ["/bin/grep", "SigIgn", "/proc/self/status"].map(Into::into).into();
        let live = start(&Spec { command, ..Spec::default() }).expect("grep");
        let said = live.finish().lines.first().map(Line::text).unwrap_or_default();
        let ignored = said.strip_prefix("SigIgn:").map(|mask| u64::from_str_radix(mask.trim(), 16));
        let Some(Ok(ignored)) = ignored else { panic!("{said}") };
        assert_eq!(ignored & 1 << (Signal::SIGUSR1 as u32 - 1), 0, "{said}");
    }

    #[test]
    fn an_address_that_was_tried_out_is_free() {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        let command = ["/bin/true"].map(Into::into).into();
                        start(&Spec { command, ..Spec::default() }).expect("true").finish();
                    }
                });
            }
            let address = "127.86.35.7:0";
            let taken = (0..5000).filter(|_| {
                let bind = || std::net::TcpListener::bind(address)?.local_addr();
                let free = while_nothing_starts(bind).expect("any port");
                std::net::TcpListener::bind(free).is_err()
            });
            let taken = taken.count();
            ended.store(true, Ordering::Relaxed);
            assert_eq!(taken, 0);
        });
    }

    /// A task has been asked about and is not yet held when the gate is opened: nobody would know of
    /// it later.
    #[test]
    fn who_is_in_the_gate_while_it_is_opened_goes_on() {
        let ways: [fn(&Live); 3] =
            [Live::open_gate, Live::let_go, |live| live.open_gate_but_for(live.pid() + 1)];
        for open in ways {
            let (inside, is_inside) = mpsc::channel();
            let (opened, is_opened) = mpsc::channel();
            let between = Mutex::new((inside, is_opened));
            let gate = move |moment: &Moment| {
                let writes = matches!(moment.what, Step::Write(..));
                if writes && let Ok((inside, is_opened)) = between.lock().as_deref() {
                    inside.send(()).expect("the test waits for it");
                    is_opened.recv().expect("the test opens it");
                }
                writes
            };
            let command = ["/bin/echo", "a"].map(Into::into).into();
            let live = start(&Spec { command, gate: Some(Arc::new(gate)), ..Spec::default() });
            let live = live.expect("echo");
            is_inside.recv().expect("it writes");
            open(&live);
            opened.send(()).expect("it is in the gate");
            let state = live.finish();
            assert_eq!((state.ended, state.cut), (Some(Ending::Exit(0)), None));
            assert_eq!(state.lines.len(), 1);
        }
    }
}
