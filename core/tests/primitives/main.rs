//! Locks and channels, each by hand: normal use, order, closing, and who drops what when.

#[path = "../hand/mod.rs"]
mod hand;

mod basic;
mod channels;
mod locks;
