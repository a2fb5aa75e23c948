//! Asynchronous I/O: `select.epoll`.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{Peer, connect, fate, joined, printed, serve, text_and_signal};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Line, Live, Spec, State, Stdout, kernel};

/// The note's port.
const PORT: u16 = 10002;

/// `EPOLLOUT`, `epoll_ctl(2)`.
const WRITABLE: u32 = 0x4;

/// `EPOLLET`: said once when it becomes true, so it may be asked for all the time.
const EDGE: u32 = 1 << 31;

pub(super) static LAB: Lab = Lab {
    name: "epoll",
    demo: "epoll-demo",
    title: "Asynchronous I/O",
    about: "One thread serves everybody: it asks the kernel which of its sockets are ready, \
            does what can be done without waiting, and asks again.",
    timed: &["idle", "rude"],
    scene: Scene {
        text: "",
        show,
        checks: &[
            Check {
                id: "listens",
                title: "it listens where it was told to",
                points: 1,
                needs: &[],
                lesson: "The listening socket is one of the sockets to ask about: nobody need \
                         connect before the loop can begin.",
                examine: listens,
            },
            Check {
                id: "prints",
                title: "what clients send is printed, also byte by byte",
                points: 1,
                needs: &["listens"],
                lesson: "Each client needs a decoder of its own, which keeps the beginning of a \
                         character until the rest of it comes.",
                examine: prints,
            },
            Check {
                id: "one-epoll",
                title: "one thread and one epoll with the listener and all clients in it",
                points: 2,
                needs: &["listens"],
                lesson: "A thread per client is another way to do it, and an epoll that nobody is \
                         registered in does nothing.",
                examine: one_epoll,
            },
            Check {
                id: "pings",
                title: "a ping when one has connected, and one for each chunk",
                points: 2,
                needs: &["listens"],
                lesson: "A socket is nearly always writable: who writes whenever it is, floods.",
                examine: pings,
            },
            Check {
                id: "others",
                title: "clients that say nothing, or do not read, are in nobody's way",
                points: 2,
                needs: &["prints", "pings"],
                lesson: "A blocking call for one client stops all. What can't be written now is \
                         kept until the socket is writable, and not without bound.",
                examine: others,
            },
            Check {
                id: "idle",
                title: "with nothing to do it sleeps: no processor time, no wake-ups",
                points: 1,
                needs: &["one-epoll"],
                lesson: "EPOLLOUT asked for with nothing to write, or a time-out of zero, turns \
                         waiting into running in circles.",
                examine: idle,
            },
            Check {
                id: "rude",
                title: "clients that reset or half-close are let go, and cost nothing",
                points: 1,
                needs: &["pings"],
                lesson: "End of file and errors stay ready for ever: unless the socket is taken \
                         out and closed, the loop never sleeps again.",
                examine: rude,
            },
            Check {
                id: "end",
                title: "it ends after --connections, and at SIGTERM, with status 0",
                points: 0,
                needs: &["pings"],
                lesson: "A signal can be one more thing to wait for in the same loop.",
                examine: end,
            },
            Check {
                id: "manners",
                title: "bad usage, a closed stdout and a full one are handled",
                points: 0,
                needs: &["listens"],
                lesson: "Errors have an exit status and one line on stderr.",
                examine: manners,
            },
        ],
    },
    more: &[],
};

fn show(exam: &mut Exam) -> Result<(), Trouble> {
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    exam.tell(format!("two clients connect to {address}; the first one sends hello"));
    let (mut first, mut second) = (Peer::connect(address)?, Peer::connect(address)?);
    first.send(b"hello");
    let pinged = first.read_until(SOON, |received| received.len() >= 8);
    second.read_until(SOON, |received| received.len() >= 4);
    let text = |peer: &Peer| String::from_utf8_lossy(&peer.received).into_owned();
    exam.tell(format!("the first got {}, the second {}", text(&first), text(&second)));
    drop((first, second));
    expect(pinged, "two pings", || "they did not come".into())?;
    done(&whole(live.finish())?)
}

fn listens(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let pid = live.pid();
    live.end();
    Ok(vec![format!("the kernel shows a socket of {pid} that listens at {address}")])
}

