//! Outlines of crates whose source is not read: std, Tokio and their kin.
//!
//! They are Rust, read by the same parser as all other code, and stand in the
//! tree as libraries that nobody asked about. An outline is not complete: a
//! name that it lacks is still one of that crate.

use super::members::Package;
use super::targets::{Target, TargetKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Crates by the name code knows them by; what follows two underscores tells
/// the parts of one apart.
const OUTLINES: &[(&str, &str)] = &[
    ("axum", include_str!("../../outlines/axum.rs")),
    ("futures", include_str!("../../outlines/futures.rs")),
    ("futures_channel", "pub use futures::channel::*;"),
    ("futures_executor", "pub use futures::executor::*;"),
    ("futures_lite", "pub use futures::{future, io, prelude, stream};"),
    ("futures_util", "pub use futures::*;"),
    ("hyper", include_str!("../../outlines/hyper.rs")),
    ("parking_lot", include_str!("../../outlines/parking_lot.rs")),
    ("rocket", "pub use tokio;"),
    ("std", include_str!("../../outlines/std.rs")),
    ("std__system", include_str!("../../outlines/std_system.rs")),
    ("tokio", include_str!("../../outlines/tokio.rs")),
    ("tokio__sync", include_str!("../../outlines/tokio_sync.rs")),
    ("tokio_stream", "pub use futures::stream::{Stream, StreamExt};"),
    ("tokio_util", include_str!("../../outlines/tokio_util.rs")),
    ("tonic", include_str!("../../outlines/tonic.rs")),
];

/// The crate that an outline is of.
pub(crate) fn crate_of(outline: &str) -> &str {
    outline.split("__").next().unwrap_or(outline)
}

/// A package for each outline.
pub(super) fn packages() -> impl Iterator<Item = Package> {
    OUTLINES.iter().map(|(name, outline)| {
        let name = name.to_string();
        let root = PathBuf::from(format!("<{name}>"));
        Package {
            lib_name: name.clone(),
            dir: PathBuf::new(),
            targets: vec![Target { kind: TargetKind::Lib, name: name.clone(), root }],
            name,
            dependencies: BTreeMap::new(),
            edition_2015: false,
            reported: false,
            bare: true,
            outline: Some(outline),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::extract::index_file;
    use super::super::names::{Interner, Names};
    use super::*;

    #[test]
    fn outlines_parse() {
        let names = Interner::default();
        for (name, text) in OUTLINES {
            if let Err(e) = index_file(text, &mut Names::new(&names)) {
                panic!("{name}: {}:{}: {}", e.place.0, e.place.1, e.message);
            }
        }
    }
}
