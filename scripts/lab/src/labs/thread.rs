//! Threads: `threading.Thread`.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::common::{
    all_at_work, at_work, delayed, in_order, numbers, prints, some, stdout, waits_for_held, writer,
};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, expect, fail};
use crate::run::kernel::{self, Waits};
use crate::run::{Ending, Id, Kind, Moment, Spec, State, Step, Stream, Task};

pub(super) static LAB: Lab = Lab {
    name: "thread",
    demo: "thread-demo",
    title: "Threads",
    about: "A thread is like a process in that the kernel runs it, and unlike one in that it \
            lives in the process that made it, with the same memory and files.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| note(exam).map(drop),
        checks: &[
            Check {
                id: "lines",
                title: "each name is greeted once",
                points: 2,
                needs: &[],
                lesson: "A thread that is not joined may not come to its line before the program \
                         ends.",
                examine: lines,
            },
            Check {
                id: "threads",
                title: "each greeting comes from a thread of its own, in one process",
                points: 3,
                needs: &["lines"],
                lesson: "target=f() calls f at once, in the thread that you are in, and makes a \
                         thread of its result. target=f hands it over.",
                examine: threads,
            },
            Check {
                id: "overlap",
                title: "all of them are alive at the same time",
                points: 2,
                needs: &["threads"],
                lesson: "A join right after each start makes them run one after the other: start \
                         all, then join all.",
                examine: overlap,
            },
            Check {
                id: "joined",
                title: "the program waits for a thread that takes longer",
                points: 2,
                needs: &["threads"],
                lesson: "When main returns, a daemon thread (in Rust: every thread) is cut off \
                         wherever it is: join them.",
                examine: joined,
            },
            Check {
                id: "trait",
                title: "a value with a run method does the same",
                points: 1,
                needs: &["threads"],
                lesson: "start must call run in the new thread; run called directly makes none. \
                         And start all before the first join, here too.",
                examine: by_inheritance,
            },
            Check {
                id: "named",
                title: "the kernel knows the threads by their names",
                points: 0,
                needs: &["threads"],
                lesson: "A thread with a name is found in top -H and in a debugger.",
                examine: named,
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
            text: "What threads share, and what each has of its own.",
            show: |exam| anatomy_run(exam).map(drop),
            checks: &[Check {
                id: "anatomy",
                title: "one PID and one GLOBAL; for each thread another TID and another stack",
                points: 0,
                needs: &[],
                lesson: "A thread is what the kernel runs; a process is what its threads share, \
                         clone(2).",
                examine: anatomy,
            }],
        },
        Scene {
            text: "Threads have limits: in Python one lock for all of them, and in any language the \
                   fate of their process.",
            show: |exam| limits_run(exam).map(drop),
            checks: &[Check {
                id: "limits",
                title: "a panic ends one thread, a crash the process with all of them",
                points: 0,
                needs: &[],
                lesson: "A panic unwinds one stack. A signal such as SIGSEGV or SIGABRT is for the \
                         whole process.",
                examine: limits,
            }],
        },
    ],
};

fn note(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("note", |exam| Ok(Kept::new(exam.run::<&str>(&[])?, ["Bob".to_string()])))
}

/// With names that nobody could have typed in.
fn random(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("random", |exam| {
        let names = exam.words(3);
        Ok(Kept::new(exam.run(&names)?, names))
    })
}

/// The run that most checks look at.
fn held(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("held", |exam| {
        let names = exam.words(4);
        Ok(Kept::new(held_at_work(exam, "function", &names)?, names))
    })
}

/// A run in which nobody greets until all threads are at work, and the first thread waits. What it
/// does meanwhile is over by then: where stdout has one buffer for all threads, as in Python, it may
/// write what another one has put into it, as the interpreter does at the end of the main module.
fn held_at_work(exam: &mut Exam, style: &str, names: &[String]) -> Result<State, Trouble> {
    let spec = Spec { gate: Some(at_work(names.to_vec())), ..exam.spec(&styled(style, names)) };
    let live = exam.start(spec)?;
    all_at_work(&live, names.len());
    live.open_gate();
    Ok(live.finish())
}

