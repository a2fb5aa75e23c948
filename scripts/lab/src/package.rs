//! `cargo lab package`: this workspace as something that another system grades with.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::hidden::Hidden;
use crate::labs;
use crate::program::workspace;
use crate::report;
use crate::report::terminal::{Style, Terminal};

/// Make a package for another system that grades
#[derive(Subcommand)]
pub enum Package {
    Gradescope(Gradescope),
}

/// An autograder for Gradescope, as the zip file that is uploaded there
#[derive(Args)]
pub struct Gradescope {
    /// The lab, as `cargo lab list` names it
    #[arg(value_name = "LAB", value_parser = crate::grade::lab)]
    lab: String,
    /// The file that is written [default: LAB-gradescope.zip]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the random inputs come from; the default is another number each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Examine each with the inputs of these seeds, too, one a line
    #[arg(long, value_name = "FILE", value_parser = Hidden::read)]
    hidden: Option<Hidden>,
}

/// Writes the package.
///
/// # Errors
/// When the workspace can't be read, or the file can't be written.
pub fn run(package: &Package) -> Result<ExitCode> {
    let Package::Gradescope(options) = package;
    let lab = labs::graded(&options.lab).context("a lab")?;
    let output = options.output.clone();
    let output = output.unwrap_or_else(|| format!("{}-gradescope.zip", lab.name).into());
    report::write_bytes(&output, &gradescope(options)?)?;
    let terminal = Terminal::new(false);
    let about = format!(
        "{}: upload it as the autograder of a programming assignment worth {} points",
        output.display(),
        lab.points()
    );
    terminal.verdict(Style::Plain, &about);
    Ok(ExitCode::SUCCESS)
}

/// <https://gradescope-autograders.readthedocs.io/en/latest/specs/>: two scripts at the top, and
/// beside them whatever they need, which is unpacked to `/autograder/source`.
fn gradescope(options: &Gradescope) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, mode: u32, bytes: &[u8]| -> Result<()> {
        // Without a time, so that the same sources make the same package.
        let how = SimpleFileOptions::default().unix_permissions(mode);
        zip.start_file(name, how.last_modified_time(zip::DateTime::default()))?;
        Ok(zip.write_all(bytes)?)
    };
    add("setup.sh", 0o755, include_bytes!("../gradescope/setup.sh"))?;
    add("run_autograder", 0o755, include_bytes!("../gradescope/run_autograder"))?;
    let assignment = json!({ "lab": options.lab, "seed": options.seed });
    add("assignment.json", 0o600, format!("{assignment}\n").as_bytes())?;
    if let Some(Hidden(seeds)) = &options.hidden {
        let lines: Vec<String> = seeds.iter().map(u64::to_string).collect();
        add("hidden.txt", 0o600, lines.join("\n").as_bytes())?;
    }
    for file in sources()? {
        let inside = file.strip_prefix(workspace()).context("a file of the workspace")?;
        let name = inside.to_str().with_context(|| format!("{}: not UTF-8", inside.display()))?;
        let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
        add(&format!("workspace/{name}"), 0o644, &bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// What the grader is built of, and nothing else that may lie around: records, submissions, seeds.
fn sources() -> Result<Vec<PathBuf>> {
    let named = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "LICENSE-MIT", "LICENSE-APACHE"];
    let mut files: Vec<PathBuf> = named.iter().map(|name| workspace().join(name)).collect();
    let cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .stdin(Stdio::null())
        .output()
        .context("cargo metadata")?;
    if !cargo.status.success() {
        bail!("cargo metadata failed\n{}", String::from_utf8_lossy(&cargo.stderr).trim_end());
    }
    let metadata: Value = serde_json::from_slice(&cargo.stdout).context("cargo metadata")?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = Path::new(package["manifest_path"].as_str().context("a manifest")?);
        add_folder(manifest.parent().context("a package's folder")?, &mut files)?;
    }
    files.sort();
    Ok(files)
}

/// The files of a folder, without what was built and what is hidden.
fn add_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        let built = name == "target" || name == "__pycache__";
        if built || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            add_folder(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
