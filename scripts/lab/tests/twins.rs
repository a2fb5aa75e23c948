//! The grader is graded: kept programs, wrong ones that look right and right ones that look odd,
//! each with the checks that it must fail in its first lines.
//!
//! `LAB_SEED` chooses the random inputs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// What a twin's header says: the checks that it must fail, none for a right one.
fn header(file: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(file).expect("a twin is text");
    let lines = || text.lines().take(6).map(|line| line.trim_start_matches(['#', '/', ' ']));
    let fails = lines().find_map(|line| line.strip_prefix("fails: "));
    let wrong = file.parent().is_some_and(|folder| folder.ends_with("wrong"));
    let kind = if wrong { "wrong: " } else { "right: " };
    assert!(lines().any(|line| line.starts_with(kind)), "{}: no line '{kind}'", file.display());
    assert_eq!(wrong, fails.is_some(), "{}: fails", file.display());
    fails.unwrap_or_default().split_whitespace().map(String::from).collect()
}

fn twins(lab: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("twins").join(lab);
    let mut files = Vec::new();
    for kind in ["wrong", "right"] {
        let entries = fs::read_dir(folder.join(kind)).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| entry.path()));
    }
    files.sort();
    files
}

/// The lab's own demo, built.
fn built(demo: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline", "--package", demo]);
    assert!(cargo.status().expect("cargo").success(), "{demo} builds");
    Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name(demo)
}

/// The checks that earn points, as `lab show` lists them: points, name, title.
fn scored(lab: &str) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    let shown = command.env("LC_ALL", "C").args(["show", lab]).output().expect("lab can be run");
    let shown = String::from_utf8(shown.stdout).expect("UTF-8");
    let (_, checks) = shown.split_once("## The checks").expect("the checks at the end");
    let words = checks.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    let ids = words.filter(|words| words.len() == 2 && words[0] != "-");
    ids.map(|words| words[1].to_string()).collect()
}

/// Examines every second of the files; where it writes its records.
fn grader(lab: &str, checks: &[String], files: &[PathBuf], part: usize) -> (Child, PathBuf) {
    let json = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("twins-{lab}-{part}.json"));
    let _ = fs::remove_file(&json);
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("LC_ALL", "C").stdout(Stdio::piped());
    command.args(["grade", lab, "--jobs", "2", "--shard", &format!("{part}/2")]);
    command.args(checks.iter().flat_map(|check| ["--only", check]));
    command.args(files).arg("--json").arg(&json);
    if let Ok(seed) = std::env::var("LAB_SEED") {
        command.args(["--seed", &seed]);
    }
    (command.spawn().expect("lab can be run"), json)
}

/// Every twin of a lab gets exactly the verdict that its header states, and the lab's own demo all
/// points. Each check is failed by a twin.
fn as_stated(lab: &str, demo: &str) {
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    let mut files = twins(lab);
    if !has_python {
        eprintln!("python3 is not installed: the twins in Python are left out");
        files.retain(|file| file.extension().is_some_and(|ending| ending != "py"));
    }
    files.push(built(demo));
    // Four at a time, by two graders: what one examines alone, the other need not wait for.
    let checks = scored(lab);
    let graders: Vec<_> = (1..=2).map(|part| grader(lab, &checks, &files, part)).collect();
    let mut parts = graders.into_iter().map(|(grader, json)| {
        let output = grader.wait_with_output().expect("lab can be run");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let text =
            fs::read(&json).unwrap_or_else(|why| panic!("{}: {why}\n{shown}", json.display()));
        let mut all: Value = serde_json::from_slice(&text).expect("JSON");
        let records: Vec<Value> = serde_json::from_value(all["records"].take()).expect("records");
        records.into_iter()
    });
    let (mut odd, mut even) = (parts.next().expect("one"), parts.next().expect("another"));
    let turns = (0..files.len()).map(|turn| if turn % 2 == 0 { odd.next() } else { even.next() });
    let records: Vec<Value> = turns.map(|record| record.expect("a record for each")).collect();
    let (mut unlike, mut caught) = (Vec::new(), BTreeSet::new());
    for (file, record) in files.iter().zip(&records) {
        let checks = record["checks"].as_array().expect("checks");
        let missed: Vec<_> = checks
            .iter()
            .filter(|check| check["points"] != 0)
            .filter(|check| check["status"] != "pass" && check["status"] != "skipped")
            .collect();
        let name = |check: &&Value| check["id"].as_str().map(String::from);
        let failed: BTreeSet<String> = missed.iter().copied().filter_map(|c| name(&c)).collect();
        let own = file.ends_with(demo);
        let stated = if own { BTreeSet::new() } else { header(file) };
        if failed != stated || !record["not_gradable"].is_null() {
            let (file, why) = (file.display(), &record["not_gradable"]);
            unlike.push(format!("{file}: {failed:?}, stated {stated:?}\n{why}\n{missed:#?}"));
        }
        caught.extend(failed);
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    let never: Vec<_> = checks.iter().filter(|id| !caught.contains(*id)).collect();
    assert!(never.is_empty() || !has_python, "{lab}: no twin fails {never:?}");
}

#[test]
fn fork() {
    as_stated("fork", "fork-demo");
}

#[test]
fn mp() {
    as_stated("mp", "mp-demo");
}

#[test]
fn thread() {
    as_stated("thread", "thread-demo");
}

#[test]
fn pool() {
    as_stated("pool", "pool-demo");
}

#[test]
fn queue() {
    as_stated("queue", "queue-demo");
}

#[test]
fn server() {
    as_stated("server", "socket-server");
}

#[test]
fn client() {
    as_stated("client", "socket-client");
}

#[test]
fn epoll() {
    as_stated("epoll", "epoll-demo");
}

#[test]
fn iter_gen() {
    as_stated("iter-gen", "iter-gen-demo");
}
