//! One program examined by the checks of one lab: runs it, remembers what came out, keeps the
//! random inputs, and turns what the checks find into a record.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::labs::{Check, Scene};
use crate::program::Program;
use crate::record::{CheckRecord, Status};
use crate::run::{self, Cut, Echo, Ending, Isolation, Limits, Live, Spec, State, Stdout};

/// What a check has seen when the fact holds, a line each.
pub type Evidence = Vec<String>;

/// What a check finds.
pub type Finding = Result<Evidence, Trouble>;

/// Why a check has not passed.
#[derive(Debug)]
pub enum Trouble {
    /// The fact does not hold.
    Fail {
        /// What should have been seen.
        expected: String,
        /// What was seen instead.
        saw: Vec<String>,
    },
    /// The program was cut short, after it had said this on stderr.
    Cut(Cut, Option<String>),
    /// A signal ended the program.
    Crashed(String),
    /// The evidence can't be had here, and why.
    Unverified(String),
    /// There is nothing to examine: it can't be executed.
    NotGradable(String),
    /// The examination itself went wrong.
    Grader(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Trouble::Grader(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Trouble::Grader(error.into())
    }
}

/// The fact does not hold.
pub fn fail<T>(expected: impl Into<String>, saw: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Fail { expected: expected.into(), saw: vec![saw.into()] })
}

/// Passes only when `fact` is true.
///
/// # Errors
/// Else with what was expected and what was seen.
pub fn expect(
    fact: bool,
    expected: impl Into<String>,
    saw: impl FnOnce() -> String,
) -> Result<(), Trouble> {
    if fact { Ok(()) } else { fail(expected, saw()) }
}

/// Who watches an examination as it goes on.
pub trait Audience {
    /// A program is about to be run for them, by this command line.
    fn command(&self, line: &str);
    /// Something is done to the program that is being shown.
    fn action(&self, what: &str);
    /// A line that another program printed about it.
    fn output(&self, line: &str);
    /// Told of the lines of the program that is being shown, from another thread.
    fn echo(&self) -> Option<Echo>;
}

/// A run that is over, with the random inputs that were made for it.
pub struct Kept {
    state: State,
    /// The inputs.
    pub inputs: Vec<String>,
    did: Option<String>,
}

impl Kept {
    /// A run and its inputs.
    pub fn new(state: State, inputs: impl IntoIterator<Item = String>) -> Kept {
        Kept { state, inputs: inputs.into_iter().collect(), did: None }
    }
}

impl std::ops::Deref for Kept {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

/// Held for writing by checks that measure time, for reading by all others. Who waits to write
/// keeps new readers out.
static QUIET: RwLock<()> = RwLock::new(());

/// The right to make checks, alone or beside others; given back when dropped.
enum Turn {
    Alone { _guard: RwLockWriteGuard<'static, ()> },
    WithOthers { _guard: RwLockReadGuard<'static, ()> },
}

impl Turn {
    /// The same turn where it will do; else it is given back, and another one waited for.
    fn take(before: Option<Turn>, alone: bool) -> Turn {
        match before {
            Some(turn) if matches!(turn, Turn::Alone { .. }) == alone => turn,
            other => {
                drop(other);
                if alone {
                    Turn::Alone { _guard: QUIET.write().unwrap_or_else(PoisonError::into_inner) }
                } else {
                    Turn::WithOthers {
                        _guard: QUIET.read().unwrap_or_else(PoisonError::into_inner),
                    }
                }
            }
        }
    }
}

/// An examination that is going on.
pub struct Exam<'a> {
    /// What is examined.
    pub program: &'a Program,
    /// Where all random inputs come from.
    pub random: fastrand::Rng,
    /// What the program is kept away from.
    pub isolation: Isolation,
    audience: Option<&'a dyn Audience>,
    showing: bool,
    limits: Limits,
    stdout: Stdout,
    kept: BTreeMap<&'static str, Rc<Kept>>,
    did: Option<String>,
    ran: Arc<AtomicU64>,
    refused: Arc<AtomicBool>,
}

impl<'a> Exam<'a> {
    /// An examination with the inputs of this seed.
    pub fn new(
        program: &'a Program,
        seed: u64,
        limits: Limits,
        stdout: Stdout,
        audience: Option<&'a dyn Audience>,
    ) -> Self {
        Exam {
            program,
            random: fastrand::Rng::with_seed(seed),
            isolation: Isolation::default(),
            audience,
            showing: false,
            limits,
            stdout,
            kept: BTreeMap::new(),
            did: None,
            ran: Arc::default(),
            refused: Arc::default(),
        }
    }

