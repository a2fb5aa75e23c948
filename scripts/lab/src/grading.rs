//! Examines submissions: one with all that was seen, or many at the same time with a table of them.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::build::Builder;
use crate::exam::{Exam, not_made};
use crate::hidden::Hidden;
use crate::labs::{Check, Lab};
use crate::program::{self, quote};
use crate::record::{CheckRecord, Record, SCHEMA, Status};
use crate::report;
use crate::report::terminal::{Style, Terminal, harmless, progress};
use crate::run::{Isolation, Limits, Stdout};
use crate::words::{decimal, fill, tr};

/// To build a program takes so many times as long as to run it.
const BUILD: u32 = 12;

/// How submissions are examined.
pub struct Grading {
    /// The lab.
    pub lab: &'static Lab,
    /// The names of the checks that are made.
    pub checks: Vec<&'static str>,
    /// Where the random inputs come from.
    pub seed: u64,
    /// What one run may take.
    pub time_limit: Duration,
    /// How many submissions are examined at the same time; else two for each processor, since most
    /// of an examination is waiting.
    pub jobs: Option<usize>,
    /// Where a record of each is kept.
    pub records: Option<PathBuf>,
    /// Whether a record that is there already is taken instead of an examination.
    pub resume: bool,
    /// How often each is examined.
    pub repeat: u8,
    /// Seeds that students are not told, with which each is examined as well.
    pub hidden: Hidden,
    /// What the submissions are kept away from.
    pub isolation: Isolation,
}

impl Grading {
    /// All checks of a lab.
    pub fn of(lab: &'static Lab) -> Grading {
        Grading {
            lab,
            checks: lab.scene.checks.iter().map(|check| check.id).collect(),
            seed: 1,
            time_limit: Limits::default().time,
            jobs: None,
            records: None,
            resume: false,
            repeat: 1,
            hidden: Hidden::default(),
            isolation: Isolation::default(),
        }
    }

    /// The command that repeats it with the same random inputs.
    fn again(&self, submissions: &str) -> String {
        let (lab, seed) = (self.lab.name, self.seed);
        let again = format!("cargo lab grade {lab} {submissions} --seed {seed}");
        fill("the same inputs again: {command}", &[("command", &again)])
    }

    /// Examines one submission and shows each check as it is made.
    pub fn one(&self, submission: &Path, terminal: &Terminal) -> Record {
        terminal.heading("", &submission.display().to_string(), tr(self.lab.title));
        terminal.gap();
        let record = self.examine(submission, |check| terminal.scored_check(check));
        terminal.gap();
        if let Some(why) = &record.not_gradable {
            why.lines().for_each(|line| terminal.output("", line));
            terminal.verdict(Style::Bad, tr("it can't be graded"));
            return record;
        }
        let (earned, points) = (record.earned(), record.points());
        let style = if earned == points { Style::Good } else { Style::Bad };
        let seconds = decimal(record.seconds);
        let line = fill(
            "{earned} of {points} {points:point|points}, {seconds} seconds",
            &[("earned", &earned), ("points", &points), ("seconds", &seconds)],
        );
        terminal.verdict(style, &line);
        terminal.verdict(Style::Quiet, &self.again(&quote(submission.as_os_str())));
        record
    }

