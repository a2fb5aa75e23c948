//! The picture as a web page that needs nothing else. Complete without its script, which zooms and
//! says what is under the pointer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::shape::{self, WaitRun, colour, escape};
use super::{
    Cell, Lane, Link, Mark, Row, Run, axis, branches, cells, label, most_links, most_of,
    short_ending, time,
};
use crate::run::Stream;
use crate::run::sampler::Wait;

/// What a page with pictures needs in its head.
pub const STYLE: &str = include_str!("page/style.css");

/// What it needs at its end.
pub const SCRIPT: &str = include_str!("page/script.js");

/// Rows before lanes are drawn as one.
const MOST_ROWS: usize = 240;

/// Lines and lanes that are listed below the picture.
const LISTED: usize = 1000;

/// A page of its own.
pub fn draw(runs: &[Run]) -> String {
    let title = runs.iter().map(|run| escape(&run.command)).collect::<Vec<_>>().join(" and ");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        fragment(runs)
    )
}

/// The part of a page that is the picture; the page has to bring [`STYLE`] and [`SCRIPT`].
pub fn fragment(runs: &[Run]) -> String {
    let end = runs.iter().map(|run| run.length).max().unwrap_or_default();
    let all: Vec<(&Run, Vec<Row>)> =
        runs.iter().map(|run| (run, run.rows(MOST_ROWS / runs.len().max(1)))).collect();
    let rows: usize = all.iter().map(|(_, rows)| rows.len()).sum();
    let mut page = Page {
        end,
        columns: (60_000 / rows.max(1)).clamp(240, 1200),
        waits: BTreeMap::new(),
        body: String::new(),
    };
    for (run, rows) in &all {
        if runs.len() > 1 {
            let _ = writeln!(page.body, "<div class=\"run\">{}</div>", heading(run));
        }
        page.run(run, rows);
    }
    let mut names = vec![String::new(); page.waits.len()];
    for (wait, index) in &page.waits {
        names[*index] = wait.to_string();
    }
    let names = serde_json::to_string(&names).unwrap_or_default();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<div class=\"picture\" data-end=\"{}\" data-columns=\"{}\" data-waits=\"{}\">",
        end.as_secs_f64() * 1e6,
        page.columns,
        escape(&names)
    );
    if let [run] = runs {
        out.push_str(&heading(run));
    }
    out.push_str(
        "<div class=\"tools\" hidden><button type=\"button\" class=\"out\" aria-label=\"zoom out\">−</button>\
         <button type=\"button\" class=\"in\" aria-label=\"zoom in\">+</button>\
         <button type=\"button\" class=\"all\">all</button><output>Point at something; \
         zoom with the buttons or Ctrl and the wheel.</output></div>\n",
    );
    let _ = writeln!(out, "<div class=\"scroll\"><div class=\"rows\">\n{}", page.body);
    out.push_str("<div class=\"grid\">");
    for (at, _) in axis(end, 8) {
        let _ = write!(out, "<i style=\"left:{}\"></i>", page.left(at));
    }
    out.push_str(
        "</div>\n<div class=\"cursor\" hidden></div>\n</div></div>\n<ul class=\"legend\">\n",
    );
    for (class, words) in shape::drawn(&page.body) {
        let _ = writeln!(out, "<li><i class=\"{class}\"></i>{words}</li>");
    }
    out.push_str("</ul>\n");
    for (run, _) in &all {
        let of = if runs.len() > 1 { format!(": {}", run.command) } else { String::new() };
        accounts(&mut out, run, &of);
        lines(&mut out, run, &of);
    }
    for run in runs {
        let _ = writeln!(out, "<p class=\"quiet\">{}</p>", escape(&run.method()));
    }
    out.push_str("</div>\n");
    out
}

/// What was run, and in a line what came of it.
fn heading(run: &Run) -> String {
    let mut out =
        format!("<h1>{}</h1>\n<p>{}</p>\n", escape(&run.command), escape(&run.headline()));
    for note in &run.notes {
        let _ = writeln!(out, "<p>{}</p>", escape(note));
    }
    out
}

