//! What is known of crates whose source is not read.
//!
//! Tokio's own module layout is public and stable, so globs of it are exact.
//! A crate that is known to have a `spawn` of its own settles a path to it as
//! "not Tokio's"; any other crate may re-export Tokio's, and stays unknown.

/// Crates that are Tokio to the code that names them.
const TOKIO_ALIKE: &[&str] = &["tokio", "madsim_tokio"];

/// Crates that re-export all of Tokio as a module.
const RE_EXPORTERS: &[(&str, &str)] = &[("rocket", "tokio")];

/// Crates whose `spawn` is their own, and whose globs bring in no Tokio.
const OTHERS: &[&str] = &[
    "actix",
    "actix_rt",
    "actix_web",
    "alloc",
    "anyhow",
    "async_executor",
    "async_global_executor",
    "async_process",
    "async_std",
    "async_trait",
    "axum",
    "bevy",
    "bevy_tasks",
    "bytes",
    "clap",
    "compio",
    "core",
    "crossbeam",
    "crossbeam_utils",
    "embassy_executor",
    "futures",
    "futures_core",
    "futures_lite",
    "futures_util",
    "gio",
    "glib",
    "glommio",
    "gtk",
    "http",
    "hyper",
    "itertools",
    "libc",
    "loom",
    "monoio",
    "nix",
    "num_traits",
    "proc_macro",
    "proptest",
    "prost",
    "quickcheck",
    "rand",
    "rayon",
    "regex",
    "rstest",
    "serde",
    "serde_json",
    "shuttle",
    "smol",
    "std",
    "syn",
    "tauri",
    "test",
    "thiserror",
    "tokio_stream",
    "tokio_uring",
    "tokio_util",
    "tower",
    "tower_http",
    "tracing",
    "tracing_subscriber",
    "url",
    "uuid",
    "wasm_bindgen",
    "wasm_bindgen_futures",
];

/// What a glob of a module brings in, as far as it can matter here: functions
/// and modules that lead to them.
const TOKIO_MODULES: &[(&str, &[&str])] = &[
    (
        "tokio",
        &[
            "fs", "io", "net", "process", "runtime", "signal", "spawn", "stream", "sync", "task",
            "time",
        ],
    ),
    (
        "tokio::task",
        &[
            "block_in_place",
            "consume_budget",
            "coop",
            "futures",
            "id",
            "join_set",
            "spawn",
            "spawn_blocking",
            "spawn_local",
            "try_id",
            "unconstrained",
            "yield_now",
        ],
    ),
];

/// Brings a path into an unread crate to the form rules use: Tokio under its
/// own name, re-exports followed.
pub(super) fn canonical(mut path: Vec<String>) -> Vec<String> {
    if let [outer, inner, ..] = path.as_slice()
        && RE_EXPORTERS.contains(&(outer, inner))
    {
        path.remove(0);
    }
    if let Some(first) = path.first_mut()
        && TOKIO_ALIKE.contains(&first.as_str())
    {
        *first = "tokio".into();
    }
    path
}

/// Whether everything about this crate's names is known to be its own.
pub(super) fn is_settled(krate: &str) -> bool {
    krate == "tokio" || OTHERS.binary_search(&krate).is_ok()
}

/// Whether `name` comes in through a glob of `module`; `None` if unknown.
pub(super) fn glob_has(module: &[String], name: &str) -> Option<bool> {
    let krate = module.first()?;
    if krate == "tokio" {
        let path = module.join("::");
        let found = TOKIO_MODULES.iter().find(|(m, _)| *m == path);
        return Some(found.is_some_and(|(_, names)| names.contains(&name)));
    }
    // a glob of an enum or other type brings in variants
    let is_type = module
        .last()
        .is_some_and(|m| m.starts_with(char::is_uppercase));
    (is_type || is_settled(krate)).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split("::").map(str::to_string).collect()
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(OTHERS.is_sorted());
    }

    #[test]
    fn canonical_paths() {
        assert_eq!(
            canonical(path("rocket::tokio::task::spawn")),
            path("tokio::task::spawn")
        );
        assert_eq!(canonical(path("madsim_tokio::spawn")), path("tokio::spawn"));
        assert_eq!(canonical(path("rocket::spawn")), path("rocket::spawn"));
    }

    #[test]
    fn globs() {
        assert_eq!(glob_has(&path("tokio"), "spawn"), Some(true));
        assert_eq!(glob_has(&path("tokio::sync"), "spawn"), Some(false));
        assert_eq!(glob_has(&path("std::thread"), "spawn"), Some(false));
        assert_eq!(glob_has(&path("some::prelude"), "spawn"), None);
        assert_eq!(glob_has(&path("some::Kind"), "spawn"), Some(false));
    }
}