    /// Examines all of them, several at the same time; shows a table, and what fails most.
    pub fn many(&self, submissions: &[&Path], terminal: &Terminal) -> Vec<Record> {
        let started = Instant::now();
        let several = || 2 * thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.unwrap_or_else(several).clamp(1, submissions.len().max(1));
        let next = AtomicUsize::new(0);
        let mut records: BTreeMap<usize, Record> = BTreeMap::new();
        thread::scope(|scope| {
            let (done, all_done) = mpsc::channel();
            for _ in 0..jobs {
                let (done, next) = (done.clone(), &next);
                scope.spawn(move || {
                    self.isolation.divide_network();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(submission) = submissions.get(index) else { return };
                        let _ = done.send((index, self.examine(submission, |_| ())));
                    }
                });
            }
            drop(done);
            for (count, (index, record)) in (1..).zip(all_done) {
                let name = harmless(&record.program);
                progress(&format!("{count}/{}: {name}", submissions.len()));
                records.insert(index, record);
            }
        });
        progress("");
        let records: Vec<Record> = records.into_values().collect();
        self.table(&records, terminal);
        let full = records.iter().filter(|record| record.is_full()).count();
        let seconds = decimal(started.elapsed().as_secs_f64());
        let ran = decimal(records.iter().map(Record::ran).sum());
        let line = fill(
            "{count} {count:submission|submissions}, {full} with all points, {seconds} seconds, in \
             which the programs ran for {ran}",
            &[("count", &records.len()), ("full", &full), ("seconds", &seconds), ("ran", &ran)],
        );
        terminal.verdict(Style::Title, &line);
        terminal.verdict(Style::Quiet, &self.again("…"));
        records
    }

    /// Examines one submission, or takes its record; `made` is told of each check.
    fn examine(&self, submission: &Path, mut made: impl FnMut(&CheckRecord)) -> Record {
        let started = Instant::now();
        let mut record = Record {
            schema: SCHEMA.into(),
            lab: self.lab.name.into(),
            program: submission.display().to_string(),
            fingerprint: fingerprint(submission),
            seed: self.seed,
            hidden: self.hidden.0.clone(),
            not_gradable: None,
            isolation: Some(self.isolation.protection.clone()),
            checks: Vec::new(),
            seconds: 0.0,
        };
        let kept = self.records.as_ref().map(|folder| folder.join(file_name(submission)));
        if let Some(before) = kept.as_ref().filter(|_| self.resume).and_then(|file| read(file))
            && self.is_of(&before, &record)
        {
            for check in &before.checks {
                made(&check.shown());
            }
            return before;
        }
        match self.make_checks(submission, &mut made) {
            Ok(checks) => record.checks = checks,
            Err(why) => record.not_gradable = Some(format!("{why:#}")),
        }
        record.seconds = started.elapsed().as_secs_f64();
        if let Some(file) = kept
            && let Err(error) = keep(&file, &record)
        {
            // Not a grade, and not to be lost in silence: the caller sees it as ours.
            record.not_gradable.get_or_insert(format!("the record could not be kept: {error:#}"));
        }
        record
    }

    /// Makes the checks; an error when there is nothing to examine.
    fn make_checks(
        &self,
        submission: &Path,
        made: &mut dyn FnMut(&CheckRecord),
    ) -> Result<Vec<CheckRecord>> {
        let of = |ids: &[&str]| -> Vec<&Check> {
            self.lab.scene.checks.iter().filter(|check| ids.contains(&check.id)).collect()
        };
        if let Some(why) = &self.isolation.protection.untraced {
            // Nobody would see what the program does, nor end what it leaves: it is not run.
            let unverified = |check| not_made(check, Status::Unverified, why.clone());
            let checks: Vec<_> = of(&self.checks).into_iter().map(unverified).collect();
            checks.iter().for_each(made);
            return Ok(checks);
        }
        let time = self.time_limit.saturating_mul(BUILD);
        let program = program::find(submission, &Builder { isolation: &self.isolation, time })?;
        let limits = Limits { time: self.time_limit, ..Limits::default() };
        let examine = |seed, ids: &[&str], made: &mut dyn FnMut(&CheckRecord)| {
            let mut exam = Exam::new(&program, seed, limits, Stdout::Terminal, None);
            exam.isolation = self.isolation.clone();
            exam.examine(of(ids), self.lab.timed, made)
        };
        if self.repeat == 1 && self.hidden.0.is_empty() {
            return Ok(examine(self.seed, &self.checks, made));
        }
        let several = |seed, ids: &[&str]| {
            together((0..self.repeat).map(|_| examine(seed, ids, &mut |_| ())).collect())
        };
        let mut checks = several(self.seed, &self.checks);
        for &seed in &self.hidden.0 {
            let holds = |id: &&str| checks.iter().any(|c| c.id == **id && c.status == Status::Pass);
            let held: Vec<&str> = self.checks.iter().copied().filter(holds).collect();
            also(&mut checks, seed, several(seed, &held));
        }
        for check in &checks {
            made(&check.shown());
        }
        Ok(checks)
    }

    /// Whether a record is of the same submission, examined in the same way.
    fn is_of(&self, before: &Record, now: &Record) -> bool {
        let same = |record: &Record| {
            let tier = record.isolation.as_ref().map(|protection| protection.tier);
            (
                record.schema.clone(),
                record.lab.clone(),
                record.fingerprint.clone(),
                record.seed,
                record.hidden.clone(),
                tier,
            )
        };
        let made: Vec<&str> = before.checks.iter().map(|check| check.id.as_str()).collect();
        let untraced =
            before.isolation.as_ref().is_some_and(|protection| protection.untraced.is_some());
        let broken = untraced || before.count(&[Status::GraderError]) > 0;
        same(before) == same(now) && !broken && made == self.checks
    }

    /// A table of them, and how often each check fails.
    pub fn table(&self, records: &[Record], terminal: &Terminal) {
        let mut fails: BTreeMap<&str, usize> = BTreeMap::new();
        for record in records {
            let scored = || record.checks.iter().filter(|check| check.points > 0);
            let unverified = scored().filter(|check| check.status == Status::Unverified).count();
            let no_failure = [Status::Pass, Status::Skipped, Status::Unverified];
            let failed: Vec<&str> = scored()
                .filter(|check| !no_failure.contains(&check.status))
                .map(|check| check.id.as_str())
                .collect();
            for id in &failed {
                *fails.entry(id).or_default() += 1;
            }
            let why = match &record.not_gradable {
                Some(why) => harmless(why.lines().next().unwrap_or_default()),
                // Made harmless: a file of records may be anybody's.
                None if unverified > 0 => {
                    format!("{} ({unverified} left out)", harmless(&failed.join(" ")))
                }
                None => harmless(&failed.join(" ")),
            };
            let style = if why.is_empty() { Style::Good } else { Style::Bad };
            let (earned, name) = (record.earned(), harmless(&record.program));
            terminal.verdict(
                style,
                format!("{earned:>2}/{}  {name}  {}", self.lab.points(), why.trim_start())
                    .trim_end(),
            );
        }
        terminal.gap();
        let mut most: Vec<_> = fails.into_iter().collect();
        most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (id, count) in most {
            let check = self.lab.scene.checks.iter().find(|check| check.id == id);
            let title = check.map_or("", |check| check.title);
            let count = format!("{count:>4}");
            let line = fill("{count} fail: {title}", &[("count", &count), ("title", &tr(title))]);
            terminal.verdict(Style::Plain, &line);
        }
        terminal.gap();
    }
}

