//! How many threads there may be.
//!
//! Run it: `cargo run -p thread-demo -- limits`.

use std::fs;
use std::io;
use std::path::Path;

use crate::print_line;
use crate::proc::field;

/// Prints the limits that the system sets.
pub(crate) fn show() -> io::Result<()> {
    print_line("\nHow many threads there may be: what the smallest of these allows.")?;
    let row = |limit: &str, what: &str| print_line(format_args!("  {limit:>8}  {what}"));
    row(&per_user(), "processes and threads of a user (ulimit -u), unless root")?;
    row(&per_group(), "processes and threads of this control group (pids.max)")?;
    for (path, what) in [
        ("/proc/sys/kernel/threads-max", "threads on the system"),
        ("/proc/sys/kernel/pid_max", "numbers to name them by"),
        ("/proc/sys/vm/max_map_count", "mappings of a process"),
    ] {
        row(read(path).trim(), &format!("{what} ({path})"))?;
    }
    Ok(())
}

/// A file of /proc, or `?`: not every system has them all.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or("?".to_string())
}

/// The soft limit `RLIMIT_NPROC`, `getrlimit(2)`.
fn per_user() -> String {
    let limits = read("/proc/self/limits");
    let soft = field(&limits, "Max processes").split_whitespace().next();
    soft.unwrap_or("?").to_string()
}

/// The smallest `pids.max` on the way from our control group up: it holds for all groups below.
fn per_group() -> String {
    let mut smallest: Option<u64> = None;
    for line in read("/proc/self/cgroup").lines() {
        // `cgroups(7)`: `0::/path` in version 2, `8:pids:/path` in version 1.
        let (root, path) = match line.splitn(3, ':').collect::<Vec<_>>()[..] {
            [_, "", path] => ("/sys/fs/cgroup", path),
            [_, "pids", path] => ("/sys/fs/cgroup/pids", path),
            _ => continue,
        };
        for group in Path::new(path).ancestors() {
            let limit = read(&format!("{root}{}/pids.max", group.display()));
            let limit = limit.trim().parse().ok(); // `max` is no number and no limit
            smallest = smallest.into_iter().chain(limit).min();
        }
    }
    smallest.map_or("none".to_string(), |limit| limit.to_string())
}
