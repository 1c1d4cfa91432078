//! Servers that are there: started on a free port, with their data in a folder that goes with them.

use std::env;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to answer.
const STARTS: Duration = Duration::from_secs(30);

/// A server that must be there if `ASUPERSYNC_REQUIRE_SERVERS` is 1, and else says that its rows are skipped.
///
/// # Panics
/// If it must be there and is not.
pub fn require<T>(name: &str, started: io::Result<T>) -> Option<T> {
    match started {
        Ok(server) => Some(server),
        Err(error) if env::var_os("ASUPERSYNC_REQUIRE_SERVERS").is_some_and(|value| value == "1") => {
            panic!("{name} is required, and does not start: {error}")
        }
        Err(error) => {
            eprintln!("SKIPPED: {name} does not start, so its rows are NOT checked: {error}");
            None
        }
    }
}

/// A process that ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A Redis server.
pub struct Redis {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Redis {
    /// Starts one.
    ///
    /// # Errors
    /// If it is not installed, or does not answer.
    pub fn start() -> io::Result<Redis> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        command.arg(port.to_string()).arg("--dir").arg(folder.path());
        let process = Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        wait(|| TcpStream::connect(("127.0.0.1", port)).map(drop))?;
        Ok(Redis { port, _process: process, _folder: folder })
    }
}

/// A PostgreSQL server, whose user `postgres` needs no password.
pub struct Postgres {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Postgres {
    /// Starts one. It refuses to run as root; then it runs as the user `postgres`, or `nobody`.
    ///
    /// # Errors
    /// If it is not installed, or does not answer.
    pub fn start() -> io::Result<Postgres> {
        let bin = programs()?;
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let user = match fs::metadata("/proc/self")?.is_root() {
            true => Some(unprivileged()?),
            false => None,
        };
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let as_user = |program: &str| {
            let mut command = Command::new(bin.join(program));
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let data = folder.path().join("data");
        let made = as_user("initdb")
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-D"])
            .arg(&data)
            .status()?;
        if !made.success() {
            return Err(io::Error::other(format!("initdb failed: {made}")));
        }
        let mut command = as_user("postgres");
        command.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
            command.args(["-c", setting]);
        }
        let process = Process(command.spawn()?);
        // It writes there how far it is.
        let status = data.join("postmaster.pid");
        wait(|| match fs::read_to_string(&status)?.lines().nth(7).map(str::trim) {
            Some("ready") => Ok(()),
            _ => Err(io::Error::other("it is not ready")),
        })?;
        Ok(Postgres { port, _process: process, _folder: folder })
    }
}

trait IsRoot {
    fn is_root(&self) -> bool;
}

impl IsRoot for fs::Metadata {
    fn is_root(&self) -> bool {
        std::os::unix::fs::MetadataExt::uid(self) == 0
    }
}

/// Where PostgreSQL's programs are.
fn programs() -> io::Result<PathBuf> {
    let in_path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&in_path).collect();
    // Debian keeps them beside the path, by version.
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let has = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|program| folder.join(program).exists());
    let found = folders.into_iter().find(has);
    found
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no initdb and postgres in the path"))
}

/// A user and group that may run a server.
fn unprivileged() -> io::Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    let user = of("postgres").or_else(|| of("nobody"));
    user.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no user but root"))
}

/// A port that nobody listens on.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait(mut ready: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let give_up = Instant::now() + STARTS;
    loop {
        match ready() {
            Err(error) if Instant::now() > give_up => return Err(error),
            Err(_) => {}
            Ok(()) => return Ok(()),
        }
        // a wait, not a synchronisation: a server does not tell when it is ready
        sleep(Duration::from_millis(20));
    }
}
