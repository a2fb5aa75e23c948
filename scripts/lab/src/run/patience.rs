//! How long a run is waited for. What counts is the time that it had, not what a clock shows: on a
//! busy machine a program may be ready to go on and get no processor, and whoever waits for it or
//! serves it may get none either. Linux 6.18 was seen to keep some waiting for 14 seconds while
//! sessions came and went, among which it shares the processors (autogroup, `sched(7)`), and who reads
//! from a terminal for 50, since a thread of the kernel's own carries the text from one end to the other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::kernel;
use super::log::{Cut, Id, Log};
use super::still::{LOOK, Stillness};

/// Who looks later than he meant to by more than this had no processor himself.
const LATE: Duration = Duration::from_millis(75);

/// Who is ready and has not run for so long gets no processor. On a busy machine it is often some tens of
/// milliseconds until all have had their turn.
const TURN: Duration = Duration::from_millis(100);

/// By the clock a time-out takes at most so many times as long, but for what is lost by us.
const AT_MOST: u32 = 4;

/// It ends even so, or the grader would never end if we were stuck for ever.
const EVEN_SO: u32 = 40;

/// Who waits for a run: until a time-out, or until nothing can happen in it any more.
pub struct Patience {
    timeout: Duration,
    /// When it began, by the clock of the run.
    begun: Duration,
    /// How much of that the run had not had by then, and how much of this was lost by us.
    lost: (Duration, Duration),
    looked: Duration,
    left: Duration,
    stillness: Stillness,
}

impl Patience {
    /// From now on, with a run whose stdin somebody else may write to (`fed`), or nobody.
    pub(super) fn new(log: &Log, timeout: Duration, fed: bool) -> Patience {
        let (begun, stillness) = (log.now(), Stillness::new(fed));
        Patience { timeout, begun, lost: lost(log), looked: begun, left: timeout, stillness }
    }

    /// From the beginning of a run.
    pub(super) fn with_all(log: &Log, timeout: Duration) -> Patience {
        let (begun, lost) = Default::default();
        Patience { begun, lost, ..Patience::new(log, timeout, true) }
    }

    /// When to look, if nothing has happened by then: by the clock of the run.
    pub(super) fn next_look(&self) -> Duration {
        self.looked + LOOK.min(self.left)
    }

    /// Looks at the run, if it is time to; why there is nothing more to wait for, if so.
    pub fn end(&mut self, log: &Log) -> Option<Cut> {
        let late = log.now().checked_sub(self.next_look())?;
        count_what_is_lost(log, Some(late).filter(|late| *late > LATE).unwrap_or_default());
        let stands = self.stillness.look(log);
        self.looked = log.now();
        let took = self.looked.saturating_sub(self.begun);
        let (all, by_us) = lost(log);
        let had = took.saturating_sub(all.saturating_sub(self.lost.0));
        let without_us = took.saturating_sub(by_us.saturating_sub(self.lost.1));
        self.left = self.timeout.saturating_sub(had);
        let over = self.left.is_zero()
            || without_us >= self.timeout.saturating_mul(AT_MOST)
            || took >= self.timeout.saturating_mul(EVEN_SO);
        if stands { Some(Cut::Still) } else { over.then_some(Cut::Time) }
    }
}

/// How much the run has lost so far, and how much of that by us.
fn lost(log: &Log) -> (Duration, Duration) {
    let state = log.lock();
    (state.lost, state.lost_by_us)
}

/// Adds what was lost: all since the last time, if nobody has got a processor since who was ready for
/// one, or one of us has not come further; else what we are `late` ourselves.
fn count_what_is_lost(log: &Log, late: Duration) {
    let looked = log.lock().looked;
    if late.is_zero() && log.now().saturating_sub(looked) < TURN {
        return;
    }
    let (free, servants): (Vec<(Id, Id)>, _) = {
        let state = log.lock();
        let free = state.tasks.values().filter(|t| t.alive() && !state.held.contains(&t.id));
        (free.map(|task| (task.process, task.id)).collect(), state.servants.clone())
    };
    let ran = |(process, id)| Some((id, kernel::ran_and_is_ready(process, id)?));
    let ready: BTreeMap<Id, Duration> = free.into_iter().filter_map(ran).collect();
    let ran = |id| Some((id, kernel::ran_and_does_not_wait(nix::unistd::getpid().as_raw(), id)?));
    let stuck: BTreeMap<Id, Duration> = servants.into_iter().filter_map(ran).collect();
    let now = log.now();
    let mut state = log.lock();
    let all = now.saturating_sub(looked);
    let by_us = if stand(&state.stuck, &stuck) { all } else { late };
    let lost = if starve(&state.ready, &ready) { all } else { by_us };
    state.lost += lost;
    state.lost_by_us += by_us;
    (state.ready, state.stuck, state.looked) = (ready, stuck, now);
}

