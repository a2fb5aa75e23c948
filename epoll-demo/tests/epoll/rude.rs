//! Clients that break off, or don't read: that is their affair, and nobody else's.

use std::net::Shutdown;

use crate::client::Client;
use crate::server::{Server, until};

/// What a client is watched for, in fdinfo: EPOLLIN is 0x1, EPOLLOUT is 0x4, and the rest EPOLLERR
/// and EPOLLHUP, which are always there.
const BOTH: u32 = 0x1d;
const WRITABLE: u32 = 0x1c;

/// Sends bytes, each of them a chunk, and reads no pings, until the system's buffers are full of
/// them and the server owes some. Returns the number of bytes, which have all been printed.
fn fill(client: &mut Client, server: &Server) -> usize {
    const STEP: usize = 500;
    let mut sent = 0;
    until("the server owes pings", || {
        sent += client.pour(&[b'x'; STEP]);
        (0..STEP).for_each(|_| assert_eq!(server.line(), "x"));
        until("the server waits", || server.sleeps());
        server.masks() == [BOTH]
    });
    sent
}

/// The same, and more, until it can't be owed more.
fn overfill(client: &mut Client, server: &Server) -> usize {
    let sent = fill(client, server) + client.pour(&[b'x'; 4096]);
    until("nothing more is read from it", || server.masks() == [WRITABLE]);
    sent
}

#[test]
fn a_reset_is_one_line_on_stderr_and_the_others_go_on() {
    let server = Server::start(&["--connections", "3"]);
    let mut before = server.client();
    server.stranger().reset();
    let complaint = server.complaint();
    assert!(complaint.starts_with("epoll-demo: client "), "{complaint}");
    assert!(complaint.ends_with(": Connection reset by peer (os error 104)"), "{complaint}");
    before.say("before");
    assert_eq!(server.line(), "before");
    let mut after = server.client();
    after.say("after");
    assert_eq!(server.line(), "after");
    for mut client in [before, after] {
        client.pings(1);
        client.leave();
    }
    let (status, _, complaints) = server.end();
    assert!(status.success());
    assert!(complaints.is_empty(), "one line was enough: {complaints:?}");
}

/// Its pings can't be sent any more, which is no reason not to read what it had sent.
#[test]
fn what_a_client_sent_before_its_reset_is_printed() {
    let server = Server::start(&["--buffer", "1", "--connections", "1"]);
    let mut client = server.stranger();
    until("the server waits", || server.masks().len() == 1 && server.sleeps());
    server.stop(); // until all has happened
    client.say("last words");
    client.reset();
    server.kill("CONT");
    let (status, printed, complaints) = server.end();
    assert!(status.success());
    assert_eq!(printed.concat(), "last words");
    assert_eq!(complaints.len(), 1, "{complaints:?}");
}

#[test]
fn a_client_that_never_reads_is_not_read_either_and_nothing_is_lost() {
    let server = Server::start(&["--buffer", "1"]);
    let mut deaf = server.stranger();
    let memory = server.status("VmRSS");
    let sent = overfill(&mut deaf, &server);
    assert_eq!(server.woken(), (0, 0));

    let mut other = server.client();
    for _ in 0..100 {
        other.say("y");
        other.pings(1);
    }
    other.leave();
    assert!(server.status("VmRSS") < memory + 1024, "it takes no more than a MiB");

    assert_eq!(deaf.leave(), 1 + sent, "a ping for each of its chunks, once it reads");
    server.kill("TERM");
    let (_, printed, _) = server.end();
    assert_eq!(printed.concat().replace('y', "").len(), 4096, "and a line");
}

#[test]
fn a_client_that_never_reads_does_not_keep_it_from_ending() {
    let server = Server::start(&["--buffer", "1"]);
    let mut deaf = server.stranger();
    overfill(&mut deaf, &server);
    server.kill("TERM");
    let (status, printed, _) = server.end();
    assert!(status.success(), "{status}");
    assert_eq!(printed.len(), 4096, "all that it had sent is printed");
}

#[test]
fn a_half_closed_client_that_does_not_read_wakes_nobody_and_still_gets_its_pings() {
    let server = Server::start(&["--buffer", "1"]);
    let mut deaf = server.stranger();
    let sent = fill(&mut deaf, &server);
    deaf.stream.shutdown(Shutdown::Write).expect("it is connected");
    until("the end of file is read", || server.masks() == [WRITABLE]);
    assert_eq!(server.woken(), (0, 0));
    assert_eq!(deaf.leave(), 1 + sent);
}

#[test]
fn a_flood_is_endless_pings_and_still_serves_everybody() {
    let server = Server::start(&["--flood"]);
    let _never_reads = server.stranger();
    let mut one = server.client();
    let mut other = server.client();
    one.pings(10_000);
    other.say("hello");
    assert_eq!(server.line(), "hello");
    other.pings(10_000);
    one.pings(10_000);
    server.kill("TERM");
    assert!(server.end().0.success());
}