struct Page {
    end: Duration,
    columns: usize,
    /// Numbers of the waits that there are, in the order in which they were met.
    waits: BTreeMap<Wait, usize>,
    body: String,
}

impl Page {
    fn left(&self, at: Duration) -> String {
        format!("{:.3}%", (at.as_secs_f64() / self.end.as_secs_f64()).min(1.0) * 100.0)
    }

    fn run(&mut self, run: &Run, rows: &[Row]) {
        self.body
            .push_str("<div class=\"row axis\"><div class=\"name\"></div><div class=\"track\">");
        for (at, words) in axis(self.end, 8) {
            // At the right edge there is no room for words.
            if at.as_secs_f64() / self.end.as_secs_f64() < 0.9 {
                let left = self.left(at);
                let _ = write!(self.body, "<span style=\"left:{left}\">{}</span>", escape(&words));
            }
        }
        self.body.push_str("</div></div>\n");
        for (branch, row) in branches(rows).iter().zip(rows) {
            let name = format!("{branch}{}", label(row));
            match row {
                Row::Cpus => {
                    let cells = cells(run.lanes.iter(), self.end, self.columns);
                    let cpus = run.cpus as f64;
                    let shares = cells.iter().map(|cell| (0.0, cell.ran / cpus));
                    let area = self.areas(&[("ran", shape::area(shares, 0.0, 0.0, 20.0))]);
                    let back = self.back(Duration::ZERO, run.length, "alive");
                    self.row(&name, "all tasks together", "", &format!("{back}{area}"));
                }
                Row::Lane(lane) => self.lane(&name, lane),
                Row::Band(lanes) => self.band(&name, lanes, run.cpus),
                Row::Link(link, _) => {
                    let width = (link.to.saturating_sub(link.from)).as_secs_f64()
                        / self.end.as_secs_f64()
                        * 100.0;
                    let words = escape(&shape::described_link(link));
                    let bar = format!(
                        "<div class=\"link\" style=\"left:{};width:{width:.3}%\" title=\"{words}\"></div>",
                        self.left(link.from)
                    );
                    self.row(&name, &words, "", &bar);
                }
                Row::Links(links, _) => self.links(&name, links),
                Row::Lines => {
                    let marks = self.marks(run.lines.iter());
                    self.row(&name, "it is not known who wrote these", "", &marks);
                }
            }
        }
    }

    fn row(&mut self, name: &str, title: &str, cells: &str, track: &str) {
        let cells =
            if cells.is_empty() { String::new() } else { format!(" data-cells=\"{cells}\"") };
        let _ = writeln!(
            self.body,
            "<div class=\"row\"><div class=\"name\" title=\"{title}\">{}</div>\
             <div class=\"track\"{cells}>{track}</div></div>",
            escape(name)
        );
    }

    fn lane(&mut self, name: &str, lane: &Lane) {
        let cells = cells(std::iter::once(lane), self.end, self.columns);
        let mut track = self.back(lane.from, lane.to, "alive");
        let runs = shape::wait_runs(&cells);
        let mut tints: BTreeMap<&str, String> = BTreeMap::new();
        for WaitRun { from, length, wait } in &runs {
            let path = tints.entry(colour(*wait)).or_default();
            let _ = write!(path, "M{from} 0h{length}v20h-{length}z");
        }
        let mut areas: Vec<(&str, String)> = tints.into_iter().collect();
        let queued = cells.iter().map(|cell| (cell.ran, cell.ran + cell.queued));
        areas.push(("queued", shape::area(queued, 0.0, 0.0, 20.0)));
        areas.push(("ran", shape::area(cells.iter().map(|c| (0.0, c.ran)), 0.0, 0.0, 20.0)));
        track.push_str(&self.areas(&areas));
        // Between two dots, where there is room for it at some zoom, stands what is waited for.
        let share = 100.0 / self.columns as f64;
        let dots: Vec<usize> = lane
            .lines
            .iter()
            .map(|mark| super::column(mark.at, self.end, self.columns) + 1)
            .collect();
        for WaitRun { from, length, wait } in runs {
            let to = from + length;
            let within = dots.iter().copied().filter(|dot| (from + 1..to).contains(dot));
            let edges: Vec<usize> = [from].into_iter().chain(within).chain([to]).collect();
            for edge in edges.windows(2).filter(|edge| (edge[1] - edge[0]) * 100 > self.columns) {
                let (left, width) = (edge[0] as f64 * share, (edge[1] - edge[0]) as f64 * share);
                let _ = write!(
                    track,
                    "<div class=\"word\" style=\"left:{left:.2}%;width:{width:.2}%\"><b>{wait}</b></div>"
                );
            }
        }
        for (at, file) in &lane.executions {
            let _ = write!(
                track,
                "<i class=\"exec\" style=\"left:{}\" title=\"{}: executes {}\"></i>",
                self.left(*at),
                time(*at),
                escape(&file.to_string_lossy())
            );
        }
        if let Some((words, well)) = short_ending(lane) {
            let last = lane.to.as_secs_f64() > self.end.as_secs_f64() * 0.9;
            let class =
                format!("end{}{}", if last { " last" } else { "" }, if well { "" } else { " bad" });
            let words = if last && well { String::new() } else { words };
            let _ = write!(
                track,
                "<span class=\"{class}\" style=\"left:{}\">{words}</span>",
                self.left(lane.to)
            );
        }
        track.push_str(&self.marks(lane.lines.iter()));
        let told = self.told(&cells);
        self.row(name, &escape(&shape::described(lane)), &told, &track);
    }

