//! Iterators, generators, and coroutines: `__next__`, `yield`, `send`.

use std::rc::Rc;
use std::time::Duration;

use super::common::{in_a_row, in_order, some, stdout};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, ending, expect, fail, whole};
use crate::run::{Kind, Limits, Spec, State, Stdout, Stream, kernel};

pub(super) static LAB: Lab = Lab {
    name: "iter-gen",
    demo: "iter-gen-demo",
    title: "Iterators, generators and coroutines",
    about: "An iterator keeps its place in a field, a generator in its local variables: its body \
            stops at each yield. A coroutine is the other way round: values are sent into it.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| note(exam).map(drop),
        checks: &[
            Check {
                id: "lines",
                title: "the iterator's numbers, the generator's, and the lines with the pattern",
                points: 3,
                needs: &[],
                lesson: "The stop is not part of the range, and the pattern is a piece of text, \
                         not a regular expression.",
                examine: lines,
            },
            Check {
                id: "lazy",
                title: "a range without end begins at once, and ends when nobody reads any more",
                points: 2,
                needs: &["lines"],
                lesson: "A list of all values is not an iterator: the next value is made when it \
                         is asked for.",
                examine: lazy,
            },
            Check {
                id: "primed",
                title: "the coroutine has begun before it is sent a line",
                points: 1,
                needs: &["lines"],
                lesson: "The first next runs the body up to its first yield; only there can it \
                         take a value. If it is primed, flush what it prints.",
                examine: primed,
            },
            Check {
                id: "resumed",
                title: "each line goes through the coroutine before the next one is read",
                points: 3,
                needs: &["primed"],
                lesson: "A filter over a list of all lines is no coroutine: send resumes the body \
                         with one line, and it runs to its next yield.",
                examine: resumed,
            },
            Check {
                id: "memory",
                title: "memory does not grow with the number of values or lines",
                points: 1,
                needs: &["resumed"],
                lesson: "Whoever collects the values keeps them all: an iterator has a place, not a list.",
                examine: memory,
            },
            Check {
                id: "manners",
                title: "bad usage, a closed stdout and a full one are handled",
                points: 0,
                needs: &[],
                lesson: "Errors have an exit status and one line on stderr.",
                examine: manners::of_a_printer::<1>,
            },
        ],
    },
    more: &[
        Scene {
            text: "The note asks: what is the difference?",
            show: |exam| subcommand(exam, "difference").map(drop),
            checks: &[Check {
                id: "difference",
                title: "the generator's body runs only from one yield to the next",
                points: 0,
                needs: &[],
                lesson: "Calling a generator function runs nothing of it; next does, up to the \
                         next yield.",
                examine: difference,
            }],
        },
        Scene {
            text: "What can be done with a coroutine, and what Python does in each case.",
            show: |exam| subcommand(exam, "coroutine").map(drop),
            checks: &[Check {
                id: "coroutine",
                title: "send before the first next is an error; close runs the clean-up once",
                points: 0,
                needs: &[],
                lesson: "close raises GeneratorExit at the yield where the body waits; before its \
                         start there is none, and nothing to clean up.",
                examine: coroutine,
            }],
        },
    ],
};

fn note(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("note", |exam| Ok(Kept::new(exam.run::<&str>(&[])?, [])))
}

/// What must be printed, in exactly this order.
fn wanted(stop: usize, top: usize, pattern: &str, lines: &[String]) -> Vec<String> {
    let numbers = (0..stop).chain(0..top).map(|number| number.to_string());
    let matches = lines.iter().filter(|line| line.contains(pattern)).cloned();
    numbers.chain(["start grep".to_string()]).chain(matches).collect()
}

/// Passes when stdout has these lines, in this order, and the program ended well.
fn same(run: &State, wanted: &[String]) -> Result<(), Trouble> {
    done(run)?;
    let seen = stdout(run);
    let first = wanted.iter().zip(&seen).position(|(wanted, seen)| wanted != seen);
    let at = first.unwrap_or(wanted.len().min(seen.len()));
    expect(seen == wanted, format!("{} lines in order", wanted.len()), || {
        let line = |lines: &[String]| {
            lines.get(at).map_or_else(|| "nothing".into(), |line| some(std::slice::from_ref(line)))
        };
        format!("line {}: {} instead of {}", at + 1, line(&seen), line(wanted))
    })
}

fn lines(exam: &mut Exam) -> Finding {
    let sent = ["I love u, Anya", "python is simple"].map(String::from);
    same(&*note(exam)?, &wanted(9, 4, "python", &sent))?;
    let (stop, top) = (exam.random.usize(10..30), exam.random.usize(0..7));
    // A pattern that a regular expression would read in another way.
    let words = exam.words(3);
    let pattern = format!("{}.{}", words[0], words[1]);
    let sent = [
        format!("{} {}{pattern}{}", words[2], words[1], words[2]), // within a word
        format!("{}x{}", words[0], words[1]),
        pattern.clone(),
        pattern.to_uppercase(),
    ];
    let options = ["--stop", "--top", "--pattern"].map(String::from);
    let values = [stop.to_string(), top.to_string(), pattern.clone()];
    let mut arguments: Vec<String> =
        options.into_iter().zip(values).flat_map(|(option, value)| [option, value]).collect();
    arguments.extend(sent.iter().cloned());
    let run = exam.run(&arguments)?;
    same(&run, &wanted(stop, top, &pattern, &sent))?;
    Ok(vec![format!("the note's 15 lines; 0..{stop}, 0..{top}, and 2 of 4 lines with '{pattern}'")])
}

