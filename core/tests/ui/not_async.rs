//! The closure is no async one.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, |permit: mpsc::HeldPermit<'_, u8>| permit.send(1)).await?;
    Ok(())
}

fn main() {
    let _ = program;
}
