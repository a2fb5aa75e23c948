//! What a demo that runs for a while says to a person, and to nobody else: what to type meanwhile
//! in another terminal, with its own numbers filled in.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A demo that is ended when the test is over.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SLOW: &[(&str, &[&str], &str)] = &[
    ("fork-demo", &["--forever"], "ps -o pid,ppid,stat,comm -p PID,"),
    ("mp-demo", &["--delay", "60"], "ps -o pid,ppid,stat,comm -p PID,"),
    ("thread-demo", &["--delay", "60"], "ps -L -o pid,tid,stat,comm -p PID"),
    ("pool-demo", &["--delay", "60"], "top -H -p PID"),
    ("queue-demo", &["--delay", "60"], "top -H -p PID"),
    ("socket-server", &["127.0.0.1:0"], "nc 127.0.0.1 "),
    ("epoll-demo", &["127.0.0.1:0"], "nc 127.0.0.1 "),
];

#[test]
fn a_person_is_told_what_to_type_meanwhile() {
    let folder = crate::demos();
    for (name, arguments, wanted) in SLOW {
        let terminal = nix::pty::openpty(None, None).expect("a terminal");
        let mut demo = Command::new(folder.join(name));
        demo.args(*arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(terminal.slave);
        let demo = Demo(demo.spawn().expect(name));
        let wanted = wanted.replace("PID", &demo.0.id().to_string());
        let (tell, told) = mpsc::channel();
        let lines = BufReader::new(File::from(terminal.master)).lines().map_while(Result::ok);
        thread::spawn(move || lines.for_each(|line| drop(tell.send(line))));
        let mut said = Vec::new();
        let found = loop {
            match told.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line.contains(&format!("meanwhile: {wanted}")) => break true,
                Ok(line) => said.push(line),
                Err(_) => break false,
            }
        };
        assert!(found, "{name}: {said:?}, not {wanted}");
    }
}

#[test]
fn a_pipe_is_told_nothing_that_is_meant_for_a_person() {
    let folder = crate::demos();
    for (name, arguments) in [("mp-demo", ["--delay", "1"]), ("thread-demo", ["--delay", "1"])] {
        let output = Command::new(folder.join(name)).args(arguments).output().expect(name);
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
    }
}
