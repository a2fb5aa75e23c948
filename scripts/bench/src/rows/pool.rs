//! pool-demo's executor and futures, against other pools. The integers are the same for all in Rust.

use std::hint::black_box;
use std::io;
use std::sync::mpsc;
use std::thread;

use crossbeam::channel;
use dashu_int::UBig;
use futures::executor::{ThreadPoolBuilder as Futures, block_on_stream};
use futures::stream::FuturesUnordered;
use futures::task::SpawnExt;
use tokio::task::JoinSet;

use super::{size, timed, unknown};
use crate::contest::{Case, Goal, Row, python, rust};
use crate::executor::Executor;
use crate::future::as_completed;

const WORKERS: usize = 10;

pub(crate) fn row(quick: bool) -> Row {
    let pools =
        || ["pool-demo", "rayon", "crossbeam by hand", "threadpool", "futures", "tokio"].map(rust);
    let threads = "Python ThreadPoolExecutor";
    let processes = "Python ProcessPoolExecutor";
    let ahead = |goals: &[Goal]| {
        let peers = ["crossbeam by hand", "threadpool", "futures", "tokio"];
        peers.map(|peer| Goal::Times(peer, 1.0)).into_iter().chain(goals.iter().copied()).collect()
    };

    let light = if quick { 3_000 } else { 10_000 };
    let mut note = Case {
        name: "the note's: ten tasks, exponent 2,000".into(),
        args: vec![light, 10, 2_000],
        field: pools().into(),
        goals: ahead(&[Goal::Times("rayon", 1.0), Goal::Times(threads, 1.0)]),
        ..Case::default()
    };
    note.field.extend([python(threads).share(4), python(processes).share(10)]);

    let (tasks, part) = if quick { (40, 20) } else { (200, 40) };
    let mut heavy = Case {
        name: format!("{tasks} tasks, exponent 200,000"),
        args: vec![tasks, 200, 200_000],
        field: pools().into(),
        goals: ahead(&[
            Goal::Times("rayon", 1.0),
            Goal::Times(threads, 20.0),
            Goal::Times(processes, 10.0),
        ]),
        rounds: 3,
        ..Case::default()
    };
    let slow = [threads, processes].map(|name| python(name).share(part));
    heavy.field.extend(slow);
    heavy.field.push(python("gmpy2 in threads"));

    let mut cases = vec![note, heavy];
    let numbers: &[u64] = if quick { &[100_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    for &number in numbers {
        let mut empty = Case {
            name: format!("{number} empty tasks"),
            point: Some(("empty tasks", u32::try_from(number).unwrap_or(u32::MAX))),
            args: vec![number, number, 0],
            field: pools().into(),
            is_sum: true,
            ..Case::default()
        };
        empty.field.push(python(threads).share(if number < 100_000 { 1 } else { 20 }));
        if number >= 100_000 {
            empty.goals = vec![
                Goal::Times("rayon", 1.0 / 1.2),
                Goal::Times("tokio", 1.0),
                Goal::Times("futures", 1.0),
                Goal::Times(threads, 20.0),
            ];
        }
        cases.push(empty);
    }
    Row {
        name: "pool",
        title: "Pools: submit, and take the results as they complete",
        unit: "ns a task",
        growth: Some("tasks"),
        cases,
    }
}

/// `args`: how many tasks in all, how many at once, and the exponent, 0 for a task without work.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[tasks, batch, exponent] = args else { return Err(unknown(name)) };
    // One that does only a few of a batch does some of all sizes.
    let step = batch.div_ceil(tasks).max(1);
    let batch = batch.min(tasks);
    let power = move |a: u64| UBig::from(a * step).pow(size(exponent)).to_string();
    let weight = |text: String| text.bytes().map(u64::from).sum();
    if exponent == 0 {
        pool(name, tasks, batch, black_box, |a| a)
    } else {
        pool(name, tasks, batch, power, weight)
    }
}

fn pool<T: Send + 'static>(
    name: &str,
    tasks: u64,
    batch: u64,
    f: impl Fn(u64) -> T + Copy + Send + Sync + 'static,
    weight: impl Fn(T) -> u64,
) -> io::Result<()> {
    // Each task of a batch is given to the pool by `submit`, then all results are taken.
    let mut do_batch: Box<dyn FnMut() -> u64> = match name {
        "pool-demo" => {
            let pool = Executor::new(WORKERS)?;
            Box::new(move || {
                let futures: Vec<_> = (0..batch).map(|a| pool.submit(move || f(a))).collect();
                as_completed(futures).map(|done| weight(done.result().expect("no panic"))).sum()
            })
        }
        "rayon" => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build();
            let pool = pool.map_err(io::Error::other)?;
            Box::new(move || {
                let (done, results) = mpsc::channel();
                for a in 0..batch {
                    let done = done.clone();
                    pool.spawn_fifo(move || done.send(f(a)).expect("we take them all"));
                }
                drop(done);
                results.into_iter().map(&weight).sum()
            })
        }
        "crossbeam by hand" => {
            type Task = Box<dyn FnOnce() + Send>;
            let (submit, queue) = channel::unbounded::<Task>();
            for _ in 0..WORKERS {
                let queue = queue.clone();
                thread::spawn(move || queue.into_iter().for_each(|task| task()));
            }
            Box::new(move || {
                let (done, results) = channel::unbounded();
                for a in 0..batch {
                    let done = done.clone();
                    let task = Box::new(move || done.send(f(a)).expect("we take them all"));
                    submit.send(task).expect("the workers wait for it");
                }
                drop(done);
                results.into_iter().map(&weight).sum()
            })
        }
        "threadpool" => {
            let pool = threadpool::ThreadPool::new(WORKERS);
            Box::new(move || {
                let (done, results) = mpsc::channel();
                for a in 0..batch {
                    let done = done.clone();
                    pool.execute(move || done.send(f(a)).expect("we take them all"));
                }
                drop(done);
                results.into_iter().map(&weight).sum()
            })
        }
        "futures" => {
            let pool = Futures::new().pool_size(WORKERS).create()?;
            Box::new(move || {
                let task = |a| pool.spawn_with_handle(async move { f(a) }).expect("it is open");
                let handles: FuturesUnordered<_> = (0..batch).map(task).collect();
                block_on_stream(handles).map(&weight).sum()
            })
        }
        "tokio" => {
            let runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = { runtime }.worker_threads(WORKERS).build()?;
            Box::new(move || {
                runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for a in 0..batch {
                        tasks.spawn(async move { f(a) });
                    }
                    let mut sum = 0;
                    while let Some(done) = tasks.join_next().await {
                        sum += weight(done.expect("no panic"));
                    }
                    sum
                })
            })
        }
        _ => return Err(unknown(name)),
    };
    if tasks > batch {
        do_batch(); // the threads are awake, the allocator has what it needs
    }
    timed(tasks, || {
        let mut sums = (0..tasks / batch).map(|_| do_batch());
        let first = sums.next().unwrap_or(0);
        assert!(sums.all(|sum| sum == first), "each batch comes to the same");
        Ok(first)
    })
}
