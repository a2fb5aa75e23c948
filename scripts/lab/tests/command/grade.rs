//! `lab grade` as a teacher uses it: hidden seeds, markers, exports, and folders of odd things.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// An empty folder of a test's own.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("grade-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs `lab` in a folder.
fn lab(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("LC_ALL", "C");
    command.current_dir(folder).args(arguments).env_remove("GITHUB_STEP_SUMMARY");
    command.output().expect("lab can be run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("a file")).expect("JSON")
}

/// A program for the lab `fork`, which does `wrong` first where its inputs are unlucky.
fn unlucky(wrong: &str) -> String {
    format!(
        "# lab: fork\nimport os, sys\nvalue, child = 'bar', 'baz'\n\
         words = sys.argv[1:]\n\
         if '--value' in words: value = words[words.index('--value') + 1]\n\
         if '--child-value' in words: child = words[words.index('--child-value') + 1]\n\
         if sum(map(ord, value + child)) % 3 == 0:\n    {wrong}\n\
         pid = os.fork()\n\
         if pid == 0:\n    print('Child: ', child, flush=True)\n    os._exit(0)\n\
         os.waitpid(pid, 0)\nprint('Parent: ', value, flush=True)\n"
    )
}

/// Whether the first check of that program holds with this seed.
fn holds(folder: &Path, seed: u64) -> bool {
    let seed = seed.to_string();
    let only = ["grade", "mine.py", "--only", "lines", "--json", "one.json", "--seed", &seed];
    lab(folder, &only);
    json(&folder.join("one.json"))["records"][0]["checks"][0]["status"] == "pass"
}

#[test]
fn a_check_that_fails_by_a_hidden_seed_alone_shows_its_title_and_points_and_nothing_more() {
    let folder = folder("hidden");
    let secret = "unlucky-this-time";
    fs::write(folder.join("mine.py"), unlucky(&format!("print('{secret}', flush=True)")))
        .expect("a program");
    let seeds = 700_000_001..700_000_100;
    let lucky = seeds.clone().find(|seed| holds(&folder, *seed)).expect("a seed");
    let unlucky = seeds.clone().find(|seed| !holds(&folder, *seed)).expect("a seed");
    let (shown, hidden) = (lucky.to_string(), unlucky.to_string());
    fs::write(folder.join("seeds"), format!("# of this year\n{lucky} # a good one\n{hidden}\n"))
        .expect("seeds");

    let arguments = [
        "grade",
        "fork",
        "mine.py",
        "--only",
        "lines",
        "--seed",
        &shown,
        "--hidden",
        "seeds",
        "--json",
        "all.json",
        "--records",
        "records",
        "--html",
        "a.html",
        "--csv",
        "a.csv",
        "--junit",
        "a.xml",
        "--gradescope",
        "results.json",
        "--github",
    ];
    let output = lab(&folder, &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));

    // Whoever grades is told all.
    let record = &json(&folder.join("all.json"))["records"][0];
    assert_eq!(record["hidden"], serde_json::json!([lucky, unlucky]));
    let check = &record["checks"][0];
    assert_eq!((&check["status"], &check["earned"]), (&"fail".into(), &0.into()));
    assert_eq!(check["hidden"], unlucky);
    let all = check.to_string();
    assert!(all.contains(secret) && all.contains("--value") && all.contains("expected"), "{all}");
    let kept = fs::read_dir(folder.join("records")).expect("records").flatten().next();
    assert_eq!(&json(&kept.expect("a record").path()), record);

    // Nobody else is.
    let title = check["title"].as_str().expect("a title");
    let terminal = text(&output.stdout);
    let points = format!("(0 of {})", check["points"]);
    assert!(terminal.contains(&format!("{title} {points}")), "{terminal}");
    let of_students = ["a.html", "a.csv", "a.xml", "results.json"];
    let of_students = of_students.map(|name| fs::read_to_string(folder.join(name)).expect(name));
    for seen in of_students.iter().chain([&terminal]) {
        let again = format!("--seed {shown}"); // that one is no secret
        let seen = seen.replace(&again, "");
        for never in [secret, &hidden, "--value", "expected", "hidden seed"] {
            assert!(!seen.contains(never), "{never} in\n{seen}");
        }
    }
    let result = json(&folder.join("results.json"));
    assert_eq!(result["tests"][0]["name"], title);
    assert_eq!(result["tests"][0]["max_score"], check["points"]);
    // One that is not visible would hide the total.
    assert_eq!(result["tests"][0]["visibility"], "visible");

    // What is put together later is as it is here.
    lab(&folder, &["merge", "all.json", "--html", "b.html", "--json", "b.json"]);
    assert_eq!(fs::read_to_string(folder.join("b.html")).expect("a page"), of_students[0]);
    assert_eq!(json(&folder.join("b.json")), json(&folder.join("all.json")));
}

