//! The typed queries of the schema, on the schema that the migrations make.

mod app;
mod cascades;
mod connection;
mod constraints;
mod coverage;
mod fixture;
mod joins;
mod pages;
mod relations;
mod rows;
mod secrets;
mod times;
mod world;
