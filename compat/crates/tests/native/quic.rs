//! quinn in a region: its tasks, its timers and its datagrams are the host's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use asupersync_compat::quinn::endpoint;
use asupersync_core::channel::oneshot;
use asupersync_core::io::ToAddr;
use asupersync_core::region::CloseReport;
use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind, Region};
use asupersync_crates::{BoxError, tls_configs};
use asupersync_lab::Lab;
use asupersync_lab::net::{Link, Net};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, ServerConfig};

use crate::on_native;

const ANY_PORT: &str = "127.0.0.1:0";

fn configs() -> Result<(ServerConfig, ClientConfig), BoxError> {
    let (server, client) = tls_configs()?;
    let server = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(server)?));
    Ok((server, ClientConfig::new(Arc::new(QuicClientConfig::try_from(client)?))))
}

/// An endpoint that can connect.
async fn client(cx: &Cx, addr: impl ToAddr, config: ClientConfig) -> Outcome<Endpoint> {
    let mut client = endpoint(cx, cx.udp_bind(addr).await?, EndpointConfig::default(), None)?;
    client.set_default_client_config(config);
    Ok(client)
}

/// Sends back what comes in on each stream, until it is asked to stop. A stream that was begun is ended, and
/// its answer waits for `go` where there is one.
async fn serve(
    cx: &Cx,
    endpoint: Endpoint,
    mut pace: Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>,
) -> Outcome {
    while let Some(incoming) = cx.or_cancel(endpoint.accept()).await? {
        let pace = pace.take();
        drop(cx.spawn("connection", async move |cx: &Cx| -> Outcome {
            let connection = incoming.await?;
            let mut pace = pace;
            loop {
                let (mut send, mut receive) = cx.or_cancel(connection.accept_bi()).await??;
                let asked = receive.read_to_end(1 << 20).await?;
                if let Some((begun, mut go)) = pace.take() {
                    drop(begun.send(()));
                    cx.finish(async |cx: &Cx| Ok(go.recv(cx).await?)).await?;
                }
                send.write_all(&asked).await?;
                send.finish()?;
                // Until it has arrived.
                send.stopped().await?;
            }
        }));
    }
    Ok(())
}

async fn ask(connection: &Connection, what: &[u8]) -> Outcome<Vec<u8>> {
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(what).await?;
    send.finish()?;
    Ok(receive.read_to_end(1 << 20).await?)
}

/// Everything ended by itself.
fn whole(report: &CloseReport) {
    assert!(report.leftovers.is_empty() && report.totals.dropped == 0, "{report}");
}

#[test]
fn streams_are_exchanged_and_a_closing_region_tells_its_peers_and_leaves_nothing() {
    on_native(async |cx: &Cx| {
        let (server_config, client_config) = configs().map_err(std::io::Error::other)?;
        let client = client(cx, ANY_PORT, client_config).await?;
        let connects = client.clone();
        let region = Region::builder("service").drain(Budget::timeout(Duration::from_secs(1)));
        let body = async move |cx: &Cx| -> Outcome<_> {
            let server =
                endpoint(cx, cx.udp_bind(ANY_PORT).await?, EndpointConfig::default(), Some(server_config))?;
            let addr = server.local_addr()?;
            let kept = server.clone();
            drop(cx.spawn("server", async move |cx: &Cx| serve(cx, server, None).await));
            let connection = connects.connect(addr, "localhost")?.await?;
            // More than one datagram, and than one batch of them.
            let large: Vec<u8> = (0..1_000_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
            assert!(ask(&connection, &large).await? == large, "the bytes differ");
            assert_eq!(ask(&connection, b"hello").await?, b"hello");
            // Idle from now on, and with a handle on the endpoint that outlives the region.
            Ok((connection, kept))
        };
        let (outcome, report) = region.open_with_report(cx, body).await;
        whole(&report);
        let (connection, kept) = outcome?;
        assert!(cx.or_cancel(kept.accept()).await?.is_none(), "it is good for nothing");
        let told = cx.or_cancel(connection.closed()).await?;
        assert!(matches!(told, ConnectionError::ApplicationClosed(_)), "{told}");
        Ok(())
    });
}

#[test]
fn a_request_lets_streams_in_flight_finish() {
    on_native(async |cx: &Cx| {
        let (server_config, client_config) = configs().map_err(std::io::Error::other)?;
        let (tell, mut told) = oneshot::channel::<SocketAddr>();
        let ((begun, mut began), (go, going)) = (oneshot::channel(), oneshot::channel());
        let service = cx.spawn("service", async move |cx: &Cx| -> Outcome<CloseReport> {
            let body = async move |cx: &Cx| -> Outcome {
                let server = endpoint(
                    cx,
                    cx.udp_bind(ANY_PORT).await?,
                    EndpointConfig::default(),
                    Some(server_config),
                )?;
                drop(tell.send(server.local_addr()?));
                serve(cx, server, Some((begun, going))).await
            };
            Ok(Region::builder("service").open_with_report(cx, body).await.1)
        });
        let addr = told.recv(cx).await?;
        let client = client(cx, ANY_PORT, client_config).await?;
        let connection = client.connect(addr, "localhost")?.await?;
        let asks = connection.clone();
        let asking = cx.spawn("asks", async move |_| ask(&asks, b"in flight").await);
        began.recv(cx).await?;
        service.request_cancel(Reason::new(ReasonKind::UserRequest));
        drop(go.send(()));
        assert_eq!(asking.join().await?, b"in flight");
        // Nobody has the connection any more, so its end is not waited for.
        let report = service.join().await?;
        whole(&report);
        let told = cx.or_cancel(connection.closed()).await?;
        assert!(matches!(told, ConnectionError::ApplicationClosed(_)), "{told}");
        assert!(ask(&connection, b"late").await.is_err());
        Ok(())
    });
}

#[test]
fn quic_gets_through_a_lossy_network_in_the_lab() {
    for seed in 0..4 {
        let (outcome, report) = Lab::new(seed).run_with_report(async |cx: &Cx| -> Outcome {
            let (server_config, client_config) = configs().map_err(std::io::Error::other)?;
            let server = endpoint(
                cx,
                cx.udp_bind("10.0.0.1:443").await?,
                EndpointConfig::default(),
                Some(server_config),
            )?;
            drop(cx.spawn("server", async move |cx: &Cx| serve(cx, server, None).await));
            let client = client(cx, "0.0.0.0:0", client_config).await?;
            let connection = client.connect(([10, 0, 0, 1], 443).into(), "localhost")?.await?;
            let net = Net::current();
            net.loss(Link::ALL, 10);
            let sent = vec![7; 50_000];
            assert!(ask(&connection, &sent).await? == sent, "the bytes differ");
            net.loss(Link::ALL, 0);
            // For a while nothing gets through, and in virtual time that takes none.
            net.partition(Link::ALL);
            let heal = cx.spawn("heal", async |cx| {
                cx.sleep(Duration::from_secs(5)).await?;
                Net::current().heal(Link::ALL);
                Ok(())
            });
            assert_eq!(ask(&connection, b"late").await?, b"late");
            heal.join().await
        });
        outcome.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        assert!(report.leftovers.is_empty(), "seed {seed}: {:?}", report.leftovers);
    }
}
