//! Sockets, the server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{
    Closed, Peer, asleep, connect, ends, ends_at, everybody_waits, fate, has_line, in_time, joined,
    paused, printed, send_byte, serve, serve_at, settle, text_and_signal,
};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, expect};
use crate::run::{Ending, Gate, Id, Kind, Line, Live, Moment, Spec, State, Step, Stream, kernel};
use crate::words::fill;

/// The note's port.
const PORT: u16 = 10001;

pub(super) static LAB: Lab = Lab {
    name: "server",
    demo: "socket-server",
    title: "Sockets: the server",
    about: "socket, bind, listen, accept: four steps to a connection. What comes through it is a \
            stream of bytes, in pieces of any size.",
    timed: &[],
    scene: Scene {
        text: "",
        show,
        checks: &[
            Check {
                id: "listens",
                title: "it listens where it was told to",
                points: 1,
                needs: &[],
                lesson: "bind takes the address, listen makes the kernel accept connections for \
                         it; without the second a client is refused.",
                examine: listens,
            },
            Check {
                id: "prints",
                title: "what each client sends is printed, one client after the other",
                points: 1,
                needs: &["listens"],
                lesson: "A server that ends after its first client loses the second one's \
                         message, which the kernel had already taken.",
                examine: prints,
            },
            Check {
                id: "one-at-a-time",
                title: "while one client is connected the next one waits, and loses nothing",
                points: 1,
                needs: &["prints"],
                lesson: "The kernel completes the connection and keeps what was sent, until accept \
                         takes it out of the queue.",
                examine: one_at_a_time,
            },
            Check {
                id: "threads",
                title: "with --threads each client has a thread, and a silent one is in nobody's way",
                points: 2,
                needs: &["prints"],
                lesson: "Whoever calls recv in the loop that accepts makes everybody wait for one.",
                examine: threads,
            },
            Check {
                id: "lines",
                title: "with --threads the lines of two clients never mix",
                points: 0,
                needs: &["threads"],
                lesson: "A text and then its newline are two writes, and another thread may come \
                         between them: write a line at once, or under a lock.",
                examine: lines,
            },
            Check {
                id: "stream",
                title: "a mebibyte comes out as it went in, in chunks of at most --buffer bytes",
                points: 1,
                needs: &["prints"],
                lesson: "One recv is not one message: it returns what is there, up to its limit.",
                examine: stream,
            },
            Check {
                id: "characters",
                title: "a character in pieces is put together, what is none becomes U+FFFD",
                points: 1,
                needs: &["prints"],
                lesson: "Decoding each chunk by itself breaks the character at its edge: decode \
                         incrementally, with a decoder for each client.",
                examine: characters,
            },
            Check {
                id: "rude",
                title: "a client that resets, or sends garbage, ends itself and nobody else",
                points: 1,
                needs: &["prints"],
                lesson: "An error of one connection is that connection's: close it, go on with the \
                         next.",
                examine: rude,
            },
            Check {
                id: "timeout",
                title: "with --timeout a client that says nothing for so long is closed",
                points: 1,
                needs: &["prints"],
                lesson: "The time limit is that of the connected socket, not of the listening one, \
                         and its passing is the end of that client, not of the server.",
                examine: timeout,
            },
            Check {
                id: "end",
                title: "it ends after --connections, and at SIGTERM and SIGINT, with status 0",
                points: 1,
                needs: &["prints"],
                lesson: "A server is ended by a signal: SIGTERM by a service manager, SIGINT by \
                         Ctrl-C. Its exit status should say that nothing went wrong. A handler \
                         that only sets a variable does not end it: accept and recv go on.",
                examine: end,
            },
            Check {
                id: "finishes",
                title: "at SIGTERM and SIGINT what it has received until then is printed first",
                points: 0,
                needs: &["end"],
                lesson: "What the kernel has taken is confirmed to the client, which will not send \
                         it again: also what waits in a connection that is not accepted yet.",
                examine: finishes,
            },
            Check {
                id: "restart",
                title: "it can be started again at once, at the same address",
                points: 0,
                needs: &["end"],
                lesson: "For a minute the old connections keep the address (TIME_WAIT): \
                         SO_REUSEADDR before bind.",
                examine: restart,
            },
            Check {
                id: "manners",
                title: "bad usage, a closed stdout and a full one are handled",
                points: 0,
                needs: &["prints"],
                lesson: "Errors have an exit status and one line on stderr.",
                examine: manners,
            },
        ],
    },
    more: &[],
};

