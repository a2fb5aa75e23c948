//! The client as a server sees it, and as a user does. Each test is the server.

#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

const DEADLINE: Duration = Duration::from_secs(10);

/// Starts the client. `timeout` ends one that hangs, whatever becomes of the test.
fn start(address: &impl ToString, arguments: &[&[u8]]) -> Child {
    Command::new("timeout")
        .args(["10", env!("CARGO_BIN_EXE_socket-client"), "--addr", &address.to_string()])
        .args(arguments.iter().map(|bytes| OsStr::from_bytes(bytes)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How it ended: its exit code and stderr.
fn end(client: Child) -> (Option<i32>, String) {
    let output = client.wait_with_output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn well() -> (Option<i32>, String) {
    (Some(0), String::new())
}

fn failed(why: &str) -> (Option<i32>, String) {
    (Some(1), format!("socket-client: {why}\n"))
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener).set_read_timeout(Some(DEADLINE)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let stream = listener.accept().unwrap().0;
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// All that comes until FIN. A reset would be an error here.
fn read(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Closes with RST.
fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Stops listening, for sure: a process that another test is just starting may still have a copy.
fn close(listener: TcpListener, address: SocketAddr) {
    drop(listener);
    while TcpStream::connect(address).is_ok() {}
}

/// Fills the client's stdin from a thread, as far as the client takes it.
fn feed(client: &mut Child, bytes: Vec<u8>) -> thread::JoinHandle<()> {
    let mut stdin = client.stdin.take().unwrap();
    thread::spawn(move || drop(stdin.write_all(&bytes)))
}

#[test]
fn the_messages_of_the_note_go_each_over_a_connection_of_its_own() {
    let (listener, address) = listen();
    let client = start(&address, &[]);
    assert_eq!(read(&accept(&listener)), b"hello");
    assert_eq!(read(&accept(&listener)), b"ping");
    assert_eq!(end(client), well());
}

#[test]
fn any_bytes_are_sent_as_they_are_in_all_three_ways() {
    let (listener, address) = listen();
    let messages = [&b"\xFF\xFE bytes"[..], "жы".as_bytes(), b"", b"line\nline\n"];
    let client = start(&address, &messages);
    for message in messages {
        assert_eq!(read(&accept(&listener)), message);
    }
    assert_eq!(end(client), well());
}

#[test]
fn stdin_is_sent_as_it_comes_and_not_only_at_its_end() {
    let (listener, address) = listen();
    let mut client = start(&address, &[b"-"]);
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"first").unwrap();
    let mut stream = accept(&listener);
    let mut first = [0; 5];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first");
    stdin.write_all(b"second").unwrap();
    drop(stdin);
    assert_eq!(read(&stream), b"second");
    drop(stream);
    assert_eq!(end(client), well());
}

#[test]
fn five_megabytes_arrive_whole_at_a_slow_reader() {
    let (listener, address) = listen();
    // Slow: it takes little at a time, and the kernel keeps little for it.
    SockRef::from(&listener).set_recv_buffer_size(128 * 1024).unwrap();
    let sent: Vec<u8> = (0..5 << 20).map(|at: u32| at.to_le_bytes()[at as usize % 3]).collect();
    let mut client = start(&address, &[b"-"]);
    let feeder = feed(&mut client, sent.clone());
    let mut stream = accept(&listener);
    let (mut received, mut piece) = (Vec::new(), [0; 777]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => received.extend_from_slice(&piece[..length]),
            Err(why) => assert_eq!(why.kind(), ErrorKind::Interrupted),
        }
    }
    assert!(received == sent, "{} of {} bytes, or other ones", received.len(), sent.len());
    drop(stream);
    feeder.join().unwrap();
    assert_eq!(end(client).0, Some(0));
}

/// What it does not care to read must not turn its FIN into a reset.
#[test]
fn a_server_that_talks_gets_every_byte_and_a_fin() {
    let (listener, address) = listen();
    let client = start(&address, &[b"hello", b"ping"]);
    let serve = |message: &[u8]| {
        let mut stream = accept(&listener);
        stream.write_all(&[b'!'; 5000]).unwrap();
        assert_eq!(read(&stream), message);
        stream.write_all(&[b'!'; 5000]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream
    };
    let streams = [serve(b"hello"), serve(b"ping")];
    assert_eq!(end(client), well());
    for stream in streams {
        assert!(stream.take_error().unwrap().is_none(), "reset");
    }
}

#[test]
fn a_server_that_never_closes_does_not_hold_it() {
    let (listener, address) = listen();
    let client = start(&address, &[b"--timeout", b"0.05", b"hello"]);
    let stream = accept(&listener);
    assert_eq!(read(&stream), b"hello");
    let words = format!("socket-client: {address} did not close within 50ms\n");
    assert_eq!(end(client), (Some(0), words));
}

#[test]
fn a_server_that_never_ends_to_talk_does_not_hold_it_either() {
    let (listener, address) = listen();
    let client = start(&address, &[b"--timeout", b"0.05", b"hello"]);
    let mut stream = accept(&listener);
    while stream.write_all(&[b'!'; 4096]).is_ok() {}
    assert_eq!(end(client).0, Some(0));
}

#[test]
fn nobody_listening_is_said_with_address_and_reason() {
    let (listener, address) = listen();
    close(listener, address);
    let why = format!("connect {address}: Connection refused (os error 111)");
    assert_eq!(end(start(&address, &[])), failed(&why));
}

#[test]
fn the_second_way_says_it_in_the_same_words() {
    let (listener, address) = listen();
    let client = start(&address, &[b"--timeout", b"9", b"hello", b"ping"]);
    let stream = accept(&listener);
    assert_eq!(read(&stream), b"hello");
    close(listener, address);
    drop(stream); // and only now may the second connection begin
    let why = format!("connect {address}: Connection refused (os error 111)");
    assert_eq!(end(client), failed(&why));
}

#[test]
fn a_server_that_vanishes_in_the_middle_is_an_error_and_no_signal() {
    let (listener, address) = listen();
    let mut client = start(&address, &[b"-"]);
    let feeder = feed(&mut client, vec![b'x'; 50 << 20]);
    let mut stream = accept(&listener);
    stream.read_exact(&mut [0; 1000]).unwrap();
    reset(stream);
    let (code, stderr) = end(client);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with(&format!("socket-client: send {address}: ")), "{stderr}");
    feeder.join().unwrap();
}

#[test]
fn a_server_that_throws_the_message_away_is_an_error() {
    let (listener, address) = listen();
    let client = start(&address, &[b"hello"]);
    let stream = accept(&listener);
    while stream.peek(&mut [0; 5]).is_err() {}
    drop(stream); // with the message unread
    assert_eq!(
        end(client),
        failed(&format!("close {address}: Connection reset by peer (os error 104)"))
    );
}

#[test]
fn a_server_that_never_reads_ends_in_a_timeout() {
    let (listener, address) = listen();
    let mut client = start(&address, &[b"--timeout", b"0.1", b"-"]);
    let feeder = feed(&mut client, vec![b'x'; 50 << 20]);
    let stream = accept(&listener);
    assert_eq!(end(client), failed(&format!("send {address}: timed out")));
    drop(stream);
    feeder.join().unwrap();
}

/// A backlog that is full lets nobody in, and refuses nobody either: the client asks again and again.
#[test]
fn a_connection_that_does_not_come_about_ends_in_a_timeout() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _only = TcpStream::connect(address).unwrap();
    let (code, stderr) = end(start(&address, &[b"--timeout", b"0.05", b"hello"]));
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with(&format!("socket-client: connect {address}: ")), "{stderr}");
}

#[test]
fn a_name_is_tried_at_all_its_addresses() {
    let (listener, address) = listen();
    let name = format!("localhost:{}", address.port());
    let client = start(&name, &[b"hello", b"ping"]);
    assert_eq!(read(&accept(&listener)), b"hello");
    assert_eq!(read(&accept(&listener)), b"ping");
    assert_eq!(end(client), well());
}

#[test]
fn wrong_usage_is_named_and_ends_with_two() {
    for (option, value) in [
        ("--addr", "127.0.0.1:65536"),
        ("--addr", "text"),
        ("--addr", ":10001"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "86401"),
        ("--timeout", "soon"),
    ] {
        let mut client = Command::new(env!("CARGO_BIN_EXE_socket-client"));
        let output = client.args([option, value, "hello"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(value), "{value}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}
