//! Peers that are programs of their own, which the scorecard runs if somebody has built them.
//!
//! | peer | why it is apart | built by |
//! |---|---|---|
//! | `monoio`, `compio`, `glommio` | many dependencies that nothing else needs | [`LOCAL`] |
//! | `one-lane` | the same sources with `--cfg one_lane`: this program, and a runtime without lanes | [`ONE_LANE`] |
//!
//! One that is not there, or does not run here, is told of in the report.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peer::Peer;
use crate::rows::Row;

const LOCAL: &str =
    "cargo build --release --manifest-path scheduler/peers/Cargo.toml --target-dir target/peers";
const ONE_LANE: &str = "RUSTFLAGS='--cfg one_lane' cargo bench -p asupersync-scheduler --bench scorecard \
                        --target-dir target/one-lane --no-run";

/// The program that samples a peer, told what to do.
pub(crate) fn command(row: &Row, peer: Peer, scale: u64) -> Result<Command, String> {
    let this = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let scale = scale.to_string();
    if peer.is_local() {
        let mut command = Command::new(local(&this)?);
        command.args([row.name, peer.name(), &scale]).arg(this);
        return Ok(command);
    }
    let program = if peer == Peer::OneLane { one_lane(&this)? } else { this };
    let mut command = Command::new(program);
    command.args(["--sample", row.name, peer.name(), &scale]);
    Ok(command)
}

/// The target directory that a program of cargo's is in.
pub(crate) fn target(program: &Path) -> Result<&Path, String> {
    program.ancestors().nth(3).ok_or_else(|| format!("{} is in no target directory", program.display()))
}

fn local(this: &Path) -> Result<PathBuf, String> {
    let program = target(this)?.join("peers/release/asupersync-peers");
    if program.exists() { Ok(program) } else { Err(format!("not built; build it with `{LOCAL}`")) }
}

/// The newest, since cargo keeps those of older sources.
fn one_lane(this: &Path) -> Result<PathBuf, String> {
    let missing = || format!("not built; build it with `{ONE_LANE}`");
    let files = std::fs::read_dir(target(this)?.join("one-lane/release/deps")).map_err(|_| missing())?;
    let programs = files.filter_map(|file| Some(file.ok()?.path())).filter(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        name.starts_with("scorecard-") && path.extension().is_none()
    });
    let built = |path: &PathBuf| path.metadata().and_then(|of| of.modified()).ok();
    programs.max_by_key(built).ok_or_else(missing)
}
