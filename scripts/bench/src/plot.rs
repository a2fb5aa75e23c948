//! A plot: how the cost grows. Both axes are logarithmic; a line for each contestant, a panel for
//! each series.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::contest::{Outcome, Row};

const COLOURS: [&str; 10] = [
    "#c0392b", "#2471a3", "#1e8449", "#b9770e", "#7d3c98", "#148f77", "#5d6d7e", "#a04000",
    "#cb4c9c", "#4d5656",
];
const PANEL: (f64, f64) = (420.0, 260.0);
const LEFT: f64 = 70.0;
const TOP: f64 = 46.0;
const LEGEND: f64 = 190.0;

type Lines<'a> = BTreeMap<usize, (&'a str, Vec<(f64, f64)>)>;

/// A picture of a row's series.
pub(crate) fn svg(row: &Row, outcomes: &[Outcome], axis: &str) -> String {
    let mut panels: Vec<(&str, Lines)> = Vec::new();
    for outcome in outcomes {
        let Some((series, x)) = outcome.point else { continue };
        if panels.last().is_none_or(|(name, _)| *name != series) {
            panels.push((series, Lines::new()));
        }
        let Some((_, lines)) = panels.last_mut() else { continue };
        for (place, standing) in outcome.standings.iter().enumerate() {
            let line = lines.entry(place).or_insert((standing.name, Vec::new()));
            line.1.push((f64::from(x), standing.median));
        }
    }
    let height = PANEL.1 + TOP + 50.0;
    let width = LEFT + PANEL.0 + LEGEND;
    let (rows, mut body) = (panels.len(), String::new());
    for (place, (name, lines)) in panels.iter().enumerate() {
        let down = height * f64::from(u16::try_from(place).unwrap_or(0));
        let _ = write!(
            body,
            "<g transform=\"translate(0 {down})\">{}</g>",
            panel(name, lines, axis, row.unit)
        );
    }
    let all = height * f64::from(u16::try_from(rows).unwrap_or(1));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {all}\" width=\"{width}\" \
         height=\"{all}\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>{body}</svg>\n"
    )
}

fn panel(name: &str, lines: &Lines, axis: &str, unit: &str) -> String {
    let points = || lines.values().flat_map(|(_, points)| points);
    let span = |pick: fn(&(f64, f64)) -> f64| {
        let low = points().map(pick).fold(f64::INFINITY, f64::min);
        let high = points().map(pick).fold(0.0, f64::max);
        (low.log10(), high.log10().max(low.log10() + 0.1))
    };
    let (across, up) = (span(|p| p.0), span(|p| p.1));
    let up = (up.0.floor(), up.1.ceil());
    let x = |value: f64| LEFT + PANEL.0 * (value.log10() - across.0) / (across.1 - across.0);
    let y = |value: f64| TOP + PANEL.1 * (up.1 - value.log10()) / (up.1 - up.0);
    let bottom = TOP + PANEL.1;

    let mut out = format!(
        "<text x=\"{LEFT}\" y=\"20\" font-weight=\"bold\">{name}</text>\
         <text x=\"{LEFT}\" y=\"38\" fill=\"#555\">{unit}</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#555\">{axis}</text>",
        LEFT + PANEL.0,
        bottom + 36.0
    );
    let mut power = up.0;
    while power <= up.1 {
        let (value, at) = (10_f64.powf(power), y(10_f64.powf(power)));
        let _ = write!(
            out,
            "<path d=\"M{LEFT} {at:.1}h{}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            PANEL.0,
            LEFT - 6.0,
            at + 4.0
        );
        power += 1.0;
    }
    let mut ticks: Vec<f64> = points().map(|point| point.0).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    for value in ticks {
        let (at, below) = (x(value), bottom + 18.0);
        let _ =
            write!(out, "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{value}</text>");
    }
    for (place, (who, points)) in lines {
        let colour = COLOURS[place % COLOURS.len()];
        let thick = if *place == 0 { 3 } else { 1 };
        let path: Vec<_> = points.iter().map(|p| format!("{:.1} {:.1}", x(p.0), y(p.1))).collect();
        let row = TOP + 16.0 * f64::from(u16::try_from(*place).unwrap_or(0));
        let legend = LEFT + PANEL.0 + 16.0;
        let _ = write!(
            out,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thick}\"/>\
             <path d=\"M{legend} {row}h14\" stroke=\"{colour}\" stroke-width=\"{thick}\"/>\
             <text x=\"{}\" y=\"{}\">{who}</text>",
            path.join("L"),
            legend + 18.0,
            row + 4.0
        );
        for p in points {
            let _ = write!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>",
                x(p.0),
                y(p.1)
            );
        }
    }
    out
}
