//! Multiprocessing: `multiprocessing.Process`.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::common::{
    all_at_work, all_held, are, at_work, before_writing, delayed, nothing_left, numbers, some,
    stdout, waits_for_held, writer,
};
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, ending, expect, fail};
use crate::run::kernel::Waits;
use crate::run::{Ending, Kind, Line, State, Stream, Task};

pub(super) static LAB: Lab = Lab {
    name: "mp",
    demo: "mp-demo",
    title: "Multiprocessing",
    about: "A Process is given a function, or has a run method of its own. start makes the \
            operating system's process, join waits for its end.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| note(exam).map(drop),
        checks: &[
            Check {
                id: "lines",
                title: "each name is greeted once, with the time",
                points: 2,
                needs: &[],
                lesson: "A line that comes twice or not at all was in a buffer when the process \
                         was copied or ended: flush.",
                examine: lines,
            },
            Check {
                id: "processes",
                title: "each greeting comes from a process of its own",
                points: 3,
                needs: &["lines"],
                lesson: "Calling the function, or run, does its work in the process that calls. \
                         start makes the new one.",
                examine: processes,
            },
            Check {
                id: "overlap",
                title: "all of them are alive at the same time",
                points: 2,
                needs: &["processes"],
                lesson: "A join right after each start makes them run one after the other: start \
                         all, then join all.",
                examine: overlap,
            },
            Check {
                id: "joined",
                title: "the parent waits for as long as they live",
                points: 1,
                needs: &["processes"],
                lesson: "Without join the parent may be gone before its children have done their \
                         work.",
                examine: joined,
            },
            Check {
                id: "reaped",
                title: "the end leaves nothing behind: no process, no zombie",
                points: 1,
                needs: &["joined"],
                lesson: "join does not only wait: it takes the exit code, and the process table's \
                         entry is free again.",
                examine: |exam| nothing_left(&*random(exam)?),
            },
            Check {
                id: "trait",
                title: "a value with a run method does the same",
                points: 1,
                needs: &["processes"],
                lesson: "start must call run in the new process; run called directly makes none. \
                         And start all before the first join, here too.",
                examine: by_inheritance,
            },
            Check {
                id: "spawn",
                title: "with --start-method spawn the child executes the program anew",
                points: 0,
                needs: &["processes"],
                lesson: "A spawned child shares nothing: it is a new program that is told by its \
                         arguments what to do.",
                examine: spawn,
            },
            Check {
                id: "exitcode",
                title: "a child that is killed is seen by the parent",
                points: 0,
                needs: &["overlap"],
                lesson: "exitcode is negative when a signal ended the child. Nobody else will say \
                         that its work was not done.",
                examine: exitcode,
            },
            Check {
                id: "manners",
                title: "bad usage, a closed stdout and a full one are handled",
                points: 0,
                needs: &[],
                lesson: "Errors have an exit status and one line on stderr.",
                examine: manners::of_a_printer::<2>,
            },
        ],
    },
    more: &[Scene {
        text: "How a process ended, as Python's exitcode has it: its exit status, or minus the signal \
               that ended it.",
        show: |exam| exitcodes_run(exam).map(drop),
        checks: &[Check {
            id: "exitcodes",
            title: "the exit codes are those that the kernel reports",
            points: 0,
            needs: &[],
            lesson: "The status that wait gives says both how and why a process ended, wait(2).",
            examine: exitcodes,
        }],
    }],
};

fn note(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("note", |exam| {
        Ok(Kept::new(exam.run::<&str>(&[])?, ["Mike", "Jake"].map(Into::into)))
    })
}

/// The run that most checks look at: with names that nobody could have typed in.
fn random(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("random", |exam| {
        let names = exam.words(3);
        Ok(Kept::new(exam.run(&names)?, names))
    })
}

/// The line of a name, without the time behind it.
fn greets(line: &str, name: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("Hello") && words.next() == Some(name)
}

fn lines(exam: &mut Exam) -> Finding {
    let mut evidence = Vec::new();
    for make in [note, random] {
        let run = make(exam)?;
        all_greeted(&run, &run.inputs)?;
        evidence.push(format!("{}: once each, with the time of now", run.inputs.join(", ")));
    }
    Ok(evidence)
}

