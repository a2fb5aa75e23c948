//! socket-server and socket-client, with as many bytes as fit through: what the size of the buffer
//! decides.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Instant;

use super::{absent, nanos, peer, size, unknown};
use crate::contest::{Case, Goal, Row, rust};
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
            field: ["socket-server", "C server", "Python server"].map(rust).into(),
            goals: vec![Goal::Times("C server", 1.0 / 1.05), Goal::Times("Python server", 1.0)],
            ..Case::default()
        });
    }
    cases.push(Case {
        name: format!("client, {mib} MiB from stdin"),
        args: vec![mib, 65_536],
        field: ["socket-client", "C client", "Python client"].map(rust).into(),
        goals: vec![Goal::Times("C client", 1.0 / 1.05), Goal::Times("Python client", 1.0 / 1.1)],
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
        let mut command = peer("stream", name);
        command.args(["127.0.0.1:0", "--buffer", &buffer.to_string(), "--connections", "1"]);
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
        let address = listener.local_addr()?.to_string();
        let mut command = peer("stream", name);
        let command = command.args(["--addr", &address, "-"]).stdin(Stdio::piped());
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

/// All servers say on stderr where they listen.
pub(super) fn listening(name: &str, mut server: Child) -> io::Result<(Child, String)> {
    let mut lines = BufReader::new(server.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    lines.read_line(&mut line)?;
    let address = line.trim().strip_prefix("listening on ").map(str::to_string);
    // What it says later, it says to nobody, but it must be able to.
    thread::spawn(move || io::copy(&mut lines, &mut io::stderr()));
    address.map_or_else(|| Err(io::Error::other(format!("{name}: {line}"))), |a| Ok((server, a)))
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