#[test]
fn a_damaged_file_of_records_gives_the_terminal_no_commands() {
    let folder = folder("damaged");
    let record =
        r#"{"schema": "lab-record/1", "records": [{"checks": [{"status": "\u001b[2J"}]}]}"#;
    fs::write(
        folder.join("all.json"),
        record.replace(
            "{\"status\"",
            r#"{"id": "a", "title": "a", "points": 1, "earned": 0, "status""#,
        ),
    )
    .expect("a file");
    let said = text(&lab(&folder, &["merge", "all.json"]).stderr);
    assert!(said.contains("[2J") && !said.contains('\x1b'), "{said:?}");
}

#[test]
fn a_file_that_is_no_list_of_seeds_is_wrong_usage() {
    let folder = folder("seeds");
    fs::write(folder.join("mine.py"), unlucky("pass")).expect("a program");
    fs::write(folder.join("seeds"), "7\nseven\n").expect("seeds");
    for (file, why) in [("seeds", "seeds:2: 'seven' is no seed"), ("none", "none: No such file")] {
        let refused = lab(&folder, &["grade", "mine.py", "--hidden", file]);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{said}");
        assert_eq!(text(&refused.stdout), "");
    }
}

#[test]
fn the_lab_may_be_left_out_where_a_first_line_says_it() {
    let folder = folder("marker");
    for language in ["rust", "python"] {
        lab(&folder, &["new", "fork", language, "--language", language]);
        let graded = lab(&folder, &["grade", language, "--only", "lines"]);
        assert_eq!(graded.status.code(), Some(1), "{}", text(&graded.stderr));
        assert!(text(&graded.stdout).contains("Creating processes"), "{}", text(&graded.stdout));
    }
    lab(&folder, &["new", "pool", "other", "--language", "python"]);
    fs::write(folder.join("unmarked.py"), "print(1)\n").expect("a program");
    fs::write(folder.join("wrong.py"), "# lab: pol\x1bl\n").expect("a program");
    let all = "fork, mp, thread, pool, queue, server, client, epoll, iter-gen";
    let no_lab = format!("'pol\\u{{1b}}l' is no lab; the labs are {all}");
    for (arguments, why) in [
        (&["grade", "unmarked.py"][..], "unmarked.py: none of its first lines says which lab"),
        (&["grade", "rust", "other"], "submissions of several labs (fork, pool)"),
        (&["grade", "wrong.py"], &no_lab),
        (&["grade", "forc", "rust"], "'forc' is no lab and no file"),
        (&["grade", "fork"], "nothing to examine: cargo lab grade fork SUBMISSION"),
        (&["watch", "unmarked.py"], "unmarked.py: none of its first lines says which lab"),
        (&["watch", "fork"], "nothing to examine: cargo lab watch fork SUBMISSION"),
    ] {
        let refused = lab(&folder, arguments);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert_eq!(text(&refused.stdout), "", "{arguments:?}");
    }
}

/// Python's main thread waits for the others, whatever it died of.
#[test]
fn what_a_program_said_before_it_waits_for_ever_is_evidence() {
    let folder = folder("said");
    let program = "import threading\n\
                   threading.Thread(target=threading.Event().wait).start()\n\
                   raise ValueError('none of these')\n";
    fs::write(folder.join("mine.py"), program).expect("a program");
    lab(&folder, &["grade", "thread", "mine.py", "--only", "lines", "--json", "one.json"]);
    let check = &json(&folder.join("one.json"))["records"][0]["checks"][0];
    assert_eq!(check["status"], "timeout", "{check}");
    let saw = check["evidence"][0].as_str().expect("evidence");
    assert!(saw.starts_with("it would never have ended"), "{saw}");
    assert!(saw.ends_with("after it said: ValueError: none of these"), "{saw}");
}

