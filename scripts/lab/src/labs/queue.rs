//! Queues: `queue.Queue`.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::common::{all_held, before_writing, difference, some, stdout};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, expect, fail};
use crate::run::kernel;
use crate::run::{Kind, Line, State, Stream};

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
                id: "workers",
                title: "the workers are threads, and all of them get work",
                points: 2,
                needs: &["items"],
                lesson: "With work for all, a worker that does nothing is not waiting at the queue.",
                examine: workers,
            },
            Check {
                id: "bounded",
                title: "the producer waits while the queue is full",
                points: 3,
                needs: &["items"],
                lesson: "An unbounded queue grows until the memory is full when the workers are \
                         slower than the producer. put with a capacity is what slows it down.",
                examine: bounded,
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
    exam.kept("note", |exam| Ok(Kept::new(exam.run::<&str>(&[])?, ["2".into(), "50".into()])))
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

/// Each of the items once, each by one of the workers.
fn complete(run: &State, workers: usize, items: usize) -> Result<(), Trouble> {
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
    done(run)
}

fn items(exam: &mut Exam) -> Finding {
    complete(&*note(exam)?, 2, 50)?;
    let (workers, items) = (exam.random.usize(3..5), exam.random.usize(60..90));
    let run = exam.run(&arguments(workers, items, &[]))?;
    complete(&run, workers, items)?;
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
    let run = exam.run(&arguments(3, 12, &["--delay", "0.005"]))?;
    complete(&run, 3, 12)?;
    let root = run.root().map_or(0, |task| task.id);
    let wanted = "three workers, each a thread of the program, each with items";
    let mut numbers: Vec<usize> = stdout(&run).iter().filter_map(|l| Some(parsed(l)?.0)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    expect(numbers.len() == 3, wanted, || format!("only the workers {numbers:?} got items"))?;
    // Not a thread for each number: where stdout has one buffer for all threads, as in Python, one
    // of them may write what another one has put into it.
    let main = run.lines_of(Stream::Stdout).find(|line| line.by == Some(root));
    if let Some(line) = main {
        return fail(wanted, format!("'{}' was printed by the first thread", line.text()));
    }
    let threads: Vec<_> = run
        .made()
        .filter(|task| task.kind == Kind::Thread && task.process == root)
        .map(|task| task.id.to_string())
        .collect();
    expect(threads.len() >= 3, wanted, || format!("{} threads were born", threads.len()))?;
    Ok(vec![format!("workers 1, 2, 3 are the threads {} of {root}", threads.join(", "))])
}

fn bounded(exam: &mut Exam) -> Finding {
    let (workers, capacity) = (2, exam.random.usize(3..6));
    // Each worker is held with one item in hand: with those in the queue and the one that the
    // producer cannot get rid of, this many can have been put, and one more would be too many.
    let room = workers + capacity;
    let attempt = |exam: &mut Exam, items: usize, fits: bool| -> Result<(bool, State), Trouble> {
        let more = ["--capacity", &capacity.to_string()];
        let mut spec = exam.spec(&arguments(workers, items, &more));
        spec.gate = Some(before_writing(|text| text.starts_with("process data:")));
        let live = exam.start(spec)?;
        // One held worker is enough: the others take an item each and then wait to print theirs,
        // be it for us or for the lock on stdout that the held one has.
        if all_held(&live, 1).is_err() {
            return fail("workers that print their items", "none came so far");
        }
        let queued = |state: &State| {
            let mut said = state.lines_of(Stream::Stderr).map(Line::text);
            said.any(|line| line.starts_with("queued")).then_some(())
        };
        if fits {
            live.until(SOON, queued);
        } else {
            // It never comes: the producer has gone to sleep, and stays asleep.
            let producer = live.pid();
            let mut asleep = 0;
            live.poll(SOON, || {
                asleep = kernel::waits_for(producer, producer).map_or(0, |_| asleep + 1);
                (asleep > 50 || queued(&live.log.lock()).is_some()).then_some(())
            });
        }
        let all_in = queued(&live.log.lock()).is_some();
        live.open_gate();
        Ok((all_in, live.finish()))
    };
    let (all_in, run) = attempt(exam, room, true)?;
    complete(&run, workers, room)?;
    let wanted = format!(
        "with {workers} workers held and capacity {capacity}, {room} items can be put, {} not",
        room + 1
    );
    expect(all_in, &*wanted, || format!("`queued {room} items` did not come"))?;
    let (all_in, run) = attempt(exam, room + 1, false)?;
    expect(!all_in, &*wanted, || format!("`queued {} items` came all the same", room + 1))?;
    complete(&run, workers, room + 1)?;
    Ok(vec![format!(
        "{workers} workers held with an item each, capacity {capacity}: {room} items were put at \
         once, of {} the last had to wait",
        room + 1
    )])
}

fn end(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    for (workers, items) in [(1, 7), (8, 20), (4, 0)] {
        let run = exam.run(&arguments(workers, items, &[]))?;
        complete(&run, workers, items)?;
        evidence.push(format!("{items} items, {workers} workers"));
    }
    Ok(vec![format!("exit status 0 and every item: {}", evidence.join("; "))])
}