/// Several examinations as one: a check holds when it held every time, and how often it did is
/// said, never hidden.
fn together(rounds: Vec<Vec<CheckRecord>>) -> Vec<CheckRecord> {
    let count = rounds.len();
    let mut rounds = rounds.into_iter();
    let mut checks = rounds.next().unwrap_or_default();
    let mut held: Vec<usize> = checks.iter().map(|c| (c.status == Status::Pass).into()).collect();
    for round in rounds {
        for ((check, held), again) in checks.iter_mut().zip(&mut held).zip(round) {
            *held += usize::from(again.status == Status::Pass);
            if check.status == Status::Pass && again.status != Status::Pass {
                *check = again;
            }
        }
    }
    for (check, held) in checks.iter_mut().zip(held) {
        if held < count {
            check.evidence.insert(0, format!("it held {held} of {count} times"));
        }
    }
    checks
}

/// A check that holds must do so with a hidden seed, too; else it is as it was with that one.
fn also(checks: &mut [CheckRecord], seed: u64, again: Vec<CheckRecord>) {
    for mut other in again.into_iter().filter(|check| check.status != Status::Pass) {
        if let Some(check) = checks.iter_mut().find(|check| check.id == other.id) {
            other.evidence.insert(0, format!("only with the hidden seed {seed}"));
            other.hidden = Some(seed);
            *check = other;
        }
    }
}

/// A file name that no other submission of the same run has.
fn file_name(submission: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(submission.as_os_str().as_encoded_bytes());
    let name = submission.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let mut name: String = name.chars().map(plain).take(80).collect();
    name.truncate(name.floor_char_boundary(200)); // a name of a file has 255 bytes at most
    format!("{name}-{:08x}.json", hasher.finish() & 0xffff_ffff)
}

/// A number that changes when a byte of the submission changes, or a name or a size in it. Of what
/// is far larger than any program the bytes are not all read: a file may have more than the disk.
fn fingerprint(submission: &Path) -> String {
    let (mut hasher, mut left) = (DefaultHasher::new(), 256 << 20);
    add(&mut hasher, submission, &mut left);
    format!("{:016x}", hasher.finish())
}

fn add(hasher: &mut DefaultHasher, path: &Path, left: &mut u64) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
    if metadata.is_file() {
        hasher.write_u64(metadata.len());
        let Ok(file) = fs::File::open(path) else { return };
        let mut file = file.take(*left);
        let mut bytes = vec![0; 64 << 10];
        while let Ok(count @ 1..) = file.read(&mut bytes) {
            hasher.write(&bytes[..count]);
        }
        *left = file.limit();
    } else if metadata.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut inside: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        inside.sort();
        let built = |path: &PathBuf| path.ends_with("target") || path.ends_with("__pycache__");
        inside.iter().filter(|path| !built(path)).for_each(|path| add(hasher, path, left));
    }
}

fn read(file: &Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn keep(file: &Path, record: &Record) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    report::write(file, &(serde_json::to_string_pretty(record)? + "\n"))
}
