//! `cargo walkthrough --teach`: the walkthrough for a class. Before each section what to note,
//! after it what to ask and what to show, from a file of its own beside the demo's README.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::illustration;
use crate::keys::{self, Key};
use crate::labs::Lab;
use crate::program;
use crate::report::page::Walked;
use crate::report::terminal::{Style, Terminal};
use crate::walkthrough::{Section, perform};
use crate::words::{self, Language, fill, tr};

/// What a teacher glances at: `DEMO/teach-SECTION.md`.
#[derive(Debug)]
struct Notes {
    title: String,
    minutes: u32,
    /// What to say.
    note: Vec<Point>,
    /// What to ask; below each its answer.
    ask: Vec<Point>,
    /// What to show; below each the commands.
    show: Vec<Point>,
}

/// An item of a list, and the lines below it.
#[derive(Debug)]
struct Point {
    text: String,
    below: Vec<String>,
}

/// How a file is laid out in a language: what stands before the minutes, and the headings of its
/// parts in their order.
fn layout(language: Language) -> (&'static str, [&'static str; 3]) {
    match language {
        Language::English => ("Minutes: ", ["Note", "Ask", "Show"]),
        Language::Russian => ("Минут: ", ["Отметить", "Спросить", "Показать"]),
    }
}

impl Notes {
    /// Those of a section, in this language.
    fn of(lab: &Lab, language: Language) -> Result<Notes> {
        let ending = match language {
            Language::English => "md",
            Language::Russian => "ru.md",
        };
        let file = format!("teach-{}.{ending}", lab.name);
        let file = program::workspace().join(lab.demo).join(file);
        let named = || file.display().to_string();
        let text = fs::read_to_string(&file).with_context(named)?;
        Notes::read(&text, language).with_context(named)
    }

    /// Reads a file: its format is a small part of Markdown, and nothing may be missing.
    fn read(text: &str, language: Language) -> Result<Notes> {
        let (minutes, headings) = layout(language);
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let mut first = |start| {
            let line = lines.next().and_then(|(_, line)| line.strip_prefix(start));
            line.map(str::to_string).with_context(|| format!("no line '{start}…' where it belongs"))
        };
        let title = first("# ")?;
        let minutes = first(minutes)?.parse().context("minutes are a number")?;
        let mut parts: Vec<Vec<Point>> = Vec::new();
        for (index, line) in lines {
            let wrong = || format!("line {}: not expected here: {line}", index + 1);
            if let Some(heading) = line.strip_prefix("## ") {
                ensure!(headings.get(parts.len()) == Some(&heading), wrong());
                parts.push(Vec::new());
                continue;
            }
            let number = parts.len();
            let part = parts.last_mut().with_context(wrong)?;
            if let Some(text) = line.strip_prefix("- ") {
                part.push(Point { text: text.into(), below: Vec::new() });
                continue;
            }
            let point = part.last_mut().with_context(wrong)?;
            match (number, line.strip_prefix("      "), line.strip_prefix("  > ")) {
                (3, Some(command), _) => point.below.push(command.into()),
                (2, _, Some(answer)) => point.below.push(answer.into()),
                _ if point.below.is_empty() && line.starts_with("  ") => {
                    point.text = format!("{} {}", point.text, line.trim());
                }
                _ => bail!(wrong()),
            }
        }
        let Ok([note, ask, show]) = <[Vec<Point>; 3]>::try_from(parts) else {
            bail!("the parts are {}", headings.join(", "));
        };
        for (part, name) in [&note, &ask, &show].into_iter().zip(headings) {
            ensure!(!part.is_empty(), "nothing under {name}");
        }
        for point in ask.iter().chain(&show) {
            ensure!(!point.below.is_empty(), "nothing below '{}'", point.text);
        }
        Ok(Notes { title, minutes, note, ask, show })
    }
}

/// The sections with their notes, each when a key has been pressed; those that were shown.
///
/// # Errors
/// When the notes of a section can't be read.
pub fn run(sections: &[Section], terminal: &Arc<Terminal>) -> Result<Vec<Walked>> {
    let notes: Vec<Notes> =
        sections.iter().map(|s| Notes::of(s.lab, words::language())).collect::<Result<_>>()?;
    let minutes: u32 = notes.iter().map(|notes| notes.minutes).sum();
    let line = fill(
        "{sections} {sections:section|sections}, {minutes} {minutes:minute|minutes}",
        &[("sections", &sections.len()), ("minutes", &minutes)],
    );
    terminal.paragraph(Style::Title, 0, &line);
    terminal.gap();
    let started = Instant::now();
    let mut shown = BTreeMap::new();
    let mut index = 0;
    while let (Some(section), Some(own)) = (sections.get(index), notes.get(index)) {
        let before: u32 = notes[..index].iter().map(|notes| notes.minutes).sum();
        let planned = clock(Duration::from_secs(u64::from(before) * 60));
        let now = clock(started.elapsed());
        let right = fill(
            "{minutes} {minutes:minute|minutes}, planned for {planned}, now {now}",
            &[("minutes", &own.minutes), ("planned", &planned), ("now", &now)],
        );
        terminal.heading(&section.number, &own.title, &right);
        points(terminal, &own.note);
        let mut key = ask(
            section,
            &[
                (Key::Next, tr("space runs it")),
                (Key::Picture, tr("p picture")),
                (Key::Back, tr("b goes back")),
                (Key::End, tr("q ends")),
            ],
        );
        if key == Key::Next {
            key = Key::Again;
        }
        while key == Key::Again {
            shown.insert(index, perform(section, terminal));
            key = after(section, own, terminal);
        }
        index = match key {
            Key::Next => index + 1,
            Key::Back => index.saturating_sub(1),
            _ => break,
        };
    }
    Ok(shown.into_values().collect())
}

