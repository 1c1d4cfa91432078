//! From types as written to types.

use super::unify::substitute_all;
use super::{Bound, FnRef, ImplRef, Substitution, Type, World};
use crate::load::body::{List, NONE};
use crate::load::names::{Symbol, kw};
use crate::load::signature::{Defined, Generic, TypeId, TypeRef};
use crate::resolve::{Def, Meaning};
use std::rc::Rc;

/// Where a written type stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    pub(super) instance: u32,
    /// What `Self` is.
    pub(super) self_type: Option<&'t Type>,
}

pub(super) fn unit() -> Type {
    Type::Tuple(Rc::from([]))
}

impl World<'_> {
    pub(super) fn lower(&self, id: TypeId, place: Place<'_>) -> Type {
        if id == NONE {
            return unit();
        }
        self.bounded(Type::Unknown, || self.lower_within(id, place))
    }

    fn lower_within(&self, id: TypeId, place: Place<'_>) -> Type {
        let index = self.file(place.instance);
        match index.signatures.types[id as usize] {
            TypeRef::Path { scope, first, len, args } => {
                let segments = &index.segments[first as usize..][..len as usize];
                let (args, bindings) = self.lower_args(args, place);
                let node = self.node(place.instance, scope);
                let meanings = self.resolver.borrow_mut().resolve_type(node, segments);
                self.named(&meanings, segments, args, bindings)
            }
            TypeRef::Param(name) => Type::Param(name),
            TypeRef::SelfType => place.self_type.cloned().unwrap_or(Type::Param(kw::SELF_TYPE)),
            TypeRef::Projection { base, name } => {
                let base = self.lower(base, place);
                self.project(&base, name)
            }
            TypeRef::Binding { of, .. } => self.lower(of, place),
            TypeRef::Ref(inner) => Type::Ref(Rc::new(self.lower(inner, place))),
            TypeRef::Slice(inner) => Type::Slice(Rc::new(self.lower(inner, place))),
            TypeRef::Tuple(items) => Type::Tuple(self.lower_list(items, place)),
            TypeRef::Bounds(items) => {
                let bounds: Vec<Type> = self.lower_list(items, place).to_vec();
                self.together(bounds)
            }
            TypeRef::Pointer(output) => {
                let output = self.lower(output, place);
                let bindings = Rc::from([(self.words.output, output)]);
                Type::Bounds(Rc::from([Bound { of: None, args: Rc::from([]), bindings }]))
            }
            TypeRef::Unknown => Type::Unknown,
        }
    }

    /// Several bounds as one type; a future among them is what matters most.
    fn together(&self, bounds: Vec<Type>) -> Type {
        if let Some(future) = bounds.iter().find(|b| matches!(b, Type::Future(_))) {
            return future.clone();
        }
        let mut all: Vec<Bound> = Vec::new();
        for bound in bounds {
            if let Type::Bounds(more) = bound {
                all.extend(more.iter().cloned());
            }
        }
        Type::Bounds(all.into())
    }

    fn lower_list(&self, list: List, place: Place<'_>) -> Rc<[Type]> {
        let signatures = &self.file(place.instance).signatures;
        signatures.list(list).iter().map(|id| self.lower(*id, place)).collect()
    }

    fn lower_args(&self, list: List, place: Place<'_>) -> (Vec<Type>, Vec<(Symbol, Type)>) {
        let signatures = &self.file(place.instance).signatures;
        let (mut args, mut bindings) = (Vec::new(), Vec::new());
        for id in signatures.list(list) {
            match signatures.types[*id as usize] {
                TypeRef::Binding { name, of } => bindings.push((name, self.lower(of, place))),
                _ => args.push(self.lower(*id, place)),
            }
        }
        (args, bindings)
    }

    fn named(
        &self,
        meanings: &[Meaning],
        segments: &[Symbol],
        args: Vec<Type>,
        bindings: Vec<(Symbol, Type)>,
    ) -> Type {
        for meaning in meanings {
            match meaning {
                Meaning::Item(def) => return self.item_type(*def, args, bindings),
                Meaning::Outside(path) => return Type::Outside(path.join("::").into(), args.into()),
                _ => {}
            }
        }
        match segments {
            // a primitive, if nothing else has the name
            [name] if meanings.is_empty() && is_primitive(&self.names.text(*name)) => {
                Type::Outside(self.names.text(*name).as_ref().into(), args.into())
            }
            _ => Type::Unknown,
        }
    }

    pub(super) fn item_type(&self, def: Def, args: Vec<Type>, bindings: Vec<(Symbol, Type)>) -> Type {
        match self.defined(def) {
            Defined::Struct { .. } | Defined::Enum { .. } => Type::Named(def, args.into()),
            Defined::Alias { generics, of } => {
                let instance = self.tree.nodes[def.node as usize].instance;
                let target = self.lower(*of, Place { instance, self_type: None });
                let subst = pair(generics, &args);
                substitute_all(self, &target, &subst)
            }
            Defined::Trait { .. } => {
                if self.known_def("std::future::Future") == Some(def) {
                    let output = bindings.into_iter().find(|(name, _)| *name == self.words.output);
                    return Type::Future(Rc::new(output.map_or(Type::Unknown, |(_, of)| of)));
                }
                let bound = Bound { of: Some(def), args: args.into(), bindings: bindings.into() };
                Type::Bounds(Rc::from([bound]))
            }
            _ => Type::Unknown,
        }
    }

    /// What an item defines.
    pub(crate) fn defined(&self, def: Def) -> &Defined {
        &self.tree.scope(def.node).definitions[def.index as usize].defined
    }

    /// The type an `impl` is for, with its own generic parameters.
    pub(super) fn self_type(&self, i: ImplRef) -> Type {
        let implementation = self.implementation(i);
        self.lower(implementation.self_type, Place { instance: i.instance, self_type: None })
    }

    /// What `Self` is in a function, with the generic parameters in force.
    pub(crate) fn self_of(&self, f: FnRef) -> Option<Type> {
        let function = self.function(f);
        match (function.of_impl, function.of_trait) {
            (NONE, None) => None,
            (NONE, Some(_)) => Some(Type::Param(kw::SELF_TYPE)),
            (id, _) => Some(self.self_type(ImplRef { instance: f.instance, id })),
        }
    }

    /// A type written in a function's signature or body.
    pub(super) fn lower_in(&self, id: TypeId, instance: u32, function: Option<FnRef>) -> Type {
        let self_type = function.and_then(|f| self.self_of(f));
        self.lower(id, Place { instance, self_type: self_type.as_ref() })
    }

    /// What a generic parameter of a function, or of what is around it, is
    /// known to be.
    pub(super) fn bounds_of(&self, name: Symbol, f: FnRef) -> Option<Type> {
        let function = self.function(f);
        let self_type = self.self_of(f);
        let place = Place { instance: f.instance, self_type: self_type.as_ref() };
        if name == kw::SELF_TYPE {
            let (scope, trait_name) = function.of_trait?;
            let def = self.definition_named(f.instance, scope, trait_name)?;
            let bound = Bound { of: Some(def), args: Rc::from([]), bindings: Rc::from([]) };
            return Some(Type::Bounds(Rc::from([bound])));
        }
        let mut found: Vec<Type> = Vec::new();
        let mut take = |generics: &[Generic]| {
            for generic in generics.iter().filter(|g| g.name == name) {
                found.extend(self.lower_list(generic.bounds, place).iter().cloned());
            }
        };
        take(&function.generics);
        if function.of_impl != NONE {
            take(&self.implementation(ImplRef { instance: f.instance, id: function.of_impl }).generics);
        }
        if let Some((scope, trait_name)) = function.of_trait
            && let Some(def) = self.definition_named(f.instance, scope, trait_name)
            && let Defined::Trait { generics, .. } = self.defined(def)
        {
            take(generics);
        }
        (!found.is_empty()).then(|| self.together(found))
    }

    pub(super) fn definition_named(&self, instance: u32, scope: u32, name: Symbol) -> Option<Def> {
        let node = self.node(instance, scope);
        let definitions = &self.tree.scope(node).definitions;
        let index = definitions.iter().position(|d| d.name == name && d.in_types)?;
        Some(Def { node, index: index as u32 })
    }
}

/// Generic parameters with their arguments.
pub(super) fn pair(generics: &[Generic], args: &[Type]) -> Substitution {
    generics.iter().map(|g| g.name).zip(args.iter().cloned()).collect()
}

fn is_primitive(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16",
        "u32", "u64", "u8", "usize",
    ];
    NAMES.binary_search(&name).is_ok()
}
