// The modules of the lab crate, which name each other from the root of their crate: each target that
// tries some of them includes this file at its own root.

#[path = "../../lab/src/build.rs"]
mod build;
#[path = "../../lab/src/exam.rs"]
mod exam;
#[path = "../../lab/src/grade.rs"]
mod grade;
#[path = "../../lab/src/grading.rs"]
mod grading;
#[path = "../../lab/src/hidden.rs"]
mod hidden;
#[path = "../../lab/src/illustration.rs"]
mod illustration;
#[path = "../../lab/src/keys.rs"]
mod keys;
#[path = "../../lab/src/labs/mod.rs"]
mod labs;
#[path = "../../lab/src/look.rs"]
mod look;
#[path = "../../lab/src/marker.rs"]
mod marker;
#[path = "../../lab/src/picture/mod.rs"]
mod picture;
#[path = "../../lab/src/program.rs"]
mod program;
#[path = "../../lab/src/record.rs"]
mod record;
#[path = "../../lab/src/report/mod.rs"]
mod report;
#[path = "../../lab/src/run/mod.rs"]
mod run;
#[path = "../../lab/src/teach.rs"]
mod teach;
#[path = "../../lab/src/twins.rs"]
mod twins;
#[path = "../../lab/src/walkthrough.rs"]
mod walkthrough;
#[path = "../../lab/src/words.rs"]
mod words;
