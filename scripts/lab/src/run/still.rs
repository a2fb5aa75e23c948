//! Whether anything can still happen in a run: when everybody is held, or waits without a time-out
//! for somebody else of the same run, waiting on is of no use.

use std::collections::BTreeMap;
use std::time::Duration;

use super::kernel;
use super::log::{Id, Log, State, Task};

/// How often is looked.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// How many looks in a row must see the same. One alone may come between two steps: while it asks
/// of the last task, the first one may have been woken.
const LOOKS: u32 = 5;

/// A run that may have come to a stand.
#[derive(Default)]
pub(super) struct Stillness {
    /// How often each had gone to sleep when it was last looked at.
    sleeps: BTreeMap<Id, Option<u64>>,
    looks: u32,
    since: Duration,
    fed: bool,
}

impl Stillness {
    /// Of a run whose stdin somebody may write to meanwhile, or nobody.
    pub(super) fn new(fed: bool) -> Stillness {
        Stillness { fed, ..Stillness::default() }
    }

    /// Looks once more; whether all looks of the last tenth of a second have seen nobody who could
    /// go on by itself, and all that was written before has been read.
    pub(super) fn look(&mut self, log: &Log) -> bool {
        let waiting: Vec<(Id, Id)> = {
            let state = log.lock();
            if state.ended.is_some() || !state.traced || !state.release.is_empty() {
                Vec::new()
            } else {
                let all =
                    state.tasks.values().filter(|task| task.alive() || is_leaving(task, &state));
                all.filter(|task| !state.held.contains(&task.id))
                    .map(|task| (task.process, task.id))
                    .chain(state.held.iter().map(|id| (0, *id)))
                    .collect()
            }
        };
        let held = |process: Id| process == 0;
        let stands = !waiting.is_empty()
            && waiting.iter().all(|&(process, id)| {
                held(process) || kernel::never_by_itself(process, id, self.fed)
            });
        let sleeps =
            waiting.iter().map(|&(process, id)| (id, kernel::sleeps_of(process, id))).collect();
        if !stands || sleeps != self.sleeps {
            self.looks = 0;
            self.since = log.now();
        }
        self.looks += u32::from(stands);
        self.sleeps = sleeps;
        self.looks >= LOOKS && log.lock().has_been_read(self.since)
    }
}

/// Whether a task has come to its end, of which nobody has been told yet: first we hear of it, and who
/// waits for it is woken by that. A process whose first thread has ended waits for its other ones.
fn is_leaving(task: &Task, state: &State) -> bool {
    let others = || state.tasks.values().filter(|other| other.process == task.process);
    let leads = task.id == task.process && others().any(Task::alive);
    !task.told && !leads
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use super::super::log::{Account, Ending, Kind};
    use super::super::{Moment, Spec, Step, start};
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn shell(script: &str) -> Spec {
        Spec { command: ["/bin/sh", "-c", script].map(Into::into).into(), ..Spec::default() }
    }

    #[test]
    fn nobody_waits_for_a_run_that_stands() {
        // The child is held before its first word, and the shell waits for it.
        let gate = Arc::new(|moment: &Moment| matches!(moment.what, Step::Write(..)));
        let live = start(&Spec { gate: Some(gate), ..shell("/bin/echo a; /bin/echo b") });
        let live = live.expect("a shell");
        assert_eq!(live.until(LONG, |state| (state.lines.len() == 2).then_some(())), None);
        assert!(live.log.now() < LONG);
        assert_eq!(live.log.lock().held.len(), 1);
        live.open_gate();
        assert_eq!(live.finish().lines.len(), 2);
    }

    #[test]
    fn a_run_that_reads_what_nobody_writes_stands() {
        let live = start(&Spec { stdin: true, ..shell("read a; read b; echo c") });
        let mut live = live.expect("a shell");
        live.feed(b"a\n");
        assert_eq!(live.until(LONG, |state| (state.lines.len() == 1).then_some(())), None);
        assert!(live.log.now() < LONG);
        live.feed(b"b\n");
        assert!(live.until(LONG, |state| (state.lines.len() == 1).then_some(())).is_some());
    }

    #[test]
    fn a_run_in_which_somebody_sleeps_does_not_stand() {
        let live = start(&shell("sleep 0.4; echo a")).expect("a shell");
        assert!(live.until(LONG, |state| (state.lines.len() == 1).then_some(())).is_some());
        assert_eq!(live.finish().cut, None);
    }

    /// The one who waits for a child is told of its end when we have been, and we may be late.
    #[test]
    fn a_run_does_not_stand_while_the_end_of_somebody_is_still_to_be_told() {
        let mut waits = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat");
        let mut leaves = Command::new("true").spawn().expect("true");
        let number = |id: u32| Id::try_from(id).expect("a number");
        let (parent, child) = (number(waits.id()), number(leaves.id()));
        while !kernel::has_ended(child, child) || !kernel::never_by_itself(parent, parent, false) {
            std::thread::yield_now();
        }
        let task = |id, died| Task {
            id,
            process: id,
            maker: 0,
            kind: Kind::Process,
            name: String::new(),
            born: Duration::ZERO,
            died,
            ending: died.map(|_| Ending::Exit(0)),
            told: false,
            executed: None,
            executions: Vec::new(),
            before: Account::default(),
            account: None,
        };
        let log = Log::new(None);
        log.change(|state| {
            (state.traced, state.drained) = (true, true);
            let both = [task(parent, None), task(child, Some(Duration::ZERO))];
            state.tasks.extend(both.map(|task| (task.id, task)));
        });
        let stands = || {
            let mut stillness = Stillness::new(false);
            (0..2 * LOOKS).any(|_| stillness.look(&log))
        };
        assert!(!stands());
        log.change(|state| state.tasks.get_mut(&child).expect("the child").told = true);
        assert!(stands());
        drop(waits.stdin.take());
        assert!(waits.wait().expect("its end").success());
        assert!(leaves.wait().expect("its end").success());
    }
}
