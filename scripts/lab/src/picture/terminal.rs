//! The picture in letters: as wide as the terminal is, with its colours or without.
//!
//! A lane's height in a column is the share of that time for which it ran, in eighths. What it
//! waited for is written on the line, wherever there is room for the word.

use std::fmt::Write as _;
use std::time::Duration;

use super::{
    Cell, Lane, Link, Mark, Row, Run, axis, branches, bytes, cells, column, label, most_links,
    most_of, plural, short_ending, time,
};
use crate::run::Stream;
use crate::run::sampler::Wait;

/// How the terminal is.
#[derive(Clone, Copy)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Whether it shows colours.
    pub colour: bool,
    /// Rows that a picture may have before lanes are drawn as one.
    pub rows: usize,
}

/// What a letter stands for; how it looks is decided in one place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ink {
    Plain,
    Bold,
    Quiet,
    Ran,
    /// It ran for a part, and had no processor for the rest.
    RanQueued,
    Queued,
    Waits(Colour),
    Link,
    Line,
    Bad,
    Alive,
}

/// Kinds of waiting that are told apart by colour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    Time,
    Task,
    Peer,
    Other,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Bold | Ink::Line => "1",
            Ink::Quiet | Ink::Waits(Colour::Other) => "2",
            Ink::Ran => "32",
            Ink::RanQueued => "32;48;5;179",
            Ink::Queued => "38;5;136;48;5;179",
            Ink::Waits(Colour::Time) | Ink::Alive => "34",
            Ink::Waits(Colour::Task) => "35",
            Ink::Waits(Colour::Peer) | Ink::Link => "36",
            Ink::Bad => "1;31",
        }
    }
}

fn colour(wait: Wait) -> Colour {
    match wait {
        Wait::Sleep => Colour::Time,
        Wait::Child | Wait::Join | Wait::Futex => Colour::Task,
        Wait::Accept
        | Wait::Epoll
        | Wait::Poll
        | Wait::Connect
        | Wait::Read(_)
        | Wait::Write(_) => Colour::Peer,
        _ => Colour::Other,
    }
}

/// A row of letters, each with its ink.
#[derive(Clone)]
struct Strip(Vec<(char, Ink)>);

impl Strip {
    fn blank(width: usize) -> Strip {
        Strip(vec![(' ', Ink::Plain); width])
    }

    /// Writes a text from a column on, as much of it as there is room for.
    fn write(&mut self, at: usize, text: &str, ink: Ink) {
        for (place, letter) in self.0.iter_mut().skip(at).zip(text.chars()) {
            *place = (letter, ink);
        }
    }

    fn paint(&self, colour: bool) -> String {
        let mut text = String::new();
        let mut now = Ink::Plain;
        for (letter, ink) in &self.0 {
            if colour && *ink != now {
                if !now.code().is_empty() {
                    text.push_str("\x1b[0m");
                }
                if !ink.code().is_empty() {
                    let _ = write!(text, "\x1b[{}m", ink.code());
                }
                now = *ink;
            }
            text.push(*letter);
        }
        if colour && !now.code().is_empty() {
            text.push_str("\x1b[0m");
        }
        text.trim_end().to_string()
    }
}

/// Where the columns of a picture are.
struct Layout {
    label: usize,
    cells: usize,
    /// Titles and widths of the columns at the right.
    figures: &'static [(&'static str, usize)],
}

const NARROW: &[(&str, usize)] = &[("CPU", 8), ("switches", 9)];
const WIDE: &[(&str, usize)] =
    &[("CPU", 8), ("no CPU", 8), ("switches", 9), ("forced", 7), ("memory", 9), ("threads", 8)];

/// Narrower than this only the most important figures are beside a lane.
const WIDE_FROM: usize = 120;

