//! Sockets, the client. Here the grader is the server.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ChildStdin;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{Closed, Host, Peer, ending, fate, in_time};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Ending, Line, Live, Spec, State, Stream, kernel};
use crate::words::fill;

pub(super) static LAB: Lab = Lab {
    name: "client",
    demo: "socket-client",
    title: "Sockets: the client",
    about: "Two ways to the same connection: socket and connect, or create_connection, which \
            does both. Then sendall and close.",
    timed: &[],
    scene: Scene {
        text: "",
        show,
        checks: &[
            Check {
                id: "messages",
                title: "each message comes whole, through a connection of its own, in order",
                points: 2,
                needs: &[],
                lesson: "A connection has no messages in it, only bytes: what marks the end of \
                         one here is the end of its connection.",
                examine: messages,
            },
            Check {
                id: "closes",
                title: "each connection is closed before the next one, in order and not reset",
                points: 1,
                needs: &["messages"],
                lesson: "What is sent is at its end when the connection is: close it at once. A \
                         reset throws away what was on its way: leave SO_LINGER alone.",
                examine: closes,
            },
            Check {
                id: "quiet",
                title: "it prints nothing and ends with status 0",
                points: 1,
                needs: &["messages"],
                lesson: "Who has something to send and nothing to say should say nothing.",
                examine: quiet,
            },
            Check {
                id: "large",
                title: "three mebibytes of stdin, as they come, reach a server that reads slowly",
                points: 2,
                needs: &["messages"],
                lesson: "send may take only a part; sendall goes on until all of it is taken. And \
                         stdin is read a part at a time: it may be without end.",
                examine: large,
            },
            Check {
                id: "refused",
                title: "without a server it fails, and names the address",
                points: 2,
                needs: &[],
                lesson: "An exit status of 0 tells the caller that the message was sent.",
                examine: refused,
            },
            Check {
                id: "vanishes",
                title: "a server that resets in the middle makes it fail, not die",
                points: 1,
                needs: &["messages"],
                lesson: "Writing to a connection that is gone raises SIGPIPE, which ends a program \
                         that has not asked for an error instead.",
                examine: vanishes,
            },
            Check {
                id: "timeout",
                title: "with --timeout it does not wait for longer, and fails",
                points: 1,
                needs: &["messages"],
                lesson: "A server that does not read lets the system's buffers fill up, and then \
                         whoever sends waits without end: settimeout, and its error is one like \
                         any other.",
                examine: timeout,
            },
            Check {
                id: "talks",
                title: "a server that talks and reads late still gets everything",
                points: 0,
                needs: &["large"],
                lesson: "A socket that is closed with something unread in it sends a reset, and \
                         what was on its way is lost: shut down, read until the end, then close.",
                examine: talks,
            },
            Check {
                id: "manners",
                title: "bad usage and a server that is not there are one line on stderr",
                points: 0,
                needs: &["refused"],
                lesson: "Errors have an exit status and one line on stderr.",
                examine: manners,
            },
        ],
    },
    more: &[],
};

/// Starts the client with these arguments against a server of ours.
fn start(exam: &mut Exam, host: &Host, more: &[String]) -> Result<Live, Trouble> {
    let mut arguments = vec!["--addr".to_string(), host.address.to_string()];
    arguments.extend(more.iter().cloned());
    let spec = Spec { stdin: more.iter().any(|word| word == "-"), ..exam.spec(&arguments) };
    exam.start(spec)
}

/// What came through a connection, and how it was closed; `Open` when it was not, although the
/// program had gone on to something else.
type Received = (String, Closed);

