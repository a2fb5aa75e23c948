//! What is examined: found, built, and the command line that starts it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::build::Builder;
use crate::run::Isolation;

/// Bytes of a source file, which is read as a whole. A file may be far larger than what it takes on
/// the disk.
const LARGEST_SOURCE: u64 = 16 << 20;

/// A program under examination.
#[derive(Clone, Debug)]
pub struct Program {
    /// What is executed, before the arguments of a run.
    pub command: Vec<OsString>,
    /// What a person would type instead.
    pub typed: String,
    /// What it calls itself in its messages.
    pub name: String,
    /// What it reads besides the system's files: itself, and its interpreter's.
    pub files: Vec<PathBuf>,
}

impl Program {
    /// A demo, from the executable that was built of it.
    pub fn demo(name: &str, executable: &Path) -> Program {
        Program {
            command: vec![executable.into()],
            typed: format!("cargo run -p {name}"),
            name: name.into(),
            files: Vec::new(),
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

/// Finds out what a submission is, and builds it if it has to be built. What it needs must be
/// readable in the isolation that it will run in.
///
/// # Errors
/// With the reason why there is nothing to run.
pub fn find(path: &Path, builder: &Builder) -> Result<Program> {
    let program = look_at(path, builder)?;
    if let Some(file) = builder.isolation.unreadable(program.files.iter().map(PathBuf::as_path)) {
        bail!(
            "{}: only its owner may read it, and it would be run as another user, as it is never \
             run as root; chmod -R o+rX it and the folders above, or grade as an ordinary user",
            file.display()
        );
    }
    Ok(program)
}

fn look_at(path: &Path, builder: &Builder) -> Result<Program> {
    let name = path.display().to_string();
    // With a slash at its end it would be the name of where the link leads.
    if let Ok(target) = std::fs::read_link(path.components().collect::<PathBuf>()) {
        // It may be anybody's program, such as one that gets all points.
        bail!("{name}: a link to {}; name what is to be examined itself", target.display());
    }
    let absolute = path.canonicalize().with_context(|| path.display().to_string())?;
    if absolute.is_file() && absolute.extension().is_some_and(|ending| ending == "py") {
        let (interpreter, mut files) = python(builder.isolation)?;
        files.push(absolute.clone());
        let command = vec![interpreter.into(), absolute.into()];
        let typed = format!("python3 {}", quote(path.as_os_str()));
        return Ok(Program { command, typed, name, files });
    }
    if absolute.is_file() && absolute.extension().is_some_and(|ending| ending == "rs") {
        if absolute.metadata()?.len() > LARGEST_SOURCE {
            bail!("{name}: larger than any program is ({LARGEST_SOURCE} bytes)");
        }
        let built = builder.file(&absolute).with_context(|| name.clone())?;
        let (command, typed) = (vec![built.clone().into()], quote(path.as_os_str()));
        return Ok(Program { command, typed, name, files: vec![built] });
    }
    if absolute.is_file() {
        let mode = absolute.metadata()?.permissions().mode();
        if mode & 0o111 == 0 {
            bail!("{name}: neither a Python program (.py) nor executable");
        }
        let typed = quote(path.as_os_str());
        let command = vec![absolute.clone().into()];
        return Ok(Program { command, typed, name, files: vec![absolute] });
    }
    if absolute.join("Cargo.toml").is_file() {
        let built = builder.package(&absolute).with_context(|| name.clone())?;
        let manifest = path.join("Cargo.toml");
        let typed = format!("cargo run --manifest-path {}", quote(manifest.as_os_str()));
        let command = vec![built.clone().into()];
        return Ok(Program { command, typed, name, files: vec![built, absolute] });
    }
    let mut programs = Vec::new();
    for entry in absolute.read_dir()?.flatten() {
        let file = entry.path();
        if file.is_file() && file.extension().is_some_and(|ending| ending == "py") {
            programs.push(path.join(entry.file_name()));
        }
    }
    match &programs[..] {
        [one] => {
            let mut program = look_at(one, builder)?;
            program.files.push(absolute); // with whatever it imports
            Ok(program)
        }
        [] => bail!("{name}: no Cargo.toml and no Python program (.py) in it"),
        _ => bail!("{name}: {} Python programs in it; name one of them", programs.len()),
    }
}

/// The interpreter itself, not a launcher that would start it in a process of its own, and where
/// its libraries are. The system's, when the user's own can't be read in this isolation.
fn python(isolation: &Isolation) -> Result<(PathBuf, Vec<PathBuf>)> {
    type Found = Option<(PathBuf, Vec<PathBuf>)>;
    static FOUND: OnceLock<Found> = OnceLock::new();
    let ask = |name: &str| -> Found {
        let question = "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sep='\\n')";
        let mut python = Command::new(name);
        let output = python.args(["-I", "-c", question]).stdin(Stdio::null()).output().ok()?;
        let answer = String::from_utf8(output.stdout).ok()?;
        let mut paths = answer.lines().map(PathBuf::from);
        let found = (paths.next().filter(|path| path.is_file())?, paths.collect::<Vec<_>>());
        let all = std::iter::once(&found.0).chain(&found.1).map(PathBuf::as_path);
        isolation.unreadable(all).is_none().then_some(found)
    };
    let found = FOUND.get_or_init(|| ask("python3").or_else(|| ask("/usr/bin/python3")));
    found
        .clone()
        .context("there is no python3 that it could run; on Debian and Ubuntu: apt install python3")
}

/// The interpreter behind a launcher that is itself a script, such as pyenv's `python3`.
pub fn interpreter(file: &Path) -> Option<PathBuf> {
    let mut begin = [0; 2];
    std::fs::File::open(file).ok()?.read_exact(&mut begin).ok()?;
    let python = file.file_name()?.to_str()?.starts_with("python");
    if !python || begin != *b"#!" {
        return None;
    }
    let question = "import sys; print(sys.executable)";
    let output = Command::new(file).args(["-I", "-c", question]).stdin(Stdio::null()).output();
    let answer = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(PathBuf::from(answer.trim_end())).filter(|path| path.is_file())
}

/// A word as a shell takes it for one.
pub fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The workspace that this crate was built in.
pub fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Builds demos of the workspace and finds their executables. `progress` is told what is being
/// built, package by package.
///
/// # Errors
/// When Cargo can't be run, or a demo does not build: then with the compiler's own words.
pub fn build(packages: &[&str], progress: impl Fn(&str)) -> Result<BTreeMap<String, PathBuf>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).arg("build");
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    artifacts(&mut cargo, progress)
}

/// Runs a `cargo build`; the executables that come out of it, by name.
fn artifacts(cargo: &mut Command, progress: impl Fn(&str)) -> Result<BTreeMap<String, PathBuf>> {
    cargo
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut cargo = cargo.spawn().context("cargo build")?;
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