/// More than could be counted, or kept.
const ENDLESS: &str = "1000000000000";

fn lazy(exam: &mut Exam) -> Finding {
    let spec = Spec { stdout: Stdout::Head(3), ..exam.spec(&["--stop", ENDLESS]) };
    let spec = Spec { unattributed: true, ..spec };
    let live = exam.start(spec)?;
    let over =
        live.until(SOON, |state| (state.ended.is_some() || state.cut.is_some()).then_some(()));
    let run = whole(if over.is_some() { live.finish() } else { live.end() })?;
    let seconds = SOON.as_secs();
    let how = if over.is_some() { ending(&run) } else { format!("{seconds} seconds") };
    let first: Vec<_> = stdout(&run).into_iter().take(3).collect();
    expect(first == ["0", "1", "2"], "the lines 0, 1, 2 at once", || {
        if first.is_empty() { format!("no line; {how}") } else { some(&first) }
    })?;
    expect(over.is_some(), "it ends once the reader of its output has gone", || {
        format!("3 lines were read; {seconds} seconds later it still ran")
    })?;
    let ended = run.ended.map_or_else(String::new, |ending| ending.to_string());
    let at = run.ended_at.unwrap_or_default().as_secs_f64() * 1e3;
    Ok(vec![format!("--stop {ENDLESS}: 3 lines read, reader gone; {ended} after {at:.0} ms")])
}

/// Values or bytes of lines: many times what a program keeps, and printed or read in a moment.
const FEW: usize = 1000;
const MANY: usize = 100_000;

/// More memory than a program may need for many, and less than a list of so many numbers of four
/// bytes takes.
const GROWN: u64 = 300 << 10;

/// A line without a letter of any word that is looked for.
const LINE: &str =
    "................................................................................\n";

/// Bytes of lines that are sent at once: no more than a pipe takes, so that feeding never waits.
const PIECE: usize = 16 << 10;

/// The most memory that was held when so many numbers were printed, and after `pieces` of lines.
fn most_held(exam: &mut Exam, stop: usize, top: usize, pieces: usize) -> Result<[u64; 2], Trouble> {
    let word = exam.word();
    let arguments = ["--stop", &stop.to_string(), "--top", &top.to_string(), "--pattern", &word];
    let spec = exam.spec(&[&arguments[..], &["-"]].concat());
    // So many numbers are not printed at once, and on a busy machine not soon.
    let limits = Limits { time: 3 * spec.limits.time, ..spec.limits };
    let mut live = exam.start(Spec { stdin: true, unattributed: true, limits, ..spec })?;
    let mut held = Vec::new();
    let begin = "start grep".to_string();
    for wanted in std::iter::once(begin).chain((0..pieces).map(|piece| format!("{word} {piece}"))) {
        if !held.is_empty() {
            let lines = LINE.repeat(PIECE / LINE.len());
            live.feed(format!("{lines}{wanted}\n").as_bytes());
        }
        let came = live.until(limits.time, |state| {
            let last = state.lines.iter().rev().take(2);
            last.into_iter().any(|line| line.text() == wanted).then_some(())
        });
        if came.is_none() {
            let ended = live.log.lock().ended.is_some();
            let run = live.end();
            let saw = if ended { ending(&run) } else { "it did not come".into() };
            return fail(format!("the line '{wanted}'"), saw);
        }
        // The most it ever held: a list may be gone again when all of it is printed.
        held.push(kernel::most_resident(live.pid()).unwrap_or(0));
    }
    let run = live.finish();
    done(&run)?;
    let (wanted, seen) = (stop + top + 1 + pieces, run.lines_of(Stream::Stdout).count());
    expect(seen == wanted, format!("{wanted} lines for --stop {stop} --top {top}"), || {
        format!("{seen} lines")
    })?;
    Ok([held[0], held[pieces]])
}

fn memory(exam: &mut Exam) -> Finding {
    const PIECES: usize = 40;
    let the_same = |few: u64, many: u64, what: String| {
        let grown = many.saturating_sub(few);
        expect(grown < GROWN, format!("the same memory after {what}"), || {
            format!("{} KiB more after {what}", grown >> 10)
        })
    };
    let [few, after_lines] = most_held(exam, FEW, FEW, PIECES)?;
    let kib = (PIECE * PIECES) >> 10;
    the_same(few, after_lines, format!("{kib} KiB of lines"))?;
    let [stop, _] = most_held(exam, MANY, FEW, 0)?;
    the_same(few, stop, format!("{} values more of the iterator (--stop)", MANY - FEW))?;
    let [top, _] = most_held(exam, FEW, MANY, 0)?;
    the_same(few, top, format!("{} values more of the generator (--top)", MANY - FEW))?;
    Ok(vec![format!(
        "at most {} KiB held for {FEW} values each; {} KiB for {MANY}, and after {kib} KiB of lines",
        few >> 10,
        stop.max(top).max(after_lines) >> 10
    )])
}

