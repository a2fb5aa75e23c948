//! The crate behind the walkthrough and the grading of labs.
//!
//! The data flows one way: the command line names labs, a lab's checks run a program, what they see
//! becomes a record, and all that is shown or exported is made from the record.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::words::Language;

mod build;
mod exam;
mod grade;
mod grading;
mod hidden;
mod illustration;
mod keys;
mod labs;
mod look;
mod marker;
mod new;
mod package;
mod picture;
mod program;
mod record;
mod report;
mod run;
mod teach;
mod twins;
mod walkthrough;
mod watch;
mod words;

/// Examines the demos of the lecture, and anybody's programs, by the same checks.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

// (No doc comment: clap would show it as the help of each command.)
// A command whose words are in a language that one can choose. (The language of a starter, in
// `lab new`, is another matter.)
#[derive(Args)]
struct Spoken<T: Args> {
    #[command(flatten)]
    options: T,
    /// The language of titles, verdicts and notes [default: as the environment says]
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<Language>,
}

impl<T: Args> Spoken<T> {
    fn run(self, command: impl FnOnce(&T) -> Result<ExitCode>) -> Result<ExitCode> {
        words::speak(self.language.unwrap_or_else(Language::of_environment));
        command(&self.options)
    }
}

#[derive(Subcommand)]
enum Command {
    Walkthrough(Spoken<walkthrough::Options>),
    Grade(Box<Spoken<grade::Options>>),
    Merge(Spoken<grade::Merge>),
    New(new::Options),
    #[command(subcommand)]
    Package(package::Package),
    Watch(Spoken<watch::Options>),
    Look(look::Options),
    Twins(Spoken<twins::Options>),
    List(Spoken<grade::List>),
    Show(Spoken<grade::Show>),
}

fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Walkthrough(spoken) => spoken.run(walkthrough::run),
        Command::Grade(spoken) => spoken.run(grade::run),
        Command::Merge(spoken) => spoken.run(grade::merge),
        Command::New(options) => new::run(&options),
        Command::Package(package) => package::run(&package),
        Command::Watch(spoken) => spoken.run(watch::run),
        Command::Look(options) => look::run(&options),
        Command::Twins(spoken) => spoken.run(twins::run),
        Command::List(spoken) => spoken.run(|_| Ok(grade::list())),
        Command::Show(spoken) => spoken.run(grade::show),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "lab: {error:#}");
        ExitCode::from(3)
    })
}
