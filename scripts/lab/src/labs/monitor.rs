//! Commands for monitoring processes: run on a live demo, and what they say is checked.

use super::process::ask;
use super::{Check, Lab, Scene};
use crate::exam::{Exam, Finding, SOON, Trouble, expect, fail};
use crate::run::kernel::{self, Waits};
use crate::run::plain::{self, Plain};

pub(super) static LAB: Lab = Lab {
    name: "monitor",
    demo: "socket-server",
    title: "Commands for monitoring processes",
    about: "Four tools, each looking at the same server that runs and waits for a client: what \
            it is, what it costs, what it has open, and what it is doing.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| show(exam, &["ps", "-o", "pid,ppid,stat,rss,comm", "-p", PID], "procps"),
        checks: &[Check {
            id: "ps",
            title: "ps shows it asleep",
            points: 0,
            needs: &[],
            lesson: "S is a sleep that a signal can end: it waits for a client.",
            examine: ps,
        }],
    },
    more: &[
        Scene {
            text: "The first line of all processes is the heading; head ends ps early.",
            show: |exam| show(exam, &["sh", "-c", "ps aux | head -1"], "procps"),
            checks: &[Check {
                id: "head",
                title: "ps aux | head -1 is one line, the heading",
                points: 0,
                needs: &[],
                lesson: "head reads one line and goes; ps is ended by SIGPIPE.",
                examine: head,
            }],
        },
        Scene {
            text: "",
            show: |exam| show(exam, &["top", "-b", "-n1", "-p", PID], "procps"),
            checks: &[Check {
                id: "top",
                title: "top shows that it costs no processor time",
                points: 0,
                needs: &[],
                lesson: "Who waits in a system call uses nothing.",
                examine: top,
            }],
        },
        Scene {
            text: "",
            show: |exam| show(exam, &["lsof", "-nP", "-p", PID], "lsof"),
            checks: &[Check {
                id: "lsof",
                title: "lsof shows its socket, which listens",
                points: 0,
                needs: &[],
                lesson: "A socket is an open file with a number like any other.",
                examine: lsof,
            }],
        },
        Scene {
            text: "",
            show: |exam| attach(exam, true).map(drop),
            checks: &[Check {
                id: "strace",
                title: "strace shows the system call that it waits in",
                points: 0,
                needs: &[],
                lesson: "A line without its end is a call that has not returned.",
                examine: strace,
            }],
        },
    ],
};

/// Stands for the number of the server's process in a command line.
const PID: &str = "PID";

/// A server that waits for a client. Not traced by us, or strace could not attach to it.
fn server(exam: &Exam) -> Result<Plain, Trouble> {
    let mut command = exam.program.command.clone();
    command.push(Exam::address(0).to_string().into());
    let server = Plain::start(&command)?;
    let said = server.said_until(SOON, |said| said.contains("listening on"));
    expect(said.contains("listening on"), "a server that says that it listens", || said)?;
    server.settled();
    Ok(server)
}

/// Runs a tool on the server and shows what it prints.
fn show(exam: &mut Exam, command: &[&str], package: &str) -> Result<(), Trouble> {
    let server = server(exam)?;
    let words = with_pid(command, &server);
    match ask(&words[0], package, &words[1..]) {
        Ok(lines) => exam.aside(&line_of(&words), &lines),
        Err(Trouble::Unverified(why)) => exam.tell(why),
        Err(other) => return Err(other),
    }
    Ok(())
}

fn with_pid(command: &[&str], server: &Plain) -> Vec<String> {
    let word = |word: &&str| {
        if *word == PID { server.pid().to_string() } else { (*word).into() }
    };
    command.iter().map(word).collect()
}

/// A command line as one types it; a shell's own is typed without the shell.
fn line_of(words: &[String]) -> String {
    if words[0] == "sh" { words[2].clone() } else { words.join(" ") }
}

/// The tool's row about the server: the one that has its number in this column.
fn row(lines: &[String], column: usize, pid: i32) -> Result<Vec<String>, Trouble> {
    let words = |line: &String| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    let pid = pid.to_string();
    let mut rows = lines.iter().map(words).filter(|row| row.get(column) == Some(&pid));
    rows.next().map_or_else(|| fail(format!("a row about {pid}"), lines.join("; ")), Ok)
}

fn ps(exam: &mut Exam) -> Finding {
    let server = server(exam)?;
    let words = with_pid(&["-o", "pid,ppid,stat,rss,comm", "-p", PID], &server);
    let row = row(&ask("ps", "procps", &words)?, 0, server.pid())?;
    let own = std::process::id().to_string();
    let wanted = "its number, ours as its parent's, asleep, by its name";
    let named = row.get(4).is_some_and(|name| "socket-server".starts_with(name.as_str()));
    expect(row[1] == own && row[2].starts_with('S') && named, wanted, || row.join(" "))?;
    let resident = kernel::resident(server.pid()).unwrap_or(0) >> 10;
    Ok(vec![format!(
        "{} is {}, its parent {own} is this program; {} KiB where /proc says {resident}",
        row[0], row[2], row[3]
    )])
}

