//! `cargo lab watch`: examines a program again at each save, and says what has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::grade;
use crate::grading::Grading;
use crate::labs::graded;
use crate::record::{Record, Status};
use crate::report::terminal::{Style, Terminal};
use crate::run::{Isolation, Tier};

/// Examine a program again at each save, until Ctrl-C
#[derive(Args)]
pub struct Options {
    /// The lab, as `cargo lab list` names it
    #[arg(value_name = "LAB", value_parser = grade::lab)]
    lab: String,
    /// What is examined
    #[arg(value_name = "SUBMISSION")]
    submission: PathBuf,
}

/// How often the files are looked at. Asking works on every file system, network ones included.
const PERIOD: Duration = Duration::from_millis(300);

/// Runs until it is interrupted.
///
/// # Errors
/// When there is no such file.
pub fn run(options: &Options) -> Result<ExitCode> {
    let lab = graded(&options.lab).context("a lab")?;
    let terminal = Terminal::new(false);
    let isolation = Isolation::find(Tier::Full, lab.has_peers());
    // The same inputs each time: what changes is the program.
    let grading = Grading { isolation, ..Grading::of(lab) };
    let mut before: Option<Record> = None;
    loop {
        let saved = newest(&options.submission)?;
        let record = grading.one(&options.submission, &terminal);
        if let Some(before) = &before {
            changes(before, &record, &terminal);
        }
        terminal.gap();
        terminal.verdict(Style::Quiet, "waiting for the next save; Ctrl-C ends it");
        while newest(&options.submission)? == saved {
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
        let (held, holds) = (was == Some(Status::Pass), check.status == Status::Pass);
        if holds && !held {
            terminal.verdict(Style::Good, &format!("  now ok: {}", check.title));
        } else if held && !holds {
            terminal.verdict(Style::Bad, &format!("  no longer: {}", check.title));
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