fn show(exam: &mut Exam) -> Result<(), Trouble> {
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    for word in ["hello", "ping"] {
        let said = [("address", &address as _), ("word", &word as _)];
        exam.tell(fill("a client connects to {address}, sends {word}, and closes", &said));
        send(&live, address, word, "a client")?;
    }
    ends(live, "when 2 clients have come and gone").map(drop)
}

/// Sends a word through a connection of its own, and waits until it is printed; then that client,
/// which has said all.
fn send(live: &Live, address: SocketAddr, word: &str, who: &str) -> Result<Peer, Trouble> {
    let mut client = connect(live, address)?;
    client.send(word.as_bytes());
    client.half_close();
    comes(live, &client, word, who)?;
    Ok(client)
}

/// Passes when this word, which the client has sent, is printed on a line of its own.
fn comes(live: &Live, client: &Peer, word: &str, who: &str) -> Result<(), Trouble> {
    expect(printed(live, word), format!("'{word}' of {who} on a line of its own"), || {
        let lines = stdout(&live.log.lock());
        // Of very many, the latest.
        let last = &lines[lines.len().saturating_sub(4)..];
        let lines = if last.is_empty() { "nothing printed".into() } else { some(last) };
        lines + &end_of(live, client)
    })
}

/// What has become of the connection and the program, to be put after what was seen of them.
fn end_of(live: &Live, client: &Peer) -> String {
    match fate(live) {
        fate if fate.is_empty() && client.is_closed() => {
            "; the server had closed the connection".into()
        }
        fate => fate,
    }
}

/// Passes when the program closes the connection of a client that has said all, or has been given
/// up.
fn closes(live: &Live, client: &mut Peer, who: &str) -> Result<(), Trouble> {
    let closed = in_time(live, |slice| (client.read_to_end(slice) != Closed::Open).then_some(()));
    expect(closed.is_some(), format!("{who} is closed"), || {
        format!("its connection was still open{}", fate(live))
    })
}

fn listens(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let pid = live.pid();
    live.end();
    Ok(vec![format!("the kernel shows a socket of {pid} that listens at {address}")])
}

fn prints(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    let (live, address) = serve(exam, PORT, &[])?;
    for (word, who) in words.iter().zip(["the first client", "the second", "the third"]) {
        let mut client = send(&live, address, word, who)?;
        // What the server holds open, it never gets back.
        closes(&live, &mut client, &format!("{who}, which has said all,"))?;
    }
    let state = live.end();
    expect(stdout(&state) == words, format!("only {}", some(&words)), || some(&stdout(&state)))?;
    Ok(vec![format!("3 clients one after the other: {}; each connection closed", words.join(", "))])
}

fn one_at_a_time(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    let (live, address) = serve(exam, PORT, &[])?;
    let mut first = connect(&live, address)?;
    first.send(words[0].as_bytes());
    comes(&live, &first, &words[0], "the first client, which stays connected,")?;
    let mut second = connect(&live, address)?;
    second.send(words[1].as_bytes());
    second.half_close();
    // The first is still served after the second has come: so the second has been waiting.
    first.send(words[2].as_bytes());
    comes(&live, &first, &words[2], "the first client again, while the second is waiting,")?;
    // Nobody in it runs any more: what it does about the second client is done.
    live.poll(Duration::from_secs(1), || asleep(&live));
    let done = live.log.now();
    let early = live.poll(SOON, || {
        let state = live.log.lock();
        let early = has_line(&state, &words[1]).is_some();
        (early || state.has_been_read(done)).then_some(early)
    });
    expect(early != Some(true), "the second client waits while the first is connected", || {
        "it was served at the same time without --threads".into()
    })?;
    drop(first);
    comes(&live, &second, &words[1], "the second client, when the first has gone,")?;
    live.end();
    Ok(vec![
        "connected and sent while the first was served; printed when the first had gone".into(),
    ])
}

