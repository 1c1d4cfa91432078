//! Crates over sockets, but for HTTP: a client and a server, each in the same enclave.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use asupersync_compat::hickory::Provider;
use asupersync_compat::io::Tokio;
use asupersync_compat::quinn::endpoint;
use asupersync_core::{Cx, Outcome};
use asupersync_crates::{ADDRESS, BoxError, Pace, Place, Row, dns_answer, dns_config, tls_configs};
use futures::{SinkExt, StreamExt};
use hickory_resolver::Resolver;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite;
use tokio_util::codec::{Framed, LinesCodec};

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
const ANY_PORT_NAME: &str = "127.0.0.1:0";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("tokio (net, io)", "an echo over TCP, `run`", |place| async move {
            place.inside(echo(place.pace.clone())).await
        }),
        Row::new("tokio-util (codec)", "lines over TCP, `run`", |place| async move {
            place.inside(lines(place.pace.clone())).await
        }),
        Row::new("tokio-rustls", "an echo over TLS with ring, `run`", |place| async move {
            place.inside(tls(place.pace.clone())).await
        }),
        Row::new("tokio-tungstenite", "a message over a WebSocket, `run`", |place| async move {
            place.inside(web_socket(place.pace.clone())).await
        }),
        Row::new("tokio-rustls (native)", "an echo over TLS on our sockets, `compat::io`", native_tls)
            .native(),
        Row::new("quinn (native)", "a stream over QUIC, `compat::quinn`", native_quic).native(),
        Row::new("hickory-resolver (native)", "a name looked up over UDP, `compat::hickory`", native_dns)
            .native(),
        Row::new("quinn", "a stream over QUIC, `run`", |place| async move {
            place.inside(quic(place.pace.clone())).await
        }),
        Row::new("hickory-resolver", "a name looked up over UDP, `run`", |place| async move {
            place.inside(dns(place.pace.clone())).await
        }),
        Row::new("notify", "a new file, told by a thread of the crate's own, `run`", |place| async move {
            place.inside(watched(place.pace.clone())).await
        }),
    ]
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, wanted: T) -> Result<(), BoxError> {
    if got == wanted { Ok(()) } else { Err(format!("{got:?} is not {wanted:?}").into()) }
}

async fn echo(pace: Pace) -> Result<(), BoxError> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let byte = stream.read_u8().await?;
        pace.middle().await;
        stream.write_u8(byte).await
    });
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_u8(7).await?;
    same(stream.read_u8().await?, 7)?;
    Ok(server.await??)
}

async fn lines(pace: Pace) -> Result<(), BoxError> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut lines = Framed::new(stream, LinesCodec::new());
        let line = lines.next().await.unwrap_or_else(|| Ok(String::new()))?;
        pace.middle().await;
        lines.send(line.to_uppercase()).await?;
        Ok::<_, BoxError>(())
    });
    let mut lines = Framed::new(TcpStream::connect(addr).await?, LinesCodec::new());
    lines.send("hello").await?;
    same(lines.next().await.transpose()?, Some("HELLO".into()))?;
    server.await?
}

async fn tls(pace: Pace) -> Result<(), BoxError> {
    let (server, client) = tls_configs()?;
    let listener = TcpListener::bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = acceptor.accept(stream).await?;
        let byte = stream.read_u8().await?;
        pace.middle().await;
        stream.write_u8(byte).await?;
        stream.shutdown().await
    });
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(addr).await?;
    let mut stream = connector.connect(ServerName::try_from("localhost")?, stream).await?;
    stream.write_u8(7).await?;
    same(stream.read_u8().await?, 7)?;
    Ok(server.await??)
}

async fn web_socket(pace: Pace) -> Result<(), BoxError> {
    let listener = TcpListener::bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut socket = tokio_tungstenite::accept_async(stream).await?;
        if let Some(message) = socket.next().await {
            pace.middle().await;
            socket.send(message?).await?;
        }
        // The close is answered.
        while socket.next().await.transpose()?.is_some() {}
        Ok::<_, tungstenite::Error>(())
    });
    let stream = TcpStream::connect(addr).await?;
    let (mut socket, _) = tokio_tungstenite::client_async("ws://localhost/", stream).await?;
    socket.send("hello".into()).await?;
    same(socket.next().await.transpose()?, Some("hello".into()))?;
    socket.close(None).await?;
    while socket.next().await.transpose()?.is_some() {}
    Ok(server.await??)
}

/// Sends back what comes in on one stream.
async fn answer_quic(incoming: quinn::Incoming, pace: Pace) -> Result<(), BoxError> {
    let connection = incoming.await?;
    let (mut send, mut receive) = connection.accept_bi().await?;
    let asked = receive.read_to_end(64).await?;
    pace.middle().await;
    send.write_all(&asked).await?;
    send.finish()?;
    connection.closed().await;
    Ok(())
}

async fn ask_quic(endpoint: &quinn::Endpoint, addr: SocketAddr) -> Result<(), BoxError> {
    let connection = endpoint.connect(addr, "localhost")?.await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(b"hello").await?;
    send.finish()?;
    same(&receive.read_to_end(64).await?[..], b"hello")?;
    connection.close(0_u8.into(), b"done");
    Ok(())
}

