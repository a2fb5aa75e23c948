//! `cargo lab look`: runs a program and draws what really happened.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::{Pid, getpgid};

use crate::build::Builder;
use crate::labs::LABS;
use crate::picture::{self, Run, terminal::Page};
use crate::program::{self, Program};
use crate::report;
use crate::report::terminal::{colours, harmless, progress};
use crate::run::sampler::Sampler;
use crate::run::{self, Ending, Id, Kind, Limits, Live, Spec, State, Stdout};
use crate::walkthrough::seconds;

/// Run a program and draw what really happened: who was born, ran, waited, wrote and ended
#[derive(Args)]
#[command(
    override_usage = "cargo lab look [OPTIONS] PROGRAM [-- ARGUMENT…]\n       \
                      cargo lab look [OPTIONS] -- COMMAND [ARGUMENT…]",
    after_help = "Examples:\n  \
                  cargo lab look pool\n  \
                  cargo lab look fork --for 3 -- --forever --interval 1\n  \
                  cargo lab look -- python3 mine.py 10\n  \
                  cargo lab look --compare 'pool --workers 1' pool\n  \
                  cargo lab look --compare pool --html both.html -- python3 pool.py"
)]
pub struct Options {
    /// A lab, for its demo, or a program: a Python file, a Rust file, a Cargo package, an executable
    program: Option<PathBuf>,
    /// Its arguments; without a program the command itself
    #[arg(last = true, value_name = "ARGUMENT")]
    rest: Vec<OsString>,
    /// Run this one first, and draw both on one time axis: one word, quoted if it has arguments
    #[arg(long, value_name = "COMMAND")]
    compare: Option<String>,
    /// End it after so many seconds: first as Ctrl-C does, two seconds later by force
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    time: Option<Duration>,
    /// Write the picture here, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the picture here, as a web page that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the events here, as Chrome trace JSON, for ui.perfetto.dev
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Give it a pipe for stdout instead of a terminal: many programs then keep their lines back
    #[arg(long)]
    pipe: bool,
    /// Stop it at births and ends only: for programs that write or accept very often. Then it is not
    /// known who wrote which line, and connections are not seen
    #[arg(long)]
    light: bool,
    /// Rows of the picture before lanes are drawn as one
    #[arg(long, value_name = "N", default_value = "40")]
    rows: usize,
    /// Do not show what it prints
    #[arg(long, short)]
    quiet: bool,
}

/// What is to be run.
struct Subject {
    command: Vec<OsString>,
    /// What a person would type.
    typed: String,
}

/// Exits as the program did, if that ended by itself; for two, as the second did.
///
/// # Errors
/// When there is nothing to run, it can't be traced here, or a file can't be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let mut subjects = Vec::new();
    if let Some(line) = &options.compare {
        let mut words = words(line)?.into_iter();
        let first = words.next().context("--compare: no program")?;
        let rest: Vec<OsString> = words.collect();
        subjects.push(if demo(Path::new(&first)).is_some() || is_file(&first) {
            named(Path::new(&first), &rest)?
        } else {
            let command: Vec<OsString> = std::iter::once(first).chain(rest).collect();
            typed(&command)?
        });
    }
    subjects.push(match &options.program {
        Some(program) => named(program, &options.rest)?,
        None if options.rest.is_empty() => {
            bail!("nothing to run: name a lab, a file, or -- COMMAND")
        }
        None => typed(&options.rest)?,
    });
    let mut runs = Vec::new();
    let mut status = ExitCode::SUCCESS;
    for subject in &subjects {
        let (run, ended) = look(subject, options)?;
        runs.push(run);
        status = ended;
    }
    if let Some(file) = &options.svg {
        report::write(file, &picture::svg::draw(&runs))?;
    }
    if let Some(file) = &options.html {
        report::write(file, &picture::html::draw(&runs))?;
    }
    if let Some(file) = &options.trace {
        report::write(file, &picture::trace::draw(&runs))?;
    }
    let page = Page { width: width(), colour: colours(), rows: options.rows };
    let gap = if options.quiet { "" } else { "\n" };
    show(&format!("{gap}{}", picture::terminal::draw(&runs, page)))?;
    Ok(status)
}

/// Columns: what the terminal says, unless the user says otherwise.
fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    said.or_else(seen).unwrap_or(80).clamp(40, 400)
}

/// Writes to stdout; that nobody reads on is no error.
fn show(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("stdout"),
    }
}

/// The demo of a lab, by the name of either.
fn demo(name: &Path) -> Option<&'static str> {
    let lab = LABS.iter().find(|lab| name == Path::new(lab.name) || name == Path::new(lab.demo))?;
    Some(lab.demo)
}

