//! socket-server and socket-client, with as many bytes as fit through: what the size of the buffer
//! decides.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use super::{absent, nanos, peer, size, unknown};
use crate::contest::{ABSENT, Case, Goal, Row, rust};
use crate::failed;

pub(crate) fn row(quick: bool) -> Row {
    let mut cases = Vec::new();
    let (mib, buffers): (u64, &[u32]) =
        if quick { (128, &[1024, 65_536]) } else { (1024, &[1024, 4096, 16_384, 65_536, 1 << 20]) };
    for &buffer in buffers {
        // A KiB at a time takes long.
        let mib = if buffer < 4096 { mib / 4 } else { mib };
        cases.push(Case {
            name: format!("server, --buffer {buffer}, {mib} MiB"),
            point: Some(("server", buffer)),
            args: vec![mib, u64::from(buffer)],
            field: ["socket-server", "C server", "Python server", "socat server"].map(rust).into(),
            goals: vec![
                Goal::Times("C server", 1.0 / 1.05),
                Goal::Times("Python server", 1.0),
                Goal::Times("socat server", 1.0),
            ],
            ..Case::default()
        });
    }
    cases.push(Case {
        name: format!("client, {mib} MiB from stdin"),
        args: vec![mib, 65_536],
        field: ["socket-client", "C client", "Python client", "nc client", "socat client"]
            .map(rust)
            .into(),
        goals: vec![
            Goal::Times("C client", 1.0 / 1.05),
            Goal::Times("Python client", 1.0 / 1.1),
            Goal::Times("nc client", 1.0 / 1.05),
            Goal::Times("socat client", 1.0 / 1.05),
        ],
        ..Case::default()
    });
    Row {
        name: "stream",
        title: "Streams: bytes through one connection, printed or from stdin",
        unit: "ns a KiB",
        growth: Some("bytes of the buffer"),
        cases,
    }
}

/// `args`: how many MiB, and the buffer.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[mib, buffer] = args else { return Err(unknown(name)) };
    let bytes = size(mib << 20);
    let start;
    let received = if name.contains("server") {
        let buffer = buffer.to_string();
        let mut command = if name == "socat server" {
            let mut socat = Command::new("socat"); // with -d -d it says where it listens
            socat.args(["-u", "-d", "-d", "-b", &buffer, "TCP-LISTEN:0,bind=127.0.0.1", "-"]);
            socat
        } else {
            let mut server = peer("stream", name);
            server.args(["127.0.0.1:0", "--buffer", &buffer, "--connections", "1"]);
            server
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = listening(name, spawn(name, &mut command)?)?;
        start = Instant::now();
        let stream = TcpStream::connect(&server.1)?;
        let sender = thread::spawn(move || feed(stream, bytes));
        let output = server.0.stdout.take().expect("it is a pipe");
        let received = count(output)?;
        sender.join().expect("no panic")?;
        succeeded(name, server.0)?;
        received
    } else {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let mut command = match name {
            "nc client" => Command::new("nc"),
            "socat client" => Command::new("socat"),
            _ => peer("stream", name),
        };
        let command = match name {
            "nc client" => command.args(["-N", "127.0.0.1", &address.port().to_string()]),
            "socat client" => command.args(["-u", "-", &format!("TCP:{address}")]),
            _ => command.args(["--addr", &address.to_string(), "-"]),
        };
        let command = command.stdin(Stdio::piped());
        start = Instant::now();
        let mut client = spawn(name, command)?;
        let input = client.stdin.take().expect("it is a pipe");
        let sender = thread::spawn(move || feed(input, bytes));
        let received = count(listener.accept()?.0)?;
        sender.join().expect("no panic")?;
        succeeded(name, client)?;
        received
    };
    let took = start.elapsed();
    super::tell(nanos(took, mib * 1024), received);
    println!("MiB/s {}", 1e9 / nanos(took, mib));
    Ok(())
}

/// All servers say on stderr where they listen, with the port at the end of the line.
pub(super) fn listening(name: &str, mut server: Child) -> io::Result<(Child, String)> {
    let mut lines = BufReader::new(server.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    lines.read_line(&mut line)?;
    if line.is_empty() && server.wait()?.code() == Some(ABSENT) {
        absent();
    }
    let port = line.trim().rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    // What it says later is an error; but socat goes on about what it does.
    let is_talk = name.starts_with("socat");
    thread::spawn(move || {
        let mut to: Box<dyn Write> =
            if is_talk { Box::new(io::sink()) } else { Box::new(io::stderr()) };
        io::copy(&mut lines, &mut to)
    });
    let port = port.ok_or_else(|| io::Error::other(format!("{name}: {line}")))?;
    Ok((server, format!("127.0.0.1:{port}")))
}

pub(super) fn spawn(name: &str, command: &mut std::process::Command) -> io::Result<Child> {
    match command.spawn() {
        Err(why) if why.kind() == io::ErrorKind::NotFound => absent(),
        child => child.map_err(failed(name)),
    }
}

fn succeeded(name: &str, mut child: Child) -> io::Result<()> {
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{name}: {status}"))) }
}

fn feed(mut to: impl Write, bytes: usize) -> io::Result<()> {
    let chunk = vec![b'x'; 1 << 18];
    for _ in 0..bytes / chunk.len() {
        to.write_all(&chunk)?;
    }
    Ok(())
}

/// How many of the bytes were sent: a server adds the ends of lines.
#[allow(clippy::naive_bytecount)] // fast enough, next to the read
fn count(mut from: impl Read) -> io::Result<usize> {
    let (mut chunk, mut sum) = (vec![0; 1 << 20], 0);
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok(sum),
            length => sum += chunk[..length].iter().filter(|byte| **byte == b'x').count(),
        }
    }
}
