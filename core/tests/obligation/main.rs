//! Obligations on the native host: each kind, each way to end, and what their region tells.
//!
//! - `cases`: the kinds behind one face, and who watches how each ended
//! - `held`: in the closure; `detached`: out of it, and the region's account
//! - `channels`: what mpsc, delivery and call promise beside that
//! - `programs`: what must compile (what must not: `../ui`)

mod cases;
mod channels;
mod detached;
mod held;
mod programs;
