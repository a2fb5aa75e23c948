//! The picture as SVG: one file that any browser, slide or document shows, light and dark.

use std::fmt::Write as _;
use std::time::Duration;

use super::shape::{self, WaitRun, colour, escape};
use super::{
    Lane, Link, Mark, Row, Run, axis, branches, cells, label, most_links, most_of, short_ending,
    time,
};
use crate::run::Stream;

const WIDTH: f64 = 1100.0;
const MARGIN: f64 = 16.0;
/// Of a row, and of the bar in it.
const ROW: f64 = 22.0;
const BAR: f64 = 16.0;
/// Of a letter of the labels, which are set in a monospaced type.
const LETTER: f64 = 7.0;
/// Titles of the columns at the right, and how wide they are.
const FIGURES: &[(&str, f64)] = &[("CPU", 62.0), ("switches", 62.0), ("memory", 64.0)];
/// Rows before lanes are drawn as one.
const MOST_ROWS: usize = 60;

/// Fills have classes, and what a class looks like is said twice: not every program that shows SVG
/// knows variables, and those that do not know `prefers-color-scheme` show the light one.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1d2125}.h{font-size:17px;font-weight:600}\
.m{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,monospace;font-size:11.5px;white-space:pre}\
.q{fill:#5c646c}.w{font-size:10.5px;fill:#3a4148}.bad{fill:#c0272d;font-weight:600}\
.paper{fill:#fff}.grid{stroke:#dfe3e7;fill:none}.born{stroke:#8a939c;fill:none}\
.alive{fill:#eceff2}.ran{fill:#0b8f5c}.queued{fill:#eaa41f}.count{fill:#7b8fb5}\
.time{fill:#cfdcf5}.task{fill:#e4d3f0}.peer{fill:#c9e8ef}.other{fill:#d9d9d4}\
.link{fill:#2b8ca3}.line{fill:#1d2125;stroke:#fff}.err{fill:#fff;stroke:#1d2125}\
.exec{fill:#1d2125}.end{stroke:#5c646c}.endbad{stroke:#c0272d;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6e8ea}.q{fill:#9aa3ab}.w{fill:#c3cad0}\
.bad{fill:#ff7b80}.paper{fill:#15191d}.grid{stroke:#2c3339}.born{stroke:#6d7780}\
.alive{fill:#252b31}.ran{fill:#2fc486}.queued{fill:#f0b23c}.count{fill:#6d86b8}\
.time{fill:#2b3f66}.task{fill:#47335b}.peer{fill:#1d4a56}.other{fill:#3b3b37}\
.link{fill:#4fb4cc}.line{fill:#f4f5f6;stroke:#15191d}.err{fill:#15191d;stroke:#f4f5f6}\
.exec{fill:#f4f5f6}.end{stroke:#9aa3ab}.endbad{stroke:#ff7b80}}";

/// Where things are.
struct Plot {
    left: f64,
    width: f64,
    end: Duration,
    /// Columns that are told apart: one for each unit of length.
    columns: usize,
}

impl Plot {
    fn x(&self, at: Duration) -> f64 {
        self.left + (at.as_secs_f64() / self.end.as_secs_f64()).min(1.0) * self.width
    }
}

/// The runs one below the other, on one time axis.
pub fn draw(runs: &[Run]) -> String {
    let end = runs.iter().map(|run| run.length).max().unwrap_or_default();
    let all: Vec<(&Run, Vec<Row>)> =
        runs.iter().map(|run| (run, run.rows(MOST_ROWS / runs.len().max(1)))).collect();
    let longest = all.iter().flat_map(|(_, rows)| labels(rows)).map(|l| l.chars().count()).max();
    let left = MARGIN + longest.unwrap_or(0).clamp(12, 34) as f64 * LETTER + 10.0;
    let right: f64 = FIGURES.iter().map(|(_, width)| width).sum();
    let width = WIDTH - MARGIN - right - left;
    let plot = Plot { left, width, end, columns: width as usize };
    let mut body = String::new();
    let mut y = MARGIN;
    for (run, rows) in &all {
        y = draw_run(&mut body, run, rows, &plot, y) + 14.0;
    }
    y = draw_legend(&mut body, y);
    for line in runs.iter().flat_map(|run| crate::report::terminal::wrap(&run.method(), 170)) {
        y += 16.0;
        text(&mut body, MARGIN, y, "q", &line);
    }
    let height = y + MARGIN;
    let title = runs.iter().map(|run| run.command.clone()).collect::<Vec<_>>().join(" and ");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" \
         width=\"{WIDTH:.0}\" height=\"{height:.0}\" role=\"img\"><title>{}</title>\
         <style>{STYLE}</style><rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{body}</svg>\n",
        escape(&title)
    )
}

fn labels(rows: &[Row]) -> Vec<String> {
    branches(rows).iter().zip(rows).map(|(branch, row)| format!("{branch}{}", label(row))).collect()
}

fn draw_run(out: &mut String, run: &Run, rows: &[Row], plot: &Plot, top: f64) -> f64 {
    let mut y = top + 16.0;
    text(out, MARGIN, y, "h", &super::terminal::shortened(&run.command, 110));
    for line in crate::report::terminal::wrap(&run.headline(), 170) {
        y += 18.0;
        text(out, MARGIN, y, "", &line);
    }
    y += 20.0;
    let height: f64 = rows.iter().map(height_of).sum();
    for (at, words) in axis(plot.end, 8) {
        let x = plot.x(at);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{x:.1} {:.1}V{:.1}\"/>",
            y - 10.0,
            y + 4.0 + height
        );
        if x + 8.0 + words.chars().count() as f64 * 6.5 < plot.left + plot.width {
            text(out, x + 3.0, y, "q", &words);
        }
    }
    let mut x = plot.left + plot.width;
    for (title, width) in FIGURES {
        x += width;
        text_to(out, x, y, "q", title);
    }
    y += 4.0;
    let mut tops = vec![None; run.lanes.len()];
    let index_of = |lane: &Lane| run.lanes.iter().position(|other| std::ptr::eq(other, lane));
    for (row, label) in rows.iter().zip(labels(rows)) {
        text(out, MARGIN, y + BAR - 3.0, "m", &super::terminal::shortened(&label, 34));
        match row {
            Row::Cpus => {
                let cells = cells(run.lanes.iter(), plot.end, plot.columns);
                let cpus = run.cpus as f64;
                rect(out, "alive", plot, Duration::ZERO, run.length, y, BAR);
                let shares = cells.iter().map(|cell| (0.0, cell.ran / cpus));
                path(out, "ran", &shape::area(shares, plot.left, y, BAR));
                figures(out, plot, y, &[time(run.ran())]);
            }
            Row::Lane(lane) => {
                if let Some(index) = index_of(lane) {
                    tops[index] = Some(y);
                }
                if let Some(above) = lane.maker.and_then(|maker| tops[maker]) {
                    let x = plot.x(lane.from);
                    let from = above + BAR;
                    let _ = writeln!(
                        out,
                        "<path class=\"born\" d=\"M{x:.1} {from:.1}V{:.1}\"/>",
                        y + BAR / 2.0
                    );
                }
                draw_lane(out, lane, plot, y);
            }
            Row::Band(lanes) => {
                for lane in lanes {
                    if let Some(index) = index_of(lane) {
                        tops[index] = Some(y);
                    }
                }
                draw_band(out, lanes, run.cpus, plot, y);
            }
            Row::Link(link, _) => draw_link(out, link, plot, y),
            Row::Links(links, _) => {
                let most = most_links(links).max(1);
                let open = shape::open(links, plot.end, plot.columns);
                let shares = open.iter().map(|open| (0.0, *open as f64 / most as f64));
                path(out, "link", &shape::area(shares, plot.left, y, BAR));
                figures(out, plot, y, &[format!("≤ {most}")]);
            }
            Row::Lines => marks(out, &run.lines, plot, y),
        }
        y += height_of(row);
    }
    for note in &run.notes {
        y += 16.0;
        text(out, MARGIN, y, "", note);
    }
    y
}

fn height_of(row: &Row) -> f64 {
    if matches!(row, Row::Band(_)) { 2.0 * ROW } else { ROW }
}

fn draw_lane(out: &mut String, lane: &Lane, plot: &Plot, y: f64) {
    let cells = cells(std::iter::once(lane), plot.end, plot.columns);
    let _ = write!(out, "<g><title>{}</title>", escape(&shape::described(lane)));
    rect(out, "alive", plot, lane.from, lane.to, y, BAR);
    let waits = shape::wait_runs(&cells);
    for WaitRun { from, length, wait } in &waits {
        let (class, x) = (colour(*wait), plot.left + *from as f64);
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{length}\" height=\"{BAR}\"/>"
        );
    }
    let ran = cells.iter().map(|cell| (0.0, cell.ran));
    let queued = cells.iter().map(|cell| (cell.ran, cell.ran + cell.queued));
    path(out, "queued", &shape::area(queued, plot.left, y, BAR));
    path(out, "ran", &shape::area(ran, plot.left, y, BAR));
    // A word goes where no dot is in its way.
    let dots: Vec<usize> =
        lane.lines.iter().map(|mark| super::column(mark.at, plot.end, plot.columns)).collect();
    for run in &waits {
        let words = run.wait.to_string();
        let needed = words.chars().count() * 6 + 6;
        if let Some(at) = shape::gap(run.from, run.from + run.length, &dots, 5, needed) {
            text(out, plot.left + at as f64 + 3.0, y + BAR - 4.5, "w", &words);
        }
    }
    out.push_str("</g>\n");
    for (at, file) in &lane.executions {
        let x = plot.x(*at);
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
        let _ = writeln!(
            out,
            "<path class=\"exec\" d=\"M{x:.1} {:.1}l7 {:.1}l-7 {:.1}z\"><title>{}: executes {}</title></path>",
            y + 2.0,
            BAR / 2.0 - 2.0,
            BAR / 2.0 - 2.0,
            time(*at),
            escape(&name)
        );
    }
    let x = plot.x(lane.to);
    if let Some((words, well)) = short_ending(lane) {
        let class = if well { "end" } else { "endbad" };
        let _ = writeln!(out, "<path class=\"{class}\" d=\"M{x:.1} {y:.1}v{BAR}\"/>");
        let room = plot.left + plot.width - x;
        if words.len() as f64 * 6.0 + 6.0 < room {
            text(out, x + 4.0, y + BAR - 4.0, if well { "w q" } else { "w bad" }, &words);
        } else if !well {
            text_to(out, x - 3.0, y + BAR - 4.0, "w bad", &words);
        }
    }
    marks(out, &lane.lines, plot, y);
    let switches = lane.number(|account| account.slept + account.preempted);
    figures(out, plot, y, &[time(lane.account.ran), switches, lane.memory()]);
}

/// Many lanes as one: above how many live, below how much of the processors they use.
fn draw_band(out: &mut String, lanes: &[&Lane], cpus: usize, plot: &Plot, y: f64) {
    let cells = cells(lanes.iter().copied(), plot.end, plot.columns);
    let most = most_of(lanes).max(1);
    let alive = cells.iter().map(|cell| (0.0, cell.alive / most as f64));
    path(out, "count", &shape::area(alive, plot.left, y, BAR));
    let ran = cells.iter().map(|cell| (0.0, cell.ran / cpus as f64));
    path(out, "ran", &shape::area(ran, plot.left, y + ROW, BAR));
    text(out, MARGIN, y + ROW + BAR - 3.0, "m q", &format!("  at most {most} at once; running:"));
    let all: Vec<&Mark> = lanes.iter().flat_map(|lane| &lane.lines).collect();
    marks(out, all, plot, y);
    let sum = lanes.iter().map(|lane| lane.account.ran).sum();
    let switches: u64 = lanes.iter().map(|lane| lane.account.slept + lane.account.preempted).sum();
    figures(out, plot, y, &[time(sum), switches.to_string()]);
}

fn draw_link(out: &mut String, link: &Link, plot: &Plot, y: f64) {
    let (from, to) = (plot.x(link.from), plot.x(link.to));
    let _ = writeln!(
        out,
        "<rect class=\"link\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"6\" rx=\"2\">\
         <title>{}</title></rect>",
        y + 5.0,
        (to - from).max(1.5),
        escape(&shape::described_link(link))
    );
}

/// The lines, as dots; those that would cover one another are one.
fn marks<'a>(out: &mut String, marks: impl IntoIterator<Item = &'a Mark>, plot: &Plot, y: f64) {
    let mut all: Vec<&Mark> = marks.into_iter().collect();
    all.sort_by_key(|mark| mark.at);
    for near in all.chunk_by(|a, b| plot.x(b.at) - plot.x(a.at) < 1.0) {
        let class =
            if near.iter().all(|mark| mark.stream == Stream::Stderr) { "err" } else { "line" };
        let _ = writeln!(
            out,
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}</title></circle>",
            plot.x(near[0].at),
            y + BAR / 2.0,
            escape(&shape::said(near))
        );
    }
}

fn figures(out: &mut String, plot: &Plot, y: f64, texts: &[String]) {
    let mut x = plot.left + plot.width;
    for ((_, width), words) in FIGURES.iter().zip(texts) {
        x += width;
        text_to(out, x, y + BAR - 4.0, "", words);
    }
}

fn draw_legend(out: &mut String, top: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top);
    let drawn = shape::drawn(out);
    for (class, words) in drawn {
        let width = 17.0 + words.len() as f64 * 6.3 + 14.0;
        if x + width > WIDTH {
            (x, y) = (MARGIN, y + 18.0);
        }
        let _ = match class {
            "line" | "err" => writeln!(
                out,
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                x + 6.0,
                y + 6.0
            ),
            _ => writeln!(
                out,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"12\" height=\"12\"/>"
            ),
        };
        text(out, x + 17.0, y + 10.5, "", words);
        x += width;
    }
    y + 14.0
}

fn rect(out: &mut String, class: &str, plot: &Plot, from: Duration, to: Duration, y: f64, h: f64) {
    let (from, to) = (plot.x(from), plot.x(to));
    let width = (to - from).max(1.0);
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{h}\"/>"
    );
}

fn path(out: &mut String, class: &str, path: &str) {
    if !path.is_empty() {
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{path}\"/>");
    }
}

fn text(out: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let _ =
        writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>", escape(words));
}

/// The same, ending at `x`.
fn text_to(out: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"end\">{}</text>",
        escape(words)
    );
}
