//! The figures as a picture, in SVG. It brings its own background, in light and dark, and uses the reader's font.

use std::fmt::Write as _;

use crate::experiment::{DISTANCE, Meeting, Results, Runs};
use crate::history::Form;
use crate::large::{Row, peak};
use crate::plan::Plan;
use crate::sample::{Measured, median};
use crate::table::{failed, number, time, told};
use crate::tool::Tool;

const WIDTH: f64 = 1_000.0;
const MARGIN: f64 = 24.0;
const GAP: f64 = 40.0;
const PANEL_WIDTH: f64 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
/// For the names of the tools, left of the bars.
const NAMES: f64 = 108.0;
/// For what is written right of the longest bar.
const VALUES: f64 = 76.0;
/// The same where it is two figures.
const LONG_VALUES: f64 = 138.0;
const HEAD: f64 = 92.0;
const ROW: f64 = 25.0;
const BAR: f64 = 15.0;
const TITLE: f64 = 30.0;
const AXIS: f64 = 46.0;

const STYLE: &str = "\
svg { --page: #ffffff; --text: #1f2328; --faint: #59636e; --line: #d1d9e0; --ours: #1a7f5a; --peer: #8c959f; --bad: #cf222e; }
@media (prefers-color-scheme: dark) {
  svg { --page: #0d1117; --text: #f0f6fc; --faint: #9198a1; --line: #3d444d; --ours: #3fb984; --peer: #6e7681; --bad: #f85149; }
}
text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 13px; fill: var(--text); }
.page { fill: var(--page); }
.head { font-size: 20px; font-weight: 600; }
.title { font-size: 14px; font-weight: 600; }
.faint { font-size: 12px; fill: var(--faint); }
.us { font-weight: 600; }
.line { stroke: var(--line); stroke-width: 1; }
.ours { fill: var(--ours); }
.peer { fill: var(--peer); }
.bad { fill: var(--bad); }
";

/// One line of a panel.
struct Bar {
    is_ours: bool,
    name: &'static str,
    value: String,
    /// Where the bar ends, and where the red part of it ends, as parts of the whole width.
    end: f64,
    bad: f64,
}

struct Panel {
    title: String,
    bars: Vec<Bar>,
    /// Where the lines of the scale are, and what they are called.
    ticks: Vec<(f64, String)>,
    values: f64,
}

/// Powers of ten from one to another.
struct Scale {
    unit: Unit,
    from: i32,
    to: i32,
}

/// What the values of a scale are.
#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Megabytes,
}

/// The whole picture.
pub(crate) fn draw(tools: &[Tool], plan: &Plan, results: &Results, environment: &str) -> String {
    let apply: fn(&Runs) -> &Measured = |runs| &runs.apply;
    let noop: fn(&Runs) -> &Measured = |runs| &runs.noop;
    let away = format!("server {} ms away each way", DISTANCE.as_millis());
    let [_, longest] = &plan.long;
    let rows = [
        [
            ("Nothing to do, beside the server".to_owned(), &results.near, noop),
            (format!("Nothing to do, {away}"), &results.far, noop),
        ],
        [
            (
                "First run, two migrations, beside the server".to_owned(),
                &results.near,
                apply,
            ),
            (format!("First run, two migrations, {away}"), &results.far, apply),
        ],
        [
            (
                format!("{} migrations, nothing to do", longest.count),
                &results.long[1],
                noop,
            ),
            (
                format!("{} migrations, all applied", longest.count),
                &results.long[1],
                apply,
            ),
        ],
    ];
    let mut panels: Vec<[Panel; 2]> = rows
        .into_iter()
        .map(|row| {
            let walls = row.iter().flat_map(|(_, runs, which)| {
                runs.iter()
                    .flatten()
                    .filter_map(|runs| which(runs).wall().or_else(|| limit_of(which(runs))))
            });
            let scale = Scale::of(Unit::Milliseconds, walls);
            row.map(|(title, runs, which)| times(title, tools, runs, which, &scale))
        })
        .collect();
    panels.push([0, 1].map(|index| meetings(tools, plan.instances[index].count, &results.instances[index])));
    panels.push(memory(&results.large));

    let panel_height = TITLE + AXIS + ROW * number(tools.len());
    let height = HEAD + panel_height * number(panels.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>zerostarter-db beside other tools</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n"
    );
    text(
        &mut svg,
        "head",
        "start",
        MARGIN,
        38.0,
        "zerostarter-db beside other tools",
    );
    text(&mut svg, "faint", "start", MARGIN, 60.0, environment);
    for (row, pair) in panels.iter().enumerate() {
        for (column, panel) in pair.iter().enumerate() {
            let left = MARGIN + (PANEL_WIDTH + GAP) * number(column);
            panel.draw(&mut svg, left, HEAD + panel_height * number(row));
        }
    }
    svg + "</svg>\n"
}

fn limit_of(measured: &Measured) -> Option<f64> {
    measured.over_limit.map(|limit| limit.as_secs_f64() * 1_000.0)
}

