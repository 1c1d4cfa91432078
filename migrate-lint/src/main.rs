//! The `cargo-migrate-lint` command; everything lives in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_lint::cli::main()
}
