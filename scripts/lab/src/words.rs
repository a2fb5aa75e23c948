//! The program's own words, in the language of the reader. They stand in English where they are
//! used, and beside this file, in `words.ru.txt`, in Russian. What was seen of a program (evidence,
//! numbers, the system's words) is not translated, and neither are records.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use clap::ValueEnum;

/// A language that the program speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Language {
    /// English
    #[value(name = "en")]
    English,
    /// Russian
    #[value(name = "ru")]
    Russian,
}

impl Language {
    /// The one that the environment asks for, by the variables for messages in their order (POSIX,
    /// 8.2): English unless it is Russian.
    pub fn of_environment() -> Language {
        let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
        Language::of_locale(variables.map(|name| std::env::var(name).unwrap_or_default()))
    }

    /// That of the first locale that is set, such as `ru_RU.UTF-8`.
    fn of_locale(locales: [String; 3]) -> Language {
        let locale = locales.into_iter().find(|locale| !locale.is_empty()).unwrap_or_default();
        match locale.split(['_', '.', '@']).next() {
            Some("ru") => Language::Russian,
            _ => Language::English,
        }
    }

    /// Its name, as HTML has it.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Russian => "ru",
        }
    }
}

static SPOKEN: OnceLock<Language> = OnceLock::new();

/// From now on, this is the language.
pub fn speak(language: Language) {
    let _ = SPOKEN.set(language); // once, at the beginning
}

/// The language that is spoken.
pub fn language() -> Language {
    *SPOKEN.get().unwrap_or(&Language::English)
}

static RUSSIAN: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| pairs(include_str!("words.ru.txt")).into_iter().collect());

/// A text in the language that is spoken; as it is when there is no translation.
pub fn tr(english: &str) -> &str {
    tr_into(language(), english)
}

/// The same in this language.
pub fn tr_into(language: Language, english: &str) -> &str {
    match language {
        Language::English => english,
        Language::Russian => RUSSIAN.get(english).map_or(english, String::as_str),
    }
}

/// The same of a text with gaps: `{name}` is a value, and `{name:point|points}` the word that goes
/// with that number; in Russian there are three of them, for 1, 2 and 5.
pub fn fill(english: &str, values: &[(&str, &dyn ToString)]) -> String {
    fill_into(language(), english, values)
}

