//! hickory in a region: its tasks, its timers and its datagrams are the host's.

use std::net::SocketAddr;
use std::time::Duration;

use asupersync_compat::hickory::Provider;
use asupersync_core::channel::oneshot;
use asupersync_core::io::UdpSocket;
use asupersync_core::region::CloseReport;
use asupersync_core::{Budget, Cx, Outcome, Region};
use asupersync_crates::{ADDRESS, dns_answer, dns_config};
use asupersync_lab::Lab;
use asupersync_lab::explore::{Injector, Search};
use hickory_resolver::Resolver;
use hickory_resolver::config::ResolverOpts;

use crate::on_native;

/// Answers, after so many questions that it does not answer.
async fn serve(cx: &Cx, socket: UdpSocket, mut silent: usize) -> Outcome {
    let mut buf = [0; 512];
    loop {
        let (len, from) = socket.recv_from(cx, &mut buf).await?;
        if silent > 0 {
            silent -= 1;
            continue;
        }
        let answer = dns_answer(&buf[..len]).map_err(std::io::Error::other)?;
        socket.send_to(cx, &answer, from).await?;
    }
}

fn resolver(
    dns: &Provider,
    server: SocketAddr,
    timeout: Duration,
) -> Result<Resolver<Provider>, std::io::Error> {
    let mut opts = ResolverOpts::default();
    (opts.timeout, opts.attempts) = (timeout, 3);
    let resolver = Resolver::builder_with_config(dns_config(server), dns.clone()).with_options(opts).build();
    resolver.map_err(std::io::Error::other)
}

/// A server that is silent at first, and who asks it.
async fn names(cx: &Cx, silent: usize) -> Outcome<(Provider, Resolver<Provider>)> {
    let socket = cx.udp_bind("127.0.0.1:0").await?;
    let addr = socket.local_addr()?;
    drop(cx.spawn("server", async move |cx: &Cx| serve(cx, socket, silent).await));
    let dns = Provider::new(cx);
    let resolver = resolver(&dns, addr, Duration::from_millis(200))?;
    Ok((dns, resolver))
}

/// Looks a name up. The resolver is there until the region is Closed.
async fn look_up(cx: &Cx, silent: usize) -> Outcome<CloseReport> {
    let (outcome, report) = Region::builder("names")
        .drain(Budget::timeout(Duration::from_secs(60)))
        .open_with_report(cx, async |cx: &Cx| {
            let (dns, resolver) = names(cx, silent).await?;
            let found = dns.ask(cx, resolver.ipv4_lookup("names.example.")).await??;
            let found: Vec<String> = found.answers().iter().map(|record| record.data.to_string()).collect();
            assert_eq!(found, [ADDRESS.to_string()]);
            Outcome::Ok(resolver)
        })
        .await;
    drop(outcome?);
    Ok(report)
}

#[test]
fn a_name_is_looked_up_and_nothing_is_left() {
    on_native(async |cx: &Cx| {
        let report = look_up(cx, 0).await?;
        assert!(report.leftovers.is_empty(), "{report}");
        Ok(())
    });
}

#[test]
fn a_question_that_is_lost_is_asked_again_in_the_hosts_time() {
    for seed in 0..20 {
        let ended = Lab::new(seed).run(async |cx: &Cx| -> Outcome {
            let begun = cx.now();
            let report = look_up(cx, 1).await?;
            assert!(report.leftovers.is_empty(), "{report}");
            assert!(cx.now() - begun >= Duration::from_millis(100), "nobody waited");
            Ok(())
        });
        ended.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    }
}

#[test]
fn a_lookup_ends_at_request() {
    for seed in 0..20 {
        let ended = Lab::new(seed).run(async |cx: &Cx| -> Outcome {
            let (tell, mut told) = oneshot::channel();
            let lookup = cx.spawn("lookup", async move |cx: &Cx| {
                let socket = cx.udp_bind("127.0.0.1:0").await?;
                let dns = Provider::new(cx);
                let resolver = resolver(&dns, socket.local_addr()?, Duration::from_secs(3600))?;
                let asks = cx.spawn("heard", async move |cx: &Cx| {
                    let (len, _) = socket.recv_from(cx, &mut [0; 512]).await?;
                    drop(tell.send(len));
                    Ok(())
                });
                let found = dns.ask(cx, resolver.ipv4_lookup("names.example.")).await;
                asks.join().await?;
                // The resolver, and what it keeps, are there until here.
                drop(resolver);
                found.map(drop).map_err(Into::into)
            });
            assert!(told.recv(cx).await? > 0);
            let begun = cx.now();
            let ended: Outcome = lookup.cancel(Budget::timeout(Duration::from_secs(60))).await;
            assert!(ended.is_err_and(|failure| failure.as_cancelled().is_some()));
            assert!(cx.now() - begun < Duration::from_secs(1), "it waited for an answer");
            Ok(())
        });
        ended.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    }
}

#[test]
fn a_lookup_is_cancelled_at_every_await() {
    let mut injector = Injector::new(1);
    let mut runs = 0;
    loop {
        let ran = Lab::new(0).run_by(&mut injector, async |cx: &Cx| -> Outcome<_> {
            let (dns, resolver) = names(cx, 1).await?;
            drop(dns.ask(cx, resolver.ipv4_lookup("names.example.")).await?);
            Ok(resolver)
        });
        let ran = ran.expect("this schedule compares nothing");
        let at = injector.point();
        let Some((_, report)) = ran.told else { panic!("at {at:?}: {:?}", ran.ended) };
        assert!(report.leftovers.is_empty(), "at {at:?}: {report}");
        runs += 1;
        if !injector.end(&[]) {
            break;
        }
    }
    assert!(runs > 10, "{runs} runs");
}