fn prints(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let (live, address) = serve(exam, PORT, &[])?;
    let mut clients = [connect(&live, address)?, connect(&live, address)?];
    for (client, word) in clients.iter_mut().zip(&words).rev() {
        client.send(word.as_bytes());
        expect(printed(&live, word), format!("'{word}' on a line of its own"), || {
            let lines = stdout(&live.log.lock());
            some(&lines) + &fate(&live)
        })?;
    }
    // The same from both, a byte of one and a byte of the other: each has a decoder of its own.
    let text = "ж線🐍";
    let mut whole = words[1].clone() + &words[0];
    for character in text.chars() {
        for byte in character.to_string().as_bytes() {
            for client in &mut clients {
                client.send(&[*byte]);
            }
        }
        whole.extend([character, character]);
        let came = |state: &State| (joined(state).len() >= whole.len()).then_some(());
        if live.until(SOON, came).is_none() {
            break;
        }
    }
    let fate = fate(&live);
    let state = live.end();
    // A chunk in which no character ends may be an empty line.
    let lines: Vec<_> = stdout(&state).into_iter().filter(|line| !line.is_empty()).collect();
    let (said, pieces) = lines.split_at(lines.len().min(2));
    expect(
        said == [words[1].clone(), words[0].clone()],
        format!("only '{}', '{}'", words[1], words[0]),
        || some(&lines),
    )?;
    let came = pieces.concat();
    let wanted: String = text.chars().flat_map(|character| [character, character]).collect();
    expect(
        came == wanted,
        format!("'{wanted}': '{text}' of each of two clients, byte by byte in turn"),
        || format!("'{came}'{fate}"),
    )?;
    Ok(vec![format!(
        "{}, {} from two clients; '{text}' of both, byte by byte in turn",
        words[1], words[0]
    )])
}

/// Waits until an epoll of the program has so many sockets in it; then them.
fn registered(live: &Live, sockets: usize) -> Result<Vec<kernel::Registered>, Trouble> {
    let pid = live.pid();
    let in_one = || {
        kernel::epolls(pid)
            .into_iter()
            .map(|all| all.into_iter().filter(|r| kernel::is_socket(pid, r.fd)).collect::<Vec<_>>())
            .max_by_key(Vec::len)
            .unwrap_or_default()
    };
    let found = live.poll(SOON, || Some(in_one()).filter(|all| all.len() >= sockets));
    found.map_or_else(
        || {
            let most = in_one().len();
            fail(
                format!("an epoll with {sockets} sockets: the listener and each client"),
                format!("{} epolls, at most {most} sockets in one", kernel::epolls(pid).len()),
            )
        },
        Ok,
    )
}

fn one_epoll(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let clients: Vec<Peer> = (0..3).map(|_| connect(&live, address)).collect::<Result<_, _>>()?;
    let sockets = registered(&live, clients.len() + 1)?;
    let threads = kernel::threads(live.pid()).len();
    let others = live.log.lock().made().filter(|task| task.alive()).count();
    live.end();
    expect(threads == 1 && others == 0, "one thread, one process", || {
        format!("{threads} threads, {others} tasks besides the first")
    })?;
    let numbers: Vec<_> = sockets.iter().map(|socket| socket.fd.to_string()).collect();
    Ok(vec![format!("3 clients: 1 thread, 1 epoll, sockets {} in it", numbers.join(", "))])
}

/// How many pings, when nothing but pings has come.
fn count(peer: &Peer) -> Option<usize> {
    let pings = peer.received.chunks(4).all(|chunk| chunk == b"ping");
    (pings && peer.received.len().is_multiple_of(4)).then_some(peer.received.len() / 4)
}

fn pings(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = connect(&live, address)?;
    let wanted = "one ping at the beginning, one for each of 3 chunks";
    let mut expected = 0;
    for word in ["", "one", "two", "three"] {
        client.send(word.as_bytes());
        expected += 1;
        if !client.read_until(SOON, |received| received.len() >= 4 * expected) {
            let fate = fate(&live);
            live.end();
            let after =
                if word.is_empty() { "it had connected".into() } else { format!("'{word}'") };
            let came = if client.received.is_empty() { "nothing".into() } else { got(&client) };
            return fail(wanted, format!("{came} when {after} made {expected} due{fate}"));
        }
    }
    // One too many would come at once.
    client.read_until(Duration::from_millis(50), |received| received.len() > 16);
    live.end();
    expect(count(&client) == Some(4), wanted, || got(&client))?;
    Ok(vec!["1 ping before anything was sent, then 1 for each of 3 chunks, and no more".into()])
}

/// What has come, in words.
fn got(peer: &Peer) -> String {
    let text = String::from_utf8_lossy(&peer.received).into_owned();
    format!("{} bytes: {}", peer.received.len(), some(&[text]))
}