/// Waits for a key; for the picture it is shown, and the next one waited for.
fn ask(section: &Section, offered: &[(Key, &str)]) -> Key {
    loop {
        match keys::ask(offered) {
            Key::Picture => {
                if let Err(error) = illustration::show(section) {
                    let _ = writeln!(std::io::stderr(), "lab: {error:#}");
                }
            }
            key => return key,
        }
    }
}

/// What to ask and what to show; the key that is pressed then.
fn after(section: &Section, notes: &Notes, terminal: &Terminal) -> Key {
    terminal.paragraph(Style::Title, 2, tr("Ask"));
    points(terminal, &notes.ask);
    terminal.paragraph(Style::Title, 2, tr("Show"));
    for point in &notes.show {
        terminal.item(&point.text);
        point.below.iter().for_each(|line| terminal.typed(line));
    }
    terminal.gap();
    let mut offered = vec![
        (Key::Next, tr("space goes on")),
        (Key::Answers, tr("a answers")),
        (Key::Picture, tr("p picture")),
        (Key::Again, tr("r repeats")),
        (Key::Back, tr("b goes back")),
        (Key::End, tr("q ends")),
    ];
    loop {
        match ask(section, &offered) {
            Key::Answers => {
                for point in &notes.ask {
                    terminal.item(&point.text);
                    terminal.paragraph(Style::Good, 4, &point.below.join(" "));
                }
                terminal.gap();
                offered.retain(|(key, _)| *key != Key::Answers);
            }
            key => return key,
        }
    }
}

fn points(terminal: &Terminal, points: &[Point]) {
    for point in points {
        terminal.item(&point.text);
    }
    terminal.gap();
}

/// Hours and minutes.
fn clock(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::LABS;
    use crate::words::tr_into;

    #[test]
    fn every_section_has_notes_with_its_title() {
        for lab in LABS {
            let notes = Notes::of(lab, Language::English).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(notes.title, lab.title, "{}", lab.name);
            assert!((1..=30).contains(&notes.minutes), "{}", lab.name);
        }
    }

    #[test]
    fn every_section_has_the_same_notes_in_russian() {
        for lab in LABS {
            let read = |language| Notes::of(lab, language).unwrap_or_else(|e| panic!("{e:#}"));
            let (english, russian) = (read(Language::English), read(Language::Russian));
            assert_eq!(russian.title, tr_into(Language::Russian, lab.title), "{}", lab.name);
            assert_eq!(russian.minutes, english.minutes, "{}", lab.name);
            assert_eq!(russian.note.len(), english.note.len(), "{}", lab.name);
            assert_eq!(russian.ask.len(), english.ask.len(), "{}", lab.name);
            let commands = |notes: &Notes| -> Vec<_> {
                notes.show.iter().map(|point| point.below.clone()).collect()
            };
            assert_eq!(commands(&russian), commands(&english), "{}", lab.name);
        }
    }

    #[test]
    fn every_file_of_notes_is_of_a_section() {
        let mut files: Vec<_> = LABS.iter().map(|lab| lab.demo).collect();
        files.sort_unstable();
        files.dedup();
        for demo in files {
            for file in fs::read_dir(program::workspace().join(demo)).expect("a folder").flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                let section = name.strip_prefix("teach-").and_then(|name| name.strip_suffix(".md"));
                let Some(section) = section else { continue };
                let section = section.strip_suffix(".ru").unwrap_or(section);
                let known = |lab: &&&Lab| lab.name == section && lab.demo == demo;
                assert!(LABS.iter().any(|lab| known(&lab)), "{demo}/{name}");
            }
        }
    }

    const WHOLE: &str = "# T\n\nMinutes: 3\n\n## Note\n\n- one\n  more\n\n## Ask\n\n- why?\n  > so\n\n\
                         ## Show\n\n- this\n\n      ls\n        -l\n";

    fn read(text: &str) -> Result<Notes> {
        Notes::read(text, Language::English)
    }

    #[test]
    fn notes_are_read_with_their_answers_and_commands() {
        let notes = read(WHOLE).expect("whole");
        assert_eq!((notes.title.as_str(), notes.minutes), ("T", 3));
        assert_eq!(notes.note[0].text, "one more");
        assert_eq!(notes.ask[0].below, ["so"]);
        assert_eq!(notes.show[0].below, ["ls", "  -l"]);
    }

    #[test]
    fn a_missing_part_is_an_error() {
        for part in
            ["# T\n", "Minutes: 3\n", "## Note\n", "- one\n", "  > so\n", "## Ask\n", "- this\n"]
        {
            assert!(WHOLE.contains(part));
            assert!(read(&WHOLE.replacen(part, "", 1)).is_err(), "{part}");
        }
        assert!(read(&WHOLE.replace("      ls\n        -l\n", "")).is_err());
        assert!(read(&WHOLE.replace("## Ask", "## Asked")).is_err());
        assert!(read(&format!("{WHOLE}\nfree text\n")).is_err());
    }
}