/// Of those who were ready to run, and for how long each had run by then: whether some are still ready,
/// and none of these has run meanwhile.
fn starve(before: &BTreeMap<Id, Duration>, now: &BTreeMap<Id, Duration>) -> bool {
    let still = || now.iter().filter_map(|(id, ran)| Some((before.get(id)?, ran)));
    still().next().is_some() && still().all(|(before, now)| before == now)
}

/// Of those who had something to do, and for how long each had run by then: whether one of them still
/// has, and has not run meanwhile.
fn stand(before: &BTreeMap<Id, Duration>, now: &BTreeMap<Id, Duration>) -> bool {
    now.iter().any(|(id, ran)| before.get(id) == Some(ran))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_millis(40);

    /// How long it took until there was nothing more to wait for, by the clock.
    fn waits(meanwhile: impl Fn(&Log)) -> (Duration, Cut) {
        let log = Log::new(None);
        let mut patience = Patience::new(&log, TIME, true);
        loop {
            log.until(patience.next_look(), |_| None::<()>);
            meanwhile(&log);
            if let Some(cut) = patience.end(&log) {
                return (log.now(), cut);
            }
        }
    }

    #[test]
    fn a_time_out_is_over_when_its_time_is() {
        let (took, cut) = waits(|_| {});
        assert!(took >= TIME && cut == Cut::Time, "{took:?} {cut}");
    }

    #[test]
    fn time_that_is_lost_does_not_count_but_not_for_ever() {
        let (took, cut) = waits(|log| {
            let now = log.now();
            log.change(|state| state.lost = now);
        });
        assert!(took >= TIME * AT_MOST && cut == Cut::Time, "{took:?} {cut}");
    }

    #[test]
    fn what_we_lose_ourselves_no_program_answers_for() {
        let (took, cut) = waits(|log| {
            let now = log.now();
            log.change(|state| (state.lost, state.lost_by_us) = (now, now));
        });
        assert!(took >= TIME * EVEN_SO && cut == Cut::Time, "{took:?} {cut}");
    }

    #[test]
    fn who_is_ready_and_never_runs_starves() {
        let ran = |tasks: &[(Id, u64)]| -> BTreeMap<Id, Duration> {
            tasks.iter().map(|(id, ran)| (*id, Duration::from_nanos(*ran))).collect()
        };
        let stand = |before: &[(Id, u64)], now: &[(Id, u64)]| stand(&ran(before), &ran(now));
        let starve = |before: &[(Id, u64)], now: &[(Id, u64)]| starve(&ran(before), &ran(now));
        assert!(starve(&[(1, 5)], &[(1, 5)]));
        assert!(starve(&[(1, 5), (2, 3)], &[(1, 5)])); // the other one sleeps now
        assert!(starve(&[(1, 5)], &[(1, 5), (2, 0)])); // one more has come
        assert!(!starve(&[(1, 5)], &[(1, 6)]));
        assert!(!starve(&[(1, 5), (2, 3)], &[(1, 5), (2, 4)])); // they share
        assert!(!starve(&[(1, 5)], &[]));
        assert!(!starve(&[], &[(1, 5)]));
        assert!(stand(&[(1, 5), (2, 3)], &[(1, 6), (2, 3)])); // one of them is enough
        assert!(!stand(&[(1, 5), (2, 3)], &[(1, 6), (3, 3)]));
        assert!(!stand(&[(1, 5)], &[]));
    }

    #[test]
    fn who_runs_is_ready_and_who_sleeps_is_not() {
        let own = nix::unistd::gettid().as_raw();
        let process = nix::unistd::getpid().as_raw();
        let ran = || kernel::ran_and_is_ready(process, own).expect("who asks runs");
        let first = ran();
        while ran() == first {}
        let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        let id = Id::try_from(sleeper.id()).expect("a number");
        while kernel::waits_for(id, id) != Some(kernel::Waits::Sleep) {
            std::thread::yield_now();
        }
        assert_eq!(kernel::ran_and_is_ready(id, id), None);
        sleeper.kill().expect("it is ours");
        sleeper.wait().expect("its end");
    }
}