fn head(_: &mut Exam) -> Finding {
    ask("ps", "procps", &["--version".into()])?;
    let lines = ask("sh", "dash", &["-c".into(), "ps aux | head -1".into()])?;
    let heading = lines.first().is_some_and(|line| line.contains("PID"));
    expect(lines.len() == 1 && heading, "one line, with PID in it", || lines.join("; "))?;
    Ok(vec!["1 line, with the names of the columns".into()])
}

fn top(exam: &mut Exam) -> Finding {
    let server = server(exam)?;
    let before = kernel::sleeps(server.pid());
    let lines = ask("top", "procps", &with_pid(&["-b", "-n1", "-p", PID], &server))?;
    // How often it was woken while top looked. A share of less than a thousandth top does not show.
    let woken =
        kernel::sleeps(server.pid()).zip(before).map_or(0, |(after, before)| after - before);
    let row = row(&lines, 0, server.pid())?;
    let state = row.get(7).map_or("", |state| state.as_str());
    let percent = row.get(8).map_or("", |percent| percent.as_str());
    let none = percent.replace(',', ".").parse() == Ok(0.0);
    expect(state == "S" && none, "state S, 0.0 % of a processor", || row.join(" "))?;
    expect(woken <= 5, "it sleeps until a client comes", || {
        format!("it woke up {woken} times while top looked")
    })?;
    Ok(vec![format!(
        "{}: state {state}, {percent} % of a processor; woken up {woken} times meanwhile",
        row[0]
    )])
}

fn lsof(exam: &mut Exam) -> Finding {
    let server = server(exam)?;
    let lines = ask("lsof", "lsof", &with_pid(&["-nP", "-p", PID], &server))?;
    let socket = lines.iter().find(|line| line.contains("(LISTEN)"));
    let Some(socket) = socket else {
        return fail("a row with (LISTEN)", format!("{} rows without it", lines.len()));
    };
    let address = socket.split_whitespace().rev().nth(1).unwrap_or_default();
    let kernel = kernel::listening_of(server.pid());
    let same = kernel.iter().any(|at| at.to_string() == address);
    expect(same, format!("{kernel:?}, as the kernel says"), || socket.clone())?;
    let descriptor = socket.split_whitespace().nth(3).unwrap_or_default();
    Ok(vec![format!("descriptor {descriptor} is a TCP socket that listens at {address}")])
}

/// Attaches strace to the server, and says what it printed until it showed the call.
fn attach(exam: &mut Exam, show: bool) -> Result<Vec<String>, Trouble> {
    let server = server(exam)?;
    let Some(path) = plain::tool("strace") else {
        let why = "strace is not installed; on Debian and Ubuntu: apt install strace";
        if show {
            exam.tell(why);
        }
        return Err(Trouble::Unverified(why.into()));
    };
    if !show {
        let waits = kernel::waits_for(server.pid(), server.pid());
        expect(
            waits.is_some_and(|waits| waits != Waits::Sleep),
            "a server that waits for a client",
            || waits.map_or("it runs all the time".into(), |_| "it only lets time pass".into()),
        )?;
    }
    let pid = server.pid().to_string();
    let strace = Plain::start(&[path.as_os_str(), "-f".as_ref(), "-p".as_ref(), pid.as_ref()])?;
    // The call that it waits in is printed at once, its result when it returns: never, here.
    strace.said_until(SOON, |said| said.contains('(') || said.contains("not permitted"));
    let said = strace.interrupt().replacen("strace: Process", "\nstrace: Process", 2);
    let lines: Vec<String> = said.lines().filter(|l| !l.is_empty()).map(String::from).collect();
    if show {
        exam.aside(&format!("strace -f -p {pid}"), &lines);
    }
    if lines.iter().any(|line| line.contains("not permitted")) {
        return Err(Trouble::Unverified(
            "strace may not attach to processes here; as root it may: sudo strace -p PID".into(),
        ));
    }
    Ok(lines)
}

fn strace(exam: &mut Exam) -> Finding {
    let lines = attach(exam, false)?;
    // A wait with a time-out is begun again after strace has interrupted it; strace does not know of
    // what kind it was.
    let calls = ["accept", "poll", "select", "epoll_wait", "restart_syscall"];
    let open = |line: &&String| !line.contains(") = ");
    let waiting =
        lines.iter().filter(open).find(|line| calls.iter().any(|call| line.contains(call)));
    let Some(call) = waiting else {
        return fail("accept, or a call that waits for a client", lines.join("; "));
    };
    Ok(vec![format!("it has not returned from: {call}")])
}
