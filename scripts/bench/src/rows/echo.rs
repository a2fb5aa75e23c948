//! epoll-demo under many connections: what a message costs its server. A message is 64 bytes; each
//! server prints it on a line of its own, and answers `ping`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Stdio;
use std::time::Instant;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::stream::{listening, spawn};
use super::{nanos, peer, size, tell, unknown};
use crate::contest::{Case, Goal, Row, on_processors, rust};

const MESSAGE: [u8; 64] = [b'x'; 64];
const PING: usize = 4;

/// What is told besides.
const P99: &str = "p99 µs";
const MEMORY: &str = "bytes a connection";

pub(crate) fn row(quick: bool) -> Row {
    let crowds: &[u32] = if quick { &[100] } else { &[1, 100, 1000, 10_000] };
    let messages = 40_000;
    // All with one thread, but for one.
    let peers = ["mio", "polling", "tokio, one thread", "smol", "libuv"];
    let slow = ["Python selectors", "Python asyncio", "Python uvloop"];
    let case = |&crowd: &u32| {
        let fast = ["epoll-demo", "C epoll"].into_iter().chain(peers).chain(["tokio, two threads"]);
        let mut goals = vec![Goal::Times("C epoll", 1.0 / 1.03)];
        goals.extend(peers.iter().chain(&slow).map(|peer| Goal::Times(peer, 1.0)));
        goals.extend(peers.map(|peer| Goal::Besides(P99, peer, 1.1)));
        if crowd == 10_000 {
            goals.push(Goal::BesidesUnder(MEMORY, 64.0));
        }
        Case {
            name: format!("{crowd} connections"),
            point: Some(("CPU time of the server", crowd)),
            args: vec![messages, u64::from(crowd)],
            field: fast.map(rust).chain(slow.map(|name| rust(name).share(2))).collect(),
            goals,
            ..Case::default()
        }
    };
    Row {
        name: "echo",
        title: "epoll: messages of 64 bytes, each printed and answered",
        unit: "ns of the server's CPU a message",
        growth: Some("connections"),
        cases: crowds.iter().map(case).collect(),
    }
}

/// `args`: how many messages, over how many connections.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[messages, crowd] = args else { return Err(unknown(name)) };
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    let path = std::env::temp_dir().join(format!("bench-echo-{}", std::process::id()));
    let printed = File::options().create_new(true).read(true).write(true).open(&path)?;
    fs::remove_file(&path)?;

    let mut command = peer("echo", name);
    command.arg("127.0.0.1:0").stdout(printed.try_clone()?).stderr(Stdio::piped());
    let processors = if name == "tokio, two threads" { 2 } else { 1 };
    let server = on_processors(processors, || spawn(name, &mut command))?;
    let (mut server, address) = listening(name, server)?;
    let done = exchange(&address, server.id(), messages, crowd);
    server.kill()?;
    server.wait()?;
    done?;

    // A server may read two messages at once only if it has been slow: each waits for its answer.
    let mut text = String::new();
    io::Seek::rewind(&mut &printed)?;
    (&printed).read_to_string(&mut text)?;
    let whole = text.lines().filter(|line| line.as_bytes() == MESSAGE).count();
    if whole == size(messages) { Ok(()) } else { Err(io::Error::other(format!("{whole} printed"))) }
}

fn exchange(address: &str, server: u32, messages: u64, crowd: u64) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let memory_before = resident(server)?;
    let mut clients = Vec::new();
    for key in 0..crowd {
        let mut client = TcpStream::connect(address)?;
        client.read_exact(&mut [0; PING])?; // the greeting
        epoll.add(&client, EpollEvent::new(EpollFlags::EPOLLIN, key))?;
        clients.push(client);
    }
    let memory = resident(server)?.saturating_sub(memory_before) * 1024;

    let (cpu_before, start) = (cpu(server)?, Instant::now());
    let mut asked = vec![start; size(crowd)];
    let mut took = Vec::with_capacity(size(messages));
    let mut left = messages;
    for (client, asked) in clients.iter_mut().zip(&mut asked).take(size(messages)) {
        *asked = Instant::now();
        client.write_all(&MESSAGE)?;
        left -= 1;
    }
    let mut events = vec![EpollEvent::empty(); 1024];
    while took.len() < size(messages) {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let key = size(event.data());
            let mut answer = [0; PING];
            clients[key].read_exact(&mut answer)?;
            assert_eq!(&answer, b"ping");
            took.push(asked[key].elapsed());
            if left > 0 {
                asked[key] = Instant::now();
                clients[key].write_all(&MESSAGE)?;
                left -= 1;
            }
        }
    }
    let (all, cpu) = (start.elapsed(), cpu(server)? - cpu_before);
    took.sort_unstable();
    tell(nanos(std::time::Duration::from_nanos(cpu), messages), took.len());
    println!("{P99} {}", nanos(took[took.len() * 99 / 100], 1000));
    println!("messages/s {}", 1e9 / nanos(all, messages));
    if crowd >= 1000 {
        println!("{MEMORY} {}", memory / crowd);
    }
    Ok(())
}

