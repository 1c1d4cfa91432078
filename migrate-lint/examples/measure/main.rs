//! Measures the linter against what is known of public repositories.
//!
//! ```sh
//! cargo run --release -p migrate-lint --example measure -- clone DIR
//! cargo run --release -p migrate-lint --example measure -- fates DIR
//! cargo run --release -p migrate-lint --example measure -- sites DIR
//! cargo run --release -p migrate-lint --example measure -- oracle DIR [NAME..]
//! cargo run --release -p migrate-lint --example measure -- speed DIR [NAME]
//! cargo run --release -p migrate-lint --example measure -- tasks PATH
//! ```
//!
//! `clone` fetches the repositories of `oracle/repositories.tsv` at their
//! commits into DIR; checkouts that are there already are used as they are.
//! `fates` compares with the labels of `oracle/fates.tsv`, `sites` with those
//! of `oracle/sites.tsv`, `oracle` with what clippy's resolver finds; `speed` takes times and memory, beside clippy's on
//! the repository NAME; `tasks` prints the tasks of one workspace.
//!
//! What `cargo migrate-lint` says of it: nothing.

mod fates;
mod oracle;
mod repositories;
mod scratch;
mod sites;
mod speed;
mod tasks;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["clone", dir] => repositories::clone(&PathBuf::from(dir)),
        ["fates", dir] => fates::run(&PathBuf::from(dir)),
        ["sites", dir] => sites::run(&PathBuf::from(dir)),
        ["oracle", dir, names @ ..] => oracle::run(&PathBuf::from(dir), names),
        ["speed", dir] => speed::run(&PathBuf::from(dir), None),
        ["speed", dir, name] => speed::run(&PathBuf::from(dir), Some(name)),
        ["one", path] => speed::one(&PathBuf::from(path)),
        ["tasks", path] => tasks::run(&PathBuf::from(path)),
        _ => {
            Err("usage: measure clone DIR | fates DIR | sites DIR | oracle DIR [NAME..] | speed DIR [NAME] \
                  | tasks PATH"
                .into())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
