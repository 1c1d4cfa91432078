//! Sockets and files, cancelled at every await.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, PoisonError};

use asupersync_core::channel::oneshot;
use asupersync_core::io::{Acceptor, TcpListener, TcpStream, UdpSocket};
use asupersync_core::sync::Mutex;
use asupersync_core::{Cx, Outcome, ReasonKind};

use crate::attack::{Ended, Play, at_every_await};
use crate::probe::{Count, Log, MS, cancelled_kind};
use crate::runner::Runner;

crate::cases![
    connections_are_accepted needs (Sockets),
    addresses_are_bound_and_connected needs (Sockets),
    bytes_are_read needs (Sockets),
    bytes_are_written needs (Sockets),
    datagrams_are_received needs (Sockets),
    datagrams_are_sent needs (Sockets),
    jobs_are_run_and_awaited,
];

/// A value, or a cancellation if it was asked to stop.
fn fine<T: std::fmt::Debug>(ended: &Ended<Outcome<T>>) {
    match ended {
        Ended::Whole(outcome) => assert!(outcome.is_ok(), "{outcome:?}"),
        Ended::Requested(outcome @ Err(_)) => assert_eq!(cancelled_kind(outcome), ReasonKind::UserRequest),
        Ended::Requested(Ok(_)) | Ended::Dropped => {}
    }
}

/// A free port of a local address that is another one each time. A connection keeps its ports for a minute
/// after its end, and repetitions make so many that one address would run out of them.
fn next_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, SeqCst);
    format!("127.0.{}.{}:0", n / 254 % 256, n % 254 + 1)
}

