//! `cargo lab grade`: examines anybody's programs by the checks of a lab.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::exam::Exam;
use crate::labs::{self, LABS, Lab};
use crate::program;
use crate::record::{Record, SCHEMA, Status};
use crate::report::terminal::{Style, Terminal, progress};
use crate::report::{self, csv, gradescope, junit};
use crate::run::{Limits, Stdout};

/// Examine a program, or many, by the checks of a lab
///
/// A submission is a Cargo package, a Python program (.py), a folder with one of these in it, or
/// anything executable. Only run programs that you would run yourself: they are limited in time,
/// memory and processes, and nothing that they start is left, but they see your files.
#[derive(Args)]
pub struct Options {
    /// The lab, as `cargo lab list` names it
    #[arg(value_name = "LAB", value_parser = lab)]
    lab: String,
    /// What is examined
    #[arg(value_name = "SUBMISSION", required = true)]
    submissions: Vec<PathBuf>,
    /// Where the random inputs come from; the default is another number each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only this check and those that it needs; may be given several times
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// How many submissions are examined at the same time [default: a processor each]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Seconds that one run may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = crate::walkthrough::seconds)]
    time_limit: Duration,
    /// Write all records here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a table here, a row a submission
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write `JUnit` XML here
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Gradescope's results.json here; for one submission
    #[arg(long, value_name = "FILE")]
    gradescope: Option<PathBuf>,
}

/// A lab's name on the command line.
pub fn lab(name: &str) -> Result<String, String> {
    let names = || LABS.iter().filter(|lab| lab.points() > 0).map(|lab| lab.name);
    if names().any(|known| known == name) {
        return Ok(name.into());
    }
    Err(format!("the labs are {}", names().collect::<Vec<_>>().join(", ")))
}

/// `cargo lab list`.
pub fn list() -> ExitCode {
    let terminal = Terminal::new(false);
    for lab in LABS.iter().filter(|lab| lab.points() > 0) {
        terminal.verdict(Style::Plain, &format!("{:<10} {}", lab.name, lab.title));
    }
    ExitCode::SUCCESS
}

/// `cargo lab show LAB`: the statement, and the checks with their points.
///
/// # Errors
/// When the demo's folder can't be read.
pub fn show(name: &str) -> Result<ExitCode> {
    let lab = labs::graded(name).context("a lab")?;
    let file = program::workspace().join(lab.demo).join("README.md");
    let statement =
        std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let terminal = Terminal::new(false);
    for line in statement.lines() {
        terminal.verdict(Style::Plain, line);
    }
    terminal.verdict(Style::Title, "\n## The checks\n");
    for check in lab.scene.checks {
        let points = if check.points > 0 { check.points.to_string() } else { "-".into() };
        terminal.verdict(Style::Plain, &format!("{points:>2}  {:<14} {}", check.id, check.title));
    }
    Ok(ExitCode::SUCCESS)
}

