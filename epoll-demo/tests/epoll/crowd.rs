//! Nobody, too many, and very many.

use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::server::{Server, limited, until};

/// EPOLLIN, and EPOLLERR and EPOLLHUP, which always are.
const READABLE: u32 = 0x19;

#[test]
fn an_idle_server_with_clients_is_never_woken() {
    let server = Server::start(&[]);
    let mut clients: Vec<_> = (0..3).map(|_| server.client()).collect();
    clients[0].say("hello");
    clients[0].pings(1);
    until("nobody is watched for EPOLLOUT", || server.masks() == [READABLE; 3]);
    assert_eq!(server.woken(), (0, 0));
    // proc_pid_syscall(5): the number of the call, then its arguments; the fourth of epoll_wait(2)
    // is the time limit, -1 for none. Not every kernel has the file.
    if let Some(call) = server.try_proc("syscall") {
        let limit = call.split(' ').nth(4).expect("four arguments");
        assert!(limit.ends_with("ffffffff"), "{call}");
    }
}

#[test]
fn out_of_descriptors_it_neither_spins_nor_ends_and_those_who_wait_are_served_later() {
    const WAITING: usize = 11;
    let server = Server::spawn(&mut limited("-n 20"));
    let mut clients: Vec<_> = (0..20 + WAITING).map(|_| server.stranger()).collect();
    let complaint = server.complaint();
    assert!(complaint.contains("accept: Too many open files (os error 24)"), "{complaint}");
    until("nobody is watched for EPOLLOUT", || server.masks().iter().all(|mask| *mask == READABLE));
    let inside = server.masks().len();
    assert!((5..20).contains(&inside), "{inside} clients with 20 descriptors");
    let (times, ticks) = server.woken();
    assert!(times <= 1 && ticks <= 1, "one try a second: {times}, {ticks}");

    // Each that leaves makes room at once for one who waits.
    let start = Instant::now();
    for number in 0..WAITING {
        clients.remove(0).leave();
        clients[inside - 1].say(number.to_string());
        clients[inside - 1].pings(2);
        assert_eq!(server.line(), number.to_string());
    }
    assert!(start.elapsed() < Duration::from_secs(5), "not at the next try, a second later");
    server.kill("TERM");
    let (status, _, complaints) = server.end();
    assert!(status.success());
    assert!(complaints.is_empty(), "said once: {complaints:?}");
}

#[test]
fn it_raises_its_soft_limit_of_open_files_to_the_hard_one() {
    let server = Server::spawn(&mut limited("-S -n 64"));
    let limits = server.proc("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let mut words = files.split_whitespace().skip(3);
    assert_eq!(words.next(), words.next(), "soft and hard: {files}");
}

#[test]
fn a_thousand_clients_at_once_are_all_served() {
    const CLIENTS: usize = 1_000;
    // Our ends of the connections are as many, and the usual limit is 1,024.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("up to the hard limit");
    let server = Server::start(&[]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.stranger()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.say(number.to_string());
    }
    for client in &mut clients {
        client.pings(2);
    }
    assert_eq!(server.masks().len(), CLIENTS, "in one epoll");
    assert_eq!(server.status("Threads"), 1);
    let mut numbers: Vec<usize> =
        (0..CLIENTS).map(|_| server.line().parse().expect("a number, whole")).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..CLIENTS), "each once");
    for client in clients {
        assert_eq!(client.leave(), 0);
    }
}
