//! Sockets, the client. Here the grader is the server.

use std::io::Write as _;
use std::time::Duration;

use super::common::{some, stdout};
use super::peer::{Closed, Host};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Ending, Line, Live, Spec, Stream};

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
                lesson: "A socket that is closed with something unread in it sends a reset, and \
                         what was on its way may be lost.",
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
                id: "manners",
                title: "bad usage is refused",
                points: 0,
                needs: &[],
                lesson: "Errors have an exit status and one line on stderr.",
                examine: manners::bad_usage,
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
        let Some(mut peer) = host.accept(SOON)? else {
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
    let one_more = host.accept(Duration::ZERO)?.is_some();
    let state = whole(live.finish())?;
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
    let how: Vec<_> = all.iter().map(|(_, closed)| format!("{closed:?}")).collect();
    expect(how.iter().all(|how| how == "Fin"), "end of file after each message", || {
        how.join(", ")
    })?;
    Ok(vec!["end of file after each of 3 messages, no reset".into()])
}

fn quiet(exam: &mut Exam) -> Finding {
    let words = exam.words(2);
    let (_, state) = received(exam, &words, 2)?;
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

fn large(exam: &mut Exam) -> Finding {
    let bytes = much(exam, 3);
    let host = Host::new()?;
    let mut live = start(exam, &host, &["-".to_string()])?;
    let Some(mut stdin) = live.stdin.take() else {
        return Err(anyhow::anyhow!("no pipe to the program's stdin").into());
    };
    let text = bytes.clone();
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&text);
    });
    let Some(mut peer) = host.accept(SOON)? else {
        live.end();
        let _ = feeder.join();
        return fail("a connection", "none came");
    };
    // Nobody reads: all buffers between fill up, and the client has to wait.
    std::thread::sleep(Duration::from_millis(30));
    let closed = peer.read_to_end(SOON);
    let received = std::mem::take(&mut peer.received);
    drop(peer); // a client may wait for this before it ends
    let state = whole(live.finish())?;
    let _ = feeder.join();
    let same = received.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    expect(received == bytes, format!("{} bytes", bytes.len()), || {
        format!("{} bytes, the first {same} as sent; {closed:?}", received.len())
    })?;
    done(&state)?;
    Ok(vec![format!("{} bytes of stdin through one connection, none lost or changed", bytes.len())])
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
        || {
            let ended = run.ended.map_or_else(String::new, |ending| ending.to_string());
            format!("{ended}; {}", some(&said))
        },
    )?;
    let last = said.last().cloned().unwrap_or_default();
    Ok(vec![format!("{}: '{last}'", run.ended.map_or_else(String::new, |e| e.to_string()))])
}

fn vanishes(exam: &mut Exam) -> Finding {
    let host = Host::new()?;
    let mut live = start(exam, &host, &["-".to_string()])?;
    let bytes = much(exam, 3);
    let Some(mut stdin) = live.stdin.take() else {
        return Err(anyhow::anyhow!("no pipe to the program's stdin").into());
    };
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&bytes);
    });
    let Some(mut peer) = host.accept(SOON)? else {
        live.end();
        let _ = feeder.join();
        return fail("a connection", "none came");
    };
    peer.read_until(SOON, |received| !received.is_empty());
    peer.reset();
    let run = whole(live.finish())?;
    let _ = feeder.join();
    let wanted = "an exit status that is not 0";
    match run.ended {
        Some(Ending::Exit(status)) if status != 0 => {}
        Some(ending) => return fail(wanted, ending.to_string()),
        None => return fail(wanted, "it did not end"),
    }
    let said = run.lines_of(Stream::Stderr).last().map(Line::text).unwrap_or_default();
    Ok(vec![format!("reset in the middle of 3 MiB: '{said}'")])
}
