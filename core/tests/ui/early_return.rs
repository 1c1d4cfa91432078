//! One path returns early. rustc's hint about the semicolon misleads: return `permit.abort()`.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        if cx.is_cancelled() {
            return;
        }
        permit.send(1)
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