    /// Runs what the audience should see, before the checks.
    pub fn show(&mut self, scene: &Scene) -> Result<(), Trouble> {
        self.showing = true;
        let done = (scene.show)(self);
        self.showing = false;
        done
    }

    /// Shows the audience a command that is run beside the program, and what it printed.
    pub fn aside(&self, command: &str, output: &[String]) {
        if let Some(audience) = self.audience.filter(|_| self.showing) {
            audience.command(command);
            for line in output {
                audience.output(line);
            }
        }
    }

    /// Tells the audience what is done to the program that is being shown.
    pub fn tell(&self, what: impl AsRef<str>) {
        if let Some(audience) = self.audience.filter(|_| self.showing) {
            audience.action(what.as_ref());
        }
    }

    /// What is run when the program is given these arguments.
    pub fn spec<S: Into<OsString> + Clone>(&self, arguments: &[S]) -> Spec {
        let mut command = self.program.command.clone();
        command.extend(arguments.iter().cloned().map(Into::into));
        Spec {
            command,
            limits: self.limits,
            stdout: self.stdout,
            isolation: self.isolation.clone(),
            files: self.program.files.clone(),
            ..Spec::default()
        }
    }

    /// Starts the program; the check drives it.
    pub fn start(&mut self, mut spec: Spec) -> Result<Live, Trouble> {
        let arguments = spec.command.split_at(self.program.command.len()).1;
        let mut line = self.program.typed_with(arguments);
        match spec.stdout {
            Stdout::Pipe | Stdout::Terminal => {}
            Stdout::Head(lines) => line = format!("{line} | head -n {lines}"),
            Stdout::Full => line = format!("{line} > /dev/full"),
        }
        if let Some(audience) = self.audience.filter(|_| self.showing) {
            audience.command(&line);
            spec.echo = audience.echo();
        }
        self.did = Some(line);
        spec.ran = Some(self.ran.clone());
        spec.refused = Some(self.refused.clone());
        run::start(&spec).map_err(|error| match error.downcast::<run::NotExecuted>() {
            Ok(why) => Trouble::NotGradable(why.to_string()),
            Err(error) => match error.downcast::<run::NotTraced>() {
                Ok(why) => Trouble::Unverified(why.to_string()),
                Err(error) => Trouble::Grader(error),
            },
        })
    }

    /// Runs the program to its end with these arguments.
    pub fn run<S: Into<OsString> + Clone>(&mut self, arguments: &[S]) -> Result<State, Trouble> {
        let spec = self.spec(arguments);
        whole(self.start(spec)?.finish())
    }

    /// The run of that name, made once by `make` and kept: several checks look at the same run.
    pub fn kept(
        &mut self,
        name: &'static str,
        make: impl FnOnce(&mut Self) -> Result<Kept, Trouble>,
    ) -> Result<Rc<Kept>, Trouble> {
        if let Some(kept) = self.kept.get(name) {
            self.did = kept.did.clone();
            self.refused.fetch_or(kept.refused > 0, Ordering::Relaxed);
            return Ok(kept.clone());
        }
        let mut kept = make(self)?;
        kept.did.clone_from(&self.did);
        let kept = Rc::new(kept);
        self.kept.insert(name, kept.clone());
        Ok(kept)
    }

    /// A word that nobody could have typed in beforehand: letters and digits, within quotes of no
    /// shell.
    pub fn word(&mut self) -> String {
        let length = self.random.usize(5..9);
        (0..length).map(|_| self.random.lowercase()).collect()
    }

