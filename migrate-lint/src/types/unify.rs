//! What generic parameters stand for.

use super::lower::Place;
use super::{Substitution, Type, World};
use crate::load::names::Symbol;
use std::rc::Rc;

/// Replaces parameters; those that nothing stands for stay.
pub(super) fn substitute(world: &World<'_>, of: &Type, subst: &Substitution) -> Type {
    replace(world, of, subst, false)
}

/// Replaces parameters; those that nothing stands for become unknown.
pub(super) fn substitute_all(world: &World<'_>, of: &Type, subst: &Substitution) -> Type {
    replace(world, of, subst, true)
}

fn replace(world: &World<'_>, of: &Type, subst: &Substitution, all: bool) -> Type {
    let list =
        |types: &[Type]| -> Rc<[Type]> { types.iter().map(|t| replace(world, t, subst, all)).collect() };
    match of {
        Type::Param(name) => match subst.iter().find(|(n, _)| n == name) {
            Some((_, of)) => of.clone(),
            None if all => Type::Unknown,
            None => of.clone(),
        },
        Type::Named(def, args) if !args.is_empty() => Type::Named(*def, list(args)),
        Type::Outside(path, args) if !args.is_empty() => Type::Outside(path.clone(), list(args)),
        Type::Ref(inner) => Type::Ref(Rc::new(replace(world, inner, subst, all))),
        Type::Slice(inner) => Type::Slice(Rc::new(replace(world, inner, subst, all))),
        Type::Future(inner) => Type::Future(Rc::new(replace(world, inner, subst, all))),
        Type::Tuple(items) => Type::Tuple(list(items)),
        Type::Projection(base, name) => {
            let base = replace(world, base, subst, all);
            world.project(&base, *name)
        }
        Type::Bounds(bounds) => Type::Bounds(
            bounds
                .iter()
                .map(|bound| super::Bound {
                    of: bound.of,
                    args: list(&bound.args),
                    bindings: bound
                        .bindings
                        .iter()
                        .map(|(name, of)| (*name, replace(world, of, subst, all)))
                        .collect(),
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Finds what the parameters in `pattern` stand for, given that it is `actual`.
pub(super) fn unify(pattern: &Type, actual: &Type, subst: &mut Substitution) {
    match (pattern, actual) {
        (_, Type::Unknown) => {}
        (Type::Param(name), _) if subst.iter().any(|(n, _)| n == name) => {}
        (Type::Param(name), _) => subst.push((*name, actual.clone())),
        (Type::Ref(a), Type::Ref(b)) => unify(a, b, subst),
        (Type::Ref(a), b) => unify(a, b, subst),
        (a, Type::Ref(b)) => unify(a, b, subst),
        (Type::Named(d, a), Type::Named(e, b)) if d == e => all(a, b, subst),
        (Type::Outside(d, a), Type::Outside(e, b)) if d == e => all(a, b, subst),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => all(a, b, subst),
        (Type::Slice(a), Type::Slice(b)) => unify(a, b, subst),
        (Type::Future(a), Type::Future(b)) => unify(a, b, subst),
        _ => {}
    }
}

fn all(a: &[Type], b: &[Type], subst: &mut Substitution) {
    for (a, b) in a.iter().zip(b) {
        unify(a, b, subst);
    }
}

impl World<'_> {
    /// `base::name`, if that is known.
    pub(super) fn project(&self, base: &Type, name: Symbol) -> Type {
        self.bounded(Type::Unknown, || match base {
            Type::Unknown => Type::Unknown,
            Type::Future(output) if name == self.words.output => (**output).clone(),
            Type::Ref(inner) => match self.project(inner, name) {
                // an item of an iterator over references, as a method on one
                Type::Projection(..) => Type::Unknown,
                found => found,
            },
            Type::Slice(item) if name == self.words.item => (**item).clone(),
            Type::Bounds(bounds) => {
                let mut bindings = bounds.iter().flat_map(|b| b.bindings.iter());
                bindings.find(|(n, _)| *n == name).map_or(Type::Unknown, |(_, of)| of.clone())
            }
            Type::Param(_) | Type::Projection(..) => Type::Projection(Rc::new(base.clone()), name),
            Type::Named(..) | Type::Outside(..) => {
                for i in self.impls_of(base) {
                    let implementation = self.implementation(*i);
                    if let Some((_, of)) = implementation.types.iter().find(|(n, _)| *n == name) {
                        let self_type = self.self_type(*i);
                        let place = Place { instance: i.instance, self_type: Some(&self_type) };
                        let of = self.lower(*of, place);
                        let mut subst = Substitution::new();
                        unify(&self_type, base, &mut subst);
                        return substitute_all(self, &of, &subst);
                    }
                }
                // `Box<dyn Future>`
                let through = (name == self.words.output).then(|| self.deref(base)).flatten();
                through.map_or(Type::Unknown, |inner| self.project(&inner, name))
            }
            _ => Type::Unknown,
        })
    }
}
