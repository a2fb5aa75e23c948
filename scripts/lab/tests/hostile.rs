//! Programs that want more than points, in each tier of isolation that can be had here.
//!
//! Each file in `hostile/` says in its first comment lines what must become of it, and in which
//! tiers. All of a tier are examined at once, an honest program among them, and again after them.
//! Whether anything got out is looked at from outside: the folder that they lie in, a process that
//! anybody might kill, what is left running, what is left in the folder for temporary files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

const HONEST: &str = "honest.py";

/// How programs are examined that take all they can get, those that are never built (which may take
/// twelve times as long as a run), and the others.
const HEAVY: [&str; 6] = ["--only", "lines", "--time-limit", "0.6", "--jobs", "8"];
const ENDLESS: [&str; 4] = ["--only", "lines", "--time-limit", "0.25"];
const LIGHT: [&str; 6] = ["--only", "lines", "--time-limit", "60", "--jobs", "6"];

/// Who grades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum User {
    Current,
    Ordinary,
}

/// A user that nobody is, to try as root what an ordinary user gets.
fn command(user: User, program: &Path) -> Command {
    if user == User::Current {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}

/// Ended when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A place with the hostile programs in it, an honest one, and the answers. Removed when dropped.
struct Place {
    folder: PathBuf,
    tier: &'static str,
    user: User,
    /// What the tier says that it does not hold.
    open: String,
}

impl Place {
    /// `None`, with the reason said, where this can't be tried.
    fn new(tier: &'static str, user: User) -> Option<Place> {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("lab-hostile-{}-{number}-{tier}-{user:?}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let mut place = Place { folder, tier, user, open: String::new() };
        for folder in ["submissions", "tmp"] {
            fs::create_dir_all(place.folder.join(folder)).expect("a folder");
        }
        allow(&place.folder.join("tmp"), 0o1777);
        for file in hostile() {
            place.add(&file, file.file_name().expect("a name").as_ref());
        }
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        place.add(&package.join("twins/thread/right/plain.py"), HONEST.as_ref());
        fs::write(place.submissions().join("answers"), "42\n").expect("write");
        if user == User::Ordinary {
            // They are that user's own files: their permissions alone protect nothing.
            for file in place.state().into_keys().chain([place.submissions()]) {
                std::os::unix::fs::chown(file, Some(65534), Some(65534)).expect("chown");
            }
        }
        let first = place.grade(&LIGHT, &[HONEST.into()]);
        let Some(first) = first.filter(|graded| graded.tier == tier) else {
            eprintln!("skipped: tier {tier} can't be had here as {user:?} user");
            return None;
        };
        assert_eq!(first.of(HONEST).status, "pass", "{}", first.shown);
        place.open.clone_from(&first.open);
        Some(place)
    }

    fn submissions(&self) -> PathBuf {
        self.folder.join("submissions")
    }

    fn add(&self, file: &Path, name: &Path) {
        let copy = self.submissions().join(name);
        if file.is_dir() {
            fs::create_dir(&copy).expect("a folder");
            for entry in fs::read_dir(file).expect("a package").flatten() {
                self.add(&entry.path(), &name.join(entry.file_name()));
            }
        } else {
            fs::copy(file, &copy).expect("copy");
            let script = name.extension().is_some_and(|ending| ending == "sh");
            allow(&copy, if script { 0o755 } else { 0o644 });
        }
    }

    fn grader(&self, options: &[&str], programs: &[OsString]) -> Command {
        let mut command = command(self.user, Path::new(env!("CARGO_BIN_EXE_lab")));
        command
            .args(["grade", "thread", "--tier", self.tier])
            .args(options)
            .args(programs.iter().map(|program| self.submissions().join(program)))
            .env("TMPDIR", self.folder.join("tmp"))
            .env("LAB_HOSTILE_TOKEN", "secret");
        command
    }

    /// `None` when the grader can't be run at all, as by a user who may not read it.
    fn grade(&self, options: &[&str], programs: &[OsString]) -> Option<Graded> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let json = self.folder.join(format!("tmp/records-{count}.json"));
        let output = self.grader(options, programs).arg("--json").arg(&json).output().ok()?;
        let text = fs::read(&json).ok()?;
        fs::remove_file(&json).expect("remove");
        Some(Graded::new(&text, &output))
    }

    /// What the submissions are now: names, permissions, bytes.
    fn state(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut state = BTreeMap::new();
        let mut folders = vec![self.submissions()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
                let at = entry.metadata().expect("metadata");
                folders.extend(at.is_dir().then(|| entry.path()));
                let bytes = fs::read(entry.path()).unwrap_or_default();
                state.insert(entry.path(), (at.permissions().mode(), bytes));
            }
        }
        state
    }

    /// Processes that have to do with the submissions.
    fn left(&self) -> Vec<String> {
        let folder = self.submissions().display().to_string();
        let processes = fs::read_dir("/proc").expect("proc").flatten();
        let lines = processes.filter_map(|process| {
            let line = fs::read(process.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(&folder).then(|| format!("{} {line}", process.path().display()))
        });
        lines.collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

/// What became of each program.
struct Graded {
    tier: String,
    open: String,
    records: BTreeMap<String, Record>,
    shown: String,
}

struct Record {
    status: String,
    evidence: String,
    full: bool,
}

impl Graded {
    fn and(mut self, others: Graded) -> Graded {
        self.shown.push_str(&others.shown);
        self.records.extend(others.records);
        self
    }

    fn new(json: &[u8], output: &Output) -> Graded {
        let json: serde_json::Value = serde_json::from_slice(json).expect("JSON");
        let records = json["records"].as_array().expect("records");
        let isolation = &records[0]["isolation"];
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!shown.contains(['\x1b', '\0', '\x07', '\u{9b}']), "{shown:?}");
        Graded {
            tier: isolation["tier"].as_str().expect("a tier").into(),
            open: isolation["open"].to_string(),
            records: records.iter().map(record).collect(),
            shown: shown + &errors,
        }
    }

    fn of(&self, name: &str) -> &Record {
        self.records.get(name).unwrap_or_else(|| panic!("{name}: no record\n{}", self.shown))
    }
}

fn record(json: &serde_json::Value) -> (String, Record) {
    let program = Path::new(json["program"].as_str().expect("a program"));
    let name = program.file_name().expect("a name").to_string_lossy().into_owned();
    let checks = json["checks"].as_array().expect("checks");
    let first = checks.first().unwrap_or(&serde_json::Value::Null);
    let full = checks.iter().all(|check| check["earned"] == check["points"]) && !checks.is_empty();
    let status = first["status"].as_str().unwrap_or("not-gradable").into();
    (name, Record { status, evidence: json.to_string(), full })
}

fn hostile() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let entries = fs::read_dir(folder).expect("hostile programs").flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// The words after `key:` in the header of a program; a package has it in its manifest.
fn header(file: &Path, key: &str) -> Option<String> {
    let file = if file.is_dir() { &file.join("Cargo.toml") } else { file };
    let text = fs::read_to_string(file).expect("a hostile program is text");
    let prefix = format!("{key}: ");
    let mut comments = text.lines().take(5).map(|line| line.trim_start_matches(['#', '/', ' ']));
    Some(comments.find_map(|line| line.strip_prefix(&prefix))?.to_string())
}

/// Whether it has to be built before it can be run.
fn is_built(file: &Path) -> bool {
    file.is_dir() || file.extension().is_some_and(|ending| ending == "rs")
}

/// Whether this user may use the compiler that there is, and keep what it makes.
fn can_build(user: User) -> bool {
    let script = "rustc --version && mkdir -p \"$0\" && test -w \"$0\"";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/submissions");
    let mut asked = command(user, Path::new("sh"));
    let can = asked.args(["-c", script]).arg(folder).output();
    let can = can.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("skipped: what has to be built, which this user can't do here ({user:?})");
    }
    can
}

