//! Runs the demo as a user does, with clients of every manner.

mod client;
mod crowd;
mod end;
mod rude;
mod server;
mod talk;