/// The byte of a client that does not read its pings, so that its lines are known from others.
const GREEDY: u8 = b'g';

/// Bytes that it tries to send: more than any buffer between.
const MUCH: usize = 4 << 20;

/// Bytes that a program may grow by for a client that does not read.
const KEPT: u64 = 1 << 20;

/// How many lines the client that does not read has had printed, and how many bytes they are.
fn of_the_greedy(lines: &[Line]) -> (usize, usize) {
    let mut found = (0, 0);
    for line in lines.iter().filter(|line| line.bytes.first() == Some(&GREEDY)) {
        found = (found.0 + 1, found.1 + line.bytes.len());
    }
    found
}

fn others(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &["--buffer", "64"])?;
    let _silent = connect(&live, address)?;
    let mut half = connect(&live, address)?;
    half.send(b"\xd0"); // the first half of a character
    let before = kernel::resident(live.pid()).unwrap_or(0);
    // Each chunk is owed a ping, and this one reads none of them.
    let mut greedy = Peer::connect_small(address)?;
    let sent = greedy.send_for(Duration::from_millis(150), &vec![GREEDY; MUCH]);
    let mut client = connect(&live, address)?;
    client.send(word.as_bytes());
    let served = client.read_until(SOON, |received| received.len() >= 8);
    let said = printed(&live, &word);
    expect(served && said, "another client is served meanwhile", || {
        format!(
            "after 2 silent clients and one that does not read: {}; its word was {}printed{}",
            got(&client),
            if said { "" } else { "not " },
            fate(&live)
        )
    })?;
    let blocking = kernel::epolls(live.pid())
        .into_iter()
        .flatten()
        .filter(|asked| kernel::is_socket(live.pid(), asked.fd))
        .filter(|asked| !kernel::is_nonblocking(live.pid(), asked.fd))
        .count();
    expect(blocking <= 1, "sockets of clients on which no call waits (O_NONBLOCK)", || {
        format!("{blocking} sockets are blocking: when one of them is full, send stops everybody")
    })?;
    let grown = kernel::resident(live.pid()).unwrap_or(0).saturating_sub(before);
    expect(grown < KEPT, "bounded memory for a client that does not read", || {
        format!("{} KiB more after it had sent {} KiB", grown >> 10, sent >> 10)
    })?;
    // Late is not never.
    let end = Instant::now() + 2 * SOON;
    let due = loop {
        let (lines, bytes) = of_the_greedy(&live.log.lock().lines);
        let due = 4 * (lines + 1);
        let all = greedy.read_until(Duration::from_millis(50), |received| received.len() >= due);
        if (all && bytes >= sent) || Instant::now() > end {
            break due;
        }
    };
    greedy.read_until(Duration::from_millis(20), |received| received.len() > due);
    live.end();
    let late = greedy.received.len();
    expect(
        count(&greedy) == Some(due / 4),
        "a ping for each chunk, also when the client reads them late",
        || match count(&greedy) {
            Some(pings) => format!("{pings} pings, {} were due", due / 4),
            None => format!("{late} bytes that are not whole pings, {due} were due"),
        },
    )?;
    Ok(vec![format!(
        "one silent, one in mid-character, one that sent {} KiB and read nothing ({} KiB more \
         resident): the next was served; the late reader got all its {} pings",
        sent >> 10,
        grown >> 10,
        due / 4
    )])
}

/// Processor time and sleeps of the program over this time.
fn cost(live: &Live, time: Duration) -> (Duration, u64) {
    let pid = live.pid();
    let read = || {
        (kernel::demanded_time(pid).unwrap_or_default(), kernel::sleeps(pid).unwrap_or_default())
    };
    let before = read();
    std::thread::sleep(time);
    let after = read();
    (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1))
}

/// Long enough to tell a loop that never sleeps, or never for long.
const WHILE: Duration = Duration::from_millis(100);

/// Passes when the program sleeps; how that was seen.
fn sleeps(live: &Live) -> Result<String, Trouble> {
    let calm = |(used, woken): (Duration, u64)| used <= Duration::from_millis(30) && woken <= 2;
    let mut seen = cost(live, WHILE);
    if !calm(seen) {
        seen = cost(live, WHILE); // it may have been on its way to sleep
    }
    let (used, woken) = seen;
    let words = format!(
        "{} ms of processor time and {woken} wake-ups in {} ms",
        used.as_millis(),
        WHILE.as_millis()
    );
    expect(calm(seen), "it sleeps", || words.clone() + &fate(live))?;
    Ok(words)
}

