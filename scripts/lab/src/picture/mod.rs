//! A run as a picture: the data behind it, and what all formats share of its layout.
//!
//! A lane for each process and thread, in the order of their births, each under who made it. What was
//! not seen is not in the data, and so it is not drawn.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a picture has thousands of columns, and times of a run have far fewer than 52 bits"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::run::sampler::{Looks, Piece, Sampler, Wait};
use crate::run::{Account, Connection, Ending, Id, Kind, Line, State, Stream, Task};

pub mod html;
mod shape;
pub mod svg;
pub mod terminal;
pub mod trace;

/// One run, ready to be drawn. Times count from the execution of the program.
pub struct Run {
    /// What was run, as a person would type it.
    pub command: String,
    /// Processors that it could run on.
    pub cpus: usize,
    /// From the execution of the program to the end of the last of its tasks.
    pub length: Duration,
    /// Everybody who was born, each after who made it.
    pub lanes: Vec<Lane>,
    /// Lines of which nobody knows who wrote them.
    pub lines: Vec<Mark>,
    /// How the program itself ended.
    pub ended: Option<Ending>,
    /// What else there is to say, in sentences.
    pub notes: Vec<String>,
    /// How often was looked.
    pub looks: Looks,
    /// How often a task was stopped by the tracer, and how long that took it.
    pub stops: (u64, Duration),
}

/// A process or a thread.
pub struct Lane {
    /// Its number.
    pub id: Id,
    /// The number of its process.
    pub process: Id,
    /// What it was born as.
    pub kind: Kind,
    /// The kernel's name of it, the last one that was seen.
    pub name: String,
    /// How many makers it has above it.
    pub depth: usize,
    /// Which lane made it.
    pub maker: Option<usize>,
    /// When it was born.
    pub from: Duration,
    /// When it ended; at the end of the run, if that was not seen.
    pub to: Duration,
    /// How it ended.
    pub ending: Option<Ending>,
    /// When it executed which file.
    pub executions: Vec<(Duration, PathBuf)>,
    /// What it did in between.
    pub pieces: Vec<Piece>,
    /// The lines that it wrote.
    pub lines: Vec<Mark>,
    /// The connections that it accepted or made, or has got from its parent.
    pub connections: Vec<Link>,
    /// What the kernel has counted of it; if its end was not seen, only how long it was seen to run.
    pub account: Account,
    /// Whether its end was seen.
    pub counted: bool,
    /// Processor time of all threads of its process; of a thread, its own.
    pub ran_in_all: Duration,
    /// How many threads its process had at the same time at most; of a thread, none.
    pub threads: usize,
}

/// A line at its moment.
pub struct Mark {
    /// When it was written; when it was read, if that is not known.
    pub at: Duration,
    /// Where.
    pub stream: Stream,
    /// What.
    pub text: String,
}

/// A connection, as long as it was there.
pub struct Link {
    /// Who is at the other end.
    pub peer: String,
    /// Whether it was accepted, not made.
    pub accepted: bool,
    /// When it came.
    pub from: Duration,
    /// When it had gone.
    pub to: Duration,
}

impl Run {
    /// Puts together what is known of a run that is over.
    pub fn new(command: &str, state: &State, sampler: &Sampler, now: Duration) -> Run {
        let start = state.root().map_or(Duration::ZERO, |task| task.born);
        let mut tasks: Vec<&Task> = state.replaced.iter().chain(state.tasks.values()).collect();
        tasks.sort_by_key(|task| task.born);
        let end = tasks.iter().map(|task| task.died.unwrap_or(now)).max().unwrap_or(now);
        let mut lanes: Vec<Lane> =
            tasks.iter().map(|task| lane(task, sampler, start, end)).collect();
        let makers: Vec<Option<usize>> =
            tasks.iter().map(|task| alive_at(&tasks, task.maker, task.born)).collect();
        let mut unclaimed = Vec::new();
        for line in &state.lines {
            let at = line.written.unwrap_or(line.at);
            let owner = line.by.and_then(|id| alive_at(&tasks, id, at));
            owner.map_or(&mut unclaimed, |lane| &mut lanes[lane].lines).push(mark(line, start));
        }
        for lane in &mut lanes {
            lane.lines.sort_by_key(|mark| mark.at);
        }
        for connection in &state.connections {
            let owner = [connection.task, connection.process].into_iter().find_map(|id| {
                let lane = alive_at(&tasks, id, connection.from)?;
                (tasks[lane].process == connection.process).then_some(lane)
            });
            let owner = owner.or_else(|| tasks.iter().position(|t| t.id == connection.process));
            if let Some(owner) = owner {
                lanes[owner].connections.push(link(connection, start, end));
            }
        }
        count_per_process(&mut lanes);
        let available = std::thread::available_parallelism();
        Run {
            command: crate::report::terminal::harmless(command),
            cpus: available.map_or(1, usize::from),
            length: end.saturating_sub(start).max(Duration::from_micros(1)),
            lanes: in_families(lanes, &makers),
            lines: unclaimed,
            ended: state.ended,
            notes: state.cut.iter().map(|cut| format!("It was ended: {cut}.")).collect(),
            looks: sampler.looks,
            stops: state.stops,
        }
    }