fn styled(style: &str, names: &[String]) -> Vec<String> {
    ["--style", style].map(String::from).into_iter().chain(delayed(names)).collect()
}

/// A run in which the threads are held at the beginning of their delays, and let go one at a time:
/// nobody else runs when one of them greets. And who was let go so.
fn one_by_one(
    exam: &mut Exam,
    style: &str,
    names: &[String],
) -> Result<(State, BTreeSet<Id>), Trouble> {
    let mut spec = exam.spec(&styled(style, names));
    spec.gate = Some(Arc::new(|moment: &Moment| {
        moment.task != moment.process && matches!(moment.what, Step::Sleep)
    }));
    let live = exam.start(spec)?;
    all_at_work(&live, names.len());
    let (mut gone, pid) = (BTreeSet::new(), live.pid());
    while let Some(next) = live.until(SOON, |state| state.held.first().copied()) {
        let said = |state: &State| state.lines_of(Stream::Stdout).count();
        let before = said(&live.log.lock());
        live.let_one_go(next);
        gone.insert(next);
        // Until it has ended, sleeps once more, or has greeted and waits for something else.
        live.poll(SOON, || {
            let state = live.log.lock();
            let over = !state.tasks[&next].alive() || state.held.contains(&next);
            let waits = said(&state) > before && kernel::waits_for(pid, next).is_some();
            (over || waits).then_some(())
        });
    }
    live.open_gate();
    Ok((live.finish(), gone))
}

/// Passes when each name is greeted by another thread. Where one may have written what another one
/// had put into their buffer, they are let go one at a time, which tells.
fn one_each(exam: &mut Exam, style: &str, run: &State, names: &[String]) -> Result<(), Trouble> {
    let writers = |run: &State, names: &[String]| -> Result<Vec<Id>, Trouble> {
        names.iter().map(|name| Ok(writer(run, |line| line == greeting(name))?.id)).collect()
    };
    if writers(run, names)?.into_iter().collect::<BTreeSet<Id>>().len() == names.len() {
        return Ok(());
    }
    let names = exam.words(3);
    let (run, gone) = one_by_one(exam, style, &names)?;
    prints(&run, &names.iter().map(|name| greeting(name)).collect::<Vec<_>>())?;
    let seen = writers(&run, &names)?;
    // Those that sleep in a way of their own can't be let go one at a time, which tells nothing.
    let count = |id: &Id| seen.iter().filter(|other| *other == id).count();
    let busy = gone.iter().find(|id| count(id) > 1);
    expect(busy.is_none(), "a thread of its own for each name", || {
        let by_one = busy.map_or(0, count);
        format!("let go one at a time: {by_one} of {} names are greeted by one", names.len())
    })
}

fn greeting(name: &str) -> String {
    format!("Hello, {name}")
}

fn lines(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    for make in [note, random] {
        let run = make(exam)?;
        let wanted: Vec<_> = run.inputs.iter().map(|name| greeting(name)).collect();
        prints(&run, &wanted)?;
        evidence.push(format!("{}: once each", run.inputs.join(", ")));
    }
    Ok(evidence)
}

/// The threads that the program made: none of the greetings may come from any other one, and there
/// must be one for each name.
///
/// Not a thread for each line: where stdout has one buffer for all threads, as in Python, one of
/// them may write what another one has put into it.
fn greeters<'a>(run: &'a State, names: &[String]) -> Result<Vec<&'a Task>, Trouble> {
    let wanted = "a thread of its own for each name, in the program's own process";
    let root = run.root().map_or(0, |task| task.id);
    let own = |task: &&Task| task.kind == Kind::Thread && task.process == root;
    let threads: Vec<&Task> = run.made().filter(own).collect();
    for name in names {
        let writer = writer(run, |line| line == greeting(name))?;
        expect(writer.process == root, wanted, || {
            format!("{name} was greeted by another process, {}", writer.process)
        })?;
        expect(writer.kind == Kind::Thread, wanted, || {
            let line = run.lines_of(Stream::Stdout).find(|line| line.text().contains(name));
            let over = |thread: &&Task| thread.died < line.map(|line| line.at);
            let when = if threads.len() >= names.len() && threads.iter().all(over) {
                ", after the others had ended: itself, or out of a buffer that they had not flushed"
            } else {
                ""
            };
            format!("{name} was greeted by the first thread of the program ({root}){when}")
        })?;
    }
    expect(threads.len() >= names.len(), wanted, || {
        format!("for {} names it made threads: {}", names.len(), threads.len())
    })?;
    Ok(threads)
}

