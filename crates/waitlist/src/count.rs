//! About how many people are on the list, so that nobody can tell from it who is.
//!
//! A client that sends an address and sees the count move knows that the address was not on the list. So the figure is old, and it
//! is drawn by lot: two figures that are as far apart as one entry moves them differ far more by the lot.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use zerostarter_pool::Pool;
use zerostarter_pool::queries::waitlist;

use crate::api_error::ApiError;

/// A smaller count is not shown: it would say too much about single people.
const SHOWN_FROM: i64 = 10;

/// The count is rounded down to a multiple.
const STEP: i64 = 5;

/// What the lot adds to a figure that is kept.
const LOT: RangeInclusive<i64> = -10..=10;

/// The last figure, and when it was found. Locked during a query: other requests wait for its figure.
#[derive(Default)]
pub(crate) struct Count(Mutex<Option<(Instant, i64)>>);

impl Count {
    /// The figure to show: 0 if it is too small. It is kept for `age`; if that is 0, it is the rounded count.
    pub(crate) async fn shown(&self, pool: &Pool, age: Duration) -> Result<i64, ApiError> {
        if age.is_zero() {
            return Ok(rounded(find(pool).await?));
        }
        let mut last = self.0.lock().await;
        if let Some((at, figure)) = *last
            && at.elapsed() < age
        {
            return Ok(figure);
        }
        let figure = drawn(find(pool).await?, rand::random_range(LOT));
        *last = Some((Instant::now(), figure));
        Ok(figure)
    }
}

async fn find(pool: &Pool) -> Result<i64, ApiError> {
    let client = pool.get().await?;
    Ok(waitlist::count().bind(&client).one().await?)
}

const fn rounded(count: i64) -> i64 {
    if count < SHOWN_FROM {
        0
    } else {
        count - count % STEP
    }
}

/// In steps as wide as the lot; what the lot alone could have made of a small count is not shown.
const fn drawn(count: i64, lot: i64) -> i64 {
    let figure = count + lot;
    if figure < SHOWN_FROM + *LOT.end() {
        0
    } else {
        figure - figure % *LOT.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{LOT, drawn, rounded};

    #[test]
    fn small_counts_are_not_shown_and_others_are_rounded_down() {
        let counts = [0, 1, 9, 10, 11, 14, 15, 19, 20, 1_234].map(rounded);
        assert_eq!(counts, [0, 0, 0, 10, 10, 10, 15, 15, 20, 1_230]);
    }

    /// Of the 21 lots, at most 3 tell a count from the next one.
    #[test]
    fn one_entry_hardly_changes_what_can_be_drawn() {
        for count in 0..200 {
            let told = LOT
                .filter(|lot| drawn(count, *lot) != drawn(count + 1, *lot))
                .count();
            assert!(told <= 3, "{count}: {told}");
        }
        for lot in LOT {
            assert_eq!(drawn(9, lot), 0);
            assert!((980..=1_010).contains(&drawn(1_000, lot)), "{lot}");
        }
    }
}
