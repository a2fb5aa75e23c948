//! The walkthrough for a class: its keys, at a terminal and from a pipe, and the commands that its
//! notes tell a teacher to type.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::unistd::Pid;

use super::hears_sigint;

/// Long, for a busy machine; nobody waits for it when all is well.
const SOON: Duration = Duration::from_secs(30);

/// A folder with a demo in it that only greets.
fn greeter(test: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("teach-{test}"));
    fs::create_dir_all(&folder).expect("a folder");
    let demo = folder.join("thread-demo");
    fs::write(&demo, "#!/bin/sh\necho 'Hello,  Bob'\n").expect("a script");
    fs::set_permissions(&demo, fs::Permissions::from_mode(0o755)).expect("executable");
    folder.to_str().expect("UTF-8").into()
}

fn teach(test: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("LC_ALL", "C");
    command.args(["walkthrough", "--teach", "--section", "thread", "--time-limit", "1"]);
    command.args(["--demos", &greeter(test)]).env("NO_COLOR", "1");
    command
}

/// What is shown when these lines are typed into a pipe.
fn shown(test: &str, typed: &str) -> String {
    let mut command = teach(test);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("lab can be run");
    child.stdin.take().expect("a pipe").write_all(typed.as_bytes()).expect("it reads");
    String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("UTF-8")
}

/// The places where these stand, each after the one before.
fn in_order(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for part in wanted {
        let at = rest.find(part);
        rest = &rest[at.unwrap_or_else(|| panic!("no '{part}' where it belongs in\n{text}"))..];
    }
}

const QUESTION: &str = "Two threads on one processor";
const ANSWER: &str = "No, they take turns";

#[test]
fn notes_come_first_then_the_section_then_questions_and_the_answers_when_asked_for() {
    let text = shown("order", "\na\nq\n");
    in_order(
        &text,
        &[
            "1 section, 10 minutes",
            "1/1 Threads",
            "10 minutes, planned for 0:00, now 0:0",
            "the registers",
            "$ ",
            "Hello,  Bob",
            "Ask",
            QUESTION,
            "Show",
            "ps -L -o",
            QUESTION,
            ANSWER,
        ],
    );
    let text = shown("unanswered", "\n\n");
    assert!(text.contains(QUESTION) && !text.contains(ANSWER), "{text}");
}

#[test]
fn the_picture_is_shown_when_asked_for() {
    let text = shown("picture", "\np\nq\n");
    in_order(&text, &[QUESTION, "CPUs in use", "Looked at"]);
}

#[test]
fn a_section_is_repeated_and_gone_back_to() {
    let greeted = |typed: &str| shown("again", typed).matches("  Hello,  Bob\n").count();
    assert_eq!(greeted("\nr\nq\n"), 2 * greeted("\nq\n"));
    let text = shown("back", "\nb\nq\n");
    assert_eq!(text.matches("1/1 Threads").count(), 2, "{text}");
    let text = shown("unbegun", "q\n");
    assert!(!text.contains("Hello") && text.contains("0 sections"), "{text}");
}

/// A walkthrough at a terminal of its own.
struct AtTerminal {
    child: Child,
    keyboard: File,
    screen: Receiver<String>,
    seen: String,
    terminal: OwnedFd,
    before: Termios,
}