fn threads(exam: &mut Exam) -> Finding {
    let words = exam.words(4);
    let (live, address) = serve(exam, PORT, &["--threads"])?;
    let silent = connect(&live, address)?;
    let mut open = Vec::new();
    for (number, word) in (2..).zip(&words[..3]) {
        let mut client = connect(&live, address)?;
        client.send(word.as_bytes());
        comes(
            &live,
            &client,
            word,
            &format!("client {number}, while the first one says nothing,"),
        )?;
        open.push(client);
    }
    let made = live.log.lock().made().filter(|task| task.alive()).count();
    let threads = kernel::threads(live.pid()).len();
    let wanted = "a thread (or process) for each of the 4 clients";
    expect(made >= 4, wanted, || format!("{made} besides the first"))?;
    let awake: Vec<_> = open.iter_mut().map(|client| woken(&live, client)).collect();
    for (one, own) in awake.iter().enumerate() {
        let others = || awake.iter().enumerate().filter(|(other, _)| *other != one);
        let alone = own.iter().any(|id| others().all(|(_, woken)| !woken.contains(id)));
        expect(alone, wanted, || {
            format!("{made} besides the first, and none of them wakes up for one client alone")
        })?;
    }
    for mut client in open {
        client.half_close();
        closes(&live, &mut client, "a client that has said all")?;
    }
    drop(silent);
    send(&live, address, &words[3], "a client after them")?;
    let state = live.end();
    let processes = state.made().filter(|task| task.kind == Kind::Process).count();
    Ok(vec![format!(
        "4 clients connected, one of them silent, 3 served: {threads} threads, {processes} more \
         processes"
    )])
}

/// Who wakes up when this client, and nobody else, sends something.
fn woken(live: &Live, client: &mut Peer) -> BTreeSet<Id> {
    let asleep = || live.poll(SOON / 4, || everybody_waits(live).then_some(()));
    let sleeps = || -> BTreeMap<Id, Option<u64>> {
        let state = live.log.lock();
        let alive = state.tasks.values().filter(|task| task.alive());
        alive.map(|task| (task.id, kernel::sleeps_of(task.process, task.id))).collect()
    };
    asleep();
    let before = sleeps();
    let length = joined(&live.log.lock()).len();
    client.send(b"!");
    let came = |state: &State| (joined(state).len() > length).then_some(());
    in_time(live, |slice| live.until(slice, came));
    asleep();
    let after = sleeps();
    after.into_iter().filter(|(id, n)| before.get(id) != Some(n)).map(|(id, _)| id).collect()
}

/// Holds everybody who is about to write a newline by itself.
fn before_a_bare_newline() -> Gate {
    std::sync::Arc::new(
        |moment: &Moment| matches!(moment.what, Step::Write(Stream::Stdout, bytes) if bytes == b"\n"),
    )
}

fn lines(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let address = exam.place(PORT);
    let arguments = [address.to_string(), "--threads".to_string()];
    let spec = Spec { gate: Some(before_a_bare_newline()), ..exam.spec(&arguments) };
    let live = exam.start(spec)?;
    live.poll(SOON, || kernel::listening(&live.log.lock()).first().copied());
    let (mut first, mut second) = (connect(&live, address)?, connect(&live, address)?);
    first.send(words[0].as_bytes());
    let held = live.until(SOON, |state| {
        let whole = state.lines_of(Stream::Stdout).any(|line| line.text() == words[0]);
        (whole || !state.held.is_empty()).then_some(!state.held.is_empty())
    });
    // It has written its word and not yet its newline. Can the other one write now?
    second.send(words[1].as_bytes());
    if held == Some(true) {
        live.poll(Duration::from_millis(200), || (live.log.lock().held.len() > 1).then_some(()));
    }
    live.open_gate();
    let mut both = words.iter().all(|word| printed(&live, word));
    // If each of the two writes has a lock of its own, it takes some luck to come between them.
    let length = words.concat().len();
    for round in 2..if held == Some(true) { ROUNDS } else { 2 } {
        first.send(words[0].as_bytes());
        second.send(words[1].as_bytes());
        let came = |state: &State| (joined(state).len() >= round * length).then_some(());
        both &= in_time(&live, |slice| live.until(slice, came)).is_some();
        if !both {
            break;
        }
    }
    let state = live.end();
    let lines = stdout(&state);
    let mixed: Vec<_> = lines.iter().filter(|line| !words.contains(line)).cloned().collect();
    expect(
        both && mixed.is_empty(),
        format!("'{}' and '{}', each on a line of its own", words[0], words[1]),
        || some(if mixed.is_empty() { &lines } else { &mixed }),
    )?;
    Ok(vec![
        match held {
            Some(true) => "a word and its newline are two writes, between which no other one came",
            _ => "a word and its newline are one write",
        }
        .into(),
    ])
}

