//! How it ends, and what it leaves.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use crate::server::{Server, at, until};

/// Runs it with just these arguments to its end.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epoll-demo"));
    let Output { status, stdout, stderr } = command.args(arguments).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn after_a_signal_what_was_received_is_printed_and_the_exit_is_0() {
    for signal in ["INT", "TERM"] {
        let server = Server::start(&["--buffer", "4"]);
        let mut clients = vec![server.client()];
        server.stop();
        clients.extend([server.stranger(), server.stranger()]); // it will not have accepted these
        for (client, text) in clients.iter_mut().zip(["first client", "second client", "third…"])
        {
            client.say(text);
        }
        server.kill(signal);
        server.kill("CONT");
        let (status, printed, complaints) = server.end();
        assert!(status.success(), "{signal}: {status}");
        for text in ["first client", "second client", "third…"] {
            assert!(printed.concat().contains(text), "{printed:?}");
        }
        assert!(complaints.is_empty(), "{complaints:?}");
        clients[0].pings(3);
        assert_eq!(clients[0].stream.read(&mut [0]).expect("an end, not a reset"), 0);
    }
}

#[test]
fn a_client_that_does_not_stop_sending_cannot_keep_it_from_ending() {
    let server = Server::start(&["--buffer", "4"]);
    let mut client = server.client();
    let endless = thread::spawn(move || while client.stream.write_all(&[b'x'; 16_000]).is_ok() {});
    server.line();
    server.kill("TERM");
    assert!(server.end().0.success());
    endless.join().expect("the connection is gone");
}

#[test]
fn stopped_and_continued_it_goes_on() {
    let server = Server::start(&[]);
    until("the server waits", || server.sleeps());
    server.stop();
    server.kill("CONT");
    server.client().leave();
}

#[test]
fn after_n_connections_nobody_is_let_in_and_it_ends() {
    let server = Server::start(&["--connections", "2"]);
    let first = server.client();
    let second = server.client();
    until("it no longer listens", || TcpStream::connect(server.address).is_err());
    first.leave();
    second.leave();
    assert!(server.end().0.success());
}

#[test]
fn it_can_be_started_again_at_once_at_the_same_address() {
    let server = Server::start(&[]);
    let client = server.client();
    let address = server.address.to_string();
    server.kill("INT");
    assert!(server.end().0.success());
    let again = Server::spawn(&mut at(&address));
    again.client().leave();
    drop(client);
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let server = Server::spawn(at("127.0.0.1:0").stdout(writer));
    drop(reader);
    server.client().say("nobody reads this");
    let (status, _, complaints) = server.end();
    assert!(status.success(), "{status}");
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn a_full_stdout_is_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let server = Server::spawn(at("127.0.0.1:0").stdout(full));
    server.client().say("there is no room for this");
    let (status, _, complaints) = server.end();
    assert_eq!(status.code(), Some(1));
    assert_eq!(complaints, ["epoll-demo: stdout: No space left on device (os error 28)"]);
}

#[test]
fn wrong_usage_is_exit_2_and_nothing_on_stdout() {
    for arguments in [
        ["127.0.0.1"].as_slice(),
        &["127.0.0.1:65536"],
        &["127.0.0.1:-1"],
        &[":10002"],
        &["10002"],
        &["--connections", "0"],
        &["--connections", "-1"],
        &["--buffer", "0"],
        &["--buffer", "2000000"],
        &["--buffer", "many"],
        &["--no-such"],
        &["127.0.0.1:0", "127.0.0.1:0"],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && stderr.starts_with("error: "), "{stdout} {stderr}");
    }
}

#[test]
fn an_address_that_cannot_be_had_is_an_error_that_names_it() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = other.local_addr().expect("it is bound").to_string();
    for (address, why) in [
        (taken.as_str(), "Address already in use (os error 98)"),
        // Of the block for documentation (RFC 5737): no machine has it.
        ("192.0.2.1:10002", "Cannot assign requested address (os error 99)"),
    ] {
        let (code, stdout, stderr) = run(&[address]);
        assert_eq!(code, Some(1), "{stderr}");
        assert_eq!(stderr, format!("epoll-demo: bind {address}: {why}\n"));
        assert!(stdout.is_empty());
    }
}

#[test]
fn an_address_may_be_a_name() {
    let server = Server::spawn(&mut at("localhost:0"));
    assert!(server.address.ip().is_loopback());
    assert_ne!(server.address.port(), 0, "the real one");
    server.client().leave();
}

#[test]
fn an_address_may_be_of_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // this machine has no IPv6
    }
    let server = Server::spawn(&mut at("[::1]:0"));
    assert!(matches!(server.address, SocketAddr::V6(_)));
    server.client().leave();
}
