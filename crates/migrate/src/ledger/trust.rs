//! Trust in the history table: which table may be read and written with our privileges.
//!
//! A role that may create in the schema can create the history table before the first run: as a view whose function runs in our
//! session, or with a trigger on it. So a table counts only if its owner could act as us in any case: our role, that of
//! `MIGRATE_ROLE`, the owner of the database, a superuser, or a member of one of these. The same holds for the functions and
//! operators that its triggers, rules and policies call.

use std::fmt;

use super::lock::raise_unless;

/// The complaint of the server if the table is not trusted. Lines with the facts follow.
const UNTRUSTED: &str = "zerostarter-db: untrusted history table";

/// How the server looks at the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scrutiny {
    /// It refuses everything but an ordinary table without triggers, rules and policies. Planning joins of the catalog takes
    /// longer than everything else in a run.
    #[default]
    Quick,
    /// It finds out whose functions the triggers, rules and policies call.
    Thorough,
}

/// How the table is used, which decides the lock that keeps it as it is until the end of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// No other session can replace it, or make a rule or a policy.
    Read,
    /// Nor can it make a trigger.
    Write,
}

/// A statement that locks the table. It reads nothing: a query on a view could call functions while it is planned.
pub(crate) fn lock(table: &str, access: Access) -> String {
    let mode = match access {
        Access::Read => "ACCESS SHARE",
        Access::Write => "ROW EXCLUSIVE",
    };
    format!("LOCK TABLE ONLY {table} IN {mode} MODE")
}

/// A statement that raises unless the relation of `oid` is trusted, in any search path. It returns no row.
///
/// The planner cannot fold the cast, because its operand depends on the row.
pub(crate) fn check(scrutiny: Scrutiny, oid: &str) -> String {
    let facts = match scrutiny {
        Scrutiny::Quick => format!("pg_catalog.concat('{UNTRUSTED}', history.relkind)"),
        Scrutiny::Thorough => format!(
            "pg_catalog.concat_ws(pg_catalog.chr(10), '{UNTRUSTED}', history.relkind, \
               pg_catalog.format('%I.%I', CAST(history.relnamespace AS pg_catalog.regnamespace), history.relname), \
               pg_catalog.pg_get_userbyid(history.relowner), attached.what, attached.owner)"
        ),
    };
    format!(
        "SELECT CAST({facts} AS integer) FROM {}",
        untrusted(scrutiny, oid)
    )
}

/// A statement that raises `complaint` unless the relation of `oid` is trusted.
pub(crate) fn raise_if_untrusted(scrutiny: Scrutiny, oid: &str, complaint: &str) -> String {
    let condition = format!("NOT EXISTS (SELECT FROM {})", untrusted(scrutiny, oid));
    raise_unless(&condition, complaint)
}

/// The relation of `oid`, if it is not trusted: what follows FROM.
fn untrusted(scrutiny: Scrutiny, oid: &str) -> String {
    let is_ordinary = format!(
        "history.relkind OPERATOR(pg_catalog.=) 'r' AND {}",
        may_act_as_us("history.relowner")
    );
    let (attached, is_alone) = match scrutiny {
        Scrutiny::Quick => (
            String::new(),
            "NOT history.relhastriggers AND NOT history.relhasrules AND NOT history.relrowsecurity",
        ),
        Scrutiny::Thorough => (
            format!("LEFT JOIN LATERAL ({}) AS attached ON true", attached()),
            "attached.what IS NULL",
        ),
    };
    format!(
        "pg_catalog.pg_class AS history {attached} \
         WHERE history.oid OPERATOR(pg_catalog.=) {oid} AND NOT ({is_ordinary} AND {is_alone})"
    )
}

