//! Queues: `queue.Queue`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::common::{all_held, before_writing, difference, in_one_piece, some, stdout, who_sleeps};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, ending, expect, fail, whole};
use crate::run::kernel::{self, Waits};
use crate::run::{Ending, Id, Limits, Line, Live, Spec, State, Stream};

pub(super) static LAB: Lab = Lab {
    name: "queue",
    demo: "queue-demo",
    title: "Queues",
    about: "A producer puts items into a queue, workers take them out. The queue has a capacity: \
            when it is full, the producer waits.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| note(exam).map(drop),
        checks: &[
            Check {
                id: "items",
                title: "every item is processed once",
                points: 2,
                needs: &[],
                lesson: "Items are lost where a worker ends before the queue is empty, and doubled \
                         where two workers look at an item before one of them takes it.",
                examine: items,
            },
            Check {
                id: "order",
                title: "each worker gets its items in the order in which they were put",
                points: 1,
                needs: &["items"],
                lesson: "A queue is first in, first out. Over all workers together the lines may \
                         still be mixed.",
                examine: order,
            },
            Check {
                id: "end",
                title: "it ends cleanly, with one worker and with many",
                points: 2,
                needs: &["items"],
                lesson: "Each worker needs a sentinel of its own: with one for all, the others wait \
                         for ever.",
                examine: end,
            },
            Check {
                id: "workers",
                title: "the workers are threads, and all of them get work",
                points: 2,
                needs: &["items", "end"],
                lesson: "With work for all, a worker that does nothing is not waiting at the queue.",
                examine: workers,
            },
            Check {
                id: "bounded",
                title: "the producer waits while the queue is full",
                points: 3,
                needs: &["items", "end"],
                lesson: "An unbounded queue grows until the memory is full when the workers are \
                         slower than the producer. put with a capacity is what slows it down.",
                examine: bounded,
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
    more: &[],
};

/// The note's section is empty; this is the lecture's program: two workers, fifty items.
fn note(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("note", |exam| {
        let run = shortly::<&str>(exam, &[])?.finish();
        Ok(Kept::new(run, ["2".into(), "50".into()]))
    })
}

/// Starts a program that may never end: whether it does is a question of its own.
fn shortly<S: Into<std::ffi::OsString> + Clone>(
    exam: &mut Exam,
    arguments: &[S],
) -> Result<Live, Trouble> {
    let limits = Limits { time: SOON, ..Limits::default() };
    let spec = Spec { limits, ..exam.spec(arguments) };
    exam.start(spec)
}

fn arguments(workers: usize, items: usize, more: &[&str]) -> Vec<String> {
    let words = ["--workers".to_string(), workers.to_string(), "--items".into(), items.to_string()];
    words.into_iter().chain(more.iter().map(|word| (*word).to_string())).collect()
}

/// A worker and its item out of `process data: WORKER ITEM`.
fn parsed(line: &str) -> Option<(usize, usize)> {
    let (worker, item) = line.strip_prefix("process data: ")?.split_once(' ')?;
    Some((worker.parse().ok()?, item.parse().ok()?))
}

/// Each of the items once, each by one of the workers; and it ended well.
fn complete(run: &State, workers: usize, items: usize) -> Result<(), Trouble> {
    processed(run, workers, items)?;
    done(run)
}

/// Each of the items once, each by one of the workers, whether it ended or not.
fn processed(run: &State, workers: usize, items: usize) -> Result<(), Trouble> {
    match (run.cut, run.ended) {
        (Some(cut), _) if cut.hangs() => {}
        (Some(cut), _) => return Err(Trouble::Cut(cut)),
        (None, Some(Ending::Signal(_))) => return Err(Trouble::Crashed(ending(run))),
        (None, _) => {}
    }
    let lines = stdout(run);
    let wanted = format!("`process data: WORKER ITEM` for each of {items} items, once");
    let mut seen = Vec::new();
    for line in &lines {
        match parsed(line) {
            Some((worker, item)) if (1..=workers).contains(&worker) => seen.push(item.to_string()),
            _ => {
                return fail(wanted, format!("the line {}", some(std::slice::from_ref(line))));
            }
        }
    }
    let all: Vec<_> = (0..items).map(|item| item.to_string()).collect();
    if let Some(different) = difference(&all, &seen) {
        return fail(wanted, format!("items {different}"));
    }
    Ok(())
}

fn items(exam: &mut Exam) -> Finding {
    processed(&*note(exam)?, 2, 50)?;
    let (workers, items) = (exam.random.usize(3..5), exam.random.usize(60..90));
    let run = shortly(exam, &arguments(workers, items, &[]))?.finish();
    processed(&run, workers, items)?;
    Ok(vec![format!("50 of 50 by 2 workers, {items} of {items} by {workers}")])
}

fn order(exam: &mut Exam) -> Finding {
    let run = note(exam)?;
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (worker, item) in stdout(&run).iter().filter_map(|line| parsed(line)) {
        if let Some(before) = last.insert(worker, item) {
            expect(before < item, "ascending items for each worker", || {
                format!("worker {worker} printed {item} after {before}")
            })?;
        }
        *counts.entry(worker).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(w, n)| format!("worker {w}: {n}")).collect();
    Ok(vec![format!("ascending for each; {}", counts.join(", "))])
}

fn workers(exam: &mut Exam) -> Finding {
    let spec = exam.spec(&arguments(3, 12, &["--delay", "0.02"]));
    let live = exam.start(spec)?;
    let slept = who_sleeps(&live, Duration::ZERO);
    let run = whole(live.finish())?;
    complete(&run, 3, 12)?;
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (worker, _) in stdout(&run).iter().filter_map(|line| parsed(line)) {
        *counts.entry(worker).or_default() += 1;
    }
    let wanted = "three workers, each a thread of its own";
    expect(counts.len() == 3, wanted, || format!("only {} of them got an item", counts.len()))?;
    // Who wrote a line need not be its worker: in Python, who flushes stdout writes what the others
    // have put there. Who takes the time of an item is.
    let root = run.root().map_or(0, |task| task.id);
    let mut working: Vec<Id> = slept.ever.iter().copied().collect();
    if working.is_empty() {
        // It sleeps in a way of its own.
        working = run.made().map(|task| task.id).collect();
    } else if working.len() > 3 {
        working.retain(|id| *id != root); // a main thread that now and then looks at the others
    }
    let foreign = working.iter().filter(|id| run.tasks[id].process != root).count();
    expect(foreign == 0, wanted, || format!("{foreign} processes made for them"))?;
    expect(working.len() == 3, wanted, || {
        format!("{} threads took the 0.02 seconds of an item", working.len())
    })?;
    let threads: Vec<_> = working.iter().map(ToString::to_string).collect();
    let counts: Vec<_> = counts.values().map(ToString::to_string).collect();
    Ok(vec![format!(
        "workers 1, 2, 3 got {} items, and are the threads {} of {root}",
        counts.join(", "),
        threads.join(", ")
    )])
}

/// How those wait whom nobody holds, when there is nothing to do for them.
#[derive(PartialEq)]
enum Waiting {
    /// Until they are woken.
    Woken,
    /// For a while, to look again.
    Naps,
    /// They don't.
    Never,
}

fn bounded(exam: &mut Exam) -> Finding {
    let (workers, capacity) = (2, exam.random.usize(3..6));
    // Each worker is held with one item in hand: with those in the queue and the one that the
    // producer cannot get rid of, this many can have been put, and one more would be too many.
    let room = workers + capacity;
    let attempt = |exam: &mut Exam, items: usize, fits: bool| -> Result<_, Trouble> {
        let more = ["--capacity", &capacity.to_string()];
        let mut spec = exam.spec(&arguments(workers, items, &more));
        spec.gate = Some(before_writing(|text| text.starts_with("process data:")));
        let live = exam.start(spec)?;
        // One held worker is enough: the others take an item each and then wait to print theirs,
        // be it for us or for the lock on stdout that the held one has.
        if all_held(&live, 1).is_err() {
            return fail("workers that print their items", "none came so far");
        }
        let mut waiting = Waiting::Woken;
        if fits {
            live.until(SOON, queued);
        } else {
            // It never comes: the producer has gone to sleep, and stays asleep.
            waiting = settled(&live);
        }
        let all_in = queued(&live.log.lock()).is_some();
        live.open_gate();
        Ok((all_in, waiting, whole(live.finish())?))
    };
    let (all_in, _, run) = attempt(exam, room, true)?;
    complete(&run, workers, room)?;
    let wanted = format!(
        "with {workers} workers held and capacity {capacity}, {room} items can be put, {} not",
        room + 1
    );
    expect(all_in, &*wanted, || {
        if queued(&run).is_some() {
            format!("`queued {room} items` came only when the workers went on")
        } else {
            format!("`queued {room} items` never came on stderr")
        }
    })?;
    let (all_in, waiting, run) = attempt(exam, room + 1, false)?;
    expect(!all_in, &*wanted, || {
        format!("`queued {} items` came all the same{}", room + 1, in_one_piece(&run))
    })?;
    let wanted = "the producer sleeps until a worker has made room";
    expect(waiting != Waiting::Naps, wanted, || {
        "it sleeps for a while and looks again: for time to pass, not for room".into()
    })?;
    expect(waiting != Waiting::Never, wanted, || {
        "it never stops running: it asks again and again".into()
    })?;
    complete(&run, workers, room + 1)?;
    Ok(vec![format!(
        "{workers} workers held with an item each, capacity {capacity}: {room} items were put at \
         once, of {} the last had to wait",
        room + 1
    )])
}

/// Whether the program has said that all items are in the queue.
fn queued(state: &State) -> Option<()> {
    let mut said = state.lines_of(Stream::Stderr).map(Line::text);
    said.any(|line| line.starts_with("queued")).then_some(())
}

/// Waits until everybody who is not held is asleep and has been for a moment, the producer among
/// them, or until all items are in.
fn settled(live: &Live) -> Waiting {
    let (mut looks, mut naps) = (0, 0);
    live.poll(SOON, || {
        let free: Vec<(Id, Id)> = {
            let state = live.log.lock();
            let free = state.tasks.values();
            let free = free.filter(|task| task.alive() && !state.held.contains(&task.id));
            free.map(|task| (task.process, task.id)).collect()
        };
        let waits: Option<Vec<Waits>> =
            free.into_iter().map(|(process, id)| kernel::waits_for(process, id)).collect();
        (looks, naps) = match waits {
            None => (0, 0), // somebody runs
            Some(waits) => (looks + 1, naps + usize::from(waits.contains(&Waits::Sleep))),
        };
        (looks > 50 || queued(&live.log.lock()).is_some()).then_some(())
    });
    match (looks, naps) {
        (0..=50, _) => Waiting::Never,
        (_, naps) if naps > looks / 2 => Waiting::Naps,
        _ => Waiting::Woken,
    }
}

fn end(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    for (workers, items) in [(1, 7), (2, 50), (8, 20), (4, 0)] {
        let live = shortly(exam, &arguments(workers, items, &[]))?;
        let ended = live.until(SOON, |state| state.ended);
        let tasks = live.log.lock().tasks.values().filter(|task| task.alive()).count();
        let run = live.finish();
        expect(
            ended.is_some() || run.cut.is_some_and(|cut| !cut.hangs()),
            "it ends when all items are processed",
            || format!("{workers} workers, {items} items: {tasks} threads still wait, for ever"),
        )?;
        complete(&whole(run)?, workers, items)?;
        evidence.push(format!("{items} items, {workers} workers"));
    }
    Ok(vec![format!("exit status 0 and every item: {}", evidence.join("; "))])
}
