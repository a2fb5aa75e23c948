//! The system says no: at each of its calls a demo may be refused, interrupted or left alone. It ends
//! with its one line, or goes on; it never panics, never hangs, and nothing of it stays.
//!
//! Run it as root: `scripts/proof/run faults`, or with a part of the name of what is tried. (Root
//! itself is refused nothing, so the demos are run as a user whom nobody is.)

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use socket2::SockRef;

mod clock;
mod memory;

/// A number that no user of a usual system has.
const NOBODY: u32 = 61_234;

/// How long a run may take. The machine may be busy, and none takes more than a second by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every demo, and what each of its ways to run does by itself.
const RUNS: &[&str] = &[
    "fork-demo",
    "fork-demo anatomy",
    "fork-demo memory --mib 8",
    "fork-demo files",
    "mp-demo",
    "mp-demo --start-method spawn",
    "mp-demo --style trait",
    "mp-demo exitcodes",
    "thread-demo",
    "thread-demo --style trait A B C D E F G H",
    "thread-demo anatomy",
    "thread-demo limits",
    "pool-demo",
    "pool-demo --workers 40",
    "pool-demo futures",
    "queue-demo",
    "queue-demo --workers 40 --kind lifo",
    "queue-demo kinds",
    "queue-demo closing",
    "queue-demo join",
    "queue-demo timeouts",
    "socket-client --addr 127.0.0.1:9", // where nobody listens
    "socket-server 127.0.0.1:0 --connections 1",
    "epoll-demo 127.0.0.1:0 --connections 1",
    "iter-gen-demo",
    "iter-gen-demo difference",
];

/// How a run has ended.
struct Run {
    code: Option<i32>,
    signal: Option<i32>,
    out: Vec<u8>,
    err: String,
    hung: bool,
}

struct Faults {
    folder: PathBuf,
    runs: usize,
    wrong: Vec<String>,
    endings: BTreeMap<String, usize>,
}

/// Something that the system may do to a demo.
type Kind = fn(&mut Faults) -> io::Result<()>;

