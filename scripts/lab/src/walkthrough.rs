//! `cargo walkthrough`: runs every section of the note in order, live, and checks its facts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::exam::{Audience, Exam, Trouble, after};
use crate::illustration;
use crate::keys::{self, Key};
use crate::labs::{LABS, Lab};
use crate::program::{self, Program};
use crate::record::{CheckRecord, Record, SCHEMA, Status};
use crate::report;
use crate::report::page::{self, Walked};
use crate::report::terminal::{Style, Terminal, progress};
use crate::run::{Echo, Limits, Line, Stdout, Stream};
use crate::teach;
use crate::words::{decimal, fill, tr};

/// Run every section of the note in order, live, and check its facts
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Options {
    /// Only list the sections
    #[arg(long)]
    list: bool,
    /// Only these sections; may be given several times
    #[arg(long, value_name = "NAME", value_parser = section)]
    section: Vec<String>,
    /// This section and all after it
    #[arg(long, value_name = "NAME", value_parser = section, conflicts_with = "section")]
    from: Option<String>,
    /// Wait for space or Enter after each section
    #[arg(long)]
    pause: bool,
    /// For a class: what to note, ask and show at each section, which waits for a key
    ///
    /// The notes are in `teach-SECTION.md` beside the README of the section's demo. Where stdin is no
    /// terminal, a line is a key: its first letter, or an empty one for space.
    #[arg(long, conflicts_with_all = ["pause", "quiet"])]
    teach: bool,
    /// Where the random inputs come from; the default is another number each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the whole record here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write all that is shown here, as one page for a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show only what does not hold, and the last lines
    #[arg(long, short)]
    quiet: bool,
    /// Seconds that one run of a demo may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    time_limit: Duration,
    /// Examine the executables of this folder, named as the demos are, instead of building them
    #[arg(long, value_name = "DIR")]
    demos: Option<PathBuf>,
}

/// Reads seconds, such as `0.5`.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

fn section(name: &str) -> Result<String, String> {
    if LABS.iter().any(|lab| lab.name == name) {
        return Ok(name.into());
    }
    let names: Vec<_> = LABS.iter().map(|lab| lab.name).collect();
    Err(format!("the sections are {}", names.join(", ")))
}

/// What the sections together came to.
#[derive(serde::Serialize)]
struct Whole<'a> {
    schema: &'static str,
    seed: u64,
    sections: Vec<&'a Record>,
    facts: usize,
    passed: usize,
    failed: usize,
    left_out: usize,
    seconds: f64,
}

