//! The lab's commands, as people and machines use them. One program, as most of these tests wait.

mod grade;
mod hints;
mod look;
mod new;
mod page;
mod teach;
mod walkthrough;