fn is_file(word: &OsString) -> bool {
    Path::new(word).extension().is_some() && Path::new(word).is_file()
}

/// A lab's demo, or a program by its file or folder.
fn named(name: &Path, arguments: &[OsString]) -> Result<Subject> {
    let program = if let Some(demo) = demo(name) {
        progress("building …");
        let built = program::build(&[demo], |package| progress(&format!("building: {package}")));
        progress("");
        Program::demo(demo, built?.get(demo).context("an executable that cargo names")?)
    } else {
        // Built as the user's own: nothing is kept from it.
        let isolation = run::Isolation::default();
        program::find(name, &Builder { isolation: &isolation, time: Duration::from_mins(10) })?
    };
    let typed = program.typed_with(arguments);
    let mut command = program.command;
    if let Some(own) = under_its_own_name(name, command.first()) {
        command[0] = own.into();
    }
    command.extend(arguments.iter().cloned());
    Ok(Subject { command, typed })
}

/// What was built of a source, under the name of the source: the kernel names a process after the
/// file that it executes, and what is built for grading is named by a number.
fn under_its_own_name(source: &Path, built: Option<&OsString>) -> Option<PathBuf> {
    let built = Path::new(built?);
    let name = source.canonicalize().ok()?.file_stem()?.to_owned();
    if !built.starts_with(program::workspace().join("target/submissions")) {
        return None;
    }
    let mut folder = built.as_os_str().to_owned();
    folder.push("-look");
    let own = Path::new(&folder).join(name);
    std::fs::create_dir_all(&folder).ok()?;
    let _ = std::fs::remove_file(&own);
    std::fs::hard_link(built, &own).ok()?;
    Some(own)
}

/// A command line, its program found as a shell would find it.
fn typed(command: &[OsString]) -> Result<Subject> {
    let (name, arguments) = command.split_first().context("no program to run")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = if Path::new(name).components().count() > 1 {
        PathBuf::from(name)
    } else {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
            .with_context(|| format!("{}: no such program", name.display()))?
    };
    // Version managers put a script before the interpreter, which starts half a dozen processes.
    let file = program::interpreter(&file).unwrap_or(file);
    let words: Vec<String> = command.iter().map(|word| program::quote(word)).collect();
    let command = std::iter::once(file.into_os_string()).chain(arguments.iter().cloned()).collect();
    Ok(Subject { command, typed: words.join(" ") })
}

/// The words of a command line, with quotes as in a shell.
fn words(line: &str) -> Result<Vec<OsString>> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().extend(letters.next());
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        bail!("--compare {line}: a quote is not closed");
    }
    words.extend(word);
    Ok(words.into_iter().map(OsString::from).collect())
}

/// How long a program may take to end when it was asked to.
const TO_END: Duration = Duration::from_secs(2);

/// Runs one, and watches it to its end.
fn look(subject: &Subject, options: &Options) -> Result<(Run, ExitCode)> {
    let spec = Spec {
        command: subject.command.clone(),
        stdout: if options.pipe { Stdout::Pipe } else { Stdout::Terminal },
        limits: Limits::of_the_user(),
        as_user: true,
        closely: true,
        unattributed: options.light,
        ..Spec::default()
    };
    count_interrupts()?;
    if !options.quiet {
        show(&format!("$ {}\n", subject.typed))?;
    }
    let live = run::start(&spec)?;
    let mut sampler = Sampler::default();
    let mut shown = Shown::default();
    let mut asked: Option<Duration> = None;
    let mut hinted = false;
    let forced = loop {
        sampler.look(&live.log);
        if !options.quiet {
            shown.show_more(&live)?;
        }
        let now = live.log.now();
        let (over, ended) = {
            let state = live.log.lock();
            (state.over(), state.ended_at)
        };
        if over {
            break false;
        }
        let interrupts = INTERRUPTS.load(Ordering::Relaxed);
        if options.time.is_some_and(|time| now >= time) && asked.is_none() {
            interrupt(&live);
            asked = Some(now);
        }
        if interrupts > 1 || asked.is_some_and(|asked| now >= asked + TO_END) {
            break true;
        }
        if !hinted && ended.is_some_and(|ended| now > ended + TO_END / 2) {
            hinted = true;
            let alive = live.log.lock().tasks.values().filter(|task| task.alive()).count();
            let what = picture::plural(alive, "task that it made goes", "tasks that it made go");
            progress(&format!("the program has ended; {what} on; Ctrl-C twice ends that"));
        }
        std::thread::sleep(sampler.pause(now));
    };
    let interrupted = INTERRUPTS.load(Ordering::Relaxed) > 0;
    let log = live.log.clone();
    let state = if forced { live.end() } else { live.finish() };
    if hinted {
        progress("");
    }
    let now = log.now();
    let mut run = Run::new(&subject.typed, &state, &sampler, now);
    if let Some(asked) = asked {
        let how = if forced { ", and by force two seconds later" } else { "" };
        run.notes
            .push(format!("It was asked to end after {} (SIGINT){how}.", picture::time(asked)));
    } else if interrupted {
        run.notes.push("It was interrupted by Ctrl-C.".into());
    }
    let stopped = state.stops.1.as_secs_f64() / run.length.as_secs_f64();
    let calls = state.stops.0.saturating_sub(10 * run.lanes.len() as u64);
    if stopped > 0.1 && calls > 1000 && !options.light {
        run.notes.push(format!(
            "It was stopped {} times, for {:.0} % of the time: it is slowed down by being looked at. \
             With --light it is stopped at births and ends only.",
            state.stops.0,
            stopped * 100.0
        ));
    }
    let status = if asked.is_some() || forced { ExitCode::SUCCESS } else { status_of(&state) };
    Ok((run, status))
}