/// Status 0: every fact holds. 1: one does not. 3: something could not be examined.
///
/// # Errors
/// When nothing could be examined, or the record can't be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let labs: Vec<&'static Lab> = LABS
        .iter()
        .copied()
        .skip_while(|lab| options.from.as_ref().is_some_and(|from| lab.name != from))
        .filter(|lab| options.section.is_empty() || options.section.iter().any(|s| s == lab.name))
        .collect();
    let terminal = Arc::new(Terminal::new(options.quiet));
    if options.list {
        for lab in labs {
            terminal.verdict(
                Style::Plain,
                &format!("{:<10} {:<14} {}", lab.name, lab.demo, tr(lab.title)),
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(why) = crate::run::untraced() {
        bail!("{why}; {}", crate::run::NotTraced::what_helps());
    }
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let executables = match &options.demos {
        Some(folder) if !folder.is_dir() => bail!("{}: no such folder", folder.display()),
        Some(folder) => {
            labs.iter().map(|lab| (lab.demo.into(), absolute(folder).join(lab.demo))).collect()
        }
        None => build(&labs)?,
    };
    let limits = Limits { time: options.time_limit, ..Limits::default() };
    let started = Instant::now();
    let mut sections = Vec::new();
    for (index, lab) in labs.iter().enumerate() {
        let executable = executables.get(lab.demo).context("an executable that cargo names")?;
        let number = format!("{}/{}", index + 1, labs.len());
        let demo = Program::demo(lab.demo, executable);
        sections.push(Section { number, lab, demo, seed, limits });
    }
    let mut walked = match options {
        Options { teach: true, .. } => teach::run(&sections, &terminal)?,
        Options { pause: true, .. } => one_by_one(&sections, &terminal),
        _ => ahead(&sections, options.quiet),
    };
    let seconds = started.elapsed().as_secs_f64();
    if options.html.is_some() {
        draw(&sections, &mut walked);
    }
    let records: Vec<&Record> = walked.iter().map(|walked| &walked.record).collect();
    let count = |wanted: &[Status]| records.iter().map(|record| record.count(wanted)).sum();
    let whole = Whole {
        schema: SCHEMA,
        seed,
        sections: records.clone(),
        facts: records.iter().map(|record| record.checks.len()).sum(),
        passed: count(&[Status::Pass]),
        failed: count(&[
            Status::Fail,
            Status::Timeout,
            Status::Crashed,
            Status::OverLimit,
            Status::GraderError,
            Status::NotGradable,
        ]),
        left_out: count(&[Status::Skipped, Status::Unverified]),
        seconds,
    };
    if let Some(file) = &options.json {
        report::write(file, &(serde_json::to_string_pretty(&whole)? + "\n"))?;
    }
    if let Some(file) = &options.html {
        report::write(file, &page::text(&walked, &[whole.words(), machine()], &whole.again()))?;
    }
    summary(&whole, &terminal);
    let broken =
        records.iter().any(|record| record.count(&[Status::GraderError, Status::NotGradable]) > 0);
    Ok(match whole.failed {
        0 => ExitCode::SUCCESS,
        _ if broken => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

fn build(labs: &[&Lab]) -> Result<BTreeMap<String, PathBuf>> {
    let mut demos: Vec<&str> = labs.iter().map(|lab| lab.demo).collect();
    demos.dedup();
    progress(tr("building the demos …"));
    let built = program::build(&demos, |package| {
        progress(&fill("building: {package}", &[("package", &package)]));
    });
    progress("");
    built
}

/// A section that is to be walked through.
pub struct Section {
    /// Which it is of how many.
    pub number: String,
    /// What it shows.
    pub lab: &'static Lab,
    /// The program that is run.
    pub demo: Program,
    seed: u64,
    limits: Limits,
}

/// One section after the other, each when a key has been pressed.
fn one_by_one(sections: &[Section], terminal: &Arc<Terminal>) -> Vec<Walked> {
    let mut all = Vec::new();
    for section in sections {
        if !all.is_empty() {
            keys::ask(&[(Key::Next, tr("space: the next section"))]);
        }
        all.push(walk(section, terminal));
    }
    all
}

/// Most of a section's time is waiting: so many are run at the same time.
const AT_ONCE: usize = 8;

/// Some sections at the same time, shown one after the other: what the later ones say is kept back
/// until it is their turn.
fn ahead(sections: &[Section], quiet: bool) -> Vec<Walked> {
    let stages: Vec<_> = sections.iter().map(|_| Arc::new(Terminal::waiting(quiet))).collect();
    let next = AtomicUsize::new(0);
    let (done, all_done) = mpsc::channel();
    let mut all = BTreeMap::new();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (done, next, stages) = (done.clone(), &next, &stages);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(section) = sections.get(index) else { return };
                    let _ = done.send((index, walk(section, &stages[index])));
                }
            });
        }
        drop(done);
        for (index, stage) in stages.iter().enumerate() {
            stage.take_turn();
            while !all.contains_key(&index) {
                let Ok((index, walked)) = all_done.recv() else { return };
                all.insert(index, walked);
            }
        }
    });
    all.into_values().collect()
}

/// One section, with its heading.
fn walk(section: &Section, terminal: &Arc<Terminal>) -> Walked {
    terminal.heading(&section.number, tr(section.lab.title), section.lab.demo);
    perform(section, terminal)
}

/// Each scene of a section shown, then its facts.
pub fn perform(section: &Section, terminal: &Arc<Terminal>) -> Walked {
    let Section { number, lab, demo, seed, limits } = section;
    let (seed, limits) = (*seed, *limits);
    let started = Instant::now();
    terminal.paragraph(Style::Plain, 2, tr(lab.about));
    let stage = Stage { terminal: terminal.clone(), lines: Arc::default() };
    let mut exam = Exam::new(demo, seed, limits, Stdout::Pipe, Some(&stage));
    let (mut checks, mut scenes) = (Vec::new(), Vec::new());
    for scene in std::iter::once(&lab.scene).chain(lab.more) {
        terminal.gap();
        if !scene.text.is_empty() {
            terminal.paragraph(Style::Plain, 2, tr(scene.text));
            terminal.gap();
        }
        if let Err(trouble) = exam.show(scene) {
            let why = fill("it could not be shown: {why}", &[("why", &said(&trouble))]);
            terminal.verdict(Style::Bad, &format!("  {why}"));
            stage.lines().push(page::Line::Action(why));
        }
        terminal.gap();
        let (from, lines) = (checks.len(), std::mem::take(&mut *stage.lines()));
        checks.extend(exam.examine(scene.checks, lab.timed, |record: &CheckRecord| {
            terminal.check(record);
        }));
        scenes.push(page::Scene { text: scene.text, lines, checks: from..checks.len() });
    }
    terminal.gap();
    let record = Record {
        schema: SCHEMA.into(),
        lab: lab.name.into(),
        program: demo.name.clone(),
        fingerprint: String::new(),
        seed,
        hidden: Vec::new(),
        not_gradable: None,
        isolation: None,
        checks,
        seconds: started.elapsed().as_secs_f64(),
    };
    Walked {
        number: number.clone(),
        title: lab.title,
        about: lab.about,
        scenes,
        record,
        picture: Err("not drawn".into()),
    }
}

