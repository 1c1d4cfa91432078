//! A rolling restart: nginx in front of three replicas, each of which is replaced after a SIGTERM while wrk asks
//! on and on. In regions, no request may fail; axum as in its hello (`bare`) shows what is lost without
//! a graceful shutdown, and `plain` what is with axum's. `rolling [SECONDS]`.
//!
//! Needs nginx and wrk. Without them it says so and does nothing, or fails if `ASUPERSYNC_REQUIRE_SERVERS` is
//! set.

use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, process, thread};

use asupersync_service::Side;
use rustix::process::{Pid, Signal, kill_process};

const REPLICAS: usize = 3;
/// Where nginx listens.
const FRONT: [u8; 4] = [127, 0, 0, 1];
/// Where the replicas do. Nobody connects from there, so that no connection has the port of one that is being replaced.
const REPLICA: [u8; 4] = [127, 0, 0, 2];
/// For so many milliseconds an old replica serves on after SIGTERM, and says `Connection: close`.
const MIN_DRAIN: &str = "500";
/// For so many nginx keeps a connection that it does not use. One that it would keep for longer than an old replica
/// serves on is closed under it, and a request that it sends there at that moment is lost.
const KEPT: &str = "100";

fn main() -> io::Result<()> {
    for tool in ["nginx", "wrk"] {
        if Command::new(tool).arg("-v").output().is_err() {
            if env::var_os("ASUPERSYNC_REQUIRE_SERVERS").is_some() {
                return Err(io::Error::other(format!("{tool} is missing: apt-get install {tool}")));
            }
            println!("SKIPPED: {tool} is not installed; the rolling restart was NOT played");
            return Ok(());
        }
    }
    let seconds: u64 = env::args().nth(1).map_or(6, |seconds| seconds.parse().expect("seconds"));
    println!("| replicas | requests | failed |\n|---|---|---|");
    let mut failed = 0;
    for side in [Side::Bare, Side::Plain, Side::Hosted] {
        let run = play(side, seconds)?;
        println!("| {} | {} | {} |", side.name(), run.requests, run.failed);
        if side == Side::Hosted {
            failed = run.failed;
            if failed > 0 {
                eprintln!("nginx said:\n{}", run.log);
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(io::Error::other("a rolling restart lost requests")) }
}

struct Run {
    requests: u64,
    failed: u64,
    /// What nginx logged: why. That a replica refuses a connection is no loss; it asks another.
    log: String,
}

fn play(side: Side, seconds: u64) -> io::Result<Run> {
    let folder = Folder::new(side)?;
    let addrs: Vec<SocketAddr> = (0..REPLICAS).map(|_| free(REPLICA)).collect::<io::Result<_>>()?;
    let mut replicas = addrs.iter().map(|addr| replica(side, *addr)).collect::<io::Result<Vec<_>>>()?;
    let front = free(FRONT)?;
    let nginx = nginx(&folder.0, front, &addrs)?;
    let url = format!("http://{front}/work");
    // Of these nginx does not try one again that it has sent: what is lost is seen.
    let post = folder.0.join("post.lua");
    fs::write(&post, "wrk.method = \"POST\"\nwrk.body = \"x\"\n")?;
    let load = Command::new("wrk")
        .args(["-t1", "-c32", "--timeout", "10s", "-d", &format!("{seconds}s"), "-s"])
        .arg(post)
        .arg(&url)
        .stdout(Stdio::piped())
        .spawn()?;
    let pause = Duration::from_secs(seconds) / (REPLICAS as u32 + 2);
    for (old, addr) in replicas.iter_mut().zip(addrs) {
        // a wait, not a synchronisation: the load goes on meanwhile
        thread::sleep(pause);
        kill_process(Pid::from_child(&old.0), Signal::TERM)?;
        old.0.wait()?;
        *old = replica(side, addr)?;
    }
    let told = String::from_utf8_lossy(&load.wait_with_output()?.stdout).into_owned();
    drop((nginx, replicas));
    let log = fs::read_to_string(folder.0.join("error.log")).unwrap_or_default();
    let lost = log.lines().filter(|line| !line.contains("Connection refused"));
    let log = lost.collect::<Vec<_>>().join("\n");
    read(&told, log).ok_or_else(|| io::Error::other(format!("wrk said:\n{told}")))
}

/// What wrk has counted.
fn read(told: &str, log: String) -> Option<Run> {
    let line = |part: &str| told.lines().find(|line| line.contains(part));
    let requests = line("requests in")?.split_whitespace().next()?.parse().ok()?;
    let numbers =
        |line: &str| -> u64 { line.split([':', ',', ' ']).filter_map(|word| word.parse::<u64>().ok()).sum() };
    Some(Run {
        requests,
        failed: line("Non-2xx").map_or(0, numbers) + line("Socket errors").map_or(0, numbers),
        log,
    })
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn replica(side: Side, addr: SocketAddr) -> io::Result<Running> {
    let program = env::current_exe()?.with_file_name("replica");
    let mut command = Command::new(program);
    command.args([side.name(), &addr.to_string(), MIN_DRAIN]).env("QUIET", "1");
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::Error::other("a replica did not start"));
    }
    Ok(Running(child))
}

/// nginx as it comes, with connections kept alive to the replicas; it tries another replica where one is down.
fn nginx(folder: &Path, front: SocketAddr, replicas: &[SocketAddr]) -> io::Result<Running> {
    let servers: String = replicas.iter().map(|addr| format!("server {addr} max_fails=0;\n")).collect();
    let there = folder.display();
    let config = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {there}/pid;\nerror_log {there}/error.log;\n\
        events {{ worker_connections 1024; }}\n\
        http {{\naccess_log off;\n\
        client_body_temp_path {there}/body;\nproxy_temp_path {there}/proxy;\nfastcgi_temp_path {there}/fastcgi;\n\
        uwsgi_temp_path {there}/uwsgi;\nscgi_temp_path {there}/scgi;\n\
        upstream replicas {{\n{servers}keepalive 16;\nkeepalive_timeout {KEPT}ms;\n}}\n\
        server {{\nlisten {front};\nlocation / {{\nproxy_pass http://replicas;\n\
        proxy_http_version 1.1;\nproxy_set_header Connection \"\";\n}}\n}}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config)?;
    let nginx =
        Command::new("nginx").arg("-p").arg(folder).arg("-c").arg(file).stderr(Stdio::null()).spawn()?;
    let nginx = Running(nginx);
    for _ in 0..1000 {
        if std::net::TcpStream::connect(front).is_ok() {
            return Ok(nginx);
        }
        // a wait, not a synchronisation: whether it listens is asked again
        thread::sleep(Duration::from_millis(10));
    }
    Err(io::Error::other("nginx did not start"))
}

/// Free now; whoever takes it next is a process that cannot be given a socket.
fn free(ip: [u8; 4]) -> io::Result<SocketAddr> {
    TcpListener::bind(SocketAddr::from((ip, 0)))?.local_addr()
}

/// Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(side: Side) -> io::Result<Folder> {
        let folder = env::temp_dir().join(format!("asupersync-rolling-{}-{}", side.name(), process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left there is temporary.
        drop(fs::remove_dir_all(&self.0));
    }
}
