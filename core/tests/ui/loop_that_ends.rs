//! A loop that may end without having sent.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        while cx.yield_now().await.is_ok() {
            if cx.path().is_empty() {
                return permit.send(1);
            }
        }
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
