//! The last line of a terminal: the progress of the run, redrawn in place.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::sleep;
use zerostarter_console::Output;
use zerostarter_diagnostic::duration::in_seconds;
use zerostarter_migrate::watch::{Progress, State};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// When a migration is first shown. A shorter one would show a line that disappears at once.
const FIRST: Duration = Duration::from_millis(300);

/// How many characters represent the whole run.
const WIDTH: usize = 20;

/// Does `work`, and draws its progress meanwhile.
pub(crate) async fn draw_during<T>(work: impl Future<Output = T>, progress: &Progress, output: &Output) -> T {
    progress.lock().is_drawn = true;
    let mut work = pin!(work);
    loop {
        match select(work.as_mut(), pin!(sleep(INTERVAL))).await {
            Either::Left((outcome, _)) => {
                output.erase();
                return outcome;
            }
            Either::Right(_) => match line(&progress.lock()) {
                Some(line) => output.draw(&line),
                None => output.erase(),
            },
        }
    }
}

/// `None` unless a migration takes longer than a moment: the log says what the run waits for otherwise.
fn line(state: &State) -> Option<String> {
    let sent = state.running.as_ref()?;
    let elapsed = sent.at.elapsed();
    if elapsed < FIRST {
        return None;
    }
    let (done, all) = (state.applied.len(), state.pending?);
    let doing = sent
        .activity
        .as_ref()
        .map_or_else(String::new, |activity| format!(", {}", activity.text));
    let percent = sent
        .activity
        .as_ref()
        .and_then(|activity| activity.percent)
        .unwrap_or_default();
    let filled = (WIDTH * (100 * done + usize::from(percent.min(100))))
        .checked_div(100 * all)
        .unwrap_or_default()
        .min(WIDTH);
    Some(format!(
        "[{}{}] {done} of {all}, {} for {}{doing}",
        "#".repeat(filled),
        ".".repeat(WIDTH - filled),
        sent.name,
        in_seconds(elapsed)
    ))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use zerostarter_migrate::watch::{Activity, Done, Sent, State};

    use super::line;

    #[test]
    fn the_line_has_what_is_done_and_what_is_running() {
        let done = Done {
            label: "V1__one".to_owned(),
            version: 1,
            took: Duration::from_millis(5),
            attempts: 1,
        };
        let mut sent = Sent::now("V2__two".to_owned(), &[]);
        let mut state = State::default();
        state.applied = vec![done];
        state.pending = Some(4);
        state.running = Some(sent.clone());
        assert_eq!(line(&state), None);
        sent.at = Instant::now()
            .checked_sub(Duration::from_secs(70))
            .expect("a time");
        state.running = Some(sent.clone());
        assert_eq!(
            line(&state).unwrap(),
            "[#####...............] 1 of 4, V2__two for 1m 10s"
        );
        sent.activity = Some(Activity {
            text: "CREATE INDEX, building index, 80 %".to_owned(),
            percent: Some(80),
        });
        state.running = Some(sent);
        assert_eq!(
            line(&state).unwrap(),
            "[#########...........] 1 of 4, V2__two for 1m 10s, CREATE INDEX, building index, 80 %"
        );
    }
}