impl AtTerminal {
    fn new(test: &str) -> AtTerminal {
        let pty = openpty(None, None).expect("a terminal");
        let before = tcgetattr(&pty.slave).expect("a terminal");
        let stream = || Stdio::from(pty.slave.try_clone().expect("a descriptor"));
        let mut command = teach(test);
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let child = hears_sigint(&mut command).spawn().expect("lab can be run");
        let keyboard = File::from(pty.master);
        let mut output = keyboard.try_clone().expect("a descriptor");
        let (sender, screen) = mpsc::channel();
        // Ends when the terminal does.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                    return;
                }
            }
        });
        AtTerminal { child, keyboard, screen, seen: String::new(), terminal: pty.slave, before }
    }

    /// Waits for these words, and presses a key then.
    fn press(&mut self, words: &str, key: &[u8]) {
        self.until(words);
        // The words come before the terminal is told to hand over keys.
        while self.terminal().local_flags.contains(LocalFlags::ICANON) {
            thread::yield_now();
        }
        self.keyboard.write_all(key).expect("a terminal");
    }

    fn until(&mut self, words: &str) {
        while !self.seen.contains(words) {
            let more = self.screen.recv_timeout(SOON);
            self.seen += &more.unwrap_or_else(|_| panic!("no '{words}' in\n{}", self.seen));
        }
        let (_, rest) = self.seen.split_once(words).expect("just seen");
        self.seen = rest.into();
    }

    fn terminal(&self) -> Termios {
        tcgetattr(&self.terminal).expect("a terminal")
    }

    /// Its end; the terminal must be as it was.
    fn ended(mut self) -> ExitStatus {
        let status = self.child.wait().expect("it ends");
        let (now, before) = (self.terminal(), &self.before);
        assert_eq!(now.local_flags, before.local_flags);
        assert_eq!(now, *before);
        status
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_need_no_enter() {
    let mut class = AtTerminal::new("keys");
    class.press("space runs it", b" ");
    class.press("a answers", b"a");
    class.until(ANSWER);
    class.press("r repeats", "к".as_bytes()); // the same key with a Russian layout
    class.press("a answers", b"\x1b[6~"); // a presenter's remote control
    class.until("1 section");
    assert_eq!(class.ended().code(), Some(1), "a greeter does not pass");
}

#[test]
fn every_end_leaves_the_terminal_as_it_was() {
    use std::os::unix::process::ExitStatusExt as _;

    let mut class = AtTerminal::new("end");
    class.press("q ends", b"q");
    assert_eq!(class.ended().code(), Some(0));

    let mut class = AtTerminal::new("ctrl-c");
    class.press("q ends", b"\x03");
    assert_eq!(class.ended().signal(), Some(Signal::SIGINT as i32));

    let mut class = AtTerminal::new("sigterm");
    class.press("q ends", b"?"); // nothing that it knows
    class.press("q ends", b"?");
    let pid = Pid::from_raw(i32::try_from(class.child.id()).expect("a pid"));
    kill(pid, Signal::SIGTERM).expect("it runs");
    assert_eq!(class.ended().signal(), Some(Signal::SIGTERM as i32));
}

/// The workspace, and in it the notes of all sections.
fn notes() -> (PathBuf, Vec<PathBuf>) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("it");
    let mut found = Vec::new();
    for demo in fs::read_dir(&workspace).expect("the workspace").flatten() {
        let files = fs::read_dir(demo.path()).into_iter().flatten().flatten();
        found.extend(files.map(|file| file.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("teach-") && name.ends_with(".md") && !name.ends_with(".ru.md")
        }));
    }
    (workspace, found)
}

fn works(command: &str, arguments: &[&str]) -> bool {
    let quiet = || Stdio::null();
    let mut command = Command::new(command);
    command.args(arguments).stdin(quiet()).stdout(quiet()).stderr(quiet());
    command.status().is_ok_and(|status| status.success())
}

/// In a network and among processes of its own, since ports and names are the note's.
const ALONE: &[&str] =
    &["--dev-bind", "/", "/", "--unshare-net", "--unshare-pid", "--proc", "/proc"];

#[test]
fn every_command_of_the_notes_works_as_printed() {
    let (workspace, notes) = notes();
    assert_eq!(notes.len(), 11);
    let folder = crate::demos();
    if folder != workspace.join("target/debug") || !works("bwrap", &[ALONE, &["true"]].concat()) {
        eprintln!("left out: the commands, which need target/debug and bubblewrap");
        return;
    }
    let mut scripts = Vec::new();
    for file in notes {
        let text = fs::read_to_string(&file).expect("notes");
        let (_, shown) = text.split_once("## Show").expect("what to show");
        for point in shown.split("\n- ").skip(1) {
            let lines = point.lines().filter_map(|line| line.strip_prefix("      "));
            scripts.push((file.clone(), lines.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(scripts.len() >= 20, "{}", scripts.len());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        // They mostly wait.
        for _ in 0..24 {
            scope.spawn(|| {
                while let Some((file, script)) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    try_out(&workspace, file, script);
                }
            });
        }
    });
}

fn try_out(workspace: &Path, file: &Path, script: &str) {
    let tools = ["strace", "lsof", "python3", "ss", "ps", "awk"];
    let missing = |tool: &&&str| script.contains(*tool) && !works("which", &[tool]);
    if let Some(tool) = tools.iter().find(missing) {
        eprintln!("left out, since there is no {tool}:\n{script}");
        return;
    }
    let mut command = Command::new("timeout");
    command.args(["60", "bwrap", "--die-with-parent"]).args(ALONE).args(["bash", "-c", script]);
    let output = command.current_dir(workspace).stdin(Stdio::null()).output().expect("timeout");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let named = format!("{}: {script}\n{said}", file.display());
    assert!(output.status.success(), "{}: {named}", output.status);
    for trouble in ["not found", "No such", "rror:", "Usage", "syntax", "Permission denied"] {
        assert!(!said.contains(trouble), "{named}");
    }
    assert!(!(output.stdout.is_empty() && said.is_empty()), "nothing is shown: {named}");
}
