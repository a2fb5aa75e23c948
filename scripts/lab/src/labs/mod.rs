//! The sections of the note, in its order: what each shows, the facts that must hold, and the
//! lesson behind each fact.
//!
//! A check looks at a program from outside only: at what it was sent, what it printed, and what the
//! kernel says. So the same check serves a demo and anybody's program in any language.

use crate::exam::{Exam, Finding, Trouble};

mod common;
mod epoll;
mod fork;
mod idle;
mod iter_gen;
mod manners;
mod monitor;
mod mp;
mod peer;
mod pool;
mod process;
mod queue;
mod socket_client;
mod socket_server;
mod thread;

/// A section of the note and its checks.
pub struct Lab {
    /// Its name on the command line.
    pub name: &'static str,
    /// The demo that reproduces it.
    pub demo: &'static str,
    /// The section's title.
    pub title: &'static str,
    /// What it is about, in one or two sentences.
    pub about: &'static str,
    /// The checks that measure time: nothing else should run beside them.
    pub timed: &'static [&'static str],
    /// What the note's own program does; these checks are what a submission is graded by.
    pub scene: Scene,
    /// What else the demo shows; not part of what a submission must do.
    pub more: &'static [Scene],
}

/// Something shown, and what is checked about it.
pub struct Scene {
    /// What there is to see, where the section's own text has not said it.
    pub text: &'static str,
    /// Runs what the audience should see.
    pub show: fn(&mut Exam) -> Result<(), Trouble>,
    /// The facts.
    pub checks: &'static [Check],
}

/// One property of a program.
pub struct Check {
    /// Its name within the lab.
    pub id: &'static str,
    /// The fact, as a sentence.
    pub title: &'static str,
    /// What it earns; zero for what is reported but not scored.
    pub points: u8,
    /// The checks that must have passed before this one makes sense.
    pub needs: &'static [&'static str],
    /// What its failure is usually a sign of, and what to try.
    pub lesson: &'static str,
    /// Finds out.
    pub examine: fn(&mut Exam) -> Finding,
}

/// All sections in the order of the note.
pub static LABS: &[&Lab] = &[
    &process::LAB,
    &monitor::LAB,
    &fork::LAB,
    &mp::LAB,
    &thread::LAB,
    &pool::LAB,
    &queue::LAB,
    &socket_server::LAB,
    &socket_client::LAB,
    &epoll::LAB,
    &iter_gen::LAB,
];

/// The lab of that name, if it is one that programs are graded by.
pub fn graded(name: &str) -> Option<&'static Lab> {
    LABS.iter().copied().find(|lab| lab.name == name && lab.points() > 0)
}

impl Lab {
    /// Whether its checks talk with the program over the network.
    pub fn has_peers(&self) -> bool {
        ["server", "client", "epoll"].contains(&self.name)
    }

    /// What all its checks together can earn.
    pub fn points(&self) -> u8 {
        self.scene.checks.iter().map(|check| check.points).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lab_is_worth_ten_points_or_none() {
        for lab in LABS {
            let points = lab.points();
            assert!(points == 10 || points == 0, "{}: {points}", lab.name);
            let known = |id: &&str| lab.scene.checks.iter().any(|check| check.id == *id);
            assert!(lab.timed.iter().all(known), "{}", lab.name);
            let more: u8 = lab.more.iter().flat_map(|s| s.checks).map(|c| c.points).sum();
            assert_eq!(more, 0, "{}", lab.name);
        }
    }

    #[test]
    fn names_are_unique_and_what_a_check_needs_comes_before_it() {
        for (index, lab) in LABS.iter().enumerate() {
            assert!(LABS[..index].iter().all(|other| other.name != lab.name));
            let mut before: Vec<&str> = Vec::new();
            for scene in std::iter::once(&lab.scene).chain(lab.more) {
                for check in scene.checks {
                    assert!(!before.contains(&check.id), "{} {}", lab.name, check.id);
                    let known = |needed: &&str| before.contains(needed);
                    assert!(check.needs.iter().all(known), "{} {}", lab.name, check.id);
                    before.push(check.id);
                }
            }
        }
    }
}
