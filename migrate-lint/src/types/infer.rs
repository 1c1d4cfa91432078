//! The types of expressions.

use super::lower::{Place, pair};
use super::unify::substitute_all;
use super::{At, Callee, Type, World};
use crate::load::body::{ExprId, Kind, List, NONE};
use crate::load::names::Symbol;
use crate::load::signature::{Defined, Field};
use crate::resolve::Def;
use std::rc::Rc;

impl World<'_> {
    /// The type of an expression.
    pub fn type_of(&self, at: At) -> Type {
        if at.node == NONE {
            return self.nothing();
        }
        if let Some(known) = self.expressions.borrow().get(&at) {
            return known.clone();
        }
        // what leads back here is not known yet
        self.expressions.borrow_mut().insert(at, Type::Unknown);
        let found = self.bounded(Type::Unknown, || self.infer(at));
        if found == Type::Unknown && self.depth.get() > 0 {
            // it may be known when asked again from elsewhere
            self.expressions.borrow_mut().remove(&at);
        } else {
            self.expressions.borrow_mut().insert(at, found.clone());
        }
        found
    }

    fn infer(&self, at: At) -> Type {
        let bodies = self.bodies(at.instance);
        let of = |node: ExprId| self.type_of(At { node, ..at });
        let all = |list: List| -> Vec<At> {
            bodies.list(list).iter().map(|node| At { node: *node, ..at }).collect()
        };
        match bodies.kind(at.node) {
            Kind::Local(local) => self.local_type(at.instance, local),
            Kind::Path(id) => match self.path_callee(at.instance, id) {
                Callee::Function(found) => Type::Function(found.function),
                Callee::Constructor(def, variant) => self.unit_or_constructor(def, variant),
                _ => self.value_type(at.instance, id),
            },
            Kind::Call { args, .. } => {
                let callee = self.callee(at);
                self.call_type(at, &callee, None, &all(args))
            }
            Kind::Method { receiver, name, args } => {
                let receiver = of(receiver);
                let callee = self.callee(at);
                match self.call_type(at, &callee, Some(&receiver), &all(args)) {
                    Type::Unknown if name == self.words.clone => match receiver {
                        Type::Ref(inner) => (*inner).clone(),
                        other => other,
                    },
                    found => found,
                }
            }
            Kind::Field { base, name } => self.field_type(&of(base), name),
            Kind::Await(base) => self.awaited(&of(base)),
            Kind::Try(base) => self.success(&of(base)),
            Kind::Ref(base) => Type::Ref(Rc::new(of(base))),
            Kind::Deref(base) => self.deref(&of(base)).unwrap_or(Type::Unknown),
            Kind::Block { statements, has_value, .. } => match bodies.list(statements).last() {
                Some(last) if has_value => of(*last),
                // a block that never ends has any type
                Some(last) if self.never_ends(At { node: *last, ..at }) => Type::Unknown,
                _ => self.nothing(),
            },
            Kind::If { then, otherwise, .. } => match of(then) {
                Type::Unknown if otherwise != NONE => of(otherwise),
                found => found,
            },
            Kind::Match { arms, .. } => {
                let types = bodies.list(arms).iter().map(|arm| of(*arm));
                types.into_iter().find(|t| *t != Type::Unknown).unwrap_or(Type::Unknown)
            }
            Kind::Arm { value, .. } => of(value),
            Kind::Closure { .. } => Type::Closure(at),
            Kind::Async { body, .. } => Type::Future(Rc::new(of(body))),
            Kind::Struct { path, fields, .. } if path != NONE => match self.path_callee(at.instance, path) {
                Callee::Constructor(def, variant) => self.built(at.instance, def, variant, fields),
                Callee::Outside(path) => Type::Outside(path, Rc::from([])),
                _ => Type::Unknown,
            },
            Kind::Tuple(items) => {
                Type::Tuple(all(items).into_iter().map(|item| self.type_of(item)).collect())
            }
            Kind::Array(items) => {
                let first = bodies.list(items).first().map_or(Type::Unknown, |item| of(*item));
                match self.known_def("std::vec::Vec") {
                    Some(vec) => Type::Named(vec, Rc::from([first])),
                    None => Type::Slice(Rc::new(first)),
                }
            }
            Kind::Select { arms } => {
                let types = bodies.list(arms).iter().map(|arm| of(*arm));
                types.into_iter().find(|t| *t != Type::Unknown).unwrap_or(Type::Unknown)
            }
            Kind::SelectArm { handler, .. } => of(handler),
            Kind::Index { base, .. } => {
                let chain = self.derefs(&of(base));
                let item = |t: &Type| match t {
                    Type::Slice(item) => Some((**item).clone()),
                    Type::Named(_, args) => args.last().cloned(),
                    _ => None,
                };
                chain.iter().find_map(item).unwrap_or(Type::Unknown)
            }
            Kind::Cast { to, .. } => self.lower_in(to, at.instance, self.function_around(at)),
            _ => Type::Unknown,
        }
    }

    /// Whether a statement leads elsewhere, so that nothing comes after it.
    fn never_ends(&self, at: At) -> bool {
        match self.bodies(at.instance).kind(at.node) {
            Kind::Return(_) | Kind::Continue(_) | Kind::Break { .. } => true,
            Kind::Semi(node) => self.never_ends(At { node, ..at }),
            Kind::Macro { name, .. } => {
                matches!(&*self.names.text(name), "bail" | "panic" | "todo" | "unimplemented" | "unreachable")
            }
            _ => false,
        }
    }

    fn unit_or_constructor(&self, def: Def, variant: Option<Symbol>) -> Type {
        match (self.defined(def), variant) {
            (Defined::Struct { fields, .. }, None) if fields.is_empty() => Type::Named(def, Rc::from([])),
            (Defined::Enum { generics, variants }, Some(variant)) => {
                match variants.iter().find(|(name, _)| *name == variant) {
                    Some((_, fields)) if fields.is_empty() => {
                        Type::Named(def, generics.iter().map(|_| Type::Unknown).collect())
                    }
                    _ => Type::Constructor(def, Some(variant)),
                }
            }
            _ => Type::Constructor(def, variant),
        }
    }

    /// The type of a constant or static.
    fn value_type(&self, instance: u32, id: u32) -> Type {
        use crate::resolve::Meaning;
        for meaning in self.meanings(instance, id) {
            if let Meaning::Item(def) = meaning
                && let Defined::Value(of) = self.defined(def)
            {
                let instance = self.tree.nodes[def.node as usize].instance;
                return self.lower(*of, Place { instance, self_type: None });
            }
        }
        Type::Unknown
    }

    fn built(&self, instance: u32, def: Def, variant: Option<Symbol>, values: List) -> Type {
        let bodies = self.bodies(instance);
        let Some((generics, fields)) = self.fields_of(def, variant) else {
            return Type::Unknown;
        };
        if generics.is_empty() {
            return Type::Named(def, Rc::from([]));
        }
        let mut subst = Vec::new();
        let home = self.tree.nodes[def.node as usize].instance;
        for value in bodies.list(values) {
            if let Kind::FieldValue { name, value } = bodies.kind(*value)
                && let Some(field) = fields.iter().find(|f| f.name == name)
            {
                let of = self.lower(field.of, Place { instance: home, self_type: None });
                super::unify::unify(&of, &self.type_of(At { instance, node: value }), &mut subst);
            }
        }
        let args = generics.iter().map(|g| {
            let found = subst.iter().find(|(name, _)| *name == g.name);
            found.map_or(Type::Unknown, |(_, of): &(Symbol, Type)| of.clone())
        });
        Type::Named(def, args.collect())
    }

    /// The generic parameters of a type and the fields of it, or of a variant.
    pub(crate) fn fields_of(
        &self,
        def: Def,
        variant: Option<Symbol>,
    ) -> Option<(&[crate::load::signature::Generic], &[Field])> {
        match self.defined(def) {
            Defined::Struct { generics, fields } => Some((generics, fields)),
            Defined::Enum { generics, variants } => {
                let (_, fields) = variants.iter().find(|(name, _)| Some(*name) == variant)?;
                Some((generics, fields))
            }
            _ => None,
        }
    }

    /// The type of `base.name`.
    pub(crate) fn field_type(&self, base: &Type, name: Symbol) -> Type {
        for of in self.derefs(base) {
            match &of {
                Type::Tuple(items) => {
                    let number: Option<usize> = self.names.text(name).parse().ok();
                    return number.and_then(|n| items.get(n).cloned()).unwrap_or(Type::Unknown);
                }
                Type::Named(def, args) => {
                    if let Some(found) = self.named_field(*def, None, args, name) {
                        return found;
                    }
                }
                _ => {}
            }
        }
        Type::Unknown
    }

    pub(super) fn named_field(
        &self,
        def: Def,
        variant: Option<Symbol>,
        args: &[Type],
        name: Symbol,
    ) -> Option<Type> {
        let (generics, fields) = self.fields_of(def, variant)?;
        let field = fields.iter().find(|f| f.name == name)?;
        let instance = self.tree.nodes[def.node as usize].instance;
        // outlines keep fields only for their parameters
        if self.known().types.contains_key(&def) && variant.is_none() && name != self.names.intern("0") {
            return None;
        }
        let of = self.lower(field.of, Place { instance, self_type: None });
        Some(substitute_all(self, &of, &pair(generics, args)))
    }

    /// What awaiting a value of this type gives.
    pub(crate) fn awaited(&self, of: &Type) -> Type {
        match of {
            Type::Unknown => Type::Unknown,
            of => self.project(of, self.words.output),
        }
    }

    /// What `?` gives.
    fn success(&self, of: &Type) -> Type {
        match of {
            Type::Named(_, args) | Type::Outside(_, args) => args.first().cloned().unwrap_or(Type::Unknown),
            _ => Type::Unknown,
        }
    }
}
