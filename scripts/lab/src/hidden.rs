//! Extra seeds that students are not told, for inputs that they can't have tried.

use std::fs;

use crate::report::terminal::harmless;

/// Seeds from a file: one a line, and `#` before what is only for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden(pub Vec<u64>);

impl Hidden {
    /// Reads them.
    ///
    /// # Errors
    /// With the line that is no seed.
    pub fn read(file: &str) -> Result<Hidden, String> {
        let bytes = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        let hidden = Hidden::parse(&String::from_utf8_lossy(&bytes));
        hidden.map_err(|(line, why)| format!("{file}:{line}: {why}"))
    }

    fn parse(text: &str) -> Result<Hidden, (usize, String)> {
        let mut seeds = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let word = line.split('#').next().unwrap_or_default().trim();
            if word.is_empty() {
                continue;
            }
            let Ok(seed) = word.parse() else {
                let word: String = harmless(word).chars().take(40).collect();
                return Err((number, format!("'{word}' is no seed, which is a whole number")));
            };
            if seeds.contains(&seed) {
                return Err((number, format!("the seed {seed} is there already")));
            }
            seeds.push(seed);
        }
        if seeds.is_empty() {
            return Err((text.lines().count().max(1), "there is no seed in it".into()));
        }
        Ok(Hidden(seeds))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_seed_a_line_and_comments() {
        let hidden = Hidden::parse("# for Monday\n7\n\n  12 # the long one\n");
        assert_eq!(hidden, Ok(Hidden(vec![7, 12])));
    }

    #[test]
    fn says_which_line_is_no_seed() {
        let wrong = |text: &str| Hidden::parse(text).expect_err("wrong");
        assert_eq!(
            wrong("7\nx\u{1b}y\n"),
            (2, "'x\\u{1b}y' is no seed, which is a whole number".into())
        );
        assert_eq!(wrong("1\n-2").0, 2);
        assert_eq!(wrong("1 2").0, 1);
        assert_eq!(wrong("18446744073709551616").0, 1);
        assert_eq!(wrong("3\n#\n3\n"), (3, "the seed 3 is there already".into()));
        assert_eq!(wrong("# none\n").1, "there is no seed in it");
        assert_eq!(wrong("").0, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_seeds_or_one_harmless_line(text in "([0-9]{1,22}|\\PC|[\\x00-\\x20#])*") {
            match Hidden::parse(&text) {
                Ok(Hidden(seeds)) => {
                    let again: Vec<String> = seeds.iter().map(u64::to_string).collect();
                    prop_assert_eq!(Hidden::parse(&again.join("\n")), Ok(Hidden(seeds)));
                }
                Err((line, why)) => {
                    prop_assert!((1..=text.lines().count().max(1)).contains(&line));
                    prop_assert!(!why.contains(char::is_control), "{:?}", why);
                }
            }
        }
    }
}
