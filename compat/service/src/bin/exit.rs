//! How long a service takes from SIGTERM to its exit, with everything open that keeps others alive: a stream
//! of events, a WebSocket, an idle connection, half a preface of HTTP/2, half a header and a handler that never
//! ends. `exit [RUNS]`; fails if a run takes longer than drain + finalize + 250 ms, or the streams are cut.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use asupersync_service::{DRAIN, FINALIZE, Side};
use rustix::process::{Pid, Signal, kill_process};

/// What an exit may take longer than its budgets.
const SLACK: Duration = Duration::from_millis(250);

fn main() -> io::Result<()> {
    let runs = env::args().nth(1).map_or(5, |runs| runs.parse().expect("a number of runs"));
    let bound = DRAIN + FINALIZE + SLACK;
    let mut longest = Duration::ZERO;
    let mut late = 0;
    for run in 1..=runs {
        let took = once()?;
        longest = longest.max(took);
        if took > bound {
            late += 1;
            println!("run {run}: {took:?}");
        }
    }
    println!("{} of {runs} exits within {bound:?} of SIGTERM; the longest took {longest:?}", runs - late);
    if late == 0 { Ok(()) } else { Err(io::Error::other("an exit took too long")) }
}

fn once() -> io::Result<Duration> {
    let mut replica = Replica::start()?;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut events = replica.open(&get("/events"), "data: 0")?;
    let ws = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = replica.open(ws, "101")?;
    let idle = replica.open(&get("/"), "hello")?;
    let preface = replica.open("PRI * HTTP/2", "")?;
    let header = replica.open("GET / HT", "")?;
    let stuck = replica.open(&get("/never"), "")?;
    // The others have arrived by the time that a later one is answered.
    let last = replica.open(&get("/"), "hello")?;
    let begun = Instant::now();
    kill_process(Pid::from_child(&replica.0), Signal::TERM)?;
    let reads = thread::spawn(move || Ok::<_, io::Error>((rest(&mut events)?, rest(&mut socket)?)));
    let status = replica.0.wait()?;
    let took = begun.elapsed();
    let (events, socket) = reads.join().expect("no panic")?;
    drop((idle, preface, header, stuck, last));
    if !status.success() {
        return Err(io::Error::other(format!("the service ended with {status}")));
    }
    if !events.ends_with(b"\r\n0\r\n\r\n") {
        return Err(io::Error::other("the stream of events was cut"));
    }
    // A frame of the server's: close, with the code.
    if !socket.windows(4).any(|frame| frame[0] == 0x88 && frame[2..] == 1001_u16.to_be_bytes()) {
        return Err(io::Error::other("the WebSocket was not told"));
    }
    Ok(took)
}

/// Killed when dropped.
struct Replica(Child, SocketAddr);

impl Replica {
    fn start() -> io::Result<Replica> {
        let program = env::current_exe()?.with_file_name("replica");
        let mut command = Command::new(program);
        command.args([Side::Hosted.name(), "127.0.0.1:0"]).env("QUIET", "1");
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
        let addr = line.trim().parse().map_err(|_| io::Error::other("the service did not start"))?;
        Ok(Replica(child, addr))
    }

    /// A connection that has sent this, and has got what contains that.
    fn open(&self, sends: &str, until: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.1)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(sends.as_bytes())?;
        let (mut got, mut bytes) = (Vec::new(), [0; 1024]);
        while !String::from_utf8_lossy(&got).contains(until) {
            match stream.read(&mut bytes)? {
                0 => {
                    return Err(io::Error::other(format!(
                        "{sends:?} got {:?}",
                        String::from_utf8_lossy(&got)
                    )));
                }
                n => got.extend_from_slice(&bytes[..n]),
            }
        }
        Ok(stream)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn rest(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
        _ => Ok(rest),
    }
}
