//! The load of the network rows: a process of its own, so that its CPU is not counted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::thread;

/// The body of the HTTP row's response.
pub(crate) const HELLO: &[u8] = b"hello, world";

/// What a client says, and what it wants to hear.
#[derive(Clone, Copy)]
pub(crate) enum Wire {
    /// 64 bytes, and the same back.
    Echo,
    /// A GET, and a response that ends with [`HELLO`].
    Http,
}

impl Wire {
    fn name(self) -> &'static str {
        match self {
            Wire::Echo => "echo",
            Wire::Http => "http",
        }
    }

    fn round_trip(self, stream: &mut TcpStream) {
        match self {
            Wire::Echo => {
                let mut back = [0; 64];
                stream.write_all(&[b'x'; 64]).expect("the server reads");
                stream.read_exact(&mut back).expect("the server answers");
                assert_eq!(back, [b'x'; 64]);
            }
            Wire::Http => {
                stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\n\r\n").expect("the server reads");
                let (mut back, mut len) = ([0; 512], 0);
                while !back[..len].ends_with(HELLO) {
                    let n = stream.read(&mut back[len..]).expect("the server answers");
                    assert!(n > 0, "the server closed the connection, or answered something else");
                    len += n;
                }
                assert!(back.starts_with(b"HTTP/1.1 200"));
            }
        }
    }
}

/// Starts the client process and waits for it.
pub(crate) fn run(wire: Wire, addr: &str, connections: u64, rounds: u64) {
    let exe = std::env::current_exe().expect("a process knows its own program");
    let args = ["--client", wire.name(), addr, &connections.to_string(), &rounds.to_string()];
    let status = Command::new(exe).args(args).status().expect("the client starts");
    assert!(status.success(), "the client saw every byte come back");
}

/// The client process: `connections` threads, each `rounds` times there and back.
pub(crate) fn main(wire: &str, addr: &str, connections: &str, rounds: &str) -> ExitCode {
    let wire = [Wire::Echo, Wire::Http].into_iter().find(|known| known.name() == wire);
    let (Some(wire), Ok(connections), Ok(rounds)) = (wire, connections.parse::<u64>(), rounds.parse::<u64>())
    else {
        return ExitCode::from(2);
    };
    let threads: Vec<_> = (0..connections)
        .map(|_| {
            let mut stream = TcpStream::connect(addr).expect("the server listens");
            stream.set_nodelay(true).expect("TCP has this option");
            thread::spawn(move || (0..rounds).for_each(|_| wire.round_trip(&mut stream)))
        })
        .collect();
    // All are joined, so that one that fails does not cut the others short.
    let failed = threads.into_iter().filter_map(|thread| thread.join().err()).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
