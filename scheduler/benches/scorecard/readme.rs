//! The block of the README that this program writes: what a region costs, and what a cancel.

use std::fs;
use std::path::Path;

use crate::report::Report;

/// The rows that are shown there.
pub(crate) const ROWS: &[&str] = &["region", "cancel"];

const BEGIN: &str = "<!-- scorecard ";
const END: &str = "<!-- end of scorecard -->";

/// Writes the report between the markers. The first has a hash of what is between them, so that a rule of
/// the house sees when somebody edits it.
pub(crate) fn write(report: &Report) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let parts = page.split_once(BEGIN).and_then(|(above, rest)| Some((above, rest.split_once(END)?.1)));
    let (above, below) = parts.ok_or_else(|| format!("the README has no `{BEGIN}..` and `{END}`"))?;
    let block = format!("\n{}\n", report.markdown());
    let page = format!("{above}{BEGIN}{:016x} -->{block}{END}{below}", hash(&block));
    fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