/// Nanoseconds that the server's threads have been running: the first field of each schedstat.
fn cpu(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds: Option<u64> =
            text.split_whitespace().next().and_then(|ns| ns.parse().ok());
        sum += nanoseconds.ok_or_else(|| io::Error::other(text))?;
    }
    Ok(sum)
}

/// Its resident memory in KiB.
fn resident(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.ok_or_else(|| io::Error::other("smaps_rollup without Rss"))
}

/// The peers in Rust: serve until killed.
pub(crate) fn serve(name: &str) -> io::Result<()> {
    match name {
        "mio" => with_mio(),
        "polling" => with_polling(),
        "smol" => with_smol(),
        "tokio, one thread" => with_tokio(&mut tokio::runtime::Builder::new_current_thread()),
        _ => with_tokio(tokio::runtime::Builder::new_multi_thread().worker_threads(2)),
    }
}

/// The chunk and the end of its line, at once. (std's stdout keeps what has no end of line.)
fn print(chunk: &mut Vec<u8>) -> io::Result<()> {
    chunk.push(b'\n');
    io::stdout().write_all(chunk)
}

fn with_mio() -> io::Result<()> {
    const LISTENER: mio::Token = mio::Token(usize::MAX);
    let mut poll = mio::Poll::new()?;
    let mut listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    poll.registry().register(&mut listener, LISTENER, mio::Interest::READABLE)?;
    eprintln!("listening on {}", listener.local_addr()?);
    let (mut events, mut clients) = (mio::Events::with_capacity(1024), Vec::new());
    let (mut buffer, mut line) = (vec![0; 1024], Vec::new());
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut client, _)) = listener.accept() {
                    let token = mio::Token(clients.len());
                    poll.registry().register(&mut client, token, mio::Interest::READABLE)?;
                    client.write_all(b"ping")?;
                    clients.push(client);
                }
                continue;
            }
            // mio is edge-triggered: it has to be read until there is nothing.
            let client = &mut clients[event.token().0];
            while let Ok(length @ 1..) = client.read(&mut buffer) {
                line.clear();
                line.extend_from_slice(&buffer[..length]);
                print(&mut line)?;
                client.write_all(b"ping")?;
            }
        }
    }
}

#[allow(unsafe_code)]
fn with_polling() -> io::Result<()> {
    use polling::{Event, Events, PollMode, Poller};
    const LISTENER: usize = usize::MAX - 1; // the number after it is the crate's own
    let (poller, mut events) = (Poller::new()?, Events::new());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let add = |socket: BorrowedFd, key| {
        // SAFETY: neither the listener nor a client is closed before the poller is.
        unsafe { poller.add_with_mode(&socket, Event::readable(key), PollMode::Level) }
    };
    add(listener.as_fd(), LISTENER)?;
    eprintln!("listening on {}", listener.local_addr()?);
    let (mut clients, mut buffer, mut line) = (Vec::<TcpStream>::new(), vec![0; 1024], Vec::new());
    loop {
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter() {
            if event.key == LISTENER {
                let (mut client, _) = listener.accept()?;
                client.set_nonblocking(true)?;
                add(client.as_fd(), clients.len())?;
                client.write_all(b"ping")?;
                clients.push(client);
                continue;
            }
            let client = &mut clients[event.key];
            let length = client.read(&mut buffer)?;
            if length == 0 {
                poller.delete(&*client)?;
                continue;
            }
            line.clear();
            line.extend_from_slice(&buffer[..length]);
            print(&mut line)?;
            client.write_all(b"ping")?;
        }
    }
}

fn with_smol() -> io::Result<()> {
    use smol::io::{AsyncReadExt, AsyncWriteExt};
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("listening on {}", listener.local_addr()?);
        loop {
            let (mut client, _) = listener.accept().await?;
            let serve = async move {
                let (mut buffer, mut line) = (vec![0; 1024], Vec::new());
                client.write_all(b"ping").await?;
                while let length @ 1.. = client.read(&mut buffer).await? {
                    line.clear();
                    line.extend_from_slice(&buffer[..length]);
                    print(&mut line)?;
                    client.write_all(b"ping").await?;
                }
                io::Result::Ok(())
            };
            executor.spawn(serve).detach();
        }
    }))
}

fn with_tokio(builder: &mut tokio::runtime::Builder) -> io::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let runtime = builder.enable_io().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("listening on {}", listener.local_addr()?);
        loop {
            let (mut client, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut buffer = Vec::with_capacity(1024);
                client.write_all(b"ping").await?;
                while client.read_buf(&mut buffer).await? > 0 {
                    print(&mut buffer)?;
                    buffer.clear();
                    client.write_all(b"ping").await?;
                }
                io::Result::Ok(())
            });
        }
    })
}
