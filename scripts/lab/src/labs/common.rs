//! What checks of several labs need: lines compared without their order, and who holds whom.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::exam::{Exam, Finding, SOON, Trouble, done, ending, expect, fail, last_word};
use crate::run::kernel::{self, Waits};
use crate::run::{
    Ending, Gate, Id, Kind, Limits, Line, Live, Moment, Spec, State, Step, Stream, Task,
};

/// A line without what differs between ways to print it: white space at the ends, and how much of
/// it stands between words.
pub fn folded(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same lines in any order. What is missing and what is too much, in words.
pub fn difference(expected: &[String], seen: &[String]) -> Option<String> {
    let mut missing = expected.to_vec();
    let mut extra = Vec::new();
    for line in seen {
        match missing.iter().position(|wanted| wanted == line) {
            Some(index) => drop(missing.remove(index)),
            None => extra.push(line.clone()),
        }
    }
    let mut words = Vec::new();
    if !missing.is_empty() {
        words.push(format!("missing: {}", some(&missing)));
    }
    if !extra.is_empty() {
        words.push(format!("too much: {}", some(&extra)));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// The first few of many lines, each of them short.
pub fn some(lines: &[String]) -> String {
    let short = |line: &String| {
        let letters: Vec<char> = line.chars().collect();
        let text = |letters: &[char]| letters.iter().collect::<String>();
        match letters.len() {
            0..=120 => format!("'{line}'"),
            // The end of an error's line is the system's words for it.
            length => format!("'{}…{}'", text(&letters[..60]), text(&letters[length - 40..])),
        }
    };
    let mut words: Vec<String> = lines.iter().take(4).map(short).collect();
    if lines.len() > words.len() {
        words.push(format!("and {} more", lines.len() - words.len()));
    }
    words.join(", ")
}

/// All of stdout, folded.
pub fn stdout(run: &State) -> Vec<String> {
    run.lines_of(Stream::Stdout).map(|line| folded(&line.text())).collect()
}

/// Passes when the lines of stdout are these, in any order, and the program ended well.
///
/// # Errors
/// Else with what is missing and what is too much.
pub fn prints(run: &State, wanted: &[String]) -> Result<(), Trouble> {
    are(run, &stdout(run), wanted)
}

/// The same for lines of stdout without what differs from run to run.
///
/// # Errors
/// Else with what is missing and what is too much.
pub fn are(run: &State, seen: &[String], wanted: &[String]) -> Result<(), Trouble> {
    let Some(mut different) = difference(wanted, seen) else {
        return done(run);
    };
    if letters(wanted) == letters(seen) {
        different += "; it is all there, but lines are written in pieces, which have mixed";
    }
    let mut saw = vec![different];
    if done(run).is_err() || last_word(run).is_some() {
        saw.push(ending(run)); // what is missing may be missing because of that
    }
    Err(Trouble::Fail { expected: some(wanted), saw })
}

/// All that is not white space, sorted.
fn letters(lines: &[String]) -> Vec<char> {
    let mut letters: Vec<char> =
        lines.iter().flat_map(|line| line.chars()).filter(|c| !c.is_whitespace()).collect();
    letters.sort_unstable();
    letters
}

/// The task that wrote the first line of stdout for which `which` holds.
///
/// # Errors
/// When there is no such line, or nobody saw it being written.
pub fn writer(run: &State, which: impl Fn(&str) -> bool) -> Result<&Task, Trouble> {
    let line = run.lines_of(Stream::Stdout).find(|line| which(&folded(&line.text())));
    let Some(Line { by, .. }) = line else {
        return fail("a line of each task", format!("only {}", some(&stdout(run))));
    };
    by.and_then(|id| run.tasks.get(&id))
        .ok_or_else(|| Trouble::Unverified("who wrote the line is not known".into()))
}

/// A gate that holds everybody who is about to write to stdout a text in which `which` finds what
/// it looks for.
pub fn before_writing(which: impl Fn(&str) -> bool + Send + Sync + 'static) -> Gate {
    Arc::new(move |moment: &Moment| match moment.what {
        Step::Write(Stream::Stdout, bytes) => which(&String::from_utf8_lossy(bytes)),
        _ => false,
    })
}

/// A gate that holds the processes which the program makes at the last moment of their lives.
pub fn children_at_their_end() -> Gate {
    Arc::new(|moment: &Moment| {
        // The threads of a process may end before it; it is the process that is waited for.
        !moment.root && moment.task == moment.process && matches!(moment.what, Step::Exit)
    })
}

/// Waits until `count` tasks are held at the same time; then who they are, else how many were.
pub fn all_held(live: &Live, count: usize) -> Result<Vec<Task>, usize> {
    let all = live.until(SOON, |state| {
        (state.held.len() >= count)
            .then(|| state.held.iter().filter_map(|id| state.tasks.get(id).cloned()).collect())
    });
    all.ok_or_else(|| live.log.lock().held.len())
}

/// A gate that holds everybody whom the program has made, at the beginning of their delay or, if
/// they have none, where they are about to write one of these words.
pub fn at_work(words: Vec<String>) -> Gate {
    Arc::new(move |moment: &Moment| {
        let made = !moment.root || moment.task != moment.process;
        made && match moment.what {
            Step::Sleep => true,
            Step::Write(Stream::Stdout, bytes) => {
                let text = String::from_utf8_lossy(bytes);
                words.iter().any(|word| text.contains(word))
            }
            _ => false,
        }
    })
}

/// The arguments with which each of these names is greeted after a short delay.
pub fn delayed(names: &[String]) -> Vec<String> {
    let options = ["--delay", "0.01"].map(String::from);
    options.into_iter().chain(names.iter().cloned()).collect()
}

/// How long somebody must have been blocked in the same call to be sure that it is no short one,
/// such as that for a lock.
pub const STEADY: Duration = Duration::from_millis(40);

/// Long enough for anybody who sleeps for a second instead of waiting.
const A_WHILE: Duration = Duration::from_secs(2);

/// How the program's first thread waits, and for how long it has been in the same call.
struct First<'a> {
    live: &'a Live,
    /// What it waits for and how often it has gone to sleep, and since when that is so.
    steady: (Option<(Waits, u64)>, Duration),
}

impl First<'_> {
    fn of(live: &Live) -> First<'_> {
        First { live, steady: (None, live.log.now()) }
    }

    fn look(&mut self) -> (Option<Waits>, Duration) {
        let (root, now) = (self.live.pid(), self.live.log.now());
        let waits = kernel::waits_for(root, root).zip(kernel::sleeps_of(root, root));
        if waits.is_none() || waits != self.steady.0 {
            self.steady = (waits, now);
        }
        (waits.map(|(waits, _)| waits), now.saturating_sub(self.steady.1))
    }
}

