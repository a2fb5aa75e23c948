//! `cargo lab new`: a starter, which builds, runs, says what is to be done, and does not do it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use crate::report::terminal::{Style, Terminal};

/// Make a folder with a starter for a lab
#[derive(Args)]
pub struct Options {
    /// The lab, as `cargo lab list` names it
    #[arg(value_name = "LAB", value_parser = crate::grade::lab)]
    lab: String,
    /// A folder that is not there yet
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The language of the starter
    #[arg(long, value_enum, default_value = "rust")]
    language: Language,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// A Cargo package
    Rust,
    /// A single file
    Python,
}

/// A lab's starters, in Python and in Rust, and the crates that the latter may use, with those of
/// their features that this workspace does not ask for everywhere.
struct Starter {
    lab: &'static str,
    python: &'static str,
    rust: &'static str,
    crates: &'static [(&'static str, &'static [&'static str])],
}

macro_rules! starters {
    ($($lab:literal: [$($crate_name:literal $([$($feature:literal),*])?),*]),* $(,)?) => {
        &[$(Starter {
            lab: $lab,
            python: include_str!(concat!("../starters/", $lab, ".py")),
            rust: include_str!(concat!("../starters/", $lab, ".rs")),
            crates: &[("clap", &[]), $(($crate_name, &[$($($feature),*)?])),*],
        }),*]
    };
}

static STARTERS: &[Starter] = starters! {
    "fork": ["nix" ["process", "signal"]],
    "mp": ["nix" ["process", "signal"]],
    "thread": [],
    "pool": ["crossbeam", "dashu-int", "rayon"],
    "queue": ["crossbeam"],
    "server": ["nix" ["poll", "signal"], "socket2"],
    "client": ["socket2"],
    "epoll": ["nix" ["event", "resource", "signal"], "socket2"],
    "iter-gen": [],
};

/// The manifest of this workspace: a starter's crates have the same versions, so that they are on
/// the machine already when it is built without the network.
static WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// Writes the starter.
///
/// # Errors
/// When the folder is there already, or can't be written.
pub fn run(options: &Options) -> Result<ExitCode> {
    let starter =
        STARTERS.iter().find(|starter| starter.lab == options.lab).context("a starter")?;
    let folder = &options.folder;
    if folder.exists() {
        bail!("{}: is there already", folder.display());
    }
    let named = |file: &Path| format!("write {}", file.display());
    let write = |file: PathBuf, text: &str| {
        let parent = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&file, text))
            .with_context(|| named(&file))
    };
    let main = match options.language {
        // Not by the lab's name: a queue.py is what `import queue` would find beside it.
        Language::Python => folder.join("main.py"),
        Language::Rust => folder.join("src/main.rs"),
    };
    match options.language {
        Language::Python => write(main.clone(), starter.python)?,
        Language::Rust => {
            write(folder.join("Cargo.toml"), &manifest(starter))?;
            write(main.clone(), starter.rust)?;
        }
    }
    let terminal = Terminal::new(false);
    let shown = folder.display();
    terminal.verdict(Style::Plain, &format!("{} says what is to be done. Then:", main.display()));
    terminal.command(&format!("cargo lab grade {} {shown}", starter.lab));
    terminal.command(&format!("cargo lab watch {} {shown}    # again at each save", starter.lab));
    Ok(ExitCode::SUCCESS)
}

/// The manifest of a package that belongs to no workspace, with the lab's crates.
fn manifest(starter: &Starter) -> String {
    let versions = WORKSPACE.lines().filter_map(|line| {
        let (name, crate_itself) = line.split_once(" = ")?;
        let (_, features) = starter.crates.iter().find(|(wanted, _)| *wanted == name)?;
        if features.is_empty() {
            return Some(line.to_string());
        }
        let version = crate_itself.split('"').nth(1)?;
        Some(format!("{name} = {{ version = {version:?}, features = {features:?} }}"))
    });
    let versions: Vec<String> = versions.collect();
    format!(
        "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{}\n",
        starter.lab,
        versions.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::LABS;

    #[test]
    fn every_lab_has_starters_that_name_it_and_crates_with_versions() {
        for lab in LABS.iter().filter(|lab| lab.points() > 0) {
            let starter = STARTERS.iter().find(|starter| starter.lab == lab.name);
            let starter = starter.unwrap_or_else(|| panic!("no starter for {}", lab.name));
            assert!(starter.python.starts_with(&format!("# lab: {}\n", lab.name)));
            assert!(starter.rust.starts_with(&format!("// lab: {}\n", lab.name)));
            for (name, _) in starter.crates {
                let line = format!("\n{name} = ");
                assert!(manifest(starter).contains(&line), "{name} in {}", manifest(starter));
            }
        }
    }
}
