//! Asynchronous I/O: `select.epoll`.

use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{
    Closed, Peer, asleep, connect, ends, ends_at, everybody_waits, fate, in_time, joined, paused,
    printed, send_byte, serve, text_and_signal,
};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, expect, fail};
use crate::run::{
    Kind, Line, Live, State, Stream,
    kernel::{self, ForClients},
};
use crate::words::fill;

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
                title: "one epoll with the listener and all clients in it, and no thread for each",
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
                lesson: "A socket is nearly always writable: who writes whenever it is, floods. \
                         With EPOLLET one event may stand for many clients, or much to read: go \
                         on until EAGAIN.",
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
                title: "it ends after --connections, and at SIGTERM and SIGINT, with status 0",
                points: 0,
                needs: &["pings"],
                lesson: "A signal can be one more thing to wait for in the same loop.",
                examine: end,
            },
            Check {
                id: "flood",
                title: "with --flood pings come without end",
                points: 0,
                needs: &["pings"],
                lesson: "This is what the note's program does: EPOLLOUT asked for all the time.",
                examine: flood,
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
    exam.tell(fill(
        "two clients connect to {address}; the first one sends hello",
        &[("address", &address)],
    ));
    let (mut first, mut second) = (Peer::connect(address)?, Peer::connect(address)?);
    first.send(b"hello");
    let pinged = pinged(&live, &mut first, 2);
    self::pinged(&live, &mut second, 1);
    let text = |peer: &Peer| String::from_utf8_lossy(&peer.received).into_owned();
    let got = [("first", &text(&first) as _), ("second", &text(&second) as _)];
    exam.tell(fill("the first got {first}, the second {second}", &got));
    drop((first, second));
    expect(pinged, "two pings", || "they did not come".into())?;
    ends(live, "when 2 clients have come and gone").map(drop)
}

fn listens(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let pid = live.pid();
    live.end();
    Ok(vec![format!("the kernel shows a socket of {pid} that listens at {address}")])
}

/// A client that the program has taken out of the queue, so that the next one comes by itself.
fn joins(live: &Live, address: SocketAddr) -> Result<Peer, Trouble> {
    let client = connect(live, address)?;
    let taken = || {
        client
            .address()
            .is_some_and(|address| kernel::has_read(&live.log.lock(), address))
            .then_some(())
    };
    unless_it_spins(live, |slice| live.poll(slice, taken));
    Ok(client)
}

