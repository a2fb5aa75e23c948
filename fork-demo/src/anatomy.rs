//! The five things that the note says a process is, as the kernel shows them, proc(5).
//!
//! Run it: `cargo run -p fork-demo -- anatomy $$`, which is about your shell.

use std::fs;
use std::io;
use std::iter;
use std::process;

use crate::proc::{field, number, read};
use crate::{failed, print_line};

/// Describes a process, this one if none is named.
pub(crate) fn show(pid: Option<u32>) -> io::Result<()> {
    let pid = pid.unwrap_or_else(process::id);
    // All is read before a line is printed: a process that has gone, or isn't ours, is an error only.
    let status = read(&format!("/proc/{pid}/status"))?;
    let stack = stack(pid)?;
    let files = open_files(pid)?;
    let io = read(&format!("/proc/{pid}/io"))?;

    let text = |name| field(status.lines(), name).unwrap_or("?");
    let (name, state, parent) = (text("Name:"), text("State:"), text("PPid:"));
    let its_name = read(&format!("/proc/{parent}/comm")).unwrap_or_else(|_| "out of sight".into());
    let lines = [
        format!("{pid} ({name}), {state}"),
        format!("its parent is {parent} ({})", its_name.trim_end()),
    ];
    about("PID", &lines, &format!("ps -o pid,ppid,stat,comm -p {pid}"))?;

    let kib = |name| number(status.lines(), name);
    let (resident, mapped) = (kib("VmRSS:"), kib("VmSize:"));
    let line = format!("{resident} KiB resident of {mapped} KiB mapped");
    about("Memory", &[line], &format!("ps -o rss,vsz -p {pid}"))?;

    let command = format!("grep stack /proc/{pid}/maps /proc/{pid}/limits");
    about("Stack", &[stack], &command)?;

    about("Open files", &files, &format!("lsof -p {pid}"))?;

    let count = |name| number(io.lines(), name);
    let (read, written) = (count("rchar:"), count("wchar:"));
    let (reads, writes) = (count("syscr:"), count("syscw:"));
    let (fetched, stored) = (count("read_bytes:"), count("write_bytes:"));
    let lines = [
        format!("{read} bytes read in {reads} calls, {written} written in {writes}"),
        format!("on disk: {fetched} read, {stored} written"),
    ];
    about("I/O", &lines, &format!("cat /proc/{pid}/io"))
}

/// Prints what was found, and the command that shows the same.
fn about(title: &str, lines: &[String], command: &str) -> io::Result<()> {
    let command = format!("$ {command}");
    let titles = iter::once(title).chain(iter::repeat(""));
    for (title, line) in titles.zip(lines.iter().chain([&command])) {
        // A name may be any bytes, such as the ones that command a terminal.
        let line = line.replace(char::is_control, "?");
        print_line(format_args!("{title:<12}{line}"))?;
    }
    Ok(())
}

/// Where the first thread's stack is. Those of others are mappings like any other memory.
fn stack(pid: u32) -> io::Result<String> {
    let maps = read(&format!("/proc/{pid}/maps"))?;
    let limits = read(&format!("/proc/{pid}/limits"))?;
    let Some(line) = maps.lines().find(|line| line.ends_with("[stack]")) else {
        return Ok("none, as in a zombie or a thread of the kernel".to_string());
    };
    let range = line.split(' ').next().unwrap_or_default();
    let kib = length(range).unwrap_or(0) / 1024;
    let limit = match number(limits.lines(), "Max stack size") {
        0 => "unlimited".to_string(),
        bytes => format!("limit {} KiB", bytes / 1024),
    };
    Ok(format!("{kib} KiB at {range}, {limit}"))
}

/// The length of a range such as `7f00-8f00`.
fn length(range: &str) -> Option<u64> {
    let (start, end) = range.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    hex(end)?.checked_sub(hex(start)?)
}

/// How many there are, and a line for each: its descriptor, r, w or u (both) as in lsof, and where
/// it leads.
fn open_files(pid: u32) -> io::Result<Vec<String>> {
    let folder = format!("/proc/{pid}/fd");
    // All names first, and no entry kept: of our own files, this folder is closed again then.
    let entries = fs::read_dir(&folder).map_err(failed(&folder))?;
    let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let mut files = Vec::new();
    for name in names.map_err(failed(&folder))? {
        let fd = name.to_string_lossy();
        let target = fs::read_link(format!("{folder}/{fd}"));
        let info = read(&format!("/proc/{pid}/fdinfo/{fd}"));
        // One that has been closed meanwhile is left out.
        let (Ok(target), Ok(info)) = (target, info) else {
            continue;
        };
        // Octal; the lowest two bits say what it was opened for, open(2).
        let access = match field(info.lines(), "flags:").and_then(|flags| flags.chars().last()) {
            Some('0' | '4') => 'r',
            Some('1' | '5') => 'w',
            _ => 'u',
        };
        files.push((fd.parse().unwrap_or(u32::MAX), access, target));
    }
    files.sort();
    let lines = files.iter().map(|(fd, mode, to)| format!("{fd:>4}{mode}  {}", to.display()));
    Ok(iter::once(files.len().to_string()).chain(lines).collect())
}
