//! What a process is: its number, memory, stack, open files and I/O.

use super::common::{figures, folded};
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
fn sleeper(exam: &Exam) -> Result<Plain, Trouble> {
    let mut command = exam.program.command.clone();
    command.extend(["--forever", "--interval", "3600"].map(Into::into));
    let sleeper = Plain::start(&command)?;
    // Both lines are out: neither process has anything more to do.
    sleeper.said_until(SOON, |said| said.lines().count() >= 2);
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
    let memory = figures(&line_of(&run, "Memory")?);
    let files = figures(&line_of(&run, "Open files")?);
    let resident = kernel::resident(pid).unwrap_or(0) >> 10;
    let open = kernel::descriptors(pid).unwrap_or(0);
    expect(memory.first() == Some(&resident), format!("{resident} KiB resident"), || {
        format!("{memory:?}")
    })?;
    expect(files.first() == Some(&(open as u64)), format!("{open} open files"), || {
        format!("{files:?}")
    })?;
    expect(line_of(&run, "PID")?.contains(&pid.to_string()), format!("PID {pid}"), || {
        "another one".into()
    })?;
    Ok(vec![format!("process {pid}: {resident} KiB resident, {open} open files")])
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
    let rows = said.iter().filter(|line| line.split_whitespace().nth(1) == Some(&pid)).count();
    let own = figures(&line_of(&run, "Open files")?);
    expect(
        own.first() == Some(&(rows as u64)),
        format!("{rows} descriptors, as lsof says"),
        || format!("{own:?}"),
    )?;
    Ok(vec![format!("lsof -p {pid}: {rows} descriptors, and so the demo")])
}
