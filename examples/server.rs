//! A TCP server that closes properly: every connection is a task of one region. Ctrl-C stops
//! accepting, lets connections finish what they are in the middle of, and exits; a second one exits
//! at once.
//!
//! What `cargo migrate-lint` says of it: nothing.
//!
//! Try it: `cargo run --example server`, then `nc localhost 8080` in another terminal.

use asupersync::net::TcpStream;
use asupersync::{Budget, Cx, Outcome, Region};
use std::time::Duration;

#[asupersync::main]
async fn main(cx: &Cx) -> Outcome<()> {
    Region::open(cx, "server", async |cx| {
        let listener = cx.spawn("listener", async |cx| -> Outcome {
            let listener = cx.tcp_bind("0.0.0.0:8080").await?;
            loop {
                let (stream, _) = listener.accept(cx).await?;
                cx.spawn_future("conn", handle_connection(stream));
            }
        });
        cx.shutdown_signal().await;
        listener.cancel(Budget::timeout(Duration::from_secs(5))).await
    })
    .await
}

/// Sends back what comes in. At Request it reads no more, but what it has read it still answers.
async fn handle_connection(stream: TcpStream) {
    if let Err(failure) = echo(&stream).await {
        eprintln!("connection ended: {failure}");
    }
}

async fn echo(stream: &TcpStream) -> Outcome {
    let mut buf = [0; 4096];
    loop {
        match stream.read(stream.cx(), &mut buf).await? {
            0 => return Ok(()),
            n => stream.write_all(stream.cx(), &buf[..n]).await?,
        }
    }
}
