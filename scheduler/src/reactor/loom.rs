//! Edges against attempts, in every order. An edge that is lost shows as a task that nobody can wake.
//!
//! A socket here is a number that is always read as it is, as the system's are, but that orders nothing.

use std::future::poll_fn;
use std::io;
use std::task::{Poll, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use super::readiness::Direction;

struct Socket {
    direction: Direction,
    /// Bytes to read, and [`END`] after the last.
    bytes: AtomicUsize,
}

const END: usize = 1 << 8;

impl Socket {
    fn new() -> Arc<Self> {
        Arc::new(Socket { direction: Direction::new(), bytes: AtomicUsize::new(0) })
    }

    fn read(&self) -> io::Result<usize> {
        match self.bytes.fetch_and(END, Relaxed) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            bytes => Ok(bytes & !END),
        }
    }

    /// Reads what there is, once there is something. A read that does not fill its buffer took all.
    fn wait(&self, buffer: usize) -> usize {
        let drained = |&n: &usize| n > 0 && n < buffer;
        block_on(poll_fn(|cx| self.direction.poll(cx, || self.read(), drained))).unwrap()
    }

    /// What the system does: first the bytes are there, then it tells of them.
    fn send(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
        let waiting = self.direction.tell(bytes & END != 0);
        waiting.into_iter().for_each(Waker::wake);
    }
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn sending(socket: &Arc<Socket>, pieces: &'static [usize]) -> thread::JoinHandle<()> {
    let socket = socket.clone();
    thread::spawn(move || pieces.iter().for_each(|&bytes| socket.send(bytes)))
}

#[test]
fn no_edge_is_lost() {
    for buffer in [1, 2] {
        check(move || {
            let socket = Socket::new();
            let sending = sending(&socket, &[1, 1]);
            let mut got = 0;
            while got < 2 {
                got += socket.wait(buffer);
            }
            sending.join().unwrap();
        });
    }
}

#[test]
fn an_end_told_with_the_last_bytes_is_seen_after_them() {
    check(|| {
        let socket = Socket::new();
        let sending = sending(&socket, &[1, END | 1]);
        let mut got = 0;
        loop {
            match socket.wait(4) {
                0 => break,
                bytes => got += bytes,
            }
        }
        assert_eq!(got, 2);
        sending.join().unwrap();
    });
}

#[test]
fn who_waits_for_an_edge_first_misses_none() {
    check(|| {
        let socket = Socket::new();
        let sending = sending(&socket, &[1]);
        socket.direction.wait_for_edge();
        assert_eq!(socket.wait(1), 1);
        sending.join().unwrap();
    });
}

/// The task that reads goes on under another waker.
#[test]
fn the_latest_waker_is_woken() {
    check(|| {
        let socket = Socket::new();
        let sending = sending(&socket, &[1]);
        let drained = |_: &usize| false;
        let early = block_on(poll_fn(|cx| {
            Poll::Ready(socket.direction.poll(cx, || socket.read(), drained).is_ready())
        }));
        if !early {
            assert_eq!(socket.wait(1), 1);
        }
        sending.join().unwrap();
    });
}
