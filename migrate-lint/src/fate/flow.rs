//! Where a value goes: a climb from the expression that makes it.
//!
//! Each step asks what the parent does with its child. A binding leads to the
//! uses of the variable (`uses`), a call to what is called (`calls`), a place
//! to what owns it (`place`). The climb ends where the fate is decided, where
//! the value is only looked at, or where the trail is lost.

use super::Fate;
use crate::load::body::{ExprId, FrameKind, Kind, NONE, PatId, PatternKind};
use crate::load::names::Symbol;
use crate::types::{At, World};

/// Where a value went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Went {
    /// Here its fate was decided.
    To(Fate, At),
    /// It was only looked at.
    Nowhere,
    /// This is why it cannot be told.
    Lost(&'static str),
}

/// The fields and positions that lead to a value in what holds it, outermost
/// first.
pub(super) type Steps = Vec<Symbol>;

/// Longest climb, variables and calls included.
const DEPTH: u32 = 96;

/// Most steps that are taken for one task, all branches together.
const STEPS: u32 = 2_000;

pub(super) struct Flow<'w, 'a> {
    pub(super) world: &'w World<'a>,
    depth: u32,
    /// Steps that are left.
    left: u32,
    /// Functions being looked into.
    pub(super) inside: Vec<(u32, u32)>,
}