fn threads(exam: &mut Exam) -> Finding {
    let run = held(exam)?;
    done(&run)?;
    let greeters = greeters(&run, &run.inputs)?;
    let processes = run.made().filter(|task| task.kind == Kind::Process).count();
    expect(processes == 0, "threads, not processes", || format!("{processes} processes made"))?;
    one_each(exam, "function", &run, &run.inputs)?;
    without_a_delay(exam)?;
    Ok(vec![format!(
        "{} lines by the threads {} of process {}; 0 processes made",
        run.inputs.len(),
        numbers(greeters),
        run.root().map_or(0, |task| task.id),
    )])
}

/// The same where there is nothing to wait for. One is held, who may have the lock on stdout, and
/// the others may wait for that; whether it is waited for is another check's business.
fn without_a_delay(exam: &mut Exam) -> Result<(), Trouble> {
    let names = exam.words(2);
    let spec = Spec { gate: Some(at_work(names.clone())), ..exam.spec(&names) };
    let live = exam.start(spec)?;
    all_at_work(&live, 1);
    live.open_gate();
    let greeted = |state: &State| stdout(state).len() >= names.len();
    live.until(SOON, |state| greeted(state).then_some(()));
    greeters(&live.end(), &names).map(drop)
}

fn overlap(exam: &mut Exam) -> Finding {
    let run = held(exam)?;
    all_at_once(&run, &run.inputs)
}

/// Passes when all were alive in a run in which they were held.
fn all_at_once(run: &State, names: &[String]) -> Finding {
    let threads = greeters(run, names)?;
    let mut greeting_threads = Vec::new();
    for name in names {
        greeting_threads.push(writer(run, |line| line == greeting(name))?);
    }
    // Who was held has neither ended nor been joined before all were let go. Where nobody could be,
    // it is the first who ended that tells.
    let first = greeting_threads.iter().min_by_key(|thread| thread.died);
    let (first, died) = first.map_or((0, None), |thread| (thread.id, thread.died));
    let over = died.into_iter().chain(run.opened).min();
    let in_time = |thread: &&Task| over.is_none_or(|over| thread.born < over);
    let late = greeting_threads.iter().filter(|thread| !in_time(thread)).count();
    let in_time: Vec<_> = threads.into_iter().filter(in_time).collect();
    let all = names.len();
    expect(
        late == 0 && in_time.len() >= all,
        format!("{all} threads started while those before are held"),
        || {
            let born = in_time.len().min(all - late);
            format!("{born} of {all} were born before {first} was let go")
        },
    )?;
    Ok(vec![format!("held before they greet: {} alive at the same time", numbers(in_time))])
}

fn joined(exam: &mut Exam) -> Finding {
    let names = exam.words(3);
    let mut spec = exam.spec(&delayed(&names));
    spec.gate = Some(at_work(names.clone()));
    let (held, how, run) = waits_for_held(exam, spec, names.len(), Waits::Thread)?;
    prints(&run, &names.iter().map(|name| greeting(name)).collect::<Vec<_>>())?;
    let root = run.root().map_or(0, |task| task.id);
    Ok(vec![format!("thread {} held before it greets: the first thread, {root}, {how}", held.id)])
}

fn by_inheritance(exam: &mut Exam) -> Finding {
    // Whose functions run one after the other has lost the points for that already.
    let functions_overlap = overlap(exam).is_ok();
    let names = exam.words(4);
    let run = held_at_work(exam, "trait", &names)?;
    prints(&run, &names.iter().map(|name| greeting(name)).collect::<Vec<_>>())?;
    one_each(exam, "trait", &run, &names)?;
    let mut evidence =
        vec![format!("{} greeted by {}", names.join(", "), numbers(greeters(&run, &names)?))];
    if functions_overlap {
        evidence.extend(all_at_once(&run, &names)?);
    }
    Ok(evidence)
}

