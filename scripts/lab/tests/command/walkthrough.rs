//! The walkthrough as a user runs it, on demos that work and on demos that do not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::hears_sigint;

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("LC_ALL", "C");
    command.arg("walkthrough").args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    lab(arguments).output().expect("lab can be run")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// A folder of this test's own with executables in it, by name and shell script.
fn demos(test: &str, scripts: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("walkthrough-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, script) in scripts {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    folder
}

/// One section with a demo that is this script; its exit status and what was shown.
fn walk(test: &str, section: &str, demo: &str, script: &str) -> (Option<i32>, String) {
    walk_within("0.5", test, section, demo, script)
}

/// The same with so many seconds for each run.
fn walk_within(
    seconds: &str,
    test: &str,
    section: &str,
    demo: &str,
    script: &str,
) -> (Option<i32>, String) {
    let folder = demos(test, &[(demo, script)]);
    let folder = folder.to_str().expect("UTF-8");
    let shown = output(&["--section", section, "--demos", folder, "--time-limit", seconds]);
    (shown.status.code(), stdout(&shown))
}

/// What `ps` would show of processes whose command line has this word in it.
fn processes_with(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(word) && entry.file_name() != std::process::id().to_string().as_str() {
            found.push(line);
        }
    }
    found
}

fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn lists_the_sections_in_the_order_of_the_note() {
    let shown = output(&["--list"]);
    let names: Vec<String> =
        stdout(&shown).lines().map(|line| line.split(' ').next().unwrap_or("").into()).collect();
    let order = "process monitor fork mp thread pool queue server client epoll iter-gen";
    assert_eq!(names.join(" "), order);
    assert_eq!(shown.status.code(), Some(0));
    let rest = output(&["--list", "--from", "epoll"]);
    assert_eq!(stdout(&rest).lines().count(), 2);
}

#[test]
fn speaks_russian_when_told_to_or_by_the_locale() {
    let asked = stdout(&output(&["--list", "--language", "ru"]));
    assert!(asked.contains("Создание процессов"), "{asked}");
    let by_locale = |variable: &str, locale: &str| {
        let mut command = lab(&["--list"]);
        command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "C");
        stdout(&command.env(variable, locale).output().expect("lab can be run"))
    };
    assert_eq!(by_locale("LANG", "ru_RU.UTF-8"), asked);
    assert_eq!(by_locale("LC_MESSAGES", "ru_RU.UTF-8"), asked);
    assert!(by_locale("LC_ALL", "C").contains("Creating processes"));
    let greeter = demos("russian", &[("thread-demo", "echo 'Hello,  Bob'")]);
    let json = greeter.join("record.json");
    let shown = output(&[
        "--language=ru",
        "--section=thread",
        "--time-limit=1",
        &format!("--demos={}", greeter.display()),
        &format!("--json={}", json.display()),
    ]);
    let text = stdout(&shown);
    for words in ["1/1 Потоки", "НЕВЕРНО", "ожидалось", "1 раздел, ", "пропущено"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let record = fs::read_to_string(json).expect("the record");
    assert!(record.contains("each name is greeted once") && !record.contains("имя"), "{record}");
}

#[test]
fn refuses_a_section_that_is_not_there_and_names_those_that_are() {
    let shown = output(&["--section", "forks"]);
    assert_eq!(shown.status.code(), Some(2));
    assert!(shown.stdout.is_empty());
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(said.contains("forks") && said.contains("iter-gen"), "{said}");
}

#[test]
fn builds_a_demo_and_finds_every_fact_of_its_section_true() {
    let json = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fork.json");
    let json = json.to_str().expect("UTF-8");
    let shown = output(&["--section", "fork", "--seed", "7", "--json", json]);
    let text = stdout(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}");
    for line in ["  $ cargo run -p fork-demo\n", "\n  Parent:  bar\n", "\n  Child:  baz\n"] {
        assert!(text.contains(line), "{line} {text}");
    }
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(json).expect("the record")).expect("JSON");
    assert_eq!(record["schema"], "lab-record/1");
    assert_eq!(record["seed"], 7);
    assert_eq!(record["failed"], 0);
    let checks = record["sections"][0]["checks"].as_array().expect("checks").clone();
    assert!(checks.len() >= 8 && checks.iter().all(|check| check["status"] == "pass"));
    assert_eq!(checks.iter().filter_map(|check| check["earned"].as_u64()).sum::<u64>(), 10);
}

