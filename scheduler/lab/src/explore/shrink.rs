//! Fewer switches: a failing schedule made as short a story as can be.
//!
//! Some steps in a row of one task are left out, or moved to where that task runs anyway, until no such
//! change leaves a run that still fails.

use super::replay::Choices;

/// The schedule with the fewest switches that was found. `fails` runs one, as far as it can be taken,
/// and gives what was really taken if that failed.
pub(crate) fn shrink(first: Choices, mut fails: impl FnMut(Choices) -> Option<Choices>) -> Choices {
    let mut best = first;
    'again: loop {
        let mut end = 0;
        let runs: Vec<(usize, usize)> = best
            .0
            .chunk_by(|a, b| a == b)
            .map(|run| {
                let start = end;
                end += run.len();
                (start, end)
            })
            .collect();
        for (at, &(start, end)) in runs.iter().enumerate() {
            let task = best.0[start];
            // This run of steps joins the next, or the last, of the same task.
            let next = runs[at + 1..].iter().find(|(start, _)| best.0[*start] == task);
            let before = runs[..at].iter().rfind(|(start, _)| best.0[*start] == task);
            let places = next.map(|next| next.0).into_iter().chain(before.map(|before| before.1));
            for place in std::iter::once(None).chain(places.map(Some)) {
                let mut choices = best.0.clone();
                let steps: Vec<_> = choices.drain(start..end).collect();
                if let Some(to) = place {
                    let to = if to > start { to - steps.len() } else { to };
                    choices.splice(to..to, steps);
                }
                if let Some(taken) = fails(Choices(choices))
                    && (taken.switches(), taken.0.len()) < (best.switches(), best.0.len())
                {
                    best = taken;
                    continue 'again;
                }
            }
        }
        return best;
    }
}
