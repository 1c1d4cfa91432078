//! The load of the network rows: a process of its own, so that its CPU is not counted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::thread;

/// One request of the echo row.
pub(crate) const MESSAGE: [u8; 64] = [b'x'; 64];

/// Starts the client process and waits for it.
pub(crate) fn run(addr: &str, connections: u64, rounds: u64) {
    let exe = std::env::current_exe().expect("a process knows its own program");
    let args = ["--client", addr, &connections.to_string(), &rounds.to_string()];
    let status = Command::new(exe).args(args).status().expect("the client starts");
    assert!(status.success(), "the client saw every byte come back");
}

/// The client process: `connections` threads, each `rounds` times a message there and back.
pub(crate) fn main(addr: &str, connections: &str, rounds: &str) -> ExitCode {
    let (Ok(connections), Ok(rounds)) = (connections.parse::<u64>(), rounds.parse::<u64>()) else {
        return ExitCode::from(2);
    };
    let threads: Vec<_> = (0..connections)
        .map(|_| {
            let mut stream = TcpStream::connect(addr).expect("the server listens");
            stream.set_nodelay(true).expect("TCP has this option");
            thread::spawn(move || {
                let mut back = [0; MESSAGE.len()];
                for _ in 0..rounds {
                    stream.write_all(&MESSAGE).expect("the server reads");
                    stream.read_exact(&mut back).expect("the server answers");
                    assert_eq!(back, MESSAGE);
                }
            })
        })
        .collect();
    let ok = threads.into_iter().all(|thread| thread.join().is_ok());
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