    fn band(&mut self, name: &str, lanes: &[&Lane], cpus: usize) {
        let cells = cells(lanes.iter().copied(), self.end, self.columns);
        let most = most_of(lanes).max(1);
        let alive = cells.iter().map(|cell| (0.0, cell.alive / most as f64));
        let mut track = self.areas(&[("count", shape::area(alive, 0.0, 0.0, 20.0))]);
        track.push_str(&self.marks(lanes.iter().flat_map(|lane| &lane.lines)));
        self.row(name, &format!("height: how many live, at most {most} at once"), "", &track);
        let ran = cells.iter().map(|cell| (0.0, cell.ran / cpus as f64));
        let track = self.areas(&[("ran", shape::area(ran, 0.0, 0.0, 20.0))]);
        let words = format!("  at most {most} at once; running:");
        self.row(&words, "height: the share of all CPUs", "", &track);
    }

    fn links(&mut self, name: &str, links: &[&Link]) {
        let most = most_links(links).max(1);
        let open = shape::open(links, self.end, self.columns);
        let shares = open.iter().map(|open| (0.0, *open as f64 / most as f64));
        let track = self.areas(&[("link", shape::area(shares, 0.0, 0.0, 20.0))]);
        self.row(name, &format!("height: how many are open, at most {most} at once"), "", &track);
    }

    fn areas(&self, areas: &[(&str, String)]) -> String {
        let mut out = format!(
            "<svg viewBox=\"0 0 {} 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            self.columns
        );
        for (class, path) in areas.iter().filter(|(_, path)| !path.is_empty()) {
            let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
        }
        out.push_str("</svg>");
        out
    }

    fn back(&self, from: Duration, to: Duration, class: &str) -> String {
        let width = to.saturating_sub(from).as_secs_f64() / self.end.as_secs_f64() * 100.0;
        format!(
            "<div class=\"{class}\" style=\"left:{};width:{width:.3}%;height:100%;min-width:1px\"></div>",
            self.left(from)
        )
    }

