//! The walkthrough as one page for a browser, complete in itself: what a teacher projects, a
//! student keeps, and a CI run stores.

use std::fmt::Write as _;
use std::ops::Range;

use super::html::{self, escaped, kind, mark};
use super::terminal::shortened;
use crate::exam::NEEDS_FIRST;
use crate::record::{CheckRecord, Record, Status};
use crate::words::{self, fill, tr};

/// A section as it was shown.
pub struct Walked {
    /// Which it is of how many.
    pub number: String,
    /// Its title.
    pub title: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// What was shown, in order.
    pub scenes: Vec<Scene>,
    /// What came out.
    pub record: Record,
    /// Its demo's picture, as SVG, from a run of its own; or why there is none.
    pub picture: Result<String, String>,
}

/// Something shown, and which checks of the record are about it.
pub struct Scene {
    /// What there is to see.
    pub text: &'static str,
    /// What was seen.
    pub lines: Vec<Line>,
    /// Their places in the record.
    pub checks: Range<usize>,
}

/// A line that was shown.
pub enum Line {
    /// A command that was run.
    Command(String),
    /// What was done meanwhile, or why nothing could be.
    Action(String),
    /// What a program printed.
    Output(String),
    /// What it printed on stderr.
    Error(String),
}

static STYLE: &str = include_str!("walkthrough.css");

/// Characters of a line that are shown: the digits of a power would go on for screens.
const LONGEST: usize = 240;

/// The page. `lines` say what came out of the whole, and `again` is the command that repeats it.
pub fn text(sections: &[Walked], lines: &[String], again: &str) -> String {
    let title = tr("Processes, threads, sockets and asynchronous I/O");
    let mut body = format!("<main>\n<h1>{}</h1>\n", escaped(title));
    for line in lines {
        let _ = writeln!(body, "<p>{}</p>", escaped(line));
    }
    let _ = writeln!(
        body,
        "<p>{}<span class=\"command\">{}</span></p>\n<nav>\n<ol>",
        escaped(&fill("the same inputs again: {command}", &[("command", &"")])),
        escaped(again),
    );
    for section in sections {
        let Record { lab, checks, .. } = &section.record;
        let held = section.record.count(&[Status::Pass]);
        let class = if held == checks.len() { "good" } else { "bad" };
        let _ = writeln!(
            body,
            "<li><a href=\"#{lab}\">{}</a> <small class=\"{class}\">{held}/{}</small></li>",
            escaped(tr(section.title)),
            checks.len(),
        );
    }
    body.push_str("</ol>\n</nav>\n");
    for section in sections {
        one(&mut body, section);
    }
    body.push_str("</main>\n");
    let figures = sections.iter().find_map(|section| parts(section.picture.as_ref().ok()?));
    let style = match figures {
        // What is meant for the picture must not colour the page.
        Some((style, _)) => format!("{STYLE}figure {{\n{style}\n}}\n"),
        None => STYLE.to_string(),
    };
    html::page(words::language().code(), title, &style, &body)
}

/// The style of a picture and the rest of it, which is then no document of its own.
fn parts(svg: &str) -> Option<(&str, String)> {
    let (start, rest) = svg.split_once("<style>")?;
    let (style, rest) = rest.split_once("</style>")?;
    Some((style, format!("{start}{rest}").replace(" xmlns=\"http://www.w3.org/2000/svg\"", "")))
}

fn one(body: &mut String, section: &Walked) {
    let Walked { number, title, about, scenes, record, picture } = section;
    let _ = writeln!(
        body,
        "<section id=\"{}\">\n<h2><small>{number}</small> {} <small>{}</small></h2>\n<p>{}</p>",
        record.lab,
        escaped(tr(title)),
        escaped(&record.program),
        escaped(tr(about)),
    );
    for scene in scenes {
        if !scene.text.is_empty() {
            let _ = writeln!(body, "<p>{}</p>", escaped(tr(scene.text)));
        }
        if !scene.lines.is_empty() {
            body.push_str("<pre class=\"shown\">");
            for line in &scene.lines {
                shown(body, line);
            }
            body.push_str("</pre>\n");
        }
        let checks = record.checks.get(scene.checks.clone()).unwrap_or_default();
        if !checks.is_empty() {
            body.push_str("<ul class=\"facts\">\n");
            for check in checks {
                fact(body, check);
            }
            body.push_str("</ul>\n");
        }
    }
    match picture.as_ref().map(|picture| parts(picture)) {
        Ok(Some((_, picture))) => {
            let caption = escaped(tr("In a run of its own, for the picture:"));
            let _ =
                writeln!(body, "<figure>\n<figcaption>{caption}</figcaption>\n{picture}</figure>");
        }
        Ok(None) => {}
        Err(why) => {
            let none = escaped(&fill("no picture: {why}", &[("why", &why)]));
            let _ = writeln!(body, "<p class=\"quiet\">{none}</p>");
        }
    }
    body.push_str("</section>\n");
}

fn shown(body: &mut String, line: &Line) {
    let (class, start, text) = match line {
        Line::Command(text) => ("command", "$ ", text),
        Line::Action(text) => ("quiet", "# ", text),
        Line::Output(text) => ("", "", text),
        Line::Error(text) => ("stderr", "", text),
    };
    let text = escaped(&shortened(text, LONGEST));
    let _ = match class {
        "" => writeln!(body, "{text}"),
        _ => writeln!(body, "<span class=\"{class}\">{start}{text}</span>"),
    };
}

fn fact(body: &mut String, check: &CheckRecord) {
    let bad = !matches!(check.status, Status::Pass | Status::Skipped | Status::Unverified);
    // Here every fact counts, also one that earns a submission no points.
    let (kind, mark) = if bad { ("bad", "✗") } else { (kind(check), mark(check.status)) };
    let word = tr(check.status.word());
    let _ = write!(
        body,
        "<li><span class=\"mark {kind}\" title=\"{word}\">{mark}</span> {}",
        escaped(tr(&check.title))
    );
    if bad {
        let _ = write!(body, " <small class=\"{kind}\">{word}</small>");
    }
    let mut line = |name: &str, text: &str| {
        let name = if bad { format!("{name}: ") } else { String::new() };
        let _ = write!(body, "<div class=\"quiet\">{name}{}</div>", escaped(text));
    };
    if let (Some(expected), true) = (&check.expected, bad) {
        line(tr("expected"), expected);
    }
    for seen in &check.evidence {
        match seen.strip_prefix(NEEDS_FIRST) {
            Some(title) => line("", &fill("needs first: {title}", &[("title", &tr(title))])),
            None => line(tr("saw"), seen),
        }
    }
    if let (Some(lesson), true) = (&check.lesson, bad) {
        line(tr("lesson"), tr(lesson));
    }
    if let (Some(did), true) = (&check.did, bad) {
        line(tr("again"), did);
    }
    body.push_str("</li>\n");
}