/// Waits until `count` tasks are held and the first thread waits as well, whatever for: so it is
/// not about to make another one. Or until nobody can go on, for who is held may keep others away.
pub fn all_at_work(live: &Live, count: usize) {
    let mut first = First::of(live);
    live.poll(SOON, || {
        let (waits, time) = first.look();
        let held = live.log.lock().held.len();
        (held >= count && waits.is_some() && time >= STEADY).then_some(())
    });
}

/// How the program's first thread waits while somebody is held, once the `others` have ended: it
/// may wait for them.
///
/// # Errors
/// When it ends, or only lets time pass.
fn waits_meanwhile(
    live: &Live,
    others: &[Task],
    wanted: Waits,
) -> Result<&'static str, &'static str> {
    let mut first = First::of(live);
    let blocked = live.poll(A_WHILE, || {
        let ended = others.iter().all(|task| kernel::has_ended(task.process, task.id));
        let (waits, time) = first.look();
        (ended && waits == Some(wanted) && time >= STEADY).then_some(())
    });
    if blocked.is_none() {
        let (waits, mut slept) = first.look();
        let timed = kernel::has_time_out(live.pid(), live.pid());
        if timed || matches!(waits, Some(Waits::Sleep | Waits::ThreadOrTime)) {
            // It looks again and again. Who does so for some time only comes to an end.
            live.poll(SOON, || {
                slept = first.look().1;
                None::<()>
            });
        }
        if waits == Some(Waits::Sleep) && slept >= SOON {
            return Err("the program sleeps: it waits for time to pass, not for the one held");
        }
    }
    if live.log.lock().ended.is_some() {
        return Err("the program ended meanwhile");
    }
    Ok(match wanted {
        Waits::Child if blocked.is_some() => "was blocked in wait",
        Waits::Thread if blocked.is_some() => "waited for it (futex)",
        _ => "did not end",
    })
}