/// An abstract socket: its name is there for everybody who shares this network.
fn hidden_listener() -> &'static UnixListener {
    static LISTENER: OnceLock<UnixListener> = OnceLock::new();
    LISTENER.get_or_init(|| {
        let name = SocketAddr::from_abstract_name("lab-hostile").expect("a name");
        let listener = UnixListener::bind_addr(&name).expect("an abstract socket");
        listener.set_nonblocking(true).expect("no waiting");
        listener
    })
}

/// Looks ten times in 200 ms whether nothing is left.
fn nothing_left(place: &Place) {
    let started = Instant::now();
    loop {
        let left = place.left();
        if left.is_empty() {
            return;
        }
        assert!(started.elapsed() < Duration::from_millis(200), "left running: {left:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn contained(place: &Place) {
    let Place { tier, user, .. } = *place;
    if tier == "partial" {
        // Open for a user of its own, closed where it has the grader's; each is tried below.
        assert_eq!(
            place.open.contains("sockets in files"),
            user == User::Current,
            "{}",
            place.open
        );
    }
    let mut sleeper = command(user, Path::new("/bin/sleep"));
    let mut sleeper = Process(sleeper.arg("600").spawn().expect("sleep"));
    // Somebody whom a program could talk to; nobody has to answer for it to have got out.
    let peer = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let hidden = hidden_listener();
    let by_path = UnixListener::bind(place.submissions().join("socket")).expect("a socket");
    allow(&place.submissions().join("socket"), 0o777);
    by_path.set_nonblocking(true).expect("no waiting");
    peer.set_nonblocking(true).expect("no waiting");
    let before = place.state();

    let tried = hostile().into_iter().filter(|file| header(file, "lab").is_none()).filter(|file| {
        let tiers = header(file, "tiers").expect("tiers");
        let left_open = header(file, "unless open").is_some_and(|what| place.open.contains(&what));
        tiers.split(' ').any(|word| word == tier) && !left_open
    });
    let tried: Vec<PathBuf> = tried.filter(|file| can_build(user) || !is_built(file)).collect();
    let stated = |file: &PathBuf| header(file, "contained").expect("contained");
    let (mut heavy, mut endless, mut light) = (Vec::new(), Vec::new(), vec![HONEST.into()]);
    for file in &tried {
        let name: OsString = file.file_name().expect("a name").into();
        let never_built = name == "build_never_ends";
        let takes_all = stated(file).contains("timeout");
        if never_built {
            &mut endless
        } else if takes_all {
            &mut heavy
        } else {
            &mut light
        }
        .push(name);
    }
    // All at the same time: who is honest is not to suffer from the others.
    let graded = std::thread::scope(|scope| {
        let groups = [(&HEAVY[..], heavy), (&ENDLESS[..], endless), (&LIGHT[..], light)];
        let groups = groups.into_iter().filter(|(_, programs)| !programs.is_empty());
        let graded = groups.map(|(options, programs)| {
            scope.spawn(move || place.grade(options, &programs).expect("a grading"))
        });
        let graded: Vec<_> = graded.collect();
        graded
            .into_iter()
            .map(|group| group.join().expect("a grading"))
            .reduce(Graded::and)
            .expect("a grading")
    });
    nothing_left(place);

    let mut wrong = Vec::new();
    for file in &tried {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let record = graded.of(&name);
        let stated = stated(file);
        let said = header(file, "says").is_none_or(|words| record.evidence.contains(&words));
        eprintln!("{tier:<8} {user:?}  {name:<24} {}", record.status);
        if !stated.split(' ').any(|word| word == record.status) || !said {
            wrong.push(format!(
                "{name}: {} instead of {stated}: {}",
                record.status, record.evidence
            ));
        }
    }
    assert!(wrong.is_empty(), "{tier} {user:?}\n{}\n{}", wrong.join("\n"), graded.shown);
    assert_eq!(graded.of(HONEST).status, "pass", "among the others: {}", graded.shown);
    assert_eq!(place.state(), before, "submissions have changed");
    assert!(sleeper.0.try_wait().expect("wait").is_none(), "another process was ended");
    assert!(peer.accept().is_err(), "somebody has connected");
    assert!(hidden.accept().is_err() && by_path.accept().is_err(), "somebody has connected");
    assert!(!Path::new("/var/tmp/lab-hostile-written").exists());
    let litter: Vec<_> = fs::read_dir(place.folder.join("tmp")).expect("tmp").flatten().collect();
    assert!(litter.is_empty(), "left in the folder for temporary files: {litter:?}");
    let after = place.grade(&[], &[HONEST.into()]).expect("a grading");
    assert!(after.of(HONEST).full, "after the others: {}", after.of(HONEST).evidence);
}

/// The grader is killed while a program runs.
fn gone_with_the_grader(place: &Place) {
    let mut grader = place.grader(&LIGHT, &["ignores_signals.py".into()]);
    let grader = grader.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the grader");
    let grader = Process(grader);
    let started = Instant::now();
    // The grader itself has the path among its arguments too, and bubblewrap has.
    let runs = |line: &String| line.split(' ').nth(1).is_some_and(|name| name.contains("python"));
    while !place.left().iter().any(runs) {
        assert!(started.elapsed() < Duration::from_secs(5), "the program never ran");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(grader);
    nothing_left(place);
}

fn in_all_tiers(user: User) {
    for tier in ["full", "partial", "limits"] {
        if let Some(place) = Place::new(tier, user) {
            contained(&place);
            gone_with_the_grader(&place);
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|at| std::os::unix::fs::MetadataExt::uid(&at) == 0)
}

fn ready() -> bool {
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if !has_python {
        eprintln!("skipped: python3 is not installed");
    }
    has_python
}

#[test]
fn as_the_current_user() {
    if ready() {
        in_all_tiers(User::Current);
    }
}

#[test]
fn as_an_ordinary_user() {
    if !is_root() {
        eprintln!("skipped: only root can be another user");
    } else if ready() {
        in_all_tiers(User::Ordinary);
    }
}

#[test]
fn below_what_is_required_nothing_is_examined() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.env("LC_ALL", "C");
    command.args(["grade", "thread", "--tier", "limits", "--require", "partial", "/bin/true"]);
    let output = command.output().expect("the grader");
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("isolation: limits only"));
}

/// Python's server of forks needs a socket in a file, which a program has nowhere where it could have
/// those of others: that convicts nobody.
#[test]
fn who_needs_what_is_refused_is_left_out_and_not_failed() {
    let user = if is_root() { User::Ordinary } else { User::Current };
    let Some(place) = ready().then(|| Place::new("partial", user)).flatten() else { return };
    let twins = Path::new(env!("CARGO_MANIFEST_DIR")).join("twins/mp");
    let json = place.folder.join("tmp/records.json");
    let statuses = |twin: &str| {
        place.add(&twins.join(twin), "twin.py".as_ref());
        let mut lab = command(user, Path::new(env!("CARGO_BIN_EXE_lab")));
        lab.args(["grade", "mp", "--tier", "partial", "--time-limit", "60", "--json"]).arg(&json);
        lab.arg(place.submissions().join("twin.py")).env("TMPDIR", place.folder.join("tmp"));
        let output = lab.output().expect("the grader");
        let graded = Graded::new(&fs::read(&json).expect("records"), &output);
        let lines = graded.of("twin.py");
        let failed = lines.evidence.contains("\"fail\"");
        let told = lines.evidence.contains("refused it a local socket (AF_UNIX)");
        (lines.status.clone(), failed, told, output.status.code())
    };
    assert_eq!(statuses("right/fork_server.py"), ("unverified".into(), false, true, Some(3)));
    assert_eq!(statuses("wrong/run_called.py"), ("pass".into(), true, false, Some(1)));
}

/// Whoever can write there can also type there, and the shell would execute it.
#[test]
fn the_graders_terminal_is_out_of_reach() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("writes-to-the-terminal.sh");
    let script =
        "#!/bin/sh\n(echo written > /dev/tty) 2>/dev/null && echo reached || echo no terminal\n";
    fs::write(&program, script).expect("write");
    allow(&program, 0o755);
    for tier in ["full", "partial", "limits"] {
        let terminal = nix::pty::openpty(None, None).expect("a terminal");
        let mut grader = Command::new(env!("CARGO_BIN_EXE_lab"));
        grader.args(["grade", "thread", "--only", "lines", "--tier", tier]).arg(&program);
        let own = terminal.slave.as_raw_fd();
        // SAFETY: two system calls, between fork and exec.
        #[allow(unsafe_code)]
        unsafe {
            grader.pre_exec(move || {
                nix::unistd::setsid()?;
                nix::errno::Errno::result(libc::ioctl(own, libc::TIOCSCTTY, 0))?;
                Ok(())
            });
        }
        let output = grader.stdin(Stdio::null()).output().expect("the grader");
        drop(terminal.slave);
        let mut written = Vec::new();
        let _ = fs::File::from(terminal.master).read_to_end(&mut written); // its end is an error
        assert_eq!(String::from_utf8_lossy(&written), "", "{tier}");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("no terminal"), "{tier}: {said}");
    }
}

