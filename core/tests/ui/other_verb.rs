//! A permit is sent, not acked.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| permit.ack()).await?;
    Ok(())
}

fn main() {
    let _ = program;
}