fn named(exam: &mut Exam) -> Finding {
    let run = held(exam)?;
    let threads = greeters(&run, &run.inputs)?;
    for name in &run.inputs {
        expect(
            threads.iter().any(|thread| thread.name == *name),
            format!("one named {name}"),
            || {
                let names: Vec<_> = threads.iter().map(|thread| thread.name.clone()).collect();
                format!("the threads are named {}", some(&names))
            },
        )?;
    }
    let named = |thread: &&Task| format!("{} is {}", thread.id, thread.name);
    Ok(vec![threads.iter().map(named).collect::<Vec<_>>().join(", ")])
}

fn anatomy_run(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("anatomy", |exam| Ok(Kept::new(exam.run(&["anatomy"])?, [])))
}

/// A column of a table of the demo: of the rows after the heading with this word, one per thread.
fn column(run: &State, heading: &str, number: usize) -> Result<Vec<String>, Trouble> {
    let lines = stdout(run);
    let rows = lines.iter().skip_while(|line| !line.contains(heading)).skip(1).take(3);
    let words = rows.filter_map(|row| row.split(' ').nth(number).map(String::from));
    let column: Vec<String> = words.collect();
    expect(column.len() == 3, format!("three rows under '{heading}'"), || some(&column))?;
    Ok(column)
}

fn anatomy(exam: &mut Exam) -> Finding {
    let run = anatomy_run(exam)?;
    done(&run)?;
    let same = |words: &[String]| words.iter().all(|word| *word == words[0]);
    let different = |words: &[String]| {
        words.iter().enumerate().all(|(index, word)| !words[..index].contains(word))
    };
    let (pids, globals) =
        (column(&run, "address of GLOBAL", 1)?, column(&run, "address of GLOBAL", 2)?);
    let values = column(&run, "address of GLOBAL", 3)?;
    let (tids, locals) =
        (column(&run, "address of a local", 1)?, column(&run, "address of a local", 4)?);
    let own = column(&run, "address of OWN", 2)?;
    expect(same(&pids) && same(&globals), "one PID, one address of GLOBAL", || {
        format!("{}; {}", some(&pids), some(&globals))
    })?;
    let root = run.root().map_or(0, |task| task.id).to_string();
    expect(pids[0] == root, format!("PID {root}"), || format!("PID {}", pids[0]))?;
    expect(values.iter().all(|value| value == "3"), "GLOBAL is 3, as each added 1 to it", || {
        some(&values)
    })?;
    expect(different(&own), "an OWN for each thread", || some(&own))?;
    expect(different(&tids) && different(&locals), "three TIDs, three stacks", || {
        format!("{}; {}", some(&tids), some(&locals))
    })?;
    let born: Vec<_> = run.births.iter().map(ToString::to_string).collect();
    expect(
        tids.iter().all(|tid| born.contains(tid)),
        format!("the TIDs {}", born.join(", ")),
        || some(&tids),
    )?;
    Ok(vec![format!("PID {}; TIDs {}, as the kernel says", pids[0], tids.join(", "))])
}

fn limits_run(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("limits", |exam| Ok(Kept::new(exam.run(&["limits"])?, [])))
}

fn limits(exam: &mut Exam) -> Finding {
    let run = limits_run(exam)?;
    in_order(&run, &["one after the other", "in two threads", "join() of", "What a crash does"])?;
    let joined = stdout(&run).into_iter().find(|line| line.contains("join() of"));
    let joined = joined.unwrap_or_default();
    expect(joined.contains("Err("), "whoever joins the thread that panicked is told", || joined)?;
    let crashed = run
        .made()
        .find(|task| task.kind == Kind::Process && matches!(task.ending, Some(Ending::Signal(_))));
    let Some(Task { id, ending: Some(ending), .. }) = crashed else {
        return fail("a process that a crash ends", "no process was ended by a signal");
    };
    let inside = run.made().filter(|task| task.process == *id && task.kind == Kind::Thread).count();
    expect(inside > 0, "a thread whose crash ends its process", || {
        format!("process {id} had no other thread when {ending} ended it")
    })?;
    Ok(vec![format!(
        "process {id} ended with its {inside} other thread by {ending}; the demo went on"
    )])
}