    /// Processor time of everybody.
    pub fn ran(&self) -> Duration {
        self.lanes.iter().map(|lane| lane.account.ran).sum()
    }

    /// The first line of every picture.
    pub fn headline(&self) -> String {
        let of = |kind| self.lanes.iter().filter(|lane| lane.kind == kind).count();
        let (processes, others) = (of(Kind::Process), of(Kind::Thread));
        let mut words = vec![time(self.length), plural(processes, "process", "processes")];
        if others > 0 {
            words.push(format!("{} made", plural(others, "thread", "threads")));
        }
        let used = self.ran().as_secs_f64() / self.length.as_secs_f64();
        words.push(format!("{used:.2} of {} used", plural(self.cpus, "CPU", "CPUs")));
        words.extend(self.ended.map(|ending| ending.to_string()));
        words.join(", ")
    }

    /// How it was looked at, and what that took.
    pub fn method(&self) -> String {
        let Looks { count, shortest, longest, took } = self.looks;
        let (stops, stopped) = self.stops;
        let share = took.as_secs_f64() / self.length.as_secs_f64() * 100.0;
        format!(
            "Looked at {count} times, every {} to {}: {} of CPU, {share:.1} %. {} at births, ends, \
             writes and the like: {}.",
            time(shortest),
            time(longest),
            time(took),
            plural(usize::try_from(stops).unwrap_or(0), "stop", "stops"),
            time(stopped),
        )
    }
}

fn lane(task: &Task, sampler: &Sampler, start: Duration, end: Duration) -> Lane {
    let since = |at: Duration| at.saturating_sub(start);
    let mut pieces = sampler.pieces(task);
    for piece in &mut pieces {
        (piece.from, piece.to) = (since(piece.from), since(piece.to));
    }
    // Whoever was killed in the middle of another one's end could not be asked any more.
    let name = task.account.is_none().then(|| sampler.name(task)).flatten().unwrap_or(&task.name);
    let seen = || Account { ran: pieces.iter().map(|piece| piece.ran).sum(), ..Account::default() };
    let mut account = task.account.unwrap_or_else(seen);
    if task.account.is_some() {
        account.ran = account.ran.saturating_sub(task.before.ran);
        account.queued = account.queued.saturating_sub(task.before.queued);
        account.slept = account.slept.saturating_sub(task.before.slept);
        account.preempted = account.preempted.saturating_sub(task.before.preempted);
    }
    Lane {
        id: task.id,
        process: task.process,
        kind: task.kind,
        name: crate::report::terminal::harmless(name),
        depth: 0,
        maker: None,
        from: since(task.born),
        to: since(task.died.unwrap_or(end)),
        ending: task.ending,
        executions: task
            .executions
            .iter()
            // What makes it the program is no event of the picture, which begins with it.
            .skip(usize::from(task.maker == 0))
            .map(|(at, file)| (since(*at), file.clone()))
            .collect(),
        pieces,
        lines: Vec::new(),
        connections: Vec::new(),
        account,
        counted: task.account.is_some(),
        ran_in_all: account.ran,
        threads: 0,
    }
}

fn mark(line: &Line, start: Duration) -> Mark {
    let at = line.written.unwrap_or(line.at).saturating_sub(start);
    Mark { at, stream: line.stream, text: crate::report::terminal::harmless(&line.text()) }
}

fn link(connection: &Connection, start: Duration, end: Duration) -> Link {
    Link {
        peer: connection.peer.to_string(),
        accepted: connection.accepted,
        from: connection.from.saturating_sub(start),
        to: connection.to.unwrap_or(end).saturating_sub(start),
    }
}

/// The task that had this number at this time: numbers come again.
fn alive_at(tasks: &[&Task], id: Id, at: Duration) -> Option<usize> {
    let mut found = None;
    for (index, task) in tasks.iter().enumerate() {
        if task.id == id && (found.is_none() || task.born <= at) {
            found = Some(index);
        }
    }
    found
}

