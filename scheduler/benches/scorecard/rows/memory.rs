//! Row 16: what a task and a connection cost that do nothing, in memory of this process.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use asupersync::Cx;
use tokio::sync::mpsc;

use crate::client::{self, Load};
use crate::measure::{Figures, resident_bytes};
use crate::peer::{Foreign, Peer, on, ours};

pub(super) fn idle_tasks(peer: Peer, scale: u64) -> Figures {
    let tasks = 1_000_000 / scale;
    vec![on!(peer, ours: ours_tasks(tasks), foreign_tasks(tasks))]
}

/// In a process of its own: memory that tasks have left is there for connections, and would not count.
pub(super) fn idle_connections(peer: Peer, scale: u64) -> Figures {
    let connections = 8000 / scale;
    vec![on!(peer, ours: ours_connections(connections), foreign_connections(connections))]
}

/// Begun tasks that wait for what never comes; ours for its own end.
fn ours_tasks(tasks: u64) -> f64 {
    ours(async move |cx: &Cx| {
        let before = resident_bytes();
        let (begun, mut all_begun) = mpsc::channel(1024);
        for _ in 0..tasks {
            let begun = begun.clone();
            drop(cx.spawn("idle", async move |cx| {
                begun.send(()).await.ok();
                drop(begun);
                cx.cancelled().await;
                Ok(())
            }));
        }
        for _ in 0..tasks {
            assert!(all_begun.recv().await.is_some());
        }
        Ok((resident_bytes() - before) / tasks as f64)
    })
}

fn foreign_tasks<P: Foreign>(tasks: u64) -> f64 {
    P::run(async move |peer| {
        let before = resident_bytes();
        let (begun, mut all_begun) = mpsc::channel(1024);
        for _ in 0..tasks {
            let begun = begun.clone();
            peer.detach(async move {
                begun.send(()).await.ok();
                drop(begun);
                std::future::pending::<()>().await;
            });
        }
        for _ in 0..tasks {
            assert!(all_begun.recv().await.is_some());
        }
        (resident_bytes() - before) / tasks as f64
    })
}

/// A process that has connected, and does nothing more until it is told to end.
struct IdleClient(Child);

impl IdleClient {
    fn of(addr: SocketAddr, connections: u64) -> Self {
        let mut command = client::command(Load::Idle, addr, connections, 0);
        IdleClient(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the client starts"))
    }

    /// Returns when all are connected.
    fn ready(&mut self) {
        let out = self.0.stdout.as_mut().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("the client speaks");
        assert_eq!(line, "idle\n");
    }
}

impl Drop for IdleClient {
    fn drop(&mut self) {
        self.0.stdin.take().map(|mut input| input.write_all(b"end\n"));
        self.0.wait().ok();
    }
}

fn ours_connections(connections: u64) -> f64 {
    ours(async move |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let before = resident_bytes();
        let mut client = IdleClient::of(listener.local_addr()?, connections);
        let (begun, mut all_begun) = mpsc::channel(1024);
        for _ in 0..connections {
            let (stream, _) = listener.accept(cx).await?;
            let begun = begun.clone();
            drop(cx.spawn("conn", async move |cx| {
                let mut buf = [0; 16];
                assert_eq!(stream.read(cx, &mut buf).await?, 1);
                stream.write_all(cx, &buf[..1]).await?;
                begun.send(()).await.ok();
                drop(begun);
                stream.read(cx, &mut buf).await?;
                Ok(())
            }));
        }
        for _ in 0..connections {
            assert!(all_begun.recv().await.is_some());
        }
        client.ready();
        Ok((resident_bytes() - before) / connections as f64)
    })
}

fn foreign_connections<P: Foreign>(connections: u64) -> f64 {
    P::run(async move |peer| {
        let (listener, addr) = P::bind().await;
        let before = resident_bytes();
        let mut client = IdleClient::of(addr, connections);
        let (begun, mut all_begun) = mpsc::channel(1024);
        for _ in 0..connections {
            let mut stream = P::accept(&listener).await;
            let begun = begun.clone();
            peer.detach(async move {
                let mut buf = [0; 16];
                assert_eq!(P::read(&mut stream, &mut buf).await, 1);
                P::write_all(&mut stream, &buf[..1]).await;
                begun.send(()).await.ok();
                drop(begun);
                P::read(&mut stream, &mut buf).await;
            });
        }
        for _ in 0..connections {
            assert!(all_begun.recv().await.is_some());
        }
        client.ready();
        (resident_bytes() - before) / connections as f64
    })
}
