//! `socket-server/src/{listener,threads}.rs`: a thread for each client, and who accepts them.

use std::io;
use std::thread::scope;

use socket2::Socket;

use crate::client::Options;
use crate::listener::accept;
use crate::stop::Stop;
use crate::threads::Threads;

/// As in `main.rs`, with clients who have all come already.
fn serve(clients: usize, room: usize, options: &Options) -> io::Result<()> {
    let (listener, stop) = (Socket::with_room_for(room), Stop);
    let threads = Threads::new();
    let done: io::Result<()> = scope(|scope| {
        let mut left = clients;
        while left > 0 {
            // An error: it would end the server, though somebody is about to make room.
            let Some(client) = accept(&listener, &threads)? else { continue };
            left -= 1;
            threads.start(scope, client, options, &stop);
        }
        Ok(())
    });
    assert_eq!(threads.running(), 0, "the scope has joined them");
    done.and(threads.result())
}

pub(super) fn waits_for_room() {
    serve(2, 1, &Options::default()).unwrap();
}

pub(super) fn two_make_room() {
    serve(3, 2, &Options::default()).unwrap();
}

pub(super) fn failure_ends_it() {
    let failed = serve(2, 2, &Options { fails: Some(2) });
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(Stop::called(), 1);
}