/// How often two clients send at the same time.
const ROUNDS: usize = 300;

fn stream(exam: &mut Exam) -> Finding {
    let buffer = exam.random.usize(300..900);
    let (live, address) = serve(exam, PORT, &["--buffer", &buffer.to_string()])?;
    let mut bytes = vec![0; 1 << 20];
    exam.random.fill(&mut bytes);
    for byte in &mut bytes {
        *byte = b'a' + *byte % 26;
    }
    let mut client = connect(&live, address)?;
    client.send(&bytes);
    client.half_close();
    // It closes when it has read all, or has given up; what it has printed then is on its way.
    in_time(&live, |slice| (client.read_to_end(slice) != Closed::Open).then_some(()));
    in_time(&live, |slice| {
        live.until(slice, |state| {
            let enough = state.read >= bytes.len() as u64; // it has newlines in it, too
            (enough && joined(state).len() >= bytes.len()).then_some(())
        })
    });
    let came = joined(&live.log.lock());
    let same = came.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    expect(came == bytes, format!("{} bytes", bytes.len()), || {
        format!("{} bytes, the first {same} as sent{}", came.len(), fate(&live))
    })?;
    let state = live.end();
    let lengths = || state.lines_of(Stream::Stdout).map(|line| line.bytes.len());
    let longest = lengths().max().unwrap_or(0);
    expect(longest <= buffer, format!("--buffer {buffer}: no chunk is longer"), || {
        format!("a chunk of {longest} bytes")
    })?;
    let chunks = lengths().count();
    Ok(vec![format!(
        "{} bytes in {chunks} chunks of at most {buffer}, none lost or changed",
        bytes.len()
    )])
}

/// Characters of two, three and four bytes.
const TEXT: &str = "жжётся:線程,𝄞и🐍!";

fn characters(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = connect(&live, address)?;
    for (sent, byte) in (1..).zip(TEXT.as_bytes()) {
        let read = send_byte(&live, &mut client, *byte);
        // When a character is whole it must come out.
        let Some(whole) = TEXT.get(..sent) else {
            continue;
        };
        let came = |state: &State| (joined(state).len() >= whole.len()).then_some(());
        if !read || in_time(&live, |slice| live.until(slice, came)).is_none() {
            break;
        }
    }
    let text = |state: &State| String::from_utf8_lossy(&joined(state)).into_owned();
    let came = text(&live.log.lock());
    expect(came == TEXT, format!("'{TEXT}', sent byte by byte"), || {
        format!("'{came}'{}", end_of(&live, &client))
    })?;
    client.send(b"(\xff)");
    in_time(&live, |slice| live.until(slice, |state| text(state).ends_with(')').then_some(())));
    let came = text(&live.log.lock()).split_off(TEXT.len());
    expect(came == "(\u{fffd})", "'(\u{fffd})' for the bytes 28 FF 29", || {
        format!("'{came}'{}", fate(&live))
    })?;
    live.end();
    Ok(vec![format!("{} bytes sent one by one: '{TEXT}'; FF: '\u{fffd}'", TEXT.len())])
}

