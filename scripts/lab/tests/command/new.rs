//! `lab new` as a student meets it: a starter for every lab in two languages, which builds, runs
//! with every option that the lab asks for, and earns next to nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Every lab, with command lines that together have every option of its contract.
const LABS: &[(&str, &[&str])] = &[
    ("fork", &["", "--value a", "--child-value b", "--forever", "--forever --interval 0.5"]),
    ("mp", &["", "Ann", "--style function Ann Bob", "--style trait", "--delay 0.5", "-- -x"]),
    ("thread", &["", "Ann", "--style function Ann Bob", "--style trait", "--delay 0.5", "-- -x"]),
    ("pool", &["", "--workers 3", "--tasks 4", "--exponent 5", "--delay 0.5", "--ordered"]),
    (
        "queue",
        &[
            "",
            "--kind fifo",
            "--kind lifo",
            "--kind priority",
            "--workers 3",
            "--items 9",
            "--capacity 0",
            "--delay 0.5",
        ],
    ),
    (
        "server",
        &[
            "",
            "127.0.0.1:0",
            "[::1]:10001",
            "--connections 2",
            "--threads",
            "--timeout 0.5",
            "--buffer 1",
        ],
    ),
    ("client", &["", "a b", "-", "--addr [::1]:10001 a", "--timeout 0.5"]),
    ("epoll", &["", "127.0.0.1:0", "[::1]:10002", "--connections 2", "--buffer 1", "--flood"]),
    ("iter-gen", &["", "a b", "-", "--stop 3", "--top 2", "--pattern a -"]),
];

/// An empty folder of a test's own.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("new-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs a program to its end, which must come soon.
fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be run");
    let end = Instant::now() + Duration::from_mins(1);
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it does not end: {command:?}");
        }
        thread::sleep(Duration::from_millis(1));
    }
    child.wait_with_output().expect("its output")
}

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("LC_ALL", "C");
    command.args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn has_python() -> bool {
    let has = Command::new("python3").arg("--version").output().is_ok();
    if !has {
        eprintln!("python3 is not installed: the starters in Python are left out");
    }
    has
}

/// Makes a starter; what was printed about it.
fn starter(lab_name: &str, folder: &Path, language: &str) -> String {
    let made = run(&mut lab(&["new", lab_name, path(folder), "--language", language]));
    assert!(made.status.success(), "{lab_name}: {}", text(&made.stderr));
    text(&made.stdout)
}

/// The files of a folder, those of its folders included.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).iter().map(|file| format!("{name}/{file}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// The starter takes every option, has nothing to say so far, and refuses what is no option.
fn takes_every_option(lab: &str, command: impl Fn() -> Command) {
    let (_, lines) = LABS.iter().find(|(name, _)| *name == lab).expect("a lab");
    for line in *lines {
        let ran = run(command().args(line.split_whitespace()));
        assert_eq!(ran.status.code(), Some(0), "{lab} {line}: {}", text(&ran.stderr));
        assert_eq!(text(&ran.stderr), "", "{lab} {line}");
    }
    let refused = run(command().arg("--no-such-option"));
    assert_eq!(refused.status.code(), Some(2), "{lab}: {}", text(&refused.stderr));
    assert_eq!(text(&refused.stdout), "", "{lab}");
}

/// The starter is graded, and has nearly everything before it.
fn earns_next_to_nothing(lab_name: &str, submission: &Path, json: &Path) {
    let graded = run(&mut lab(&["grade", lab_name, path(submission), "--json", path(json)]));
    let shown = text(&graded.stdout);
    assert_eq!(graded.status.code(), Some(1), "{shown}");
    let records: serde_json::Value =
        serde_json::from_slice(&fs::read(json).expect("the record")).expect("JSON");
    let record = &records["records"][0];
    assert!(record["not_gradable"].is_null(), "{shown}");
    let checks = record["checks"].as_array().expect("checks");
    assert!(!checks.is_empty(), "{shown}");
    let earned: u64 = checks.iter().filter_map(|check| check["earned"].as_u64()).sum();
    assert!(earned < 3, "{lab_name}: {earned} points\n{shown}");
}

#[test]
fn makes_a_folder_for_every_lab_in_both_languages() {
    let list = text(&run(&mut lab(&["list"])).stdout);
    let listed: Vec<&str> =
        list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, LABS.iter().map(|(lab, _)| *lab).collect::<Vec<_>>());
    let folder = folder("folders");
    for lab in listed {
        for (language, wanted) in
            [("python", &["main.py"][..]), ("rust", &["Cargo.toml", "src/main.rs"])]
        {
            // Its parent is not there either.
            let folder = folder.join(language).join(lab);
            let said = starter(lab, &folder, language);
            assert_eq!(files(&folder), wanted);
            let command = format!("cargo lab grade {lab} {}\n", folder.display());
            assert!(said.contains(&command), "{said}");
        }
    }
}

#[test]
fn refuses_what_is_there_already_and_leaves_it_alone() {
    let folder = folder("refuses");
    let (empty, file) = (folder.join("empty"), folder.join("file"));
    fs::create_dir(&empty).expect("a folder");
    fs::write(&file, "mine").expect("a file");
    for taken in [&empty, &file] {
        let refused = run(&mut lab(&["new", "queue", path(taken)]));
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert_eq!(said, format!("lab: {}: is there already\n", taken.display()));
        assert_eq!(text(&refused.stdout), "");
    }
    assert_eq!(files(&folder), ["file"]);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "mine");
}

#[test]
fn a_starter_in_python_takes_every_option_and_earns_next_to_nothing() {
    if !has_python() {
        return;
    }
    let folder = &folder("python");
    // At the same time: much of a grader's time is spent waiting.
    thread::scope(|scope| {
        for (lab, _) in LABS {
            scope.spawn(move || {
                let made = folder.join(lab);
                starter(lab, &made, "python");
                takes_every_option(lab, || {
                    let mut command = Command::new("python3");
                    command.args(["-W", "error"]).arg(made.join("main.py"));
                    command
                });
                earns_next_to_nothing(lab, &made, &folder.join(format!("{lab}.json")));
            });
        }
    });
}

/// Python looks for modules beside the program first: a queue.py there would be the module queue.
#[test]
fn the_name_of_a_starter_in_python_hides_no_module() {
    if !has_python() {
        return;
    }
    let made = folder("modules").join("queue");
    starter("queue", &made, "python");
    let file = made.join("main.py");
    let begun =
        fs::read_to_string(&file).expect("the starter") + "\nimport queue\nqueue.Queue(5)\n";
    fs::write(&file, begun).expect("a file");
    let ran = run(Command::new("python3").arg(&file));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
}

#[test]
fn a_starter_in_rust_builds_without_warnings_takes_every_option_and_earns_next_to_nothing() {
    let folder = &folder("rust");
    // The packages that they stand on are built once for all of them, and kept: that takes a
    // quarter of a minute the first time, and nothing later.
    let target = &Path::new(env!("CARGO_TARGET_TMPDIR")).join("starters");
    thread::scope(|scope| {
        for (lab, _) in LABS {
            let made = folder.join(lab);
            starter(lab, &made, "rust");
            let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .current_dir(&made)
                .args(["build", "--offline", "--target-dir"])
                .arg(target)
                .output()
                .expect("cargo can be run");
            let said = text(&built.stderr);
            assert!(built.status.success() && !said.contains("warning"), "{lab}: {said}");
            scope.spawn(move || {
                let program = target.join("debug").join(lab);
                takes_every_option(lab, || Command::new(&program));
                earns_next_to_nothing(lab, &program, &folder.join(format!("{lab}.json")));
            });
        }
    });
}
