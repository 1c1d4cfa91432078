//! What systemd is told, in a process of its own: the socket is named by an environment variable.
#![cfg(all(unix, feature = "hyper"))]

mod common;

use std::convert::Infallible;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, process};

use asupersync_compat::hyper::Server;
use asupersync_compat::systemd;
use asupersync_core::Cx;
use common::{run, shut_down, start};
use http::Response;
use hyper::service::service_fn;

const CHILD: &str = "ASUPERSYNC_TEST_SERVES";

/// Request comes at another moment of the accept loop each time.
const TIMES: usize = 100;

/// The child: serves until it is told to stop, which it is at once.
#[test]
fn serves() {
    if env::var_os(CHILD).is_none() {
        assert!(!systemd::ready().expect("no socket, no error"));
        return;
    }
    for _ in 0..TIMES {
        run(async |cx: &Cx| {
            let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::new())));
            let server = Server::new().systemd(true);
            let readiness = server.readiness();
            let (_, server) = start(cx, server, service).await?;
            while !readiness.is_ready() {
                cx.yield_now().await?;
            }
            shut_down(&server);
            server.join().await?;
            Ok(())
        });
    }
}

#[test]
fn a_server_says_when_it_is_ready_and_when_it_stops() {
    let path = env::temp_dir().join(format!("asupersync-systemd-{}", process::id()));
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    let mut child = Command::new(env::current_exe().expect("this program"));
    let child = child.args(["--exact", "serves"]).env(CHILD, "1").env("NOTIFY_SOCKET", &path).spawn();
    let mut bytes = [0; 256];
    let mut told = || {
        let n = socket.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..n]).into_owned()
    };
    for _ in 0..TIMES {
        assert_eq!(told(), "READY=1");
        let stops = told();
        // Requested alone, the server has no budget but what it was given: none.
        assert!(stops.starts_with("STOPPING=1"), "{stops}");
    }
    assert!(child.expect("it runs").wait().expect("it ends").success());
    fs::remove_file(&path).expect("it is there");
}
