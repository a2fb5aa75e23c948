//! The events as Chrome trace JSON ("Trace Event Format"), which <https://ui.perfetto.dev> shows.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Lane, Mark, Run};
use crate::run::{Id, Kind, Stream};

/// Runs that are compared have numbers of their own, or those of one would be taken for the other's.
const APART: i64 = 100_000_000;

/// All runs, beginning at the same time.
pub fn draw(runs: &[Run]) -> String {
    let mut events = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let own = i64::try_from(index).unwrap_or(0) * APART;
        add(&mut events, run, own, if runs.len() > 1 { &run.command } else { "" });
    }
    let commands: Vec<&str> = runs.iter().map(|run| run.command.as_str()).collect();
    let methods: Vec<String> = runs.iter().map(Run::method).collect();
    let trace = json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": { "command": commands, "method": methods },
    });
    format!("{trace}\n")
}

/// A time in microseconds, as all times of the format are.
fn at(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e9).round() / 1e3
}

fn add(events: &mut Vec<Value>, run: &Run, own: i64, of: &str) {
    for (order, lane) in run.lanes.iter().enumerate() {
        let number = |id: Id| i64::from(id) + own;
        let (pid, tid) = (number(lane.process), number(lane.id));
        if lane.kind == Kind::Process {
            let name =
                if of.is_empty() { lane.name.clone() } else { format!("{} ({of})", lane.name) };
            events.push(
                json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}),
            );
            events.push(json!({
                "ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": order},
            }));
        }
        events.push(json!({
            "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": lane.name},
        }));
        events.push(json!({
            "ph": "X", "name": "alive", "cat": "life", "pid": pid, "tid": tid,
            "ts": at(lane.from), "dur": at(lane.to.saturating_sub(lane.from)),
            "args": {
                "cpu_us": at(lane.account.ran),
                "no_cpu_us": at(lane.account.queued),
                "voluntary_switches": lane.counted.then_some(lane.account.slept),
                "forced_switches": lane.counted.then_some(lane.account.preempted),
                "peak_memory_bytes": lane.counted.then_some(lane.account.memory),
                "ending": lane.ending.map(|ending| ending.to_string()),
            },
        }));
        pieces(events, lane, pid, tid);
        if let Some(maker) = lane.maker.map(|maker| &run.lanes[maker]) {
            // An arrow from who made it.
            let id = tid;
            events.push(json!({
                "ph": "s", "name": "born", "cat": "life", "id": id, "ts": at(lane.from),
                "pid": number(maker.process), "tid": number(maker.id),
            }));
            events.push(json!({
                "ph": "f", "bp": "e", "name": "born", "cat": "life", "id": id, "ts": at(lane.from),
                "pid": pid, "tid": tid,
            }));
        }
        for (time, file) in &lane.executions {
            events.push(json!({
                "ph": "i", "s": "t", "name": "exec", "cat": "life", "pid": pid, "tid": tid,
                "ts": at(*time), "args": {"file": file.to_string_lossy()},
            }));
        }
        lines(events, &lane.lines, pid, tid);
        for (count, link) in lane.connections.iter().enumerate() {
            let id = format!("{tid}.{count}");
            for (phase, time) in [("b", link.from), ("e", link.to)] {
                events.push(json!({
                    "ph": phase, "name": format!("connection {}", link.peer), "cat": "connection",
                    "id": id, "pid": pid, "tid": tid, "ts": at(time),
                    "args": {"accepted": link.accepted},
                }));
            }
        }
    }
    if let Some(root) = run.lanes.first() {
        lines(events, &run.lines, i64::from(root.process) + own, i64::from(root.id) + own);
    }
}

/// What it did: a slice for each time between two looks, named by what there was the most of.
fn pieces(events: &mut Vec<Value>, lane: &Lane, pid: i64, tid: i64) {
    for piece in &lane.pieces {
        let length = piece.to.saturating_sub(piece.from);
        let name = if piece.ran >= piece.queued && piece.ran >= piece.rest() {
            "running".to_string()
        } else if piece.queued >= piece.rest() {
            "no CPU free".into()
        } else if let Some(wait) = piece.wait {
            wait.to_string()
        } else {
            continue; // not seen, so not drawn
        };
        events.push(json!({
            "ph": "X", "name": name, "cat": "state", "pid": pid, "tid": tid,
            "ts": at(piece.from), "dur": at(length),
            "args": {"ran_us": at(piece.ran), "no_cpu_us": at(piece.queued)},
        }));
    }
}

fn lines(events: &mut Vec<Value>, marks: &[Mark], pid: i64, tid: i64) {
    for mark in marks {
        let stream = if mark.stream == Stream::Stdout { "stdout" } else { "stderr" };
        events.push(json!({
            "ph": "i", "s": "t", "name": super::terminal::shortened(&mark.text, 80), "cat": stream,
            "pid": pid, "tid": tid, "ts": at(mark.at),
        }));
    }
}
