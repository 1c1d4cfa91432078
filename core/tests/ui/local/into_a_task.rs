//! The scope is moved into a task, which would start children that outlive what they borrow.
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx) -> Outcome {
    let word = String::from("word");
    let len = cx.local(async |cx, scope| {
        scope.spawn("child", async |_| Ok(word.len()));
        cx.spawn("task", async move |_| {
            scope.spawn("late", async |_| Ok(1));
        });
        Ok(())
    });
    len.await
}

fn main() {
    let _ = program;
}
