//! The lines below an error of the engine: the server's answer, the place, what stays applied.

use zerostarter_diagnostic::excerpt::shortened;

use super::rejection::{Rejection, Site};

/// The server's error in a migration, and its place.
pub(super) fn migration_details(rejection: &Rejection, applied: &[String]) -> Vec<String> {
    let mut lines = vec![format!(
        "{} (SQLSTATE {})",
        shortened(&rejection.message),
        rejection.sql_state.code()
    )];
    match &rejection.site {
        Site::Preparation => lines.push(format!("--> before {} was run", rejection.path)),
        Site::Commit => lines.push(format!("--> after {} was run, at its commit", rejection.path)),
        Site::File(place) => {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs stay tabs, so that the marker is below its column however wide a tab is.
            let before = place.before.chars();
            let lead: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            lines.push(format!(
                "{margin}--> {}:{}:{}",
                rejection.path, place.line, place.column
            ));
            lines.push(format!("{number} | {}", place.text));
            lines.push(format!("{margin} | {lead}^"));
        }
    }
    let labelled =
        |name: &str, text: &Option<String>| text.as_ref().map(|text| format!("{name}: {}", shortened(text)));
    lines.extend(labelled("detail", &rejection.detail));
    lines.extend(labelled("server's hint", &rejection.hint));
    let context = labelled("context", &rejection.context);
    lines.extend(context.map(|text| text.replace('\n', " / ")));
    lines.extend(labelled(
        "it ran without a transaction block",
        &rejection.leftovers,
    ));
    lines.extend(rejection.position.clone());
    lines.push(applied_line(applied));
    lines
}

/// What a run had applied before.
pub(super) fn applied_line(applied: &[String]) -> String {
    match applied {
        [] => "nothing was applied before it".to_owned(),
        applied => format!("applied before it, and kept: {}", applied.join(", ")),
    }
}

/// What a signal interrupted, and what stays.
pub(super) fn interruption_details(
    running: Option<&str>,
    is_confirmed: bool,
    leftovers: Option<&str>,
    applied: &[String],
) -> Vec<String> {
    let fate = match (running, is_confirmed, leftovers) {
        (Some(label), true, Some(leftovers)) => Some(format!("{label} was cancelled: {leftovers}")),
        (Some(label), true, None) => Some(format!("{label} was cancelled and rolled back")),
        (Some(label), false, _) => Some(format!(
            "{label} was running, and the server has not confirmed its end; the history table shows whether it was committed"
        )),
        (None, ..) => None,
    };
    let kept = (!applied.is_empty()).then(|| format!("applied, and kept: {}", applied.join(", ")));
    fate.into_iter().chain(kept).collect()
}
