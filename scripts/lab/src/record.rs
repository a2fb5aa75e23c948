//! What came out of an examination, as plain data. Everything shown or exported is made from it.

use serde::{Deserialize, Serialize};

use crate::run::Protection;

/// The version of this format. A reader that finds another one must not guess.
pub const SCHEMA: &str = "lab-record/1";

/// What became of a check. Only [`Status::Pass`] earns points.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The fact holds.
    Pass,
    /// The fact does not hold.
    Fail,
    /// A check that this one needs has not passed.
    Skipped,
    /// The evidence that it rests on can't be had here.
    Unverified,
    /// The program did not end in its time.
    Timeout,
    /// A signal ended the program.
    Crashed,
    /// The program took more memory, output or processes than it may.
    OverLimit,
    /// There is nothing to examine: it does not build, or is not there.
    NotGradable,
    /// The examination itself went wrong. Never a grade.
    GraderError,
}

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Status::Pass => "ok",
            Status::Fail => "FAILED",
            Status::Skipped => "skipped",
            Status::Unverified => "left out",
            Status::Timeout => "TIMEOUT",
            Status::Crashed => "CRASHED",
            Status::OverLimit => "OVER LIMIT",
            Status::NotGradable => "NOT GRADABLE",
            Status::GraderError => "GRADER ERROR",
        }
    }
}

/// One check of one program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckRecord {
    /// Its name within the lab.
    pub id: String,
    /// The fact that it stands for.
    pub title: String,
    /// What became of it.
    pub status: Status,
    /// What it can earn; zero for what is reported but not scored.
    pub points: u8,
    /// What it earned.
    pub earned: u8,
    /// What was seen: pids, counts, kernel state.
    pub evidence: Vec<String>,
    /// The command that was run when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// What should have been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What a failure of it is usually a sign of, and what to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesson: Option<String>,
    /// The hidden seed by which it fails, where it holds with the one that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<u64>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Seconds that its runs of the program took, of these.
    #[serde(default)]
    pub ran: f64,
}

impl CheckRecord {
    /// What a student may see: of one that fails by a hidden seed alone its title and points, and
    /// not how or how long.
    pub fn shown(&self) -> CheckRecord {
        if self.hidden.is_none() {
            return self.clone();
        }
        let status = match self.status {
            kept @ (Status::Skipped | Status::Unverified | Status::GraderError) => kept,
            _ => Status::Fail,
        };
        CheckRecord {
            id: self.id.clone(),
            title: self.title.clone(),
            status,
            points: self.points,
            earned: self.earned,
            evidence: vec!["it does not hold with other inputs, which are not shown".into()],
            did: None,
            expected: None,
            lesson: None,
            hidden: None,
            seconds: 0.0,
            ran: 0.0,
        }
    }

    /// What a student reads: what was expected and seen when it failed, else the evidence.
    pub fn words(&self) -> Vec<String> {
        let line =
            |name: &str, text: &Option<String>| text.as_ref().map(|text| format!("{name}: {text}"));
        if self.expected.is_none() {
            return self.evidence.clone();
        }
        let saw = self.evidence.iter().map(|line| format!("saw: {line}"));
        line("expected", &self.expected)
            .into_iter()
            .chain(saw)
            .chain(line("lesson", &self.lesson))
            .chain(line("again", &self.did))
            .collect()
    }
}

/// One section of the note, or one submission to a lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// The lab's name.
    pub lab: String,
    /// What was examined, as the user named it.
    pub program: String,
    /// What its bytes were: a record holds for these and no others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// Where the random inputs come from.
    pub seed: u64,
    /// Seeds that students are not told, with which it was examined as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<u64>,
    /// Why there was nothing to examine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_gradable: Option<String>,
    /// What the program was kept away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Protection>,
    /// The checks in the order in which they were made.
    pub checks: Vec<CheckRecord>,
    /// Seconds that all of it took.
    pub seconds: f64,
}

impl Record {
    /// What a student may see: nothing of the hidden seeds.
    pub fn shown(&self) -> Record {
        let checks = self.checks.iter().map(CheckRecord::shown).collect();
        Record { hidden: Vec::new(), checks, ..self.clone() }
    }

    /// The points that were earned. Wider than those of a check: a file of records may have been
    /// written by anybody.
    pub fn earned(&self) -> u32 {
        self.checks.iter().map(|check| u32::from(check.earned)).sum()
    }

    /// The points that could be earned.
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| u32::from(check.points)).sum()
    }

    /// Whether it earned all there is to earn.
    pub fn is_full(&self) -> bool {
        self.points() > 0 && self.earned() == self.points()
    }

    /// Seconds that the runs of the program took, all together.
    pub fn ran(&self) -> f64 {
        self.checks.iter().map(|check| check.ran).sum()
    }

    /// How many checks ended with one of these.
    pub fn count(&self, wanted: &[Status]) -> usize {
        self.checks.iter().filter(|check| wanted.contains(&check.status)).count()
    }
}
