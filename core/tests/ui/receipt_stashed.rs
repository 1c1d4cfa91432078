//! A receipt is kept for another call.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    let mut stash = None;
    tx.with_permit(cx, async |permit| {
        stash = Some(permit.abort());
        std::future::pending().await
    })
    .await?;
    tx.with_permit(cx, async |_permit| stash.unwrap()).await?;
    Ok(())
}

fn main() {
    let _ = program;
}