fn connections_are_accepted(host: &dyn Runner) {
    /// The ways to accept.
    #[derive(Clone, Copy)]
    enum Way {
        Accept,
        Queued,
        Acceptor,
    }

    async fn accept(way: Way, listener: &TcpListener, cx: &Cx) -> Outcome<TcpStream> {
        let (stream, _) = match way {
            Way::Accept => listener.accept(cx).await?,
            Way::Acceptor => Acceptor::new(listener).next(cx).await?,
            Way::Queued => loop {
                match listener.accept_queued(cx).await? {
                    Some(accepted) => break accepted,
                    None => cx.sleep(MS(1)).await?,
                }
            },
        };
        Ok(stream)
    }

    host.ok(async |cx: &Cx| {
        let accepted = Arc::new(AtomicUsize::new(0));
        for way in [Way::Accept, Way::Queued, Way::Acceptor] {
            // One connection, for the victim or for the one after it.
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (lend, mut lent) = oneshot::channel::<Arc<Mutex<TcpListener>>>();
                let counter = accepted.clone();
                drop(around.spawn("next", async move |cx: &Cx| {
                    let listener = cx.tcp_bind(&*next_address()).await?;
                    let addr = listener.local_addr()?;
                    let client = cx.spawn("client", async move |cx: &Cx| {
                        let stream = cx.tcp_connect(addr).await?;
                        // Told, or closed by whoever left.
                        stream.read(cx, &mut [0]).await.ok();
                        Ok(())
                    });
                    let listener = Arc::new(Mutex::new(listener));
                    drop(lend.send(listener.clone()));
                    // By then the victim waits, if it is there.
                    cx.yield_now().await?;
                    let listener = listener.lock(cx).await?;
                    if counter.load(SeqCst) == 0 {
                        drop(accept(way, &listener, cx).await?);
                        counter.fetch_add(1, SeqCst);
                    }
                    client.join().await
                }));
                let counter = accepted.clone();
                Box::pin(async move {
                    let listener = lent.recv(&cx).await?;
                    let listener = listener.lock(&cx).await?;
                    if counter.load(SeqCst) == 0 {
                        let stream = accept(way, &listener, &cx).await?;
                        counter.fetch_add(1, SeqCst);
                        stream.write_all(&cx, b"!").await?;
                    }
                    Ok(())
                })
            };
            let gone = |ended| {
                fine(&ended);
                assert_eq!(accepted.swap(0, SeqCst), 1, "the connection was lost, or accepted twice");
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

fn addresses_are_bound_and_connected(host: &dyn Runner) {
    /// Tells where it listens, and accepts until nobody keeps the other end.
    async fn server(cx: &Cx, tell: oneshot::Sender<SocketAddr>, mut kept: oneshot::Receiver<()>) -> Outcome {
        let listener = cx.tcp_bind(&*next_address()).await?;
        drop(tell.send(listener.local_addr()?));
        let serve = async |cx: &Cx| -> Outcome {
            loop {
                drop(listener.accept(cx).await?);
            }
        };
        let end = async |cx: &Cx| {
            kept.recv(cx).await.ok();
            Ok(())
        };
        cx.race(serve, end).await
    }
    host.ok(async |cx: &Cx| {
        for by_net in [false, true] {
            let connect = |around: Cx, cx: Cx| -> Play<Outcome> {
                let ((tell, mut told), (keep, kept)) = (oneshot::channel(), oneshot::channel());
                drop(around.spawn("server", async move |cx: &Cx| server(cx, tell, kept).await));
                Box::pin(async move {
                    let _keep = keep;
                    let addr = told.recv(&cx).await?;
                    let stream = match by_net {
                        true => cx.net().tcp_connect(&cx, addr).await?,
                        false => cx.tcp_connect(addr).await?,
                    };
                    assert_eq!(stream.peer_addr()?, addr);
                    Ok(())
                })
            };
            at_every_await(cx, connect, |ended| fine(&ended)).await?;
            let bind = |_, cx: Cx| -> Play<Outcome> {
                Box::pin(async move {
                    let bind = async |addr: SocketAddr| match by_net {
                        true => cx.net().tcp_bind(&cx, addr).await,
                        false => cx.tcp_bind(addr).await,
                    };
                    let first = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
                    let addr = first.local_addr()?;
                    assert!(cx.is_cancelled() || bind(addr).await.is_err(), "it is bound");
                    let bind = async |addr: SocketAddr| match by_net {
                        true => cx.net().udp_bind(&cx, addr).await,
                        false => cx.udp_bind(addr).await,
                    };
                    let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
                    let addr = socket.local_addr()?;
                    assert!(cx.is_cancelled() || bind(addr).await.is_err(), "it is bound");
                    let connected = socket.connect(&cx, "localhost:9").await;
                    assert_eq!(connected.is_ok(), socket.peer_addr().is_ok());
                    Ok(connected?)
                })
            };
            at_every_await(cx, bind, |ended| fine(&ended)).await?;
        }
        Ok(())
    });
}

/// Two ends of one connection.
async fn pair(cx: &Cx) -> Outcome<(TcpStream, TcpStream)> {
    let listener = cx.tcp_bind(&*next_address()).await?;
    let addr = listener.local_addr()?;
    let both = cx.join(
        async |cx: &Cx| Ok(listener.accept(cx).await?.0),
        async |cx: &Cx| Ok(cx.tcp_connect(addr).await?),
    );
    both.await
}

fn bytes_are_read(host: &dyn Runner) {
    const TEXT: &[u8] = b"nothing of it is lost";
    host.ok(async |cx: &Cx| {
        let read = Log::new();
        let play = |around: Cx, cx: Cx| -> Play<Outcome> {
            let (lend, mut lent) = oneshot::channel::<Arc<Mutex<TcpStream>>>();
            let log = read.clone();
            drop(around.spawn("next", async move |cx: &Cx| {
                let (writer, reader) = pair(cx).await?;
                let reader = Arc::new(Mutex::new(reader));
                drop(lend.send(reader.clone()));
                let writes = cx.spawn("writer", async move |cx: &Cx| {
                    for piece in TEXT.chunks(8) {
                        writer.write_all(cx, piece).await?;
                        cx.yield_now().await?;
                    }
                    Ok(())
                });
                writes.join().await?;
                // What the victim left.
                let reader = reader.lock(cx).await?;
                let mut buf = [0; 64];
                loop {
                    match reader.read(cx, &mut buf).await? {
                        0 => return Ok(()),
                        n => log.push(buf[..n].to_vec()),
                    }
                }
            }));
            let log = read.clone();
            Box::pin(async move {
                let reader = lent.recv(&cx).await?;
                let reader = reader.lock(&cx).await?;
                let mut buf = [0; 3];
                for _ in 0..4 {
                    let n = reader.read(&cx, &mut buf).await?;
                    log.push(buf[..n].to_vec());
                }
                Ok(())
            })
        };
        let gone = |ended| {
            fine(&ended);
            assert_eq!(read.take().concat(), TEXT);
        };
        at_every_await(cx, play, gone).await
    });
}

fn bytes_are_written(host: &dyn Runner) {
    // More than is kept for a reader that does not read: by a system megabytes, by what is simulated 256 KiB.
    let many = if host.is_virtual() { 512 << 10 } else { 8 << 20 };
    host.ok(async move |cx: &Cx| {
        let (written, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for at_once in [true, false] {
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (lend, mut lent) = oneshot::channel();
                let counter = received.clone();
                drop(around.spawn("reader", async move |cx: &Cx| {
                    let (writer, reader) = pair(cx).await?;
                    drop(lend.send(writer));
                    let mut buf = vec![0; 1 << 20];
                    loop {
                        match reader.read(cx, &mut buf).await {
                            // A connection with bytes that nobody read is reset.
                            Ok(0) | Err(_) => return Ok(cx.checkpoint()?),
                            Ok(n) => counter.fetch_add(n, SeqCst),
                        };
                    }
                }));
                let counter = written.clone();
                Box::pin(async move {
                    let writer: TcpStream = lent.recv(&cx).await?;
                    let bytes = vec![1; many];
                    // From here on it is work in flight.
                    if at_once {
                        writer.write_all(&cx, &bytes).await?;
                        counter.store(many, SeqCst);
                    } else {
                        while counter.load(SeqCst) < many {
                            let n = writer.write(&cx, &bytes[counter.load(SeqCst)..]).await?;
                            counter.fetch_add(n, SeqCst);
                        }
                    }
                    Ok(writer.shutdown(&cx).await?)
                })
            };
            let gone = |ended: Ended<Outcome>| {
                let (written, received) = (written.swap(0, SeqCst), received.swap(0, SeqCst));
                fine(&ended);
                if let Some(Ok(())) = ended.value() {
                    assert_eq!((written, received), (many, many), "{ended:?}");
                } else if at_once {
                    assert!(written == 0 && received < many, "{received} {ended:?}");
                } else {
                    assert_eq!(written, received, "{ended:?}");
                }
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

fn datagrams_are_received(host: &dyn Runner) {
    const MANY: u8 = 4;
    /// Takes the next datagram, and enters it.
    async fn receive(cx: &Cx, socket: &UdpSocket, connected: bool, log: &Numbers) -> Outcome {
        let mut buf = [0; 8];
        let len = match connected {
            true => socket.recv(cx, &mut buf).await?,
            false => socket.recv_from(cx, &mut buf).await?.0,
        };
        assert_eq!(len, 1);
        log.0.lock().unwrap_or_else(PoisonError::into_inner).push(buf[0]);
        Ok(())
    }

    #[derive(Default)]
    struct Numbers(std::sync::Mutex<Vec<u8>>);

    impl Numbers {
        fn take(&self) -> Vec<u8> {
            let mut all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            all.sort_unstable();
            all
        }

        fn count(&self) -> u8 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u8
        }
    }

    host.ok(async |cx: &Cx| {
        for connected in [false, true] {
            let received = Arc::new(Numbers::default());
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (lend, mut lent) = oneshot::channel::<Arc<Mutex<UdpSocket>>>();
                let log = received.clone();
                drop(around.spawn("next", async move |cx: &Cx| {
                    let (socket, sender) =
                        (cx.udp_bind(&*next_address()).await?, cx.udp_bind(&*next_address()).await?);
                    let to = socket.local_addr()?;
                    if connected {
                        socket.connect(cx, sender.local_addr()?).await?;
                    }
                    let socket = Arc::new(Mutex::new(socket));
                    drop(lend.send(socket.clone()));
                    let sends = cx.spawn("sender", async move |cx: &Cx| {
                        for n in 0..MANY {
                            sender.send_to(cx, &[n], to).await?;
                            cx.yield_now().await?;
                        }
                        Ok(sender)
                    });
                    // Kept, or who is connected to it is told that it has gone.
                    let _sender = sends.join().await?;
                    // What the victim left.
                    let socket = socket.lock(cx).await?;
                    while log.count() < MANY {
                        receive(cx, &socket, connected, &log).await?;
                    }
                    Ok(())
                }));
                let log = received.clone();
                Box::pin(async move {
                    let socket = lent.recv(&cx).await?;
                    let socket = socket.lock(&cx).await?;
                    while log.count() < MANY {
                        receive(&cx, &socket, connected, &log).await?;
                    }
                    Ok(())
                })
            };
            let gone = |ended| {
                fine(&ended);
                assert_eq!(received.take(), (0..MANY).collect::<Vec<_>>(), "{ended:?}");
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

fn datagrams_are_sent(host: &dyn Runner) {
    const MANY: usize = 3;
    host.ok(async |cx: &Cx| {
        let (sent, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for connected in [false, true] {
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (tell, mut told) = oneshot::channel();
                let (keep, mut kept) = oneshot::channel::<()>();
                let (was_sent, counter) = (sent.clone(), received.clone());
                drop(around.spawn("receiver", async move |cx: &Cx| {
                    let receiver = cx.udp_bind(&*next_address()).await?;
                    let addr = receiver.local_addr()?;
                    drop(tell.send(addr));
                    kept.recv(cx).await.ok();
                    // The last, by which one that was sent and not counted is seen.
                    cx.udp_bind(&*next_address()).await?.send_to(cx, b"last", addr).await?;
                    let (mut last, mut buf) = (false, [0; 8]);
                    while !last || counter.load(SeqCst) < was_sent.load(SeqCst) {
                        let len = receiver.recv(cx, &mut buf).await?;
                        match &buf[..len] {
                            b"last" => last = true,
                            b"one" => drop(counter.fetch_add(1, SeqCst)),
                            other => panic!("nobody sent {other:?}"),
                        }
                    }
                    Ok(())
                }));
                let counter = sent.clone();
                Box::pin(async move {
                    let _keep = keep;
                    let addr = told.recv(&cx).await?;
                    let socket = cx.udp_bind(&*next_address()).await?;
                    if connected {
                        socket.connect(&cx, addr).await?;
                    }
                    // From here on it is work in flight.
                    for _ in 0..MANY {
                        let len = match connected {
                            true => socket.send(&cx, b"one").await?,
                            false => socket.send_to(&cx, b"one", addr).await?,
                        };
                        assert_eq!(len, 3);
                        counter.fetch_add(1, SeqCst);
                    }
                    Ok(())
                })
            };
            let gone = |ended: Ended<Outcome>| {
                let (sent, received) = (sent.swap(0, SeqCst), received.swap(0, SeqCst));
                fine(&ended);
                assert_eq!(sent, received, "{ended:?}");
                assert_eq!(sent == MANY, matches!(ended.value(), Some(Ok(()))), "{ended:?}");
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

fn jobs_are_run_and_awaited(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for files in [true, false] {
            let (count, ran) = (Count::default(), Arc::new(AtomicBool::new(false)));
            let play = |_, cx: Cx| -> Play<Outcome<usize>> {
                let (one, ran) = (count.one(), ran.clone());
                Box::pin(async move {
                    let job = move || {
                        drop(one);
                        ran.store(true, SeqCst);
                        std::io::Result::Ok(5)
                    };
                    match files {
                        true => Ok(cx.fs().run(&cx, "job", job).await?),
                        false => cx.run_blocking("job", move || Ok(job()?)).await,
                    }
                })
            };
            let gone = |ended: Ended<Outcome<usize>>| {
                fine(&ended);
                let ran = ran.swap(false, SeqCst);
                assert!(ran || !matches!(ended.value(), Some(Ok(_))), "it tells what did not happen");
                assert_eq!(count.alive(), 0);
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}
