//! The privileges that a run needs, checked before the first migration.

use super::snapshot::Snapshot;

/// What the database does not let us do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The role cannot create the history table and what the migrations create.
    #[error("the role {role} lacks the CREATE privilege on schema {schema}")]
    Create {
        /// The role.
        role: String,
        /// The schema.
        schema: String,
    },
    /// Row-level security may hide rows of the history table from the role.
    #[error("row-level security may hide rows of the history table from this role")]
    Hidden {
        /// What the server said.
        answer: String,
    },
    /// `schema=` names a schema that does not exist.
    #[error("the schema {schema} does not exist")]
    NoSchema {
        /// The schema.
        schema: String,
    },
    /// The role cannot read the history table.
    #[error("the history table cannot be read")]
    Read {
        /// What the server said.
        answer: String,
    },
    /// The role cannot add rows to the history table.
    #[error("the role {role} lacks the INSERT privilege on {table}")]
    Record {
        /// The role.
        role: String,
        /// The table.
        table: String,
    },
    /// The role of `MIGRATE_ROLE` cannot be set.
    #[error("MIGRATE_ROLE cannot be used")]
    Role {
        /// What the server said.
        answer: String,
    },
    /// The server is a standby.
    #[error("the database is a read-only standby, and migrations are pending")]
    Standby,
}

impl Denial {
    pub(super) fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Hidden { .. } => {
                return [
                    "set MIGRATE_ROLE to the role that owns refinery_schema_history, of which the role of the URL must be a member",
                    "or as its owner: ALTER TABLE refinery_schema_history DISABLE ROW LEVEL SECURITY; if the role of the URL is the owner, NO FORCE ROW LEVEL SECURITY is enough",
                ]
                .map(str::to_owned)
                .into();
            }
            Self::Create { role, schema } => {
                format!("as the owner of the database: GRANT CREATE ON SCHEMA {schema} TO {role}")
            }
            Self::NoSchema { schema } => {
                format!("as the owner of the database: CREATE SCHEMA {schema}; or correct schema= in the URL")
            }
            Self::Read { .. } => {
                "as the owner of the history table: GRANT SELECT ON refinery_schema_history to this role, and USAGE on its schema".to_owned()
            }
            Self::Record { role, table } => format!(
                "as the owner of the history table: GRANT INSERT ON {table} TO {role}, or set MIGRATE_ROLE to the role that owns the schema"
            ),
            Self::Role { .. } => {
                "set MIGRATE_ROLE to an existing role of which the login role is a member".to_owned()
            }
            Self::Standby => {
                "point POSTGRES_URL at the primary, or list both hosts and add target_session_attrs=read-write".to_owned()
            }
        };
        vec![hint]
    }
}

/// Checks that pending migrations can be applied and recorded.
pub(crate) fn check_privileges(snapshot: &Snapshot) -> Result<(), Denial> {
    let (role, schema) = (snapshot.role.clone(), snapshot.schema.clone());
    if snapshot.in_recovery {
        Err(Denial::Standby)
    } else if !snapshot.schema_exists {
        Err(Denial::NoSchema { schema })
    } else if snapshot.history.is_none() && !snapshot.may_create && snapshot.ledger.own_schema().is_none() {
        Err(Denial::Create { role, schema })
    } else if snapshot.history.is_some() && !snapshot.may_record {
        Err(Denial::Record {
            role,
            table: snapshot.history_table(),
        })
    } else {
        Ok(())
    }
}
