//! How a record is shown and exported: one file per format, all made from the record alone.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub mod csv;
pub mod github;
pub mod gradescope;
pub mod junit;
pub mod terminal;

/// Writes a file beside its place and then renames it there: it is whole, or the old one.
///
/// # Errors
/// With the file's name.
pub fn write(file: &Path, text: &str) -> Result<()> {
    let mut beside: OsString = file.into();
    beside.push(".new");
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, file));
    written.with_context(|| format!("write {}", file.display()))
}