/// The program must not end while one of those is held whom it makes, and whom the gate of `spec`
/// holds, `count` at once: who that was, how it waited, and the whole run. Neither the first nor
/// the last one is held on, for some wait for one of these only.
pub fn waits_for_held(
    exam: &mut Exam,
    spec: Spec,
    count: usize,
    wanted: Waits,
) -> Result<(Task, &'static str, State), Trouble> {
    let (whom, whole) = match wanted {
        Waits::Child => ("child", "the parent waits while a child lives, and ends after it"),
        _ => ("thread", "the first thread waits for the one that is held"),
    };
    // The time for which we hold it is not the program's.
    let limits = Limits { time: 3 * spec.limits.time, ..spec.limits };
    let live = exam.start(Spec { limits, ..spec })?;
    all_at_work(&live, count);
    let mut others: Vec<Task> = {
        let state = live.log.lock();
        state.made().filter(|task| state.held.contains(&task.id)).cloned().collect()
    };
    if others.is_empty() {
        let ended = live.log.lock().ended.is_some();
        let saw = if ended { "the program ended before any" } else { "no" };
        return fail(whole, format!("{saw} {whom} came to its work"));
    }
    let held = others.remove(others.len() / 2);
    live.open_gate_but_for(held.id);
    let how = match waits_meanwhile(&live, &others, wanted) {
        Ok(how) => how,
        Err(saw) => return fail(whole, format!("{whom} {} was held: {saw}", held.id)),
    };
    live.open_gate();
    let run = live.finish();
    let killed = run.tasks.get(&held.id).and_then(|task| task.ending);
    if let Some(signal @ Ending::Signal(_)) = killed {
        return fail(whole, format!("{whom} {} was held; let go, {signal} ended it", held.id));
    }
    Ok((held, how, run))
}

/// Neither a process nor a zombie is left.
pub fn nothing_left(run: &State) -> Finding {
    expect(run.survivors.is_empty(), "no process is left", || {
        format!("still there after the program had ended: {:?}", run.survivors)
    })?;
    expect(run.zombies.is_empty(), "the parent has waited for its children", || {
        format!("{:?} were zombies when the parent ended", run.zombies)
    })?;
    let made = run.made().filter(|task| task.kind == Kind::Process).count();
    Ok(vec![format!("of {made} processes made, 0 were zombies at the end and 0 were left")])
}

/// Passes when stdout has lines with these words in this order, whatever stands between them.
///
/// # Errors
/// Else with the first of them that does not come.
pub fn in_order(run: &State, wanted: &[&str]) -> Result<(), Trouble> {
    done(run)?;
    let lines = stdout(run);
    let mut rest = &lines[..];
    for words in wanted {
        let found = rest.iter().position(|line| line.contains(words));
        let Some(found) = found else {
            return fail(
                format!("a line with '{words}', after those before it"),
                like(rest, words),
            );
        };
        rest = &rest[found + 1..];
    }
    Ok(())
}

/// Passes when stdout has these lines somewhere, one directly after the other.
///
/// # Errors
/// Else with the first that is different, where the most of them are found.
pub fn in_a_row(run: &State, wanted: &[&str]) -> Result<(), Trouble> {
    let lines = stdout(run);
    let same = |start: usize| {
        let pairs = lines[start..].iter().zip(wanted);
        pairs.take_while(|(line, wanted)| line == *wanted).count()
    };
    let best = (0..lines.len()).max_by_key(|start| (same(*start), lines.len() - start));
    let (start, right) = best.map_or((0, 0), |start| (start, same(start)));
    if right == wanted.len() {
        return Ok(());
    }
    let after = match right {
        0 => String::new(),
        _ => format!(" directly after '{}'", wanted[right - 1]),
    };
    let there = lines.get(start + right).filter(|_| right > 0);
    fail(
        format!("the line '{}'{after}", wanted[right]),
        there.map_or_else(|| like(&lines, wanted[right]), |line| some(std::slice::from_ref(line))),
    )
}

/// What there is instead of a line with these words: one that begins as they do, if any.
fn like(lines: &[String], words: &str) -> String {
    let first = words.split_inclusive(' ').next().unwrap_or_default();
    match lines.iter().find(|line| line.starts_with(first)) {
        Some(line) => format!("instead {}", some(std::slice::from_ref(line))),
        None => format!("no such line among {}", lines.len()),
    }
}

