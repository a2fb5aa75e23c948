//! Who is served: clients of all kinds, one at a time or all at once.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use common::{Server, until};
use socket2::SockRef;

const BOTH: [&[&str]; 2] = [&[], &["--threads"]];

/// Closes with RST instead of FIN, as a program that crashes may.
fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

#[test]
fn the_second_client_waits_while_the_first_is_served() {
    let mut server = Server::start(&[]);
    let mut first = server.connect();
    first.write_all(b"first").unwrap();
    assert_eq!(server.line(), "first");
    server.send("second"); // the kernel takes it in, and nobody has accepted
    first.write_all(b"first again").unwrap();
    assert_eq!(server.line(), "first again");
    assert_eq!(server.threads(), ["socket-server"]);
    assert_eq!(server.sockets(), 2, "the listener and one client");
    drop(first);
    assert_eq!(server.line(), "second");
}

#[test]
fn with_threads_all_clients_are_served_at_once_each_by_a_thread() {
    let mut server = Server::start(&["--threads"]);
    let mut clients: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate().rev() {
        client.write_all(number.to_string().as_bytes()).unwrap();
        assert_eq!(server.line(), number.to_string());
    }
    let mut names: Vec<String> = clients
        .iter()
        .map(|client| format!("client {}", client.local_addr().unwrap().port()))
        .collect();
    names.push("socket-server".to_string());
    names.sort();
    assert_eq!(server.threads(), names);
    drop(clients);
    until("all threads but the first are gone", || server.threads() == ["socket-server"]);
    until("the sockets are closed", || server.sockets() == 1);
}

#[test]
fn with_threads_lines_never_tear() {
    let server = Server::start(&["--threads", "--connections", "8"]);
    thread::scope(|scope| {
        for letter in b'a'..=b'h' {
            let mut client = server.connect();
            scope.spawn(move || client.write_all(&vec![letter; 200_000]).unwrap());
        }
    });
    let end = server.end();
    for line in end.stdout.lines() {
        assert!(line.bytes().all(|byte| byte == line.as_bytes()[0]), "torn: {line}");
    }
    assert_eq!(end.stdout.replace('\n', "").len(), 8 * 200_000);
}

#[test]
fn a_client_that_resets_is_reported_and_the_next_is_served() {
    for options in BOTH {
        let mut server = Server::start(options);
        let mut rude = server.connect();
        rude.write_all(b"rude").unwrap();
        assert_eq!(server.line(), "rude");
        let name = rude.local_addr().unwrap();
        reset(rude);
        let words = "Connection reset by peer (os error 104)";
        assert_eq!(server.error(), format!("socket-server: read {name}: {words}"));
        server.send("next");
        assert_eq!(server.line(), "next");
    }
}

#[test]
fn a_client_that_resets_before_it_is_accepted_does_no_harm() {
    let mut server = Server::start(&[]);
    let mut first = server.connect();
    first.write_all(b"first").unwrap();
    assert_eq!(server.line(), "first");
    reset(server.connect());
    drop(first);
    server.send("next");
    assert_eq!(server.line(), "next");
}

#[test]
fn a_client_that_only_half_closes_is_closed_too() {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    client.write_all(b"half").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0, "end of file");
    assert_eq!(server.line(), "half");
}

/// The note's context manager: the socket is closed although serving it failed.
#[test]
fn a_silent_client_is_closed_and_reported_and_the_next_is_served() {
    for options in BOTH {
        let mut server = Server::start(&[options, &["--timeout", "0.05"]].concat());
        let mut silent = server.connect();
        silent.write_all(b"only this").unwrap();
        assert_eq!(silent.read_to_end(&mut Vec::new()).unwrap(), 0, "end of file, not a reset");
        let name = silent.local_addr().unwrap();
        assert_eq!(server.error(), format!("socket-server: read {name}: timed out"));
        until("its descriptor is gone", || server.sockets() == 1);
        server.send("next");
        assert_eq!([server.line(), server.line()], ["only this", "next"]);
    }
}

#[test]
fn connections_end_the_server_after_so_many_have_come_and_gone() {
    for options in BOTH {
        let mut server = Server::start(&[options, &["--connections", "2"]].concat());
        server.send("one");
        assert_eq!(server.line(), "one");
        let mut last = server.connect();
        last.write_all(b"two").unwrap();
        assert_eq!(server.line(), "two");
        last.write_all(b"three").unwrap(); // it is still served
        assert_eq!(server.line(), "three");
        drop(last);
        let end = server.end();
        assert_eq!((end.code, end.stdout.as_str(), end.stderr.as_str()), (Some(0), "", ""));
    }
}

#[test]
fn two_hundred_clients_are_each_served_once_and_nothing_is_left() {
    for options in BOTH {
        let mut server = Server::start(options);
        thread::scope(|scope| {
            for quarter in 0..4 {
                let server = &server;
                scope
                    .spawn(move || (0..50).for_each(|one| server.send(format!("{quarter} {one}"))));
            }
        });
        let lines: BTreeSet<String> = (0..200).map(|_| server.line()).collect();
        assert_eq!(lines.len(), 200);
        until("nothing is left", || server.sockets() == 1 && server.threads().len() == 1);
        assert_eq!(server.stop().stdout, "");
    }
}

/// Room for three clients: 0 to 2, the signals and the listener are open already.
#[test]
fn out_of_descriptors_it_waits_for_a_client_to_go_and_does_not_spin() {
    let mut server = Server::start_with_files(8, &["--threads"]);
    let mut clients: Vec<TcpStream> = (0..6).map(|_| server.connect()).collect();
    let words = "socket-server: accept: Too many open files (os error 24)";
    assert_eq!(server.error(), words);
    // Time enough to spin in: those who are in are served meanwhile.
    for _ in 0..100 {
        clients[0].write_all(b"in").unwrap();
        assert_eq!(server.line(), "in");
    }
    // One goes, and the first of those who wait comes in.
    for (number, client) in clients.iter_mut().enumerate().skip(3) {
        client.write_all(number.to_string().as_bytes()).unwrap();
    }
    clients[1].shutdown(Shutdown::Both).unwrap();
    assert_eq!(server.line(), "3");
    drop(clients);
    assert_eq!([server.line(), server.line()].concat().len(), 2);
    // One for each time that it was woken by a client that went, at most.
    let errors = server.stop().stderr.lines().count();
    assert!(errors <= 6, "it tried {errors} times more");
}

#[test]
fn out_of_descriptors_with_nobody_to_wait_for_is_a_failure() {
    let server = Server::start_with_files(5, &[]);
    let _client = server.connect();
    let end = server.end();
    let words = "socket-server: accept: Too many open files (os error 24)\n";
    assert_eq!((end.code, end.stderr.as_str()), (Some(1), words));
}
