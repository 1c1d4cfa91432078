//! What becomes of a variable: its uses, each followed on.

use super::Fate;
use super::flow::{Flow, Steps, Went, strongest};
use crate::load::body::{ExprId, FrameId, FrameKind, Kind, LocalId, NONE};
use crate::types::At;

impl Flow<'_, '_> {
    /// What becomes of what a variable holds, from `from` on.
    pub(super) fn variable(&mut self, instance: u32, local: LocalId, steps: &Steps, from: At) -> Went {
        let home = self.world.bodies(instance).frame(from.node);
        let wents: Vec<Went> = self
            .uses(instance, local, from.node)
            .into_iter()
            .map(|node| {
                let used = At { instance, node };
                let went = self.value(used, steps);
                self.seen_from(home, used, went)
            })
            .collect();
        match strongest(wents) {
            // nothing takes it: it ends with its scope
            Went::Nowhere => Went::To(Fate::Dropped, from),
            went => went,
        }
    }

    /// The nodes after `from` that name a variable.
    pub(super) fn uses(&self, instance: u32, local: LocalId, from: ExprId) -> Vec<ExprId> {
        let bodies = self.world.bodies(instance);
        let uses = bodies.uses(local);
        let (before, after) = uses.split_at(uses.partition_point(|node| *node < from));
        let mut found = after.to_vec();
        // in a loop, what stands before may run after
        let around = bodies.ancestors(from).find(|node| {
            matches!(bodies.kind(*node), Kind::Loop { .. } | Kind::For { .. })
                && !self.is_inside(instance, local, *node)
        });
        if around.is_some() {
            found.extend(before);
        }
        found
    }

    /// Whether a variable is declared inside this loop.
    fn is_inside(&self, instance: u32, local: LocalId, around: ExprId) -> bool {
        let bodies = self.world.bodies(instance);
        let mut pattern = bodies.locals[local as usize].pattern;
        loop {
            use crate::load::body::Origin;
            match bodies.patterns[pattern as usize].origin {
                Origin::Part(whole) => pattern = whole,
                Origin::Node(node) => return node != around && bodies.ancestors(node).any(|a| a == around),
                Origin::Closure(node, _) => return bodies.ancestors(node).any(|a| a == around),
                Origin::Parameter(..) | Origin::Nothing => return false,
            }
        }
    }

    /// A use in a closure or async block counts as what becomes of that.
    fn seen_from(&mut self, home: FrameId, used: At, went: Went) -> Went {
        let Went::To(fate, by) = went else { return went };
        let bodies = self.world.bodies(used.instance);
        let mut frame = bodies.frame(used.node);
        let mut fate = fate;
        let mut by = by;
        while frame != home && frame != NONE {
            let found = bodies.frames[frame as usize];
            let runs_later = match found.kind {
                FrameKind::Async | FrameKind::Closure { is_async: true } => true,
                FrameKind::Closure { .. } => false,
                FrameKind::Function(_) => break,
            };
            if runs_later && found.node != NONE {
                let later = At { instance: used.instance, node: found.node };
                match self.value(later, &Steps::new()) {
                    Went::To(Fate::Awaited, at) => by = at,
                    Went::To(Fate::Returned, at) => (fate, by) = (Fate::Returned, at),
                    Went::To(Fate::Passed | Fate::Stored | Fate::StoredAborting, at) => {
                        (fate, by) = (Fate::Passed, at);
                    }
                    // it never runs, or nobody knows
                    Went::To(_, at) => (fate, by) = (Fate::Dropped, at),
                    Went::Nowhere => return Went::Nowhere,
                    Went::Lost(why) => return Went::Lost(why),
                }
            }
            frame = found.parent;
        }
        Went::To(fate, by)
    }
}
