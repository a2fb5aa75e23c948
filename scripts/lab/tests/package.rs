//! The package for Gradescope, as Gradescope uses it: unpacked, set up, and run for submissions. The
//! folder `/autograder` is one of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// One that is set up.
struct Autograder {
    root: PathBuf,
    tools: PathBuf,
    target: PathBuf,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("a file").permissions().mode() & 0o777
}

impl Autograder {
    /// As the image is built: the zip file unpacked to `source`, its script copied, `setup.sh` run.
    fn new() -> Autograder {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gradescope");
        let _ = fs::remove_dir_all(&base);
        let (root, tools) = (base.join("autograder"), base.join("tools"));
        fs::create_dir_all(root.join("results")).expect("a folder");
        fs::create_dir_all(&tools).expect("a folder");
        fs::write(base.join("seeds"), "# not told\n700000017\n").expect("seeds");
        let made = Command::new(env!("CARGO_BIN_EXE_lab"))
            .env("LC_ALL", "C")
            .current_dir(&base)
            .args(["package", "gradescope", "fork", "--seed", "700000003", "--hidden", "seeds"])
            .output()
            .expect("lab can be run");
        assert!(made.status.success(), "{}", text(&made.stderr));
        let file = base.join("fork-gradescope.zip");
        let bytes = fs::read(&file).expect("a zip file");
        for here in [env!("CARGO_MANIFEST_DIR"), env!("CARGO_TARGET_TMPDIR")] {
            let found = bytes.windows(here.len()).any(|part| part == here.as_bytes());
            assert!(!found, "a path of this machine: {here}");
        }
        let mut zip =
            zip::ZipArchive::new(fs::File::open(&file).expect("a file")).expect("a zip file");
        for name in ["setup.sh", "run_autograder"] {
            let bits = zip.by_name(name).expect("at the top").unix_mode().unwrap_or_default();
            assert_eq!(bits & 0o111, 0o111, "{name}: {bits:o}");
        }
        let source = root.join("source");
        zip.extract(&source).expect("it can be unpacked");
        fs::copy(source.join("run_autograder"), root.join("run_autograder")).expect("a copy");
        // What it would install is not this machine's; the other tools are.
        let stub = tools.join("apt-get");
        fs::write(&stub, "#!/bin/sh\n").expect("a script");
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).expect("chmod");
        // Kept from one test run to the next, or all it stands on would be built each time.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gradescope-target");
        let autograder = Autograder { root, tools, target };
        let setup = autograder.command("sh").arg(source.join("setup.sh")).output();
        let setup = setup.expect("sh can be run");
        assert!(setup.status.success(), "{}", text(&setup.stderr));
        let shown = text(&setup.stdout);
        assert!(shown.contains(" of 10 points"), "a starter is built and graded: {shown}");
        autograder
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").expect("a PATH");
        command
            .current_dir(&self.root)
            .env("PATH", format!("{}:{path}", self.tools.display()))
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_NET_OFFLINE", "true")
            .env("AUTOGRADER_ROOT", &self.root);
        command
    }

    /// Grades what `hand_in` puts into the submission's folder.
    fn grade(&self, hand_in: impl Fn(&Path)) -> (Value, Output) {
        let submission = self.root.join("submission");
        let _ = fs::remove_dir_all(&submission);
        let _ = fs::remove_dir_all(self.root.join("results"));
        fs::create_dir(&submission).expect("a folder");
        hand_in(&submission);
        let output = self.command("./run_autograder").output().expect("it can be run");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let result = fs::read(self.root.join("results/results.json")).expect("a result");
        (serde_json::from_slice(&result).expect("JSON"), output)
    }

    fn settings(&self) -> PathBuf {
        self.root.join("source/assignment.json")
    }
}

