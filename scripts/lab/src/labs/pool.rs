//! Thread pools and futures: `concurrent.futures`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::common::{
    all_held, before_writing, folded, in_one_piece, in_order, sleepers, some, stdout, unhurried,
};
use super::idle::{Way, idle};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Cut, Gate, Id, Line, Live, Moment, State, Step, Stream, Task};

pub(super) static LAB: Lab = Lab {
    name: "pool",
    demo: "pool-demo",
    title: "Thread pools and futures",
    about: "submit hands a task to a fixed number of threads and gives a future for its result; \
            as_completed yields the futures in the order in which they finish.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| note(exam).map(drop),
        checks: &[
            Check {
                id: "results",
                title: "every result is there once, exact to the last digit, then the time",
                points: 2,
                needs: &[],
                lesson: "2 ** 2000 has 603 digits, and a float 17 of them. The time is that of a \
                         clock on the wall, from the start of the pool to its end; and the pool \
                         ends only when its workers are told that no more tasks will come.",
                examine: results,
            },
            Check {
                id: "width",
                title: "as many workers as asked for, never more, however many tasks",
                points: 2,
                needs: &["results"],
                lesson: "A thread for each task is not a pool, and one thread for all is none \
                         either: the workers take the next task when they have done one.",
                examine: width,
            },
            Check {
                id: "as-completed",
                title: "results come in the order in which the tasks finish",
                points: 2,
                needs: &["results"],
                lesson: "Asking the futures for their results in the order of submission waits for \
                         the slowest first: as_completed hands out whichever is done. And the \
                         tasks themselves begin in the order of submission, each as soon as a \
                         worker is free.",
                examine: as_completed,
            },
            Check {
                id: "at-once",
                title: "a result is printed when it is there, not when all are",
                points: 1,
                needs: &["results"],
                lesson: "Collecting the results in a list first gives away what as_completed is \
                         for. So does a buffer: flush after each line.",
                examine: at_once,
            },
            Check {
                id: "ordered",
                title: "with --ordered they come in the order of submission, as from map",
                points: 1,
                needs: &["width", "as-completed"],
                lesson: "map keeps the order of its inputs, whoever finishes first; it does not \
                         wait for those behind.",
                examine: ordered,
            },
            Check {
                id: "gone",
                title: "no worker is left when the time is printed",
                points: 1,
                needs: &["width"],
                lesson: "Leaving the with block shuts the pool down and waits for its threads; the \
                         time is that of all the work. In a pool of your own, tell the workers to \
                         end, and join them.",
                examine: gone,
            },
            Check {
                id: "waits",
                title: "who waits for a result sleeps until it is there",
                points: 1,
                needs: &["width"],
                lesson: "A loop that asks done() again and again takes a processor from those who \
                         have work to do, or learns of a result late when it naps in between. \
                         result() and as_completed() sleep until a worker wakes them.",
                examine: waits,
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
    more: &[Scene {
        text: "What a future can tell, and what happens to one whose task fails.",
        show: |exam| futures_run(exam).map(drop),
        checks: &[Check {
            id: "futures",
            title: "a future knows whether it is done; a task that panics fails alone",
            points: 0,
            needs: &[],
            lesson: "What a task raises is kept in its future, and raised again by whoever asks \
                     for the result.",
            examine: futures,
        }],
    }],
};

/// The note's program: ten tasks, ten workers, exponent 2000.
fn note(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("note", |exam| Ok(Kept::new(run(exam, &[])?, [])))
}

/// Runs the program until it has said all that it has to say.
fn run(exam: &mut Exam, words: &[String]) -> Result<State, Trouble> {
    let spec = exam.spec(words);
    well(exam.start(spec)?)
}

/// Lets a program go on to its end, which must be a good one. That it does not end after its last
/// line is its workers' fault, and the business of the check `gone`.
fn well(live: Live) -> Result<State, Trouble> {
    let run = live.finish();
    if run.cut.is_some_and(Cut::hangs) && split(&run).is_ok() {
        return Ok(run);
    }
    let run = whole(run)?;
    done(&run)?;
    Ok(run)
}

/// `base ** exponent` in decimal digits, by the school's method: what a submission's arithmetic is
/// compared with must not be the arithmetic of the demo.
fn power(base: u32, exponent: u32) -> String {
    /// Nine digits in each limb, the lowest first.
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![1];
    for _ in 0..exponent {
        let mut carry = 0;
        for limb in &mut limbs {
            carry += *limb * u64::from(base);
            *limb = carry % LIMB;
            carry /= LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    while limbs.len() > 1 && limbs.last() == Some(&0) {
        limbs.pop();
    }
    let mut digits = limbs.last().map_or_else(String::new, u64::to_string);
    digits.extend(limbs.iter().rev().skip(1).map(|limb| format!("{limb:09}")));
    digits
}

fn powers(tasks: u32, exponent: u32) -> Vec<String> {
    (0..tasks).map(|base| power(base, exponent)).collect()
}

/// The results in the order in which they were printed, and the time behind `Time:`.
fn split(run: &State) -> Result<(Vec<String>, f64), Trouble> {
    let mut lines = stdout(run);
    let last = lines.pop().unwrap_or_default();
    let time = last.strip_prefix("Time:").and_then(|time| time.trim().parse().ok());
    match time {
        Some(time) => Ok((lines, time)),
        None => {
            fail("a last line `Time: <seconds>`", format!("the last line is {}", some(&[last])))
        }
    }
}

/// What is wrong with the lines, in words that are shorter than the powers.
fn different(wanted: &[String], lines: &[String]) -> Option<String> {
    let count = |of: &String, among: &[String]| among.iter().filter(|line| *line == of).count();
    let missing = (0..wanted.len()).filter(|a| count(&wanted[*a], lines) == 0);
    let missing: Vec<String> = missing.map(|a| a.to_string()).collect();
    let extra = lines.iter().find(|line| count(line, lines) > count(line, wanted));
    let mut words = Vec::new();
    if !missing.is_empty() {
        words.push(format!("no power of {}", missing.join(", ")));
    }
    if let Some(extra) = extra {
        let what = if wanted.contains(extra) { "twice" } else { "instead" };
        words.push(format!("{what} {}", some(std::slice::from_ref(extra))));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn results(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    let check = |run: &State, tasks: u32, exponent: u32, least: f64| -> Result<String, Trouble> {
        let (lines, time) = split(run)?;
        let wanted = powers(tasks, exponent);
        if let Some(different) = different(&wanted, &lines) {
            return fail(format!("a ** {exponent} for a in 0..{tasks}, once each"), different);
        }
        let last = run.lines.last().map(|line| line.at);
        let ended = run.ended_at.or(last).map_or(0.0, |at| at.as_secs_f64());
        expect(
            (least..=ended).contains(&time),
            "the seconds from the start of the pool to its end",
            || {
                let really = if time < least {
                    format!("with this delay task 0 alone sleeps for {least:.3} seconds")
                } else {
                    format!("it was over after {ended:.6} seconds")
                };
                format!("Time: {time}, but {really}")
            },
        )?;
        let digits: usize = lines.iter().map(String::len).sum();
        Ok(format!("a ** {exponent} for a in 0..{tasks}: {digits} digits; Time: {time}"))
    };
    evidence.push(check(&*note(exam)?, 10, 2000, 0.0)?);
    let (tasks, exponent) = (exam.random.u32(11..15), exam.random.u32(300..900));
    let mut words = arguments(&[("tasks", tasks), ("exponent", exponent)]);
    words.extend(["--delay".into(), "0.004".into()]);
    let (run, held) = longer(exam, &words)?;
    evidence.push(check(&run, tasks, exponent, 0.004 * f64::from(tasks))?);
    let (_, time) = split(&run)?;
    expect(time >= held, "the seconds from the start of the pool to its end", || {
        format!("Time: {time}, but a worker alone was held for {held:.3} seconds")
    })?;
    Ok(evidence)
}

/// A run in which a worker is held at its first sleep, for longer than the delays explain; and for
/// how many seconds. For none where nobody sleeps in a way that is seen.
fn longer(exam: &mut Exam, words: &[String]) -> Result<(State, f64), Trouble> {
    const PAUSE: Duration = Duration::from_millis(100);
    let mut spec = exam.spec(words);
    spec.gate = Some(at_their_sleep(Held::Others));
    let live = exam.start(spec)?;
    let mut held = Duration::ZERO;
    if all_held(&live, 1).is_ok() {
        let begun = live.log.now();
        live.poll(PAUSE, || None::<()>);
        held = live.log.now().saturating_sub(begun);
    }
    live.open_gate();
    Ok((well(live)?, held.as_secs_f64()))
}

/// Who is held where they sleep.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Not the first thread, which may sleep before there is a pool, between two looks at its futures,
    /// or in a task.
    Others,
    /// The first thread, too.
    All,
}

/// A gate that holds those who sleep.
fn at_their_sleep(whom: Held) -> Gate {
    Arc::new(move |moment: &Moment| {
        let first = moment.root && moment.task == moment.process;
        !(first && whom == Held::Others) && matches!(moment.what, Step::Sleep)
    })
}

/// A run in which those who sleep are held, until nobody comes to it any more.
fn held_at_their_sleep(exam: &mut Exam, words: &[String], whom: Held) -> Result<Live, Trouble> {
    let mut spec = exam.spec(words);
    spec.gate = Some(at_their_sleep(whom));
    let live = exam.start(spec)?;
    if all_held(&live, 1).is_ok() {
        idle(&live, |_| false);
    }
    Ok(live)
}

fn arguments(options: &[(&str, u32)]) -> Vec<String> {
    options.iter().flat_map(|(name, value)| [format!("--{name}"), value.to_string()]).collect()
}

/// The most tasks besides the program's first that were alive at the same time.
fn peak(run: &State) -> usize {
    let made: Vec<&Task> = run.made().collect();
    let alive_at = |moment| {
        let alive =
            |task: &&&Task| task.born <= moment && task.died.is_none_or(|died| died > moment);
        made.iter().filter(alive).count()
    };
    made.iter().map(|task| alive_at(task.born)).max().unwrap_or(0)
}

fn width(exam: &mut Exam) -> Finding {
    let workers = exam.random.u32(3..6);
    let tasks = workers * 2 + 1;
    let mut words = arguments(&[("workers", workers), ("tasks", tasks), ("exponent", 3)]);
    words.extend(["--delay".into(), "0.004".into()]);
    let workers = workers as usize;
    let mut spec = exam.spec(&words);
    // Each task begins with a sleep, so who comes to one is a worker: all are held there, until
    // nobody comes any more.
    let sleeps: Arc<Mutex<BTreeMap<Id, u32>>> = Arc::default();
    let hold = Arc::new(AtomicBool::new(true));
    let (counted, holds) = (sleeps.clone(), hold.clone());
    spec.gate = Some(Arc::new(move |moment: &Moment| {
        let sleeps = matches!(moment.what, Step::Sleep);
        if sleeps {
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            *counted.entry(moment.task).or_default() += 1;
        }
        sleeps && holds.load(Ordering::Relaxed)
    }));
    let live = exam.start(spec)?;
    let root = live.pid();
    if all_held(&live, 1).is_ok() {
        if live.log.lock().made().next().is_none() {
            live.let_one_go(root); // there is no pool yet, and it takes its time
            let _ = all_held(&live, 1);
        }
        idle(&live, |_| false);
    }
    let mut at_once = live.log.lock().held.clone();
    hold.store(false, Ordering::Relaxed);
    live.let_go();
    let run = well(live)?;
    let mut sleeps = sleeps.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = format!("{tasks} tasks on {workers} workers, all of them at work at once");
    let made = run.made().count();
    if sleeps.is_empty() {
        // It sleeps in a way of its own. Then who was born must tell.
        let peak = peak(&run);
        expect(peak == workers && made == workers, wanted, || {
            format!("{made} threads or processes made for them, {peak} alive at once")
        })?;
        return Ok(vec![format!(
            "{tasks} tasks, {workers} workers: {made} born, {peak} alive at once"
        )]);
    }
    // A first thread that sleeps though the others have slept for all the tasks is no worker: it
    // naps between two looks at them.
    let by_others: u32 = sleeps.iter().filter(|(id, _)| **id != root).map(|(_, n)| n).sum();
    if by_others >= tasks {
        sleeps.remove(&root);
        at_once.retain(|id| *id != root);
    }
    let (ever, at_once) = (sleeps.len(), at_once.len());
    expect((ever, at_once) == (workers, workers), wanted, || match (ever, at_once) {
        (1, _) if sleeps.contains_key(&root) => "the first thread did all the work".into(),
        (1, _) => "one thread or process did all the work".into(),
        (_, 1) => format!("{ever} threads or processes did the work, but never two at once"),
        _ if at_once == workers => {
            format!("{at_once} at once, but {ever} in all, and not the same ones again")
        }
        _ if sleeps.contains_key(&root) => {
            format!("{at_once} at work at once, the first thread among them")
        }
        _ => format!("{at_once} at work at once"),
    })?;
    Ok(vec![format!(
        "{tasks} tasks, {workers} workers: {made} born, {workers} seen in tasks, all at once"
    )])
}

/// Five tasks, each of which sleeps for a time less than the one submitted before it: the order in
/// which they were printed, and what that time was.
fn staggered(
    exam: &mut Exam,
    times: f64,
    workers: u32,
    option: Option<&str>,
) -> Result<(Vec<usize>, String), Trouble> {
    let exponent = exam.random.u32(20..40);
    let delay = (0.05 * times).to_string();
    let mut words = arguments(&[("workers", workers), ("tasks", 5), ("exponent", exponent)]);
    words.extend(["--delay".into(), delay.clone()]);
    words.extend(option.map(String::from));
    Ok((order(&run(exam, &words)?, exponent)?, delay))
}

/// The order in which the results of five tasks were printed.
fn order(run: &State, exponent: u32) -> Result<Vec<usize>, Trouble> {
    let (lines, _) = split(run)?;
    let powers = powers(5, exponent);
    let order = lines.iter().map(|line| powers.iter().position(|power| power == line));
    match order.collect::<Option<Vec<usize>>>() {
        Some(order) if order.len() == 5 => Ok(order),
        _ => fail(format!("a ** {exponent} for a in 0..5, once each"), some(&lines)),
    }
}

/// Numbers of tasks in words.
fn in_words(order: &[usize]) -> String {
    order.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn as_completed(exam: &mut Exam) -> Finding {
    let seen = match one_after_the_other(exam, Held::Others)? {
        OneByOne::FirstWorks => one_after_the_other(exam, Held::All)?,
        seen => seen,
    };
    match seen {
        OneByOne::Right(seen) => Ok(vec![seen]),
        // The delays of those who can't be held must tell.
        _ => unhurried(exam, as_completed_by_delays),
    }
}

/// What can be seen where tasks are held and let go one at a time.
enum OneByOne {
    /// What was seen.
    Right(String),
    /// Nothing: the first thread, which was not held, has done tasks as well.
    FirstWorks,
    /// Nothing: nobody can be held, or they sleep more than once in a task.
    Nothing,
}

/// Five tasks on four workers, each held at its beginning, and let go one at a time: its result
/// must come while all others are held, and whoever is free first must begin the task that is left.
fn one_after_the_other(exam: &mut Exam, whom: Held) -> Result<OneByOne, Trouble> {
    let exponent = exam.random.u32(20..40);
    let powers = powers(5, exponent);
    let mut words = arguments(&[("workers", 4), ("tasks", 5), ("exponent", exponent)]);
    words.extend(["--delay".into(), "0.002".into()]);
    let live = held_at_their_sleep(exam, &words, whom)?;
    let mut held = live.log.lock().held.clone();
    let (workers, mut order) = (held.len(), Vec::new());
    let printed = live.log.lock().lines_of(Stream::Stdout).next().is_some();
    if workers < 2 || printed {
        live.open_gate();
        well(live)?;
        return Ok(if printed { OneByOne::FirstWorks } else { OneByOne::Nothing });
    }
    let mut last = None;
    while !held.is_empty() {
        let one = held.swap_remove(exam.random.usize(..held.len()));
        live.let_one_go(one);
        let came = |state: &State| state.lines_of(Stream::Stdout).nth(order.len()).map(Line::text);
        let Some(result) = live.until(SOON, came) else {
            live.open_gate();
            well(live)?;
            return Ok(OneByOne::Nothing);
        };
        let task = powers.iter().position(|power| *power == folded(&result));
        let Some(task) = task.filter(|task| !order.contains(task)) else {
            return fail(format!("a ** {exponent} for a in 0..5, once each"), some(&[result]));
        };
        order.push(task);
        if last == Some(one) {
            expect(task == 4, "whoever is free first begins task 4", || {
                format!("task {task} was begun last")
            })?;
        }
        // That there are too many workers, or too few, is another check's business.
        if order.len() == 1 && workers == 4 {
            let next = |state: &State| state.held.iter().copied().find(|id| !held.contains(id));
            last = live.until(SOON, next);
            expect(last.is_some(), "whoever is free first begins task 4", || {
                format!("nobody did when task {task} was done, and the others were held")
            })?;
            held.extend(last);
        }
    }
    live.open_gate();
    well(live)?;
    if order.is_sorted() {
        return one_after_the_other(exam, whom); // as from those who ask in the order of submission
    }
    Ok(OneByOne::Right(format!(
        "tasks held, and let go one at a time: each printed while the others were held, in the \
         order {}",
        in_words(&order)
    )))
}

fn as_completed_by_delays(exam: &mut Exam, times: f64) -> Finding {
    // With as many workers as tasks, who waits for the last one first would be right by chance.
    let (order, delay) = staggered(exam, times, 4, None)?;
    let finish = "task 3 finishes first, then 2 and 4, then 1, then 0";
    expect(
        order[0] == 3 && order[3..] == [1, 0],
        format!("tasks 0 to 4 sleep 5, 4, 3, 2, 1 times {delay} s on 4 workers: {finish}"),
        || {
            let like = match order[..] {
                [0, 1, 2, 3, 4] => ", as they were submitted",
                [4, 3, 2, 1, 0] => ", the last submitted first",
                [.., 4] => ": the worker that was free first did not begin task 4 at once",
                _ => "",
            };
            format!("printed in the order {}{like}", in_words(&order))
        },
    )?;
    Ok(vec![format!(
        "tasks 0 to 4 sleep 5, 4, 3, 2, 1 times {delay} s on 4 workers: printed in the order {}",
        in_words(&order)
    )])
}

fn ordered(exam: &mut Exam) -> Finding {
    let order = match the_last_first(exam)? {
        Some(order) => order,
        // The delays of those who can't be held must tell.
        None => staggered(exam, 1.0, 5, Some("--ordered"))?.0,
    };
    expect(order == [0, 1, 2, 3, 4], "the order of submission: 0, 1, 2, 3, 4", || {
        format!("printed in the order {}", in_words(&order))
    })?;
    // Should the first thread have done the rest before there was a processor for the second worker,
    // it is held as well; but it may only look at its futures now and then.
    side_by_side(exam, Held::Others, 2).or_else(|_| side_by_side(exam, Held::All, 3))?;
    let mut evidence =
        vec!["five tasks on five workers: printed in the order 0, 1, 2, 3, 4".into()];
    evidence.extend(first_result(exam, Some("--ordered"))?);
    Ok(evidence)
}

/// Five tasks on five workers with `--ordered`, each held at its beginning, and let go one at a time,
/// the last one first: the order in which they were printed. Nothing where nobody can be held.
fn the_last_first(exam: &mut Exam) -> Result<Option<Vec<usize>>, Trouble> {
    let exponent = exam.random.u32(20..40);
    let mut words = arguments(&[("workers", 5), ("tasks", 5), ("exponent", exponent)]);
    words.extend(["--delay", "0.002", "--ordered"].map(String::from));
    let live = held_at_their_sleep(exam, &words, Held::Others)?;
    let mut held = live.log.lock().held.clone();
    held.sort_unstable();
    for one in held.iter().rev() {
        live.let_one_go(*one);
        idle(&live, |_| false); // what it has to print by now is there then
    }
    live.open_gate();
    let order = order(&well(live)?, exponent)?;
    Ok((held.len() > 1).then_some(order))
}

/// Passes unless fewer than `count` are seen at work at once with `--ordered`: it changes the order of
/// the results, not who works. The first thread may be one of them.
fn side_by_side(exam: &mut Exam, whom: Held, count: usize) -> Result<(), Trouble> {
    let mut words = arguments(&[("workers", 3), ("tasks", 3), ("exponent", 2)]);
    words.extend(["--delay", "0.03", "--ordered"].map(String::from));
    let mut spec = exam.spec(&words);
    spec.gate = Some(at_their_sleep(whom));
    let live = exam.start(spec)?;
    let held = all_held(&live, count).map_or_else(|held| held, |held| held.len());
    let made = live.log.lock().made().count();
    live.open_gate();
    well(live)?;
    let enough = held == 0 || held >= count;
    expect(made > 0 && enough, "3 workers at work at once with --ordered, too", || {
        if made == 0 { "the first thread did all the work" } else { "never all of them" }.into()
    })
}

fn at_once(exam: &mut Exam) -> Finding {
    first_result(exam, None)
}

fn first_result(exam: &mut Exam, option: Option<&str>) -> Finding {
    for whom in [Held::Others, Held::All] {
        if let Some(seen) = before_the_rest(exam, option, whom)? {
            return Ok(vec![seen]);
        }
    }
    // The delays of those who can't be held must tell.
    unhurried(exam, |exam, times| by_delays(exam, times, option))
}

/// One worker and three tasks, each held at its beginning: when one is let go, its result must come
/// while the next one is held. What was seen; nothing where this tells nothing: nobody is held, or
/// the first thread is, which may have to print as well.
fn before_the_rest(
    exam: &mut Exam,
    option: Option<&str>,
    whom: Held,
) -> Result<Option<String>, Trouble> {
    let mut words = arguments(&[("workers", 1), ("tasks", 3), ("exponent", 2)]);
    words.extend(["--delay".into(), "0.01".into()]);
    words.extend(option.map(String::from));
    let mut spec = exam.spec(&words);
    spec.gate = Some(at_their_sleep(whom));
    let live = exam.start(spec)?;
    let result = |state: &State| state.lines_of(Stream::Stdout).next().map(Line::text);
    let in_time = |state: &State| result(state).filter(|_| !state.held.is_empty());
    let _ = all_held(&live, 1);
    let (mut tried, mut first) = (BTreeSet::new(), None);
    // One after the other, should there be helpers that sleep as well.
    let next =
        |tried: &BTreeSet<Id>| live.log.lock().held.iter().copied().find(|id| !tried.contains(id));
    while first.is_none()
        && let Some(one) = next(&tried)
    {
        tried.insert(one);
        live.let_one_go(one);
        first = live.until(SOON, in_time);
    }
    let none = result(&live.log.lock()).is_none();
    live.open_gate();
    let run = well(live)?;
    if let Some(first) = first {
        return Ok(Some(format!("while a task was held at its beginning, {first} was printed")));
    }
    if tried.is_empty() || whom == Held::All || !none {
        return Ok(None);
    }
    fail(
        "the result of the first task is printed while the next one is held at its beginning",
        format!("nothing was printed{}", in_one_piece(&run)),
    )
}

fn by_delays(exam: &mut Exam, times: f64, option: Option<&str>) -> Finding {
    let delay = 0.04 * times;
    let mut words = arguments(&[("workers", 1), ("tasks", 3), ("exponent", 2)]);
    words.extend(["--delay".into(), delay.to_string()]);
    words.extend(option.map(String::from));
    let run = run(exam, &words)?;
    // Read they may be late, and many at once.
    let at = |line: &Line| line.written.unwrap_or(line.at);
    let at: Vec<_> = run.lines_of(Stream::Stdout).map(at).collect();
    let [first, _, last, ..] = at[..] else {
        return fail("three lines", format!("{} of them", at.len()));
    };
    // One worker sleeps 3, 2 and 1 times the delay: the last line is three delays behind the first.
    let apart = last.saturating_sub(first).as_secs_f64();
    expect(
        // Not all of it: a worker too many is not the question here.
        apart > 0.75 * delay,
        format!("with one worker, the first result {:.2} seconds before the last", 3.0 * delay),
        || format!("{apart:.3} seconds before it{}", in_one_piece(&run)),
    )?;
    Ok(vec![format!("the first of three was printed {apart:.3} seconds before the last")])
}

fn gone(exam: &mut Exam) -> Finding {
    let mut spec = exam.spec(&arguments(&[("workers", 4), ("tasks", 8), ("exponent", 5)]));
    // In a text of several lines too: then the program keeps them in a buffer.
    let together = Arc::new(AtomicBool::new(false));
    let says = together.clone();
    spec.gate = Some(before_writing(move |text| {
        let time = text.lines().any(|line| folded(line).starts_with("Time:"));
        if time {
            says.store(text.lines().count() > 1, Ordering::Relaxed);
        }
        time
    }));
    let live = exam.start(spec)?;
    let Ok(held) = all_held(&live, 1) else {
        return fail("a line `Time:`", "it was never written");
    };
    // Not its first thread either: that may leave all of this to another one.
    let (writer, root) = (held[0].id, live.pid());
    // A thread that has been joined may still be on its last few instructions.
    let others = |state: &State| -> Vec<String> {
        let alive = state.tasks.values().filter(|task| task.alive());
        let alive = alive.filter(|task| ![writer, root].contains(&task.id));
        alive.map(|task| task.id.to_string()).collect()
    };
    let gone = live.until(SOON, |state| others(state).is_empty().then_some(()));
    let left = others(&live.log.lock());
    live.open_gate();
    let run = live.finish();
    let wanted = "nobody but the first thread and who prints the time";
    if gone.is_none() {
        let mut saw = vec![format!("{} more are alive: {}", left.len(), left.join(", "))];
        saw.extend(run.cut.map(|cut| cut.to_string()));
        return Err(Trouble::Fail { expected: wanted.into(), saw });
    }
    done(&run)?;
    expect(!together.load(Ordering::Relaxed), wanted, || {
        "the time was written together with the results, out of a buffer: flush each line".into()
    })?;
    let made = run.made().count();
    expect(made > 0, "4 workers, with nothing to wait for in their tasks, too", || {
        "the first thread did all the work".into()
    })?;
    Ok(vec![format!("held before it prints the time: {made} workers were born, 0 are alive")])
}

fn waits(exam: &mut Exam) -> Finding {
    // They sleep for two minutes and one: nobody is going to wait for them, however late we look.
    let mut words = arguments(&[("workers", 2), ("tasks", 2), ("exponent", 3)]);
    words.extend(["--delay".into(), "60".into()]);
    let spec = exam.spec(&words);
    let live = exam.start(spec)?;
    let root = live.pid();
    // Who sleeps in a way of its own is given time to begin.
    live.poll(SOON / 5, || {
        let two = sleepers(&live.log.lock()) >= 2;
        two.then_some(())
    });
    let printed = |state: &State| state.lines_of(Stream::Stdout).next().is_some();
    let idle = idle(&live, printed);
    live.end();
    let sleeping = idle.tasks.values().filter(|way| **way == Way::Sleeps).count();
    // Besides the tasks' own threads, which sleep. A language may have helpers that nap.
    let restless = |id: i32, way: Way| way == Way::Restless && (id == root || idle.busy);
    let naps = sleeping > 2 && idle.tasks.get(&root) == Some(&Way::Sleeps);
    let who = idle.tasks.iter().find(|(id, way)| restless(**id, **way) || naps && **id == root);
    if let Some((id, way)) = who {
        let who = if *id == root { "the first thread".into() } else { format!("thread {id}") };
        return fail(
            "while two workers sleep in their tasks, everybody else waits to be woken",
            format!("{who} does not wait: {}", idle.instead(*way)),
        );
    }
    let others = idle.tasks.len() - sleeping;
    Ok(vec![format!("while {sleeping} tasks sleep, {others} others wait to be woken")])
}

fn futures_run(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("futures", |exam| Ok(Kept::new(exam.run(&["futures"])?, [])))
}

fn futures(exam: &mut Exam) -> Finding {
    let run = futures_run(exam)?;
    let wanted = [
        "is_done false while the task runs, then true",
        "as_completed quick, slow",
        "map slow, quick",
        "a panic 4, panicked: attempt to divide by zero, 3: it fails alone",
        "cancel false for the task that runs, true for the next one",
        "slow, cancelled",
    ];
    in_order(&run, &wanted)?;
    let said = crate::exam::last_word(&run);
    expect(said.is_none(), "nothing on stderr", || {
        format!("a task that panics said there: {}", said.unwrap_or_default())
    })?;
    let workers = run.made().count();
    Ok(vec![format!("{workers} workers were born, one task panicked, exit status 0")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_exact() {
        assert_eq!(power(0, 0), "1");
        assert_eq!(power(0, 5), "0");
        assert_eq!(power(2, 64), "18446744073709551616");
        assert_eq!(power(10, 30), format!("1{}", "0".repeat(30)));
        assert_eq!(power(9, 2000).len(), 1909);
    }
}
