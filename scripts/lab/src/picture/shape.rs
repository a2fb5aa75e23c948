//! What SVG and HTML share: areas, colours, and the words that are shown when one points at something.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Cell, Lane, Link, Mark, bytes, column, plural, short_ending, time};
use crate::run::Kind;
use crate::run::sampler::Wait;

/// Classes and what they stand for.
const LEGEND: &[(&str, &str)] = &[
    ("ran", "running (height: share of the time)"),
    ("queued", "no CPU free"),
    ("time", "sleep"),
    ("task", "waits for a task"),
    ("peer", "waits for input or output"),
    ("other", "waits otherwise"),
    ("alive", "there, not seen at what"),
    ("count", "how many there are"),
    ("link", "a connection"),
    ("line", "a line"),
    ("err", "on stderr"),
];

/// The entries of the legend for what has been drawn.
pub fn drawn(picture: &str) -> Vec<(&'static str, &'static str)> {
    let is_drawn = |class: &str| {
        picture.contains(&format!("class=\"{class}\""))
            || class == "line" && picture.contains("class=\"dot\"")
            || class == "err" && picture.contains("class=\"dot err\"")
    };
    LEGEND.iter().copied().filter(|(class, _)| is_drawn(class)).collect()
}

/// The class of a wait.
pub fn colour(wait: Wait) -> &'static str {
    match wait {
        Wait::Sleep => "time",
        Wait::Child | Wait::Join | Wait::Futex => "task",
        Wait::Accept
        | Wait::Epoll
        | Wait::Poll
        | Wait::Connect
        | Wait::Read(_)
        | Wait::Write(_) => "peer",
        _ => "other",
    }
}

/// Columns in which a task waits for the same.
pub struct WaitRun {
    /// The first of them.
    pub from: usize,
    /// How many.
    pub length: usize,
    /// For what.
    pub wait: Wait,
}

/// All of them, from left to right.
pub fn wait_runs(cells: &[Cell]) -> Vec<WaitRun> {
    let mut runs: Vec<WaitRun> = Vec::new();
    for (column, cell) in cells.iter().enumerate() {
        let Some(wait) = cell.wait.filter(|_| cell.ran + cell.queued < 0.95 * cell.alive) else {
            continue;
        };
        match runs.last_mut() {
            Some(last) if last.wait == wait && last.from + last.length == column => {
                last.length += 1;
            }
            _ => runs.push(WaitRun { from: column, length: 1, wait }),
        }
    }
    runs
}

/// The first place between two columns that is this wide and keeps clear of the dots.
pub fn gap(from: usize, to: usize, dots: &[usize], clear: usize, wide: usize) -> Option<usize> {
    let mut at = from;
    let mut in_the_way: Vec<usize> =
        dots.iter().copied().filter(|dot| dot + clear > from && *dot < to + clear).collect();
    in_the_way.sort_unstable();
    for dot in in_the_way {
        if at + wide + clear <= dot {
            break;
        }
        at = at.max(dot + clear);
    }
    (at + wide <= to).then_some(at)
}

/// An area between two heights, 0 to 1, column by column, as a path; columns are one unit wide.
pub fn area(heights: impl Iterator<Item = (f64, f64)>, left: f64, top: f64, height: f64) -> String {
    // Steps that one does not see would make the file larger only.
    let step = |share: f64| (share.clamp(0.0, 1.0) * 20.0).round() / 20.0;
    let visible = |(low, high): (f64, f64)| {
        let high = if high > 0.004 { high.max(0.05) } else { high };
        (step(low), step(high))
    };
    let mut path = String::new();
    let mut run: Option<(usize, usize, (f64, f64))> = None;
    let mut close = |run: Option<(usize, usize, (f64, f64))>| {
        if let Some((from, to, (low, high))) = run.filter(|(_, _, (low, high))| high > low) {
            let (x, y) = (left + from as f64, top + (1.0 - high) * height);
            let (width, tall) = (to - from, (high - low) * height);
            let _ = write!(path, "M{x:.1} {y:.1}h{width}v{tall:.1}h-{width}z");
        }
    };
    let mut columns = 0;
    for (column, heights) in heights.map(visible).enumerate() {
        columns = column + 1;
        match &mut run {
            Some((_, to, same)) if *same == heights => *to = columns,
            _ => close(run.replace((column, columns, heights))),
        }
    }
    close(run.take().map(|(from, _, heights)| (from, columns, heights)));
    path
}

/// How many of these connections are open in each column.
pub fn open(links: &[&Link], end: Duration, columns: usize) -> Vec<usize> {
    let mut open = vec![0; columns];
    for link in links {
        let last = column(link.to, end, columns);
        for open in &mut open[column(link.from, end, columns)..=last] {
            *open += 1;
        }
    }
    open
}

/// A lane in a sentence.
pub fn described(lane: &Lane) -> String {
    let kind = if lane.kind == Kind::Process { "process" } else { "thread" };
    let account = &lane.account;
    let mut words = format!(
        "{kind} {} {}: {} to {}, ran {}, had no CPU for {}, went to sleep {}, was preempted {}",
        lane.name,
        lane.id,
        time(lane.from),
        time(lane.to),
        time(account.ran),
        time(account.queued),
        plural(usize::try_from(account.slept).unwrap_or(0), "time", "times"),
        plural(usize::try_from(account.preempted).unwrap_or(0), "time", "times"),
    );
    if lane.threads > 0 {
        let threads = plural(lane.threads, "thread", "threads");
        let _ = write!(words, ", at most {threads} and {}", bytes(account.memory));
    }
    if let Some((ending, _)) = short_ending(lane) {
        let _ = write!(words, ", {ending}");
    }
    words
}

/// A connection in a few words.
pub fn described_link(link: &Link) -> String {
    let how = if link.accepted { "accepted from" } else { "made to" };
    format!("connection {how} {}: {} to {}", link.peer, time(link.from), time(link.to))
}

/// Lines that are one dot.
pub fn said(marks: &[&Mark]) -> String {
    const SHOWN: usize = 5;
    let line = |mark: &&Mark| {
        format!("{}: {}", time(mark.at), super::terminal::shortened(&mark.text, 120))
    };
    let mut lines: Vec<String> = marks.iter().take(SHOWN).map(line).collect();
    if marks.len() > SHOWN {
        lines.push(format!("and {} more", marks.len() - SHOWN));
    }
    lines.join("\n")
}

/// A text as XML and HTML take it for one.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no letters for these.
            letter if letter.is_control() && letter != '\n' => safe.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}