/// The runs one below the other, on one time axis.
pub fn draw(runs: &[Run], page: Page) -> String {
    let end = runs.iter().map(|run| run.length).max().unwrap_or_default();
    let share = page.rows / runs.len().max(1);
    let all: Vec<(&Run, Vec<Row>)> = runs.iter().map(|run| (run, run.rows(share))).collect();
    let figures = if page.width >= WIDE_FROM { WIDE } else { NARROW };
    let right: usize = figures.iter().map(|(_, width)| width).sum();
    let labels: Vec<Vec<String>> = all.iter().map(|(_, rows)| labels(rows)).collect();
    let longest = labels.iter().flatten().map(|label| label.chars().count()).max();
    let room = if page.width >= WIDE_FROM { 32 } else { page.width / 3 };
    let label = longest.unwrap_or(0).clamp(11, room.max(11));
    let cells = page.width.saturating_sub(label + 1 + right).max(8);
    let layout = Layout { label, cells, figures };
    let mut text = String::new();
    let mut put = |line: &str| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    for (index, (run, rows)) in all.iter().enumerate() {
        if index > 0 {
            put("");
        }
        let mut title = Strip::blank(page.width);
        title.write(0, &shortened(&run.command, page.width), Ink::Bold);
        put(&title.paint(page.colour));
        for line in wrapped(&run.headline(), page.width) {
            put(&line);
        }
        put(&ruler(end, &layout, page.width).paint(page.colour));
        for (row, label) in rows.iter().zip(&labels[index]) {
            let mut strip = Strip::blank(page.width);
            strip.write(0, &shortened(label, layout.label), Ink::Plain);
            for strip in draw_row(row, run, end, &layout, strip) {
                put(&strip.paint(page.colour));
            }
        }
        if page.width < WIDE_FROM {
            for line in processes(run) {
                for line in wrapped(&line, page.width) {
                    put(&line);
                }
            }
        }
        for note in &run.notes {
            for line in wrapped(note, page.width) {
                put(&line);
            }
        }
    }
    put("");
    for line in legend(&all, page.width, page.colour) {
        put(&line);
    }
    for line in runs.iter().flat_map(|run| wrapped(&run.method(), page.width)) {
        let mut quiet = Strip::blank(page.width);
        quiet.write(0, &line, Ink::Quiet);
        put(&quiet.paint(page.colour));
    }
    text
}

fn ruler(end: Duration, layout: &Layout, width: usize) -> Strip {
    let mut strip = Strip::blank(width);
    let mut free = 0;
    for (at, words) in axis(end, layout.cells / 12) {
        let at = column(at, end, layout.cells);
        if at >= free && at + 1 + words.chars().count() <= layout.cells {
            strip.write(layout.label + 1 + at, &format!("╷{words}"), Ink::Quiet);
            free = at + words.chars().count() + 2;
        }
    }
    let mut at = layout.label + 1 + layout.cells;
    for (title, room) in layout.figures {
        strip.write(at + room - title.chars().count(), title, Ink::Quiet);
        at += room;
    }
    strip
}

/// What the rows are called, as a tree.
fn labels(rows: &[Row]) -> Vec<String> {
    let named = branches(rows).into_iter().zip(rows);
    named.map(|(branch, row)| format!("{branch}{}", label(row))).collect()
}

