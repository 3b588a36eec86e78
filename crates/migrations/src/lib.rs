//! The migrations of `migrations/`, embedded by refinery.

#![forbid(unsafe_code)]

use zerostarter_migrate::source::{Embedded, EmbeddedFile, Source};

mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "the macro writes this code")]
    refinery::embed_migrations!("../../migrations");
}

/// What the build script knows about the files that the macro embeds.
#[expect(clippy::unreadable_literal, reason = "the build script writes this list")]
const FILES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/embedded_files.rs"));

static EMBEDDED: Embedded = Embedded::new(FILES, || embedded::migrations::runner().get_migrations().clone());

/// The migrations.
#[must_use]
pub fn source() -> Source {
    Source::Embedded(&EMBEDDED)
}
