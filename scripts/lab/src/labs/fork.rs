//! Creating processes: `os.fork`.

use nix::sys::signal::Signal;

use super::common::{
    all_held, before_writing, children_at_their_end, figures, folded, in_order, nothing_left,
    prints, some, stdout, waits_for_held, writer,
};
use super::idle::idle;
use super::{Check, Lab, Scene, manners};
use crate::exam::{Exam, Finding, Kept, SOON, Trouble, done, expect, fail};
use crate::run::kernel::Waits;
use crate::run::{Kind, Line, State, Stream, kernel};

pub(super) static LAB: Lab = Lab {
    name: "fork",
    demo: "fork-demo",
    title: "Creating processes",
    about: "fork makes a second process that goes on from the same line. It has its own copy of \
            the variable: what it writes there, the parent never sees.",
    timed: &[],
    scene: Scene {
        text: "",
        show: |exam| exam.kept("note", |exam| Ok(Kept::new(exam.run::<&str>(&[])?, []))).map(drop),
        checks: &[
            Check {
                id: "lines",
                title: "parent and child each print their own value, once",
                points: 2,
                needs: &[],
                lesson: "A line that comes twice was still in a buffer when the process was \
                         copied: flush before fork, and leave the child with _exit.",
                examine: lines,
            },
            Check {
                id: "process",
                title: "the child is another process, made by the first",
                points: 3,
                needs: &["lines"],
                lesson: "Printing both lines is not forking. In the process for which fork \
                         returned 0 one is the child, in the other one the parent.",
                examine: process,
            },
            Check {
                id: "one-child",
                title: "one call of fork makes one process",
                points: 1,
                needs: &["lines"],
                lesson: "A child that does not end where its work ends runs on into the parent's \
                         code, and forks again there.",
                examine: one_child,
            },
            Check {
                id: "waits",
                title: "the parent waits for as long as the child lives",
                points: 2,
                needs: &["process"],
                lesson: "Sleeping is not waiting: a child may take longer. wait returns when the \
                         child has ended, whenever that is.",
                examine: waits,
            },
            Check {
                id: "reaped",
                title: "the end leaves nothing behind: no process, no zombie",
                points: 1,
                needs: &["waits"],
                lesson: "Until its parent has waited for it, a process that has ended stays in the \
                         process table as a zombie.",
                examine: reaped,
            },
            Check {
                id: "forever",
                title: "with --forever one child goes on printing, every interval",
                points: 1,
                needs: &["process"],
                lesson: "The note's child loops in itself. A new child for each line is another \
                         program.",
                examine: forever,
            },
            Check {
                id: "orphan",
                title: "a child does not outlive its parent",
                points: 0,
                needs: &["forever"],
                lesson: "An orphan goes on for ever under another parent. On Linux the child can \
                         ask for a signal at its parent's death: prctl(PR_SET_PDEATHSIG).",
                examine: orphan,
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
    more: &[
        Scene {
            text: "The note says that memory is copied entirely. Logically it is; physically a page \
                   is copied when one of the two writes to it.",
            show: |exam| memory_run(exam).map(drop),
            checks: &[Check {
                id: "memory",
                title: "right after the fork the child has next to no memory of its own",
                points: 0,
                needs: &[],
                lesson: "Copy on write: both processes have the same pages until one of them \
                         writes, fork(2).",
                examine: memory,
            }],
        },
        Scene {
            text: "The note says that copied descriptors have no influence on the parent. That \
                   holds for closing them, and not for what lies behind them.",
            show: |exam| files_run(exam).map(drop),
            checks: &[Check {
                id: "files",
                title: "the child's read moves the parent's offset, its close closes nothing",
                points: 0,
                needs: &[],
                lesson: "Two descriptors, one open file description: offset and status flags are \
                         in the latter, fork(2).",
                examine: files,
            }],
        },
    ],
};

/// The run that most checks look at: with values that nobody could have typed in.
fn random(exam: &mut Exam) -> Result<std::rc::Rc<Kept>, Trouble> {
    exam.kept("random", |exam| {
        let words = exam.words(2);
        let run = exam.run(&["--value", &words[0], "--child-value", &words[1]])?;
        Ok(Kept::new(run, words))
    })
}

fn lines(exam: &mut Exam) -> Finding {
    let note = exam.kept("note", |exam| Ok(Kept::new(exam.run::<&str>(&[])?, [])))?;
    prints(&note, &["Parent: bar".into(), "Child: baz".into()])?;
    let run = random(exam)?;
    let wanted = [format!("Parent: {}", run.inputs[0]), format!("Child: {}", run.inputs[1])];
    prints(&run, &wanted)?;
    Ok(vec![format!("the note's two lines; with random values {}", some(&wanted))])
}

fn process(exam: &mut Exam) -> Finding {
    let run = random(exam)?;
    let (parent, child) =
        (writer(&run, |l| l.starts_with("Parent:"))?, writer(&run, |l| l.starts_with("Child:"))?);
    let root = run.root().map_or(0, |task| task.id);
    let wanted = "'Parent:' written by the program itself, 'Child:' by a process that it forked";
    expect(parent.process == root, wanted, || {
        format!("'Parent:' was written by {}, the program is {root}", parent.process)
    })?;
    expect(child.process != root, wanted, || {
        let thread = if child.kind == Kind::Thread { "a thread of " } else { "" };
        format!("'Child:' was written by {thread}the program itself ({root})")
    })?;
    let child = &run.tasks[&child.process];
    if let Some(executed) = &child.executed {
        let anew = run.root().and_then(|task| task.executed.as_ref()) == Some(executed);
        let who = if anew {
            "this program, but executed anew: fork copies a process with all it has".into()
        } else {
            format!("another program, {}", executed.display())
        };
        return fail(wanted, format!("'Child:' was written by {who}"));
    }
    let maker = run.tasks.get(&child.maker).map_or(child.maker, |task| task.process);
    expect(maker == root, wanted, || {
        format!("'Child:' was written by {}, which {maker} made, not {root}", child.id)
    })?;
    Ok(vec![format!(
        "'Parent:' was written by {root}, 'Child:' by {}, born of {} after {:.1} ms",
        child.id,
        child.maker,
        child.born.as_secs_f64() * 1e3,
    )])
}

fn one_child(exam: &mut Exam) -> Finding {
    let run = random(exam)?;
    let made: Vec<_> = run.made().filter(|task| task.kind == Kind::Process).collect();
    expect(made.len() == 1, "one process besides the program", || {
        format!("{} processes besides the program", made.len())
    })?;
    Ok(vec![format!("1 process was born: {}", made[0].id)])
}

fn waits(exam: &mut Exam) -> Finding {
    let mut spec = exam.spec::<&str>(&[]);
    spec.gate = Some(children_at_their_end());
    let (child, how, run) = waits_for_held(exam, spec, 1, Waits::Child)?;
    done(&run)?;
    let parent = run.root().map_or(0, |task| task.id);
    Ok(vec![format!(
        "child {} held at its end: parent {parent} {how}; let go, both ended",
        child.id
    )])
}

fn reaped(exam: &mut Exam) -> Finding {
    nothing_left(&*random(exam)?)
}

/// Seconds between the child's lines.
const INTERVAL: &str = "0.02";

/// So many that they do not come in time where a second or more lies between them.
const LINES: u32 = 6;

fn forever(exam: &mut Exam) -> Finding {
    let spec = exam.spec(&["--forever", "--interval", INTERVAL]);
    let live = exam.start(spec)?;
    let printed = live.until(SOON, |state| {
        let lines = state.lines_of(Stream::Stdout);
        let child: Vec<Line> =
            lines.filter(|line| folded(&line.text()).starts_with("Child:")).cloned().collect();
        (child.len() >= LINES as usize).then_some(child)
    });
    let run = live.end();
    let Some(lines) = printed else {
        let said = stdout(&run).iter().filter(|line| line.starts_with("Child:")).count();
        return fail(
            format!("{LINES} lines of the child, {INTERVAL} seconds apart"),
            format!("in {} seconds so many: {said}", SOON.as_secs()),
        );
    };
    // Its process, that is: which of its threads does so is free.
    let of_line = |line: &Line| run.tasks.get(&line.by?).map(|task| task.process);
    let writers: Vec<_> = lines.iter().filter_map(of_line).collect();
    expect(writers.windows(2).all(|pair| pair[0] == pair[1]), "one child prints them all", || {
        format!("they were written by {writers:?}")
    })?;
    let root = run.root().map_or(0, |task| task.id);
    expect(!writers.contains(&root), "a child prints them", || {
        format!("they were written by the program itself ({root})")
    })?;
    // From its birth, not from its first line: lines may be read late, and many at once.
    let born =
        writers.first().and_then(|id| run.tasks.get(id)).map_or_else(Default::default, |t| t.born);
    let last = lines.last().map_or_else(Default::default, |line| line.at);
    let apart = last.saturating_sub(born).as_secs_f64() / f64::from(LINES - 1);
    let asked: f64 = INTERVAL.parse().unwrap_or_default();
    expect(apart >= asked, format!("{INTERVAL} seconds between its lines"), || {
        format!("{apart:.3} seconds between its lines")
    })?;
    let by = writers.first().map_or(String::new(), |id| format!(" by {id}"));
    Ok(vec![
        format!("{LINES} lines{by}, {apart:.3} seconds apart where {INTERVAL} were asked for"),
        sleeps_between_lines(exam)?,
    ])
}

/// Passes when the child sleeps after its first line, for a minute, of which only the beginning is
/// waited for: on a busy machine lines may come slowly without that.
fn sleeps_between_lines(exam: &mut Exam) -> Result<String, Trouble> {
    let live = exam.start(exam.spec(&["--forever", "--interval", "60"]))?;
    let lines = |state: &State| {
        let lines = state.lines_of(Stream::Stdout);
        lines.filter(|line| folded(&line.text()).starts_with("Child:")).count()
    };
    live.until(SOON, |state| (lines(state) > 0).then_some(()));
    idle(&live, |state| lines(state) > 1);
    let seen = lines(&live.log.lock());
    live.end();
    expect(seen == 1, "with --interval 60, the second line after a minute", || match seen {
        0 => "there was not even the first".into(),
        _ => "it came at once".into(),
    })?;
    Ok("--interval 60: after the first line everybody sleeps".into())
}

fn orphan(exam: &mut Exam) -> Finding {
    let spec = exam.spec(&["--forever", "--interval", INTERVAL]);
    let live = exam.start(spec)?;
    let child = live.until(SOON, |state| {
        state.lines_of(Stream::Stdout).find(|line| line.text().starts_with("Child"))?;
        state.made().next().map(|task| task.id)
    });
    live.signal(Signal::SIGKILL);
    let run = live.finish();
    let Some(child) = child else {
        return fail("a child that prints", "no child printed");
    };
    expect(run.survivors.is_empty(), "the child ends when its parent is killed", || {
        format!("{:?} went on without its parent", run.survivors)
    })?;
    let how = run.tasks.get(&child).and_then(|task| task.ending);
    let how = how.map_or(String::new(), |ending| format!(" by {ending}"));
    Ok(vec![format!("parent killed with SIGKILL: child {child} ended too{how}")])
}

/// MiB: enough that everything else in the process is small beside it.
const BLOCK: u64 = 64;

fn memory_run(exam: &mut Exam) -> Result<std::rc::Rc<Kept>, Trouble> {
    exam.kept("memory", |exam| {
        let run = exam.run(&["memory".to_string(), "--mib".into(), BLOCK.to_string()])?;
        Ok(Kept::new(run, []))
    })
}

/// `Rss`, `Pss` and `Private_Dirty` of the child out of the demo's table, in KiB.
fn of_child(run: &State, when: &str) -> Result<[u64; 3], Trouble> {
    let row = stdout(run).into_iter().find(|row| row.starts_with(&format!("{when} child")));
    let row = row.unwrap_or_default();
    let values = figures(&row);
    values.try_into().or_else(|_| fail(format!("a row '{when} child' with three figures"), row))
}

fn memory(exam: &mut Exam) -> Finding {
    let mut spec = exam.spec(&["memory".to_string(), "--mib".into(), BLOCK.to_string()]);
    // The child prints its own rows: held there, it is in the state that the row is about.
    spec.gate = Some(before_writing(|row| {
        let row = folded(row);
        row.starts_with("after the fork child")
            || row.starts_with("the child wrote everything child")
    }));
    let live = exam.start(spec)?;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let Ok(held) = all_held(&live, 1) else {
            return fail("the child's rows", "they did not come");
        };
        seen.push(kernel::private_and_share(held[0].process).unwrap_or_default());
        live.let_go();
    }
    let run = live.finish();
    done(&run)?;
    let all = BLOCK << 20;
    let about = |value: u64, wanted: u64| value.abs_diff(wanted) <= all / 10;
    for (when, (private, share), wanted) in [
        ("after the fork", seen[0], (0, all / 2)),
        ("the child wrote everything", seen[1], (all, all)),
    ] {
        let [rss, pss, dirty] = of_child(&run, when)?.map(|kib| kib << 10);
        let mib = |bytes: u64| bytes >> 20;
        expect(
            about(private, wanted.0) && about(share, wanted.1),
            format!("{when}: {} MiB private, {} MiB its share", mib(wanted.0), mib(wanted.1)),
            || format!("{} MiB private, {} MiB its share", mib(private), mib(share)),
        )?;
        expect(
            about(rss, all) && about(pss, share) && about(dirty, private),
            format!("{when}: the figures of the kernel"),
            || format!("{} MiB, {} MiB, {} MiB", mib(rss), mib(pss), mib(dirty)),
        )?;
    }
    Ok(vec![format!(
        "of {BLOCK} MiB the child alone had {} KiB after the fork and {} MiB when it had written \
         everything (smaps_rollup)",
        seen[0].0 >> 10,
        seen[1].0 >> 20
    )])
}

fn files_run(exam: &mut Exam) -> Result<std::rc::Rc<Kept>, Trouble> {
    exam.kept("files", |exam| Ok(Kept::new(exam.run(&["files"])?, [])))
}

fn files(exam: &mut Exam) -> Finding {
    let run = files_run(exam)?;
    let wanted = [
        "child reads line 2",
        "parent reads line 3",
        "child reads line 2",
        "parent reads line 2",
        "parent has it set",
        "parent can't write",
        "parent writes, and its peer reads",
        "parent has it not",
    ];
    in_order(&run, &wanted)?;
    let root = run.root().map_or(0, |task| task.id);
    for line in run.lines_of(Stream::Stdout) {
        let text = folded(&line.text());
        let by = line.by.and_then(|id| run.tasks.get(&id)).map(|task| task.process);
        let Some(by) = by.filter(|_| text.starts_with("child ") || text.starts_with("parent "))
        else {
            continue;
        };
        expect(
            text.starts_with("parent ") == (by == root),
            "what the child does is done in a child, the rest in the parent",
            || format!("'{text}' was written by {by}; the program is {root}"),
        )?;
    }
    nothing_left(&run)?;
    Ok(vec![
        "shared: offset, O_NONBLOCK, shutdown; not shared: close, FD_CLOEXEC; and a buffer hides \
         the offset"
            .into(),
    ])
}
