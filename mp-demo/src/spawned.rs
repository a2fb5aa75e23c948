//! What a spawned child is told: it has nothing of its parent's memory, so all goes through its
//! command line. Python sends it a pickle through a pipe, and has it import the main module again.
//!
//! See it: `mp-demo --start-method spawn --delay 10`, and meanwhile `ps -o pid,ppid,args -C mp-demo`.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use clap::{Args, ValueEnum};
use nix::unistd::{Pid, getpid};

use crate::child::end_with;
use crate::{Options, Style, process, seconds, status};

/// The child's own options, behind the hidden subcommand `spawned-child`.
#[derive(Args)]
pub(crate) struct SpawnedChild {
    #[arg(long)]
    parent: i32,
    #[arg(long, value_enum)]
    style: Style,
    #[arg(long, value_parser = seconds)]
    delay: Duration,
    name: OsString,
}

impl SpawnedChild {
    /// In the parent: how the child is to be called.
    pub(crate) fn command_line(options: &Options, name: &OsStr) -> Vec<OsString> {
        let style = options.style.to_possible_value().expect("no style is skipped");
        vec![
            "spawned-child".into(),
            format!("--parent={}", getpid()).into(),
            format!("--style={}", style.get_name()).into(),
            format!("--delay={}", options.delay.as_secs_f64()).into(),
            "--".into(),
            name.into(),
        ]
    }

    /// In the child: does it, and gives the exit status to end with.
    pub(crate) fn run(self) -> u8 {
        match end_with(Pid::from_raw(self.parent)) {
            Ok(()) => process(self.style, self.name, self.delay).run(),
            Err(why) => status(Err(why)),
        }
    }
}