fn main() -> io::Result<()> {
    let from = PathBuf::from(std::env::args().nth(1).expect("the folder of the demos"));
    assert!(Uid::effective().is_root(), "only root can be somebody else");
    // Where anybody may read them; nothing of it stays.
    let folder = std::env::temp_dir().join(format!("faults-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let demos = RUNS.iter().filter_map(|run| run.split(' ').next());
    for name in demos.chain(["lab"]) {
        fs::copy(from.join(name), folder.join(name))?;
    }
    let mut faults =
        Faults { folder: folder.clone(), runs: 0, wrong: Vec::new(), endings: BTreeMap::new() };
    let kinds: [(&str, Kind); 12] = [
        ("no more processes and threads (RLIMIT_NPROC 0 to 12)", Faults::processes),
        ("no more descriptors (RLIMIT_NOFILE 4 to 16)", Faults::descriptors),
        ("no more memory (RLIMIT_AS 4 to 140 MB)", memory::refused),
        ("killed for the memory that is held (cgroup, 256 KiB to 16 MiB)", memory::killed),
        ("the clock set, forwards and back", clock::set),
        ("stdout or stderr full, closed or gone", Faults::streams),
        ("a disk with 4 KiB", Faults::disk),
        ("stopped and continued at every moment", Faults::interrupted),
        ("ended at every moment", Faults::ended),
        ("a child killed", Faults::child_killed),
        ("a server that goes after each byte", Faults::servers_go),
        ("a client that goes after each call", Faults::clients_go),
    ];
    let wanted = std::env::args().nth(2).unwrap_or_default();
    for (name, kind) in kinds.into_iter().filter(|(name, _)| name.contains(&wanted)) {
        let (start, runs) = (Instant::now(), faults.runs);
        faults.endings.clear();
        kind(&mut faults)?;
        let endings: Vec<_> = faults.endings.iter().map(|(end, n)| format!("{end}: {n}")).collect();
        let (runs, took) = (faults.runs - runs, start.elapsed().as_secs_f64());
        println!("{runs:>6} runs {took:>7.1} s  {name}  ({})", endings.join(", "));
    }
    fs::remove_dir_all(&folder)?;
    for wrong in &faults.wrong {
        println!("WRONG {wrong}");
    }
    println!("{:>6} runs, {} wrong", faults.runs, faults.wrong.len());
    if faults.wrong.is_empty() { Ok(()) } else { Err(io::Error::other("something is wrong")) }
}

impl Faults {
    /// A shell that prepares something and becomes the demo, in a group of its own.
    fn shell(&self, before: &str, run: &str, after: &str) -> Command {
        let mut shell = Command::new("sh");
        let demo = self.folder.join(run);
        shell
            .args(["-c", &format!("{before} exec {} {after}", demo.display())])
            .current_dir("/")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        shell
    }

    /// Runs it to its end, and sees that nothing of it is left.
    fn run(&mut self, what: &str, mut command: Command, user: bool) -> io::Result<Run> {
        if user {
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command.spawn()?;
        self.finish(what, child, |_| ())
    }

    fn finish(
        &mut self,
        what: &str,
        mut child: Child,
        meanwhile: impl FnOnce(Pid),
    ) -> io::Result<Run> {
        let pid = Pid::from_raw(child.id().try_into().expect("a pid"));
        let mut stdout = child.stdout.take();
        let mut stderr = child.stderr.take();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.as_mut().map(|pipe| pipe.read_to_end(&mut bytes));
            bytes
        });
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.as_mut().map(|pipe| pipe.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        meanwhile(pid);
        let start = Instant::now();
        let mut hung = false;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                hung = true;
                let _ = kill(Pid::from_raw(-pid.as_raw()), Signal::SIGKILL);
                break child.wait()?;
            }
            thread::sleep(Duration::from_micros(500));
        };
        let left = self.left();
        if !left.is_empty() {
            self.wrong.push(format!("{what}: left behind: {left:?}"));
            for pid in left {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        let (out, err) = (reader.join().expect("reads"), errors.join().expect("reads"));
        let run = Run { code: status.code(), signal: status.signal(), out, err, hung };
        self.runs += 1;
        let end = match (run.code, run.signal) {
            (Some(code), _) => format!("exit {code}"),
            (_, signal) => format!("signal {}", signal.unwrap_or_default()),
        };
        *self.endings.entry(end).or_default() += 1;
        if run.hung {
            self.wrong.push(format!("{what}: hung"));
        }
        // Where memory is refused, Rust offers a backtrace with its line, and its own start of a
        // thread panics; none of it is ours.
        let panicked = run.err.contains("panicked at") || run.err.contains("RUST_BACKTRACE");
        if panicked && !memory::aborted(&run) || run.code == Some(101) {
            self.wrong.push(format!("{what}: panicked: {}", run.err));
        }
        Ok(run)
    }

    /// Processes that still run one of our copies; whoever ends gets a moment for it.
    fn left(&self) -> Vec<i32> {
        let start = Instant::now();
        loop {
            let ours = |entry: fs::DirEntry| -> Option<i32> {
                let exe = fs::read_link(entry.path().join("exe")).ok()?;
                exe.starts_with(&self.folder).then(|| entry.file_name().to_str()?.parse().ok())?
            };
            let all: Vec<i32> =
                fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(ours).collect();
            if all.is_empty() || start.elapsed() > Duration::from_secs(2) {
                return all;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// It has done its work, or says in one line that names it what has not been possible.
    fn done_or_one_line(&mut self, what: &str, run: &str, end: &Run) {
        let name = run.split(' ').next().unwrap_or_default();
        // What servers and queues tell on the way.
        let told = |line: &&str| !line.starts_with("listening on") && !line.starts_with("queued ");
        let lines: Vec<&str> = end.err.lines().filter(told).collect();
        let one = |line: &&str| line.starts_with(&format!("{name}: "));
        let right = match end.code {
            Some(0) => lines.iter().all(one),
            // Each process of mp-demo has a line of its own.
            Some(1) if name == "mp-demo" => !lines.is_empty() && lines.iter().all(one),
            Some(1) => lines.len() == 1 && lines.iter().all(one),
            _ => false,
        };
        if !right {
            self.wrong.push(format!("{what}: {:?} {:?}: {lines:?}", end.code, end.signal));
        }
    }

    /// `--connections 1` needs somebody who comes.
    fn is_server(run: &str) -> bool {
        run.contains("--connections")
    }

    fn processes(&mut self) -> io::Result<()> {
        for run in RUNS.iter().filter(|run| !Self::is_server(run) && !run.contains("--addr")) {
            for most in [0, 1, 2, 3, 4, 6, 8, 12] {
                let what = format!("{run}, {most} processes");
                let mut command = Command::new("prlimit");
                let words = run.split(' ').skip(1);
                let demo = self.folder.join(run.split(' ').next().unwrap_or_default());
                command
                    .arg(format!("--nproc={most}"))
                    .args(["setpriv", &format!("--reuid={NOBODY}"), "--clear-groups"])
                    .arg(demo)
                    .args(words)
                    .current_dir("/")
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .process_group(0);
                let end = self.run(&what, command, false)?;
                // The topics that try their limits tell how far they came.
                self.done_or_one_line(&what, run, &end);
            }
        }
        Ok(())
    }

    fn descriptors(&mut self) -> io::Result<()> {
        for run in RUNS {
            for most in 4..=16 {
                if Self::is_server(run) && most > 7 {
                    continue; // they would wait for somebody to come
                }
                let what = format!("{run}, {most} descriptors");
                let command = self.shell(&format!("ulimit -n {most};"), run, "");
                let child = command_spawn(command)?;
                let server = Self::is_server(run);
                let end = self.finish(&what, child, |pid| {
                    if server {
                        thread::sleep(Duration::from_millis(100)); // it may have had enough of them
                        let _ = kill(pid, Signal::SIGTERM);
                    }
                })?;
                if !(server && end.signal == Some(15)) {
                    self.done_or_one_line(&what, run, &end);
                }
            }
        }
        Ok(())
    }

    fn streams(&mut self) -> io::Result<()> {
        for run in RUNS.iter().filter(|run| !Self::is_server(run)) {
            for redirected in [
                "> /dev/full",
                ">&-",
                "2> /dev/full",
                "2>&-",
                "> /dev/full 2>&-",
                "<&- >&- 2>&-",
                "< /dev/null > /dev/full 2> /dev/full",
            ] {
                let what = format!("{run} {redirected}");
                let end = self.run(&what, self.shell("", run, redirected), true)?;
                if redirected.contains("2>") {
                    if !matches!(end.code, Some(0 | 1)) {
                        self.wrong.push(format!("{what}: {:?} {:?}", end.code, end.signal));
                    }
                } else {
                    self.done_or_one_line(&what, run, &end);
                    let full = redirected == "> /dev/full" && !run.contains("--addr");
                    if full && end.code != Some(1) {
                        self.wrong.push(format!("{what}: {:?}, not 1", end.code));
                    }
                }
            }
            // A reader that goes before the first line, and after it.
            for lines in [0, 1] {
                let what = format!("{run} | head -n {lines}");
                let mut child = command_spawn(self.shell("", run, ""))?;
                let mut stdout = child.stdout.take().expect("piped");
                if lines == 1 {
                    let _ = stdout.read(&mut [0]);
                }
                drop(stdout);
                let end = self.finish(&what, child, |_| ())?;
                self.done_or_one_line(&what, run, &end);
                if end.code != Some(0) && !run.contains("--addr") {
                    self.wrong.push(format!("{what}: {:?}: {}", end.code, end.err));
                }
            }
        }
        Ok(())
    }

    fn disk(&mut self) -> io::Result<()> {
        let long =
            ["pool-demo --tasks 400", "queue-demo --items 2000", "iter-gen-demo --stop 5000"];
        for run in long {
            let before = "mount -t tmpfs -o size=4k none /mnt &&";
            let inner = format!("{before} exec {} > /mnt/out", self.folder.join(run).display());
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "sh", "-c", &inner])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .process_group(0);
            let end = self.run(run, command, false)?;
            self.done_or_one_line(run, run, &end);
            if end.code != Some(1) {
                self.wrong.push(format!("{run}, disk full: {:?}: {}", end.code, end.err));
            }
        }
        Ok(())
    }

    /// Stops make calls return early (EINTR), with no handler and nothing else in the world changed.
    fn interrupted(&mut self) -> io::Result<()> {
        let longer = [
            "pool-demo --delay 0.02 --tasks 5",
            "queue-demo --delay 0.005 --items 20",
            "mp-demo --delay 0.1",
            "mp-demo --delay 0.1 --start-method spawn",
            "thread-demo --delay 0.1",
        ];
        for run in RUNS.iter().chain(&longer) {
            let server = Self::is_server(run);
            for _ in 0..3 {
                let mut child = command_spawn(self.shell("", run, ""))?;
                let address = if server { Some(address_of(&mut child)?) } else { None };
                let end = self.finish(run, child, |pid| {
                    let group = Pid::from_raw(-pid.as_raw());
                    for storm in 0..200 {
                        for signal in
                            [Signal::SIGSTOP, Signal::SIGCONT, Signal::SIGWINCH, Signal::SIGURG]
                        {
                            let _ = kill(group, signal);
                        }
                        if let (Some(address), 100) = (&address, storm) {
                            let mut client = TcpStream::connect(address).expect("it listens");
                            client.write_all("прервано".as_bytes()).expect("it reads");
                        }
                        thread::sleep(Duration::from_micros(300));
                    }
                })?;
                if !run.contains("--addr") && (end.code != Some(0) || end.out.is_empty()) {
                    let (code, signal) = (end.code, end.signal);
                    self.wrong.push(format!("{run}, interrupted: {code:?} {signal:?} {}", end.err));
                }
            }
        }
        Ok(())
    }

    /// Ctrl-C and kill, later and later: whatever is going on, nothing is left.
    fn ended(&mut self) -> io::Result<()> {
        let runs = [
            "fork-demo",
            "fork-demo --forever --interval 0.01",
            "mp-demo --delay 0.02",
            "mp-demo --delay 0.02 --start-method spawn",
            "pool-demo --delay 0.002",
            "queue-demo --delay 0.001",
            "socket-server 127.0.0.1:0 --threads",
            "epoll-demo 127.0.0.1:0",
        ];
        for run in runs {
            for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL, Signal::SIGHUP] {
                for moment in 0..25_u64 {
                    let what = format!("{run}, {signal} after {moment} ms");
                    let mut command =
                        Command::new(self.folder.join(run.split(' ').next().unwrap_or_default()));
                    command
                        .args(run.split(' ').skip(1))
                        .stdin(Stdio::null())
                        .stdout(Stdio::piped())
                        .stderr(Stdio::piped())
                        .process_group(0);
                    let child = command.spawn()?;
                    let group = signal == Signal::SIGINT; // as a terminal does
                    let end = self.finish(&what, child, |pid| {
                        thread::sleep(Duration::from_micros(moment * 700));
                        let _ =
                            kill(if group { Pid::from_raw(-pid.as_raw()) } else { pid }, signal);
                    })?;
                    let by_it = end.signal == Some(signal as i32);
                    if !by_it && end.code != Some(0) {
                        self.wrong
                            .push(format!("{what}: {:?} {:?}: {}", end.code, end.signal, end.err));
                    }
                }
            }
        }
        Ok(())
    }

    fn child_killed(&mut self) -> io::Result<()> {
        for run in [
            "fork-demo --forever --interval 30",
            "mp-demo --delay 30 A B",
            "mp-demo --delay 30 --start-method spawn A B",
        ] {
            for _ in 0..10 {
                let child = command_spawn(self.shell("", run, ""))?;
                let end = self.finish(run, child, |pid| {
                    let start = Instant::now();
                    let of = |pid: Pid| {
                        let file = format!("/proc/{pid}/task/{pid}/children");
                        fs::read_to_string(file).unwrap_or_default()
                    };
                    let wanted = if run.starts_with("mp") { 2 } else { 1 };
                    while of(pid).split_whitespace().count() < wanted && start.elapsed() < PATIENCE
                    {
                        thread::sleep(Duration::from_millis(1));
                    }
                    for child in of(pid).split_whitespace().filter_map(|word| word.parse().ok()) {
                        let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
                    }
                })?;
                // The parent goes on, and tells how its child has ended.
                if !matches!(end.code, Some(0 | 1))
                    || !(end.err.contains("SIGKILL") || end.err.contains("-9"))
                {
                    self.wrong.push(format!(
                        "{run}, child killed: {:?} {:?}: {}",
                        end.code, end.signal, end.err
                    ));
                }
            }
        }
        Ok(())
    }

    /// The client's side: a server that accepts, takes so many bytes, and goes, with or without a reset.
    fn servers_go(&mut self) -> io::Result<()> {
        let long = "y".repeat(100_000);
        for taken in [0, 1, 4, 5, 9, 1000, 70_000] {
            for reset in [false, true] {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                let address = listener.local_addr()?;
                let server = thread::spawn(move || -> io::Result<()> {
                    for _ in 0..3 {
                        let (mut client, _) = listener.accept()?;
                        if reset {
                            SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
                        }
                        let mut buffer = vec![0; taken];
                        let _ = client.read_exact(&mut buffer);
                    }
                    Ok(()) // from here on the port is closed
                });
                let run = format!("socket-client --addr {address} --timeout 10 hello ping {long}");
                let what = format!("client, server goes after {taken}, reset: {reset}");
                let end = self.run(&what, self.shell("", &run, ""), false)?;
                self.done_or_one_line(&what, &run, &end);
                // A client that failed at the first has not come for the others.
                while !server.is_finished() {
                    drop(TcpStream::connect(address));
                    thread::sleep(Duration::from_millis(1));
                }
                drop(server.join());
            }
        }
        Ok(())
    }

    /// The servers' side: after each call of a client it is gone, with or without a reset.
    fn clients_go(&mut self) -> io::Result<()> {
        let servers = [
            "socket-server 127.0.0.1:0",
            "socket-server 127.0.0.1:0 --threads",
            "epoll-demo 127.0.0.1:0",
            "epoll-demo 127.0.0.1:0 --flood",
        ];
        for run in servers {
            let mut child = command_spawn(self.shell("", run, ""))?;
            let address = address_of(&mut child)?;
            let end = self.finish(run, child, |pid| {
                for calls in 0..6 {
                    for reset in [false, true] {
                        for _ in 0..20 {
                            rude(&address, calls, reset);
                        }
                    }
                }
                let mut client = TcpStream::connect(&address).expect("it still listens");
                client.write_all(b"polite").expect("it still reads");
                drop(client);
                let _ = kill(pid, Signal::SIGTERM);
            })?;
            let printed = String::from_utf8_lossy(&end.out).contains("polite");
            if end.code != Some(0) || !printed {
                self.wrong.push(format!("{run}: {:?} {:?} {}", end.code, end.signal, end.err));
            }
        }
        Ok(())
    }
}

/// A client that makes so many calls and is gone.
fn rude(address: &str, calls: usize, reset: bool) {
    let Ok(mut client) = TcpStream::connect(address) else { return };
    if reset {
        let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
    }
    for call in 0..calls {
        let _ = match call {
            0 => client.write(b"r"),
            1 => client.write("ж".as_bytes().split_at(1).0), // half a character
            2 => client.write(&[b'r'; 5000]),
            3 => client.shutdown(std::net::Shutdown::Write).map(|()| 0),
            _ => client.read(&mut [0; 4]),
        };
    }
}

fn command_spawn(mut command: Command) -> io::Result<Child> {
    command.spawn()
}

/// What a server says first.
fn address_of(child: &mut Child) -> io::Result<String> {
    let stderr = child.stderr.as_mut().expect("piped");
    let (mut line, mut byte) = (Vec::new(), [0]);
    while stderr.read(&mut byte)? == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let address = line.strip_prefix("listening on ");
    address.map(String::from).ok_or_else(|| io::Error::other(line.clone()))
}