    /// The lines as dots; those that would cover one another at any zoom are one.
    fn marks<'a>(&self, marks: impl Iterator<Item = &'a Mark>) -> String {
        let mut all: Vec<&Mark> = marks.collect();
        all.sort_by_key(|mark| mark.at);
        let apart = self.end.as_secs_f64() / 4000.0;
        let mut out = String::new();
        for near in all.chunk_by(|a, b| b.at.saturating_sub(a.at).as_secs_f64() < apart) {
            let err = near.iter().all(|mark| mark.stream == Stream::Stderr);
            let _ = write!(
                out,
                "<i class=\"dot{}\" style=\"left:{}\" title=\"{}\"></i>",
                if err { " err" } else { "" },
                self.left(near[0].at),
                escape(&shape::said(near))
            );
        }
        out
    }

    /// What the script says of each column: how many columns, running and without a processor in
    /// hundredths, the number of the wait. Only how many, where the lane is not alive.
    fn told(&mut self, cells: &[Cell]) -> String {
        let mut runs: Vec<(usize, String)> = Vec::new();
        for cell in cells {
            let mut words = String::new();
            if cell.alive > 0.0 {
                let _ = write!(words, ",{:.0},{:.0}", cell.ran * 100.0, cell.queued * 100.0);
                if let Some(wait) = cell.wait {
                    let next = self.waits.len();
                    let _ = write!(words, ",{}", self.waits.entry(wait).or_insert(next));
                }
            }
            match runs.last_mut() {
                Some((count, same)) if *same == words => *count += 1,
                _ => runs.push((1, words)),
            }
        }
        let runs: Vec<String> =
            runs.into_iter().map(|(count, words)| format!("{count}{words}")).collect();
        runs.join(" ")
    }
}

/// What the kernel has counted, lane by lane.
fn accounts(out: &mut String, run: &Run, of: &str) {
    let open = if run.lanes.len() <= 24 { " open" } else { "" };
    let _ = writeln!(
        out,
        "<details{open}><summary>What each task used{}</summary><div class=\"wide\"><table>\n<thead><tr>\
         <th>task</th><th>number</th><th class=\"number\">born</th><th class=\"number\">lived</th>\
         <th class=\"number\">CPU</th><th class=\"number\">no CPU free</th>\
         <th class=\"number\">went to sleep</th><th class=\"number\">preempted</th>\
         <th class=\"number\">memory at most</th><th class=\"number\">threads at most</th>\
         <th>ended</th></tr></thead>\n<tbody>",
        escape(of)
    );
    for lane in run.lanes.iter().take(LISTED) {
        let memory = lane.memory();
        let threads = if lane.threads > 0 { lane.threads.to_string() } else { String::new() };
        let ending = short_ending(lane).map(|(words, _)| words).unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><td class=\"tree\">{}{}</td><td>{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{memory}</td>\
             <td class=\"number\">{threads}</td><td>{ending}</td></tr>",
            "  ".repeat(lane.depth),
            escape(&lane.name),
            lane.id,
            time(lane.from),
            time(lane.to.saturating_sub(lane.from)),
            time(lane.account.ran),
            time(lane.account.queued),
            lane.number(|account| account.slept),
            lane.number(|account| account.preempted),
        );
    }
    out.push_str("</tbody></table></div>\n");
    if run.lanes.len() > LISTED {
        let _ = writeln!(out, "<p>and {} more</p>", run.lanes.len() - LISTED);
    }
    out.push_str("</details>\n");
}

/// What was written, in the order in which it was.
fn lines(out: &mut String, run: &Run, of: &str) {
    let named = |lane: &Lane| format!("{} {}", lane.name, lane.id);
    let mut all: Vec<(&Mark, String)> = run.lines.iter().map(|mark| (mark, "?".into())).collect();
    for lane in &run.lanes {
        all.extend(lane.lines.iter().map(|mark| (mark, named(lane))));
    }
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|(mark, _)| mark.at);
    let open = if all.len() <= 40 { " open" } else { "" };
    let _ = writeln!(
        out,
        "<details{open}><summary>What was written{}</summary><div class=\"wide\"><table>\n<thead><tr>\
         <th class=\"number\">when</th><th>by</th><th>where</th><th>what</th></tr></thead>\n<tbody>",
        escape(of)
    );
    for (mark, who) in all.iter().take(LISTED) {
        let stream = if mark.stream == Stream::Stdout { "stdout" } else { "stderr" };
        let _ = writeln!(
            out,
            "<tr><td class=\"number\">{}</td><td>{}</td><td>{stream}</td><td class=\"text\">{}</td></tr>",
            time(mark.at),
            escape(who),
            escape(&super::terminal::shortened(&mark.text, 300))
        );
    }
    out.push_str("</tbody></table></div>\n");
    if all.len() > LISTED {
        let _ = writeln!(out, "<p>and {} more</p>", all.len() - LISTED);
    }
    out.push_str("</details>\n");
}