/// What comes through the connections of one run. A program that reads its stdin is not given the
/// end of it before its last connection has come, so that it can't close the others by ending.
fn received(
    exam: &mut Exam,
    arguments: &[String],
    count: usize,
) -> Result<(Vec<Received>, State), Trouble> {
    let host = Host::new(exam)?;
    let mut live = start(exam, &host, arguments)?;
    let mut all: Vec<Received> = Vec::new();
    let mut open = Vec::new(); // ours are not the first to be closed
    let mut next = None;
    for number in 1..=count {
        if next.is_none() {
            next = host.accept(&live)?;
        }
        if next.is_none() && live.stdin.take().is_some() {
            next = host.accept(&live)?; // it wanted to have read everything before
        }
        let Some(mut peer) = next.take() else {
            let came: Vec<_> = all.into_iter().map(|(text, _)| text).collect();
            let came =
                if came.is_empty() { String::new() } else { format!(" after {}", some(&came)) };
            return fail(
                format!("{count} connections, one for each message"),
                format!("connection {number} did not come{came}{}", fate(&live)),
            );
        };
        if number == count {
            live.stdin = None;
        }
        // To its end, or until the next one is there: what was closed before that has its end here, and
        // it may have been since we looked.
        let mut closed = in_time(&live, |slice| match peer.read_to_end(slice) {
            Closed::Open => {
                next = host.pending().ok().flatten();
                next.is_some().then(|| peer.read_what_is_there())
            }
            closed => Some(closed),
        });
        if closed.is_none() && live.stdin.is_some() {
            closed = Some(Closed::Open); // it waits for its stdin
        }
        let text = String::from_utf8_lossy(&peer.received).into_owned();
        let Some(closed) = closed else {
            return fail(
                "the end of each connection, when its message has been sent",
                format!("connection {number} brought '{text}' and stays open: the program waits"),
            );
        };
        let seen = [("address", &host.address as _), ("text", &text as _)];
        exam.tell(fill("our server at {address} received {text}", &seen));
        all.push((text, closed));
        if closed == Closed::Open {
            open.push(peer);
        }
    }
    let (ended, state) = ending(live);
    expect(ended.is_some(), "the program ends when everything is sent", || {
        "it was still running".into()
    })?;
    let one_more = host.pending()?.map(|mut peer| {
        peer.read_to_end(SOON);
        String::from_utf8_lossy(&peer.received).into_owned()
    });
    expect(one_more.is_none(), format!("{count} connections"), || {
        format!("one more, which brought '{}'", one_more.as_deref().unwrap_or_default())
    })?;
    Ok((all, state))
}

fn show(exam: &mut Exam) -> Result<(), Trouble> {
    received(exam, &[], 2).map(drop)
}

fn messages(exam: &mut Exam) -> Finding {
    let texts =
        |all: Vec<Received>| -> Vec<String> { all.into_iter().map(|(text, _)| text).collect() };
    let note = texts(received(exam, &[], 2)?.0);
    expect(note == ["hello", "ping"], "hello, then ping", || some(&note))?;
    let mut wanted = exam.words(3);
    wanted[1].push_str(" и 線程");
    let seen = texts(received(exam, &wanted, 3)?.0);
    expect(seen == wanted, some(&wanted), || some(&seen))?;
    Ok(vec![format!(
        "hello, ping; then {}: each through a connection of its own",
        wanted.join(", ")
    )])
}

fn closes(exam: &mut Exam) -> Finding {
    let mut messages = exam.words(3);
    messages[2] = "-".into();
    let (all, _) = received(exam, &messages, 3)?;
    for (number, (_, closed)) in (1..).zip(&all) {
        let saw = match closed {
            Closed::Fin => continue,
            Closed::Reset => "a reset",
            Closed::Open => "none: the connection was still open when the program had gone on",
        };
        return fail(format!("the end of file after message {number}"), saw);
    }
    Ok(vec!["end of file after each of 3 messages before the next, no reset".into()])
}

fn quiet(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let (_, state) = received(exam, &words, 2)?;
    let state = whole(state)?;
    done(&state)?;
    let lines = stdout(&state);
    expect(lines.is_empty(), "nothing on stdout", || some(&lines))?;
    Ok(vec!["0 bytes on stdout, exit status 0".into()])
}

/// So many mebibytes of anything.
fn much(exam: &mut Exam, mebibytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; mebibytes << 20];
    exam.random.fill(&mut bytes);
    bytes
}

/// A client that sends its stdin through one connection, once it is connected.
struct Fed {
    live: Live,
    peer: Peer,
    feeder: JoinHandle<()>,
    /// As long as it is there, stdin stays open when all has been written.
    hold: Option<Sender<()>>,
}

fn feed(exam: &mut Exam, host: &Host, bytes: &[u8], more: &[String]) -> Result<Fed, Trouble> {
    let mut arguments = more.to_vec();
    arguments.push("-".into());
    let mut live = start(exam, host, &arguments)?;
    let Some(mut stdin): Option<ChildStdin> = live.stdin.take() else {
        return Err(anyhow::anyhow!("no pipe to the program's stdin").into());
    };
    let bytes = bytes.to_vec();
    let (hold, until) = mpsc::channel();
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&bytes);
        let _ = until.recv();
    });
    let mut hold = Some(hold);
    let mut peer = host.accept(&live)?;
    if peer.is_none() {
        hold = None; // it may want to read everything before it connects
        peer = host.accept(&live)?;
    }
    if let Some(peer) = peer {
        return Ok(Fed { live, peer, feeder, hold });
    }
    let said = manners::last_words(&live.end());
    let _ = feeder.join();
    fail("a connection", format!("none came; {said}"))
}