async fn quic(pace: Pace) -> Result<(), BoxError> {
    let (server, client) = tls_configs()?;
    let server = quinn::crypto::rustls::QuicServerConfig::try_from(server)?;
    let client = quinn::crypto::rustls::QuicClientConfig::try_from(client)?;
    let here = SocketAddr::from(ANY_PORT);
    let listener = quinn::Endpoint::server(quinn::ServerConfig::with_crypto(Arc::new(server)), here)?;
    let addr = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let incoming = listener.accept().await.ok_or("nobody came")?;
        answer_quic(incoming, pace).await?;
        listener.wait_idle().await;
        Ok::<_, BoxError>(())
    });
    let mut endpoint = quinn::Endpoint::client(here)?;
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(client)));
    ask_quic(&endpoint, addr).await?;
    endpoint.wait_idle().await;
    server.await?
}

/// The same with no runtime of Tokio's: its traits are only traits.
async fn native_tls(place: Place) -> Result<(), BoxError> {
    let (server, client) = tls_configs()?;
    let (cx, pace) = (&place.cx, place.pace.clone());
    let listener = cx.tcp_bind(ANY_PORT_NAME).await?;
    let addr = listener.local_addr()?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let server = cx.in_flight().spawn("server", async move |cx: &Cx| -> Outcome {
        let (stream, _) = listener.accept(cx).await?;
        let mut stream = acceptor.accept(Tokio::new(stream)).await?;
        let byte = stream.read_u8().await?;
        pace.middle().await;
        stream.write_u8(byte).await?;
        // `close_notify`, and the end of the sending direction.
        Ok(stream.shutdown().await?)
    });
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = Tokio::new(cx.tcp_connect(addr).await?);
    let mut stream = connector.connect(ServerName::try_from("localhost")?, stream).await?;
    stream.write_u8(7).await?;
    same(stream.read_u8().await?, 7)?;
    // Without a `close_notify` that would be `UnexpectedEof`.
    same(stream.read(&mut [0]).await?, 0)?;
    server.join().await.map_err(|failure| failure.to_string().into())
}

async fn native_quic(place: Place) -> Result<(), BoxError> {
    let (server, client) = tls_configs()?;
    let (cx, pace) = (&place.cx, place.pace.clone());
    let server = quinn::crypto::rustls::QuicServerConfig::try_from(server)?;
    let client = quinn::crypto::rustls::QuicClientConfig::try_from(client)?;
    let server = quinn::ServerConfig::with_crypto(Arc::new(server));
    let config = quinn::EndpointConfig::default;
    let listener = endpoint(cx, cx.udp_bind(ANY_PORT_NAME).await?, config(), Some(server))?;
    let addr = listener.local_addr()?;
    let server = cx.in_flight().spawn("server", async move |_: &Cx| -> Outcome {
        let Some(incoming) = listener.accept().await else { return Ok(()) };
        answer_quic(incoming, pace).await.map_err(std::io::Error::other)?;
        Ok(())
    });
    let mut client_end = endpoint(cx, cx.udp_bind(ANY_PORT_NAME).await?, config(), None)?;
    client_end.set_default_client_config(quinn::ClientConfig::new(Arc::new(client)));
    ask_quic(&client_end, addr).await?;
    server.join().await.map_err(|failure| failure.to_string().into())
}

async fn native_dns(place: Place) -> Result<(), BoxError> {
    let (cx, pace) = (&place.cx, place.pace.clone());
    let socket = cx.udp_bind(ANY_PORT_NAME).await?;
    let config = dns_config(socket.local_addr()?);
    let server = cx.in_flight().spawn("server", async move |cx: &Cx| -> Outcome {
        let (cx, mut bytes) = (cx.in_flight(), [0; 512]);
        let (len, peer) = socket.recv_from(&cx, &mut bytes).await?;
        pace.middle().await;
        let answer = dns_answer(&bytes[..len]).map_err(std::io::Error::other)?;
        socket.send_to(&cx, &answer, peer).await?;
        Ok(())
    });
    let provider = Provider::new(cx);
    let resolver = Resolver::builder_with_config(config, provider.clone()).build()?;
    let found = provider.ask(&cx.in_flight(), resolver.ipv4_lookup("crates.example.")).await;
    let found = found.map_err(|cancelled| cancelled.to_string())??;
    let found: Vec<String> = found.answers().iter().map(|record| record.data.to_string()).collect();
    server.join().await.map_err(|failure| failure.to_string())?;
    same(found, vec![ADDRESS.to_string()])
}

async fn dns(pace: Pace) -> Result<(), BoxError> {
    let socket = UdpSocket::bind(ANY_PORT).await?;
    let addr = socket.local_addr()?;
    let server = tokio::spawn(async move {
        let mut bytes = [0; 512];
        loop {
            let (len, peer) = socket.recv_from(&mut bytes).await?;
            pace.middle().await;
            socket.send_to(&dns_answer(&bytes[..len])?, peer).await?;
        }
        #[expect(unreachable_code, reason = "its type")]
        Ok::<(), BoxError>(())
    });
    let config = dns_config(addr);
    let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default()).build()?;
    let found = resolver.ipv4_lookup("crates.example.").await?;
    let found: Vec<String> = found.answers().iter().map(|record| record.data.to_string()).collect();
    server.abort();
    drop(server.await);
    same(found, vec![ADDRESS.to_string()])
}

async fn watched(pace: Pace) -> Result<(), BoxError> {
    use notify::Watcher;
    let folder = tempfile::tempdir()?;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        drop(tell.send(event));
    })?;
    watcher.watch(folder.path(), notify::RecursiveMode::NonRecursive)?;
    let file = folder.path().join("new");
    let makes = file.clone();
    tokio::spawn(async move {
        pace.middle().await;
        std::fs::write(makes, "new")
    });
    while let Some(event) = told.recv().await {
        if event?.paths.contains(&file) {
            return Ok(());
        }
    }
    Err("the watcher ended".into())
}
