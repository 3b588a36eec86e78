//! Lists, page by page.

use tokio_postgres::{Client, Error};
use zerostarter_queries::queries::{
    account, invitation, member, organization, session, team, team_member, user, verification, waitlist,
};

use super::connection::{Recorder, column, with_client};
use super::fixture::{for_each_table, insert, owners};

const COUNT: i64 = 4;

async fn keys_of(client: &Client, table: &str) -> Result<Vec<String>, Error> {
    column(client, &format!("SELECT id FROM \"{table}\" ORDER BY id")).await
}

#[test]
fn each_row_is_visited_once() {
    with_client(async |client| {
        owners(client).await?;
        macro_rules! visits {
            ($table:ident) => {
                let table = stringify!($table);
                // Not in the order of the keys, and the last page is full.
                for number in 0..16 - keys_of(client, table).await?.len() {
                    insert(client, table, &format!("k{:02}", number * 7 % 16)).await?;
                }
                let expected = keys_of(client, table).await?;
                assert_eq!(expected.len(), 16);

                let mut visited = Vec::new();
                let mut sizes = Vec::new();
                let mut after = None;
                loop {
                    let page = $table::list().bind(client, &after, &COUNT).all().await?;
                    sizes.push(page.len());
                    let Some(last) = page.last() else { break };
                    after = Some(last.id.clone());
                    visited.extend(page.into_iter().map(|row| row.id));
                }
                assert_eq!(visited, expected, "{table}");
                assert_eq!(sizes, [4, 4, 4, 4, 0], "{table}");
            };
        }
        for_each_table!(visits);
        Ok(())
    });
}

#[test]
fn rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others() {
    with_client(async |client| {
        owners(client).await?;
        macro_rules! visits {
            ($table:ident) => {
                let table = stringify!($table);
                for number in 0..10 {
                    insert(client, table, &format!("k{number}")).await?;
                }
                let mut visited = Vec::new();
                let mut after = None;
                for round in 0.. {
                    let page = $table::list().bind(client, &after, &COUNT).all().await?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.id.clone());
                    visited.extend(page.into_iter().map(|row| row.id));
                    // Behind the reader and before it, and the row at which the reader stands goes.
                    insert(client, table, &format!("a{round}")).await?;
                    if round < 3 {
                        insert(client, table, &format!("x{round}")).await?;
                    }
                    if round == 0 {
                        $table::delete().bind(client, &"k3").one().await?;
                    }
                }
                visited.retain(|id| id != "owner");
                assert_eq!(
                    visited,
                    [
                        "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "x0", "x1", "x2"
                    ],
                    "{table}"
                );
            };
        }
        for_each_table!(visits);
        Ok(())
    });
}

#[test]
fn a_page_is_read_from_the_index_of_the_primary_key() {
    with_client(async |client| {
        client
            .batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            .await?;
        let recorder = Recorder::new(client);
        macro_rules! reads {
            ($table:ident) => {
                let table = stringify!($table);
                $table::list()
                    .bind(&recorder, &None::<&str>, &COUNT)
                    .all()
                    .await?;
                let statement = recorder.statements().remove(0);
                client
                    .batch_execute(&format!("PREPARE {table}_page AS {statement}"))
                    .await?;
                for after in ["NULL", "'k'"] {
                    let sql = format!("EXPLAIN (COSTS OFF) EXECUTE {table}_page ({after}, 10)");
                    let plan = column(client, &sql).await?.join("\n");
                    assert!(
                        plan.contains(&format!("Index Scan using {table}_pkey")),
                        "{plan}"
                    );
                    assert!(
                        plan.contains("Index Cond: (id > COALESCE($1, ''::text))"),
                        "{plan}"
                    );
                    assert!(!plan.contains("Filter") && !plan.contains("Sort"), "{plan}");
                }
            };
        }
        for_each_table!(reads);
        Ok(())
    });
}
