//! Which lab a submission is for, where its first lines say so: `# lab: pool`, as the starters have
//! it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

use crate::labs::{self, LABS, Lab};

/// The lab and the submissions of a command line, whose first word is the one or one of the others.
///
/// # Errors
/// When it can't be told what lab is meant. It is the user's to say.
pub fn lab_and_submissions(
    first: &OsString,
    others: &[PathBuf],
) -> Result<(&'static Lab, Vec<PathBuf>), clap::Error> {
    let wrong = |why: String| clap::Error::raw(ErrorKind::ValueValidation, why + "\n");
    if let Some(lab) = first.to_str().and_then(labs::graded) {
        return Ok((lab, others.to_vec()));
    }
    let first = Path::new(first);
    if !first.exists() {
        let first = first.display();
        return Err(wrong(format!("'{first}' is no lab and no file; the labs are {}", names())));
    }
    let submissions: Vec<PathBuf> =
        [first].into_iter().chain(others.iter().map(PathBuf::as_path)).map(Into::into).collect();
    let mut labs = BTreeSet::new();
    for submission in &submissions {
        labs.extend(lab_of(submission));
    }
    let lab = match labs.iter().collect::<Vec<_>>()[..] {
        [one] => one,
        [] => {
            return Err(wrong(format!(
                "{}: none of its first lines says which lab it is for, as '# lab: pool' does; name \
                 the lab before it",
                first.display()
            )));
        }
        _ => {
            let labs = labs.into_iter().collect::<Vec<_>>().join(", ");
            return Err(wrong(format!(
                "submissions of several labs ({labs}): one after the other"
            )));
        }
    };
    match labs::graded(lab) {
        Some(lab) => Ok((lab, submissions)),
        None => Err(wrong(format!(
            "{}: '{}' is no lab; the labs are {}",
            first.display(),
            crate::report::terminal::harmless(lab),
            names()
        ))),
    }
}

/// The labs that programs are graded by.
pub fn names() -> String {
    let graded = LABS.iter().filter(|lab| lab.points() > 0);
    graded.map(|lab| lab.name).collect::<Vec<_>>().join(", ")
}

/// What a submission says that it is for: a file, or the program of a folder.
fn lab_of(submission: &Path) -> Option<String> {
    let mut files = vec![submission.to_path_buf()];
    if submission.is_dir() {
        files = vec![submission.join("src/main.rs")];
        let inside = submission.read_dir().ok()?.flatten().map(|entry| entry.path());
        let python = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "py");
        files.extend(inside.filter(python));
        files.sort();
    }
    files.iter().find_map(|file| marker(file))
}

fn marker(file: &Path) -> Option<String> {
    // A pipe has no first lines, and would never end; a link may lead to anything, also to that.
    if !file.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let mut beginning = Vec::new();
    File::open(file).ok()?.take(4096).read_to_end(&mut beginning).ok()?;
    let beginning = String::from_utf8_lossy(&beginning);
    let mut lines = beginning.lines().take(10).map(|line| line.trim_start_matches(['#', '/', ' ']));
    let lab = lines.find_map(|line| line.strip_prefix("lab: "))?;
    Some(lab.trim().chars().take(40).collect())
}
