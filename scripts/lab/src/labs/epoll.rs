//! Asynchronous I/O: `select.epoll`.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::common::{some, stdout};
use super::peer::{Peer, joined, printed, serve};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Live, Spec, Stdout, kernel};

/// The note's port.
const PORT: u16 = 10002;

/// `EPOLLOUT`, `epoll_ctl(2)`.
const WRITABLE: u32 = 0x4;

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
                needs: &["pings"],
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
    let mut clients = [Peer::connect(address)?, Peer::connect(address)?];
    for (client, word) in clients.iter_mut().zip(&words).rev() {
        client.send(word.as_bytes());
        expect(printed(&live, SOON, word), format!("'{word}' on a line of its own"), || {
            some(&stdout(&live.log.lock()))
        })?;
    }
    let before = joined(&live.log.lock()).len();
    let text = "ж線🐍";
    let mut sent = 0;
    for byte in text.as_bytes() {
        clients[0].send(&[*byte]);
        sent += 1;
        let came = |state: &crate::run::State| (joined(state).len() >= before + sent).then_some(());
        if text.is_char_boundary(sent) && live.until(SOON, came).is_none() {
            break;
        }
    }
    let state = live.end();
    let came = String::from_utf8_lossy(&joined(&state)[before..]).into_owned();
    expect(came == text, format!("'{text}', sent byte by byte"), || format!("'{came}'"))?;
    Ok(vec![format!("{}, {} from two clients; '{text}' byte by byte", words[1], words[0])])
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
    let clients: Vec<Peer> = (0..3).map(|_| Peer::connect(address)).collect::<Result<_, _>>()?;
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
    let mut client = Peer::connect(address)?;
    let wanted = "one ping at the beginning, one for each of 3 chunks";
    let mut expected = 0;
    for word in ["", "one", "two", "three"] {
        client.send(word.as_bytes());
        expected += 1;
        if !client.read_until(SOON, |received| received.len() >= 4 * expected) {
            live.end();
            return fail(wanted, format!("{:?} pings, {expected} were due", count(&client)));
        }
    }
    // One too many would come at once.
    client.read_until(Duration::from_millis(50), |received| received.len() > 16);
    live.end();
    expect(count(&client) == Some(4), wanted, || {
        format!("{} bytes: {}", client.received.len(), some(&[text(&client)]))
    })?;
    Ok(vec!["1 ping before anything was sent, then 1 for each of 3 chunks, and no more".into()])
}

fn text(peer: &Peer) -> String {
    String::from_utf8_lossy(&peer.received).into_owned()
}

fn others(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &[])?;
    let _silent = Peer::connect(address)?;
    let mut half = Peer::connect(address)?;
    half.send(b"\xd0"); // the first half of a character
    let before = kernel::resident(live.pid()).unwrap_or(0);
    // Each chunk is owed a ping, and this one reads none of them.
    let mut greedy = Peer::connect(address)?;
    let much = vec![b'.'; 8 << 20];
    let sent = greedy.send_for(Duration::from_millis(150), &much);
    let mut client = Peer::connect(address)?;
    client.send(word.as_bytes());
    let served = client.read_until(SOON, |received| received.len() >= 8);
    let said = printed(&live, SOON, &word);
    let grown = kernel::resident(live.pid()).unwrap_or(0).saturating_sub(before);
    live.end();
    expect(served && said, "another client is served meanwhile", || {
        format!(
            "after 2 silent clients and one that does not read: {} bytes",
            client.received.len()
        )
    })?;
    expect(grown < 4 << 20, "bounded memory for a client that does not read", || {
        format!("{} KiB more after it had sent {} KiB", grown >> 10, sent >> 10)
    })?;
    Ok(vec![format!(
        "one silent, one in mid-character, one that sent {} KiB and read nothing ({} KiB more \
         resident): the next was served",
        sent >> 10,
        grown >> 10
    )])
}

/// Processor time and sleeps of the program over this time.
fn cost(live: &Live, time: Duration) -> (Duration, u64) {
    let pid = live.pid();
    let read = || {
        (kernel::processor_time(pid).unwrap_or_default(), kernel::sleeps(pid).unwrap_or_default())
    };
    let before = read();
    std::thread::sleep(time);
    let after = read();
    (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1))
}

