//! Every waiting operation of locks and channels, and of a root, cancelled everywhere.
//!
//! A case puts a victim and others on one object. It is run once undisturbed, and then once for each
//! step of that run: before that step the victim is put under Request, or its future is dropped. However
//! that goes, everybody else must come to their end, the victim too unless it was dropped, and what
//! the case conserves (permits, values, turns) must be conserved. All of it in several orders, with
//! a new waker for each poll.

#[path = "../hand/mod.rs"]
mod hand;

mod answered;
mod channels;
mod locks;
mod roots;
mod stage;

use stage::Case;

fn cases() -> Vec<Case> {
    [locks::CASES, channels::CASES, answered::CASES, roots::CASES].concat()
}

#[test]
fn nobody_is_stuck_and_nothing_is_lost() {
    for case in cases() {
        stage::everywhere(case);
    }
}