fn count_per_process(lanes: &mut [Lane]) {
    let mut processes: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
    for (index, lane) in lanes.iter().enumerate() {
        processes.entry(lane.process).or_default().push(index);
    }
    for (process, members) in processes {
        let ran = members.iter().map(|index| lanes[*index].account.ran).sum();
        let threads =
            most_at_once(members.iter().map(|index| (lanes[*index].from, lanes[*index].to)));
        if let Some(first) = members.into_iter().find(|index| lanes[*index].id == process) {
            (lanes[first].ran_in_all, lanes[first].threads) = (ran, threads);
        }
    }
}

fn most_at_once(lives: impl Iterator<Item = (Duration, Duration)>) -> usize {
    // At the same moment ends come before births.
    let mut events: Vec<(Duration, bool)> =
        lives.flat_map(|(from, to)| [(from, true), (to, false)]).collect();
    events.sort_unstable();
    let (mut now, mut most) = (0_usize, 0);
    for (_, born) in events {
        now = if born { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}

/// Each after who made it, and its own after it; brothers in the order of their births.
fn in_families(lanes: Vec<Lane>, makers: &[Option<usize>]) -> Vec<Lane> {
    let mut children = vec![Vec::new(); lanes.len()];
    let mut waiting = Vec::new();
    for index in (0..lanes.len()).rev() {
        match makers[index] {
            Some(maker) if maker < index => children[maker].push(index),
            _ => waiting.push((index, 0, None)),
        }
    }
    let mut lanes: Vec<Option<Lane>> = lanes.into_iter().map(Some).collect();
    let mut ordered: Vec<Lane> = Vec::new();
    while let Some((index, depth, maker)) = waiting.pop() {
        let own = ordered.len();
        let Some(lane) = lanes[index].take() else { continue };
        ordered.push(Lane { depth, maker, ..lane });
        waiting.extend(children[index].iter().map(|child| (*child, depth + 1, Some(own))));
    }
    ordered
}

/// A row of a picture.
pub enum Row<'a> {
    /// How many processors all tasks together use.
    Cpus,
    /// One process or thread.
    Lane(&'a Lane),
    /// Many of them, as one.
    Band(Vec<&'a Lane>),
    /// A connection of the lane above.
    Link(&'a Link, usize),
    /// Many of them, as one.
    Links(Vec<&'a Link>, usize),
    /// Lines of which nobody knows who wrote them.
    Lines,
}

impl Run {
    /// The rows of a picture that has room for about so many of them.
    pub fn rows(&self, most: usize) -> Vec<Row<'_>> {
        let folded = self.folded(most);
        let mut rows = vec![Row::Cpus];
        let mut shown = BTreeSet::new();
        for (index, lane) in self.lanes.iter().enumerate() {
            let links: Vec<&Link> = match folded[index] {
                None => {
                    rows.push(Row::Lane(lane));
                    lane.connections.iter().collect()
                }
                Some(group) => {
                    if !shown.insert(group) {
                        continue;
                    }
                    let of_group = |(other, lane)| (folded[other] == Some(group)).then_some(lane);
                    let all: Vec<&Lane> =
                        self.lanes.iter().enumerate().filter_map(of_group).collect();
                    let links = all.iter().flat_map(|lane| &lane.connections).collect();
                    rows.push(Row::Band(all));
                    links
                }
            };
            if links.len() > FEW_LINKS {
                rows.push(Row::Links(links, lane.depth));
            } else {
                rows.extend(links.into_iter().map(|link| Row::Link(link, lane.depth)));
            }
        }
        if !self.lines.is_empty() {
            rows.push(Row::Lines);
        }
        rows
    }

    /// Which lanes are drawn as one: for each the number of its group, or none. As few as possible
    /// are; who has the same maker and much the same name first, the largest family first.
    fn folded(&self, most: usize) -> Vec<Option<usize>> {
        let mut folded = vec![None; self.lanes.len()];
        let mut count = self.lanes.len();
        if count <= most {
            return folded;
        }
        let parents: BTreeSet<usize> = self.lanes.iter().filter_map(|lane| lane.maker).collect();
        let mut families: BTreeMap<(Option<usize>, bool, String), Vec<usize>> = BTreeMap::new();
        for (index, lane) in self.lanes.iter().enumerate() {
            if !parents.contains(&index) {
                let stem = stem(&lane.name).to_string();
                let family = (lane.maker, lane.kind == Kind::Process, stem);
                families.entry(family).or_default().push(index);
            }
        }
        let mut families: Vec<Vec<usize>> = families.into_values().collect();
        families.sort_by_key(|family| std::cmp::Reverse(family.len()));
        for (group, family) in families.into_iter().enumerate() {
            if count <= most || family.len() < FEW {
                break;
            }
            count -= family.len() - 1;
            for index in family {
                folded[index] = Some(group);
            }
        }
        // Still too many: the last ones are one band, whoever they are.
        let mut rows = 0;
        let mut groups = BTreeSet::new();
        for group in &mut folded {
            rows += usize::from(group.is_none_or(|group| groups.insert(group)));
            if rows > most.max(2) {
                *group = Some(usize::MAX);
            }
        }
        folded
    }
}

/// So few are always drawn one by one.
const FEW: usize = 4;

/// The same of connections.
const FEW_LINKS: usize = 8;

/// A name without what numbers it: `worker-7` and `worker-12` are workers.
pub fn stem(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = stem.trim_end_matches(['-', '_', ' ', '#', ':']);
    if stem.is_empty() { name } else { stem }
}

/// What all members of a band are called.
pub fn band_label(lanes: &[&Lane]) -> String {
    let names: BTreeSet<&str> = lanes.iter().map(|lane| stem(&lane.name)).collect();
    let what = match lanes {
        [first, ..] if names.len() == 1 => stem(&first.name).to_string(),
        _ if lanes.iter().all(|lane| lane.kind == Kind::Thread) => "threads".into(),
        _ if lanes.iter().all(|lane| lane.kind == Kind::Process) => "processes".into(),
        _ => "tasks".into(),
    };
    format!("{} × {what}", lanes.len())
}

/// How deep in the tree a row is.
fn depth_of(row: &Row) -> usize {
    match row {
        Row::Cpus | Row::Lines => 0,
        Row::Lane(lane) => lane.depth,
        Row::Band(lanes) => lanes.iter().map(|lane| lane.depth).min().unwrap_or(0),
        Row::Link(_, depth) | Row::Links(_, depth) => depth + 1,
    }
}

impl Lane {
    /// A number of the kernel's account in letters; nothing where it is not known.
    pub fn number(&self, of: impl Fn(&Account) -> u64) -> String {
        if self.counted { of(&self.account).to_string() } else { String::new() }
    }

    /// The most memory that it held; of a process only, since its threads share it.
    pub fn memory(&self) -> String {
        if self.threads > 0 { bytes(self.account.memory) } else { String::new() }
    }
}

/// The branches before each row's name, which make a tree of them.
pub fn branches(rows: &[Row]) -> Vec<String> {
    let depths: Vec<usize> = rows.iter().map(depth_of).collect();
    // Whether another row of this depth comes before the next one that is less deep.
    let goes_on = |row: usize, depth: usize| {
        depths[row + 1..].iter().find(|other| **other <= depth).is_some_and(|other| *other == depth)
    };
    let branch = |row: usize| {
        let depth = depths[row];
        let above = (1..depth).map(|depth| if goes_on(row, depth) { "│ " } else { "  " });
        let own = if goes_on(row, depth) { "├ " } else { "└ " };
        above.chain((depth > 0).then_some(own)).collect()
    };
    (0..rows.len()).map(branch).collect()
}

/// What a row is called.
pub fn label(row: &Row) -> String {
    match row {
        Row::Cpus => "CPUs in use".into(),
        Row::Lane(lane) => format!("{} {}", lane.name, lane.id),
        Row::Band(lanes) => band_label(lanes),
        Row::Link(link, _) => format!("{} {}", if link.accepted { '←' } else { '→' }, link.peer),
        Row::Links(links, _) => plural(links.len(), "connection", "connections"),
        Row::Lines => "written by ?".into(),
    }
}

/// How many members of a band are alive at the same time at most.
pub fn most_of(lanes: &[&Lane]) -> usize {
    most_at_once(lanes.iter().map(|lane| (lane.from, lane.to)))
}

/// How many of these connections there are at the same time at most.
pub fn most_links(links: &[&Link]) -> usize {
    most_at_once(links.iter().map(|link| (link.from, link.to)))
}

/// What one or several tasks did in a column of a picture, in tasks: 0.5 is one task for half of
/// the time.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Cell {
    /// How many lived.
    pub alive: f64,
    /// How many ran.
    pub ran: f64,
    /// How many could have run, and had no processor.
    pub queued: f64,
    /// What was waited for the longest.
    pub wait: Option<Wait>,
}

/// The columns of a picture in which `end` is the right edge.
pub fn cells<'a>(
    lanes: impl Iterator<Item = &'a Lane>,
    end: Duration,
    columns: usize,
) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); columns];
    let mut waits: Vec<Vec<(Wait, f64)>> = vec![Vec::new(); columns];
    for lane in lanes {
        spread(lane.from, lane.to, end, columns, |column, share| cells[column].alive += share);
        for piece in &lane.pieces {
            let length = piece.to.saturating_sub(piece.from).as_secs_f64();
            let of = |part: Duration| if length > 0.0 { part.as_secs_f64() / length } else { 0.0 };
            let (ran, queued, rest) = (of(piece.ran), of(piece.queued), of(piece.rest()));
            spread(piece.from, piece.to, end, columns, |column, share| {
                cells[column].ran += ran * share;
                cells[column].queued += queued * share;
                if let Some(wait) = piece.wait {
                    let waits = &mut waits[column];
                    match waits.iter_mut().find(|(other, _)| *other == wait) {
                        Some((_, sum)) => *sum += rest * share,
                        None => waits.push((wait, rest * share)),
                    }
                }
            });
        }
    }
    for (cell, waits) in cells.iter_mut().zip(waits) {
        let longest = waits.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        // Of whoever is there for a moment only it must not be said that it waits.
        cell.wait = longest.filter(|(_, sum)| *sum > cell.alive / 20.0).map(|(wait, _)| wait);
    }
    cells
}

