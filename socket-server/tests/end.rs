//! How it ends: by a signal, by stdout, by a failure to start.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use common::Server;
use nix::sys::signal::Signal;

const BOTH: [&[&str]; 2] = [&[], &["--threads"]];

#[test]
fn a_signal_ends_it_with_a_client_connected_and_the_port_is_free_at_once() {
    for options in BOTH {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let mut server = Server::start(options);
            let address = server.address.to_string();
            let mut client = server.connect();
            client.write_all(b"hello").unwrap();
            assert_eq!(server.line(), "hello");
            server.signal(signal);
            assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0, "end of file, not a reset");
            let end = server.end();
            assert_eq!((end.code, end.stderr.as_str()), (Some(0), ""));
            // The closed connection is in TIME_WAIT now: without SO_REUSEADDR this would fail.
            Server::start_at(&address, options).stop();
        }
    }
}

#[test]
fn what_was_received_before_the_signal_is_printed_that_of_waiting_clients_too() {
    for options in BOTH {
        let mut server = Server::start(options);
        let mut first = server.connect();
        first.write_all(b"1").unwrap();
        assert_eq!(server.line(), "1");
        let mut sent = String::new();
        for number in 2..=9 {
            server.send(format!("{number}")); // without threads it is in the backlog
            sent += &number.to_string();
        }
        first.write_all(&[b'x'; 5000]).unwrap();
        let end = server.stop();
        let mut printed: Vec<char> = end.stdout.chars().filter(char::is_ascii_digit).collect();
        printed.sort_unstable();
        assert_eq!(String::from_iter(printed), sent);
        assert_eq!(end.stdout.matches('x').count(), 5000);
        assert_eq!((end.code, end.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_client_that_sends_without_end_does_not_keep_it() {
    for options in BOTH {
        // With a buffer so small it never comes to the end of what is there.
        let mut server = Server::start(&[options, &["--buffer", "64"]].concat());
        let mut client = server.connect();
        let sender = thread::spawn(move || while client.write_all(&vec![b'x'; 1 << 20]).is_ok() {});
        server.line();
        assert_eq!(server.stop().code, Some(0));
        sender.join().unwrap();
    }
}

#[test]
fn a_closed_stdout_ends_it_quietly_even_when_no_client_comes() {
    for options in BOTH {
        let server = Server::start(options);
        let _silent = server.connect();
        let end = server.close_stdout();
        assert_eq!((end.code, end.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_full_stdout_is_a_failure_of_the_whole_server() {
    for options in BOTH {
        let server = Server::start_into_full(options);
        let mut client = server.connect();
        client.write_all(b"x").unwrap();
        let end = server.end();
        let words = "socket-server: stdout: No space left on device (os error 28)\n";
        assert_eq!((end.code, end.stderr.as_str()), (Some(1), words));
    }
}

/// TEST-NET-1 of RFC 5737: nobody's address, and so no server can start there.
const FOREIGN: &str = "192.0.2.1:10001";

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_socket-server")).args(arguments).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_says_what_it_could_not_do_and_why() {
    let server = Server::start(&[]);
    let taken = server.address.to_string();
    for (address, why) in [
        (taken.as_str(), "Address already in use (os error 98)"),
        (FOREIGN, "Cannot assign requested address (os error 99)"),
    ] {
        assert_eq!(run(&[address]), (Some(1), format!("socket-server: bind {address}: {why}\n")));
    }
}

#[test]
fn wrong_usage_is_named_and_ends_with_two() {
    for address in ["127.0.0.1:65536", "127.0.0.1:-1", "text", ":10001", "-1"] {
        let (code, stderr) = run(&[address]);
        assert!(code == Some(2) && stderr.contains(address), "{address}: {stderr}");
    }
    for (option, value) in [
        ("--buffer", "0"),
        ("--buffer", "1048577"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "86401"),
        ("--connections", "0"),
    ] {
        let (code, stderr) = run(&[FOREIGN, option, value]);
        assert!(code == Some(2) && stderr.contains(value), "{option} {value}: {stderr}");
    }
}

#[test]
fn a_name_is_an_address_too() {
    let mut server = Server::start_at("localhost:0", &[]);
    assert!(server.address.ip().is_loopback());
    server.send("hello");
    assert_eq!(server.line(), "hello");
}

#[test]
fn ipv6_works_where_there_is_ipv6() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let mut server = Server::start_at("[::1]:0", &[]);
        assert!(server.address.is_ipv6());
        server.send("hello");
        assert_eq!(server.line(), "hello");
    }
}