    /// So many different words.
    pub fn words(&mut self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        while words.len() < count {
            let word = self.word();
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }

    /// An address of the loopback network that nobody else uses, with the note's own port: so many
    /// servers can be examined at once. Not from the seed, or two examinations would meet.
    pub fn address(port: u16) -> SocketAddr {
        let [a, b, c] = [0; 3].map(|_: u8| fastrand::u8(1..=254));
        SocketAddr::from((Ipv4Addr::new(127, a, b, c), port))
    }

    /// The same for a server under examination. The note's own port is for those who watch; else it
    /// is another one each time, so that servers which listen at all addresses can be examined at
    /// once as well. Below the ports that the system gives out by itself.
    pub fn place(&self, port: u16) -> SocketAddr {
        Exam::address(if self.showing { port } else { fastrand::u16(20_000..32_000) })
    }

    /// Makes these checks one after the other; `made` is told of each. While one of the `timed`
    /// ones is made, no other examination of this process makes any.
    ///
    /// Turns are given up only between checks that measure time and checks that do not: so those
    /// who wait for silence get it together, one after the other, and not each for one check.
    pub fn examine<'c>(
        &mut self,
        checks: impl IntoIterator<Item = &'c Check>,
        timed: &[&str],
        mut made: impl FnMut(&CheckRecord),
    ) -> Vec<CheckRecord> {
        let mut records: Vec<CheckRecord> = Vec::new();
        let mut turn = None;
        for check in checks {
            let passed = |id: &str| records.iter().any(|c| c.id == id && c.status == Status::Pass);
            let record = if let Some(needed) = check.needs.iter().find(|needed| !passed(needed)) {
                let first = records.iter().find(|record| record.id == *needed);
                let needed = first.map_or(*needed, |record| record.title.as_str());
                not_made(check, Status::Skipped, format!("{NEEDS_FIRST}{needed}"))
            } else {
                turn = Some(Turn::take(turn, timed.contains(&check.id)));
                self.check(check)
            };
            made(&record);
            records.push(record);
        }
        records
    }

    fn check(&mut self, check: &Check) -> CheckRecord {
        let started = Instant::now();
        self.did = None;
        self.ran.store(0, Ordering::Relaxed);
        self.refused.store(false, Ordering::Relaxed);
        let found = (check.examine)(self).map_err(|trouble| self.unless_refused(trouble));
        let mut record = CheckRecord {
            id: check.id.into(),
            title: check.title.into(),
            status: Status::Pass,
            points: check.points,
            earned: 0,
            evidence: Vec::new(),
            did: None,
            expected: None,
            lesson: None,
            hidden: None,
            seconds: started.elapsed().as_secs_f64(),
            ran: Duration::from_micros(self.ran.load(Ordering::Relaxed)).as_secs_f64(),
        };
        match found {
            Ok(evidence) => {
                record.earned = check.points;
                record.evidence = evidence;
            }
            Err(trouble) => {
                record.did = self.did.take();
                record.lesson = Some(check.lesson.into());
                (record.status, record.evidence) = match trouble {
                    Trouble::Fail { expected, saw } => {
                        record.expected = Some(expected);
                        (Status::Fail, saw)
                    }
                    Trouble::Cut(cut, said) => {
                        let hangs = cut.hangs();
                        let status = if hangs { Status::Timeout } else { Status::OverLimit };
                        (status, vec![after(cut, said)])
                    }
                    Trouble::Crashed(ending) => (Status::Crashed, vec![ending]),
                    Trouble::Unverified(why) => (Status::Unverified, vec![why]),
                    Trouble::NotGradable(why) => (Status::NotGradable, vec![why]),
                    Trouble::Grader(error) => (Status::GraderError, vec![format!("{error:#}")]),
                };
            }
        }
        record
    }

