//! Finds unscoped task spawns and their kin in Tokio code, without building
//! it.
//!
//! The way of a run: [`load`] finds packages, walks the module tree of each
//! target and indexes every file; [`resolve`] decides which uses mean the
//! functions that [`rules`] watch and `judge` words what they say; [`settle`]
//! applies what people decided ([`suppress`], [`config`], [`baseline`]); the
//! [`Report`] of [`mod@check`] is what [`render`] shows. If asked to, [`precise`]
//! lets clippy settle what syntax does not tell. Invariants: output depends on the
//! input only (no thread order, no hash order); what cannot be decided is
//! listed as unknown, what cannot be read as a problem, never dropped.

#![forbid(unsafe_code)]

pub mod baseline;
pub mod check;
pub mod cli;
pub mod config;
pub mod debt;
pub mod facts;
pub mod fate;
pub mod fix;
pub mod identity;
mod judge;
pub mod kin;
mod lex;
pub mod load;
pub mod place;
pub mod precise;
mod reach;
pub mod render;
pub mod resolve;
pub mod rule;
pub mod rules;
pub mod settle;
pub mod sites;
pub mod suppress;
pub mod types;

pub use check::{Options, Report, check};
