//! What becomes of connections and handlers, plain hyper on Tokio beside ours on the same Tokio: two tables,
//! each row of which is played against both. The tables are checked in; `GOLDEN=overwrite` writes them anew.
#![cfg(all(feature = "hosted", feature = "hyper", feature = "tower"))]

mod client;
mod plain;
mod regions;
mod service;

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use client::{LEAVES, Leave, STAYS, Stay};
use service::Side;

/// Longer than anything here takes: only what never comes is waited for so long.
const HANGS: Duration = Duration::from_secs(30);

/// Plays a row against one side.
fn play<R: Copy + Send + 'static>(
    row: R,
    play: fn(R, Side) -> [String; 2],
    side: Side,
) -> mpsc::Receiver<[String; 2]> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(play(row, side)).ok());
    told
}

/// Plays all rows at the same time, and compares.
#[track_caller]
fn compare<R: Copy + Send + 'static>(
    file: &str,
    head: &str,
    rows: &[(&str, R)],
    one: fn(R, Side) -> [String; 2],
) {
    let sides = [plain::side as Side, regions::side as Side];
    let played: Vec<_> =
        rows.iter().map(|(name, row)| (name, sides.map(|side| play(*row, one, side)))).collect();
    let mut table = head.to_owned();
    for (name, sides) in played {
        let cells = sides
            .map(|told| told.recv_timeout(HANGS).unwrap_or_else(|_| panic!("{name}: hangs or panicked")));
        table += &format!("| {name} | {} |\n", cells.concat().join(" | "));
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = manifest.join("tests/golden").join(file);
    if std::env::var_os("GOLDEN").is_some() {
        fs::write(&golden, &table).expect("it can be written");
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(table == expected, "{file} says\n{expected}\nand now it is\n{table}");
}

#[test]
fn a_client_that_leaves() {
    let head = "# What a handler hears of a client that leaves

In its request's region, a handler is asked to stop, goes on to clean up, and its finalizers run.

| the client | plain: the handler | its cleanup | regions: the handler | its cleanup |
|---|---|---|---|---|
";
    compare::<Leave>("disconnect.md", head, LEAVES, client::leave);
}

#[test]
fn a_server_that_is_asked_to_stop() {
    let head = "# What becomes of a connection when its server is asked to stop

hyper's own graceful shutdown, for as long as a drain budget lasts, beside `serve` with the same budget.

| the connection | plain: the shutdown | the client | regions: the shutdown | the client |
|---|---|---|---|---|
";
    compare::<Stay>("shutdown.md", head, STAYS, client::stay);
}
