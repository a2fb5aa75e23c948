//! For people: text in the width and the colours that the terminal has.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exam::NEEDS_FIRST;
use crate::record::{CheckRecord, Status};
use crate::words::{fill, tr};

/// Columns of a terminal that does not say how wide it is, and of no terminal at all.
const WIDTH: usize = 80;

/// Text that is easier to read than wider lines would be.
const WIDEST: usize = 110;

/// A kind of text; what it looks like is decided here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As the terminal writes by itself.
    Plain,
    /// A heading.
    Title,
    /// Of less importance.
    Quiet,
    /// Something that one could type.
    Command,
    /// It holds.
    Good,
    /// It does not hold.
    Bad,
    /// Neither.
    Open,
}

impl Style {
    /// The parameters of the escape sequence (ECMA-48, SGR).
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Title | Style::Command => "1",
            Style::Quiet => "2",
            Style::Good => "32",
            Style::Bad => "1;31",
            Style::Open => "33",
        }
    }
}

/// Where it goes, and what has been kept back so far.
struct Out {
    to: io::Stdout,
    held: Option<String>,
}

/// The terminal, or the file or pipe in its place.
pub struct Terminal {
    out: Mutex<Out>,
    colour: bool,
    width: usize,
    /// Whether anything is shown but the verdict.
    quiet: bool,
}

impl Terminal {
    /// Stdout as it is: coloured when it is a terminal and `NO_COLOR` is not set.
    pub fn new(quiet: bool) -> Terminal {
        let out = io::stdout();
        let terminal = out.is_terminal();
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Terminal {
            out: Mutex::new(Out { to: out, held: None }),
            colour: colours(),
            width: columns.filter(|_| terminal).unwrap_or(WIDTH).clamp(40, WIDEST),
            quiet,
        }
    }

    /// The same, with everything kept back until it is this one's turn.
    pub fn waiting(quiet: bool) -> Terminal {
        let terminal = Terminal::new(quiet);
        terminal.out().held = Some(String::new());
        terminal
    }

    /// Shows what was kept back, and all that comes from now on as it comes.
    pub fn take_turn(&self) {
        let held = self.out().held.take();
        self.write(held.unwrap_or_default().as_bytes());
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour && style != Style::Plain {
            format!("\x1b[{}m{text}\x1b[0m", style.code())
        } else {
            text.to_string()
        }
    }

    fn put(&self, line: &str) {
        let line = format!("{line}\n");
        if let Some(held) = &mut self.out().held {
            held.push_str(&line);
            return;
        }
        self.write(line.as_bytes());
    }

    /// A reader that has gone (`| head`) ends the program quietly: the kernel ends all that it has
    /// started.
    fn write(&self, bytes: &[u8]) {
        if let Err(error) = self.out().to.write_all(bytes) {
            if error.kind() != io::ErrorKind::BrokenPipe {
                let _ = writeln!(io::stderr(), "lab: stdout: {error}");
                std::process::exit(3);
            }
            std::process::exit(0);
        }
    }

    /// A line of the verdict: shown even when quiet.
    pub fn verdict(&self, style: Style, text: &str) {
        self.put(&self.paint(style, text));
    }

    /// An empty line.
    pub fn gap(&self) {
        if !self.quiet {
            self.put("");
        }
    }

    /// The heading of a section: its number, its title, and at the right what it is about.
    pub fn heading(&self, number: &str, title: &str, right: &str) {
        if self.quiet {
            return;
        }
        let used = number.chars().count() + 1 + title.chars().count() + right.chars().count();
        let space = " ".repeat(self.width.saturating_sub(used).max(2));
        let title = self.paint(Style::Title, &format!("{number} {title}"));
        self.put(&format!("{title}{space}{}", self.paint(Style::Quiet, right)));
    }

    /// A paragraph, broken into lines, at this indentation.
    pub fn paragraph(&self, style: Style, indent: usize, text: &str) {
        if self.quiet {
            return;
        }
        for line in wrap(text, self.width - indent) {
            self.put(&format!("{:indent$}{}", "", self.paint(style, &line)));
        }
    }

    /// An item of a list.
    pub fn item(&self, text: &str) {
        for (index, line) in wrap(text, self.width - 4).iter().enumerate() {
            self.put(&format!("  {} {line}", if index == 0 { "·" } else { " " }));
        }
    }

    /// A line that one could type: never broken, or it could not be copied.
    pub fn typed(&self, line: &str) {
        self.put(&format!("      {}", self.paint(Style::Command, line)));
    }

    /// A command line that is run.
    pub fn command(&self, line: &str) {
        if !self.quiet {
            self.put(&self.paint(Style::Command, &format!("  $ {line}")));
        }
    }

