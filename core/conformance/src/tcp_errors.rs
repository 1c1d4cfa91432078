//! Addresses, names and errors of sockets: each error names the address and what is wrong.

use std::io::ErrorKind;

use asupersync_core::Cx;

use crate::runner::Runner;
use crate::tcp::{ANY_PORT, echo_server, pair};

crate::cases![
    port_0_gets_a_port needs (Sockets),
    a_busy_port_is_named needs (Sockets),
    a_refused_connect_is_named needs (Sockets),
    a_reset_is_an_error needs (Sockets),
    localhost_is_found needs (Sockets),
    a_name_that_is_none_is_an_error needs (Sockets),
    what_is_no_address_says_what_to_write needs (Sockets),
    a_port_is_free_again_after_its_listener needs (Sockets),
];

fn port_0_gets_a_port(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (a, b) = (cx.tcp_bind(ANY_PORT).await?, cx.tcp_bind(ANY_PORT).await?);
        let (a, b) = (a.local_addr()?, b.local_addr()?);
        assert!(a.port() != 0 && b.port() != 0 && a != b);
        Ok(())
    });
}

fn a_busy_port_is_named(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let first = cx.tcp_bind(ANY_PORT).await?;
        let addr = first.local_addr()?;
        let error = cx.tcp_bind(addr).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let text = error.to_string();
        assert!(text.contains(&format!("cannot listen on {addr}")) && text.contains("in use"), "{text}");
        Ok(())
    });
}

fn a_refused_connect_is_named(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        // A port that was ours a moment ago: nobody else listens there.
        let addr = cx.tcp_bind(ANY_PORT).await?.local_addr()?;
        let error = cx.tcp_connect(addr).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.to_string().contains(&format!("cannot connect to {addr}")), "{error}");
        Ok(())
    });
}

fn a_reset_is_an_error(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        // Closed with unread bytes: the system sends a reset instead of an end.
        client.write_all(cx, b"unread").await?;
        let reader = cx.spawn("reader", async move |cx: &Cx| {
            let mut buf = [0; 16];
            loop {
                match client.read(cx, &mut buf).await {
                    Ok(0) => return Ok(None),
                    Ok(_) => {}
                    Err(error) => return Ok(Some(error.kind())),
                }
            }
        });
        let mut buf = [0; 1];
        server.read(cx, &mut buf).await?;
        drop(server);
        assert_eq!(reader.join().await?, Some(ErrorKind::ConnectionReset));
        Ok(())
    });
}

fn localhost_is_found(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let addr = echo_server(cx).await?;
        // Whatever order a system gives localhost's addresses in, each is tried.
        let stream = cx.tcp_connect(format!("localhost:{}", addr.port())).await?;
        assert_eq!(stream.peer_addr()?, addr);
        let listener = cx.tcp_bind("localhost:0").await?;
        assert!(listener.local_addr()?.ip().is_loopback());
        Ok(())
    });
}

fn a_name_that_is_none_is_an_error(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let error = cx.tcp_connect("no such name.invalid:80").await.map(drop).unwrap_err();
        assert!(!error.to_string().is_empty());
        cx.checkpoint()?;
        Ok(())
    });
}

fn what_is_no_address_says_what_to_write(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let error = cx.tcp_bind("8080").await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("127.0.0.1:8080"), "{error}");
        Ok(())
    });
}

fn a_port_is_free_again_after_its_listener(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let listener = cx.tcp_bind(ANY_PORT).await?;
        let addr = listener.local_addr()?;
        drop(listener);
        let again = cx.tcp_bind(addr).await?;
        assert_eq!(again.local_addr()?, addr);
        Ok(())
    });
}
