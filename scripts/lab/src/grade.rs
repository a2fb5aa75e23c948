//! `cargo lab grade`: examines anybody's programs by the checks of a lab.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use clap::error::ErrorKind;

use crate::grading::Grading;
use crate::hidden::Hidden;
use crate::labs::{self, LABS, Lab};
use crate::marker;
use crate::program;
use crate::record::{CheckRecord, Record, SCHEMA, Status};
use crate::report::terminal::{Style, Terminal, harmless};
use crate::report::{self, csv, github, gradescope, html, junit};
use crate::run::{Isolation, Tier};
use crate::twins;
use crate::words::{fill, tr};

/// Examine a program, or many, by the checks of a lab
///
/// A submission is a Cargo package, a Python program (.py), a folder with one of these in it, or
/// anything executable. It is limited in time, memory and processes, and nothing that it starts is
/// left. What it is kept away from besides depends on the machine, and is said in the first line.
#[derive(Args)]
#[command(override_usage = "lab grade [OPTIONS] [LAB] SUBMISSION...")]
pub struct Options {
    /// The lab, as `cargo lab list` names it; may be left out where a submission says it in its
    /// first lines, as starters do
    #[arg(value_name = "LAB")]
    lab: OsString,
    /// What is examined
    #[arg(value_name = "SUBMISSION")]
    submissions: Vec<PathBuf>,
    /// Examine a kept program, as `cargo lab twins LAB` names it; may be given several times
    #[arg(long, value_name = "NAME")]
    twin: Vec<String>,
    /// Where the random inputs come from; the default is another number each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Examine each with the inputs of these seeds, too, one a line; students are shown no more of
    /// a check that fails by them alone than its title and points
    #[arg(long, value_name = "FILE", value_parser = Hidden::read)]
    hidden: Option<Hidden>,
    /// Only this check and those that it needs; may be given several times
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// How many submissions are examined at the same time [default: two a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Seconds that one run may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = crate::walkthrough::seconds)]
    time_limit: Duration,
    /// Keep a record of each submission in this folder, written as soon as it is examined
    #[arg(long, value_name = "DIR")]
    records: Option<PathBuf>,
    /// Leave out submissions that have a record there already, of the same bytes and seed
    #[arg(long, requires = "records", requires = "seed")]
    resume: bool,
    /// Only the Kth of N parts of the submissions, to share them between machines
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<(usize, usize)>,
    /// Examine each so many times; a check holds when it holds every time
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(1..))]
    repeat: u8,
    /// Say what this check is about, and examine nothing
    #[arg(long, value_name = "CHECK")]
    explain: Option<String>,
    /// Examine nothing unless the programs can be kept away from this much
    #[arg(long, value_name = "TIER")]
    require: Option<Tier>,
    /// At most this isolation, to try what a lower one does
    #[arg(long, value_name = "TIER", default_value = "full", hide = true)]
    tier: Tier,
    #[command(flatten)]
    outputs: Outputs,
}

/// Where records go besides the terminal.
#[derive(Args)]
struct Outputs {
    /// Write all records here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a table here, a row a submission
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a page for a browser here, complete in itself
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write `JUnit` XML here
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Gradescope's results.json here; for one submission
    #[arg(long, value_name = "FILE")]
    gradescope: Option<PathBuf>,
    /// Say it in GitHub's way: annotations on stdout, and the step's summary
    #[arg(long)]
    github: bool,
}

