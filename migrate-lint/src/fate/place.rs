//! Values that are put somewhere: into variables, fields, statics and new
//! structs, and whether what owns the place aborts tasks when it is dropped.

use super::Fate;
use super::flow::{Flow, Steps, Went};
use crate::load::body::{Kind, NONE};
use crate::load::names::Symbol;
use crate::load::signature::{Defined, Parameter};
use crate::resolve::Def;
use crate::types::{At, Callee, Type};

impl Flow<'_, '_> {
    /// The value is put into this place, or into the collection it names.
    pub(super) fn put_into(&mut self, place: At, steps: &Steps, from: At) -> Went {
        let bodies = self.world.bodies(place.instance);
        let mut node = bodies.peeled(place.node);
        let direct = node;
        // what the place is part of, and by which fields
        let mut path = Steps::new();
        let mut shared = false;
        loop {
            node = match bodies.kind(node) {
                Kind::Field { base, name } => {
                    path.push(name);
                    base
                }
                Kind::Index { base, .. } | Kind::Method { receiver: base, .. } => {
                    path.clear();
                    shared |= matches!(bodies.kind(node), Kind::Method { .. });
                    base
                }
                Kind::Ref(base) | Kind::Deref(base) | Kind::Try(base) | Kind::Await(base) => base,
                _ => break,
            };
        }
        match bodies.kind(node) {
            Kind::Local(local) => {
                if self.outlives(place.instance, local) {
                    return self.stored(At { node: direct, ..place }, from);
                }
                let is_field = !path.is_empty();
                path.reverse();
                path.extend(steps);
                match self.variable(place.instance, local, &path, from) {
                    Went::To(Fate::Dropped, _) if shared => self.stored(At { node: direct, ..place }, from),
                    Went::To(Fate::Passed | Fate::Returned, _) if is_field => {
                        self.stored(At { node: direct, ..place }, from)
                    }
                    went => went,
                }
            }
            _ => self.stored(At { node: direct, ..place }, from),
        }
    }

    /// Whether a variable refers to something that the caller owns.
    fn outlives(&self, instance: u32, local: u32) -> bool {
        self.world.file(instance).parameter(local).is_some_and(|of| of != Parameter::Value)
    }

    fn stored(&self, place: At, from: At) -> Went {
        let fate = if self.owner_aborts(place) { Fate::StoredAborting } else { Fate::Stored };
        Went::To(fate, from)
    }

    /// Whether something that a place is part of aborts tasks in its `Drop`.
    fn owner_aborts(&self, place: At) -> bool {
        let bodies = self.world.bodies(place.instance);
        let mut node = place.node;
        loop {
            let types = self.world.derefs(&self.world.type_of(At { node, ..place }));
            if types.iter().any(|of| matches!(of, Type::Named(def, _) if self.aborts(*def))) {
                return true;
            }
            node = match bodies.kind(node) {
                Kind::Field { base, .. } | Kind::Index { base, .. } | Kind::Method { receiver: base, .. } => {
                    base
                }
                Kind::Ref(base) | Kind::Deref(base) | Kind::Try(base) | Kind::Await(base) => base,
                _ => return false,
            };
        }
    }

    /// The value becomes a field of a new struct.
    pub(super) fn built(&mut self, structure: At, value: At) -> Went {
        let bodies = self.world.bodies(structure.instance);
        let Kind::Struct { path, .. } = bodies.kind(structure.node) else {
            return Went::To(Fate::Stored, structure);
        };
        match (path != NONE).then(|| self.world.path_callee(structure.instance, path)) {
            Some(Callee::Constructor(def, variant)) => self.constructed(def, variant, structure, value),
            _ => Went::To(Fate::Stored, structure),
        }
    }

    /// The value becomes part of a new value of this type.
    pub(super) fn constructed(&mut self, def: Def, variant: Option<Symbol>, whole: At, value: At) -> Went {
        if self.aborts(def) {
            let alone = match self.world.defined(def) {
                Defined::Struct { fields, .. } => fields.len() == 1,
                _ => variant.is_none(),
            };
            return Went::To(if alone { Fate::Wrapped } else { Fate::StoredAborting }, whole);
        }
        match self.value(whole, &Steps::new()) {
            Went::To(fate @ (Fate::StoredAborting | Fate::Wrapped | Fate::Awaited | Fate::Forgotten), at) => {
                Went::To(fate, at)
            }
            Went::To(Fate::Aborted, at) => Went::To(Fate::Aborted, at),
            _ => Went::To(Fate::Stored, value),
        }
    }

    /// Whether the `Drop` of a type aborts a task.
    pub(super) fn aborts(&self, def: Def) -> bool {
        let Some(drop) = self.world.drop_of(def) else {
            return false;
        };
        self.calls_abort(drop, 0)
    }

    fn calls_abort(&self, f: crate::types::FnRef, depth: u32) -> bool {
        let bodies = self.world.bodies(f.instance);
        let root = self.world.function(f).body;
        if root == NONE || depth > 2 {
            return false;
        }
        for node in bodies.within(root) {
            if let Kind::Method { name, .. } = bodies.kind(node) {
                if name == self.world.words.abort || &*self.world.names.text(name) == "abort_all" {
                    return true;
                }
                if let Callee::Function(found) = self.world.callee(At { instance: f.instance, node })
                    && self.world.function_path(found.function).is_none()
                    && self.calls_abort(found.function, depth + 1)
                {
                    return true;
                }
            }
        }
        false
    }
}
