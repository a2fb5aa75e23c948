//! Queues: `queue.Queue`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use super::common::{
    all_held, before_writing, difference, in_one_piece, sleepers, some, stdout, unhurried,
    who_sleeps,
};
use super::idle::{Idle, Way, idle};
use super::{Check, Lab, Scene, manners};
use crate::exam::{
    Exam, Finding, Kept, SOON, Trouble, done, ending, expect, fail, last_word, whole,
};
use crate::run::{Ending, Id, Limits, Line, Live, Moment, Spec, State, Step, Stream};

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
                lesson: "A worker that ends when it finds the queue empty may end too early: more \
                         may be to come. Let it wait in get until it takes out a sentinel, such \
                         as None, of which the producer puts in one for each worker, behind the \
                         last item. Items are doubled where two workers look at one before either \
                         takes it.",
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
                         for ever. And who waits in join for the whole queue waits for a task_done \
                         for each item.",
                examine: end,
            },
            Check {
                id: "workers",
                title: "the workers are threads, and all of them work at the same time",
                points: 1,
                needs: &["items", "end"],
                lesson: "A worker holds a lock only while it takes an item out, which the queue does \
                         by itself, and not while it works on it. With --workers 3 --items 12 \
                         --delay 1 the lines come in threes, a second apart.",
                examine: workers,
            },
            Check {
                id: "bounded",
                title: "the producer waits while the queue is full",
                points: 2,
                needs: &["items", "end"],
                lesson: "An unbounded queue grows until the memory is full when the workers are \
                         slower than the producer; put with a capacity is what slows it down. Each \
                         worker has one item in hand and CAPACITY more are in the queue: more than \
                         that can't be under way. Try --workers 2 --items 8 --capacity 5 --delay \
                         1: seven go in at once, and `queued 8 items` comes a second later.",
                examine: bounded,
            },
            Check {
                id: "waits",
                title: "the producer and the workers sleep until they are woken",
                points: 1,
                needs: &["bounded"],
                lesson: "To ask a queue again and again whether it is full or empty takes a \
                         processor from those who have work to do, and naps in between make \
                         everything late. put sleeps until there is room, get until there is an \
                         item.",
                examine: waits,
            },
            Check {
                id: "kinds",
                title: "lifo gives out the newest item first, priority the smallest",
                points: 1,
                needs: &["items", "end"],
                lesson: "In a stack, and in a queue of priorities, a sentinel may overtake the items: \
                         wait until they are done (join) before you put it in. And the order is \
                         only certain when no worker takes an item out before the queue is full or \
                         all items are in.",
                examine: kinds,
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
        (Some(cut), _) => return Err(Trouble::Cut(cut, last_word(run))),
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
    let Some(different) = difference(&all, &seen) else {
        return Ok(());
    };
    let mut saw = vec![format!("items {different}")];
    match run.cut {
        Some(cut) => saw.push(cut.to_string()),
        None if done(run).is_err() => saw.push(ending(run)),
        None => {}
    }
    Err(Trouble::Fail { expected: wanted, saw })
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
    let mut evidence = each_in_order(&run, "ascending items for each worker", |item| item)?;
    // Of several workers each may have items in order by chance.
    let alone = shortly(exam, &arguments(1, 30, &[]))?.finish();
    processed(&alone, 1, 30)?;
    evidence.extend(each_in_order(&alone, "ascending items for one worker", |item| item)?);
    // Of a worker that is faster than the producer one item waits at a time, which is in order
    // whatever the queue does: so all the others wait before it goes on.
    let held = match with_workers_held(exam, 1, 30, 30) {
        Err(Trouble::Fail { .. }) => return Ok(evidence), // another check says why
        held => held?,
    };
    idle(&held, |state| queued(state).is_some());
    held.open_gate();
    let full = held.finish();
    processed(&full, 1, 30)?;
    evidence.extend(each_in_order(&full, "ascending items where all wait", |item| item)?);
    Ok(evidence)
}

/// Passes when each worker's items come by their ranks; how many each had.
fn each_in_order<R: Ord>(run: &State, wanted: &str, rank: impl Fn(usize) -> R) -> Finding {
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    for (worker, item) in stdout(run).iter().filter_map(|line| parsed(line)) {
        if let Some(before) = last.insert(worker, item) {
            expect(rank(before) < rank(item), wanted, || {
                format!("worker {worker} printed {item} after {before}")
            })?;
        }
    }
    let counts: Vec<_> = counts(run).iter().map(|(w, n)| format!("worker {w}: {n}")).collect();
    Ok(vec![format!("{wanted}; {}", counts.join(", "))])
}

