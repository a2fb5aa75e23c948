//! What is examined: found, built, and the command line that starts it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

/// A program under examination.
#[derive(Clone, Debug)]
pub struct Program {
    /// What is executed, before the arguments of a run.
    pub command: Vec<OsString>,
    /// What a person would type instead.
    pub typed: String,
    /// What it calls itself in its messages.
    pub name: String,
}

impl Program {
    /// A demo, from the executable that was built of it.
    pub fn demo(name: &str, executable: &Path) -> Program {
        Program {
            command: vec![executable.into()],
            typed: format!("cargo run -p {name}"),
            name: name.into(),
        }
    }

    /// The command line of a run as one would type it.
    pub fn typed_with<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        let quoted: Vec<_> = arguments.iter().map(|word| quote(word.as_ref())).collect();
        if quoted.is_empty() {
            return self.typed.clone();
        }
        let dashes = if self.typed.starts_with("cargo run") { " --" } else { "" };
        format!("{}{dashes} {}", self.typed, quoted.join(" "))
    }
}

/// A word as a shell takes it for one.
fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The workspace that this crate was built in.
fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Builds demos of the workspace and finds their executables. `progress` is told what is being
/// built, package by package.
///
/// # Errors
/// When Cargo can't be run, or a demo does not build: then with the compiler's own words.
pub fn build(packages: &[&str], progress: impl Fn(&str)) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace())
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut cargo = command.spawn().context("cargo build")?;
    let mut stderr = cargo.stderr.take().context("cargo's stderr")?;
    let words = thread::spawn(move || {
        let mut words = String::new();
        let _ = stderr.read_to_string(&mut words);
        words
    });
    let mut executables = BTreeMap::new();
    let stdout = cargo.stdout.take().context("cargo's stdout")?;
    for line in BufReader::new(stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(&line?).unwrap_or_default();
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let name = message["target"]["name"].as_str().unwrap_or_default();
        if message["fresh"] == false {
            progress(name);
        }
        if let Some(executable) = message["executable"].as_str() {
            executables.insert(name.to_string(), executable.into());
        }
    }
    let status = cargo.wait().context("cargo build")?;
    let words = words.join().unwrap_or_default();
    if !status.success() {
        bail!("cargo build failed\n{}", words.trim_end());
    }
    Ok(executables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_a_shell_would_take_apart() {
        assert_eq!(quote("127.0.0.1:10001".as_ref()), "127.0.0.1:10001");
        assert_eq!(quote("it's".as_ref()), r"'it'\''s'");
        assert_eq!(quote("".as_ref()), "''");
        assert_eq!(quote("a b".as_ref()), "'a b'");
    }
}