/// Draws a picture of each, or says why that can't be done.
fn draw(sections: &[Section], walked: &mut [Walked]) {
    for walked in walked {
        progress(&fill("drawing: {section}", &[("section", &walked.record.lab)]));
        let own = sections.iter().find(|section| section.lab.name == walked.record.lab);
        walked.picture = own
            .context("no such section")
            .and_then(illustration::svg)
            .map_err(|error| format!("{error:#}"));
    }
    progress("");
}

fn said(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Fail { expected, saw } => format!("expected {expected}, saw {}", saw.join("; ")),
        Trouble::Cut(cut, said) => after(cut, said.as_deref()),
        Trouble::Crashed(why) | Trouble::Unverified(why) | Trouble::NotGradable(why) => why.clone(),
        Trouble::Grader(error) => format!("{error:#}"),
    }
}

/// Shows the runs as they go on, and keeps what it has shown.
struct Stage {
    terminal: Arc<Terminal>,
    lines: Arc<Mutex<Vec<page::Line>>>,
}

impl Stage {
    fn lines(&self) -> MutexGuard<'_, Vec<page::Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audience for Stage {
    fn command(&self, line: &str) {
        self.terminal.command(line);
        self.lines().push(page::Line::Command(line.into()));
    }

    fn action(&self, what: &str) {
        self.terminal.paragraph(Style::Quiet, 2, &format!("# {what}"));
        self.lines().push(page::Line::Action(what.into()));
    }

    fn output(&self, line: &str) {
        self.terminal.output("", line);
        self.lines().push(page::Line::Output(line.into()));
    }

    fn echo(&self) -> Option<Echo> {
        let (terminal, lines) = (self.terminal.clone(), self.lines.clone());
        Some(Arc::new(move |line: &Line| {
            let text = line.text();
            let (mark, line) = match line.stream {
                Stream::Stdout => ("", page::Line::Output(text.clone())),
                Stream::Stderr => ("! ", page::Line::Error(text.clone())),
            };
            terminal.output(mark, &text);
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }))
    }
}

impl Whole<'_> {
    /// What came out, in a sentence.
    fn words(&self) -> String {
        fill(
            "{sections} {sections:section|sections}, {facts} {facts:fact|facts} checked: \
             {passed} passed, {failed} failed, {left_out} left out, {seconds} seconds",
            &[
                ("sections", &self.sections.len()),
                ("facts", &self.facts),
                ("passed", &self.passed),
                ("failed", &self.failed),
                ("left_out", &self.left_out),
                ("seconds", &decimal(self.seconds)),
            ],
        )
    }

    /// The command that repeats it.
    fn again(&self) -> String {
        format!("cargo walkthrough --seed {}", self.seed)
    }
}

/// Where it was made.
fn machine() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    fill(
        "Linux {release}, {processors} {processors:processor|processors}",
        &[("release", &release.trim()), ("processors", &processors)],
    )
}

fn summary(whole: &Whole, terminal: &Terminal) {
    let style = if whole.failed == 0 { Style::Good } else { Style::Bad };
    terminal.verdict(style, &whole.words());
    for record in &whole.sections {
        for check in record.checks.iter().filter(|check| check.status != Status::Pass) {
            let line = format!("  {}: {}", record.lab, tr(&check.title));
            terminal.verdict(Style::Plain, &line);
        }
    }
    let again = fill("the same inputs again: {command}", &[("command", &whole.again())]);
    terminal.verdict(Style::Quiet, &again);
}