fn idle(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut clients: Vec<Peer> =
        (0..3).map(|_| connect(&live, address)).collect::<Result<_, _>>()?;
    for client in &mut clients {
        client.read_until(SOON, |received| received.len() >= 4);
    }
    let calm = live.poll(SOON, || {
        let asked = registered(&live, 4).ok()?;
        asked.iter().all(|socket| socket.events & (WRITABLE | EDGE) != WRITABLE).then_some(())
    });
    let words = sleeps(&live);
    live.end();
    expect(calm.is_some(), "EPOLLOUT not asked for while nothing is owed", || {
        "it is asked for all the time".into()
    })?;
    Ok(vec![format!("3 clients, nothing owed: no EPOLLOUT; {}", words?)])
}

fn rude(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &[])?;
    let pid = live.pid();
    // It stays, and when it is the only one again, all that the others had taken is given back.
    let mut first = connect(&live, address)?;
    first.read_until(SOON, |received| received.len() >= 4);
    let before = kernel::descriptors(pid).unwrap_or(0);
    let mut resets = connect(&live, address)?;
    resets.read_until(SOON, |received| received.len() >= 4);
    resets.reset();
    let mut halves = connect(&live, address)?;
    halves.send(b"last words");
    halves.half_close();
    let closed = halves.read_to_end(SOON);
    connect(&live, address)?.reset();
    let mut client = connect(&live, address)?;
    client.send(word.as_bytes());
    let served = client.read_until(SOON, |received| received.len() >= 8);
    expect(served, "a client after them is served", || {
        format!("it was not: {}{}", got(&client), fate(&live))
    })?;
    drop(client);
    expect(count(&halves) == Some(2), "what is owed to a client that half-closes is sent", || {
        format!("{}, then {closed:?}", got(&halves))
    })?;
    let open = || kernel::descriptors(pid).unwrap_or(0);
    let left = live.poll(SOON, || (open() <= before).then_some(()));
    expect(left.is_some(), "their sockets are closed", || {
        format!("{before} descriptors were open before 4 clients came and went, then {}", open())
    })?;
    let words = sleeps(&live)?;
    live.end();
    Ok(vec![format!("a reset, a half-close (2 pings, then {closed:?}): let go; then {words}")])
}

fn end(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    let (mut first, mut second) = (connect(&live, address)?, connect(&live, address)?);
    let mut served = true;
    for client in [&mut first, &mut second] {
        served &= client.read_until(SOON, |received| received.len() >= 4);
    }
    drop(first);
    second.send(word.as_bytes());
    served &= second.read_until(SOON, |received| received.len() >= 8);
    expect(served, "--connections 2: both are served until they have gone", || {
        format!("the second got {}{}", got(&second), fate(&live))
    })?;
    drop(second);
    done(&whole(live.finish())?)?;
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (live, address) = serve(exam, PORT, &[])?;
        let mut client = connect(&live, address)?;
        client.read_until(SOON, |received| received.len() >= 4);
        text_and_signal(&live, &mut client, &word, signal);
        let state = whole(live.finish())?;
        done(&state)?;
        expect(
            stdout(&state).contains(&word),
            format!("{signal}: what was received is printed"),
            || format!("'{word}', sent before the signal, was not"),
        )?;
    }
    Ok(vec![
        "--connections 2: exit status 0 after two".into(),
        "SIGTERM, SIGINT with a client connected: its last word printed, exit status 0".into(),
    ])
}

fn manners(exam: &mut Exam) -> Finding {
    let mut evidence = manners::bad_usage(exam)?;
    let mut with = |to| -> Result<State, Trouble> {
        let address = exam.place(PORT);
        let spec = Spec { stdout: to, ..exam.spec(&[address.to_string()]) };
        let live = exam.start(spec)?;
        live.poll(SOON, || kernel::listening(&live.log.lock()).first().copied());
        // It may have noticed already that nobody reads, and be gone. Connected until it ends: a
        // client that closes with its ping unread resets, and some would not read its byte then.
        let mut client = Peer::connect(address);
        if let Ok(client) = &mut client {
            client.send(b"x");
        }
        Ok(live.finish())
    };
    evidence.extend(manners::closed_stdout(&with(Stdout::Head(0))?)?);
    evidence.extend(manners::full_stdout(&with(Stdout::Full)?, 1)?);
    Ok(evidence)
}
