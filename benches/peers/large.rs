//! Large files: one pending migration with many rows, and what it needs in memory.

use std::fmt::Write as _;

use crate::experiment::Runs;
use crate::history::{Form, History};
use crate::plan::{Large, Plan};
use crate::sample::{self, Measured, Outcome};
use crate::table::told;
use crate::tool::Tool;
use zerostarter_test_harness::Server;

/// zerostarter-db may need so many MB, and the file so many times.
const MOST_MEMORY: u32 = 10;
const MOST_FILES: u32 = 2;

/// One tool on one file.
pub(crate) struct Row {
    pub(crate) tool: &'static str,
    pub(crate) is_ours: bool,
    pub(crate) form: Form,
    pub(crate) megabytes: u32,
    pub(crate) runs: Runs,
    /// Whether the benchmark fails if it is not within the goal.
    pub(crate) is_enforced: bool,
    keeps_history: bool,
}

/// Every size, first as `INSERT` statements, then as the data of one `COPY`.
pub(crate) fn measure(server: &Server, tools: &[Tool], plan: &Plan) -> Vec<Row> {
    let psql = Tool::psql();
    let tools: Vec<&Tool> = tools.iter().chain(&psql).collect();
    let mut all = Vec::new();
    for form in [Form::Insert, Form::Copy] {
        for large in plan.large.iter().filter(|large| large.rounds > 0) {
            all.extend(compare(server, &tools, plan, form, large));
        }
    }
    all
}

fn compare(server: &Server, tools: &[&Tool], plan: &Plan, form: Form, large: &Large) -> Vec<Row> {
    let bytes = usize::try_from(large.megabytes).expect("a size") * 1_000_000;
    let (history, count) = History::large(form, bytes);
    let takes_part = |tool: &&&Tool| tool.takes_large_files() && (form == Form::Insert || tool.copies());
    let tools: Vec<&&Tool> = tools.iter().filter(takes_part).collect();
    let mut rows: Vec<Row> = tools
        .iter()
        .map(|tool| Row {
            tool: tool.name,
            is_ours: tool.is_ours(),
            form,
            megabytes: large.megabytes,
            runs: Runs::default(),
            is_enforced: tool.is_ours() && large.is_enforced,
            keeps_history: tool.keeps_history(),
        })
        .collect();
    for round in 0..large.rounds {
        for turn in 0..tools.len() {
            let index = (round + turn) % tools.len();
            let (tool, runs) = (tools[index], &mut rows[index].runs);
            let database = server.database();
            let outcome = sample::run(tool, &history, &database.url(), plan.limit);
            runs.apply.record(&outcome);
            if !matches!(outcome, Outcome::Done(_)) {
                // The server may still be at work on the file, or in recovery.
                server.restart();
                continue;
            }
            let made = database.rows("SELECT count(*) FROM item");
            assert_eq!(made, [count.to_string()], "{} made something else", tool.name);
            if tool.keeps_history() {
                let outcome = sample::run(tool, &history, &database.url(), plan.limit);
                runs.noop.record(&outcome);
            }
        }
    }
    rows
}

impl Row {
    fn form(&self) -> &'static str {
        match self.form {
            Form::Insert => "`INSERT`",
            Form::Copy => "`COPY`",
        }
    }

    /// In MB.
    fn goal(&self) -> u32 {
        MOST_MEMORY + MOST_FILES * self.megabytes
    }

    /// Every run has succeeded, with no more memory than zerostarter-db may need.
    pub(crate) fn is_within_goal(&self) -> bool {
        [&self.runs.apply, &self.runs.noop].iter().all(|measured| {
            measured.failures == 0
                && measured.over_limit.is_none()
                && measured.peak_megabytes() <= f64::from(self.goal())
        })
    }
}

/// The figures, and whether zerostarter-db is within its goal.
pub(crate) fn report(rows: &[Row]) -> String {
    let mut text = String::from(
        "| | rows as | file | applied | peak memory | nothing to do | peak memory | runs |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let noop = if row.keeps_history {
            told(&row.runs.noop)
        } else {
            "no history".to_owned()
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} MB | {} | {} | {noop} | {} | {} |",
            row.tool,
            row.form(),
            row.megabytes,
            told(&row.runs.apply),
            peak(&row.runs.apply),
            peak(&row.runs.noop),
            row.runs.apply.runs(),
        );
    }
    text.push('\n');
    let ours: Vec<&Row> = rows.iter().filter(|row| row.is_ours).collect();
    let missed: Vec<String> = ours
        .iter()
        .filter(|row| !row.is_within_goal())
        .map(|row| format!("{} MB of {}", row.megabytes, row.form()))
        .collect();
    let verdict = if missed.is_empty() {
        "reached".to_owned()
    } else {
        format!("missed with {}", missed.join(", "))
    };
    let _ = writeln!(
        text,
        "zerostarter-db's peak memory, at most {MOST_MEMORY} MB and twice the file: {verdict}."
    );
    text
}

/// The most of all runs, or why there is none.
pub(crate) fn peak(measured: &Measured) -> String {
    if measured.wall().is_some() {
        format!("{:.1} MB", measured.peak_megabytes())
    } else {
        told(measured)
    }
}