fn status_of(state: &State) -> ExitCode {
    let code = match state.ended {
        Some(Ending::Exit(status)) => status,
        Some(Ending::Signal(number)) => 128 + number,
        None => 1,
    };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What has been shown of what a program writes.
#[derive(Default)]
struct Shown {
    lines: usize,
    /// What is no line yet, and since when it is there.
    begun: Vec<u8>,
    since: Duration,
    asked: bool,
}

impl Shown {
    /// Shows the lines that have come since, each with its time and who wrote it; and a question,
    /// which is no line, when nothing follows it.
    fn show_more(&mut self, live: &Live) -> Result<()> {
        /// What stands still for so long is a question.
        const QUESTION: Duration = Duration::from_millis(100);
        let mut text = String::new();
        let width = width();
        let now = live.log.now();
        {
            let state = live.log.lock();
            let start = state.root().map_or(Duration::ZERO, |task| task.born);
            for line in &state.lines[self.lines..] {
                let at = line.written.unwrap_or(line.at).saturating_sub(start);
                let who = line.by.and_then(|id| state.tasks.get(&id));
                let who = who.map_or("?".into(), |task| format!("{} {}", task.name, task.id));
                let row = format!("{:>9}  {who}: {}", picture::time(at), line.text());
                text.push_str(&picture::terminal::shortened(&harmless(&row), width));
                text.push('\n');
            }
            self.lines = state.lines.len();
            let begun = state.begun.concat();
            if begun != self.begun {
                (self.begun, self.since, self.asked) = (begun, now, false);
            }
        }
        if !self.asked && !self.begun.is_empty() && now >= self.since + QUESTION {
            self.asked = true;
            text.push_str(&harmless(&String::from_utf8_lossy(&self.begun)));
        }
        if text.is_empty() { Ok(()) } else { show(&text) }
    }
}

/// How often Ctrl-C was pressed. The program gets it too, from the terminal; the first one is its
/// own affair, and its picture is still to be drawn.
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn interrupted(_: i32) {
    INTERRUPTS.fetch_add(1, Ordering::Relaxed);
}

fn count_interrupts() -> Result<()> {
    INTERRUPTS.store(0, Ordering::Relaxed);
    let action =
        SigAction::new(SigHandler::Handler(interrupted), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler only adds to an atomic number.
    #[allow(unsafe_code)]
    unsafe { sigaction(Signal::SIGINT, &action) }.context("sigaction")?;
    Ok(())
}

/// Does what Ctrl-C does: sends SIGINT to all processes that are in the group of the program.
fn interrupt(live: &Live) {
    let processes: Vec<Id> = {
        let state = live.log.lock();
        let alive = state.tasks.values().filter(|t| t.alive() && t.kind == Kind::Process);
        alive.map(|task| task.id).collect()
    };
    let group = |pid: Id| getpgid(Some(Pid::from_raw(pid))).ok();
    let own = group(live.pid());
    for pid in processes.into_iter().filter(|pid| group(*pid) == own) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_taken_apart_as_in_a_shell() {
        let words = |line| words(line).expect("words");
        assert_eq!(words("pool --workers 1"), ["pool", "--workers", "1"]);
        assert_eq!(words(r#"a 'b c' "d 'e" f\ g ''"#), ["a", "b c", "d 'e", "f g", ""]);
        assert!(super::words("a 'b").is_err());
    }
}