fn fill_into(language: Language, english: &str, values: &[(&str, &dyn ToString)]) -> String {
    let mut parts = tr_into(language, english).split('{');
    let mut filled = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (gap, rest) = part.split_once('}').unwrap_or((part, ""));
        let (name, forms) = gap.split_once(':').unwrap_or((gap, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        let value = value.map(|(_, value)| value.to_string()).unwrap_or_default();
        if forms.is_empty() {
            filled += &value;
        } else {
            let form = form(language, value.parse().unwrap_or_default());
            filled += forms.split('|').nth(form).unwrap_or(forms);
        }
        filled += rest;
    }
    filled
}

/// Which form of a word goes with a number.
fn form(language: Language, number: u64) -> usize {
    match (language, number % 10, number % 100) {
        (Language::English, ..) => usize::from(number != 1),
        (Language::Russian, _, 11..=14) => 2,
        (Language::Russian, 1, _) => 0,
        (Language::Russian, 2..=4, _) => 1,
        (Language::Russian, ..) => 2,
    }
}

/// A number with one decimal.
pub fn decimal(number: f64) -> String {
    let text = format!("{number:.1}");
    match language() {
        Language::English => text,
        Language::Russian => text.replace('.', ","),
    }
}

/// English and Russian out of a file in which paragraphs begin with `en ` and `ru ` in turn, may go
/// on in lines that are indented, and `#` begins a comment.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut russian = false;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = match line.split_at_checked(3) {
            Some(("en ", rest)) => {
                russian = false;
                pairs.push(Default::default());
                rest
            }
            Some(("ru ", rest)) => {
                russian = true;
                rest
            }
            _ => line,
        };
        let Some((english, translated)) = pairs.last_mut() else { continue };
        let text = if russian { translated } else { english };
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line.trim());
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::labs::LABS;
    use crate::record::Status;

    const STATUSES: [Status; 9] = [
        Status::Pass,
        Status::Fail,
        Status::Skipped,
        Status::Unverified,
        Status::Timeout,
        Status::Crashed,
        Status::OverLimit,
        Status::NotGradable,
        Status::GraderError,
    ];

    /// The text of a string literal of Rust, from behind its first quote.
    fn literal(source: &str) -> String {
        let mut text = String::new();
        let mut letters = source.chars().peekable();
        while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
            match letter {
                '\\' => match letters.next() {
                    Some('n') => text.push('\n'),
                    Some('\n') => while letters.next_if(|c| c.is_whitespace()).is_some() {},
                    Some(escaped) => text.push(escaped),
                    None => {}
                },
                letter => text.push(letter),
            }
        }
        text
    }

    /// The texts that the sources under this folder have translated: `tr("…")` and `fill("…"`.
    fn of_sources(folder: &Path, found: &mut BTreeSet<String>) {
        for file in fs::read_dir(folder).expect("sources").flatten().map(|file| file.path()) {
            if file.is_dir() {
                of_sources(&file, found);
            } else if file.extension().is_some_and(|ending| ending == "rs")
                && !file.ends_with("words.rs")
            {
                let source = fs::read_to_string(&file).expect("a source");
                for call in ["tr(", "fill("] {
                    for (at, _) in source.match_indices(call) {
                        let own = |c: char| c.is_alphanumeric() || c == '_';
                        let argument = source[at + call.len()..].trim_start();
                        if !source[..at].ends_with(own) && argument.starts_with('"') {
                            found.insert(literal(&argument[1..]));
                        }
                    }
                }
            }
        }
    }

    /// All words in use.
    fn used() -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        of_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        used.extend(STATUSES.map(|status| status.word().into()));
        for lab in LABS {
            used.extend([lab.title, lab.about].map(String::from));
            for scene in std::iter::once(&lab.scene).chain(lab.more) {
                used.insert(scene.text.into());
                let checks = scene.checks.iter();
                used.extend(checks.flat_map(|check| [check.title, check.lesson]).map(String::from));
            }
        }
        used.remove("");
        used
    }

    #[test]
    fn every_word_in_use_is_translated_and_no_other_one() {
        let pairs = pairs(include_str!("words.ru.txt"));
        let used = used();
        let known: BTreeSet<String> = pairs.iter().map(|(english, _)| english.clone()).collect();
        let missing: Vec<_> =
            used.difference(&known).map(|text| format!("en {text}\nru \n")).collect();
        let unused: Vec<_> = known.difference(&used).map(|text| format!("en {text}\n")).collect();
        let twice = pairs.len() - known.len();
        assert!(
            missing.is_empty() && unused.is_empty() && twice == 0,
            "in words.ru.txt\n\nmissing:\n\n{}\nno longer used:\n\n{}\n{twice} twice",
            missing.join("\n"),
            unused.join("\n"),
        );
    }

    #[test]
    fn every_translation_is_russian_and_has_the_same_gaps() {
        let gaps = |text: &str| -> BTreeSet<String> {
            let parts = text.split('{').skip(1);
            parts.map(|part| part.split(['}', ':']).next().unwrap_or_default().into()).collect()
        };
        let cyrillic = |c: char| ('а'..='я').contains(&c) || ('А'..='Я').contains(&c);
        for (english, russian) in pairs(include_str!("words.ru.txt")) {
            assert!(russian.contains(cyrillic), "{english}: {russian}");
            assert_eq!(gaps(&english), gaps(&russian), "{russian}");
            for forms in russian.split('{').skip(1).filter_map(|part| part.split_once('}')) {
                let count = forms.0.split('|').count();
                assert!(count == 1 || count == 3, "{russian}");
            }
        }
    }

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |all: [&str; 3]| Language::of_locale(all.map(String::from));
        assert_eq!(of(["", "", "ru_RU.UTF-8"]), Language::Russian);
        assert_eq!(of(["", "ru", "en_US.UTF-8"]), Language::Russian);
        assert_eq!(of(["C", "ru_RU.UTF-8", "ru_RU.UTF-8"]), Language::English);
        assert_eq!(of(["POSIX", "", "ru_RU.UTF-8"]), Language::English);
        assert_eq!(of(["", "", ""]), Language::English);
        assert_eq!(of(["", "", "rundi"]), Language::English);
    }

    #[test]
    fn words_go_with_their_numbers() {
        let russian = |number: u64| form(Language::Russian, number);
        assert_eq!([1, 21, 101].map(russian), [0; 3]);
        assert_eq!([2, 4, 23, 102].map(russian), [1; 4]);
        assert_eq!([0, 5, 11, 12, 14, 20, 111, 112].map(russian), [2; 8]);
        let english = |number: u64| {
            fill_into(
                Language::English,
                "{n} {n:point|points}, {s} s",
                &[("n", &number), ("s", &"1.5")],
            )
        };
        assert_eq!([english(1), english(0)], ["1 point, 1.5 s", "0 points, 1.5 s"]);
    }
}