fn times(
    title: String,
    tools: &[Tool],
    all: &[Option<Runs>],
    which: fn(&Runs) -> &Measured,
    scale: &Scale,
) -> Panel {
    let bars = tools.iter().zip(all).map(|(tool, runs)| {
        let measured = runs.as_ref().map(which);
        let end = measured.and_then(Measured::wall).map(|wall| scale.place(wall));
        // A run that was ended, or an error, is a red bar: as long as it was let run, or a stump.
        let over = measured.and_then(limit_of).map(|limit| scale.place(limit));
        let has_failed = measured.is_some_and(|measured| measured.failures > 0);
        let bad = match (end, over) {
            (None, Some(over)) => over,
            (None, None) if has_failed => 0.02,
            _ => 0.0,
        };
        Bar {
            is_ours: tool.is_ours(),
            name: tool.name,
            value: measured.map_or_else(|| "left out".to_owned(), told),
            end: end.unwrap_or(bad),
            bad,
        }
    });
    Panel {
        title,
        bars: bars.collect(),
        ticks: scale.ticks(),
        values: VALUES,
    }
}

fn meetings(tools: &[Tool], count: usize, meetings: &[Option<Meeting>]) -> Panel {
    let bars = tools.iter().zip(meetings).map(|(tool, meeting)| {
        let (value, end, bad) = meeting.as_ref().map_or_else(
            || ("left out".to_owned(), 0.0, 0.0),
            |meeting| {
                let wall = median(meeting.walls.clone()).map_or_else(String::new, time);
                let value = match meeting.failures {
                    0 => format!("none failed, {wall}"),
                    _ => format!("{} failed, {wall}", failed(meeting)),
                };
                let bad = number(meeting.failures) / number(meeting.walls.len() * count);
                (value, 1.0, bad)
            },
        );
        Bar {
            is_ours: tool.is_ours(),
            name: tool.name,
            value,
            end,
            bad,
        }
    });
    Panel {
        title: format!("{count} instances at the same time on an empty database: failed, in red"),
        bars: bars.collect(),
        ticks: [0, count / 2, count]
            .map(|instances| (number(instances) / number(count), instances.to_string()))
            .to_vec(),
        values: LONG_VALUES,
    }
}

/// The two largest files of `INSERT` statements.
fn memory(rows: &[Row]) -> [Panel; 2] {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.form == Form::Insert).collect();
    let mut sizes: Vec<u32> = rows.iter().map(|row| row.megabytes).collect();
    sizes.dedup();
    let sizes = sizes.last_chunk::<2>().expect("files of two sizes");
    let peak_of = |row: &Row| {
        let apply = &row.runs.apply;
        apply.wall().map(|_| apply.peak_megabytes())
    };
    let shown = rows.iter().filter(|row| sizes.contains(&row.megabytes));
    let scale = Scale::of(Unit::Megabytes, shown.filter_map(|row| peak_of(row)));
    sizes.map(|megabytes| {
        let same_size = rows.iter().filter(|row| row.megabytes == megabytes);
        let bars = same_size.map(|row| Bar {
            is_ours: row.is_ours,
            name: row.tool,
            value: peak(&row.runs.apply),
            end: peak_of(row).map_or(0.02, |peak| scale.place(peak)),
            bad: peak_of(row).map_or(0.02, |_| 0.0),
        });
        Panel {
            title: format!("One pending file of {megabytes} MB: peak memory"),
            bars: bars.collect(),
            ticks: scale.ticks(),
            values: VALUES,
        }
    })
}

impl Scale {
    fn of(unit: Unit, values: impl Iterator<Item = f64>) -> Self {
        let (mut from, mut to) = (3, 0);
        for value in values {
            while value < 10_f64.powi(from) {
                from -= 1;
            }
            while value > 10_f64.powi(to) {
                to += 1;
            }
        }
        Self {
            unit,
            from,
            to: to.max(from + 1),
        }
    }

    /// As a part of the width.
    fn place(&self, value: f64) -> f64 {
        let place = (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        place.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        (self.from..=self.to)
            .map(|power| {
                let value = 10_f64.powi(power);
                let name = match self.unit {
                    Unit::Megabytes => format!("{value} MB"),
                    Unit::Milliseconds if power < 3 => format!("{value} ms"),
                    Unit::Milliseconds => format!("{} s", value / 1_000.0),
                };
                (self.place(value), name)
            })
            .collect()
    }
}

impl Panel {
    fn draw(&self, svg: &mut String, left: f64, top: f64) {
        text(svg, "title", "start", left, top + 14.0, &self.title);
        let start = left + NAMES;
        let width = PANEL_WIDTH - NAMES - self.values;
        let first = top + TITLE;
        let bottom = first + ROW * number(self.bars.len());
        for (place, name) in &self.ticks {
            let x = start + width * place;
            let _ = writeln!(
                svg,
                "<line class=\"line\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{first:.1}\" y2=\"{bottom:.1}\"/>"
            );
            text(svg, "faint", "middle", x, bottom + 15.0, name);
        }
        for (row, bar) in self.bars.iter().enumerate() {
            let y = first + ROW * number(row) + (ROW - BAR) / 2.0;
            let base = y + BAR - 3.0;
            let (class, weight) = if bar.is_ours {
                ("ours", "us")
            } else {
                ("peer", "them")
            };
            text(svg, weight, "end", start - 8.0, base, bar.name);
            rectangle(svg, class, start, y, width * bar.end);
            rectangle(svg, "bad", start, y, width * bar.bad);
            text(
                svg,
                weight,
                "start",
                start + width * bar.end + 7.0,
                base,
                &bar.value,
            );
        }
    }
}

fn rectangle(svg: &mut String, class: &str, x: f64, y: f64, width: f64) {
    if width > 0.0 {
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\"/>"
        );
    }
}

/// What is written here are names, figures and our own words: nothing that would have to be escaped.
fn text(svg: &mut String, class: &str, anchor: &str, x: f64, y: f64, words: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
    );
}
