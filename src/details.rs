//! What stands below the headline of an error.

use crate::attempt::describe;
use crate::error::{Denial, Error};
use crate::message::{Rejection, Site};

impl Error {
    /// What stands below the headline, a line each: causes, findings, the place in a file.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::Conflicts(conflicts) => conflicts.iter().map(ToString::to_string).collect(),
            Self::CommandLine(misuse) => misuse.details.clone(),
            Self::Config(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Database { source, .. } => database_details(source),
            Self::Denied(
                Denial::CreateDatabase { answer, .. } | Denial::Read { answer } | Denial::Role { answer },
            ) => vec![answer.clone()],
            Self::Interrupted {
                under_way,
                is_confirmed,
                remains,
                applied,
                ..
            } => interruption_details(under_way.as_deref(), *is_confirmed, remains.as_deref(), applied),
            Self::Locked {
                holder: Some(holder), ..
            } => vec![format!("in the way: {holder}")],
            Self::HistoryLocked { answer, holder } => std::iter::once(answer.clone())
                .chain(holder.iter().map(|holder| format!("in the way: {holder}")))
                .collect(),
            Self::LockTimeout { reason, wait, .. } => std::iter::once(reason.clone())
                .chain(wait.iter().map(|wait| format!("it waited for {wait}")))
                .collect(),
            Self::Migration { rejection, applied } => migration_details(rejection, applied),
            Self::NoSecondConnection { reason, .. } => vec![reason.clone()],
            Self::Output(source) | Self::Start(source) => vec![source.to_string()],
            #[cfg(feature = "api")]
            Self::Listen { source, .. } => vec![source.to_string()],
            #[cfg(feature = "api")]
            Self::Unhealthy { .. } => Vec::new(),
            Self::UnfitSession { unfit, .. } => unfit.clone(),
            Self::Preflight(findings) => findings.iter().map(ToString::to_string).collect(),
            Self::Refused { source, .. } | Self::Unreachable { source, .. } => {
                vec![source.to_string()]
            }
            Self::Denied(_)
            | Self::Dotenv(_)
            | Self::Engine(_)
            | Self::HistoryElsewhere { .. }
            | Self::Locked { holder: None, .. }
            | Self::Pending(_)
            | Self::ReadOnly { .. }
            | Self::Source { .. }
            | Self::Unconfirmed(_)
            | Self::UnknownTarget { .. } => Vec::new(),
        }
    }
}

fn database_details(error: &tokio_postgres::Error) -> Vec<String> {
    let mut lines = vec![describe(error)];
    if let Some(answer) = error.as_db_error() {
        lines.extend(answer.detail().map(|detail| format!("detail: {detail}")));
        lines.extend(answer.hint().map(|hint| format!("server's hint: {hint}")));
    }
    lines
}

fn migration_details(rejection: &Rejection, applied: &[String]) -> Vec<String> {
    let mut lines = vec![format!(
        "{} (SQLSTATE {})",
        rejection.message,
        rejection.sql_state.code()
    )];
    match &rejection.site {
        Site::Preparation => lines.push(format!("--> before {} was run", rejection.path)),
        Site::Commit => lines.push(format!(
            "--> after {} had been run, at its commit",
            rejection.path
        )),
        Site::File(place) => {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs stay tabs, so that the marker stands below its column however wide they are shown.
            let before = place.text.chars().take(place.column - 1);
            let lead: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            lines.push(format!(
                "{margin}--> {}:{}:{}",
                rejection.path, place.line, place.column
            ));
            lines.push(format!("{number} | {}", place.text));
            lines.push(format!("{margin} | {lead}^"));
        }
    }
    lines.extend(rejection.detail.as_ref().map(|text| format!("detail: {text}")));
    lines.extend(
        rejection
            .hint
            .as_ref()
            .map(|text| format!("server's hint: {text}")),
    );
    lines.extend(
        rejection
            .context
            .as_ref()
            .map(|text| format!("context: {}", text.replace('\n', " / "))),
    );
    lines.extend(
        rejection
            .remains
            .as_ref()
            .map(|remains| format!("it ran outside a transaction: {remains}")),
    );
    lines.push(applied_before(applied));
    lines
}

fn interruption_details(
    under_way: Option<&str>,
    is_confirmed: bool,
    remains: Option<&str>,
    applied: &[String],
) -> Vec<String> {
    let fate = match (under_way, is_confirmed, remains) {
        (Some(stem), true, Some(remains)) => Some(format!("{stem} was cancelled: {remains}")),
        (Some(stem), true, None) => Some(format!("{stem} was cancelled and rolled back")),
        (Some(stem), false, _) => Some(format!(
            "{stem} was under way, and the server has not said what became of it; the history will"
        )),
        (None, ..) => None,
    };
    let kept = (!applied.is_empty()).then(|| format!("applied, and kept: {}", applied.join(", ")));
    fate.into_iter().chain(kept).collect()
}

fn applied_before(applied: &[String]) -> String {
    match applied {
        [] => "nothing was applied before it".to_owned(),
        applied => format!("applied before it, and kept: {}", applied.join(", ")),
    }
}
