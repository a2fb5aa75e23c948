//! Runs the program as a user does.

#![allow(clippy::unwrap_used, reason = "to panic is how a test fails")]

use std::fs::{self, File};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for any machine; reached only when something hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// A running queue-demo, ended at the latest when the test ends.
struct Program(Child);

impl Program {
    fn start(arguments: &str, stdout: Stdio, stderr: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queue-demo"));
        command.args(arguments.split_whitespace()).stdin(Stdio::null());
        Self(command.stdout(stdout).stderr(stderr).spawn().unwrap())
    }

    /// Waits for the end: exit code, stdout, stderr.
    fn end(&mut self) -> (Option<i32>, String, String) {
        let stdout = read_aside(self.0.stdout.take());
        let stderr = read_aside(self.0.stderr.take());
        let stdout = stdout.recv_timeout(LIMIT).expect("stdout is closed in time");
        let stderr = stderr.recv_timeout(LIMIT).expect("stderr is closed in time");
        (self.0.wait().unwrap().code(), stdout, stderr)
    }

    /// Waits until it has `count` threads, all of them asleep.
    fn wait_until_asleep(&self, count: usize) {
        let task = format!("/proc/{}/task", self.0.id());
        wait_for(|| {
            let tids = fs::read_dir(&task).unwrap().map(|tid| tid.unwrap().path().join("stat"));
            let states: Vec<_> = tids.map(|stat| fs::read_to_string(stat).unwrap()).collect();
            states.len() == count && states.iter().all(|state| state.contains(") S "))
        });
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "it never happens");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Reads to the end in a thread of its own; nothing, if there is nothing to read from.
fn read_aside(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        from.map(|mut from| from.read_to_string(&mut text));
        let _ = send.send(text);
    });
    receive
}

fn run(arguments: &str) -> (Option<i32>, String, String) {
    Program::start(arguments, Stdio::piped(), Stdio::piped()).end()
}

/// Runs to the end: for each worker the items that it printed, in its order.
fn items(arguments: &str, workers: usize, count: u32) -> Vec<Vec<u32>> {
    let (code, stdout, stderr) = run(&format!("{arguments} --workers {workers} --items {count}"));
    assert_eq!((code, stderr), (Some(0), format!("queued {count} items\n")));
    let mut items = vec![Vec::new(); workers];
    for line in stdout.lines() {
        let words = line.strip_prefix("process data: ").expect("this is what the lines begin with");
        let (worker, item) = words.split_once(' ').unwrap();
        items[worker.parse::<usize>().unwrap() - 1].push(item.parse().unwrap());
    }
    let mut all = items.concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..count), "each item once: {stdout}");
    items
}

#[test]
fn the_default_run_is_that_of_the_lecture() {
    let (code, stdout, stderr) = run("");
    assert_eq!((code, stderr.as_str()), (Some(0), "queued 50 items\n"));
    let mut items: Vec<u32> = Vec::new();
    for line in stdout.lines() {
        let start = ["process data: 1 ", "process data: 2 "];
        let item = start.iter().find_map(|start| line.strip_prefix(start)).unwrap();
        items.push(item.parse().unwrap());
    }
    items.sort_unstable();
    assert!(items.into_iter().eq(0..50));
}

#[test]
fn first_in_first_out_is_ascending_for_every_worker() {
    for capacity in [0, 1, 5, 1000] {
        for workers in [1, 2, 7] {
            let items = items(&format!("--capacity {capacity}"), workers, 1000);
            assert!(items.iter().all(|items| items.is_sorted()));
        }
    }
}

#[test]
fn with_room_for_all_last_in_first_out_is_descending() {
    for capacity in [0, 10_000, 10_001] {
        for workers in [1, 4] {
            let items = items(&format!("--kind lifo --capacity {capacity}"), workers, 10_000);
            assert!(items.iter().all(|items| items.is_sorted_by(|a, b| a > b)));
        }
    }
}

#[test]
fn with_room_for_all_the_priorities_come_in_order() {
    for capacity in [0, 10_000, 10_001] {
        for workers in [1, 4] {
            let items = items(&format!("--kind priority --capacity {capacity}"), workers, 300);
            assert!(items.iter().all(|items| items.is_sorted_by_key(|item| (item % 3, *item))));
        }
    }
}

#[test]
fn with_little_room_every_kind_still_loses_nothing() {
    for kind in ["lifo", "priority"] {
        for capacity in [1, 5] {
            items(&format!("--kind {kind} --capacity {capacity}"), 3, 500);
        }
    }
}

#[test]
fn the_first_out_of_a_full_stack_is_the_last_that_fitted_in() {
    assert_eq!(items("--kind lifo --capacity 5", 1, 50)[0][0], 4);
}

#[test]
fn slow_workers_finish_all_that_was_queued() {
    items("--delay 0.005", 2, 30);
}

#[test]
fn nothing_to_do_is_soon_done() {
    for kind in ["fifo", "lifo", "priority"] {
        items(&format!("--kind {kind}"), 3, 0);
    }
}

