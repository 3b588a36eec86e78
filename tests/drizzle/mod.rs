//! Folders and tables of drizzle-kit: what is pending, how it is applied, and the real drizzle-kit of both lines beside us.

mod adopt;
mod applying;
mod counterpart;
mod crashes;
mod folder;
mod layouts;
mod pending;
