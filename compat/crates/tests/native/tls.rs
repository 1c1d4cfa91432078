//! rustls over our sockets: tokio-rustls asks for Tokio's traits, and for no runtime.

use std::sync::Arc;

use asupersync_compat::io::{ByteStreamExt, FromTokio, Tokio};
use asupersync_core::channel::oneshot;
use asupersync_core::io::TcpStream;
use asupersync_core::{Cx, Outcome, Reason, ReasonKind};
use asupersync_crates::tls_configs;
use rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::on_native;

/// Sends back what comes in. At Request it reads no more, and says goodbye.
async fn serve(cx: &Cx, acceptor: TlsAcceptor, stream: TcpStream) -> Outcome {
    let stream = cx.or_cancel(acceptor.accept(Tokio::new(stream))).await??;
    let mut stream = FromTokio::new(stream);
    let mut buf = [0; 4096];
    let ended = loop {
        match stream.read(cx, &mut buf).await {
            Ok(0) => break Ok(()),
            Ok(len) => stream.write_all(cx, &buf[..len]).await?,
            Err(error) => break Err(error.into()),
        }
        stream.flush(cx).await?;
    };
    // `close_notify`: without it the peer cannot tell an end from a connection that was cut.
    stream.shutdown(cx).await?;
    ended
}

#[test]
fn a_request_ends_a_connection_with_close_notify() {
    on_native(async |cx: &Cx| {
        let (server, client) = tls_configs().map_err(std::io::Error::other)?;
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (acceptor, connector) =
            (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)));
        let (tell, mut told) = oneshot::channel();
        let server = cx.spawn("server", async move |cx: &Cx| {
            let (stream, _) = listener.accept(cx).await?;
            let served = serve(cx, acceptor, stream).await;
            drop(tell.send(served.is_err()));
            served
        });
        let name = ServerName::try_from("localhost")?;
        let stream = Tokio::new(cx.tcp_connect(addr).await?);
        let mut stream = FromTokio::new(cx.or_cancel(connector.connect(name, stream)).await??);
        let large: Vec<u8> = (0..300_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
        let (mut back, mut buf) = (Vec::new(), [0; 4096]);
        for part in large.chunks(3000) {
            stream.write_all(cx, part).await?;
            stream.flush(cx).await?;
            let wanted = back.len() + part.len();
            while back.len() < wanted {
                let len = stream.read(cx, &mut buf).await?;
                assert_ne!(len, 0, "it ends too soon");
                back.extend_from_slice(&buf[..len]);
            }
        }
        assert!(back == large, "the bytes differ");
        server.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert_eq!(stream.read(cx, &mut buf).await?, 0, "an end without `close_notify` is an error");
        stream.shutdown(cx).await?;
        assert!(told.recv(cx).await?, "it was asked to stop");
        assert!(server.join().await.is_err());
        Ok(())
    });
}
