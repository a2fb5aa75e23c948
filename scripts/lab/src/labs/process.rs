//! What a process is: its number, memory, stack, open files and I/O.

use std::ffi::OsString;

use super::common::{figures, folded, stdout};
use super::{Check, Lab, Scene};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, expect, fail};
use crate::run::plain::{self, Plain};
use crate::run::{Stream, kernel};

pub(super) static LAB: Lab = Lab {
    name: "process",
    demo: "fork-demo",
    title: "Process",
    about: "A process is a program that runs: it has a number, memory, a stack, open files, and \
            counts of what it has read and written. All of it can be read from /proc.",
    timed: &[],
    scene: Scene {
        text: "",
        show,
        checks: &[
            Check {
                id: "figures",
                title: "the figures are those of the kernel",
                points: 0,
                needs: &[],
                lesson: "/proc is not a report about the process, it is the kernel's own count.",
                examine: kernel_figures,
            },
            Check {
                id: "ps",
                title: "ps says the same of its memory",
                points: 0,
                needs: &["figures"],
                lesson: "ps reads the same files in /proc.",
                examine: ps,
            },
            Check {
                id: "lsof",
                title: "lsof says the same of its open files",
                points: 0,
                needs: &["figures"],
                lesson: "lsof reads the same folder, /proc/PID/fd.",
                examine: lsof,
            },
        ],
    },
    more: &[],
};

fn show(exam: &mut Exam) -> Result<(), Trouble> {
    done(&exam.run(&["anatomy"])?)
}

/// A demo that sleeps, so that its figures stand still.
fn sleeper(exam: &mut Exam) -> Result<Plain, Trouble> {
    // With some more files than any process has, or a demo that counts its own would be right.
    let more: Vec<_> = (4..exam.random.u8(5..9)).map(|fd| format!("{fd}</dev/null")).collect();
    let mut command: Vec<OsString> =
        ["/bin/sh".into(), "-c".into(), format!("exec \"$0\" \"$@\" {}", more.join(" ")).into()]
            .into();
    command.extend(exam.program.command.iter().cloned());
    command.extend(["--forever", "--interval", "3600"].map(Into::into));
    let sleeper = Plain::start(&command)?;
    // Both lines are out: neither process has anything more to do.
    sleeper.said_until(SOON, |said| said.lines().count() >= 2);
    sleeper.settled();
    Ok(sleeper)
}

/// The line of the demo that begins with this word, for the sleeping process.
fn line_of(run: &Kept, word: &str) -> Result<String, Trouble> {
    let line = run.lines_of(Stream::Stdout).map(|line| folded(&line.text()));
    let found = line.into_iter().find(|line| line.starts_with(word));
    found.map_or_else(|| fail(format!("a line '{word}'"), "there is none"), Ok)
}

fn examined(exam: &mut Exam) -> Result<(Plain, Kept), Trouble> {
    let sleeper = sleeper(exam)?;
    let run = exam.run(&["anatomy".to_string(), sleeper.pid().to_string()])?;
    done(&run)?;
    Ok((sleeper, Kept::new(run, [])))
}

fn kernel_figures(exam: &mut Exam) -> Finding {
    let (sleeper, run) = examined(exam)?;
    let pid = sleeper.pid();
    let (memory, files) = (line_of(&run, "Memory")?, line_of(&run, "Open files")?);
    let (stack, io) = (line_of(&run, "Stack")?, line_of(&run, "I/O")?);
    let resident = kernel::resident(pid).unwrap_or(0) >> 10;
    let open = kernel::descriptors(pid).unwrap_or(0);
    let first = |line: &str| figures(line).first().copied();
    expect(first(&memory) == Some(resident), format!("{resident} KiB resident"), || memory)?;
    expect(first(&files) == Some(open as u64), format!("{open} open files"), || files)?;
    let numbered = line_of(&run, "PID")?;
    let right = first(&numbered) == Some(pid.unsigned_abs().into());
    expect(right, format!("PID {pid}"), || numbered)?;
    let (from, to) = kernel::stack(pid).unwrap_or_default();
    let range = format!("{from:x}-{to:x}");
    expect(stack.contains(&range), format!("the stack at {range}"), || stack)?;
    let moved = kernel::read_and_written(pid).unwrap_or_default();
    expect(
        figures(&io) == moved,
        format!("bytes read, in calls, bytes written, in calls: {moved:?}"),
        || io,
    )?;
    Ok(vec![
        format!("process {pid}: {resident} KiB resident, {open} open files"),
        format!("its stack is at {range}; it has read {} bytes and written {}", moved[0], moved[2]),
    ])
}

/// The output of a tool that ends by itself, or why it is left out.
pub(super) fn ask(tool: &str, package: &str, arguments: &[String]) -> Result<Vec<String>, Trouble> {
    let Some(path) = plain::tool(tool) else {
        return Err(Trouble::Unverified(format!(
            "{tool} is not installed; on Debian and Ubuntu: apt install {package}"
        )));
    };
    let mut command = vec![path.into_os_string()];
    command.extend(arguments.iter().map(Into::into));
    let said = Plain::start(&command)?.said_until(SOON, |_| false);
    Ok(said.lines().map(String::from).collect())
}

fn ps(exam: &mut Exam) -> Finding {
    let (sleeper, run) = examined(exam)?;
    let pid = sleeper.pid().to_string();
    let said = ask("ps", "procps", &["-o".into(), "rss=,vsz=".into(), "-p".into(), pid])?;
    let said = figures(&said.join(" "));
    let own = figures(&line_of(&run, "Memory")?);
    expect(own.starts_with(&said) && said.len() == 2, format!("{said:?} KiB, as ps says"), || {
        format!("{own:?}")
    })?;
    Ok(vec![format!("ps -o rss,vsz: {} and {} KiB, and so the demo", said[0], said[1])])
}

fn lsof(exam: &mut Exam) -> Finding {
    let (sleeper, run) = examined(exam)?;
    let arguments = ["-nP", "-a", "-d", "0-4095", "-p"].map(String::from);
    let pid = sleeper.pid().to_string();
    let said = ask("lsof", "lsof", &[&arguments[..], std::slice::from_ref(&pid)].concat())?;
    // `0r` in the fourth column, perhaps with a letter for a lock; the name is the last one.
    let descriptor = |line: &String| -> Option<(String, String)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = words.get(3).filter(|_| words.get(1) == Some(&pid.as_str()))?;
        let end = number.find(|c: char| !c.is_ascii_digit())? + 1;
        Some((number.get(..end)?.to_string(), words.last()?.to_string()))
    };
    let rows: Vec<_> = said.iter().filter_map(descriptor).collect();
    let own = stdout(&run);
    let own = own.iter().skip_while(|line| !line.starts_with("Open files")).skip(1);
    let own: Vec<&String> = own.take_while(|line| !line.starts_with('$')).collect();
    // lsof has names of its own for what has no path.
    let same = |((number, name), line): (&(String, String), &&String)| {
        line.split_once(' ').is_some_and(|(own, to)| {
            own == number && (!to.starts_with('/') || to == name || to.ends_with("(deleted)"))
        })
    };
    let numbers: Vec<_> = rows.iter().map(|(number, name)| format!("{number} {name}")).collect();
    expect(
        rows.len() == own.len() && rows.iter().zip(&own).all(same),
        format!("the descriptors that lsof shows: {}", numbers.join(", ")),
        || own.iter().map(|line| line.as_str()).collect::<Vec<_>>().join(", "),
    )?;
    Ok(vec![format!("lsof -p {pid}: {} descriptors, and so the demo", rows.len())])
}