/// Passes when each name is greeted once, with the time, and the program ended well.
fn all_greeted(run: &State, names: &[String]) -> Result<(), Trouble> {
    const TIME: &str = "<time of now>";
    let fold_time = |line: &String| match line.rsplit_once(' ') {
        Some((greeting, time)) if plausible(time, run.began) => format!("{greeting} {TIME}"),
        _ => line.clone(),
    };
    let seen: Vec<_> = stdout(run).iter().map(fold_time).collect();
    let wanted: Vec<_> = names.iter().map(|name| format!("Hello {name} {TIME}")).collect();
    are(run, &seen, &wanted)
}

/// Whether a word is the time of now in seconds since 1970, within a minute. The clock may have been
/// set since the run began: then it is now by one of the two.
fn plausible(word: &str, began: Option<SystemTime>) -> bool {
    let Ok(time) = word.parse::<f64>() else { return false };
    [Some(SystemTime::now()), began].into_iter().flatten().any(|now| {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        (time - now).abs() < 60.0
    })
}

/// The process that greeted each name: all different, none of them the program itself.
fn greeters<'a>(run: &'a State, names: &[String]) -> Result<Vec<&'a Task>, Trouble> {
    let wanted = "a process of its own for each name";
    let root = run.root().map_or(0, |task| task.id);
    let program = run.root().and_then(|task| task.executed.as_ref());
    let mut processes: Vec<&Task> = Vec::new();
    for name in names {
        let writer = writer(run, |line| greets(line, name))?;
        let process = writer.process;
        expect(process != root, wanted, || {
            let thread = if writer.kind == Kind::Thread { "a thread of " } else { "" };
            format!("{name} was greeted by {thread}the program itself ({root})")
        })?;
        if let Some(twice) = processes.iter().find(|task| task.id == process) {
            return fail(wanted, format!("process {} greeted {name} and another one", twice.id));
        }
        let process = &run.tasks[&process];
        // Executed anew it may be, in order to be told by its arguments what to do.
        if let Some(other) = process.executed.as_ref().filter(|other| Some(*other) != program) {
            return fail(
                wanted,
                format!("{name} was greeted by another program, {}", other.display()),
            );
        }
        processes.push(process);
    }
    Ok(processes)
}

fn processes(exam: &mut Exam) -> Finding {
    let run = random(exam)?;
    let greeters = greeters(&run, &run.inputs)?;
    let mut makers: Vec<_> = greeters.iter().map(|task| task.maker.to_string()).collect();
    makers.dedup();
    Ok(vec![format!(
        "{} lines by the processes {}, made by {}",
        greeters.len(),
        numbers(greeters),
        makers.join(", ")
    )])
}

fn overlap(exam: &mut Exam) -> Finding {
    // With nothing to wait for, too: then each is held before it greets.
    let names = exam.words(3);
    all_at_once(exam, &names, &names)?;
    all_at_once(exam, &names, &delayed(&names))
}

fn all_at_once(exam: &mut Exam, names: &[String], arguments: &[String]) -> Finding {
    let mut spec = exam.spec(arguments);
    spec.gate = Some(at_work(names.to_vec()));
    let live = exam.start(spec)?;
    all_at_work(&live, names.len());
    let Ok(held) = all_held(&live, 1) else {
        return fail(
            "a child that greets",
            format!("no child came so far: {}", ending(&live.finish())),
        );
    };
    live.open_gate();
    let run = live.finish();
    done(&run)?;
    let greeters = greeters(&run, names)?;
    let late = greeters.iter().filter(|task| Some(task.born) >= run.opened).count();
    let wanted = format!("{} children started while the first to greet is held", names.len());
    expect(late == 0, wanted, || {
        let (born, all) = (names.len() - late, names.len());
        format!("{born} of {all} were born before {} was let go", held[0].id)
    })?;
    Ok(vec![format!(
        "{} held before it greets: {} alive at the same time",
        held[0].id,
        numbers(greeters)
    )])
}

fn joined(exam: &mut Exam) -> Finding {
    let names = exam.words(3);
    let mut spec = exam.spec(&names);
    spec.gate = Some(at_work(names.clone()));
    let (child, how, run) = waits_for_held(exam, spec, names.len(), Waits::Child)?;
    all_greeted(&run, &names)?;
    let parent = run.root().map_or(0, |task| task.id);
    Ok(vec![format!(
        "child {} held before it greets: parent {parent} {how}; let go, it greeted",
        child.id
    )])
}