/// Added to what was seen where all of stdout came in one piece: that may be all that is wrong.
pub fn in_one_piece(run: &State) -> &'static str {
    let times: Vec<_> = run.lines_of(Stream::Stdout).map(|line| line.at).collect();
    if times.len() > 1 && times.iter().all(|at| *at == times[0]) {
        "; all lines came in one piece: what is printed to a pipe may stay in a buffer until it \
         is flushed"
    } else {
        ""
    }
}

/// Who has slept for a time (`nanosleep(2)`). With a delay on the command line these are the tasks
/// that do the work, whatever helpers the program has besides.
#[derive(Default)]
pub struct Slept {
    /// All of them.
    pub ever: BTreeSet<Id>,
    /// The most that did so at the same time.
    pub at_once: BTreeSet<Id>,
}

/// Looks again and again who sleeps, until the program has ended. Delays of ten milliseconds are
/// seen; nothing is where a language sleeps in another way than by `nanosleep`.
pub fn who_sleeps(live: &Live) -> Slept {
    let mut slept = Slept::default();
    live.poll(Limits::default().time, || {
        let alive: Vec<_> = {
            let state = live.log.lock();
            let alive = state.tasks.values().filter(|task| task.alive());
            alive.map(|task| (task.process, task.id)).collect()
        };
        let sleeps =
            |(process, id): &(Id, Id)| kernel::waits_for(*process, *id) == Some(Waits::Sleep);
        let now: BTreeSet<Id> = alive.into_iter().filter(sleeps).map(|(_, id)| id).collect();
        slept.ever.extend(&now);
        if now.len() > slept.at_once.len() {
            slept.at_once = now;
        }
        None::<()>
    });
    slept
}

/// How many tasks sleep for a time at this moment.
pub fn sleepers(state: &State) -> usize {
    let alive = state.tasks.values().filter(|task| task.alive());
    alive.filter(|task| kernel::waits_for(task.process, task.id) == Some(Waits::Sleep)).count()
}

/// Makes an examination that rests on delays once more, with longer ones, when it fails: what a
/// busy machine has mixed up is then far apart, and what is wrong stays wrong.
pub fn unhurried(exam: &mut Exam, examine: impl Fn(&mut Exam, f64) -> Finding) -> Finding {
    match examine(exam, 1.0) {
        Err(Trouble::Fail { .. }) => examine(exam, 4.0),
        found => found,
    }
}

/// All numbers in a line.
pub fn figures(line: &str) -> Vec<u64> {
    line.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
}

/// The numbers of tasks, for people.
pub fn numbers<'a>(tasks: impl IntoIterator<Item = &'a Task>) -> String {
    let numbers: Vec<_> = tasks.into_iter().map(|task| task.id.to_string()).collect();
    numbers.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_is_order_free_and_counts() {
        let lines = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        assert_eq!(difference(&lines("a b a"), &lines("a a b")), None);
        let found = difference(&lines("a b"), &lines("a a")).expect("different");
        assert!(found.contains("missing: 'b'") && found.contains("too much: 'a'"), "{found}");
    }

    /// How many more of each line there are in one than in the other, counted one by one.
    fn surplus(of: &[String], over: &[String]) -> Vec<String> {
        let count = |lines: &[String], line: &String| lines.iter().filter(|l| *l == line).count();
        let distinct: BTreeSet<&String> = of.iter().collect();
        let more = |line: &&String| count(of, line).saturating_sub(count(over, line));
        distinct.iter().flat_map(|line| vec![(*line).clone(); more(line)]).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_difference_is_what_counting_finds(
            (wanted, seen) in (vec("[ab]{1,2}", 0..6), vec("[ab]{1,2}", 0..6))
        ) {
            let (missing, extra) = (surplus(&wanted, &seen), surplus(&seen, &wanted));
            match difference(&wanted, &seen) {
                None => prop_assert!(missing.is_empty() && extra.is_empty()),
                Some(words) => {
                    let told = |name: &str, lines: &[String]| match lines.len() {
                        0 => !words.contains(name),
                        // In whatever order: no more than four of them are told.
                        1..=4 => lines.iter().all(|line| words.contains(&format!("'{line}'"))),
                        more => words.contains(&format!("and {} more", more - 4)),
                    };
                    prop_assert!(told("missing: ", &missing) && told("too much: ", &extra));
                    prop_assert!(!missing.is_empty() || !extra.is_empty());
                }
            }
            let backwards: Vec<String> = seen.iter().rev().cloned().collect();
            prop_assert_eq!(
                difference(&wanted, &seen).is_none(),
                difference(&backwards, &wanted).is_none()
            );
        }
    }
}
