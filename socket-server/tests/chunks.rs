//! What is printed: the chunks that clients send, as text.

mod common;

use std::io::{Read, Write};
use std::thread;

use common::Server;

#[test]
fn each_client_of_the_note_is_a_line() {
    let server = Server::start(&[]);
    for message in ["hello", "ping", "ping"] {
        server.send(message);
    }
    let end = server.stop();
    assert_eq!((end.stdout.as_str(), end.stderr.as_str()), ("hello\nping\nping\n", ""));
}

#[test]
fn a_chunk_has_at_most_the_bytes_of_the_buffer() {
    for (options, lengths) in
        [(&[][..], [1024, 1024, 952]), (&["--buffer", "1400"], [1400, 1400, 200])]
    {
        let mut server = Server::start(options);
        server.send([b'x'; 3000]);
        assert_eq!([server.line().len(), server.line().len(), server.line().len()], lengths);
    }
}

#[test]
fn a_client_that_sends_nothing_prints_nothing() {
    let server = Server::start(&["--connections", "1"]);
    server.send("");
    let end = server.end();
    assert_eq!((end.code, end.stdout.as_str(), end.stderr.as_str()), (Some(0), "", ""));
}

/// With a buffer of one byte, every character of several bytes is split at every place.
#[test]
fn a_character_split_over_reads_is_printed_whole_and_without_a_newline_inside() {
    let text = "aж€🦀漢\u{10FFFF}z";
    let mut server = Server::start(&["--buffer", "1"]);
    server.send(text);
    for character in text.chars() {
        assert_eq!(server.line(), character.to_string());
    }
    assert_eq!(server.stop().stdout, "");
}

#[test]
fn a_character_at_the_edge_of_the_buffer_goes_to_the_next_chunk() {
    let mut server = Server::start(&[]);
    server.send("x".repeat(1023) + "ж");
    assert_eq!([server.line(), server.line()], ["x".repeat(1023), "ж".to_string()]);
}

#[test]
fn an_unfinished_character_at_the_end_is_one_replacement() {
    let mut server = Server::start(&[]);
    server.send(&"a🦀".as_bytes()[..4]);
    assert_eq!([server.line(), server.line()], ["a", "\u{FFFD}"]);
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_the_next_client_is_served() {
    let mut server = Server::start(&[]);
    let garbage: Vec<u8> = (0x80..=0xFF).collect();
    server.send(&garbage);
    assert_eq!(server.line(), String::from_utf8_lossy(&garbage));
    server.send("fine");
    assert_eq!(server.line(), "fine");
}

#[test]
fn five_megabytes_come_through_whole_to_a_slow_reader() {
    let mut server = Server::start(&["--connections", "1"]);
    let sent: Vec<u8> = (0..5 << 20).map(|at: u32| b'a' + (at % 26) as u8).collect();
    let mut client = server.connect();
    thread::scope(|scope| {
        scope.spawn(|| {
            client.write_all(&sent).unwrap();
            drop(client);
        });
        // Slow: a pipe that is nearly always full, and is emptied in small pieces.
        let mut received: Vec<u8> = Vec::new();
        let mut piece = [0; 1000];
        loop {
            let length = server.stdout().read(&mut piece).unwrap();
            if length == 0 {
                break;
            }
            received.extend(piece[..length].iter().filter(|byte| **byte != b'\n'));
        }
        assert!(received == sent, "{} of {} bytes, or other ones", received.len(), sent.len());
    });
}
