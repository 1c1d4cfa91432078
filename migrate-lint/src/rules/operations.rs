//! Operations that lose something if their future is dropped halfway.

use crate::facts::Facts;
use crate::load::body::{ExprId, FrameKind};
use crate::sites::Site;
use crate::types::At;

/// These, and reading and writing every number of more than one byte.
macro_rules! and_numbers {
    ($($path:literal)* ; $($number:literal)*) => {
        &[
            $($path,)*
            $(
                concat!("tokio::io::AsyncReadExt::read_", $number),
                concat!("tokio::io::AsyncReadExt::read_", $number, "_le"),
                concat!("tokio::io::AsyncWriteExt::write_", $number),
                concat!("tokio::io::AsyncWriteExt::write_", $number, "_le"),
            )*
        ]
    };
}

/// Those that have written a part, or taken a part that then is lost.
pub(super) const HALFWAY: &[&str] = and_numbers! {
    "futures::io::AsyncReadExt::read_exact"
    "futures::io::AsyncWriteExt::write_all"
    "futures::sink::SinkExt::send"
    "futures::sink::SinkExt::send_all"
    "tokio::io::AsyncBufReadExt::read_line"
    "tokio::io::AsyncBufReadExt::read_until"
    "tokio::io::AsyncReadExt::read_exact"
    "tokio::io::AsyncReadExt::read_to_end"
    "tokio::io::AsyncReadExt::read_to_string"
    "tokio::io::AsyncWriteExt::write_all"
    "tokio::io::copy"
    "tokio::io::copy_bidirectional"
    "tokio::io::copy_buf";
    "f32" "f64" "i16" "i32" "i64" "i128" "u16" "u32" "u64" "u128"
};

/// The name of an operation.
pub(super) fn name(site: &Site) -> &str {
    site.path().and_then(|path| path.rsplit("::").next()).unwrap_or_default()
}

/// Whether only async blocks lie between a node and what it is part of: then
/// dropping the one drops the other.
pub(super) fn runs_in(facts: &Facts<'_, '_>, instance: u32, node: ExprId, whole: ExprId) -> bool {
    let bodies = facts.world.bodies(instance);
    let home = bodies.frame(whole);
    let mut frame = bodies.frame(node);
    while frame != home {
        match bodies.frames.get(frame as usize) {
            Some(found) if found.kind == FrameKind::Async => frame = found.parent,
            _ => return false,
        }
    }
    // a task that is started in between goes on
    let mut between = bodies.ancestors(node).take_while(|n| *n != whole);
    !between.any(|node| facts.starts_task(At { instance, node }))
}
