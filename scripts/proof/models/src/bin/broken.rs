//! Would the models notice? Breaks the demos' code in one place at a time, in a copy, and sees that
//! a model fails.
//!
//! Run it: `scripts/proof/run broken`.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, io};

const FUTURE: &str = "pool-demo/src/future.rs";
const EXECUTOR: &str = "pool-demo/src/executor.rs";
const UNFINISHED: &str = "queue-demo/src/unfinished.rs";
const BLOCKING: &str = "queue-demo/src/blocking.rs";
const QUEUE: &str = "queue-demo/src/queue.rs";
const LISTENER: &str = "socket-server/src/listener.rs";
const THREADS: &str = "socket-server/src/threads.rs";
const LOG: &str = "scripts/lab/src/run/log.rs";

/// A file, what stands there, and what is put in its place.
const BREAKS: &[(&str, &str, &str)] = &[
    // A future that is done already is not told to who comes later.
    (FUTURE, "State::Taken => tell(watcher),", "State::Taken => std::mem::forget(watcher),"),
    (
        FUTURE,
        "= before {\n            tell(watcher);",
        "= before {\n            std::mem::forget(watcher);",
    ),
    (
        FUTURE,
        "let Self::Pending(watcher) = self else { return false };",
        "let mut none = None;
        let watcher = match self {
            Self::Pending(watcher) => watcher,
            _ => &mut none,
        };",
    ),
    (FUTURE, "matches!(*state, State::Pending(_))", "true"),
    (FUTURE, "matches!(*state, State::Pending(_))", "!matches!(*state, State::Done(_))"),
    (FUTURE, "if promise.state().start() {", "promise.state().start(); {"),
    (FUTURE, "panic::catch_unwind(AssertUnwindSafe(task))", "Ok::<_, Box<dyn Any + Send>>(task())"),
    (FUTURE, "drop(done);\n    let", "std::mem::forget(done);\n    let"),
    (FUTURE, "finished.into_iter().chain(completed)", "{ drop(finished); completed }"),
    (FUTURE, "Err(_) => Err(self)", "Err(_) if self.is_done() => panic!(), Err(_) => Err(self)"),
    // The wait for the threads comes before they are asked to end.
    (
        EXECUTOR,
        "pool: ThreadPool,\n    _threads: Threads,",
        "_threads: Threads,\n    pool: ThreadPool,",
    ),
    (EXECUTOR, "thread.join().expect(", "Ok::<_, ()>(drop(thread)).expect("),
    (UNFINISHED, "let _lock = self.lock();", ""),
    (UNFINISHED, "notify_all", "notify_one"),
    (UNFINISHED, "self.none_left.notify_all();", ""),
    (UNFINISHED, "Ordering::AcqRel", "Ordering::Relaxed"),
    (UNFINISHED, "WAITED_FOR, Ordering::Acquire", "WAITED_FOR, Ordering::Relaxed"),
    (UNFINISHED, "self.is_less_than_put(done).then_some(done + ONE)", "Some(done + ONE)"),
    (UNFINISHED, "done < self.done.known", "done <= self.done.known"),
    (UNFINISHED, "&& self.count() == 0", "&& self.count() == 1"),
    // Who does not have to wait says that nobody waits.
    (
        UNFINISHED,
        "                return;",
        "                self.done.count.fetch_and(!WAITED_FOR, Ordering::Relaxed);
                return;",
    ),
    (UNFINISHED, "fetch_and(!WAITED_FOR", "fetch_and(0"),
    (UNFINISHED, "fetch_or(WAITED_FOR", "fetch_or(0"),
    (BLOCKING, "while store.count()", "if store.count()"),
    (BLOCKING, "store.count() == self.capacity", "store.count() > self.capacity"),
    (BLOCKING, "self.not_full.notify_one();", ""),
    (BLOCKING, "self.not_empty.notify_one();", ""),
    // One condition for both.
    (BLOCKING, "self.not_full", "self.not_empty"),
    (BLOCKING, "self.push(Reverse(item));", "self.clear(); self.push(Reverse(item));"),
    (QUEUE, "self.unfinished.add(); // first", "// last"),
    (QUEUE, "self.buffer.put(item);", "self.buffer.put(item); self.unfinished.add();"),
    (QUEUE, "self.unfinished.wait();", ""),
    // Whether somebody will make room is asked when there was none already.
    (LISTENER, "running > 0 =>", "threads.running() > 0 =>"),
    (THREADS, "self.0.acceptor.unpark();", ""),
    (THREADS, "            drop(running);\n", ""), // counted until it has started, not until its end
    (THREADS, "Ordering::AcqRel", "Ordering::Relaxed"),
    (THREADS, "load(Ordering::Acquire)", "load(Ordering::Relaxed)"),
    (THREADS, "let _ = self.failure.set(why);", "drop(why);"),
    (THREADS, "Stop::now();", ""),
    (LOG, "self.changed.notify_all();", ""),
];

fn main() -> io::Result<ExitCode> {
    let proof = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in a workspace");
    let root = proof.ancestors().nth(2).expect("in a repository");
    let place = env::temp_dir().join(format!("broken-{}", std::process::id()));
    let folders = [
        "pool-demo/src",
        "queue-demo/src",
        "socket-server/src",
        "scripts/lab/src/run",
        "scripts/proof",
    ];
    for folder in folders {
        copy(&root.join(folder), &place.join(folder))?;
    }
    let target = proof.join("target"); // what is not broken is built already
    let models = |quiet: bool| {
        let sink = || if quiet { Stdio::null() } else { Stdio::inherit() };
        Command::new("cargo")
            .args(["run", "--quiet", "--package", "models", "--bin", "models"])
            .current_dir(place.join("scripts/proof"))
            .env("CARGO_TARGET_DIR", &target)
            .env("LOOM_MAX_PREEMPTIONS", "2")
            .stdout(Stdio::piped())
            .stderr(sink())
            .output()
    };
    let mut unnoticed = 0;
    if !models(false)?.status.success() {
        println!("unbroken, the models fail");
        unnoticed += 1;
    }
    for (file, from, to) in BREAKS {
        let file = place.join(file);
        let whole = fs::read_to_string(&file)?;
        assert!(whole.contains(from), "{}: no longer has: {from}", file.display());
        fs::write(&file, whole.replace(from, to))?;
        let output = models(true)?;
        let said = String::from_utf8_lossy(&output.stdout);
        // The table has begun, so it was built; and it did not come to its end.
        let verdict = match (said.is_empty(), output.status.success()) {
            (true, _) => "DOES NOT BUILD",
            (_, true) => "NOT NOTICED",
            _ => "noticed",
        };
        unnoticed += usize::from(verdict != "noticed");
        let one = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = file.file_name().unwrap_or_default().display().to_string();
        println!("{verdict}  {name}: {}  ->  {}", one(from), one(to));
        fs::write(&file, whole)?;
    }
    fs::remove_dir_all(&place)?;
    println!("{} places broken, {unnoticed} not noticed", BREAKS.len());
    Ok(if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let beside = to.join(entry.file_name());
        if entry.file_type()?.is_dir() && entry.file_name() != "target" {
            copy(&entry.path(), &beside)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), beside)?;
        }
    }
    Ok(())
}
