//! Locks and channels, each by hand: normal use, order, closing, and who drops what when; and all of
//! them between real workers.

#[path = "../hand/mod.rs"]
mod hand;

mod basic;
mod channels;
mod locks;
mod scopes;
mod sizes;
mod stress;
mod turns;
