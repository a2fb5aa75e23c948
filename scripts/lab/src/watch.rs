//! `cargo lab watch`: examines a program again at each save, and says what has changed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;
use clap::error::ErrorKind;

use crate::grading::Grading;
use crate::marker;
use crate::record::{Record, Status};
use crate::report::terminal::{Style, Terminal};
use crate::run::{Isolation, Tier};
use crate::words::tr;

/// Examine a program again at each save, until Ctrl-C
#[derive(Args)]
#[command(override_usage = "lab watch [LAB] SUBMISSION")]
pub struct Options {
    /// The lab, as `cargo lab list` names it; may be left out where the submission says it in its
    /// first lines, as starters do
    #[arg(value_name = "LAB")]
    lab: OsString,
    /// What is examined
    #[arg(value_name = "SUBMISSION")]
    submission: Option<PathBuf>,
}

/// How often the files are looked at. Asking works on every file system, network ones included.
const PERIOD: Duration = Duration::from_millis(300);

/// Runs until it is interrupted.
///
/// # Errors
/// When there is no such file.
pub fn run(options: &Options) -> Result<ExitCode> {
    let others: Vec<PathBuf> = options.submission.iter().cloned().collect();
    let chosen = marker::lab_and_submissions(&options.lab, &others);
    let (lab, submissions) = chosen.unwrap_or_else(|error| error.exit());
    let Some(submission) = submissions.first() else {
        let why = format!("nothing to examine: cargo lab watch {} SUBMISSION\n", lab.name);
        clap::Error::raw(ErrorKind::MissingRequiredArgument, why).exit();
    };
    let terminal = Terminal::new(false);
    let isolation = Isolation::find(Tier::Full, lab.has_peers());
    // The same inputs each time: what changes is the program.
    let grading = Grading { isolation, ..Grading::of(lab) };
    let mut before: Option<Record> = None;
    loop {
        let saved = newest(submission)?;
        let record = grading.one(submission, &terminal);
        if let Some(before) = &before {
            changes(before, &record, &terminal);
        }
        terminal.gap();
        terminal.verdict(Style::Quiet, tr("waiting for the next save; Ctrl-C ends it"));
        while newest(submission)? == saved {
            thread::sleep(PERIOD);
        }
        terminal.gap();
        before = Some(record);
    }
}

/// Says which checks hold now and did not, and the other way round.
fn changes(before: &Record, now: &Record, terminal: &Terminal) {
    for check in &now.checks {
        let was = before.checks.iter().find(|old| old.id == check.id).map(|old| old.status);
        let title = tr(&check.title);
        let (held, holds) = (was == Some(Status::Pass), check.status == Status::Pass);
        if holds && !held {
            terminal.verdict(Style::Good, &format!("  {} {title}", tr("now ok:")));
        } else if held && !holds {
            terminal.verdict(Style::Bad, &format!("  {} {title}", tr("no longer:")));
        }
    }
}

/// When the newest file of a submission was saved. What is built does not count.
fn newest(path: &Path) -> Result<SystemTime> {
    let metadata = fs::metadata(path).with_context(|| path.display().to_string())?;
    let mut newest = metadata.modified()?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)?.flatten() {
            let name = entry.file_name();
            let ours = name == "target" || name == "__pycache__";
            if !ours && !name.to_string_lossy().starts_with('.') {
                newest = newest.max(newest_or_gone(&entry.path()));
            }
        }
    }
    Ok(newest)
}

/// Editors save through files that are gone again a moment later.
fn newest_or_gone(path: &Path) -> SystemTime {
    newest(path).unwrap_or(SystemTime::UNIX_EPOCH)
}
