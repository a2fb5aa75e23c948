//! Sockets, the client. Here the grader is the server.

use std::io::Write as _;
use std::process::ChildStdin;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{Closed, Host, Peer};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Ending, Line, Live, Spec, Stream, kernel};

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
                points: 3,
                needs: &[],
                lesson: "A connection has no messages in it, only bytes: what marks the end of \
                         one here is the end of its connection.",
                examine: messages,
            },
            Check {
                id: "closes",
                title: "each connection is closed in order, not reset",
                points: 1,
                needs: &["messages"],
                lesson: "A reset throws away what was on its way: close in order, and leave \
                         SO_LINGER alone.",
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
                title: "three mebibytes reach a server that reads slowly",
                points: 2,
                needs: &["messages"],
                lesson: "send may take only a part; sendall goes on until all of it is taken.",
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
                needs: &[],
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

/// What comes through the connections of one run, and how each was closed.
fn received(
    exam: &mut Exam,
    arguments: &[String],
    count: usize,
) -> Result<(Vec<(String, Closed)>, crate::run::State), Trouble> {
    let host = Host::new()?;
    let live = start(exam, &host, arguments)?;
    let mut all = Vec::new();
    for number in 1..=count {
        let Some(mut peer) = host.accept(&live)? else {
            let state = live.end();
            let said: Vec<_> = state.lines_of(Stream::Stderr).map(Line::text).collect();
            let said = if said.is_empty() { String::new() } else { format!("; {}", some(&said)) };
            return fail(
                format!("{count} connections, one for each message"),
                format!("connection {number} did not come{said}"),
            );
        };
        let closed = peer.read_to_end(SOON);
        let text = String::from_utf8_lossy(&peer.received).into_owned();
        exam.tell(format!("our server at {} received {text}", host.address));
        all.push((text, closed));
    }
    let one_more = host.pending()?.is_some();
    let state = live.finish();
    expect(!one_more, format!("{count} connections"), || "one more".into())?;
    Ok((all, state))
}

fn show(exam: &mut Exam) -> Result<(), Trouble> {
    received(exam, &[], 2).map(drop)
}

fn messages(exam: &mut Exam) -> Finding {
    let texts = |all: Vec<(String, Closed)>| -> Vec<String> {
        all.into_iter().map(|(text, _)| text).collect()
    };
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
    let words = exam.words(3);
    let (all, _) = received(exam, &words, 3)?;
    let how = |closed: &Closed| match closed {
        Closed::Fin => "end of file".to_string(),
        Closed::Reset => "reset".to_string(),
        Closed::Open => format!("still open after {} seconds", SOON.as_secs()),
    };
    let how: Vec<_> = all.iter().map(|(_, closed)| how(closed)).collect();
    expect(how.iter().all(|how| how == "end of file"), "end of file after each message", || {
        how.join(", ")
    })?;
    Ok(vec!["end of file after each of 3 messages, no reset".into()])
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

/// A client that sends this through its stdin and one connection: once it is connected, with
/// whoever feeds it.
fn feed(
    exam: &mut Exam,
    host: &Host,
    bytes: &[u8],
) -> Result<(Live, Peer, std::thread::JoinHandle<()>), Trouble> {
    let mut live = start(exam, host, &["-".to_string()])?;
    let Some(mut stdin): Option<ChildStdin> = live.stdin.take() else {
        return Err(anyhow::anyhow!("no pipe to the program's stdin").into());
    };
    let bytes = bytes.to_vec();
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&bytes);
    });
    if let Some(peer) = host.accept(&live)? {
        return Ok((live, peer, feeder));
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

fn large(exam: &mut Exam) -> Finding {
    let bytes = much(exam, 3);
    let host = Host::small()?;
    let (live, mut peer, feeder) = feed(exam, &host, &bytes)?;
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
    let closed = peer.read_to_end(SOON);
    let received = std::mem::take(&mut peer.received);
    drop(peer); // a client may wait for this before it ends
    let state = whole(live.finish())?;
    let _ = feeder.join();
    expect(received == bytes, format!("{} bytes", bytes.len()), || {
        format!("{}; {closed:?}; {}", compared(&received, &bytes), manners::last_words(&state))
    })?;
    done(&state)?;
    let how = if waited { "stopped and continued while it waited to send: " } else { "" };
    Ok(vec![format!(
        "{how}{} bytes of stdin through one connection, none lost or changed",
        bytes.len()
    )])
}

fn talks(exam: &mut Exam) -> Finding {
    let bytes = much(exam, 1);
    let host = Host::small()?;
    let (live, mut peer, feeder) = feed(exam, &host, &bytes)?;
    peer.send(b"welcome");
    // Late: when a client that does not read has closed long ago.
    live.poll(Duration::from_millis(100), || live.log.lock().ended);
    peer.widen();
    let closed = peer.read_to_end(SOON);
    let received = std::mem::take(&mut peer.received);
    drop(peer);
    let state = whole(live.finish())?;
    let _ = feeder.join();
    expect(
        received == bytes && closed == Closed::Fin,
        format!("{} bytes, then the end of file", bytes.len()),
        || format!("{}; {closed:?}", compared(&received, &bytes)),
    )?;
    done(&state)?;
    Ok(vec![format!("{} bytes, then {closed:?}, although the server had talked", bytes.len())])
}

fn refused(exam: &mut Exam) -> Finding {
    // An address that has just been free, and that nobody else draws.
    let host = Host::new()?;
    let address = host.address;
    drop(host);
    let run = exam.run(&["--addr".to_string(), address.to_string()])?;
    let said: Vec<_> = run.lines_of(Stream::Stderr).map(Line::text).collect();
    let named = said.iter().any(|line| line.contains(&address.to_string()));
    let failed = matches!(run.ended, Some(Ending::Exit(status)) if status != 0);
    expect(
        failed && named,
        format!("an exit status that is not 0, and {address} on stderr"),
        || format!("{}; {}", manners::ended(&run), manners::last_words(&run)),
    )?;
    let last = said.last().cloned().unwrap_or_default();
    Ok(vec![format!("{}: '{last}'", run.ended.map_or_else(String::new, |e| e.to_string()))])
}

fn vanishes(exam: &mut Exam) -> Finding {
    // More than all buffers between can hold: or it might be done, and right to end well.
    let bytes = much(exam, 12);
    let mut evidence = Vec::new();
    // After an end of file of the server the error is EPIPE, with a SIGPIPE; else ECONNRESET.
    for (ends, how) in [(false, "reset"), (true, "end of file, then reset,")] {
        let host = Host::new()?;
        let (live, mut peer, feeder) = feed(exam, &host, &bytes)?;
        peer.read_until(SOON, |received| !received.is_empty());
        if ends {
            peer.half_close();
        }
        peer.reset();
        let run = whole(live.finish())?;
        let _ = feeder.join();
        expect(
            matches!(run.ended, Some(Ending::Exit(status)) if status != 0),
            "an exit status that is not 0",
            || format!("{how} in the middle of 12 MiB: {}", manners::ended(&run)),
        )?;
        evidence.push(format!("{how} in the middle of 12 MiB: {}", manners::last_words(&run)));
    }
    Ok(evidence)
}

fn manners(exam: &mut Exam) -> Finding {
    let mut evidence = manners::bad_usage(exam)?;
    let host = Host::new()?;
    let address = host.address;
    drop(host);
    let run = exam.run(&["--addr".to_string(), address.to_string()])?;
    let said = run.lines_of(Stream::Stderr).count();
    expect(
        run.ended == Some(Ending::Exit(1)) && said == 1,
        "without a server: exit status 1 and one line on stderr",
        || format!("{}, {said} lines; {}", manners::ended(&run), manners::last_words(&run)),
    )?;
    evidence.push(format!("without a server: exit status 1, {}", manners::last_words(&run)));
    Ok(evidence)
}
