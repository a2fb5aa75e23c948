//! Sockets, the server.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{
    Closed, Peer, connect, fate, joined, printed, serve, serve_at, settle, word_and_signal,
};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Ending, Gate, Kind, Line, Live, Moment, Spec, Stdout, Step, Stream, kernel};

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
                points: 2,
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
                title: "a stream of a mebibyte comes out as it went in",
                points: 1,
                needs: &["prints"],
                lesson: "One recv is not one message: it returns what is there, up to its limit.",
                examine: stream,
            },
            Check {
                id: "characters",
                title: "a character that comes in pieces is put together",
                points: 1,
                needs: &["prints"],
                lesson: "Decoding each chunk by itself breaks the character at its edge: decode \
                         incrementally.",
                examine: characters,
            },
            Check {
                id: "rude",
                title: "a client that resets, or sends garbage, does not end it",
                points: 1,
                needs: &["prints"],
                lesson: "An error of one connection is that connection's: drop it, go on with the \
                         next.",
                examine: rude,
            },
            Check {
                id: "end",
                title: "it ends after --connections, and at SIGTERM, with status 0",
                points: 1,
                needs: &["prints"],
                lesson: "A server is ended by a signal, and its exit should say that nothing went \
                         wrong.",
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
        exam.tell(format!("a client connects to {address}, sends {word}, and closes"));
        send(&live, address, word)?;
    }
    done(&whole(live.finish())?)
}

