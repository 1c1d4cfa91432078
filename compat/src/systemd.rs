//! What systemd is told: that the service is ready, that it stops, and how long that may take.
//!
//! The protocol of sd_notify(3): lines of `NAME=value` in one datagram to the Unix socket that
//! `$NOTIFY_SOCKET` names; a name that begins with `@` is an abstract one.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use std::{env, io};

/// Tells systemd that the service serves. `false` if nobody asked to be told: it was not started by
/// systemd, or not with `Type=notify`.
///
/// # Errors
/// The system's, when the socket is there and cannot be written to.
pub fn ready() -> io::Result<bool> {
    notify("READY=1")
}

/// Tells systemd that the service stops, and that this may take so long: the clock of its
/// `TimeoutStopSec` then starts again with that. `false` as of [`ready`].
///
/// # Errors
/// As of [`ready`].
pub fn stopping(within: Option<Duration>) -> io::Result<bool> {
    match within {
        Some(within) => notify(&format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", within.as_micros())),
        None => notify("STOPPING=1"),
    }
}

/// Sends systemd any other state, such as `STATUS=..`. `false` as of [`ready`].
///
/// # Errors
/// As of [`ready`].
pub fn notify(state: &str) -> io::Result<bool> {
    let Some(path) = env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()) else {
        return Ok(false);
    };
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = path.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let addr = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(state.as_bytes(), &addr).map(|_| true);
    }
    socket.send_to(state.as_bytes(), path).map(|_| true)
}
