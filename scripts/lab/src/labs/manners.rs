//! What every demo promises beyond its section: bad usage, a closed stdout and a full one.

use crate::exam::{Evidence, Exam, Finding, Trouble, expect, whole};
use crate::run::{Ending, Line, Spec, State, Stdout, Stream};

/// For a program that prints by itself, from as many processes as it has when it is given no
/// arguments: each of them has its own failure to report.
pub(super) fn of_a_printer<const PROCESSES: usize>(exam: &mut Exam) -> Finding {
    let mut evidence = bad_usage(exam)?;
    let mut with = |stdout| -> Result<State, Trouble> {
        let spec = Spec { stdout, ..exam.spec::<&str>(&[]) };
        whole(exam.start(spec)?.finish())
    };
    evidence.extend(closed_stdout(&with(Stdout::Head(0))?)?);
    evidence.extend(full_stdout(&with(Stdout::Full)?, PROCESSES)?);
    Ok(evidence)
}

/// An option that nobody knows is refused with status 2, and nothing is printed to stdout.
pub(super) fn bad_usage(exam: &mut Exam) -> Finding {
    let run = exam.run(&["--no-such-option"])?;
    let quiet = run.lines_of(Stream::Stdout).next().is_none();
    expect(
        run.ended == Some(Ending::Exit(2)) && quiet,
        "exit status 2 and nothing on stdout for an unknown option",
        || format!("{}, {}", ended(&run), if quiet { "nothing printed" } else { "text on stdout" }),
    )?;
    Ok(vec!["--no-such-option: exit status 2, nothing on stdout".into()])
}

/// A reader that goes away ends the program quietly.
pub(super) fn closed_stdout(run: &State) -> Result<Evidence, Trouble> {
    let quiet = run.lines_of(Stream::Stderr).all(|line| !is_a_panic(line));
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
    let one = (1..=processes).contains(&times);
    expect(
        run.ended == Some(Ending::Exit(1)) && one && run.survivors.is_empty(),
        "a full stdout gives exit status 1 and one line that says why",
        || format!("{}; {}", ended(run), last_words(run)),
    )?;
    Ok(vec![format!(
        "stdout on /dev/full: exit status 1, '{}'",
        said.iter().find(|line| line.contains("No space")).map_or("", |line| line)
    )])
}

fn is_a_panic(line: &Line) -> bool {
    let text = line.text();
    text.contains("panicked at") || text.contains("Traceback")
}

fn ended(run: &State) -> String {
    run.ended.map_or("it has not ended".into(), |ending| ending.to_string())
}

fn last_words(run: &State) -> String {
    if !run.survivors.is_empty() {
        return format!("{:?} were still there after it", run.survivors);
    }
    let words: Vec<_> = run.lines_of(Stream::Stderr).map(Line::text).collect();
    if words.is_empty() { "nothing on stderr".into() } else { super::common::some(&words) }
}
