//! The last line of a terminal: how far the run has come, drawn anew in its place.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::sleep;

use crate::duration::in_seconds;
use crate::output::Output;
use crate::progress::{Progress, State};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// A migration that is done by then is not worth a line that vanishes at once.
const FIRST: Duration = Duration::from_millis(300);

/// How many characters stand for the whole of the run.
const WIDTH: usize = 20;

/// Does `work`, and draws its progress meanwhile.
pub(crate) async fn beside<T>(work: impl Future<Output = T>, progress: &Progress, output: &Output) -> T {
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

/// Nothing while no migration takes its time: then the log says what is waited for.
fn line(state: &State) -> Option<String> {
    let sent = state.under_way.as_ref()?;
    let elapsed = sent.at.elapsed();
    if elapsed < FIRST {
        return None;
    }
    let (done, all) = (state.applied.len(), state.pending?);
    let doing = sent
        .stage
        .as_ref()
        .map_or_else(String::new, |stage| format!(", {}", stage.text));
    let percent = sent
        .stage
        .as_ref()
        .and_then(|stage| stage.percent)
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

    use super::line;
    use crate::progress::{Done, Sent, Stage, State};

    #[test]
    fn the_line_has_what_is_done_and_what_is_under_way() {
        let done = Done {
            stem: "V1__one".to_owned(),
            version: 1,
            took: Duration::from_millis(5),
            tries: 1,
        };
        let mut sent = Sent::now("V2__two".to_owned(), &[]);
        let mut state = State {
            applied: vec![done],
            pending: Some(4),
            under_way: Some(sent.clone()),
            ..State::default()
        };
        assert_eq!(line(&state), None);
        sent.at = Instant::now()
            .checked_sub(Duration::from_secs(70))
            .expect("a time");
        state.under_way = Some(sent.clone());
        assert_eq!(
            line(&state).unwrap(),
            "[#####...............] 1 of 4, V2__two for 1m 10s"
        );
        sent.stage = Some(Stage {
            text: "CREATE INDEX, building index, 80 %".to_owned(),
            percent: Some(80),
        });
        state.under_way = Some(sent);
        assert_eq!(
            line(&state).unwrap(),
            "[#########...........] 1 of 4, V2__two for 1m 10s, CREATE INDEX, building index, 80 %"
        );
    }
}
