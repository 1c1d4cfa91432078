//! `ambient_authority`: code that has a context, and goes around it.

use super::context::cx_at;
use crate::facts::{Facts, Offence};
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "ambient_authority",
    level: Level::Info,
    summary: "files, sockets, time or chance around the Cx",
    page: include_str!("../../docs/ambient_authority.md"),
    watched: WATCHED,
    check,
};

/// What gives files, sockets, time, chance or processes to whoever asks, and
/// the means of the context to use instead.
const WATCHED: &[&str] = &[
    "rand::random",
    "rand::rng",
    "rand::thread_rng",
    "std::env::var",
    "std::env::vars",
    "std::fs::File::create",
    "std::fs::File::open",
    "std::fs::copy",
    "std::fs::create_dir",
    "std::fs::create_dir_all",
    "std::fs::metadata",
    "std::fs::read",
    "std::fs::read_dir",
    "std::fs::read_to_string",
    "std::fs::remove_dir_all",
    "std::fs::remove_file",
    "std::fs::rename",
    "std::fs::write",
    "std::net::TcpListener::bind",
    "std::net::TcpStream::connect",
    "std::net::UdpSocket::bind",
    "std::process::Command::new",
    "std::thread::sleep",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "tokio::fs::File::create",
    "tokio::fs::File::open",
    "tokio::fs::create_dir_all",
    "tokio::fs::read",
    "tokio::fs::read_to_string",
    "tokio::fs::remove_file",
    "tokio::fs::write",
    "tokio::net::TcpListener::bind",
    "tokio::net::TcpStream::connect",
    "tokio::net::UdpSocket::bind",
    "tokio::process::Command::new",
    "tokio::time::Instant::now",
    "tokio::time::sleep",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(WATCHED).filter(|site| !site.in_test) {
        let Some(cx) = cx_at(facts, site.at) else { continue };
        let bodies = facts.world.bodies(site.at.instance);
        let name = facts.world.names.text(bodies.locals[cx as usize].name);
        let path = site.path().unwrap_or_default();
        let means = match path.split("::").nth(1) {
            Some("fs") => "fs()",
            Some("net") => "net()",
            Some("time" | "thread") => "clock(), or sleep(..)",
            _ if path.starts_with("rand::") => "random()",
            _ => "authority, where it has one",
        };
        let diagnosis = Diagnosis {
            message: format!("`{path}` goes around `{name}`"),
            reason: "what the region was not given it can reach all the same, and a test in the lab depends on the \
                     world outside"
                .into(),
            suggestion: format!("{name}.{means}"),
        };
        out.push(Offence::at_site(site, Level::Info, diagnosis));
    }
}
