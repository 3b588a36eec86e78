//! Rows of each table, from `insert` to `delete`, with every column that may be NULL as NULL and not.

mod groups;
mod people;
mod proofs;

/// Checks that rows, in the order of their keys, are all that `list` and `get` find.
macro_rules! holds {
    ($client:ident, $table:ident, $rows:expr) => {{
        let rows = $rows;
        let nothing: Option<&str> = None;
        assert_eq!($table::list().bind($client, &nothing, &10).all().await?, rows);
        for row in &rows {
            assert_eq!($table::get().bind($client, &row.id).one().await?, *row);
        }
        let after = Some(rows[0].id.as_str());
        assert_eq!($table::list().bind($client, &after, &10).all().await?, rows[1..]);
        assert_eq!($table::list().bind($client, &nothing, &1).all().await?, rows[..1]);
        assert_eq!($table::get().bind($client, &"nobody").opt().await?, None);
    }};
}
use holds;

/// Deletes rows one by one; each is returned, once, and those behind it stay.
macro_rules! deletes {
    ($client:ident, $table:ident, $rows:expr) => {{
        let rows = $rows;
        let nothing: Option<&str> = None;
        for (position, row) in rows.iter().enumerate() {
            assert_eq!($table::delete().bind($client, &row.id).one().await?, *row);
            assert_eq!($table::delete().bind($client, &row.id).opt().await?, None);
            let left = $table::list().bind($client, &nothing, &10).all().await?;
            assert_eq!(left, rows[position + 1..]);
        }
    }};
}
use deletes;
