//! Thread pools and futures: `concurrent.futures`.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::common::{
    all_held, before_writing, folded, in_one_piece, in_order, some, stdout, who_sleeps,
};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, expect, fail, whole};
use crate::run::{Id, State, Stream, Task};

pub(super) static LAB: Lab = Lab {
    name: "pool",
    demo: "pool-demo",
    title: "Thread pools and futures",
    about: "submit hands a task to a fixed number of threads and gives a future for its result; \
            as_completed yields the futures in the order in which they finish.",
    timed: &["as-completed", "at-once", "ordered"],
    scene: Scene {
        text: "",
        show: |exam| note(exam).map(drop),
        checks: &[
            Check {
                id: "results",
                title: "every result is there once, exact to the last digit, then the time",
                points: 2,
                needs: &[],
                lesson: "2 ** 2000 has 603 digits. A float has 17 of them.",
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
                         the slowest first.",
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
                needs: &["as-completed"],
                lesson: "map keeps the order of its inputs, whoever finishes first.",
                examine: ordered,
            },
            Check {
                id: "gone",
                title: "no worker is left when the time is printed",
                points: 2,
                needs: &["width"],
                lesson: "Leaving the with block shuts the pool down and waits for its threads; the \
                         time is that of all the work.",
                examine: gone,
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
    exam.kept("note", |exam| Ok(Kept::new(exam.run::<&str>(&[])?, [])))
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

fn results(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    let check = |run: &State, tasks: u32, exponent: u32, least: f64| -> Result<String, Trouble> {
        done(run)?;
        let (lines, time) = split(run)?;
        let wanted = powers(tasks, exponent);
        if let Some(different) = super::common::difference(&wanted, &lines) {
            return fail(format!("a ** {exponent} for a in 0..{tasks}, once each"), different);
        }
        let ended = run.ended_at.map_or(0.0, |at| at.as_secs_f64());
        expect(
            (least..=ended).contains(&time),
            "the seconds from the start of the pool to its end",
            || {
                let slept = if time < least {
                    format!("task 0 alone slept for {least}")
                } else {
                    format!("it was over after {ended:.6} seconds")
                };
                format!("Time: {time}, but {slept}")
            },
        )?;
        let digits: usize = lines.iter().map(String::len).sum();
        Ok(format!("a ** {exponent} for a in 0..{tasks}: {digits} digits; Time: {time}"))
    };
    evidence.push(check(&*note(exam)?, 10, 2000, 0.0)?);
    let (tasks, exponent) = (exam.random.u32(11..15), exam.random.u32(300..900));
    let mut words = arguments(&[("tasks", tasks), ("exponent", exponent)]);
    words.extend(["--delay".into(), "0.004".into()]);
    let run = exam.run(&words)?;
    evidence.push(check(&run, tasks, exponent, 0.004 * f64::from(tasks))?);
    Ok(evidence)
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

/// Makes an examination that rests on delays once more, with longer ones, when it fails: what a
/// busy machine has mixed up is then far apart, and what is wrong stays wrong.
fn unhurried(exam: &mut Exam, examine: impl Fn(&mut Exam, f64) -> Finding) -> Finding {
    match examine(exam, 1.0) {
        Err(Trouble::Fail { .. }) => examine(exam, 6.0),
        found => found,
    }
}

fn width(exam: &mut Exam) -> Finding {
    unhurried(exam, width_with)
}

fn width_with(exam: &mut Exam, times: f64) -> Finding {
    let workers = exam.random.usize(3..6);
    let tasks = workers * 3 + 1;
    let number = |number: usize| u32::try_from(number).unwrap_or(0);
    let mut words =
        arguments(&[("workers", number(workers)), ("tasks", number(tasks)), ("exponent", 3)]);
    // Long enough that who sleeps in a task is seen, and that a pool grows that does so with its work.
    words.extend(["--delay".into(), (0.01 * times).to_string()]);
    let spec = exam.spec(&words);
    let live = exam.start(spec)?;
    let slept = who_sleeps(&live);
    let run = whole(live.finish())?;
    done(&run)?;
    let wanted = format!("{tasks} tasks on {workers} workers, all of them at work at once");
    let made = run.made().count();
    if slept.ever.is_empty() {
        // It sleeps in a way of its own. Then who was born must tell.
        let peak = peak(&run);
        expect(peak == workers && made == workers, wanted, || {
            format!("{made} threads or processes made for them, {peak} alive at once")
        })?;
        return Ok(vec![format!(
            "{tasks} tasks, {workers} workers: {made} born, {peak} alive at once"
        )]);
    }
    // The first thread may take its share, or look now and then whether the others are done.
    let root = run.root().map_or(0, |task| task.id);
    let others =
        |tasks: &std::collections::BTreeSet<Id>| tasks.iter().filter(|task| **task != root).count();
    let counts =
        [(slept.ever.len(), slept.at_once.len()), (others(&slept.ever), others(&slept.at_once))];
    expect(counts.contains(&(workers, workers)), wanted, || {
        let (ever, at_once) = counts[usize::from(others(&slept.ever) > 0)];
        format!("{ever} threads or processes worked, at most {at_once} at once")
    })?;
    Ok(vec![format!(
        "{tasks} tasks, {workers} workers: {made} born, {workers} seen in tasks, all at once"
    )])
}

/// Five tasks on five workers, each of which finishes well before the one submitted before it.
fn staggered(
    exam: &mut Exam,
    times: f64,
    option: Option<&str>,
) -> Result<(State, Vec<String>, String), Trouble> {
    let exponent = exam.random.u32(20..40);
    let delay = (0.03 * times).to_string();
    let mut words = arguments(&[("workers", 5), ("tasks", 5), ("exponent", exponent)]);
    words.extend(["--delay".into(), delay.clone()]);
    words.extend(option.map(String::from));
    let run = exam.run(&words)?;
    done(&run)?;
    Ok((run, powers(5, exponent), delay))
}

fn as_completed(exam: &mut Exam) -> Finding {
    unhurried(exam, as_completed_with)
}

fn as_completed_with(exam: &mut Exam, times: f64) -> Finding {
    let (run, mut wanted, delay) = staggered(exam, times, None)?;
    let (lines, _) = split(&run)?;
    wanted.reverse();
    expect(
        lines == wanted,
        "the task submitted last finishes first, and is printed first",
        || format!("in this order: {}", some(&lines)),
    )?;
    Ok(vec![format!(
        "tasks 0 to 4 sleep 5, 4, 3, 2, 1 times {delay} s: printed in the order 4, 3, 2, 1, 0"
    )])
}

fn ordered(exam: &mut Exam) -> Finding {
    let (run, wanted, _) = staggered(exam, 1.0, Some("--ordered"))?;
    let (lines, _) = split(&run)?;
    expect(lines == wanted, "the order of submission", || {
        format!("in this order: {}", some(&lines))
    })?;
    Ok(vec!["the same tasks: printed in the order 0, 1, 2, 3, 4".into()])
}

fn at_once(exam: &mut Exam) -> Finding {
    unhurried(exam, at_once_with)
}

fn at_once_with(exam: &mut Exam, times: f64) -> Finding {
    let delay = 0.03 * times;
    let mut words = arguments(&[("workers", 1), ("tasks", 3), ("exponent", 2)]);
    words.extend(["--delay".into(), delay.to_string()]);
    let run = exam.run(&words)?;
    done(&run)?;
    let at: Vec<_> = run.lines_of(Stream::Stdout).map(|line| line.at).collect();
    let [first, _, last, ..] = at[..] else {
        return fail("three lines", format!("{} of them", at.len()));
    };
    // One worker sleeps 3, 2 and 1 times the delay: the last line is three delays behind the first.
    let apart = last.saturating_sub(first).as_secs_f64();
    expect(
        apart > 1.5 * delay,
        format!("the first result {:.2} seconds before the last", 3.0 * delay),
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
    let writer = held[0].id;
    // A thread that has been joined may still be on its last few instructions.
    let others = |state: &State| -> Vec<String> {
        let alive = state.tasks.values().filter(|task| task.alive() && task.id != writer);
        alive.map(|task| task.id.to_string()).collect()
    };
    let gone = live.until(SOON, |state| others(state).is_empty().then_some(()));
    let left = others(&live.log.lock());
    live.open_gate();
    let run = live.finish();
    let wanted = "nobody but the thread that prints the time";
    expect(gone.is_some(), wanted, || format!("still alive: {}", left.join(", ")))?;
    done(&run)?;
    expect(!together.load(Ordering::Relaxed), wanted, || {
        "the time was written together with the results, out of a buffer: flush each line".into()
    })?;
    let made = run.made().count();
    Ok(vec![format!("held before it prints the time: {made} workers were born, 0 are alive")])
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
