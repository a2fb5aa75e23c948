//! The subcommands: what they say is what ps and the kernel say, and what the note only half says.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fork-demo")).args(args).output().expect("fork-demo starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// A process that does nothing any more: `cat`, which has given back what it got. Ended on drop.
struct Idle(Child);

impl Idle {
    fn start() -> Idle {
        let mut cat = Command::new("cat");
        cat.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut idle = Idle(cat.spawn().expect("cat starts"));
        idle.0.stdin.as_mut().expect("piped").write_all(b"hello").expect("it reads");
        let mut back = [0; 5];
        idle.0.stdout.as_mut().expect("piped").read_exact(&mut back).expect("it writes");
        idle
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn anatomy_says_what_ps_and_the_kernel_say() {
    let idle = Idle::start();
    let pid = idle.0.id().to_string();
    let said = stdout(&run(&["anatomy", &pid]));

    let ps = Command::new("ps").args(["-o", "ppid=,rss=,vsz=", "-p", &pid]).output();
    let ps = String::from_utf8(ps.expect("ps starts").stdout).expect("text");
    let [parent, rss, vsz] = ps.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("ps says {ps:?}")
    };
    assert!(said.contains(&format!("its parent is {parent} (")), "{said}");
    assert!(said.contains(&format!("{rss} KiB resident of {vsz} KiB mapped")), "{said}");

    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("it lives");
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).expect("it has one");
    assert!(said.contains(stack.split(' ').next().expect("a range")), "{said}");

    for (fd, mode) in [(0, 'r'), (1, 'w')] {
        let target = fs::read_link(format!("/proc/{pid}/fd/{fd}")).expect("it is open");
        assert!(said.contains(&format!(" {fd}{mode}  {}\n", target.display())), "{said}");
    }

    let io = fs::read_to_string(format!("/proc/{pid}/io")).expect("it lives");
    let io: Vec<_> = io.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let line = format!("{} bytes read in {} calls, {} written in {}\n", io[0], io[2], io[1], io[3]);
    assert!(said.contains(&line), "{said}");
}

#[test]
fn anatomy_of_itself_has_only_the_files_it_was_given() {
    let said = stdout(&run(&["anatomy"]));
    assert!(!said.contains("/fd\n"), "{said}");
}

#[test]
fn anatomy_of_no_process_is_an_error_that_names_it() {
    let output = run(&["anatomy", "4194305"]); // above the highest PID that Linux gives, proc(5)
    let said = "fork-demo: /proc/4194305/status: No such file or directory (os error 2)\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

#[test]
fn a_page_is_copied_when_it_is_written_to() {
    let said = stdout(&run(&["memory", "--mib", "8"]));
    let near = |figure: u64, expected: u64| figure.abs_diff(expected) <= expected / 10;
    let all = 8 * 1024;
    let mut seen = 0;
    for (when, pss, private) in [
        ("before the fork", all, 0..=all),
        ("after the fork", all / 2, 0..=all / 10),
        ("the child wrote one byte", all / 2, 1..=all / 10),
        ("the child wrote everything", all, all * 9 / 10..=all),
    ] {
        for line in said.lines().filter(|line| line.starts_with(when)) {
            let figures: Vec<u64> =
                line.split_whitespace().rev().take(3).flat_map(str::parse).collect();
            assert!(near(figures[2], all) && near(figures[1], pss), "{line}");
            assert!(private.contains(&figures[0]), "{line}");
            seen += 1;
        }
    }
    assert_eq!(seen, 7, "{said}");
}

#[test]
fn the_variable_has_one_address_and_two_values() {
    let said = stdout(&run(&["memory", "--mib", "1"]));
    let foo = |who: &str| {
        let line = said.lines().find(|line| line.starts_with(who)).expect("a line");
        let (address, rest) = line.split_once(" is ").expect("a value");
        let value = rest.split(';').next().expect("a part");
        (address[who.len()..].trim().to_string(), value.to_string())
    };
    let (parent, child) = (foo("parent:"), foo("child:"));
    assert_eq!(parent.0, child.0);
    assert_eq!((parent.1.as_str(), child.1.as_str()), ("\"bar\"", "\"baz\""));
}

#[test]
fn more_memory_than_there_is_is_an_error() {
    let output = run(&["memory", "--mib", "4294967295"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("fork-demo: 4294967295 MiB: ") && said.lines().count() == 1, "{said}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

#[test]
fn offset_and_flags_are_shared_and_the_descriptor_is_not() {
    let said = stdout(&run(&["files"]));
    let lines: Vec<_> = said.lines().map(str::trim).collect();
    for what in [
        &[
            "the offset",
            "parent  reads line 1",
            "child   reads line 2",
            "parent  reads line 3: its offset has moved",
        ][..],
        &["child   reads line 2 from its copy of the buffer", "parent  reads line 2 from its own"],
        &["O_NONBLOCK", "child   sets it", "parent  has it set"],
        &["child   shuts it down for writing", "parent  can't write: Broken pipe (os error 32)"],
        &["child   closes it", "parent  writes, and its peer reads ping"],
        &["FD_CLOEXEC", "child   sets it", "parent  has it not"],
    ] {
        assert!(lines.windows(what.len()).any(|window| window == what), "{what:?} in {said}");
    }
}
