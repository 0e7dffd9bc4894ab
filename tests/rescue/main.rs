//! Runs that are rescued: a step that is not finite, a disk that takes nothing, other settings on the way.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod beginnings;
mod disk;
mod rates;
mod rewinds;
#[path = "../tiny/mod.rs"]
mod tiny;
mod windy;
