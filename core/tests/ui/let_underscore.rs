//! `let _ =` is no use of it.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let _ = permit;
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