/// How much of what was sent has come.
fn compared(received: &[u8], bytes: &[u8]) -> String {
    let same = received.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    format!("{} bytes, the first {same} as sent", received.len())
}

/// How a connection was closed, in words.
fn how(closed: Closed) -> &'static str {
    match closed {
        Closed::Fin => "then the end of file",
        Closed::Reset => "then a reset",
        Closed::Open => "and no end",
    }
}

fn large(exam: &mut Exam) -> Finding {
    const BEFORE_THE_END: usize = 1 << 20;
    let bytes = much(exam, 3);
    let host = Host::small(exam)?;
    let Fed { live, mut peer, feeder, hold } = feed(exam, &host, &bytes, &[])?;
    // Nobody reads: the buffers between fill up, and the client has to wait in the middle of it.
    let pid = live.pid();
    let waits = |live: &Live| {
        live.poll(Duration::from_secs(2), || {
            let full = kernel::waiting(peer.far_port(), host.address.port()).0 > 16 << 10;
            let before = kernel::sleeps(pid);
            std::thread::sleep(Duration::from_millis(5));
            (full && kernel::waits_for(pid, pid).is_some() && kernel::sleeps(pid) == before)
                .then_some(())
        })
    };
    let waited = waits(&live).is_some();
    // A call that is interrupted when it has done a part returns how much that was: signal(7).
    live.signal(Signal::SIGSTOP);
    live.poll(SOON, || kernel::stopped(pid).then_some(()));
    live.signal(Signal::SIGCONT);
    peer.widen();
    let enough = |received: &[u8]| received.len() >= BEFORE_THE_END;
    let begins = in_time(&live, |slice| peer.read_until(slice, enough).then_some(()));
    let begun = peer.received.len();
    drop(hold);
    let closed = in_time(&live, |slice| {
        Some(peer.read_to_end(slice)).filter(|closed| *closed != Closed::Open)
    });
    let received = std::mem::take(&mut peer.received);
    drop(peer); // a client may wait for this before it ends
    let (_, state) = ending(live);
    let _ = feeder.join();
    expect(received == bytes, format!("{} bytes", bytes.len()), || {
        let how = how(closed.unwrap_or(Closed::Open));
        format!("{}, {how}; {}", compared(&received, &bytes), manners::last_words(&state))
    })?;
    expect(begins.is_some(), "the first mebibyte while stdin is still open", || {
        format!("{begun} bytes; the rest when stdin was at its end")
    })?;
    done(&whole(state)?)?;
    let how = if waited { "stopped and continued while it waited to send: " } else { "" };
    Ok(vec![format!(
        "{how}{} bytes of stdin through one connection, none lost or changed",
        bytes.len()
    )])
}

/// The time limit that the client is given.
const LIMIT: Duration = Duration::from_millis(300);

fn timeout(exam: &mut Exam) -> Finding {
    let bytes = much(exam, 12); // more than all buffers between can hold
    let (host, other) = (Host::small(exam)?, Host::small(exam)?);
    let option = |time: Duration| ["--timeout".to_string(), time.as_secs_f64().to_string()];
    let mut patient = feed(exam, &other, &bytes, &option(Duration::from_mins(1)))?;
    patient.hold = None;
    let begun = Instant::now();
    let Fed { live, peer, feeder, hold } = feed(exam, &host, &bytes, &option(LIMIT))?;
    drop(hold);
    let (ended, state) = ending(live);
    let time = begun.elapsed();
    drop(peer);
    let _ = feeder.join();
    // Who has a time limit of its own ends after that, whatever it is given.
    let early = patient.live.until(time / 2, |state| state.ended);
    patient.live.end();
    drop(patient.peer);
    let _ = patient.feeder.join();
    let said = manners::last_words(&state);
    let failed = matches!(ended, Some(Ending::Exit(status)) if status != 0);
    expect(
        failed,
        "an exit status that is not 0 when the server has read nothing for so long",
        || match ended {
            Some(ending) => format!("{ending}; {said}"),
            None => "it was still running, and waited to send".into(),
        },
    )?;
    expect(time >= LIMIT, format!("it waits for {} ms", LIMIT.as_millis()), || {
        format!("it ended after {} ms; {said}", time.as_millis())
    })?;
    expect(early.is_none(), "with --timeout 60 it still waits", || {
        format!("it ended as with --timeout {}: {said}", LIMIT.as_secs_f64())
    })?;
    Ok(vec![format!("--timeout {}: {said}; with 60 it still waited", LIMIT.as_secs_f64())])
}