impl Outputs {
    /// The records as they are for whoever grades, all else as a student may see it.
    fn write(&self, records: &[Record]) -> Result<()> {
        if let Some(file) = &self.json {
            let all = serde_json::json!({ "schema": SCHEMA, "records": records });
            report::write(file, &format!("{all:#}\n"))?;
        }
        let records: &[Record] = &records.iter().map(Record::shown).collect::<Vec<_>>();
        if let Some(file) = &self.csv {
            report::write(file, &csv::text(records))?;
        }
        if let Some(file) = &self.html {
            report::write(file, &html::text(records))?;
        }
        if let Some(file) = &self.junit {
            report::write(file, &junit::text(records))?;
        }
        if let Some(file) = &self.gradescope {
            let [one] = records else { bail!("--gradescope is for one submission") };
            report::write(file, &gradescope::text(one))?;
        }
        if self.github {
            let mut out = std::io::stdout();
            for record in records {
                out.write_all(github::annotations(record).as_bytes())?;
            }
            if let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY") {
                let file = std::fs::File::options().append(true).create(true).open(file);
                file?.write_all(github::summary(records).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Put the records of several gradings together, such as those of the parts of a class
#[derive(Args)]
pub struct Merge {
    /// Files that --json or --records has written
    #[arg(value_name = "RECORD", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

/// `cargo lab merge`: a table for each lab, and the formats that are asked for.
///
/// # Errors
/// When a file is no record, or of another version.
pub fn merge(options: &Merge) -> Result<ExitCode> {
    let mut records: Vec<Record> = Vec::new();
    for file in &options.files {
        records.extend(records_of(file).with_context(|| file.display().to_string())?);
    }
    let terminal = Terminal::new(false);
    for lab in LABS.iter().filter(|lab| lab.points() > 0) {
        let own: Vec<Record> = records.iter().filter(|r| r.lab == lab.name).cloned().collect();
        if !own.is_empty() {
            terminal.heading("", lab.name, tr(lab.title));
            Grading::of(lab).table(&own, &terminal);
        }
    }
    options.outputs.write(&records)?;
    Ok(ExitCode::SUCCESS)
}

/// The records of a file that --json or --records has written, or somebody else.
///
/// # Errors
/// When it is none, or of another version.
pub fn records_of(file: &Path) -> Result<Vec<Record>> {
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
    if value["schema"] != SCHEMA {
        bail!("not of the version {SCHEMA}");
    }
    let all = value.get_mut("records").map(serde_json::Value::take);
    let all = all.unwrap_or_else(|| serde_json::Value::Array(vec![value]));
    // What is wrong is said with words of the file, which may be anybody's.
    serde_json::from_value(all).map_err(|why| anyhow::anyhow!(harmless(&why.to_string())))
}

/// What a check is about.
fn explain(lab: &Lab, id: &str, terminal: &Terminal) -> Result<ExitCode> {
    chosen(lab, &[id.to_string()]);
    let check = lab.scene.checks.iter().find(|check| check.id == id).context("a check")?;
    let points = fill("{points} {points:point|points}", &[("points", &check.points)]);
    terminal.heading("", tr(check.title), &points);
    terminal.paragraph(Style::Plain, 2, tr(check.lesson));
    if !check.needs.is_empty() {
        let needs = fill("needs: {checks}", &[("checks", &check.needs.join(", "))]);
        terminal.paragraph(Style::Quiet, 2, &needs);
    }
    Ok(ExitCode::SUCCESS)
}

/// A lab's name on the command line.
pub fn lab(name: &str) -> Result<String, String> {
    match labs::graded(name) {
        Some(lab) => Ok(lab.name.into()),
        None => Err(format!("the labs are {}", marker::names())),
    }
}

/// Name the labs
#[derive(Args)]
pub struct List;

/// `cargo lab list`.
pub fn list() -> ExitCode {
    let terminal = Terminal::new(false);
    for lab in LABS.iter().filter(|lab| lab.points() > 0) {
        terminal.verdict(Style::Plain, &format!("{:<10} {}", lab.name, tr(lab.title)));
    }
    ExitCode::SUCCESS
}

/// Show the statement of a lab
#[derive(Args)]
pub struct Show {
    /// The lab
    #[arg(value_name = "LAB", value_parser = lab)]
    lab: String,
}

/// `cargo lab show LAB`: the statement, and the checks with their points.
///
/// # Errors
/// When the demo's folder can't be read.
pub fn show(Show { lab }: &Show) -> Result<ExitCode> {
    let lab = labs::graded(lab).context("a lab")?;
    let file = program::workspace().join(lab.demo).join("README.md");
    let statement =
        std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let terminal = Terminal::new(false);
    for line in statement.lines() {
        terminal.verdict(Style::Plain, line);
    }
    terminal.verdict(Style::Title, &format!("\n## {}\n", tr("The checks")));
    for check in lab.scene.checks {
        let points = if check.points > 0 { check.points.to_string() } else { "-".into() };
        terminal
            .verdict(Style::Plain, &format!("{points:>2}  {:<14} {}", check.id, tr(check.title)));
    }
    Ok(ExitCode::SUCCESS)
}

/// A part of the submissions, such as `2/5`.
fn shard(text: &str) -> Result<(usize, usize), String> {
    let parts =
        text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    parts
        .filter(|(part, of)| (1..=*of).contains(part))
        .ok_or_else(|| "K/N with K from 1 to N".into())
}

/// Status 0: all points. 1: not all. 3: something could not be examined.
///
/// # Errors
/// When nothing could be examined, or a file can't be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let chosen_lab = marker::lab_and_submissions(&options.lab, &options.submissions);
    let (lab, mut all) = chosen_lab.unwrap_or_else(|error| error.exit());
    let terminal = Terminal::new(false);
    if let Some(id) = &options.explain {
        return explain(lab, id, &terminal);
    }
    for name in &options.twin {
        let twin = twins::named(lab, name).unwrap_or_else(|why| misused(&why.to_string()));
        terminal.paragraph(Style::Title, 0, &format!("{}: {}", twin.name, twin.about));
        all.push(twin.file);
    }
    if all.is_empty() {
        misused(&format!("nothing to examine: cargo lab grade {} SUBMISSION", lab.name));
    }
    let (part, of) = options.shard.unwrap_or((1, 1));
    let submissions: Vec<&Path> =
        all.iter().skip(part - 1).step_by(of).map(PathBuf::as_path).collect();
    if options.outputs.gradescope.is_some() && submissions.len() != 1 {
        bail!("--gradescope is for one submission");
    }
    crate::run::hide_value_of("--seed"); // whoever knows it knows the inputs
    let isolation = Isolation::find(options.tier, lab.has_peers());
    let protection = &isolation.protection;
    if options.require.is_some_and(|tier| protection.tier < tier) {
        bail!("below what is required\n{protection}");
    }
    terminal.verdict(Style::Quiet, &protection.to_string());
    let untraced = protection.untraced.is_some();
    let grading = Grading {
        checks: chosen(lab, &options.only),
        seed: options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
        time_limit: options.time_limit,
        jobs: options.jobs,
        records: options.records.clone(),
        resume: options.resume,
        hidden: options.hidden.clone().unwrap_or_default(),
        repeat: options.repeat,
        isolation,
        ..Grading::of(lab)
    };
    // What is shown has text of programs in it, which must not be taken for commands.
    let token = options.outputs.github.then(|| format!("{:032x}", fastrand::u128(..)));
    if let Some(token) = &token {
        terminal.verdict(Style::Plain, &format!("::stop-commands::{token}"));
    }
    let records = match submissions[..] {
        [one] => vec![grading.one(one, &terminal)],
        _ => grading.many(&submissions, &terminal),
    };
    if let Some(token) = &token {
        terminal.verdict(Style::Plain, &format!("::{token}::"));
    }
    options.outputs.write(&records)?;
    let open = |check: &CheckRecord| match check.status {
        Status::GraderError => true,
        Status::Unverified => check.points > 0,
        _ => false,
    };
    let open = records.iter().any(|record| record.checks.iter().any(open));
    Ok(match records.iter().all(Record::is_full) {
        _ if untraced || open => ExitCode::from(3),
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The checks of a lab that are asked for, with those that they need.
fn chosen(lab: &Lab, only: &[String]) -> Vec<&'static str> {
    let checks = lab.scene.checks;
    let mut wanted: Vec<&str> = only.iter().map(String::as_str).collect();
    for id in &wanted {
        if !checks.iter().any(|check| check.id == *id) {
            let ids: Vec<_> = checks.iter().map(|check| check.id).collect();
            let ids = ids.join(", ");
            misused(&format!("no check '{id}'; the checks of {} are {ids}", lab.name));
        }
    }
    for check in checks.iter().rev().filter(|_| !only.is_empty()) {
        if wanted.contains(&check.id) {
            wanted.extend(check.needs);
        }
    }
    let all = wanted.is_empty();
    let ids = checks.iter().map(|check| check.id);
    ids.filter(|id| all || wanted.contains(id)).collect()
}

/// Ends with status 2, as for any other mistake on the command line.
fn misused(why: &str) -> ! {
    clap::Error::raw(ErrorKind::InvalidValue, format!("{why}\n")).exit()
}
