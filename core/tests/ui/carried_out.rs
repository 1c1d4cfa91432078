//! The permit is carried out as the value of another one's receipt.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    let other = tx.clone();
    tx.with_permit(cx, async |outer| {
        let inner = other.with_permit(cx, async |inner| outer.send(1).with(inner)).await;
        std::future::pending().await
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