fn talks(exam: &mut Exam) -> Finding {
    // More than the server's side keeps, and not more than the client's own side does.
    let bytes = much(exam, 1)[..24 << 10].to_vec();
    let host = Host::small(exam)?;
    let Fed { live, mut peer, feeder, hold } = feed(exam, &host, &bytes, &[])?;
    drop(hold);
    peer.send(b"welcome");
    // Late: when a client that does not read has closed long ago.
    live.poll(Duration::from_millis(100), || live.log.lock().ended);
    peer.widen();
    let closed = in_time(&live, |slice| {
        Some(peer.read_to_end(slice)).filter(|closed| *closed != Closed::Open)
    })
    .unwrap_or(Closed::Open);
    let received = std::mem::take(&mut peer.received);
    drop(peer);
    let (_, state) = ending(live);
    let _ = feeder.join();
    expect(
        received == bytes && closed == Closed::Fin,
        format!("{} bytes, then the end of file", bytes.len()),
        || format!("{}, {}", compared(&received, &bytes), how(closed)),
    )?;
    done(&whole(state)?)?;
    Ok(vec![format!("{} bytes, {}, although the server had talked", bytes.len(), how(closed))])
}

/// A run against an address that has just been free, and that nobody else draws.
fn nobody_listens(exam: &mut Exam) -> Result<(Option<Ending>, State, SocketAddr), Trouble> {
    let host = Host::new(exam)?;
    let address = host.address;
    drop(host);
    let spec = exam.spec(&["--addr".to_string(), address.to_string()]);
    let (ended, state) = ending(exam.start(spec)?);
    Ok((ended, state, address))
}

fn refused(exam: &mut Exam) -> Finding {
    // An address that has just been free, and that nobody else draws.
    let (ended, run, address) = nobody_listens(exam)?;
    let wanted = format!("an exit status that is not 0, and {address} on stderr");
    let Some(ended) = ended else {
        return fail(wanted, format!("it was still running; {}", manners::last_words(&run)));
    };
    // In whatever way the two are written together.
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let said = |line: &Line| line.text().contains(&host) && line.text().contains(&port);
    let named = run.lines_of(Stream::Stderr).any(said);
    let failed = matches!(ended, Ending::Exit(status) if status != 0);
    let saw = format!("{ended}; {}", manners::last_words(&run));
    expect(failed && named, wanted, || saw.clone())?;
    Ok(vec![saw])
}

fn vanishes(exam: &mut Exam) -> Finding {
    // More than all buffers between can hold: or it might be done, and right to end well.
    let bytes = much(exam, 12);
    let mut evidence = Vec::new();
    // After an end of file of the server the error is EPIPE, with a SIGPIPE; else ECONNRESET.
    for (ends, how) in [(false, "reset"), (true, "end of file, then reset,")] {
        let host = Host::new(exam)?;
        let Fed { live, mut peer, feeder, hold } = feed(exam, &host, &bytes, &[])?;
        drop(hold);
        in_time(&live, |slice| {
            peer.read_until(slice, |received| !received.is_empty()).then_some(())
        });
        if ends {
            peer.half_close();
        }
        peer.reset();
        let (ended, run) = ending(live);
        let _ = feeder.join();
        expect(
            matches!(ended, Some(Ending::Exit(status)) if status != 0),
            "an exit status that is not 0",
            || {
                let ended = ended.map_or("it was still running".into(), |how| how.to_string());
                format!("{how} in the middle of 12 MiB: {ended}")
            },
        )?;
        evidence.push(format!("{how} in the middle of 12 MiB: {}", manners::last_words(&run)));
    }
    Ok(evidence)
}

fn manners(exam: &mut Exam) -> Finding {
    let mut evidence = manners::bad_usage(exam)?;
    let (_, run, _) = nobody_listens(exam)?;
    let said = run.lines_of(Stream::Stderr).count();
    expect(
        run.ended == Some(Ending::Exit(1)) && said == 1,
        "without a server: exit status 1 and one line on stderr",
        || format!("{}, {said} lines; {}", manners::ended(&run), manners::last_words(&run)),
    )?;
    evidence.push(format!("without a server: exit status 1, {}", manners::last_words(&run)));
    Ok(evidence)
}
