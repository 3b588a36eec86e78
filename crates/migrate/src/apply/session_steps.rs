//! The migrations of a session that do not run in one transaction.

use super::failure::Failure;
use super::guard::Context;
use super::pending::Recorded;
use super::script::Script;
use super::session::{Session, WITHOUT};
use super::steps::StepsRun;
use super::worker::Demand;
use crate::sql::{NonTransactional, Step};

impl Session<'_> {
    /// Applies the only statement of a file without a transaction block.
    pub(super) async fn apply_without(
        &mut self,
        file: &Recorded<'_>,
        statement: &NonTransactional,
    ) -> (Result<Option<i64>, Failure>, String) {
        let step = Step::alone(file.pending.contents.pieces.clone(), statement.clone());
        (self.apply_steps(file, &[step]).await, WITHOUT.to_owned())
    }

    /// Holds the lock in a separate transaction, the guard, while the steps of `file` run on another connection.
    pub(super) async fn apply_steps(
        &mut self,
        file: &Recorded<'_>,
        steps: &[Step],
    ) -> Result<Option<i64>, Failure> {
        let outcome = self.run_guarded(file, steps).await;
        match &outcome {
            // The server may still have the guard's session; the next pass terminates it.
            Err(Failure::Lost(_)) => return outcome,
            Err(_) => self.roll_back([]).await,
            Ok(_) => {}
        }
        self.progress.lock().guard = None;
        outcome
    }

    async fn run_guarded(&mut self, file: &Recorded<'_>, steps: &[Step]) -> Result<Option<i64>, Failure> {
        let migration = file.migration();
        let demand = match steps {
            [step] => step.non_transactional.as_ref().map(Demand::of_statement),
            _ => None,
        };
        let demand = demand.or_else(|| Demand::of(&file.pending.contents));
        if !self.prepare_history.is_empty() {
            self.ask(migration, self.script().create_history_table()).await?;
            self.prepare_history = Vec::new();
        }
        let guard = self.ask(migration, self.script().guard(migration)).await?;
        self.progress.lock().guard = guard.and_then(|guard| guard.value);
        self.ask(migration, vec![Script::KEEP_GUARD.to_owned()]).await?;
        let mut run = StepsRun {
            context: Context {
                config: self.config,
                snapshot: self.snapshot,
                progress: self.progress,
                guard: self.connection,
                file: &file.pending,
            },
            steps,
            blocked: None,
            notes: None,
        };
        // Boxed, because most runs have no steps.
        let outcome = Box::pin(run.run(demand.unwrap_or_default())).await;
        let notes = run.notes.filter(|notes| notes.is_writable);
        self.blocked = run.blocked;
        outcome?;
        self.progress.lock().leftovers = Some("it is done; the next run records it".to_owned());
        let without = notes.map(|notes| notes.without(migration));
        let recording = self
            .script()
            .record_done(&file.pending, &file.insert, without.as_ref());
        let confirmed = self.ask(migration, recording).await?;
        Ok(self.confirmed(confirmed))
    }
}