#[test]
fn put_waits_while_the_queue_is_full() {
    for kind in ["fifo", "lifo", "priority"] {
        let words = format!("{}/full-{kind}", env!("CARGO_TARGET_TMPDIR"));
        let stderr = File::create(&words).unwrap();
        // Nobody reads stdout: the workers get stuck as soon as the pipe is full.
        let arguments = format!("--kind {kind} --items 10000");
        let mut program = Program::start(&arguments, Stdio::piped(), stderr.into());
        program.wait_until_asleep(3);
        assert_eq!(fs::read_to_string(&words).unwrap(), "", "the producer must not be done");
        let (code, stdout, _) = program.end();
        assert_eq!((code, stdout.lines().count()), (Some(0), 10_000));
        assert_eq!(fs::read_to_string(&words).unwrap(), "queued 10000 items\n");
    }
}

#[test]
fn with_capacity_0_put_never_waits() {
    for kind in ["fifo", "lifo", "priority"] {
        let words = format!("{}/never-full-{kind}", env!("CARGO_TARGET_TMPDIR"));
        let stderr = File::create(&words).unwrap();
        // Again nobody reads stdout, and this time the producer does not mind.
        let arguments = format!("--kind {kind} --capacity 0 --items 10000");
        let mut program = Program::start(&arguments, Stdio::piped(), stderr.into());
        wait_for(|| fs::read_to_string(&words).unwrap() == "queued 10000 items\n");
        assert!(program.0.try_wait().unwrap().is_none(), "the workers can't be done");
    }
}

#[test]
fn a_full_stdout_is_an_error_and_ends_producer_and_workers() {
    for kind in ["fifo", "lifo", "priority"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let arguments = format!("--kind {kind} --items 1000000");
        let mut program = Program::start(&arguments, full.into(), Stdio::piped());
        let message = "queue-demo: stdout: No space left on device (os error 28)\n";
        let (code, _, stderr) = program.end();
        assert_eq!((code, stderr.as_str()), (Some(1), message));
    }
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    for kind in ["fifo", "lifo", "priority"] {
        let arguments = format!("--kind {kind} --items 1000000");
        let mut program = Program::start(&arguments, Stdio::piped(), Stdio::piped());
        drop(program.0.stdout.take());
        let (code, _, stderr) = program.end();
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn wrong_usage_is_refused_before_anything_is_printed() {
    for arguments in [
        "--workers 0",
        "--workers 257",
        "--items -1",
        "--items 1000001",
        "--capacity -1",
        "--kind random",
        "--delay inf",
        "50",
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(stderr.starts_with("error: "), "{arguments}: {stderr}");
    }
}

#[test]
fn a_thread_that_the_system_refuses_is_an_error() {
    for arguments in ["", "--kind lifo", "closing", "join"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queue-demo"));
        command.args(arguments.split_whitespace()).stdin(Stdio::null());
        command.env("RUST_MIN_STACK", (1_u64 << 46).to_string()); // no room for such a stack
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}: {stderr}");
        assert!(stderr.starts_with("queue-demo: start of "), "{arguments}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments}: {stderr}");
    }
}

/// Runs a subcommand, which must say exactly this.
fn says(subcommand: &str, expected: &str) {
    assert_eq!(run(subcommand), (Some(0), expected.to_string(), String::new()));
}

#[test]
fn kinds_show_the_order_of_each() {
    says(
        "kinds",
        "\
put       (2, b)  (1, c)  (3, a)  (1, a)  None
fifo      (2, b)  (1, c)  (3, a)  (1, a)  None
lifo      None  (1, a)  (3, a)  (1, c)  (2, b)
priority  None  (1, a)  (1, c)  (2, b)  (3, a)
None, put last, is last out of a fifo only. Rust orders it before any Some;
Python can't compare it, and a PriorityQueue with it raises TypeError.
",
    );
}

#[test]
fn closing_shows_how_workers_end() {
    says(
        "closing",
        "\
sentinel       a worker got 3 items, then None, and ends
               the next finds: receiving on an empty channel: it would wait for ever
last sender    dropped: two workers got 3 items together, and both end
               the next recv says: receiving on an empty and disconnected channel
last receiver  dropped: send says: sending on a disconnected channel
",
    );
}

#[test]
fn join_shows_what_task_done_is_for() {
    says(
        "join",
        "\
put three items  unfinished: 3
get all of them  unfinished: 3, although the queue is empty
task_done, join  unfinished: 0
task_done again  error: task_done() called too many times
",
    );
}

#[test]
fn timeouts_show_full_and_empty() {
    says(
        "timeouts",
        "\
get_nowait()          try_recv      receiving on an empty channel
get(timeout=0.01)     recv_timeout  timed out waiting on receive operation
put_nowait(1)         try_send      done
put_nowait(2)         try_send      sending on a full channel
put(2, timeout=0.01)  send_timeout  timed out waiting on send operation
",
    );
}