/// The column in which a moment is.
pub fn column(at: Duration, end: Duration, columns: usize) -> usize {
    (position(at, end, columns) as usize).min(columns.saturating_sub(1))
}

/// The same as a number of columns.
fn position(at: Duration, end: Duration, columns: usize) -> f64 {
    at.as_secs_f64() / end.as_secs_f64() * columns as f64
}

/// Tells for each column from one moment to another how much of it is between them.
fn spread(
    from: Duration,
    to: Duration,
    end: Duration,
    columns: usize,
    mut tell: impl FnMut(usize, f64),
) {
    let (begin, finish) = (position(from, end, columns), position(to, end, columns));
    for column in begin as usize..(finish.ceil() as usize).min(columns) {
        let share = finish.min(column as f64 + 1.0) - begin.max(column as f64);
        if share > 0.0 {
            tell(column, share);
        }
    }
}

/// Marks of the time axis: where, and what to write there. About `most` of them.
pub fn axis(end: Duration, most: usize) -> Vec<(Duration, String)> {
    let rough = end.as_secs_f64() / most.max(1) as f64;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough);
    let (unit, name) = match end.as_secs_f64() {
        end if end >= 1.0 => (1.0, "s"),
        end if end >= 1e-3 => (1e-3, "ms"),
        _ => (1e-6, "µs"),
    };
    let digits = (-(step / unit * 1.001).log10().floor()).max(0.0) as usize;
    let mut marks = Vec::new();
    let mut index = 0_u32;
    while f64::from(index) * step <= end.as_secs_f64() {
        let at = f64::from(index) * step;
        let words = if index == 0 { "0".into() } else { format!("{:.digits$} {name}", at / unit) };
        marks.push((Duration::from_secs_f64(at), words));
        index += 1;
    }
    marks
}