fn by_inheritance(exam: &mut Exam) -> Finding {
    let names = exam.words(2);
    let mut arguments = vec!["--style".to_string(), "trait".into()];
    arguments.extend(names.iter().cloned());
    let run = exam.run(&arguments)?;
    all_greeted(&run, &names)?;
    let mut evidence =
        vec![format!("{} greeted by {}", names.join(", "), numbers(greeters(&run, &names)?))];
    // Whose functions run one after the other has lost the points for that already.
    if all_at_once(exam, &names, &names).is_ok() {
        evidence.extend(all_at_once(exam, &names, &arguments)?);
    }
    Ok(evidence)
}

fn spawn(exam: &mut Exam) -> Finding {
    let names = exam.words(2);
    let mut arguments = vec!["--start-method".to_string(), "spawn".into()];
    arguments.extend(names.iter().cloned());
    let run = exam.run(&arguments)?;
    done(&run)?;
    let greeters = greeters(&run, &names)?;
    let program = run.root().and_then(|task| task.executed.clone());
    for child in &greeters {
        expect(child.executed == program, "the child executes the same program", || match &child
            .executed
        {
            None => format!("{} went on in the memory that fork gave it", child.id),
            Some(other) => format!("{} executed {}", child.id, other.display()),
        })?;
    }
    nothing_left(&run)?;
    Ok(vec![format!("{}: each executed the program anew", numbers(greeters))])
}

fn exitcode(exam: &mut Exam) -> Finding {
    let names = exam.words(2);
    let mut spec = exam.spec(&names);
    let first = names[0].clone();
    spec.gate = Some(before_writing(move |text| text.contains(&first)));
    let live = exam.start(spec)?;
    let Ok(held) = all_held(&live, 1) else {
        return fail(format!("a child that greets {}", names[0]), "no child came so far");
    };
    let _ = kill(Pid::from_raw(held[0].process), Signal::SIGKILL);
    let ended = live.until(SOON, |state| state.ended).is_some();
    let run = if ended { live.finish() } else { live.end() };
    let wanted = format!("'{}' is greeted, the parent reports the other and exits 1", names[1]);
    let other = stdout(&run).iter().any(|line| greets(line, &names[1]));
    expect(other && run.ended == Some(Ending::Exit(1)), wanted.as_str(), || {
        let how = if ended { ending(&run) } else { "it did not end".into() };
        format!("{how}, stdout: {}", some(&stdout(&run)))
    })?;
    let number = held[0].process.to_string();
    let said: Vec<_> = run.lines_of(Stream::Stderr).map(Line::text).collect();
    let report = said.iter().find(|line| line.contains(&number) || line.contains(&names[0]));
    let Some(report) = report else {
        return fail(
            wanted,
            format!("exit status 1, and no line on stderr about '{}' ({number})", names[0]),
        );
    };
    Ok(vec![format!("{number} killed before it greeted: '{report}'")])
}

fn exitcodes_run(exam: &mut Exam) -> Result<Rc<Kept>, Trouble> {
    exam.kept("exitcodes", |exam| Ok(Kept::new(exam.run(&["exitcodes"])?, [])))
}

fn exitcodes(exam: &mut Exam) -> Finding {
    let run = exitcodes_run(exam)?;
    done(&run)?;
    let printed = stdout(&run);
    let last_words: Vec<i32> =
        printed.iter().filter_map(|row| row.rsplit(' ').next()?.parse().ok()).collect();
    let mut by_kernel: Vec<i32> = run
        .made()
        .filter_map(|task| match task.ending? {
            Ending::Exit(status) => Some(status),
            Ending::Signal(number) => Some(-number),
        })
        .collect();
    let mut by_demo = last_words.clone();
    by_demo.sort_unstable();
    by_kernel.sort_unstable();
    expect(by_demo == by_kernel, format!("{by_kernel:?}, as the kernel says"), || {
        format!("{by_demo:?}")
    })?;
    let wanted = [0, 3, 1, -10, -15, -9];
    expect(last_words == wanted, format!("{wanted:?}"), || format!("{last_words:?}"))?;
    nothing_left(&run)?;
    Ok(vec![format!("{last_words:?}: the endings of {} processes", by_kernel.len())])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_of_now_is_that_of_either_clock_where_it_was_set_meanwhile() {
        let now = SystemTime::now();
        let word = |moment: SystemTime| {
            moment.duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64().to_string()
        };
        let before = now - Duration::from_hours(24);
        assert!(plausible(&word(now), Some(now)) && plausible(&word(now), Some(before)));
        assert!(plausible(&word(before), Some(before)));
        assert!(!plausible(&word(before), Some(now)) && !plausible(&word(before), None));
        assert!(!plausible("now", Some(now)));
    }
}