/// How many items each worker had.
fn counts(run: &State) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for (worker, _) in stdout(run).iter().filter_map(|line| parsed(line)) {
        *counts.entry(worker).or_default() += 1;
    }
    counts
}

fn kinds(exam: &mut Exam) -> Finding {
    let items = exam.random.usize(7..11);
    let mut evidence = Vec::new();
    // A sentinel that overtakes does so while a worker is busy.
    let sorted = |exam: &mut Exam, kind, workers, capacity: usize| -> Result<State, Trouble> {
        let capacity = capacity.to_string();
        let more = ["--kind", kind, "--capacity", &capacity, "--delay", "0.01"];
        let run = shortly(exam, &arguments(workers, items, &more))?.finish();
        complete(&run, workers, items)?;
        whole(run)
    };
    let lifo = sorted(exam, "lifo", 1, 0)?;
    let wanted = "lifo, with room for all: descending items";
    evidence.extend(each_in_order(&lifo, wanted, std::cmp::Reverse)?);
    let priority = sorted(exam, "priority", 2, items)?;
    let wanted = "priority, with room for all: for each worker ascending by ITEM % 3, then by ITEM";
    evidence.extend(each_in_order(&priority, wanted, |item| (item % 3, item))?);
    let capacity = exam.random.usize(3..6);
    let small = sorted(exam, "lifo", 1, capacity)?;
    let first = stdout(&small).first().and_then(|line| parsed(line)).map(|(_, item)| item);
    let newest = capacity - 1;
    expect(
        first == Some(newest),
        format!("lifo, with room for {capacity}: the worker begins with item {newest}"),
        || format!("it begins with {}", first.map_or("none".into(), |item| item.to_string())),
    )?;
    evidence.push(format!("lifo, with room for {capacity}: it begins with item {newest}"));
    Ok(evidence)
}

fn workers(exam: &mut Exam) -> Finding {
    sleeps_over_an_item(exam)?;
    let seen = unhurried(exam, workers_with)?;
    each_alone(exam)?;
    Ok(seen)
}

/// Passes when each of three workers, held over its item, prints that when it is let go alone, under
/// a name of its own: else it only sleeps beside one that does the work. Where they sleep in a way
/// of their own nobody is held, and this tells nothing.
fn each_alone(exam: &mut Exam) -> Result<(), Trouble> {
    const WORKERS: usize = 3;
    let mut spec = exam.spec(&arguments(WORKERS, 2 * WORKERS, &["--delay", "0.01"]));
    spec.gate = Some(Arc::new(|moment: &Moment| matches!(moment.what, Step::Sleep)));
    let live = exam.start(spec)?;
    let mut held = all_held(&live, WORKERS).unwrap_or_default();
    if held.len() > WORKERS {
        held.retain(|task| task.id != live.pid()); // a main thread that looks at the others
    }
    let mut names = BTreeSet::new();
    for (before, task) in held.iter().enumerate() {
        live.let_one_go(task.id);
        let next = |state: &State| state.lines_of(Stream::Stdout).nth(before).map(Line::text);
        let over = |state: &State| state.held.contains(&task.id) || !state.tasks[&task.id].alive();
        live.until(SOON, |state| (next(state).is_some() || over(state)).then_some(()));
        // What it has written may still have to be read.
        let said = live.until(SOON, next);
        let name = said.as_deref().and_then(parsed).map(|(worker, _)| worker);
        expect(
            name.is_some_and(|name| names.insert(name)),
            "each of three workers, let go alone, prints its item under its own name",
            || said.map_or_else(|| "nothing came".into(), |line| some(&[line])),
        )?;
    }
    live.open_gate();
    complete(&whole(live.finish())?, WORKERS, 2 * WORKERS)
}

/// Passes when a worker sleeps before it prints the line of an item, and not only afterwards: for a
/// minute, of which only the beginning is waited for.
fn sleeps_over_an_item(exam: &mut Exam) -> Result<(), Trouble> {
    let mut spec = exam.spec(&arguments(1, 1, &["--delay", "60"]));
    spec.gate = Some(before_writing(|text| text.starts_with("process data:")));
    let live = exam.start(spec)?;
    let slept = live.poll(SOON / 2, || {
        let state = live.log.lock();
        if !state.held.is_empty() {
            return Some(false);
        }
        (sleepers(&state) > 0).then_some(true)
    });
    expect(slept != Some(false), "with --delay 60, the first line after a minute", || {
        "it came at once".into()
    })
}