#[test]
fn the_same_seed_gives_the_same_inputs() {
    let inputs = |seed: &str| -> Vec<String> {
        let script = "printf '%s ' \"$@\" >&2; exit 1";
        let folder = demos(&format!("seed-{seed}"), &[("thread-demo", script)]);
        let folder = folder.to_str().expect("UTF-8");
        let shown = output(&[
            "--section",
            "thread",
            "--demos",
            folder,
            "--seed",
            seed,
            "--time-limit",
            "2",
        ]);
        stdout(&shown).lines().filter(|l| l.contains("again")).map(String::from).collect()
    };
    assert_eq!(inputs("1"), inputs("1"));
}

#[test]
fn a_demo_that_fakes_is_found_out_and_the_walkthrough_fails() {
    let fake = "echo 'Parent:  bar'; echo 'Child:  baz'";
    let (status, text) = walk("fake", "fork", "fork-demo", fake);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("FAILED parent and child each print their own value"), "{text}");
    assert!(text.contains("expected") && text.contains("lesson") && text.contains("again"));
}

#[test]
fn a_demo_that_hangs_is_named_and_ended_with_all_it_started() {
    let script = "setsid sleep 61.25 & sleep 61.25";
    let (status, text) = walk("hangs", "thread", "thread-demo", script);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("TIMEOUT each name is greeted once"), "{text}");
    assert_eq!(processes_with("sleep 61.25"), Vec::<String>::new());
}

#[test]
fn a_demo_that_crashes_is_named_with_its_signal() {
    let (status, text) =
        walk("crashes", "thread", "thread-demo", "echo 'Hello,  Bob'; kill -SEGV $$");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("CRASHED") && text.contains("SIGSEGV"), "{text}");
}

#[test]
fn a_demo_that_floods_is_cut_off() {
    let (status, text) = walk_within("20", "floods", "iter-gen", "iter-gen-demo", "exec yes");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("OVER LIMIT"), "{text}");
}

#[test]
fn a_demo_that_breeds_is_cut_off() {
    let script = "while :; do sleep 62.75 & done";
    let (status, text) = walk_within("20", "breeds", "thread", "thread-demo", script);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("OVER LIMIT"), "{text}");
    assert_eq!(processes_with("sleep 62.75"), Vec::<String>::new());
}

#[test]
fn a_demo_that_cannot_be_executed_gives_status_3() {
    let folder = demos("garbage", &[]);
    fs::write(folder.join("thread-demo"), "\x7fELF").expect("a file");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.join("thread-demo"), mode).expect("executable");
    let shown = output(&["--section", "thread", "--demos", folder.to_str().expect("UTF-8")]);
    assert_eq!(shown.status.code(), Some(3), "{}", stdout(&shown));
    assert!(stdout(&shown).contains("Exec format error"), "{}", stdout(&shown));
}

#[test]
fn one_broken_section_does_not_stop_the_next() {
    let folder = demos("next", &[("fork-demo", "exit 5"), ("thread-demo", "echo 'Hello,  Bob'")]);
    let folder = folder.to_str().expect("UTF-8");
    let shown = output(&["--section", "fork", "--section", "thread", "--demos", folder]);
    let text = stdout(&shown);
    assert!(text.contains("1/2 Creating processes") && text.contains("2/2 Threads"), "{text}");
    assert!(text.contains("exit status 5"), "{text}");
}

/// A program that is killed when the test ends, however it ends.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn killed_by(signal: &str, seconds: &str) {
    let script = format!("(trap '' INT TERM HUP; exec setsid sleep {seconds}) & sleep {seconds}");
    let folder = demos(signal, &[("thread-demo", &script)]);
    let folder = folder.to_str().expect("UTF-8");
    let mut command = lab(&["--section", "thread", "--demos", folder]);
    let command = hears_sigint(command.stdout(Stdio::null()));
    let mut guard = Guard(command.spawn().expect("lab can be run"));
    let word = format!("sleep {seconds}");
    until("both sleep", || (processes_with(&word).len() >= 2).then_some(()));
    let pid = guard.0.id().to_string();
    let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    guard.0.wait().expect("it ends");
    let start = Instant::now();
    until("all are gone", || processes_with(&word).is_empty().then_some(()));
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[test]
fn ctrl_c_leaves_nothing() {
    killed_by("INT", "63.5");
}

#[test]
fn sigkill_leaves_nothing() {
    killed_by("KILL", "64.5");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut command = lab(&["--list"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lab");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn quiet_shows_only_the_last_lines_when_all_holds() {
    let shown = output(&["--section", "process", "--quiet"]);
    let text = stdout(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}");
    assert!(text.starts_with("1 section,"), "{text}");
}
