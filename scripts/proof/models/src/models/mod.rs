//! The models. Each says in its name what must hold.

#![allow(clippy::unwrap_used, reason = "to panic is how a model fails")]

mod executor;
mod future;
mod log;
mod queue;
mod threads;

/// A fact, and what is run to see it.
pub(crate) type Model = (&'static str, fn());

/// All of them.
pub(crate) const ALL: &[Model] = &[
    ("future: a result is waited for", future::result_is_waited_for),
    ("future: a time-out loses nothing", future::timeout_loses_nothing),
    ("future: a cancelled task never runs, a running one ends", future::cancel_races_with_start),
    ("future: of two who cancel, one at most is told so", future::two_cancel),
    ("future: a panic is a result", future::panic_is_a_result),
    ("future: dropped while its task runs", future::dropped_meanwhile),
    ("as_completed: yields each once, and ends", future::as_completed_yields_each_once),
    ("as_completed: one is cancelled, one panics", future::as_completed_of_failures),
    ("as_completed: after a time-out", future::as_completed_after_a_timeout),
    ("as_completed: dropped half-way", future::as_completed_dropped_half_way),
    ("executor: its end waits for every task and thread", executor::drop_waits),
    ("executor: map gives the results in order", executor::map_is_in_order),
    ("executor: a task that panics fails alone", executor::panic_fails_alone),
    ("executor: cancelled, and ended at once", executor::cancelled_and_dropped),
    ("unfinished: join sees the work of all", queue::join_sees_the_work),
    ("unfinished: nobody who joins sleeps through the end", queue::nobody_sleeps_on),
    ("unfinished: nor when more comes meanwhile", queue::more_comes),
    ("unfinished: task_done once too often", queue::once_too_often),
    ("blocking: one producer, two workers", queue::two_workers),
    ("blocking: two producers, one worker", queue::two_producers),
    ("blocking: two producers, two workers", queue::two_and_two),
    ("blocking: a priority queue gives the smallest first", queue::smallest_first),
    ("queue: put, task_done, join, sentinel: fifo", queue::protocol_fifo),
    ("queue: put, task_done, join, sentinel: lifo", queue::protocol_lifo),
    ("queue: put, task_done, join, sentinel: priority", queue::protocol_priority),
    ("threads: a client waits until there is room", threads::waits_for_room),
    ("threads: and then for two to go", threads::two_make_room),
    ("threads: a failure ends the server", threads::failure_ends_it),
    ("log: who waits is told of each change", log::who_waits_is_told),
];
