//! The picture of a section: its demo, run for the picture as `cargo lab look` does it, with whom it
//! talks to.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::exam::{Exam, SOON};
use crate::walkthrough::Section;

/// Stands for an address in the arguments below.
const ADDR: &str = "ADDR";

/// What each demo is run with: with delays where it would be over before one sees anything.
fn arguments(section: &str) -> &'static [&'static str] {
    match section {
        "process" => &["anatomy"],
        "monitor" => &[ADDR],
        "mp" => &["--delay", "0.1"],
        "thread" => &["--delay", "0.1", "Ann", "Bob"],
        "pool" => &["--delay", "0.02"],
        "queue" => &["--delay", "0.01", "--items", "20"],
        "server" | "epoll" => &[ADDR, "--connections", "2"],
        "client" => &["--addr", ADDR],
        _ => &[],
    }
}

/// Shows the picture in the terminal.
///
/// # Errors
/// When it can't be drawn.
pub fn show(section: &Section) -> Result<()> {
    look(section, &[], Stdio::inherit())
}

/// Draws the picture as SVG.
///
/// # Errors
/// When it can't be drawn.
pub fn svg(section: &Section) -> Result<String> {
    let name = format!("walkthrough-{}-{}.svg", std::process::id(), section.lab.name);
    let file = std::env::temp_dir().join(name);
    let drawn =
        look(section, &["--quiet".as_ref(), "--svg".as_ref(), file.as_ref()], Stdio::null());
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string());
    let _ = fs::remove_file(&file);
    drawn.and(text)
}

fn look(section: &Section, options: &[&OsStr], stdout: Stdio) -> Result<()> {
    let name = section.lab.name;
    let address = Exam::address(if name == "epoll" { 10002 } else { 10001 });
    match name {
        "client" => receive(TcpListener::bind(address)?),
        "server" | "epoll" => send(address),
        _ => {}
    }
    // By its file's name alone: that is what stands above the picture.
    let executable = Path::new(&section.demo.command[0]);
    let file = executable.file_name().context("an executable")?;
    let folder = executable.parent().context("a folder")?;
    // This very program, even if it has been built anew since it was started.
    let mut command = Command::new("/proc/self/exe");
    command.arg("look").args(options);
    if name == "monitor" {
        command.args(["--for", "1"]);
    }
    command.arg("--").arg(Path::new(".").join(file)).current_dir(folder);
    let address = address.to_string();
    command.args(arguments(name).iter().map(|word| if *word == ADDR { &address } else { *word }));
    let status = command.stdin(Stdio::null()).stdout(stdout).status().context("lab look")?;
    match status.code() {
        Some(0) => Ok(()),
        _ => bail!("{name}: {status}"),
    }
}

/// Two clients that send a word each and stay a moment, as soon as there is a server.
fn send(address: SocketAddr) {
    thread::spawn(move || {
        let started = Instant::now();
        let connect = || loop {
            match TcpStream::connect(address) {
                Err(_) if started.elapsed() < SOON => thread::sleep(Duration::from_millis(1)),
                connected => return connected,
            }
        };
        let mut clients = Vec::new();
        for word in ["hello", "ping"] {
            let Ok(mut client) = connect() else { return };
            let _ = client.write_all(word.as_bytes());
            clients.push(client);
            thread::sleep(STAY);
        }
        for client in clients {
            // What it was sent is read, or the end would be a reset.
            let _ = client.shutdown(std::net::Shutdown::Write);
            let _ = (&client).read_to_end(&mut Vec::new());
            thread::sleep(STAY);
        }
    });
}

/// How long a client stays, so that one sees it.
const STAY: Duration = Duration::from_millis(30);

/// A server for the two messages of the client.
fn receive(listener: TcpListener) {
    thread::spawn(move || {
        for client in listener.incoming().take(2) {
            let _ = client.and_then(|mut client| client.read_to_end(&mut Vec::new()));
        }
    });
}