fn draw_row(row: &Row, run: &Run, end: Duration, layout: &Layout, strip: Strip) -> Vec<Strip> {
    let mut strip = strip;
    match row {
        Row::Cpus => {
            let cells = cells(run.lanes.iter(), end, layout.cells);
            for (column, cell) in cells.iter().enumerate() {
                let share = cell.ran / run.cpus as f64;
                if share >= 1.0 / 64.0 {
                    strip.0[layout.label + 1 + column] = (eighths(share), Ink::Ran);
                }
            }
            figures(&mut strip, layout, &[time(run.ran())]);
            vec![strip]
        }
        Row::Lane(lane) => draw_lane(lane, strip, end, layout),
        Row::Band(lanes) => draw_band(lanes, run.cpus, strip, end, layout),
        Row::Link(link, _) => {
            let (from, to) =
                (column(link.from, end, layout.cells), column(link.to, end, layout.cells));
            for column in from..=to {
                strip.0[layout.label + 1 + column] = ('━', Ink::Link);
            }
            vec![strip]
        }
        Row::Links(links, _) => {
            let most = most_links(links).max(1);
            let mut open = vec![0; layout.cells];
            for Link { from, to, .. } in links {
                let last = column(*to, end, layout.cells);
                for open in &mut open[column(*from, end, layout.cells)..=last] {
                    *open += 1;
                }
            }
            for (column, open) in open.into_iter().enumerate().filter(|(_, open)| *open > 0) {
                let height = f64::from(open) / most as f64;
                strip.0[layout.label + 1 + column] = (eighths(height), Ink::Link);
            }
            figures(&mut strip, layout, &[format!("≤ {most}")]);
            vec![strip]
        }
        Row::Lines => {
            let marks: Vec<&Mark> = run.lines.iter().collect();
            write_marks(&mut strip, &marks, end, layout);
            vec![strip]
        }
    }
}

fn draw_lane(lane: &Lane, mut strip: Strip, end: Duration, layout: &Layout) -> Vec<Strip> {
    let cells = cells(std::iter::once(lane), end, layout.cells);
    let first = layout.label + 1;
    for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.alive > 0.0) {
        strip.0[first + column] = glyph(cell);
    }
    for (at, _) in lane.executions.iter().filter(|(at, _)| *at > lane.from) {
        strip.0[first + column(*at, end, layout.cells)] = ('▸', Ink::Bold);
    }
    let after = column(lane.to, end, layout.cells) + 1;
    if let Some((words, well)) = short_ending(lane) {
        let ink = if well { Ink::Quiet } else { Ink::Bad };
        let words = if well { format!(" {words}") } else { format!("✗ {words}") };
        if after + words.chars().count() <= layout.cells {
            strip.write(first + after, &words, ink);
        } else if !well {
            strip.write(first + after - 1, "✗", ink);
        }
    }
    let account = &lane.account;
    let process = lane.threads > 0;
    figures(
        &mut strip,
        layout,
        &figures_of(
            layout,
            [
                time(account.ran),
                time(account.queued),
                lane.number(|account| account.slept),
                lane.number(|account| account.preempted),
                lane.memory(),
                if process { lane.threads.to_string() } else { String::new() },
            ],
        ),
    );
    let marks: Vec<&Mark> = lane.lines.iter().collect();
    let mut columns: Vec<usize> =
        marks.iter().map(|mark| column(mark.at, end, layout.cells)).collect();
    columns.dedup();
    let alive = cells.iter().filter(|cell| cell.alive > 0.0).count();
    let few = columns.len() <= 3.max(alive / 4);
    for mark in marks.iter().filter(|_| few) {
        let letter = if mark.stream == Stream::Stdout { '●' } else { '○' };
        strip.0[first + column(mark.at, end, layout.cells)] = (letter, Ink::Line);
    }
    name_waits(&mut strip, &cells, first);
    if few {
        return vec![strip];
    }
    let mut below = Strip::blank(strip.0.len());
    write_below(&mut below, "lines", layout);
    write_marks(&mut below, &marks, end, layout);
    vec![strip, below]
}