/// Status 0: all points. 1: not all. 3: something could not be examined.
///
/// # Errors
/// When nothing could be examined, or a file can't be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let lab = labs::graded(&options.lab).context("a lab")?;
    let checks = chosen(lab, &options.only)?;
    if options.gradescope.is_some() && options.submissions.len() > 1 {
        bail!("--gradescope is for one submission");
    }
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let terminal = Terminal::new(false);
    let records = match &options.submissions[..] {
        [one] => vec![grade_one(lab, &checks, one, seed, options, &terminal)],
        many => grade_many(lab, &checks, many, seed, options, &terminal),
    };
    if let Some(file) = &options.json {
        let all = serde_json::json!({ "schema": SCHEMA, "records": records });
        report::write(file, &format!("{all:#}\n"))?;
    }
    if let Some(file) = &options.csv {
        report::write(file, &csv::text(&records))?;
    }
    if let Some(file) = &options.junit {
        report::write(file, &junit::text(&records))?;
    }
    if let Some(file) = &options.gradescope {
        report::write(file, &gradescope::text(&records[0]))?;
    }
    let broken = records.iter().any(|record| record.count(&[Status::GraderError]) > 0);
    Ok(match records.iter().all(is_full) {
        _ if broken => ExitCode::from(3),
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The checks of a lab that are asked for, with those that they need.
fn chosen(lab: &Lab, only: &[String]) -> Result<Vec<&'static str>> {
    let checks = lab.scene.checks;
    let mut wanted: Vec<&str> = only.iter().map(String::as_str).collect();
    for id in &wanted {
        if !checks.iter().any(|check| check.id == *id) {
            let ids: Vec<_> = checks.iter().map(|check| check.id).collect();
            bail!("no check '{id}'; the checks of {} are {}", lab.name, ids.join(", "));
        }
    }
    for check in checks.iter().rev().filter(|_| !only.is_empty()) {
        if wanted.contains(&check.id) {
            wanted.extend(check.needs);
        }
    }
    let all = wanted.is_empty();
    let ids = checks.iter().map(|check| check.id);
    Ok(ids.filter(|id| all || wanted.contains(id)).collect())
}

/// Examines one submission; `made` is told of each check.
fn examine(
    lab: &Lab,
    checks: &[&str],
    submission: &Path,
    seed: u64,
    options: &Options,
    made: impl FnMut(&crate::record::CheckRecord),
) -> Record {
    let started = Instant::now();
    let mut record = Record {
        schema: SCHEMA,
        lab: lab.name.into(),
        program: submission.display().to_string(),
        seed,
        not_gradable: None,
        checks: Vec::new(),
        seconds: 0.0,
    };
    match program::find(submission) {
        Ok(program) => {
            let limits = Limits { time: options.time_limit, ..Limits::default() };
            let mut exam = Exam::new(&program, seed, limits, Stdout::Terminal, None);
            let wanted = lab.scene.checks.iter().filter(|check| checks.contains(&check.id));
            record.checks = exam.examine(wanted, lab.timed, made);
        }
        Err(why) => record.not_gradable = Some(format!("{why:#}")),
    }
    record.seconds = started.elapsed().as_secs_f64();
    record
}

fn grade_one(
    lab: &Lab,
    checks: &[&str],
    submission: &Path,
    seed: u64,
    options: &Options,
    terminal: &Terminal,
) -> Record {
    terminal.heading("", &submission.display().to_string(), lab.title);
    terminal.gap();
    let record =
        examine(lab, checks, submission, seed, options, |check| terminal.scored_check(check));
    if let Some(why) = &record.not_gradable {
        why.lines().for_each(|line| terminal.output("", line));
        terminal.gap();
        terminal.verdict(Style::Bad, "it can't be graded");
        return record;
    }
    terminal.gap();
    let (earned, points) = (record.earned(), record.points());
    let style = if earned == points { Style::Good } else { Style::Bad };
    terminal.verdict(style, &format!("{earned} of {points} points, {:.1} seconds", record.seconds));
    terminal.verdict(Style::Quiet, &format!("the same inputs again: --seed {seed}"));
    record
}

/// All submissions, several at the same time; then a table of them, and what fails most.
fn grade_many(
    lab: &Lab,
    checks: &[&str],
    submissions: &[PathBuf],
    seed: u64,
    options: &Options,
    terminal: &Terminal,
) -> Vec<Record> {
    let started = Instant::now();
    let jobs =
        options.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    let next = AtomicUsize::new(0);
    let mut records: Vec<Option<Record>> = Vec::new();
    records.resize_with(submissions.len(), || None);
    thread::scope(|scope| {
        let (done, all_done) = mpsc::channel();
        for _ in 0..jobs.clamp(1, submissions.len()) {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                while let Some((index, submission)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    submissions.get(index).map(|submission| (index, submission))
                } {
                    let record = examine(lab, checks, submission, seed, options, |_| ());
                    let _ = done.send((index, record));
                }
            });
        }
        drop(done);
        for (count, (index, record)) in all_done.into_iter().enumerate() {
            progress(&format!("{}/{}: {}", count + 1, submissions.len(), record.program));
            records[index] = Some(record);
        }
    });
    progress("");
    let records: Vec<Record> = records.into_iter().flatten().collect();
    table(lab, &records, terminal);
    let seconds = started.elapsed().as_secs_f64();
    let full = records.iter().filter(|record| is_full(record)).count();
    terminal.verdict(
        Style::Title,
        &format!("{} submissions, {full} with all points, {seconds:.1} seconds", records.len()),
    );
    terminal.verdict(Style::Quiet, &format!("the same inputs again: --seed {seed}"));
    records
}

/// Whether it earned all there is to earn.
fn is_full(record: &Record) -> bool {
    record.points() > 0 && record.earned() == record.points()
}

fn table(lab: &Lab, records: &[Record], terminal: &Terminal) {
    let mut fails: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records {
        let scored = record.checks.iter().filter(|check| check.points > 0);
        let failed: Vec<&str> = scored
            .filter(|check| !matches!(check.status, Status::Pass | Status::Skipped))
            .map(|check| check.id.as_str())
            .collect();
        for id in &failed {
            *fails.entry(id).or_default() += 1;
        }
        let why = match &record.not_gradable {
            Some(why) => why.lines().next().unwrap_or_default().to_string(),
            None => failed.join(" "),
        };
        let style = if why.is_empty() { Style::Good } else { Style::Bad };
        let name = report::terminal::harmless(&record.program);
        let why = report::terminal::harmless(&why);
        terminal
            .verdict(style, &format!("{:>2}/{:<2}  {name}  {why}", record.earned(), lab.points()));
    }
    terminal.gap();
    let mut most: Vec<_> = fails.into_iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (id, count) in most {
        let title = lab.scene.checks.iter().find(|check| check.id == id).map_or("", |c| c.title);
        terminal.verdict(Style::Plain, &format!("{count:>4} fail: {title}"));
    }
    terminal.gap();
}
