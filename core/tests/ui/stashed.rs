//! It is kept in a variable outside, for later.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    let mut stash = None;
    tx.with_permit(cx, async |permit| {
        stash = Some(permit);
        std::future::pending().await
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