/// Many lanes as one: how many live, and how much of the processors they use.
fn draw_band(
    lanes: &[&Lane],
    cpus: usize,
    mut strip: Strip,
    end: Duration,
    layout: &Layout,
) -> Vec<Strip> {
    let cells = cells(lanes.iter().copied(), end, layout.cells);
    let most = most_of(lanes).max(1);
    let first = layout.label + 1;
    let mut below = Strip::blank(strip.0.len());
    write_below(&mut below, "running", layout);
    for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.alive > 0.0) {
        strip.0[first + column] = (eighths(cell.alive / most as f64), Ink::Alive);
        let share = cell.ran / cpus as f64;
        if share >= 1.0 / 64.0 {
            below.0[first + column] = (eighths(share), Ink::Ran);
        }
    }
    let sum = |of: fn(&Lane) -> Duration| lanes.iter().map(|lane| of(lane)).sum::<Duration>();
    let count = |of: fn(&Lane) -> u64| lanes.iter().map(|lane| of(lane)).sum::<u64>().to_string();
    figures(
        &mut strip,
        layout,
        &figures_of(
            layout,
            [
                time(sum(|lane| lane.account.ran)),
                time(sum(|lane| lane.account.queued)),
                count(|lane| lane.account.slept),
                count(|lane| lane.account.preempted),
                String::new(),
                String::new(),
            ],
        ),
    );
    figures(&mut below, layout, &[format!("≤ {most}")]);
    let mut strips = vec![strip, below];
    let mut marks: Vec<&Mark> = lanes.iter().flat_map(|lane| &lane.lines).collect();
    if !marks.is_empty() {
        marks.sort_by_key(|mark| mark.at);
        let mut written = Strip::blank(strips[0].0.len());
        write_below(&mut written, "lines", layout);
        write_marks(&mut written, &marks, end, layout);
        strips.push(written);
    }
    strips
}

/// What a second row of the same lane shows.
fn write_below(strip: &mut Strip, word: &str, layout: &Layout) {
    strip.write(layout.label.saturating_sub(word.len()), word, Ink::Quiet);
}

/// Which of the six figures the layout has room for.
fn figures_of(layout: &Layout, all: [String; 6]) -> Vec<String> {
    let [ran, queued, slept, forced, memory, threads] = all;
    if layout.figures.len() == WIDE.len() {
        vec![ran, queued, slept, forced, memory, threads]
    } else {
        vec![ran, slept]
    }
}

fn figures(strip: &mut Strip, layout: &Layout, texts: &[String]) {
    let mut at = layout.label + 1 + layout.cells;
    for ((_, room), text) in layout.figures.iter().zip(texts) {
        strip.write(at + room.saturating_sub(text.chars().count()), text, Ink::Plain);
        at += room;
    }
}

/// How many lines were written in each column: a dot is one, then their number.
fn write_marks(strip: &mut Strip, marks: &[&Mark], end: Duration, layout: &Layout) {
    let mut counts = vec![0_usize; layout.cells];
    for mark in marks {
        counts[column(mark.at, end, layout.cells)] += 1;
    }
    for (column, count) in counts.into_iter().enumerate() {
        let letter = match count {
            0 => continue,
            1 => '●',
            2..=9 => char::from_digit(u32::try_from(count).unwrap_or(0), 10).unwrap_or('+'),
            _ => '+',
        };
        strip.0[layout.label + 1 + column] = (letter, Ink::Line);
    }
}

/// A bar of this height: 0 to 1.
fn eighths(share: f64) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    BARS[((share * 8.0).ceil() as usize).clamp(1, 8) - 1]
}

fn glyph(cell: &Cell) -> (char, Ink) {
    if cell.ran >= 1.0 / 16.0 {
        let rest = cell.alive - cell.ran;
        let queued = cell.queued >= 0.1 && cell.queued >= rest / 2.0 && cell.ran < 15.0 / 16.0;
        return (eighths(cell.ran), if queued { Ink::RanQueued } else { Ink::Ran });
    }
    if cell.queued >= cell.alive / 2.0 {
        return ('░', Ink::Queued);
    }
    match cell.wait {
        Some(wait) => ('─', Ink::Waits(colour(wait))),
        // There, but what it did was not seen.
        None if cell.ran > 0.0 => ('▁', Ink::Ran),
        None => ('┄', Ink::Quiet),
    }
}