const RIGHT: &str = "import os, sys, argparse
options = argparse.ArgumentParser()
options.add_argument('--value', default='bar')
options.add_argument('--child-value', default='baz')
options.add_argument('--forever', action='store_true')
options.add_argument('--interval', type=float, default=5)
options = options.parse_args()
pid = os.fork()
if pid == 0:
    print('Child: ', options.child_value, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
print('Parent: ', options.value, flush=True)
";

#[test]
#[ignore = "builds the workspace once more, as Gradescope does: a minute"]
fn is_set_up_grades_and_has_a_result_whatever_happens() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("left out: python3 is not installed");
        return;
    }
    let autograder = Autograder::new();
    for secret in ["assignment.json", "hidden.txt"] {
        assert_eq!(mode(&autograder.root.join("source").join(secret)) & 0o077, 0, "{secret}");
    }

    // A single file, as an upload leaves it; and the same in a folder of its own.
    let file = |folder: &Path| fs::write(folder.join("my fork.py"), RIGHT).expect("a program");
    let (alone, output) = autograder.grade(file);
    assert!(alone["score"].as_u64() >= Some(8), "{alone:#}\n{}", text(&output.stdout));
    assert_eq!(alone["tests"][0]["status"], "passed", "{alone:#}");
    assert!(text(&output.stdout).contains("isolation: "), "{}", text(&output.stdout));
    let (inside, _) = autograder.grade(|folder| {
        fs::create_dir_all(folder.join("upload")).expect("a folder");
        fs::create_dir_all(folder.join("__MACOSX")).expect("a folder");
        file(&folder.join("upload"));
    });
    assert_eq!(inside["score"], alone["score"], "{inside:#}");
    // One that nobody else may read so far, and that has lost its bits.
    let (script, _) = autograder.grade(|folder| {
        let script = folder.join("mine");
        fs::write(&script, format!("#!/usr/bin/python3\n{RIGHT}")).expect("a program");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o600)).expect("chmod");
    });
    assert!(script["output"].as_str().is_some_and(|o| !o.contains("neither")), "{script:#}");

    let print = "print('Parent:  bar')\n";
    let (wrong, output) = autograder.grade(|folder| {
        fs::write(folder.join("main.py"), print).expect("a program");
    });
    assert_eq!(wrong["score"], 0, "{wrong:#}");
    assert_eq!(wrong["tests"][0]["status"], "failed");
    assert_eq!(wrong["stdout_visibility"], "hidden");
    assert!(!wrong.to_string().contains("700000017"), "{wrong:#}");
    assert!(text(&output.stdout).contains("700000017"), "teachers are told");

    let (empty, _) = autograder.grade(|_| ());
    assert_eq!(empty["score"], 0, "{empty:#}");

    // The grader fails: at the first submission, and after one that has points.
    let settings = fs::read(autograder.settings()).expect("the settings");
    for broken in [&b"{\"lab\": \"none\", \"seed\": null}"[..], b"{"] {
        fs::write(autograder.settings(), broken).expect("a file");
        let (failed, output) = autograder.grade(file);
        let said = failed["output"].as_str().expect("words").to_string();
        assert!(said.starts_with("The grader has failed, not your submission."), "{said}");
        assert_eq!((&failed["score"], &failed["tests"]), (&json!(0), &json!([])));
        assert!(text(&output.stdout).contains("Traceback"), "teachers are told");

        let before = json!({ "score": 7, "output": "well done", "tests": [{ "score": 7 }] });
        let metadata = json!({ "previous_submissions": [
            { "submission_time": "2026-02-01T10:00:00", "score": 7, "results": before },
            { "submission_time": "2026-01-01T10:00:00", "score": 3, "results": { "score": 3 } },
            { "submission_time": "2026-03-01T10:00:00", "score": 0, "autograder_error": true,
              "results": { "score": 0 } },
        ] });
        let file_of_it = autograder.root.join("submission_metadata.json");
        fs::write(&file_of_it, metadata.to_string()).expect("a file");
        let (failed, _) = autograder.grade(file);
        assert_eq!((&failed["score"], &failed["tests"]), (&json!(7), &before["tests"]));
        let said = failed["output"].as_str().expect("words").to_string();
        assert!(said.contains("you keep the points") && said.ends_with("well done"), "{said}");

        // And once more, on top of that.
        let again = json!({ "previous_submissions": [
            { "submission_time": "2026-04-01T10:00:00", "score": 7, "results": failed }
        ] });
        fs::write(&file_of_it, again.to_string()).expect("a file");
        let (failed, _) = autograder.grade(file);
        assert_eq!((&failed["score"], &failed["output"]), (&json!(7), &json!(said)));
        fs::remove_file(&file_of_it).expect("a file");
    }
    fs::write(autograder.settings(), settings).expect("the settings");
}