/// Many are examined at the same time, each with the note's own port and more.
#[test]
fn the_servers_of_others_are_out_of_reach() {
    if !ready() {
        return;
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let honest = package.join("twins/server/right/plain.py");
    let attack = package.join("hostile/attacks_servers.py");
    for tier in ["full", "partial"] {
        let json = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("servers-{tier}.json"));
        let mut grader = Command::new(env!("CARGO_BIN_EXE_lab"));
        grader.args(["grade", "server", "--jobs", "2", "--tier", tier, "--time-limit", "60"]);
        grader.arg("--json").arg(&json).args([&attack, &honest]);
        let output = grader.output().expect("the grader");
        let all = Graded::new(&fs::read(&json).expect("records"), &output);
        if all.open.contains("network") {
            eprintln!("skipped: in tier {tier} the network is shared here");
            continue;
        }
        assert!(all.of("plain.py").full, "{tier}: {}", all.shown);
        assert!(!all.of("attacks_servers.py").full, "{tier}: {}", all.shown);
    }
}

/// As in a container that filters system calls, or where Yama forbids it: no program is run, none
/// is convicted, and it is said once what would help.
#[test]
fn where_tracing_is_refused_nothing_is_verified_and_nobody_convicted() {
    let refused = SeccompFilter::new(
        [(libc::SYS_ptrace, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.cast_unsigned()),
        std::env::consts::ARCH.try_into().expect("a known processor"),
    );
    let refused: BpfProgram = refused.and_then(TryInto::try_into).expect("a filter");
    let lab = |arguments: &[&str]| {
        let refused = refused.clone();
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
        // SAFETY: it makes system calls only.
        #[allow(unsafe_code)]
        unsafe {
            lab.pre_exec(move || {
                seccompiler::apply_filter(&refused).map_err(|_| std::io::Error::last_os_error())
            });
        }
        lab.args(arguments).output().expect("the grader")
    };
    let twins = Path::new(env!("CARGO_MANIFEST_DIR")).join("twins/thread");
    let honest = twins.join("right/plain.py");
    let json = Path::new(env!("CARGO_TARGET_TMPDIR")).join("untraced.json");
    let (honest, json) = (honest.to_str().expect("UTF-8"), json.to_str().expect("UTF-8"));
    let graded = lab(&["grade", "thread", honest, honest, "--json", json]);
    let shown = String::from_utf8_lossy(&graded.stdout);
    assert_eq!(graded.status.code(), Some(3), "{shown}");
    assert_eq!(shown.matches("tracing programs is refused here").count(), 1, "{shown}");
    assert!(shown.contains(" · for more: "), "{shown}");
    let records: serde_json::Value =
        serde_json::from_slice(&fs::read(json).expect("records")).expect("JSON");
    for record in records["records"].as_array().expect("records") {
        let checks = record["checks"].as_array().expect("checks");
        assert!(checks.iter().all(|check| check["status"] == "unverified"), "{record}");
        assert!(checks.len() > 3 && record["not_gradable"].is_null(), "{record}");
    }
    let walked = lab(&["walkthrough", "--section", "thread"]);
    assert_eq!(walked.status.code(), Some(3));
    let said = String::from_utf8_lossy(&walked.stderr);
    assert!(said.contains("tracing programs is refused here"), "{said}");
}
