//! Race, select, join, timeout and shield: each polls its bodies in place, in scopes of their own, and
//! returns only when every body is gone. A loser gets Request and drains; it is never just dropped.
//!
//! | file | what |
//! |---|---|
//! | `arm` | one body among several, and what its end does to the others |
//! | `race` | the first that ends wins: `race`, `select`, `race_all`, `select_all` |
//! | `join` | all of them: `join`, `join_outcomes`, `join_all`, `join_all_outcomes` |
//! | `limit` | one body and a limit: `timeout`, `deadline`, `shield` |

mod arm;
mod join;
mod limit;
mod race;

pub use race::{Either, Selected, SelectedAll};