fn workers_with(exam: &mut Exam, times: f64) -> Finding {
    const WORKERS: usize = 3;
    let delay = 0.03 * times;
    let items = 4 * WORKERS;
    let spec = exam.spec(&arguments(WORKERS, items, &["--delay", &delay.to_string()]));
    let live = exam.start(spec)?;
    let slept = who_sleeps(&live);
    let run = whole(live.finish())?;
    complete(&run, WORKERS, items)?;
    let wanted = "three workers at work at the same time, each a thread of its own";
    // Who wrote a line need not be its worker: in Python, who flushes stdout writes what the others
    // have put there. Who takes the time of an item is.
    let root = run.root().map_or(0, |task| task.id);
    let mut working: Vec<Id> = slept.ever.iter().copied().collect();
    if working.is_empty() {
        // It sleeps in a way of its own.
        working = run.made().map(|task| task.id).collect();
    } else if working.len() > WORKERS {
        working.retain(|id| *id != root); // a main thread that now and then looks at the others
    }
    let foreign = working.iter().filter(|id| run.tasks[id].process != root).count();
    expect(foreign == 0, wanted, || format!("{foreign} processes made for them"))?;
    // Of those who sleep in a way of their own the producer may be one more.
    let enough = slept.ever.is_empty() && working.len() > WORKERS;
    expect(enough || working.len() == WORKERS, wanted, || {
        format!("{} took the {delay:.2} seconds of an item", working.len())
    })?;
    let at_once = slept.at_once.iter().filter(|id| working.contains(id)).count();
    expect(slept.ever.is_empty() || at_once == WORKERS, wanted, || {
        format!("at most {at_once} of the three took the {delay:.2} seconds of an item at a time")
    })?;
    let counts = counts(&run);
    expect(counts.len() == WORKERS, wanted, || {
        format!("only {} of them got an item", counts.len())
    })?;
    let threads: Vec<_> = working.iter().map(ToString::to_string).collect();
    let counts: Vec<_> = counts.values().map(ToString::to_string).collect();
    Ok(vec![format!(
        "workers 1, 2, 3 got {} items, and are the threads {} of {root}",
        counts.join(", "),
        threads.join(", ")
    )])
}

/// Starts the program with its workers held, each before the line of its first item.
fn with_workers_held(
    exam: &mut Exam,
    workers: usize,
    items: usize,
    capacity: usize,
) -> Result<Live, Trouble> {
    let more = ["--capacity", &capacity.to_string()];
    let mut spec = exam.spec(&arguments(workers, items, &more));
    spec.gate = Some(before_writing(|text| text.starts_with("process data:")));
    let live = exam.start(spec)?;
    // One held worker is enough: the others take an item each and then wait to print theirs, be it
    // for us or for the lock on stdout that the held one has.
    if all_held(&live, 1).is_err() {
        let mut saw = vec!["there was none".into()];
        saw.extend(live.finish().cut.map(|cut| cut.to_string()));
        let expected = format!("a line of the first item, with --capacity {capacity}");
        return Err(Trouble::Fail { expected, saw });
    }
    Ok(live)
}

fn bounded(exam: &mut Exam) -> Finding {
    // Not 5, which is right without a look at the command line.
    let (workers, capacity) = (2, [3, 4, 6, 7][exam.random.usize(..4)]);
    // Each worker has one item in hand: with those in the queue this many can have been put, and
    // one more would be too many.
    let room = workers + capacity;
    let held = format!(
        "with {workers} workers held, each with an item in hand, and room for {capacity} in the queue"
    );
    let live = with_workers_held(exam, workers, room, capacity)?;
    let all_in = live.until(SOON, queued).is_some();
    live.open_gate();
    let run = whole(live.finish())?;
    complete(&run, workers, room)?;
    expect(all_in, format!("{held}, {room} items can be put"), || said_too_late(&run, room))?;
    let live = with_workers_held(exam, workers, room + 1, capacity)?;
    idle(&live, |state| queued(state).is_some());
    let all_in = queued(&live.log.lock()).is_some();
    live.open_gate();
    let run = whole(live.finish())?;
    let wanted = format!(
        "{held}, {workers} + {capacity} items can be under way: the producer waits with the next one"
    );
    expect(!all_in, wanted, || {
        format!("`queued {} items` came all the same{}", room + 1, in_one_piece(&run))
    })?;
    complete(&run, workers, room + 1)?;
    let many = 30;
    let live = with_workers_held(exam, workers, many, 0)?;
    let all_in = live.until(SOON, queued).is_some();
    live.open_gate();
    let run = whole(live.finish())?;
    complete(&run, workers, many)?;
    expect(all_in, "with --capacity 0 there is room for any number of items", || {
        said_too_late(&run, many)
    })?;
    Ok(vec![
        format!(
            "{workers} workers held with an item each, capacity {capacity}: {room} items were put \
             at once, of {} the last had to wait",
            room + 1
        ),
        format!("capacity 0: {many} items were put at once"),
    ])
}

