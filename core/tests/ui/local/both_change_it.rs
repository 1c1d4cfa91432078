//! Two children change one thing.
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx) -> Outcome {
    let mut words = vec![String::new()];
    cx.local(async |_, scope| {
        scope.spawn("one", async |_| words.push(String::from("one")));
        scope.spawn("two", async |_| words.push(String::from("two")));
        Ok(())
    })
    .await
}

fn main() {
    let _ = program;
}