    /// A line that a program printed: made harmless, and broken where the terminal ends. Of one
    /// that would fill the screen, the beginning.
    pub fn output(&self, mark: &str, line: &str) {
        if self.quiet {
            return;
        }
        let width = self.width - 2 - mark.len();
        let line = harmless(line);
        let line = if line.chars().count() > 3 * width { shortened(&line, width) } else { line };
        let letters: Vec<char> = line.chars().collect();
        let mut rows = letters.chunks(width).map(|row| row.iter().collect::<String>());
        self.put(&format!("  {mark}{}", rows.next().unwrap_or_default()));
        for row in rows {
            self.put(&format!("  {mark}{row}"));
        }
    }

    /// A check that has been made.
    pub fn check(&self, record: &CheckRecord) {
        self.check_with(record, "");
    }

    /// A check that has been made, with the points that it earned.
    pub fn scored_check(&self, record: &CheckRecord) {
        match record.points {
            0 => self.check_with(record, &format!(" ({})", tr("not scored"))),
            points => {
                let earned = [("earned", &record.earned as _), ("points", &points as _)];
                self.check_with(record, &format!(" ({})", fill("{earned} of {points}", &earned)));
            }
        }
    }

    fn check_with(&self, record: &CheckRecord, after: &str) {
        let style = match record.status {
            Status::Pass => Style::Good,
            Status::Unverified | Status::Skipped => Style::Open,
            _ => Style::Bad,
        };
        let word = tr(record.status.word());
        if self.quiet && style == Style::Good {
            return;
        }
        let after = self.paint(Style::Quiet, after);
        let room = self.width.saturating_sub(3 + word.chars().count());
        let mut start = format!("  {} ", self.paint(style, word));
        for line in wrap(tr(&record.title), room) {
            start = format!("{start}{line}\n     ");
        }
        self.put(&format!("{}{after}", start.trim_end()));
        if let (Some(expected), true) = (&record.expected, style == Style::Bad) {
            self.note(tr("expected"), expected);
        }
        for line in &record.evidence {
            if style == Style::Bad {
                self.note(tr("saw"), line);
            } else {
                let line = match line.strip_prefix(NEEDS_FIRST) {
                    Some(title) => fill("needs first: {title}", &[("title", &tr(title))]),
                    None => harmless(line),
                };
                for line in wrap(&line, self.width - 5) {
                    self.put(&format!("     {}", self.paint(Style::Quiet, &line)));
                }
            }
        }
        if let (Some(lesson), Status::Fail) = (&record.lesson, record.status) {
            self.note(tr("lesson"), tr(lesson));
        }
        if let (Some(did), true) = (&record.did, style == Style::Bad) {
            self.note(tr("again"), did);
        }
    }

    /// A line of a check that has failed: shown even when quiet.
    fn note(&self, name: &str, text: &str) {
        for (index, line) in wrap(&harmless(text), self.width - 15).iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            self.put(&format!("     {} {line}", self.paint(Style::Quiet, &format!("{name:>9}"))));
        }
    }
}

/// Whether stdout shows colours, and the user wants them.
pub fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

/// A progress line on stderr, rewritten in place; nothing when stderr is no terminal.
pub fn progress(text: &str) {
    let mut err = io::stderr();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[K{}", shortened(text, WIDTH - 1));
        let _ = err.flush();
    }
}

/// Breaks a text into lines of at most `width` characters, at spaces where it has any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a last line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

/// The line, or its beginning and how much was left out.
pub(super) fn shortened(line: &str, width: usize) -> String {
    let length = line.chars().count();
    if length <= width {
        return line.to_string();
    }
    let tail = format!("… ({length} characters)");
    let kept = width.saturating_sub(tail.chars().count());
    line.chars().take(kept).chain(tail.chars()).collect()
}

/// A program's text without what would move the cursor, change the colours or worse.
pub fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => clean.push_str("    "),
            // Also the marks that turn the direction of text around.
            c if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c) =>
            {
                clean.extend(c.escape_default());
            }
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_programs_cannot_steer_the_terminal() {
        let evil = "a\x1b[2Jb\r\u{9b}31m\u{202e}c\td";
        let clean = harmless(evil);
        assert!(clean.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{clean:?}");
        assert!(clean.starts_with('a') && clean.ends_with("c    d"));
    }

    #[test]
    fn long_lines_say_how_long_they_were() {
        assert_eq!(shortened("short", 10), "short");
        let cut = shortened(&"9".repeat(603), 40);
        assert_eq!(cut.chars().count(), 40);
        assert!(cut.ends_with("… (603 characters)"), "{cut}");
    }

    #[test]
    fn paragraphs_fit_and_lose_no_word() {
        let text = "one two three four five six seven";
        let lines = wrap(text, 11);
        assert!(lines.iter().all(|line| line.len() <= 11), "{lines:?}");
        assert_eq!(lines.join(" "), text);
    }
}