/// Long enough that a loop that never sleeps has used ten ticks of the clock.
const WHILE: Duration = Duration::from_millis(100);

fn idle(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &[])?;
    let mut clients: Vec<Peer> =
        (0..3).map(|_| Peer::connect(address)).collect::<Result<_, _>>()?;
    for client in &mut clients {
        client.read_until(SOON, |received| received.len() >= 4);
    }
    let calm = live.poll(SOON, || {
        let asked = registered(&live, 4).ok()?;
        asked.iter().all(|socket| socket.events & WRITABLE == 0).then_some(())
    });
    let (used, woken) = cost(&live, WHILE);
    live.end();
    expect(calm.is_some(), "EPOLLOUT not asked for while nothing is owed", || {
        "it is asked for all the time".into()
    })?;
    quiet(used, woken)?;
    Ok(vec![format!(
        "3 clients, nothing owed: no EPOLLOUT; in {} ms 0 ms of processor time, {woken} wake-ups",
        WHILE.as_millis()
    )])
}

fn quiet(used: Duration, woken: u64) -> Result<(), Trouble> {
    // A tick of the clock may fall to anybody; a loop that spins gets nearly all of them.
    expect(used <= Duration::from_millis(30) && woken < 10, "it sleeps", || {
        format!("{} ms of processor time and {woken} wake-ups in {WHILE:?}", used.as_millis())
    })
}

fn rude(exam: &mut Exam) -> Finding {
    let word = exam.word();
    let (live, address) = serve(exam, PORT, &[])?;
    let mut resets = Peer::connect(address)?;
    resets.read_until(SOON, |received| received.len() >= 4);
    resets.reset();
    let mut halves = Peer::connect(address)?;
    halves.send(b"last words");
    halves.half_close();
    let closed = halves.read_to_end(SOON);
    Peer::connect(address)?.reset();
    let mut client = Peer::connect(address)?;
    client.send(word.as_bytes());
    let served = client.read_until(SOON, |received| received.len() >= 8);
    drop(client);
    let pid = live.pid();
    // The listener alone is left when everybody has been let go.
    let left = live.poll(SOON, || {
        let all = kernel::epolls(pid).into_iter().flatten();
        (all.filter(|socket| kernel::is_socket(pid, socket.fd)).count() == 1).then_some(())
    });
    let (used, woken) = cost(&live, WHILE);
    live.end();
    expect(served, "a client after them is served", || "it was not".into())?;
    let got = count(&halves);
    expect(got == Some(2), "what is owed to a client that half-closes is sent", || {
        format!("{} bytes, then {closed:?}", halves.received.len())
    })?;
    expect(left.is_some(), "their sockets are closed", || "some are still registered".into())?;
    quiet(used, woken)?;
    Ok(vec![format!("a reset, a half-close (2 pings, then {closed:?}): let go; then it sleeps")])
}

fn end(exam: &mut Exam) -> Finding {
    let (live, address) = serve(exam, PORT, &["--connections", "2"])?;
    for _ in 0..2 {
        let mut client = Peer::connect(address)?;
        client.read_until(SOON, |received| received.len() >= 4);
    }
    done(&whole(live.finish())?)?;
    let (live, address) = serve(exam, PORT, &[])?;
    let mut client = Peer::connect(address)?;
    client.read_until(SOON, |received| received.len() >= 4);
    live.signal(Signal::SIGTERM);
    done(&whole(live.finish())?)?;
    Ok(vec!["--connections 2: exit status 0 after two; SIGTERM with a client connected: 0".into()])
}

fn manners(exam: &mut Exam) -> Finding {
    let mut evidence = manners::bad_usage(exam)?;
    let mut with = |to| -> Result<crate::run::State, Trouble> {
        let address = Exam::address(PORT);
        let spec = Spec { stdout: to, ..exam.spec(&[address.to_string()]) };
        let live = exam.start(spec)?;
        live.poll(SOON, || kernel::listening(&live.log.lock()).first().copied());
        // It may have noticed already that nobody reads, and be gone.
        if let Ok(mut client) = Peer::connect(address) {
            client.send(b"x");
        }
        whole(live.finish())
    };
    evidence.extend(manners::closed_stdout(&with(Stdout::Head(0))?)?);
    evidence.extend(manners::full_stdout(&with(Stdout::Full)?, 1)?);
    Ok(evidence)
}
