//! A task borrows what only a child of a local scope may: the stack of whoever spawns it.
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx) -> Outcome {
    let word = String::from("word");
    cx.local(async |cx, _| {
        cx.spawn("task", async |_| Ok(word.len()));
        Ok(())
    })
    .await
}

fn main() {
    let _ = program;
}