/// Writes what was waited for on each line that has room for it.
fn name_waits(strip: &mut Strip, cells: &[Cell], first: usize) {
    let line = |column: usize| strip.0[first + column].0 == '─';
    let mut runs = Vec::new();
    let mut column = 0;
    while column < cells.len() {
        let wait = cells[column].wait;
        let begin = column;
        while column < cells.len() && line(column) && cells[column].wait == wait {
            column += 1;
        }
        if let (Some(wait), true) = (wait, column > begin) {
            runs.push((begin, column - begin, wait));
        }
        column = column.max(begin + 1);
    }
    for (begin, length, wait) in runs {
        let words = wait.to_string();
        let short = words.split(' ').next_back().unwrap_or_default().to_string();
        let fits = |words: &str| words.chars().count() + 2 <= length;
        if let Some(words) = [words, short].iter().find(|words| fits(words)) {
            strip.write(first + begin + 1, words, Ink::Waits(colour(wait)));
        }
    }
}

/// What a narrow picture has no columns for.
fn processes(run: &Run) -> Vec<String> {
    const SHOWN: usize = 6;
    let all: Vec<&Lane> = run.lanes.iter().filter(|lane| lane.threads > 0).collect();
    let mut lines: Vec<String> = all
        .iter()
        .take(SHOWN)
        .map(|lane| {
            format!(
                "{} {}: at most {} and {}, {} of CPU in all",
                lane.name,
                lane.id,
                bytes(lane.account.memory),
                plural(lane.threads, "thread", "threads"),
                time(lane.ran_in_all)
            )
        })
        .collect();
    if all.len() > SHOWN {
        lines.push(format!("and {} more", plural(all.len() - SHOWN, "process", "processes")));
    }
    lines
}

fn legend(all: &[(&Run, Vec<Row>)], width: usize, colour: bool) -> Vec<String> {
    let rows = || all.iter().flat_map(|(_, rows)| rows);
    let lanes = || {
        rows().filter_map(|row| match row {
            Row::Lane(lane) => Some(*lane),
            _ => None,
        })
    };
    let mut entries = vec![
        ("▃█", Ink::Ran, "running, by height"),
        ("░", Ink::Queued, "no CPU free"),
        ("──", Ink::Waits(Colour::Task), "waiting"),
        ("┄", Ink::Quiet, "not seen"),
    ];
    if rows().any(|row| matches!(row, Row::Lines)) || lanes().any(|lane| !lane.lines.is_empty()) {
        entries.push(("●", Ink::Line, "a line written"));
    }
    if lanes().any(|lane| lane.lines.iter().any(|mark| mark.stream == Stream::Stderr)) {
        entries.push(("○", Ink::Line, "on stderr"));
    }
    if lanes().any(|lane| lane.executions.iter().any(|(at, _)| *at > lane.from)) {
        entries.push(("▸", Ink::Bold, "executes"));
    }
    if rows().any(|row| matches!(row, Row::Link(..))) {
        entries.push(("━", Ink::Link, "connection"));
    }
    let mut strips = vec![Strip(Vec::new())];
    for (sign, ink, words) in entries {
        let length = sign.chars().count() + 1 + words.chars().count();
        let mut line = strips.pop().unwrap_or(Strip(Vec::new()));
        if !line.0.is_empty() && line.0.len() + 2 + length > width {
            strips.push(line);
            line = Strip(Vec::new());
        }
        if !line.0.is_empty() {
            line.0.extend([(' ', Ink::Plain); 2]);
        }
        line.0.extend(sign.chars().map(|letter| (letter, ink)));
        line.0.push((' ', Ink::Plain));
        line.0.extend(words.chars().map(|letter| (letter, Ink::Plain)));
        strips.push(line);
    }
    strips.iter().map(|line| line.paint(colour)).collect()
}

/// A text in lines of at most this width.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    crate::report::terminal::wrap(text, width)
}

/// The text, or its beginning.
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