fn prints(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let (live, address) = serve(exam, PORT, &[])?;
    let mut clients = [joins(&live, address)?, joins(&live, address)?];
    for (client, word) in clients.iter_mut().zip(&words).rev() {
        client.send(word.as_bytes());
        expect(printed(&live, word), format!("'{word}' on a line of its own"), || {
            let lines = stdout(&live.log.lock());
            let lines = if lines.is_empty() { "nothing printed".into() } else { some(&lines) };
            lines + &fate(&live)
        })?;
    }
    // The same from both, a byte of one and a byte of the other: each has a decoder of its own.
    let text = "ж線🐍";
    let mut whole = words[1].clone() + &words[0];
    for character in text.chars() {
        let mut read = true;
        for byte in character.to_string().as_bytes() {
            for client in &mut clients {
                read &= send_byte(&live, client, *byte);
            }
        }
        whole.extend([character, character]);
        let came = |state: &State| (joined(state).len() >= whole.len()).then_some(());
        if !read || in_time(&live, |slice| live.until(slice, came)).is_none() {
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

/// Gives the program time for what it should do at once, and does not wait for one that spins: that
/// has used more than enough of the processor for it.
fn unless_it_spins<T>(live: &Live, mut seen: impl FnMut(Duration) -> Option<T>) -> Option<T> {
    const ENOUGH: Duration = Duration::from_millis(500);
    let used = || kernel::processor_time(live.pid()).unwrap_or_default();
    let before = used();
    in_time(live, |slice| match seen(slice) {
        None if used().saturating_sub(before) > ENOUGH => Some(None),
        found => found.map(Some),
    })
    .flatten()
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
    let enough = || Some(in_one()).filter(|all| all.len() >= sockets);
    if let Some(found) = unless_it_spins(live, |slice| live.poll(slice, enough)) {
        return Ok(found);
    }
    let saw = match kernel::epolls(pid).len() {
        0 => "it has no epoll".into(),
        1 => format!("sockets in its epoll: {}", in_one().len()),
        epolls => format!("{epolls} epolls, sockets in one: at most {}", in_one().len()),
    };
    fail(
        format!("an epoll with {sockets} sockets: the listener and each client"),
        saw + &fate(live),
    )
}

fn one_epoll(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut clients = Vec::new();
    // Some languages have threads of their own; what counts is that clients bring no more.
    let mut counts = Vec::new();
    for number in 1..=3 {
        clients.push(connect(&live, address)?);
        registered(&live, number + 1)?;
        let processes = live
            .log
            .lock()
            .made()
            .filter(|task| task.alive() && task.kind == Kind::Process)
            .count();
        counts.push((kernel::threads(live.pid()).len(), processes));
    }
    let sockets = registered(&live, clients.len() + 1)?;
    let pid = live.pid();
    let waits = live.poll(SOON / 8, || {
        let before = asleep(&live)?;
        let threads = kernel::threads(pid).into_iter();
        let waits: Vec<_> = threads.filter_map(|id| kernel::waits_for_clients(pid, id)).collect();
        (asleep(&live) == Some(before)).then_some(waits)
    });
    live.end();
    // Who runs in circles is another check's business.
    if let Some(waits) = waits {
        expect(!waits.contains(&ForClients::One), "no thread for a client", || {
            "a thread waits for one client, in a call that reads".into()
        })?;
        expect(waits.contains(&ForClients::All), "it waits in its epoll", || {
            "everybody in it waits, and nobody in epoll_wait: its epoll is never asked".into()
        })?;
    }
    let (one, three) = (counts[0], counts[2]);
    expect(three.0 <= one.0 && three.1 == 0, "no thread and no process for a client", || {
        format!("{} threads with 1 client, {} with 3; {} processes more", one.0, three.0, three.1)
    })?;
    let numbers: Vec<_> = sockets.iter().map(|socket| socket.fd.to_string()).collect();
    let threads = if three.0 == 1 { "1 thread".into() } else { format!("{} threads", three.0) };
    Ok(vec![format!(
        "3 clients: {threads} as with 1 client, 1 epoll, sockets {} in it",
        numbers.join(", ")
    )])
}

/// How many pings, when nothing but pings has come.
fn count(peer: &Peer) -> Option<usize> {
    let pings = peer.received.chunks(4).all(|chunk| chunk == b"ping");
    (pings && peer.received.len().is_multiple_of(4)).then_some(peer.received.len() / 4)
}

/// Waits until so many pings have come to a client.
fn pinged(live: &Live, client: &mut Peer, pings: usize) -> bool {
    let enough = |received: &[u8]| received.len() >= 4 * pings;
    in_time(live, |slice| client.read_until(slice, enough).then_some(())).is_some()
}

fn pings(exam: &mut Exam) -> Finding {
    let buffer = exam.random.usize(6..12);
    let (live, address) = serve(exam, PORT, &["--buffer", &buffer.to_string()])?;
    let mut client = connect(&live, address)?;
    let wanted = "one ping at the beginning, and one for each chunk";
    for (due, word) in (1..).zip(["", "one", "two", "three"]) {
        client.send(word.as_bytes());
        if !pinged(&live, &mut client, due) {
            let after = match word {
                "" => "connected".into(),
                word => format!("'{word}' sent"),
            };
            let saw = format!("{after}, {due} due: {} had come{}", got(&client), fate(&live));
            return fail(wanted, saw);
        }
    }
    // More at once than a chunk may be.
    let text = exam.random.alphabetic().to_string().repeat(3 * buffer);
    client.send(text.as_bytes());
    let length = "onetwothree".len() + text.len();
    let all = |state: &State| (joined(state).len() >= length).then_some(());
    in_time(&live, |slice| live.until(slice, all));
    let (bytes, lines, longest) = {
        let state = live.log.lock();
        let lengths = state.lines_of(Stream::Stdout).map(|line| line.bytes.len());
        let lengths: Vec<_> = lengths.filter(|length| *length > 0).collect();
        (joined(&state).len(), lengths.len(), lengths.into_iter().max().unwrap_or(0))
    };
    expect(bytes == length, format!("{} bytes sent at once, all of them", text.len()), || {
        format!("{} of {length} bytes printed so far, and no more{}", bytes, fate(&live))
    })?;
    expect(longest <= buffer, format!("--buffer {buffer}: no chunk is longer"), || {
        format!("a chunk of {longest} bytes")
    })?;
    // One too many would come at once.
    pinged(&live, &mut client, lines + 1);
    client.read_until(Duration::from_millis(50), |received| received.len() > 4 * (lines + 1));
    expect(count(&client) == Some(lines + 1), format!("{wanted}: {}", lines + 1), || {
        got(&client) + &fate(&live)
    })?;
    drop(client);

    // Many that come at the same time.
    let connected = || (0..MANY).map(|_| connect(&live, address)).collect::<Result<Vec<_>, _>>();
    let mut greeted = 0;
    for mut client in paused(&live, connected)? {
        if !pinged(&live, &mut client, 1) {
            break;
        }
        greeted += 1;
    }
    expect(greeted == MANY, format!("a ping to each of {MANY} that connect at once"), || {
        format!("{greeted} of them got one{}", fate(&live))
    })?;
    live.end();
    Ok(vec![format!(
        "1 ping before anything was sent, then 1 for each of {lines} chunks, and no more; 1 to each \
         of {MANY} that connected at once"
    )])
}

/// Clients that connect at the same time.
const MANY: usize = 8;

/// What has come, in words.
fn got(peer: &Peer) -> String {
    if peer.received.is_empty() {
        return "nothing".into();
    }
    let text = String::from_utf8_lossy(&peer.received).into_owned();
    format!("{} bytes: {}", peer.received.len(), some(&[text]))
}

/// The byte of a client that does not read its pings. No word begins with it, so that its lines are
/// known from others.
const GREEDY: u8 = b'G';

/// Bytes that it tries to send, a chunk of them, and the pings that it is owed for all.
const MUCH: usize = 512 << 10;
const CHUNK: usize = 32;

/// Bytes that a program may keep for it, several times what it should.
const KEPT: usize = 16 << 10;

/// Bytes that the system is to keep, which takes twice as many for it.
const LITTLE: usize = 4 << 10;

/// How many lines the client that does not read has had printed, and how many bytes they are.
fn of_the_greedy(lines: &[Line]) -> (usize, usize) {
    let mut found = (0, 0);
    for line in lines.iter().filter(|line| line.bytes.first() == Some(&GREEDY)) {
        found = (found.0 + 1, found.1 + line.bytes.len());
    }
    found
}

/// Sends and reads nothing, until the program takes no more of it, or has taken all: how much was
/// sent, and how many bytes of pings the program keeps in its own memory by then.
fn provoke(live: &Live, greedy: &mut Peer) -> (usize, usize) {
    const STILL: Duration = Duration::from_millis(50);
    let Some(address) = greedy.address() else {
        return (0, 0);
    };
    let (mut patience, mut sent) = (live.patience(SOON), 0);
    let (mut seen, mut lines) = (0, 0);
    let used = || kernel::processor_time(live.pid()).unwrap_or_default();
    let (mut last, mut before) = ((None, live.log.now()), (0, used()));
    let mut spins = None;
    loop {
        sent += greedy.try_send(&vec![GREEDY; (MUCH - sent).min(64 << 10)]);
        let read_since = |moment| live.log.lock().has_been_read(moment);
        // What it has printed by then and is not read yet may be what it waits for.
        let calm = last.1 + STILL <= live.log.now() && read_since(last.1);
        let silent = spins.is_some_and(read_since);
        {
            let state = live.log.lock();
            lines += of_the_greedy(&state.lines[seen..]).0;
            seen = state.lines.len();
        }
        let asleep = asleep(live).map(|asleep| (asleep, seen));
        if asleep.is_none() || asleep != last.0 {
            last = (asleep, live.log.now());
        } else if calm && (sent == MUCH || !kernel::has_read(&live.log.lock(), address)) {
            // Asleep with something left to be read, it wants no more; with nothing left, that was all.
            break;
        }
        // Or it spins.
        if seen != before.0 {
            (before, spins) = ((seen, used()), None);
        } else if silent {
            break;
        } else if used().saturating_sub(before.1) > Duration::from_millis(200) {
            spins.get_or_insert(live.log.now());
        }
        if patience.end(&live.log).is_some() || live.log.lock().ended.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let (here, there) = (greedy.far_port(), address.port());
    let system = kernel::waiting(here, there).0 + kernel::waiting(there, here).1;
    (sent, (4 * (lines + 1)).saturating_sub(system))
}

fn others(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &["--buffer", &CHUNK.to_string()])?;
    kernel::narrow(&live.log.lock(), LITTLE)?;
    let _silent = connect(&live, address)?;
    let mut half = connect(&live, address)?;
    half.send(b"\xd0"); // the first half of a character
    // Each chunk is owed a ping, and this one reads none of them: sooner or later the system does
    // not take any more.
    let mut greedy = Peer::connect_small(address)?;
    let (sent, kept) = provoke(&live, &mut greedy);
    let mut client = connect(&live, address)?;
    client.send(word.as_bytes());
    let said = printed(&live, &word);
    let served = said && pinged(&live, &mut client, 2);
    expect(served, "another client is served meanwhile", || {
        format!(
            "after 2 silent clients and one that does not read: {}; its word was {}printed{}",
            got(&client),
            if said { "" } else { "not " },
            fate(&live)
        )
    })?;
    // Late is not never.
    greedy.widen();
    let due = || of_the_greedy(&live.log.lock().lines);
    loop {
        let before = greedy.received.len();
        let more = in_time(&live, |slice| {
            let all = 4 * (due().0 + 1);
            let more = greedy.read_until(slice, |received| received.len() >= all.max(before + 1));
            (more || due().1 >= sent && greedy.received.len() >= all).then_some(())
        });
        let (lines, bytes) = due();
        if more.is_none() || bytes >= sent && greedy.received.len() > 4 * lines {
            break;
        }
    }
    let (lines, bytes) = due();
    greedy.read_until(Duration::from_millis(20), |received| received.len() > 4 * (lines + 1));
    expect(bytes == sent, "all that the late reader had sent is printed", || {
        format!("{bytes} bytes of {sent}{}", fate(&live))
    })?;
    expect(
        count(&greedy) == Some(lines + 1),
        "a ping for each chunk, also when the client reads them late",
        || match count(&greedy) {
            Some(pings) => format!("{pings} pings, {} were due{}", lines + 1, fate(&live)),
            None => format!(
                "{} bytes that are not whole pings, {} were due{}",
                greedy.received.len(),
                4 * (lines + 1),
                fate(&live)
            ),
        },
    )?;
    expect(kept < KEPT, "who does not take its pings is not read from any more", || {
        format!(
            "it had sent {} KiB and read nothing, and {} KiB of pings were kept for it",
            sent >> 10,
            kept >> 10
        )
    })?;
    live.end();
    Ok(vec![format!(
        "one silent, one in mid-character, one that sent {} KiB and read nothing: the next was \
         served; the late reader got all its {} pings, of which the program had kept {} KiB",
        sent >> 10,
        lines + 1,
        kept >> 10
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
    // On a busy machine who runs in circles gets little of the processor: but does not sleep.
    let calm = |(used, woken): (Duration, u64)| {
        used <= Duration::from_millis(30) && woken <= 2 && everybody_waits(live)
    };
    let mut seen = cost(live, WHILE);
    for _ in 0..3 {
        if calm(seen) {
            break;
        }
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
    let mut clients: Vec<Peer> = (0..3).map(|_| joins(&live, address)).collect::<Result<_, _>>()?;
    for client in &mut clients {
        pinged(&live, client, 1);
    }
    registered(&live, clients.len() + 1)?;
    let pid = live.pid();
    let all_the_time = |asked: &kernel::Registered| {
        kernel::is_socket(pid, asked.fd) && asked.events & (WRITABLE | EDGE) == WRITABLE
    };
    let calm = || (!kernel::epolls(pid).iter().flatten().any(all_the_time)).then_some(());
    let calm = unless_it_spins(&live, |slice| live.poll(slice, calm));
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
    pinged(&live, &mut first, 1);
    let before = kernel::descriptors(pid).unwrap_or(0);
    let mut resets = connect(&live, address)?;
    pinged(&live, &mut resets, 1);
    resets.reset();
    let mut halves = connect(&live, address)?;
    expect(pinged(&live, &mut halves, 1), "a client after one that was reset is served", || {
        format!("it was not: {}{}", got(&halves), fate(&live))
    })?;
    paused(&live, || {
        halves.send(b"last words");
        halves.half_close();
    });
    let closed = unless_it_spins(&live, |slice| {
        Some(halves.read_to_end(slice)).filter(|closed| *closed != Closed::Open)
    });
    expect(count(&halves) == Some(2), "what is owed to a client that half-closes is sent", || {
        format!("{}{}", got(&halves), fate(&live))
    })?;
    expect(
        closed.is_some(),
        "a client that half-closes is closed when it has got its pings",
        || format!("its connection was still open{}", fate(&live)),
    )?;
    paused(&live, || connect(&live, address).map(Peer::reset))?; // before it is accepted
    let mut client = connect(&live, address)?;
    client.send(word.as_bytes());
    expect(pinged(&live, &mut client, 2), "a client after them is served", || {
        format!("it was not: {}{}", got(&client), fate(&live))
    })?;
    drop(client);
    let open = || kernel::descriptors(pid).unwrap_or(0);
    let let_go = || (open() <= before).then_some(());
    let left = unless_it_spins(&live, |slice| live.poll(slice, let_go));
    expect(left.is_some(), "their sockets are closed", || {
        format!("{before} descriptors were open before 4 clients came and went, then {}", open())
    })?;
    let words = sleeps(&live)?;
    live.end();
    Ok(vec![format!("a reset, a half-close (2 pings, then closed): let go; then {words}")])
}

fn end(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    let (mut first, mut second) = (connect(&live, address)?, connect(&live, address)?);
    let mut served = true;
    for client in [&mut first, &mut second] {
        served &= pinged(&live, client, 1);
    }
    drop(first);
    second.send(word.as_bytes());
    served &= pinged(&live, &mut second, 2);
    expect(served, "--connections 2: both are served until they have gone", || {
        format!("the second got {}{}", got(&second), fate(&live))
    })?;
    drop(second);
    ends(live, "with --connections 2, when 2 clients have come and gone")?;
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (live, address) = serve(exam, PORT, &[])?;
        let mut client = connect(&live, address)?;
        pinged(&live, &mut client, 1);
        let text = word.repeat(500);
        text_and_signal(&live, &mut client, &text, signal);
        let state = ends_at(live, signal)?;
        let came = String::from_utf8_lossy(&joined(&state)).into_owned();
        expect(came == text, format!("what was received at {signal} is printed"), || {
            format!("{} bytes of {}, which were sent before the signal", came.len(), text.len())
        })?;
    }
    Ok(vec![
        "--connections 2: exit status 0 after two".into(),
        "SIGTERM, SIGINT with a client connected: what it had sent printed, exit status 0".into(),
    ])
}

fn flood(exam: &mut Exam) -> Finding {
    const ENOUGH: usize = 10_000;
    let (live, address) = serve(exam, PORT, &["--flood"])?;
    let mut clients = [connect(&live, address)?, connect(&live, address)?];
    for client in &mut clients {
        let flooded = pinged(&live, client, ENOUGH);
        let pings = client.received.chunks_exact(4).all(|chunk| chunk == b"ping");
        expect(flooded && pings, format!("{ENOUGH} pings to each of 2 clients, and more"), || {
            got(client) + &fate(&live)
        })?;
    }
    live.end();
    Ok(vec![format!("2 clients got {ENOUGH} pings and more each")])
}

fn manners(exam: &mut Exam) -> Finding {
    manners::of_a_server(exam, PORT)
}