fn primed(exam: &mut Exam) -> Finding {
    let spec = Spec { stdin: true, ..exam.spec(&["-"]) };
    let live = exam.start(spec)?;
    let begun = live.until(SOON, |state| {
        state.lines_of(Stream::Stdout).any(|line| line.text() == "start grep").then_some(())
    });
    let read = live.log.lock().ended.is_none();
    let run = live.finish();
    done(&run)?;
    expect(begun.is_some() && read, "`start grep` before any line is sent", || {
        let came = stdout(&run).iter().any(|line| line == "start grep");
        match (begun.is_some(), came) {
            (true, _) => "the program ended without having read a line".into(),
            (false, true) => {
                "it came only when stdin had ended, out of a buffer or a body that began late"
                    .into()
            }
            (false, false) => "it did not come while stdin was open and empty".into(),
        }
    })?;
    Ok(vec!["stdin open and empty: `start grep` is printed".into()])
}

fn resumed(exam: &mut Exam) -> Finding {
    let words = exam.words(4);
    let spec = Spec { stdin: true, ..exam.spec(&["--pattern", &words[0], "-"]) };
    let mut live = exam.start(spec)?;
    let mut waited = Duration::ZERO;
    let mut sent_lines = Vec::new();
    for word in &words[1..] {
        let matching = format!("{word} {}", words[0]);
        sent_lines.extend([word.clone(), matching.clone()]);
        live.feed(format!("{word}\n{matching}\n").as_bytes());
        let sent = live.log.now();
        let came = live.until(SOON, |state| {
            let printed = state.lines_of(Stream::Stdout).any(|printed| printed.text() == matching);
            printed.then_some(())
        });
        waited = waited.max(live.log.now().saturating_sub(sent));
        if came.is_none() {
            let run = live.finish();
            let late = stdout(&run).contains(&matching);
            let when = if late { " until stdin had ended" } else { "" };
            return fail(
                "the line with the pattern is printed while the next one has not been sent",
                format!("'{matching}' was not printed{when}"),
            );
        }
    }
    let run = live.finish();
    same(&run, &wanted(9, 4, &words[0], &sent_lines))?;
    let made: Vec<_> = run.made().filter(|task| task.kind == Kind::Process).collect();
    expect(made.is_empty(), "the program itself looks for the pattern", || {
        let other = made[0].executed.as_ref().map(|other| format!(", {}", other.display()));
        format!("it made another process for it{}", other.unwrap_or_default())
    })?;
    let waited = waited.as_secs_f64() * 1e3;
    Ok(vec![format!(
        "3 lines, each printed before the next was sent, at most {waited:.1} ms later"
    )])
}

fn subcommand(exam: &mut Exam, name: &'static str) -> Result<Rc<Kept>, Trouble> {
    exam.kept(name, |exam| Ok(Kept::new(exam.run(&[name])?, [])))
}

fn difference(exam: &mut Exam) -> Finding {
    let run = subcommand(exam, "difference")?;
    in_a_row(
        &run,
        &[
            "g = traced(2)",
            "g.next()",
            "| begins",
            "| yields 0",
            "Some(0)",
            "g.next()",
            "| goes on after its yield",
            "| yields 1",
            "Some(1)",
        ],
    )?;
    let wanted = [
        "it.curr = 0; it MyIt { stop: 4, curr: 0 }",
        "b.next() Some(0)",
        "a.next() Some(2)",
        "g.next(), g.next() (None, None)",
        "start grep",
        "python is simple",
    ];
    in_order(&run, &wanted)?;
    Ok(vec!["nothing runs before the first next; two generators count for themselves".into()])
}

fn coroutine(exam: &mut Exam) -> Finding {
    let run = subcommand(exam, "coroutine")?;
    let wanted = [
        "g.send(\"too early\")",
        "TypeError",
        "| start grep",
        "| python is simple",
        "| handled: no such line",
        "g.close()",
        "| stop grep",
        "g.send(\"too late\")",
        "StopIteration",
        "g.throw(Interrupted",
        "Interrupted: something wrong",
    ];
    in_order(&run, &wanted)?;
    let cleaned = stdout(&run).iter().filter(|line| *line == "| stop grep").count();
    expect(cleaned == 2, "two bodies that had begun, and two clean-ups", || {
        format!("{cleaned} clean-ups")
    })?;
    Ok(vec![
        "TypeError before the first next; 2 bodies begun, 2 clean-ups, 0 where none began".into(),
    ])
}
