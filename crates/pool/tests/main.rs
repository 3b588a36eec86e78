//! The pool and the typed queries, with a real PostgreSQL.

mod pool;
mod queries;
mod support;