/// Sends a word through a connection of its own, and waits until it is printed.
fn send(live: &Live, address: std::net::SocketAddr, word: &str) -> Result<(), Trouble> {
    let mut client = connect(live, address)?;
    client.send(word.as_bytes());
    client.half_close();
    expect(printed(live, SOON, word), format!("'{word}' on a line of its own"), || {
        let lines = stdout(&live.log.lock());
        let lines = if lines.is_empty() { "nothing printed".into() } else { some(&lines) };
        lines + &fate(live)
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
    for word in &words {
        send(&live, address, word)?;
    }
    // When the client has said all, the server closes too: what it holds open, it never gets back.
    let mut client = connect(&live, address)?;
    client.half_close();
    let closed = client.read_to_end(SOON);
    let state = live.end();
    expect(stdout(&state) == words, format!("only {}", some(&words)), || some(&stdout(&state)))?;
    expect(closed != Closed::Open, "the connection is closed when the client has closed", || {
        format!("it was still open after {} seconds", SOON.as_secs())
    })?;
    Ok(vec![format!("3 clients one after the other: {}; each connection closed", words.join(", "))])
}

fn one_at_a_time(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    let (live, address) = serve(exam, PORT, &[])?;
    let mut first = connect(&live, address)?;
    first.send(words[0].as_bytes());
    expect(
        printed(&live, SOON, &words[0]),
        "the first client's word while it is connected",
        || format!("it was not printed{}", fate(&live)),
    )?;
    let mut second = connect(&live, address)?;
    second.send(words[1].as_bytes());
    second.half_close();
    // The first is still served after the second has come: so the second has been waiting.
    first.send(words[2].as_bytes());
    let served = printed(&live, SOON, &words[2]);
    let early = printed(&live, Duration::from_millis(30), &words[1]);
    drop(first);
    let late = printed(&live, SOON, &words[1]);
    live.end();
    expect(served, "the first client is served on", || "its second word was not printed".into())?;
    expect(!early, "the second client waits while the first is connected", || {
        "it was served at the same time without --threads".into()
    })?;
    expect(late, "the second client is served when the first has gone", || {
        "what it had sent was lost".into()
    })?;
    Ok(vec![
        "connected and sent while the first was served; printed when the first had gone".into(),
    ])
}

fn threads(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    let (live, address) = serve(exam, PORT, &["--threads"])?;
    let silent = connect(&live, address)?;
    let mut open = Vec::new();
    for word in &words {
        let mut client = connect(&live, address)?;
        client.send(word.as_bytes());
        open.push(client);
        if !printed(&live, SOON, word) {
            let fate = fate(&live);
            live.end();
            return fail(
                "everybody is served while the first client says nothing",
                format!("'{word}' was not printed{fate}"),
            );
        }
    }
    let made = live.log.lock().made().filter(|task| task.alive()).count();
    let threads = kernel::threads(live.pid()).len();
    drop((silent, open));
    let state = live.end();
    expect(made >= 4, "a thread (or process) for each of the 4 clients", || {
        format!("{made} besides the first")
    })?;
    let processes = state.made().filter(|task| task.kind == Kind::Process).count();
    Ok(vec![format!(
        "4 clients connected, one of them silent, 3 served: {threads} threads, {processes} more \
         processes"
    )])
}

/// Holds everybody who is about to write a newline by itself.
fn before_a_bare_newline() -> Gate {
    std::sync::Arc::new(
        |moment: &Moment| matches!(moment.what, Step::Write(Stream::Stdout, bytes) if bytes == b"\n"),
    )
}

fn lines(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let address = Exam::address(PORT);
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
    let both = words.iter().all(|word| printed(&live, Duration::from_millis(500), word));
    let state = live.end();
    expect(both, format!("'{}' and '{}', each on a line of its own", words[0], words[1]), || {
        some(&stdout(&state))
    })?;
    Ok(vec![
        match held {
            Some(true) => {
                "held between a word and its newline, a thread kept the other one waiting"
            }
            _ => "a word and its newline are one write",
        }
        .into(),
    ])
}

fn stream(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut bytes = vec![0; 1 << 20];
    exam.random.fill(&mut bytes);
    for byte in &mut bytes {
        *byte = b'a' + *byte % 26;
    }
    let mut client = Peer::connect(address)?;
    client.send(&bytes);
    client.half_close();
    // Each chunk comes with a newline, so this many bytes are not all of it yet: see to the rest.
    live.until(SOON, |state| (state.read >= bytes.len() as u64).then_some(()));
    live.poll(SOON, || (joined(&live.log.lock()).len() >= bytes.len()).then_some(()));
    let state = live.end();
    let came = joined(&state);
    let same = came.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    expect(came == bytes, format!("{} bytes", bytes.len()), || {
        format!("{} bytes, the first {same} as sent", came.len())
    })?;
    let chunks = state.lines_of(Stream::Stdout).count();
    Ok(vec![format!("{} bytes in {chunks} chunks, none lost or changed", bytes.len())])
}

/// Characters of two, three and four bytes.
const TEXT: &str = "жжётся:線程,𝄞и🐍!";

fn characters(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = Peer::connect(address)?;
    for (sent, byte) in (1..).zip(TEXT.as_bytes()) {
        client.send(&[*byte]);
        // When a character is whole it must come out, so that the next byte is read by itself.
        if let Some(whole) = TEXT.get(..sent) {
            let came =
                |state: &crate::run::State| (joined(state).len() >= whole.len()).then_some(());
            if live.until(SOON, came).is_none() {
                break;
            }
        }
    }
    drop(client);
    let fate = fate(&live);
    let state = live.end();
    let came = String::from_utf8_lossy(&joined(&state)).into_owned();
    expect(came == TEXT, format!("'{TEXT}', sent byte by byte"), || format!("'{came}'{fate}"))?;
    Ok(vec![format!("{} bytes sent one by one: '{TEXT}'", TEXT.len())])
}

fn rude(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = Peer::connect(address)?;
    client.send(words[0].as_bytes());
    expect(printed(&live, SOON, &words[0]), "a word of a client that is connected", || {
        format!("it was not printed{}", fate(&live))
    })?;
    client.reset();
    drop(connect(&live, address)?);
    let mut garbage = connect(&live, address)?;
    garbage.send(b"\xff\xfe\xc3(\xf0\x9f");
    drop(garbage);
    send(&live, address, &words[1])?;
    // A reset before anybody has accepted the connection.
    connect(&live, address)?.reset();
    send(&live, address, &words[2])?;
    live.end();
    Ok(vec!["served after a reset, an empty connection, invalid UTF-8, a reset unaccepted".into()])
}

fn end(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    for word in &words {
        send(&live, address, word)?;
    }
    done(&whole(live.finish())?)?;
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = Peer::connect(address)?;
    client.send(words[0].as_bytes());
    expect(printed(&live, SOON, &words[0]), "the word of a client that is connected", || {
        format!("it was not printed{}", fate(&live))
    })?;
    settle(&live);
    live.signal(Signal::SIGTERM);
    let state = whole(live.finish())?;
    done(&state)?;
    Ok(vec!["--connections 2: exit status 0 after two; SIGTERM with a client connected: 0".into()])
}

fn finishes(exam: &mut Exam) -> Finding {
    let words = exam.words(3);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (live, address) = serve(exam, PORT, &[])?;
        let mut client = connect(&live, address)?;
        client.send(words[0].as_bytes());
        expect(printed(&live, SOON, &words[0]), "the word of a client that is connected", || {
            format!("it was not printed{}", fate(&live))
        })?;
        let mut next = connect(&live, address)?;
        next.send(words[1].as_bytes());
        word_and_signal(&live, &mut client, &words[2], signal);
        let state = whole(live.finish())?;
        done(&state)?;
        let lines = stdout(&state);
        for (word, whose) in [(&words[2], "connected"), (&words[1], "waiting to be accepted")] {
            expect(
                lines.contains(word),
                format!("'{word}', sent before {signal} by a client that was {whose}"),
                || format!("only {}", some(&lines)),
            )?;
        }
    }
    Ok(vec![
        "SIGTERM, SIGINT: the last words of a client that was connected and of one that was \
         waiting are printed, exit status 0"
            .into(),
    ])
}

fn restart(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = Peer::connect(address)?;
    client.send(b"x");
    expect(printed(&live, SOON, "x"), "the client's byte", || "it did not come".into())?;
    // The server closes first, so it is its side that stays in TIME_WAIT.
    settle(&live);
    live.signal(Signal::SIGTERM);
    done(&whole(live.finish())?)?;
    client.read_to_end(SOON);
    drop(client);
    let (live, again) = serve_at(exam, address, &[])?;
    live.end();
    Ok(vec![format!("ended with a client connected, and listens again at {again}")])
}

fn manners(exam: &mut Exam) -> Finding {
    let mut evidence = manners::bad_usage(exam)?;
    let mut with = |to| -> Result<crate::run::State, Trouble> {
        let address = Exam::address(PORT);
        let spec = Spec { stdout: to, ..exam.spec(&[address.to_string()]) };
        let live = exam.start(spec)?;
        live.poll(SOON, || kernel::listening(&live.log.lock()).first().copied());
        // It may have noticed already that nobody reads, and be gone. Connected until it ends.
        let mut client = Peer::connect(address);
        if let Ok(client) = &mut client {
            client.send(b"x");
        }
        Ok(live.finish())
    };
    evidence.extend(manners::closed_stdout(&with(Stdout::Head(0))?)?);
    evidence.extend(manners::full_stdout(&with(Stdout::Full)?, 1)?);
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
