//! It is sent in a loop.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let mut done = None;
        for n in 0..2 {
            done = Some(permit.send(n));
        }
        match done {
            Some(done) => done,
            None => unreachable!(),
        }
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
