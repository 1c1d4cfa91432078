//! Every waiting operation of locks and channels, cancelled everywhere.
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
mod stage;

use std::collections::BTreeSet;
use std::path::Path;

use stage::Case;

fn cases() -> Vec<Case> {
    [locks::CASES, channels::CASES, answered::CASES].concat()
}

#[test]
fn nobody_is_stuck_and_nothing_is_lost() {
    for case in cases() {
        stage::everywhere(case);
    }
}

/// A public async function without a case fails here.
#[test]
fn every_waiting_function_has_a_case() {
    let cases = cases();
    let covered: BTreeSet<&str> = cases.iter().filter_map(|(name, _)| name.split(' ').next()).collect();
    let mut functions = 0;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.join("sync"), source.join("channel")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // The module of `channel/mpsc/mod.rs` is `mpsc`.
            let module = if path.ends_with("mod.rs") { &folder } else { &path };
            let module = module.file_stem().unwrap().to_str().unwrap();
            for rest in text.split("pub async fn ").skip(1) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let name = format!("{module}::{name}");
                assert!(covered.contains(&name[..]), "`{name}` has no case");
                functions += 1;
            }
        }
    }
    assert_eq!(functions, covered.len(), "a case is named after no function");
}