impl<'w, 'a> Flow<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>) -> Flow<'w, 'a> {
        Flow { world, depth: 0, left: STEPS, inside: Vec::new() }
    }

    /// What becomes of the value of `at`.
    pub(super) fn value(&mut self, at: At, steps: &Steps) -> Went {
        if self.depth >= DEPTH || self.left == 0 {
            return Went::Lost("it goes through too many hands");
        }
        self.depth += 1;
        self.left -= 1;
        let went = self.step(at, steps);
        self.depth -= 1;
        went
    }

    fn step(&mut self, at: At, steps: &Steps) -> Went {
        let bodies = self.world.bodies(at.instance);
        let parent = bodies.node(at.node).parent;
        let up = At { node: parent, ..at };
        if parent == NONE {
            return self.root(at);
        }
        let is = |child: ExprId| child == at.node;
        match bodies.kind(parent) {
            Kind::Semi(_) => Went::To(Fate::Dropped, at),
            Kind::Block { statements, has_value, .. } => {
                let is_last = bodies.list(statements).last() == Some(&at.node);
                if is_last && has_value { self.value(up, steps) } else { Went::To(Fate::Dropped, at) }
            }
            Kind::Async { .. } => Went::To(Fate::Returned, at),
            Kind::Closure { .. } => self.closure_value(up, steps),
            Kind::Await(_) => Went::To(Fate::Awaited, up),
            Kind::Try(_) | Kind::Ref(_) | Kind::Deref(_) | Kind::Cast { .. } | Kind::Arm { .. } => {
                self.value(up, steps)
            }
            Kind::Field { name, .. } => self.field(up, name, steps),
            Kind::Index { base, .. } if is(base) => self.value(up, steps),
            Kind::Let { pattern, .. } | Kind::Condition { pattern, .. } => {
                self.pattern(at.instance, pattern, steps, at)
            }
            Kind::Match { value, arms } if is(value) => {
                let wents: Vec<Went> = bodies
                    .list(arms)
                    .iter()
                    .map(|arm| match bodies.kind(*arm) {
                        Kind::Arm { pattern, .. } => self.pattern(at.instance, pattern, steps, at),
                        _ => Went::Nowhere,
                    })
                    .collect();
                strongest(wents)
            }
            Kind::Match { .. } | Kind::Select { .. } => self.value(up, steps),
            Kind::If { condition, .. } if is(condition) => Went::Nowhere,
            Kind::If { .. } => self.value(up, steps),
            Kind::For { pattern, iterator, .. } if is(iterator) => {
                self.pattern(at.instance, pattern, steps, at)
            }
            Kind::Assign { place, .. } if is(place) => Went::Nowhere,
            // `println!("{x}", x = value)`
            Kind::Assign { .. } if self.is_named_argument(up) => self.value(up, steps),
            Kind::Assign { place, .. } => match bodies.kind(place) {
                Kind::Discard => Went::To(Fate::Dropped, at),
                _ => self.put_into(At { node: place, ..at }, steps, up),
            },
            Kind::Break { label, .. } => match self.loop_of(up, label) {
                Some(around) => self.value(around, steps),
                None => Went::Lost("the loop it leaves was not found"),
            },
            Kind::Return(_) => Went::To(Fate::Returned, up),
            Kind::SelectArm { future, .. } if is(future) => Went::To(Fate::Awaited, up),
            Kind::SelectArm { .. } => self.value(up, steps),
            Kind::Tuple(items) => {
                let position = bodies.list(items).iter().position(|item| is(*item));
                let mut steps = steps.clone();
                steps.insert(0, self.world.names.intern(&position.unwrap_or(0).to_string()));
                self.value(up, &steps)
            }
            Kind::Array(_) => self.value(up, steps),
            Kind::FieldValue { .. } => self.built(At { node: bodies.node(parent).parent, ..at }, at),
            Kind::Struct { .. } => Went::To(Fate::Stored, up),
            Kind::Call { callee, .. } if is(callee) => self.value(up, steps),
            Kind::Call { args, .. } => {
                let position = bodies.list(args).iter().position(|arg| is(*arg)).unwrap_or(0);
                self.argument(up, position, at, steps)
            }
            Kind::Method { receiver, name, .. } if is(receiver) => self.received(up, name, at, steps),
            Kind::Method { receiver, name, args } => {
                let position = bodies.list(args).iter().position(|arg| is(*arg)).unwrap_or(0);
                self.method_argument(up, At { node: receiver, ..at }, name, position, at, steps)
            }
            Kind::Macro { name, .. } => self.in_macro(up, name, at, steps),
            Kind::Tokens(_) => Went::Lost("it stands in macro input that does not read as Rust"),
            Kind::Loop { .. } | Kind::For { .. } => Went::To(Fate::Dropped, at),
            _ => Went::Nowhere,
        }
    }

    fn is_named_argument(&self, assignment: At) -> bool {
        let bodies = self.world.bodies(assignment.instance);
        let parent = bodies.node(assignment.node).parent;
        parent != NONE && matches!(bodies.kind(parent), Kind::Macro { .. })
    }

    /// The value of a whole body.
    fn root(&self, at: At) -> Went {
        let bodies = self.world.bodies(at.instance);
        let frame = bodies.frames.get(bodies.frame(at.node) as usize);
        match frame.map(|f| f.kind) {
            Some(FrameKind::Function(id)) if id != NONE => Went::To(Fate::Returned, at),
            _ => Went::Lost("it is the value of a constant or a macro"),
        }
    }

    /// What becomes of the value a closure gives.
    fn closure_value(&mut self, closure: At, steps: &Steps) -> Went {
        let bodies = self.world.bodies(closure.instance);
        let parent = bodies.node(closure.node).parent;
        if parent == NONE {
            return Went::To(Fate::Returned, closure);
        }
        let up = At { node: parent, ..closure };
        match bodies.kind(parent) {
            Kind::Method { name, receiver, .. } if receiver != closure.node => {
                match &*self.world.names.text(name) {
                    "for_each" | "inspect" | "retain" | "inspect_err" => Went::To(Fate::Dropped, closure),
                    // iterators, options, results, and those who run it once
                    "map" | "filter_map" | "flat_map" | "map_err" | "and_then" | "then" | "or_else"
                    | "unwrap_or_else" | "get_or_insert_with" | "or_insert_with" | "get_or_init"
                    | "map_or_else" | "then_some" | "block_on" | "in_scope" | "with" => self.value(up, steps),
                    _ => Went::To(Fate::Returned, closure),
                }
            }
            _ => Went::To(Fate::Returned, closure),
        }
    }

    /// What becomes of what a function gives that is passed on as a value.
    pub(super) fn of_function(&mut self, path: At) -> Went {
        match self.closure_value(path, &Steps::new()) {
            Went::To(Fate::Returned, _) => Went::Lost("it is passed on as a function"),
            went => went,
        }
    }

    /// `value.name`
    fn field(&mut self, up: At, name: Symbol, steps: &Steps) -> Went {
        match steps.split_first() {
            Some((first, rest)) if *first == name => self.value(up, &rest.to_vec()),
            Some(_) => Went::Nowhere,
            None => self.value(up, steps),
        }
    }

    /// The loop or block that a `break` leaves with a value.
    fn loop_of(&self, at: At, label: Symbol) -> Option<At> {
        let bodies = self.world.bodies(at.instance);
        let unlabelled = crate::load::names::kw::ROOT;
        let found = bodies.ancestors(at.node).skip(1).find(|node| match bodies.kind(*node) {
            Kind::Loop { label: found, .. } => label == unlabelled || found == label,
            Kind::Block { label: found, .. } => label != unlabelled && found == label,
            _ => false,
        });
        found.map(|node| At { node, ..at })
    }

    /// A value is bound by a pattern.
    pub(super) fn pattern(&mut self, instance: u32, pattern: PatId, steps: &Steps, from: At) -> Went {
        let bodies = self.world.bodies(instance);
        match bodies.patterns[pattern as usize].kind {
            PatternKind::Bind { local, .. } => self.variable(instance, local, steps, from),
            PatternKind::Wild => Went::To(Fate::Dropped, from),
            PatternKind::Ref(inner) | PatternKind::Typed { inner, .. } => {
                self.pattern(instance, inner, steps, from)
            }
            PatternKind::Tuple { items, is_slice: false } => {
                let items = bodies.list(items);
                match steps.split_first() {
                    Some((first, rest)) => {
                        match self.world.names.text(*first).parse().ok().and_then(|n: usize| items.get(n)) {
                            Some(item) => self.pattern(instance, *item, &rest.to_vec(), from),
                            None => Went::To(Fate::Dropped, from),
                        }
                    }
                    // `(key, handle)` of a map
                    None => match items {
                        [.., last] => self.pattern(instance, *last, steps, from),
                        [] => Went::Nowhere,
                    },
                }
            }
            PatternKind::Tuple { items, .. } => {
                let items = bodies.list(items).to_vec();
                strongest(items.into_iter().map(|item| self.pattern(instance, item, steps, from)).collect())
            }
            PatternKind::Variant { items, .. } => match bodies.list(items) {
                [item] => self.pattern(instance, *item, steps, from),
                _ => Went::Nowhere,
            },
            PatternKind::Struct { items, .. } => {
                let Some((first, rest)) = steps.split_first() else {
                    return Went::Nowhere;
                };
                let field =
                    bodies.list(items).iter().find_map(|item| match bodies.patterns[*item as usize].kind {
                        PatternKind::Field { name, inner } if name == *first => Some(inner),
                        _ => None,
                    });
                match field {
                    Some(inner) => self.pattern(instance, inner, &rest.to_vec(), from),
                    None => Went::To(Fate::Dropped, from),
                }
            }
            PatternKind::Or(items) => match bodies.list(items) {
                [first, ..] => self.pattern(instance, *first, steps, from),
                [] => Went::Nowhere,
            },
            _ => Went::Nowhere,
        }
    }
}

/// How much each fate says when there are several.
fn weight(went: &Went) -> u8 {
    match went {
        Went::To(fate, _) => match fate {
            Fate::Forgotten => 12,
            Fate::Wrapped => 11,
            Fate::StoredAborting => 10,
            Fate::JoinSet | Fate::LocalSet | Fate::TaskTracker => 9,
            Fate::Awaited => 8,
            Fate::Returned => 7,
            Fate::Stored => 6,
            Fate::Passed => 5,
            Fate::Aborted => 4,
            Fate::Dropped => 2,
        },
        Went::Lost(_) => 3,
        Went::Nowhere => 0,
    }
}

/// The fate that says most; of equals the first.
pub(super) fn strongest(wents: Vec<Went>) -> Went {
    let mut best = Went::Nowhere;
    for went in wents {
        if weight(&went) > weight(&best) {
            best = went;
        }
    }
    best
}