    /// What a program has not done that was refused what it needs is not held against it.
    fn unless_refused(&self, trouble: Trouble) -> Trouble {
        let saw = match &trouble {
            _ if !self.refused.load(Ordering::Relaxed) => return trouble,
            Trouble::Fail { saw, .. } => saw.join("; "),
            Trouble::Cut(cut, said) if cut.hangs() => after(cut, said.as_deref()),
            Trouble::Crashed(ending) => ending.clone(),
            _ => return trouble,
        };
        Trouble::Unverified(format!(
            "the grader refused it a local socket (AF_UNIX), which it would have in isolation full; \
             without it: {saw}"
        ))
    }
}

/// How the evidence of a check begins that was skipped; what it needs follows.
pub const NEEDS_FIRST: &str = "needs first: ";

/// A check that is not made, and why not.
pub fn not_made(check: &Check, status: Status, why: String) -> CheckRecord {
    CheckRecord {
        id: check.id.into(),
        title: check.title.into(),
        status,
        points: check.points,
        earned: 0,
        evidence: vec![why],
        did: None,
        expected: None,
        lesson: None,
        hidden: None,
        seconds: 0.0,
        ran: 0.0,
    }
}

/// A run that ended by itself, however it ended.
///
/// # Errors
/// When it was cut short.
pub fn whole(state: State) -> Result<State, Trouble> {
    match state.cut {
        Some(cut) => Err(Trouble::Cut(cut, last_word(&state))),
        None => Ok(state),
    }
}

/// A run that ended well: with status 0, and nothing left behind.
///
/// # Errors
/// Else with what it ended with.
pub fn done(state: &State) -> Result<(), Trouble> {
    if let Some(cut) = state.cut {
        return Err(Trouble::Cut(cut, last_word(state))); // and killed by us, which is no crash of its own
    }
    match state.ended {
        Some(Ending::Exit(0)) => Ok(()),
        Some(Ending::Signal(_)) => Err(Trouble::Crashed(ending(state))),
        Some(Ending::Exit(_)) => fail("the program ends with exit status 0", ending(state)),
        None => Err(Trouble::Cut(Cut::Time, last_word(state))),
    }
}

/// How a run ended, in words, with the last thing that it said on stderr.
pub fn ending(state: &State) -> String {
    let ended = state.ended.map_or_else(|| "it did not end".into(), |ended| ended.to_string());
    after(ended, last_word(state))
}

/// What happened to a program, with what it had said before.
pub fn after(happened: impl Display, said: Option<impl Display>) -> String {
    match said {
        Some(line) => format!("{happened}, after it said: {line}"),
        None => happened.to_string(),
    }
}

/// The last line on stderr that says anything: Rust's hint after the words of a panic does not.
pub fn last_word(state: &State) -> Option<String> {
    let said = state.lines_of(run::Stream::Stderr).map(run::Line::text);
    said.filter(|line| !line.trim().is_empty() && !line.starts_with("note: run with")).last()
}

/// Time that a program gets to do what it should do at once. Long, so that a busy machine never
/// makes the difference; nobody waits for it who does it.
pub const SOON: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Any outcome, drawn from the random numbers of the examination.
    fn anything(exam: &mut Exam) -> Finding {
        match exam.random.u8(..12) {
            0 => fail("one thing", "another"),
            1 => Err(Trouble::Cut(Cut::Time, Some("its last words".into()))),
            2 => Err(Trouble::Cut(Cut::Memory, None)),
            3 => Err(Trouble::Crashed("signal 11".into())),
            4 => Err(Trouble::Unverified("no evidence".into())),
            5 => Err(Trouble::NotGradable("it is not there".into())),
            6 => Err(anyhow::anyhow!("our own mistake").into()),
            _ => Ok(Vec::new()),
        }
    }

    #[test]
    fn only_what_holds_earns_points_and_what_it_needs_must_hold_first() {
        let check = |id, points, needs| Check {
            id,
            points,
            needs,
            title: "",
            lesson: "",
            examine: anything,
        };
        let checks = [
            check("a", 3, &[]),
            check("b", 2, &["a"]),
            check("c", 5, &["a", "b"]),
            check("d", 0, &["c"]),
        ];
        let program = Program::demo("none", Path::new("/dev/null"));
        for seed in 0..2000 {
            let mut exam = Exam::new(&program, seed, Limits::default(), Stdout::Pipe, None);
            let records = exam.examine(&checks, &[], |_| ());
            assert_eq!(records.len(), checks.len());
            for (record, check) in records.iter().zip(&checks) {
                let holds = record.status == Status::Pass;
                assert_eq!(record.earned, if holds { check.points } else { 0 }, "{record:?}");
                assert_eq!(record.points, check.points);
                let needed =
                    |id: &&str| records.iter().any(|r| r.id == **id && r.status == Status::Pass);
                let may = check.needs.iter().all(needed);
                assert_eq!(record.status == Status::Skipped, !may, "{record:?}");
            }
        }
    }
}
