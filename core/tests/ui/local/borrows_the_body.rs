//! A child borrows a variable of the scope's body, which ends before the child does.
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx) -> Outcome {
    cx.local(async |_, scope| {
        let word = String::from("word");
        scope.spawn("child", async |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        });
        Ok(())
    })
    .await
}

fn main() {
    let _ = program;
}