fn rude(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let word = exam.word();
    let mut client = send(&live, address, &word, "a client that behaves")?;
    closes(&live, &mut client, "a client that has said all")?;
    let open = || kernel::descriptors(live.pid()).unwrap_or(0);
    let before = open();

    let word = exam.word();
    let mut client = connect(&live, address)?;
    client.send(word.as_bytes());
    comes(&live, &client, &word, "a client before it resets")?;
    client.reset();
    send(&live, address, &exam.word(), "a client after one that was reset when it was served")?;

    drop(connect(&live, address)?);
    send(&live, address, &exam.word(), "a client after one that had nothing to say")?;

    let mut garbage = connect(&live, address)?;
    garbage.send(b"\xff\xfe\xc3(\xf0\x9f");
    drop(garbage);
    send(&live, address, &exam.word(), "a client after one that sent bytes that are no UTF-8")?;

    paused(&live, || connect(&live, address).map(Peer::reset))?;
    let word = exam.word();
    let mut client =
        send(&live, address, &word, "a client after one that was reset before it was accepted")?;
    closes(&live, &mut client, "a client that has said all")?;
    let left = in_time(&live, |slice| live.poll(slice, || (open() <= before).then_some(())));
    expect(left.is_some(), "the sockets of all clients are closed when they have gone", || {
        format!("{before} descriptors were open before 8 clients came and went, then {}", open())
    })?;
    live.end();
    Ok(vec!["served after a reset, an empty connection, invalid UTF-8, a reset unaccepted".into()])
}

/// The time limit that clients are given.
const LIMIT: Duration = Duration::from_millis(300);

/// How long a client that talks is silent at most, and how long it should be.
const PAUSE: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(80)];

/// A client that sends a word again and again, for longer than the time limit but never silent for
/// so long; and when it has sent its last word. Nothing when we are too late with a word ourselves:
/// then the server may be right to close.
fn talkative(
    live: &Live,
    address: SocketAddr,
    word: &str,
) -> Result<Option<(Peer, Instant)>, Trouble> {
    let begun = Instant::now();
    let mut last = begun;
    let mut client = connect(live, address)?;
    let mut length = joined(&live.log.lock()).len();
    // Since its first word was printed: before that, nobody may have known of it.
    let mut known: Option<Instant> = None;
    // It is the moment of sending that counts: we may be late to see what has been printed.
    while known.is_none_or(|known| last < known + LIMIT + PAUSE[0]) {
        let before = std::mem::replace(&mut last, Instant::now());
        client.send(word.as_bytes());
        let silent = before.elapsed();
        if silent > PAUSE[0] {
            return Ok(None);
        }
        let all = begun.elapsed().as_millis();
        length += word.len();
        let came = |state: &State| (joined(state).len() >= length).then_some(());
        let printed = in_time(live, |slice| live.until(slice, came));
        expect(
            printed.is_some(),
            format!("'{word}' again and again, of a client that is never silent for long"),
            || {
                let (silent, end) = (silent.as_millis(), end_of(live, &client));
                format!(
                    "none {all} ms after its connection and {silent} after the word before{end}"
                )
            },
        )?;
        known = known.or_else(|| Some(Instant::now()));
        live.poll(PAUSE[1], || None::<()>);
    }
    Ok(Some((client, last)))
}

fn timeout(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    // Beside it, one that waits for a minute: who has a time limit of his own does not.
    let (patient, at) = serve(exam, PORT, &["--timeout", "60"])?;
    let mut still = connect(&patient, at)?;
    still.send(words[0].as_bytes());
    comes(&patient, &still, &words[0], "a client that is silent from now on")?;
    let (live, address) = serve(exam, PORT, &["--timeout", &LIMIT.as_secs_f64().to_string()])?;
    // It is not the server that may not wait for long: nobody comes until the limit is over for who
    // has set it for accept, and until he has had a processor to notice.
    let waits = || everybody_waits(&live).then(|| live.log.now());
    let over = live.poll(SOON, waits).unwrap_or_default() + LIMIT + LIMIT / 4;
    live.poll(SOON, || waits().filter(|now| *now >= over));
    let mut client = None;
    for _ in 0..8 {
        client = talkative(&live, address, &words[0])?;
        if client.is_some() {
            break;
        }
    }
    let Some((mut client, silent)) = client else {
        return Err(Trouble::Unverified("this machine is too busy to be in time itself".into()));
    };
    closes(&live, &mut client, &format!("a client that is silent for {} ms", LIMIT.as_millis()))?;
    let time = silent.elapsed();
    // The kernel counts in ticks of some milliseconds.
    expect(time >= LIMIT * 9 / 10, format!("it is closed after {} ms", LIMIT.as_millis()), || {
        format!("it was closed when it had been silent for {} ms", time.as_millis())
    })?;
    send(&live, address, &words[1], "a client after one whose time was up")?;
    live.end();
    // It has been silent for longer than the one that was closed.
    let closed = still.is_closed();
    patient.end();
    expect(!closed, "with --timeout 60, one that is silent for a second is not closed", || {
        format!("it was closed, as with --timeout {}", LIMIT.as_secs_f64())
    })?;
    Ok(vec![format!(
        "--timeout {}: one that talked for longer was served on, and closed when it said no more; \
         the next one was served",
        LIMIT.as_secs_f64()
    )])
}

