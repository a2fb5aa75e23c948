//! `cargo lab twins`: programs that are kept to be examined, wrong ones that look right and right
//! ones that look odd, each with what it does and the checks that it must fail in its first lines.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::labs::{LABS, Lab};
use crate::program;
use crate::report::terminal::{Style, Terminal};
use crate::words::{fill, tr};

/// Name the kept programs of a lab: wrong ones that look right, right ones that look odd
#[derive(Args)]
pub struct Options {
    /// The lab, as `cargo lab list` names it [default: all]
    #[arg(value_name = "LAB", value_parser = crate::grade::lab)]
    lab: Option<String>,
}

/// A kept program.
pub struct Twin {
    /// Where it is.
    pub file: PathBuf,
    /// Its file's name.
    pub name: String,
    /// What is wrong with it; or what is odd about it, when it is right.
    pub about: String,
    /// The checks that it must fail, and no others; none when it is right.
    pub fails: Vec<String>,
}

/// All twins of a lab, the wrong ones first.
///
/// # Errors
/// When they can't be read, or one of them does not say what it is.
pub fn of(lab: &Lab) -> Result<Vec<Twin>> {
    let mut twins = Vec::new();
    for kind in ["wrong", "right"] {
        let folder = program::workspace().join("scripts/lab/twins").join(lab.name).join(kind);
        let named = || folder.display().to_string();
        let mut files: Vec<_> =
            fs::read_dir(&folder).with_context(named)?.flatten().map(|file| file.path()).collect();
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let said = |what: &str| {
                let mut lines = text.lines().map(|line| line.trim_start_matches(['#', '/', ' ']));
                lines.find_map(|line| line.strip_prefix(what)?.strip_prefix(": "))
            };
            let about = said(kind).with_context(|| format!("{}: no {kind}:", file.display()))?;
            let fails = said("fails").unwrap_or_default().split_whitespace().map(String::from);
            twins.push(Twin {
                name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                about: about.into(),
                fails: fails.collect(),
                file,
            });
        }
    }
    Ok(twins)
}

/// The twin of that name, which may be without its ending where only one is meant.
///
/// # Errors
/// When there is none, or more than one: then with their names.
pub fn named(lab: &Lab, name: &str) -> Result<Twin> {
    let mut twins = of(lab)?;
    let stem = |twin: &Twin| twin.name.rsplit_once('.').is_some_and(|(stem, _)| stem == name);
    let meant: Vec<usize> = (0..twins.len())
        .filter(|&index| twins[index].name == name || stem(&twins[index]))
        .collect();
    match meant[..] {
        [one] => Ok(twins.swap_remove(one)),
        [] => bail!("no twin '{name}'; see cargo lab twins {}", lab.name),
        _ => {
            let names: Vec<_> = meant.iter().map(|&index| twins[index].name.as_str()).collect();
            bail!("'{name}' may be {}", names.join(" or "))
        }
    }
}

/// `cargo lab twins`.
///
/// # Errors
/// When they can't be read.
pub fn run(options: &Options) -> Result<ExitCode> {
    let terminal = Terminal::new(false);
    let wanted = |lab: &&&Lab| options.lab.as_deref().is_none_or(|name| name == lab.name);
    for lab in LABS.iter().filter(|lab| lab.points() > 0).filter(wanted) {
        let twins = of(lab)?;
        let wrong = twins.iter().filter(|twin| !twin.fails.is_empty()).count();
        let right = twins.len() - wrong;
        let counts = [("wrong", &wrong as _), ("right", &right as _)];
        terminal.heading("", tr(lab.title), &fill("{wrong} wrong, {right} right", &counts));
        for twin in twins {
            let (style, verdict) = match twin.fails.len() {
                0 => (Style::Good, tr("all points").to_string()),
                _ => (Style::Bad, fill("fails {checks}", &[("checks", &twin.fails.join(", "))])),
            };
            terminal.verdict(style, &format!("  {:<24} {verdict}", twin.name));
            terminal.paragraph(Style::Plain, 4, &twin.about);
        }
        terminal.gap();
    }
    if let Some(name) = &options.lab {
        let command = format!("cargo lab grade {name} --twin NAME");
        let again = fill("examine one: {command}", &[("command", &command)]);
        terminal.verdict(Style::Quiet, &again);
    }
    Ok(ExitCode::SUCCESS)
}