/// A time in three digits or so.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s >= 0.9995 => (s, "s"),
        s if s >= 0.000_999_5 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits =
        if unit == "µs" { 0 } else { usize::from(value < 99.95) + usize::from(value < 9.995) };
    format!("{value:.digits$} {unit}")
}

/// Bytes in three digits or so.
pub fn bytes(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0 => String::new(),
        b if b < 1 << 20 => format!("{:.0} KiB", value / f64::from(1 << 10)),
        b if b < 10 << 20 => format!("{:.1} MiB", value / f64::from(1 << 20)),
        b if b < 1 << 30 => format!("{:.0} MiB", value / f64::from(1 << 20)),
        _ => format!("{:.1} GiB", value / f64::from(1 << 30)),
    }
}

/// A number of things.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// How something ended, in few letters; nothing for what ended well and is a thread.
pub fn short_ending(lane: &Lane) -> Option<(String, bool)> {
    if lane.kind == Kind::Thread {
        return None;
    }
    Some(match lane.ending? {
        Ending::Exit(0) => ("exit 0".into(), true),
        Ending::Exit(status) => (format!("exit {status}"), false),
        Ending::Signal(number) => match nix::sys::signal::Signal::try_from(number) {
            Ok(signal) => (signal.to_string(), false),
            Err(_) => (format!("signal {number}"), false),
        },
    })
}
