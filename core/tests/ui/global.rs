//! It is kept in a static.
use std::sync::Mutex;

use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

static STASH: Mutex<Option<mpsc::HeldPermit<'static, u8>>> = Mutex::new(None);

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        *STASH.lock().unwrap() = Some(permit);
        std::future::pending().await
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
