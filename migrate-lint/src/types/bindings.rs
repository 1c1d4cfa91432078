//! The types of variables.

use super::lower::Place;
use super::unify::{substitute, unify};
use super::{At, Callee, FnRef, Substitution, Type, World};
use crate::load::body::{ExprId, Kind, LocalId, NONE, Origin, PatId, PatternKind};
use crate::load::names::Symbol;
use std::rc::Rc;

impl World<'_> {
    /// The type of a variable.
    pub fn local_type(&self, instance: u32, local: LocalId) -> Type {
        if let Some(known) = self.locals.borrow().get(&(instance, local)) {
            return known.clone();
        }
        self.locals.borrow_mut().insert((instance, local), Type::Unknown);
        let pattern = self.bodies(instance).locals[local as usize].pattern;
        let found = self.bounded(Type::Unknown, || self.matched(instance, pattern));
        if found == Type::Unknown && self.depth.get() > 0 {
            self.locals.borrow_mut().remove(&(instance, local));
        } else {
            self.locals.borrow_mut().insert((instance, local), found.clone());
        }
        found
    }

    /// The type of what a pattern is matched against.
    fn matched(&self, instance: u32, pattern: PatId) -> Type {
        let bodies = self.bodies(instance);
        match bodies.patterns[pattern as usize].origin {
            Origin::Part(whole) => self.part(instance, whole, pattern),
            Origin::Node(node) => self.source(instance, node),
            Origin::Closure(closure, number) => {
                self.closure_parameter(At { instance, node: closure }, number)
            }
            Origin::Parameter(id, number) => self.parameter(FnRef { instance, id }, number),
            Origin::Nothing => Type::Unknown,
        }
    }

    fn source(&self, instance: u32, node: ExprId) -> Type {
        let bodies = self.bodies(instance);
        let of = |node: ExprId| self.type_of(At { instance, node });
        match bodies.kind(node) {
            Kind::Let { value, .. } if value == NONE => self.assigned_later(instance, node),
            Kind::Let { value, .. } | Kind::Condition { value, .. } => of(value),
            Kind::Arm { .. } => match bodies.kind(bodies.node(node).parent) {
                Kind::Match { value, .. } => of(value),
                _ => Type::Unknown,
            },
            Kind::For { iterator, .. } => {
                let iterated = of(iterator);
                let by_ref = matches!(iterated, Type::Ref(_));
                let chain = self.derefs(&iterated);
                let items = chain.iter().map(|t| self.project(t, self.words.item));
                let item = items.into_iter().find(|t| !matches!(t, Type::Unknown | Type::Projection(..)));
                match item {
                    Some(item) if by_ref => Type::Ref(Rc::new(item)),
                    Some(item) => item,
                    None => Type::Unknown,
                }
            }
            Kind::SelectArm { future, .. } => self.awaited(&of(future)),
            _ => Type::Unknown,
        }
    }

    /// `let x; .. x = value;`
    fn assigned_later(&self, instance: u32, node: ExprId) -> Type {
        let bodies = self.bodies(instance);
        let Kind::Let { pattern, .. } = bodies.kind(node) else {
            return Type::Unknown;
        };
        let PatternKind::Bind { local, .. } = bodies.patterns[pattern as usize].kind else {
            return Type::Unknown;
        };
        let after = bodies.nodes.iter().enumerate().skip(node as usize).take(2_000);
        for (_, later) in after {
            if let Kind::Assign { place, value } = later.kind
                && bodies.kind(place) == Kind::Local(local)
            {
                return self.type_of(At { instance, node: value });
            }
        }
        Type::Unknown
    }

    fn parameter(&self, f: FnRef, number: u32) -> Type {
        let function = self.function(f);
        if number == u32::MAX {
            return self.self_of(f).unwrap_or(Type::Unknown);
        }
        match function.parameters.get(number as usize) {
            Some((_, of)) => self.lower_in(*of, f.instance, Some(f)),
            None => Type::Unknown,
        }
    }

    /// The type of a part of a pattern.
    fn part(&self, instance: u32, whole: PatId, part: PatId) -> Type {
        let bodies = self.bodies(instance);
        let strip = |mut of: Type| {
            while let Type::Ref(inner) = of {
                of = (*inner).clone();
            }
            of
        };
        match bodies.patterns[whole as usize].kind {
            PatternKind::Typed { of, .. } => {
                let function = self.function_of_pattern(instance, whole);
                let annotated = self.lower_in(of, instance, function);
                match annotated {
                    Type::Unknown => self.matched(instance, whole),
                    found => found,
                }
            }
            PatternKind::Bind { .. } | PatternKind::Or(_) => self.matched(instance, whole),
            PatternKind::Ref(_) => strip(self.matched(instance, whole)),
            PatternKind::Tuple { items, is_slice } => {
                let of = strip(self.matched(instance, whole));
                let items = bodies.list(items);
                match of {
                    Type::Tuple(types) if !is_slice => {
                        let Some(position) = items.iter().position(|p| *p == part) else {
                            return Type::Unknown;
                        };
                        let rest = items[..position]
                            .iter()
                            .any(|p| bodies.patterns[*p as usize].kind == PatternKind::Rest);
                        let number = if rest {
                            types.len().checked_sub(items.len() - position)
                        } else {
                            Some(position)
                        };
                        number.and_then(|n| types.get(n).cloned()).unwrap_or(Type::Unknown)
                    }
                    Type::Slice(item) => (*item).clone(),
                    Type::Named(_, args) if is_slice => args.first().cloned().unwrap_or(Type::Unknown),
                    _ => Type::Unknown,
                }
            }
            PatternKind::Variant { path, items } => {
                let position = bodies.list(items).iter().position(|p| *p == part);
                let name = position.map(|n| self.names.intern(&n.to_string()));
                self.field_through(instance, whole, path, name)
            }
            PatternKind::Field { name, .. } => {
                // its own whole is the struct pattern
                match bodies.patterns[whole as usize].origin {
                    Origin::Part(structure) => match bodies.patterns[structure as usize].kind {
                        PatternKind::Struct { path, .. } => {
                            self.field_through(instance, structure, path, Some(name))
                        }
                        _ => Type::Unknown,
                    },
                    _ => Type::Unknown,
                }
            }
            _ => Type::Unknown,
        }
    }

    fn field_through(&self, instance: u32, whole: PatId, path: u32, name: Option<Symbol>) -> Type {
        let Some(name) = name else { return Type::Unknown };
        if path == NONE {
            return Type::Unknown;
        }
        let Callee::Constructor(def, variant) = self.path_callee(instance, path) else {
            return Type::Unknown;
        };
        let mut of = self.matched(instance, whole);
        while let Type::Ref(inner) = of {
            of = (*inner).clone();
        }
        let args = match of {
            Type::Named(found, args) if found == def => args,
            _ => Rc::from([]),
        };
        self.named_field(def, variant, &args, name).unwrap_or(Type::Unknown)
    }

    /// The function whose code a pattern is in.
    fn function_of_pattern(&self, instance: u32, mut pattern: PatId) -> Option<FnRef> {
        let bodies = self.bodies(instance);
        loop {
            match bodies.patterns[pattern as usize].origin {
                Origin::Part(whole) => pattern = whole,
                Origin::Node(node) | Origin::Closure(node, _) => {
                    return self.function_around(At { instance, node });
                }
                Origin::Parameter(id, _) => return Some(FnRef { instance, id }),
                Origin::Nothing => return None,
            }
        }
    }

    /// What the function that a closure is given to passes to it.
    fn closure_parameter(&self, closure: At, number: u32) -> Type {
        let bodies = self.bodies(closure.instance);
        let parent = bodies.node(closure.node).parent;
        if parent == NONE {
            return Type::Unknown;
        }
        let call = At { node: parent, ..closure };
        let (args, receiver) = match bodies.kind(parent) {
            Kind::Call { args, .. } => (args, None),
            Kind::Method { args, receiver, .. } => (args, Some(receiver)),
            _ => return Type::Unknown,
        };
        let Callee::Function(found) = self.callee(call) else {
            return Type::Unknown;
        };
        let args = bodies.list(args);
        let Some(position) = args.iter().position(|arg| *arg == closure.node) else {
            return Type::Unknown;
        };
        let function = self.function(found.function);
        let skipped = usize::from(function.takes_self && receiver.is_none());
        let Some(position) = position.checked_sub(skipped) else {
            return Type::Unknown;
        };
        let self_type = self.self_within(&found);
        let place = Place { instance: found.function.instance, self_type: self_type.as_ref() };
        let mut subst: Substitution = found.subst.clone();
        for ((_, of), arg) in function.parameters.iter().zip(&args[skipped..]).take(position) {
            unify(&self.lower(*of, place), &self.type_of(At { node: *arg, ..closure }), &mut subst);
        }
        let Some((_, wanted)) = function.parameters.get(position) else {
            return Type::Unknown;
        };
        let bound = match self.lower(*wanted, place) {
            Type::Param(name) => self.bounds_of(name, found.function),
            other => Some(other),
        };
        let Some(Type::Bounds(bounds)) = bound else {
            return Type::Unknown;
        };
        let passed = bounds.iter().find_map(|b| match b.args.first() {
            Some(Type::Tuple(items)) => items.get(number as usize).cloned(),
            _ => None,
        });
        match passed {
            Some(of) => match substitute(self, &of, &subst) {
                Type::Param(_) | Type::Projection(..) => Type::Unknown,
                of => of,
            },
            None => Type::Unknown,
        }
    }
}
