//! What checks of several labs need: lines compared without their order, and who holds whom.

use std::sync::Arc;
use std::time::Duration;

use crate::exam::{Exam, Finding, SOON, Trouble, done, expect, fail};
use crate::run::kernel::{self, Waits};
use crate::run::{Gate, Kind, Line, Live, Moment, State, Step, Stream, Task};

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
        let cut: String = line.chars().take(60).collect();
        if cut.len() < line.len() { format!("'{cut}…'") } else { format!("'{cut}'") }
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
    if let Some(different) = difference(wanted, &stdout(run)) {
        return fail(some(wanted), different);
    }
    done(run)
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

/// The parent must not end while its children live: they are held at their end meanwhile.
pub fn parent_waits(exam: &mut Exam, arguments: &[String]) -> Finding {
    let mut spec = exam.spec(arguments);
    spec.gate = Some(children_at_their_end());
    let live = exam.start(spec)?;
    let wanted = "the parent waits while a child lives, and ends after it";
    let Ok(held) = all_held(&live, 1) else {
        return fail(wanted, "no child came to its end");
    };
    let (child, root) = (held[0].id, live.pid());
    // Long enough for anybody who sleeps for a second instead.
    let waiting = live.poll(Duration::from_secs(2), || {
        (kernel::waits_for(root, root)? == Waits::Child).then_some(())
    });
    let ended = live.log.lock().ended.is_some();
    expect(!ended, wanted, || format!("the parent ended while its child {child} was alive"))?;
    if waiting.is_none() && kernel::waits_for(root, root) == Some(Waits::Sleep) {
        return fail(wanted, "the parent sleeps; it waits for time to pass, not for its child");
    }
    live.open_gate();
    done(&live.finish())?;
    let how = if waiting.is_some() { "was blocked in wait" } else { "did not end" };
    Ok(vec![format!("child {child} held at its end: parent {root} {how}; let go, both ended")])
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
    let mut rest = lines.iter();
    for words in wanted {
        let found = rest.any(|line| line.contains(words));
        expect(found, format!("a line with '{words}', after those before it"), || {
            format!("no such line among {}", lines.len())
        })?;
    }
    Ok(())
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
    use super::*;

    #[test]
    fn a_difference_is_order_free_and_counts() {
        let lines = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        assert_eq!(difference(&lines("a b a"), &lines("a a b")), None);
        let found = difference(&lines("a b"), &lines("a a")).expect("different");
        assert!(found.contains("missing: 'b'") && found.contains("too much: 'a'"), "{found}");
    }
}