fn end(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    for (word, who) in words.iter().zip(["the first client", "the second"]) {
        send(&live, address, word, who)?;
    }
    ends(live, "with --connections 2, when 2 clients have come and gone")?;
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (live, address) = serve(exam, PORT, &[])?;
        let mut client = connect(&live, address)?;
        client.send(words[0].as_bytes());
        comes(&live, &client, &words[0], "a client that is connected")?;
        settle(&live);
        live.signal(signal);
        ends_at(live, signal)?;
    }
    Ok(vec![
        "--connections 2: exit status 0 after two".into(),
        "SIGTERM, SIGINT with a client connected: exit status 0".into(),
    ])
}

fn finishes(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (live, address) = serve(exam, PORT, &[])?;
        let mut client = connect(&live, address)?;
        client.send(words[0].as_bytes());
        comes(&live, &client, &words[0], "a client that is connected")?;
        let mut next = connect(&live, address)?;
        next.send(words[1].as_bytes());
        let text = words[2].repeat(500);
        text_and_signal(&live, &mut client, &text, signal);
        let state = ends_at(live, signal)?;
        let came = String::from_utf8_lossy(&joined(&state)).into_owned();
        let wanted = words[0].clone() + &text + &words[1];
        let whose =
            if came.len() >= wanted.len() - words[1].len() { "waiting" } else { "connected" };
        expect(
            came == wanted,
            format!("what had been received at {signal} of the client that was {whose}"),
            || format!("{} bytes of {}, all sent before the signal", came.len(), wanted.len()),
        )?;
    }
    Ok(vec![
        "SIGTERM, SIGINT: what a client that was connected and one that was waiting had sent is \
         printed, exit status 0"
            .into(),
    ])
}

fn restart(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = connect(&live, address)?;
    client.send(b"x");
    comes(&live, &client, "x", "a client that is connected")?;
    // The server closes first, so it is its side that stays in TIME_WAIT.
    settle(&live);
    live.signal(Signal::SIGTERM);
    ends_at(live, Signal::SIGTERM)?;
    client.read_to_end(SOON);
    drop(client);
    let (live, again) = serve_at(exam, address, &[])?;
    live.end();
    Ok(vec![format!("ended with a client connected, and listens again at {again}")])
}

fn manners(exam: &mut Exam) -> Finding {
    let mut evidence = manners::of_a_server(exam, PORT)?;
    // An address that somebody else has.
    let (live, address) = serve(exam, PORT, &[])?;
    let spec = exam.spec(&[address.to_string()]);
    let second = exam.start(spec)?.finish();
    live.end();
    let named = |line: &Line| line.text().contains(&address.to_string());
    let said = second.lines_of(Stream::Stderr).find(|line| named(line)).map(Line::text);
    let failed = second.ended == Some(Ending::Exit(1));
    expect(failed && said.is_some(), "an address in use: exit status 1, and its name", || {
        format!("{}; {}", manners::ended(&second), manners::last_words(&second))
    })?;
    let said = said.unwrap_or_default();
    evidence.push(format!("address in use: exit status 1, '{said}'"));
    Ok(evidence)
}