/// One trigger, rule, policy, default or constraint of the table that calls what another role may change: the function of a
/// trigger, and each function and operator in a condition. What depends on the table only because it refers to it, such as
/// a view, has another kind of dependency. The system's own functions have none.
fn attached() -> String {
    let is = |column: &str, catalog: &str| {
        format!("{column} OPERATOR(pg_catalog.=) CAST('pg_catalog.{catalog}' AS pg_catalog.regclass)")
    };
    format!(
        "SELECT pg_catalog.pg_describe_object(used.classid, used.objid, 0) AS what, \
           pg_catalog.pg_get_userbyid(COALESCE(called.proowner, operator.oprowner)) AS owner \
         FROM pg_catalog.pg_depend AS part \
         JOIN pg_catalog.pg_depend AS used \
           ON used.classid OPERATOR(pg_catalog.=) part.classid AND used.objid OPERATOR(pg_catalog.=) part.objid \
         LEFT JOIN pg_catalog.pg_proc AS called \
           ON {is_function} AND called.oid OPERATOR(pg_catalog.=) used.refobjid \
         LEFT JOIN pg_catalog.pg_operator AS operator \
           ON {is_operator} AND operator.oid OPERATOR(pg_catalog.=) used.refobjid \
         WHERE {of_relation} AND part.refobjid OPERATOR(pg_catalog.=) history.oid \
           AND part.deptype OPERATOR(pg_catalog.=) 'a' \
           AND NOT {trusted} LIMIT 1",
        is_function = is("used.refclassid", "pg_proc"),
        is_operator = is("used.refclassid", "pg_operator"),
        of_relation = is("part.refclassid", "pg_class"),
        trusted = may_act_as_us("COALESCE(called.proowner, operator.oprowner)"),
    )
}

/// The condition that `role` can act as a role whose code runs in our session in any case. Whether we are a member of `role`
/// says nothing: a superuser is a member of all, and since PostgreSQL 16 the creator of a role is a member of it.
pub(crate) fn may_act_as_us(role: &str) -> String {
    let member = |of: &str| format!("pg_catalog.pg_has_role({role}, {of}, 'MEMBER')");
    format!(
        "({} OR {} OR {})",
        member("CAST('pg_database_owner' AS pg_catalog.name)"),
        member("current_user"),
        member("session_user")
    )
}

/// A relation with the name of the history table that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untrusted {
    kind: char,
    table: String,
    owner: String,
    /// What is attached to the table, and whose code that calls.
    attached: Option<(String, String)>,
}

impl Untrusted {
    /// Whether the quick check has complained.
    pub(super) fn is_complaint(message: &str) -> bool {
        message.contains(UNTRUSTED)
    }

    /// Reads the complaint of the thorough check.
    pub(super) fn parse(message: &str) -> Option<Self> {
        let (_, facts) = message.split_once(UNTRUSTED)?;
        let facts = facts.strip_suffix('"').unwrap_or(facts);
        let mut facts = facts.split('\n').skip(1).map(str::to_owned);
        let mut untrusted = Self {
            kind: facts.next()?.chars().next()?,
            table: facts.next()?,
            owner: facts.next()?,
            attached: None,
        };
        let attached = facts.next().zip(facts.next());
        untrusted.attached = attached.filter(|(_, role)| untrusted.kind == 'r' && *role != untrusted.owner);
        Some(untrusted)
    }

    /// What to do about it.
    pub(super) fn hints(&self) -> Vec<String> {
        let Self { table, owner, .. } = self;
        let remove = format!(
            "as a superuser, find out what else {owner} has created, and drop {table}, which can run code with the privileges of this role"
        );
        match (&self.attached, self.kind) {
            (Some((what, role)), _) => vec![format!(
                "drop the {what}, or if you trust {role}, give what it calls to {owner}: ALTER FUNCTION … OWNER TO {owner}"
            )],
            (None, 'r') => vec![
                remove,
                format!(
                    "if you trust {owner}: set MIGRATE_ROLE={owner}, or as a superuser: ALTER TABLE {table} OWNER TO the role of the migrations or the owner of the database"
                ),
            ],
            (None, _) => vec![remove],
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, owner, .. } = self;
        if let Some((what, role)) = &self.attached {
            return write!(
                f,
                "the history table {table} has the {what}, which calls code of {role}"
            );
        }
        let kind = match self.kind {
            'r' => {
                return write!(
                    f,
                    "the history table {table} belongs to {owner}, which is neither the role of this run, nor the owner of the database, nor a superuser, nor a member of these"
                );
            }
            'v' => "a view",
            'm' => "a materialized view",
            'f' => "a foreign table",
            'p' => "a partitioned table",
            _ => "another kind of relation",
        };
        write!(f, "{table} is {kind} of {owner}, not an ordinary table")
    }
}

#[cfg(test)]
mod tests {
    use super::Untrusted;

    #[test]
    fn a_complaint_in_any_language_is_read() {
        let message = "ungültige Eingabesyntax für Typ integer: „zerostarter-db: untrusted history table\nv\npublic.t\nevil\"";
        let untrusted = Untrusted::parse(message).expect("facts");
        assert_eq!(
            untrusted.to_string(),
            "public.t is a view of evil, not an ordinary table"
        );
        assert_eq!(Untrusted::parse("zerostarter-db: untrusted history tabler"), None);
    }
}