/// What a runner of GitHub Actions would take for a command, anywhere on stdout.
#[test]
fn a_program_can_give_no_workflow_commands() {
    let folder = folder("github");
    let print = "print('\\n::error::mine\\r\\n::stop-commands::x\\n##[error]mine', flush=True)";
    fs::write(folder.join("mine.py"), format!("{print}\n")).expect("a program");
    let output = lab(&folder, &["grade", "fork", "mine.py", "--only", "lines", "--github"]);
    let shown = text(&output.stdout);
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    for line in shown.lines().map(str::trim) {
        if stopped.as_ref().is_some_and(|token| line == format!("::{token}::")) {
            stopped = None;
        } else if stopped.is_some() {
            assert!(!line.starts_with("::stop-commands"), "{shown}");
        } else if let Some(token) = line.strip_prefix("::stop-commands::") {
            assert!(token.len() >= 32, "a token that can be guessed: {token}");
            stopped = Some(token.into());
        } else if line.starts_with("::") {
            commands.push(line);
        } else {
            assert!(!line.contains("##["), "{shown}");
        }
    }
    assert!(stopped.is_none(), "{shown}");
    let kinds: Vec<_> = commands.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(kinds, ["::error", "::notice"], "{shown}");
    assert!(!commands.iter().any(|line| line.starts_with("::error::")), "{shown}");
}

