//! Panics of tasks in a lab: outcomes, and told there. Many runs of a search that fails would print many;
//! what is kept of them is where they were.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use crate::lab;

thread_local! {
    /// The messages and places of this thread's panics in the last run.
    static LAST: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Enough to find the one that was told.
const MOST: usize = 16;

/// From now on, panics in labs are kept and not printed.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| match lab::is_running() {
            true => push(info),
            false => before(info),
        }));
    });
}

fn push(info: &PanicHookInfo<'_>) {
    let (Some(message), Some(place)) = (info.payload_as_str(), info.location()) else { return };
    LAST.with_borrow_mut(|last| {
        if last.len() < MOST {
            last.push((message.to_owned(), place.to_string()));
        }
    });
}

/// A run begins.
pub(crate) fn clear() {
    LAST.with_borrow_mut(Vec::clear);
}

/// Where the panics of the last run were that `told` tells of.
pub(crate) fn places(told: &str) -> Vec<String> {
    LAST.with_borrow(|last| {
        let told = last.iter().filter(|(message, _)| told.contains(message));
        told.map(|(_, place)| place.clone()).collect()
    })
}
