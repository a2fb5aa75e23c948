//! What every demo promises beyond its section: bad usage, a closed stdout and a full one.

use super::peer::{Peer, ending};
use crate::exam::{Evidence, Exam, Finding, SOON, Trouble, expect, last_word};
use crate::run::{Ending, Line, Spec, State, Stdout, Stream, kernel};

/// For a program that prints by itself, from as many processes as it has when it is given no
/// arguments: each of them has its own failure to report.
pub(super) fn of_a_printer<const PROCESSES: usize>(exam: &mut Exam) -> Finding {
    let mut evidence = bad_usage(exam)?;
    let mut with = |stdout| -> Result<State, Trouble> {
        let spec = Spec { stdout, ..exam.spec::<&str>(&[]) };
        Ok(exam.start(spec)?.finish())
    };
    evidence.extend(closed_stdout(&with(Stdout::Head(0))?)?);
    evidence.extend(full_stdout(&with(Stdout::Full)?, PROCESSES)?);
    Ok(evidence)
}

/// An option that nobody knows is refused with status 2, and nothing is printed to stdout.
pub(super) fn bad_usage(exam: &mut Exam) -> Finding {
    let spec = exam.spec(&["--no-such-option"]);
    let run = exam.start(spec)?.finish();
    let quiet = run.lines_of(Stream::Stdout).next().is_none();
    let told = run.lines_of(Stream::Stderr).next().is_some();
    expect(
        run.ended == Some(Ending::Exit(2)) && quiet && told,
        "exit status 2, nothing on stdout and a word on stderr for an unknown option",
        || {
            let on = |printed, stream| if printed { stream } else { "nothing" };
            let (out, error) = (on(!quiet, "text"), on(told, "text"));
            format!("{}, {out} on stdout, {error} on stderr", ended(&run))
        },
    )?;
    Ok(vec!["--no-such-option: exit status 2, nothing on stdout".into()])
}

/// A reader that goes away ends the program quietly.
pub(super) fn closed_stdout(run: &State) -> Result<Evidence, Trouble> {
    let quiet = run.lines_of(Stream::Stderr).all(|line| !complains(line));
    let well = matches!(run.ended, Some(Ending::Exit(0) | Ending::Signal(nix::libc::SIGPIPE)));
    expect(quiet && well && run.survivors.is_empty(), "a closed stdout ends it quietly", || {
        format!("{}; {}", ended(run), last_words(run))
    })?;
    Ok(vec![format!("stdout closed: {}, no complaint", ended(run))])
}

/// A full disk is a failure that is reported in one line by each process that meets it.
pub(super) fn full_stdout(run: &State, processes: usize) -> Result<Evidence, Trouble> {
    let said: Vec<_> = run.lines_of(Stream::Stderr).map(Line::text).collect();
    let times = said.iter().filter(|line| line.contains("No space left on device")).count();
    let named = |line: &&String| {
        let name = line.split_once(": ").map_or("", |(name, _)| name);
        !name.is_empty() && !name.contains(' ')
    };
    let why = said.iter().filter(named).find(|line| line.contains("No space left on device"));
    let one = (1..=processes).contains(&times) && why.is_some();
    expect(
        run.ended == Some(Ending::Exit(1)) && one && run.survivors.is_empty(),
        "a full stdout gives exit status 1 and one line `NAME: what: why`",
        || format!("{}; {}", ended(run), last_words(run)),
    )?;
    Ok(vec![format!("stdout on /dev/full: exit status 1, '{}'", why.map_or("", |line| line))])
}

fn complains(line: &Line) -> bool {
    let text = line.text();
    ["panicked at", "Traceback", "Broken pipe"].iter().any(|words| text.contains(words))
}

pub(super) fn ended(run: &State) -> String {
    match (run.cut, run.ended) {
        (Some(cut), _) => cut.to_string(),
        (None, Some(ending)) => ending.to_string(),
        (None, None) => "it has not ended".into(),
    }
}

pub(super) fn last_words(run: &State) -> String {
    if !run.survivors.is_empty() {
        return format!("{:?} were still there after it", run.survivors);
    }
    let mut words: Vec<_> = run.lines_of(Stream::Stderr).map(Line::text).collect();
    if run.lines_of(Stream::Stderr).any(complains) {
        // Of its many lines, the one that says what happened.
        words = last_word(run).into_iter().collect();
    }
    if words.is_empty() { "nothing on stderr".into() } else { super::common::some(&words) }
}

/// The same of a server, which has something to print only when a client has sent it.
pub fn of_a_server(exam: &mut Exam, port: u16) -> Finding {
    let mut evidence = bad_usage(exam)?;
    let mut with = |to, what| -> Result<State, Trouble> {
        let address = exam.place(port);
        let spec = Spec { stdout: to, ..exam.spec(&[address.to_string()]) };
        let live = exam.start(spec)?;
        live.poll(SOON, || kernel::listening(&live.log.lock()).first().copied());
        // It may have noticed already that nobody reads, and be gone. Connected until it ends: a
        // client that closes with something unread resets, and some would not read its byte then.
        let mut client = Peer::connect(address);
        if let Ok(client) = &mut client {
            client.send(b"x");
        }
        let (ended, state) = ending(live);
        expect(ended.is_some(), format!("its end when stdout is {what}"), || {
            "it was still running when it had something to print".into()
        })?;
        Ok(state)
    };
    evidence.extend(closed_stdout(&with(Stdout::Head(0), "closed")?)?);
    evidence.extend(full_stdout(&with(Stdout::Full, "full")?, 1)?);
    Ok(evidence)
}
