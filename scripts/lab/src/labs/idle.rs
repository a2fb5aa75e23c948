//! How tasks wait when there is nothing for them to do: until somebody wakes them, or only for a
//! while, to look again; or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::common::STEADY;
use crate::exam::SOON;
use crate::run::kernel::{self, Waits};
use crate::run::{Id, Live, State, Task};

/// Who has gone to sleep so often while nobody else ran is not on its way to a long wait.
const OFTEN: u64 = 40;

/// Processor time that nobody needs to come to its wait.
const MUCH: Duration = Duration::from_millis(200);

/// Who has waited for so long in a call with a time-out waits, with a deadline.
const LONG: Duration = Duration::from_millis(1200);

/// How one task waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Until it is woken.
    Waits,
    /// For time to pass.
    Sleeps,
    /// It wakes up again and again, or never sleeps.
    Restless,
    /// It has waited for a while, and then ended.
    GaveUp,
}

/// How those wait who are not held.
pub struct Idle {
    /// Each of them.
    pub tasks: BTreeMap<Id, Way>,
    /// Whether somebody ran nearly all the time.
    pub busy: bool,
    /// Whether somebody ended while nobody looked for so long that it may have given up unseen: on
    /// a busy machine the one who looks has to wait for a processor, too.
    pub missed: bool,
}

impl Idle {
    /// What one who does not wait does instead, in words.
    pub fn instead(&self, way: Way) -> &'static str {
        match way {
            Way::GaveUp => "it waits for a while, and ends when nobody has woken it by then",
            _ if self.busy => "it never stops running, and asks again and again",
            _ => "it sleeps for a while and looks again",
        }
    }
}

/// What was seen of one task.
struct Seen {
    first_sleeps: Option<u64>,
    sleeps: Option<u64>,
    waits: Option<Waits>,
    since: Duration,
    timed: bool,
    /// Whether it has ever been seen to wait for a while in a call with a time-out. On a busy
    /// machine some time lies between its end and the end of that.
    patient: bool,
}

impl Seen {
    fn way(&self, now: Duration) -> Way {
        let time = now.saturating_sub(self.since);
        match self.waits {
            Some(Waits::Sleep) if time >= STEADY => Way::Sleeps,
            Some(_) if time >= if self.timed { LONG } else { STEADY } => Way::Waits,
            _ => Way::Restless,
        }
    }
}

/// Watches those who are not held until all of them wait, until somebody has shown that it does
/// not, or until `over`. To be called when nothing can happen that they could wait for: then who
/// waits goes to sleep and stays asleep, however busy the machine is.
pub fn idle(live: &Live, over: impl Fn(&State) -> bool) -> Idle {
    let mut seen: BTreeMap<Id, Seen> = BTreeMap::new();
    let (mut looks, mut busy) = (0, 0);
    let used = |free: &[(Id, Id)]| -> Duration {
        let processes: BTreeSet<Id> = free.iter().map(|(process, _)| *process).collect();
        processes.into_iter().filter_map(kernel::processor_time).sum()
    };
    let (mut at_first, mut gave_up) = (None, Vec::new());
    let (mut last_look, mut missed) = (live.log.now(), false);
    let mut alive: BTreeSet<Id> = living(live);
    live.poll(SOON, || {
        let now = live.log.now();
        let late = now.saturating_sub(last_look) >= STEADY;
        last_look = now;
        let (free, over) = {
            let state = live.log.lock();
            let free = |task: &&Task| task.alive() && !state.held.contains(&task.id);
            let free = state.tasks.values().filter(free).map(|task| (task.process, task.id));
            (free.collect::<Vec<_>>(), over(&state))
        };
        for (id, one) in seen.extract_if(.., |id, _| !free.iter().any(|(_, free)| free == id)) {
            if one.patient {
                gave_up.push(id);
            }
        }
        let still_alive = living(live);
        missed |= late && alive.iter().any(|id| !still_alive.contains(id) && !gave_up.contains(id));
        alive = still_alive;
        let runs = |(process, id): &(Id, Id)| kernel::waits_for(*process, *id).is_none();
        let running: Vec<Id> = free.iter().filter(|one| runs(one)).map(|(_, id)| *id).collect();
        for &(process, id) in &free {
            let (waits, sleeps) = (kernel::waits_for(process, id), kernel::sleeps_of(process, id));
            let timed = kernel::has_time_out(process, id);
            // While another one runs, it may be that one's lock that it asks for again and again.
            let alone = running.iter().all(|other| *other == id);
            let first = seen.get(&id).filter(|_| alone);
            let first_sleeps = first.map_or(sleeps, |one| one.first_sleeps);
            let same = |one: &&Seen| (one.waits, one.sleeps) == (waits, sleeps);
            let since = seen.get(&id).filter(same).map_or(now, |one| one.since);
            let long = timed && waits.is_some() && now.saturating_sub(since) >= STEADY;
            let patient = long || seen.get(&id).is_some_and(|one| one.patient);
            seen.insert(id, Seen { first_sleeps, sleeps, waits, since, timed, patient });
        }
        looks += 1;
        busy += usize::from(seen.values().any(|one| one.waits.is_none()));
        let used = used(&free);
        let much = used.saturating_sub(*at_first.get_or_insert(used)) >= MUCH;
        let often =
            |one: &Seen| one.sleeps.zip(one.first_sleeps).is_some_and(|(n, m)| n > m + OFTEN);
        let all_wait = seen.values().all(|one| one.way(now) != Way::Restless);
        (over || all_wait || much || seen.values().any(often)).then_some(())
    });
    let now = live.log.now();
    // What they have said by now may still have to be read.
    live.poll(SOON, || live.log.lock().has_been_read(now).then_some(()));
    let ways = seen.iter().map(|(id, one)| (*id, one.way(now)));
    Idle {
        tasks: ways.chain(gave_up.into_iter().map(|id| (id, Way::GaveUp))).collect(),
        busy: busy * 2 > looks,
        missed,
    }
}

/// Who has not ended.
fn living(live: &Live) -> BTreeSet<Id> {
    let state = live.log.lock();
    state.tasks.values().filter(|task| task.alive()).map(|task| task.id).collect()
}