/// What became of the line that should have come while the workers were held.
fn said_too_late(run: &State, items: usize) -> String {
    if queued(run).is_some() {
        format!("`queued {items} items` came only when the workers went on")
    } else {
        format!("`queued {items} items` never came on stderr")
    }
}

fn waits(exam: &mut Exam) -> Finding {
    let live = with_workers_held(exam, 2, 20, 3)?;
    let producer = idle(&live, |_| false);
    live.open_gate();
    let run = whole(live.finish())?;
    complete(&run, 2, 20)?;
    let full = "while the queue is full, the producer sleeps until a worker has made room";
    all_wait(&run, full, &producer, "queued")?;

    let empty =
        "while the queue is empty, and the producer held, the workers sleep until they are woken";
    let mut tries = 0;
    let workers = loop {
        let (run, workers) = with_the_producer_held(exam)?;
        all_wait(&run, empty, &workers, "process data:")?;
        tries += 1;
        if !workers.missed || tries == TRIES {
            break workers;
        }
    };
    Ok(vec![
        format!("queue full: {} waited to be woken, the producer among them", producer.tasks.len()),
        format!("queue empty, the producer held: {} waited to be woken", workers.tasks.len()),
    ])
}

/// How often the workers are watched, where one of them may have given up unseen.
const TRIES: u32 = 5;

/// How the workers wait once all items are taken, and the producer is held before it says that it
/// has put them. They are held until it is, and are watched from then on: one that gives up would
/// otherwise be gone before, on a busy machine.
fn with_the_producer_held(exam: &mut Exam) -> Result<(State, Idle), Trouble> {
    let mut spec = exam.spec(&arguments(3, 8, &["--capacity", "5"]));
    let held = Arc::new(AtomicI32::new(0));
    let says_queued = held.clone();
    spec.gate = Some(Arc::new(move |moment: &Moment| match moment.what {
        Step::Write(Stream::Stderr, bytes) if bytes.starts_with(b"queued") => {
            says_queued.store(moment.task, Ordering::Relaxed);
            true
        }
        Step::Write(Stream::Stdout, _) => true,
        _ => false,
    }));
    let live = exam.start(spec)?;
    let held = || held.load(Ordering::Relaxed);
    live.until(SOON, |state| state.held.contains(&held()).then_some(()));
    live.open_gate_but_for(held());
    let workers = idle(&live, |_| false);
    live.open_gate();
    let run = whole(live.finish())?;
    complete(&run, 3, 8)?;
    Ok((run, workers))
}

/// Passes when the first thread, and who wrote lines that begin so, waited to be woken. A language
/// may have helpers that nap.
fn all_wait(run: &State, wanted: &str, idle: &Idle, begin: &str) -> Result<(), Trouble> {
    let root = run.root().map_or(0, |task| task.id);
    let lines = run.lines.iter().filter(|line| line.text().starts_with(begin));
    let writers: Vec<Id> = lines.filter_map(|line| line.by).collect();
    let awake = idle.tasks.iter().find(|&(id, way)| {
        let concerned = *id == root || writers.contains(id) || idle.busy;
        *way != Way::Waits && concerned
    });
    let Some((id, way)) = awake else { return Ok(()) };
    let who = if *id == root { "the first thread".into() } else { format!("thread {id}") };
    fail(wanted, format!("{who} does not: {}", idle.instead(*way)))
}

/// Whether the program has said that all items are in the queue.
fn queued(state: &State) -> Option<()> {
    let mut said = state.lines_of(Stream::Stderr).map(Line::text);
    said.any(|line| line.starts_with("queued")).then_some(())
}

fn end(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    for (workers, items) in [(1, 7), (2, 50), (8, 20), (4, 0)] {
        let run = shortly(exam, &arguments(workers, items, &[]))?.finish();
        processed(&run, workers, items)?;
        if let Some(cut) = run.cut.filter(|cut| cut.hangs()) {
            return fail(
                "it ends when all items are processed",
                format!("{workers} workers, {items} items: all are processed, but {cut}"),
            );
        }
        complete(&whole(run)?, workers, items)?;
        evidence.push(format!("{items} items, {workers} workers"));
    }
    Ok(vec![format!("exit status 0 and every item: {}", evidence.join("; "))])
}