/// A folder as it comes out of an upload: one row for each, whatever it is.
#[test]
fn no_submission_stops_the_others() {
    let folder = folder("odd");
    let good = unlucky("pass");
    let class = folder.join("class");
    fs::create_dir(&class).expect("a folder");
    let put = |name: &[u8], text: &[u8], mode: u32| {
        let file = class.join(OsStr::from_bytes(name));
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("chmod");
    };
    for name in
        [&b"with space.py"[..], b"new\nline.py", b"-dash.py", b"\xff\xfe.py", b"$(id)'\".py"]
    {
        put(name, good.as_bytes(), 0o644);
    }
    put("naïve — Ω/main.py".as_bytes(), good.as_bytes(), 0o644);
    // As long as a name may be, where that of its record is longer; and two commands.
    put(("𐐷".repeat(60) + ".py").as_bytes(), good.as_bytes(), 0o644);
    put(b"\x1b[2J::error::x.py", good.as_bytes(), 0o644);
    put(b"huge.rs", b"", 0o644);
    let huge = fs::File::options().write(true).open(class.join("huge.rs")).expect("it is there");
    huge.set_len(64 << 30).expect("a file without as much on the disk");
    put(b"r s;\n.rs", b"fn main() {}", 0o644);
    put(b"empty.py", b"", 0o644);
    put(b"empty", b"", 0o755);
    put(b"essay.txt", b"I could not do it", 0o644);
    fs::create_dir(class.join("nothing")).expect("a folder");
    symlink("/etc/passwd", class.join("link.py")).expect("a link");
    symlink("gone.py", class.join("dangling.py")).expect("a link");
    symlink("naïve — Ω", class.join("folder")).expect("a link");
    // Somebody else's program, which gets the points.
    fs::create_dir(class.join("links")).expect("a folder");
    symlink("../with space.py", class.join("links/main.py")).expect("a link");
    let fifo = Command::new("mkfifo").arg(class.join("pipe.py")).status();
    assert!(fifo.is_ok_and(|status| status.success()), "mkfifo");
    // An executable of a machine that is not this one (s390x), as far as its header goes.
    let mut other = vec![0_u8; 256];
    other[..20].copy_from_slice(b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x16");
    put(b"other-machine", &other, 0o755);
    let manifest = "[package]\nname = \"broken\"\nedition = \"2024\"\n[workspace]\n";
    put(b"crate/Cargo.toml", manifest.as_bytes(), 0o644);
    put(b"crate/src/main.rs", b"fn main() { let x: u8 = \"\"; }", 0o644);
    // A member of a workspace, which takes its edition from there.
    let manifest = "[workspace]\nmembers = [\"member\"]\nresolver = \"3\"\n\
                    [workspace.package]\nedition = \"2024\"\n";
    put(b"group/Cargo.toml", manifest.as_bytes(), 0o644);
    let manifest = "[package]\nname = \"member\"\nedition.workspace = true\n";
    put(b"group/member/Cargo.toml", manifest.as_bytes(), 0o644);
    put(b"group/member/src/main.rs", b"fn main() {}", 0o644);
    let floods =
        "import sys\nfor _ in range(2 ** 31 // 65536): sys.stdout.write('x' * 65535 + '\\n')\n";
    put(b"floods.py", floods.as_bytes(), 0o644);
    put(b"endless.py", b"import time\nwhile True: time.sleep(1)\n", 0o644);

    let mut all: Vec<OsString> = fs::read_dir(&class)
        .expect("the class")
        .flatten()
        .map(|entry| Path::new("class").join(entry.file_name()).into())
        .collect();
    all.sort();
    all.push("class/not there.py".into());
    all.push("class/group/member".into());
    // As a shell's `class/*/` has it.
    all.iter_mut().filter(|name| *name == "class/folder").for_each(|name| name.push("/"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.current_dir(&folder).args(["grade", "fork"]).args(&all);
    command.args(["--only", "lines", "--time-limit", "5", "--json", "all.json"]);
    command.args(["--csv", "a.csv", "--junit", "a.xml", "--html", "a.html", "--records", "kept"]);
    let output = command.output().expect("lab can be run");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}{}", text(&output.stderr));

    let records = json(&folder.join("all.json"));
    let records = records["records"].as_array().expect("records");
    assert_eq!(records.len(), all.len(), "{shown}");
    assert_eq!(fs::read_dir(folder.join("kept")).expect("records").count(), all.len());
    let rows = shown.lines().filter(|line| line.contains("/10  class/")).count();
    assert_eq!(rows, all.len(), "{shown}");
    for (name, record) in all.iter().zip(records) {
        let name = name.to_string_lossy();
        let why = record["not_gradable"].as_str().unwrap_or_default();
        let status = record["checks"][0]["status"].as_str().unwrap_or_default();
        let wanted = match name.trim_start_matches("class/") {
            "empty.py" | "r s;\n.rs" | "group/member" => status == "fail",
            "group" => why.is_empty(),
            "empty" | "other-machine" => status == "not-gradable" || why.contains("format"),
            "huge.rs" => why.contains("larger than any program"),
            "folder/" => why.contains("a link to naïve — Ω"),
            "essay.txt" => why.contains("neither a Python program"),
            "nothing" => why.contains("no Cargo.toml and no Python program"),
            "link.py" | "dangling.py" | "links" => why.contains("a link to "),
            "pipe.py" | "not there.py" => !why.is_empty(),
            "crate" => why.contains("mismatched types"),
            "floods.py" => status == "over-limit",
            "endless.py" => status == "timeout",
            _ => status == "pass",
        };
        assert!(wanted, "{name}: {record:#}");
    }
}

/// A workspace that takes submissions in by a pattern: what builds one of them finds of the others
/// neither a file nor their mistakes, and what is the workspace's own it has.
#[test]
fn members_of_a_workspace_are_built_without_the_others() {
    let folder = folder("members");
    let put = |name: &str, text: &str| {
        let file = folder.join("course").join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
    };
    put(
        "Cargo.toml",
        "[workspace]\nmembers = [\"submissions/*\", 'tools', \"listed\", \"none/*\"] # \"not this\"\nresolver = \"3\"\n\
         [workspace.package]\nedition = \"2024\"\n\
         [workspace.dependencies]\ncommon = { path = \"common\" }\n",
    );
    put(
        "common/Cargo.toml",
        "[package]\nname = \"common\"\nedition = \"2024\"\n[dependencies]\nword.path = \"../word\"\n",
    );
    put("common/src/lib.rs", "pub use word::WORD;");
    put("word/Cargo.toml", "[package]\nname = \"word\"\nedition = \"2024\"\n");
    put("word/src/lib.rs", "pub const WORD: &str = \"it was\";");
    let member = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nedition.workspace = true\n{more}")
    };
    put("listed/Cargo.toml", &member("listed", ""));
    put("listed/src/lib.rs", "pub const WORD: &str = \"built\";");
    let needs = "[dependencies]\ncommon.workspace = true\nlisted = { path = \"../../listed\" }\n";
    put("submissions/a/Cargo.toml", &member("a", needs));
    let prints = "fn main() { println!(\"{} {}\", common::WORD, listed::WORD); }";
    put("submissions/a/src/main.rs", prints);
    let reads = format!(
        "fn main() {{ for place in [\"..\", {:?}] {{\n\
         let other = std::path::Path::new(place).join(\"b/src/main.rs\");\n\
         if let Ok(text) = std::fs::read_to_string(other) {{ panic!(\"READ {{text}}\"); }} }} }}",
        folder.join("course/submissions")
    );
    put("submissions/a/build.rs", &reads);
    put("submissions/b/Cargo.toml", "this is no manifest");
    put("submissions/b/src/main.rs", "a solution");
    put("tools/Cargo.toml", &member("tools", "[dependencies]\nnowhere = { path = \"nowhere\" }\n"));

    let options = ["--only", "lines", "--json", "all.json", "course/submissions/a"];
    let output = lab(&folder, &[&["grade", "fork", "--tier", "partial"], &options[..]].concat());
    let record = &json(&folder.join("all.json"))["records"][0];
    if record["isolation"]["tier"] == "limits" {
        eprintln!("skipped: here it may read all that you can");
        return;
    }
    assert!(record["not_gradable"].is_null(), "{}", text(&output.stdout));
    assert!(record.to_string().contains("it was built"), "{record}");
}

/// Every number is the same one, however many digits it has.
fn without_numbers(line: &str) -> String {
    let mut words = String::new();
    for c in line.chars() {
        let number = c.is_ascii_digit() || (c == '.' && words.ends_with('#'));
        match number {
            true if words.ends_with('#') => {}
            true => words.push('#'),
            false => words.push(c),
        }
    }
    words
}

/// The records of a folder by their names, without what is another number each time.
fn kept(folder: &Path) -> Vec<(String, Value)> {
    let mut records: Vec<(String, Value)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .map(|entry| {
            let mut record = json(&entry.path());
            record["seconds"] = 0.into();
            for check in record["checks"].as_array_mut().into_iter().flatten() {
                check["seconds"] = 0.into();
                check["ran"] = 0.into();
                for line in check["evidence"].as_array_mut().into_iter().flatten() {
                    *line = without_numbers(line.as_str().unwrap_or_default()).into();
                }
            }
            (entry.file_name().to_string_lossy().into_owned(), record)
        })
        .collect();
    records.sort_by(|(one, _), (other, _)| one.cmp(other));
    records
}

#[test]
fn killed_and_resumed_it_has_the_records_of_a_run_that_was_not() {
    let folder = folder("resume");
    fs::create_dir(folder.join("class")).expect("a folder");
    let mut all = Vec::new();
    for index in 0..9 {
        let name = format!("class/{index}.py");
        let program = match index {
            4 => "import time\nwhile True: time.sleep(1)\n".to_string(), // there it is killed
            odd if odd % 2 == 1 => "print('Parent:  bar')\n".into(),
            _ => unlucky("pass"),
        };
        fs::write(folder.join(&name), program).expect("a program");
        all.push(name);
    }
    let grade = |records: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.current_dir(&folder).args(["grade", "fork"]).args(&all);
        command.args(["--only", "lines", "--only", "process", "--seed", "7", "--time-limit", "2"]);
        command.args(["--records", records]).args(more);
        command
    };
    let whole = grade("whole", &[]).output().expect("lab can be run");
    assert_eq!(whole.status.code(), Some(1), "{}", text(&whole.stderr));

    let parts = folder.join("parts");
    let mut killed = grade("parts", &["--jobs", "1"]).spawn().expect("lab can be run");
    let end = Instant::now() + Duration::from_mins(1);
    while kept(&parts).len() < 4 && Instant::now() < end {
        assert!(killed.try_wait().expect("a child").is_none(), "it ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
    killed.kill().expect("a signal");
    killed.wait().expect("a child");
    let before = kept(&parts);
    assert_eq!(before.len(), 4, "killed in the middle");
    let times = || {
        let times = |(name, _): &(String, _)| {
            fs::metadata(parts.join(name)).and_then(|at| at.modified()).expect("a record")
        };
        before.iter().map(times).collect::<Vec<_>>()
    };
    let written = times();

    let resumed = grade("parts", &["--resume"]).output().expect("lab can be run");
    assert_eq!(resumed.status.code(), Some(1), "{}", text(&resumed.stderr));
    assert_eq!(times(), written, "what was there is not examined again");
    let (whole, parts) = (kept(&folder.join("whole")), kept(&parts));
    assert_eq!(whole.len(), all.len());
    for (one, other) in whole.iter().zip(&parts) {
        assert_eq!(one, other);
    }
    assert_eq!(whole.len(), parts.len());

    // Another seed, or other bytes, are another examination.
    fs::write(folder.join(&all[0]), unlucky("print('changed')")).expect("a program");
    let again = grade("parts", &["--resume"]).output().expect("lab can be run");
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    assert_ne!(times()[0], written[0]);
    assert_eq!(times()[1..], written[1..]);
}
