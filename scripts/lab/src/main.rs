//! The crate behind the walkthrough and the grading of labs.
//!
//! The data flows one way: the command line names labs, a lab's checks run a program, what they see
//! becomes a record, and all that is shown or exported is made from the record.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::words::Language;

mod build;
mod exam;
mod grade;
mod grading;
mod hidden;
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
    /// The language of titles, verdicts and notes [default: as the environment says]
    #[arg(long, global = true, value_name = "LANGUAGE")]
    language: Option<Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Walkthrough(walkthrough::Options),
    Grade(Box<grade::Options>),
    Merge(grade::Merge),
    New(new::Options),
    #[command(subcommand)]
    Package(package::Package),
    Watch(watch::Options),
    Look(look::Options),
    Twins(twins::Options),
    /// Name the labs
    List,
    /// Show the statement of a lab
    Show {
        /// The lab
        #[arg(value_name = "LAB", value_parser = grade::lab)]
        lab: String,
    },
}

fn main() -> ExitCode {
    let Options { command, language } = Options::parse();
    words::speak(language.unwrap_or_else(Language::of_environment));
    let done = match command {
        Command::Walkthrough(options) => walkthrough::run(&options),
        Command::Grade(options) => grade::run(&options),
        Command::Merge(options) => grade::merge(&options),
        Command::New(options) => new::run(&options),
        Command::Package(package) => package::run(&package),
        Command::Watch(options) => watch::run(&options),
        Command::Look(options) => look::run(&options),
        Command::Twins(options) => twins::run(&options),
        Command::List => Ok(grade::list()),
        Command::Show { lab } => grade::show(&lab),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "lab: {error:#}");
        ExitCode::from(3)
    })
}
