//! Row 20: rows 1, 5 and 12 on a runtime with lanes, and on one that was built without them. All on one
//! core: what is looked for is smaller than what a second one adds in noise.

use super::{echo, spawn};
use crate::cores;
use crate::measure::Figures;
use crate::peer::Peer;

pub(super) fn tax(_: Peer, scale: u64) -> Figures {
    cores::keep_to_servers();
    let cpu_of = |figures: Figures| figures[1];
    let (spawned, yielded) = (spawn::joined(Peer::Ours, scale), spawn::yields(Peer::Ours, scale));
    vec![cpu_of(spawned), cpu_of(yielded), echo::many(Peer::Ours, scale)[0]]
}
