//! What is sent is printed, and answered.

use crate::server::Server;

#[test]
fn each_chunk_of_interleaved_clients_is_a_line_and_a_ping() {
    let server = Server::start(&[]);
    let mut clients = [server.client(), server.client(), server.client()];
    for round in 0..5 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.say(format!("{round} of {number}"));
            client.pings(1);
            assert_eq!(server.line(), format!("{round} of {number}"));
        }
    }
    for client in clients {
        assert_eq!(client.leave(), 0, "no ping that nobody asked for");
    }
}

#[test]
fn a_client_is_served_while_an_earlier_one_is_silent() {
    let server = Server::start(&[]);
    let silent = server.stranger();
    let mut second = server.client();
    second.say("hello");
    assert_eq!(server.line(), "hello");
    second.pings(1);
    assert_eq!(silent.leave(), 1, "the greeting");
}

#[test]
fn one_thread_serves_all() {
    let server = Server::start(&[]);
    let _clients: Vec<_> = (0..10).map(|_| server.client()).collect();
    assert_eq!(server.status("Threads"), 1);
}

#[test]
fn a_character_sent_byte_by_byte_is_printed_whole() {
    let server = Server::start(&[]);
    let mut client = server.client();
    for byte in "aж€🦀".bytes() {
        client.say([byte]);
        client.pings(1); // so the next byte comes in another chunk
    }
    for character in ["a", "ж", "€", "🦀"] {
        assert_eq!(server.line(), character);
    }
}

#[test]
fn bytes_that_are_no_text_become_replacement_characters() {
    let server = Server::start(&[]);
    let mut client = server.client();
    client.say(b"a\xffb");
    assert_eq!(server.line(), "a\u{fffd}b");
    client.say(b"ok\xf0\x9f\xa6");
    assert_eq!(server.line(), "ok");
    client.leave();
    assert_eq!(server.line(), "\u{fffd}", "a character unfinished at the end is one");
}

#[test]
fn buffer_is_the_largest_chunk_and_may_cut_a_character() {
    let server = Server::start(&["--buffer", "4"]);
    let mut client = server.client();
    client.say("abcжde");
    client.pings(2);
    assert_eq!(server.line(), "abc");
    assert_eq!(server.line(), "жde");
}

#[test]
fn a_long_text_is_printed_in_chunks_without_loss() {
    let server = Server::start(&[]);
    let text = "The quick brown fox, и ленивый пёс. ".repeat(100);
    let mut client = server.client();
    client.say(&text);
    let mut printed = String::new();
    while printed.len() < text.len() {
        let line = server.line();
        assert!(line.len() <= 1024 + 3, "a chunk, and the beginning of its first character");
        printed += &line;
    }
    assert_eq!(printed, text);
}

#[test]
fn a_half_closed_client_still_gets_its_pings() {
    let server = Server::start(&["--buffer", "1"]);
    let mut client = server.stranger();
    client.say("five!");
    assert_eq!(client.leave(), 1 + 5, "the greeting, and one for each chunk");
}

#[test]
fn a_client_that_says_nothing_leaves_no_line() {
    let server = Server::start(&["--connections", "1"]);
    server.client().leave();
    let (status, printed, complaints) = server.end();
    assert!(status.success());
    assert!(printed.is_empty() && complaints.is_empty(), "{printed:?} {complaints:?}");
}
