//! Reading what the kernel tells about a process, proc(5).

use std::fs;
use std::io;

use crate::failed;

/// A file of /proc as text. Lossy, since names in it may be any bytes.
pub(crate) fn read(path: &str) -> io::Result<String> {
    let bytes = fs::read(path).map_err(failed(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What stands behind a name such as `VmRSS:`, in the first of these lines that begins with it.
pub(crate) fn field<'a>(mut lines: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    lines.find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// The number in such a field, without its unit; none is 0, as for the memory of a zombie.
pub(crate) fn number<'a>(lines: impl Iterator<Item = &'a str>, name: &str) -> u64 {
    let number = field(lines, name).and_then(|field| field.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
