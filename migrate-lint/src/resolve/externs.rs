//! What is known of crates whose source is not read.
//!
//! Of Tokio, std and some more there are outlines (`known`), and globs of them
//! are exact. A crate that is known to have a `spawn` of its own settles a path to it as
//! "not Tokio's"; any other crate may re-export Tokio's, and stays unknown.

/// Crates that are Tokio to the code that names them.
const TOKIO_ALIKE: &[&str] = &["tokio", "madsim_tokio"];

/// Crates whose `spawn` is their own, and whose globs bring in no Tokio.
const OTHERS: &[&str] = &[
    "actix",
    "actix_rt",
    "actix_web",
    "alloc",
    "anyhow",
    "assert_matches",
    "async_channel",
    "async_executor",
    "async_global_executor",
    "async_io",
    "async_lock",
    "async_process",
    "async_std",
    "async_trait",
    "axum",
    "axum_core",
    "axum_extra",
    "bevy",
    "bevy_tasks",
    "bytes",
    "chrono",
    "clap",
    "compio",
    "console_subscriber",
    "core",
    "criterion",
    "crossbeam",
    "crossbeam_utils",
    "embassy_executor",
    "futures",
    "futures_channel",
    "futures_core",
    "futures_executor",
    "futures_io",
    "futures_lite",
    "futures_sink",
    "futures_util",
    "gio",
    "glib",
    "glommio",
    "gtk",
    "h2",
    "http",
    "http_body",
    "http_body_util",
    "hyper",
    "hyper_util",
    "indexmap",
    "insta",
    "itertools",
    "libc",
    "log",
    "loom",
    "mio",
    "mockall",
    "monoio",
    "nix",
    "num_traits",
    "once_cell",
    "opentelemetry",
    "parking_lot",
    "pin_project",
    "pin_project_lite",
    "pretty_assertions",
    "proc_macro",
    "proptest",
    "prost",
    "quickcheck",
    "rand",
    "rayon",
    "regex",
    "reqwest",
    "rstest",
    "rustls",
    "scoped_threadpool",
    "serde",
    "serde_json",
    "shuttle",
    "smallvec",
    "smol",
    "socket2",
    "sqlx",
    "std",
    "syn",
    "tauri",
    "tempfile",
    "test",
    "thiserror",
    "threadpool",
    "tokio_rustls",
    "tokio_stream",
    "tokio_test",
    "tokio_tungstenite",
    "tokio_uring",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
    "tower_test",
    "tracing",
    "tracing_subscriber",
    "tungstenite",
    "url",
    "uuid",
    "warp",
    "wasm_bindgen",
    "wasm_bindgen_futures",
];

/// What a glob of a module brings in, as far as it can matter here: functions
/// of watched names and modules that lead to such.
const MODULES: &[(&str, &[&str])] = &[
    ("async_std", &["task"]),
    ("async_std::task", &["spawn", "spawn_local"]),
    ("futures::prelude", &[]),
    ("rayon", &["spawn"]),
    ("smol", &["spawn"]),
    ("tokio_test", &["io", "task"]),
    ("tokio_test::task", &["spawn"]),
];

/// The name rules use for a crate.
pub(super) fn own_name(krate: &str) -> String {
    match krate {
        "core" | "alloc" => "std".into(),
        krate if TOKIO_ALIKE.contains(&krate) => "tokio".into(),
        krate => krate.into(),
    }
}

/// Whether everything about this crate's names is known to be its own.
pub(crate) fn is_settled(krate: &str) -> bool {
    matches!(krate, "tokio" | "rocket") || OTHERS.binary_search(&krate).is_ok()
}

/// Whether `name` comes in through a glob of `module`; `None` if unknown.
pub(super) fn glob_has(module: &[String], name: &str) -> Option<bool> {
    let krate = module.first()?;
    let path = module.join("::");
    if let Some((_, names)) = MODULES.iter().find(|(m, _)| *m == path) {
        return Some(names.contains(&name));
    }
    // a glob of an enum or other type brings in variants
    let is_type = module.last().is_some_and(|m| m.starts_with(char::is_uppercase));
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
    fn globs() {
        assert_eq!(glob_has(&path("tokio::sync"), "spawn"), Some(false));
        assert_eq!(glob_has(&path("rayon"), "spawn"), Some(true));
        assert_eq!(glob_has(&path("std::io"), "spawn"), Some(false));
        assert_eq!(glob_has(&path("some::prelude"), "spawn"), None);
        assert_eq!(glob_has(&path("some::Kind"), "spawn"), Some(false));
    }
}
