//! `drop` gives no receipt.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| drop(permit)).await?;
    Ok(())
}

fn main() {
    let _ = program;
}
