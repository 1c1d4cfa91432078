//! Which function a method call calls.

use super::lower::{Place, pair};
use super::unify::unify;
use super::{At, FnRef, ImplRef, Substitution, Type, World};
use crate::load::body::NONE;
use crate::load::names::{Symbol, kw};
use crate::load::signature::Defined;
use crate::resolve::{Def, Meaning};
use std::collections::HashMap;
use std::rc::Rc;

/// What the impls of a type are found by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Key {
    Def(Def),
    Outside(Rc<str>),
}

/// All implementations, by the type they are for.
#[derive(Default)]
pub(super) struct Impls(HashMap<Key, Vec<ImplRef>>);

/// What a method call calls.
#[derive(Clone, Debug)]
pub struct Method {
    /// The function.
    pub function: FnRef,
    /// The type it was found on.
    pub of: Type,
    /// What the parameters of its `impl` stand for.
    pub(super) subst: Substitution,
}

/// Longest chain of `Deref`.
const CHAIN: usize = 8;

fn key(of: &Type) -> Option<Key> {
    match of {
        Type::Named(def, _) => Some(Key::Def(*def)),
        Type::Outside(path, _) => Some(Key::Outside(path.clone())),
        _ => None,
    }
}

impl World<'_> {
    fn impls(&self) -> &Impls {
        self.impls.get_or_init(|| {
            let mut impls = Impls::default();
            for instance in 0..self.tree.instances.len() as u32 {
                for id in 0..self.file(instance).signatures.impls.len() as u32 {
                    let at = ImplRef { instance, id };
                    let mut of = self.self_type(at);
                    while let Type::Ref(inner) = of {
                        of = (*inner).clone();
                    }
                    if let Some(key) = key(&of) {
                        impls.0.entry(key).or_default().push(at);
                    }
                }
            }
            impls
        })
    }

    pub(super) fn impls_of(&self, of: &Type) -> &[ImplRef] {
        key(of).and_then(|key| self.impls().0.get(&key)).map_or(&[], |found| found)
    }

    /// What `*value` is.
    pub(super) fn deref(&self, of: &Type) -> Option<Type> {
        match of {
            Type::Ref(inner) => Some((**inner).clone()),
            Type::Named(..) | Type::Outside(..) => {
                let has_target = |i: &&ImplRef| {
                    self.implementation(**i).types.iter().any(|(name, _)| *name == self.words.target)
                };
                self.impls_of(of).iter().find(has_target)?;
                Some(self.project(of, self.words.target)).filter(|t| *t != Type::Unknown)
            }
            _ => None,
        }
    }

    /// A type, what it derefs to, and so on.
    pub fn derefs(&self, of: &Type) -> Vec<Type> {
        let mut chain = vec![of.clone()];
        while chain.len() < CHAIN
            && let Some(next) = self.deref(&chain[chain.len() - 1])
        {
            chain.push(next);
        }
        chain
    }

    /// The method of this name on a value of this type, seen from `at`.
    pub fn method(&self, receiver: &Type, name: Symbol, at: At) -> Option<Method> {
        for of in self.derefs(receiver) {
            let of = match of {
                Type::Param(parameter) => {
                    let around = self.function_around(at)?;
                    self.bounds_of(parameter, around)?
                }
                of => of,
            };
            if let Some(found) = self.method_on(&of, name) {
                return Some(found);
            }
        }
        None
    }

    fn method_on(&self, of: &Type, name: Symbol) -> Option<Method> {
        match of {
            Type::Bounds(bounds) => bounds.iter().find_map(|bound| {
                let def = bound.of?;
                let mut found = self.trait_function(def, name, of)?;
                if let Defined::Trait { generics, .. } = self.defined(def) {
                    found.subst.extend(pair(generics, &bound.args));
                }
                Some(found)
            }),
            Type::Named(..) | Type::Outside(..) => self.associated(of, name),
            _ => None,
        }
    }

    /// A function of this name in an `impl` for the type, or provided by a
    /// trait it implements.
    pub(super) fn associated(&self, of: &Type, name: Symbol) -> Option<Method> {
        let impls = self.impls_of(of);
        // inherent ones come first
        for inherent in [true, false] {
            for i in impls {
                let implementation = self.implementation(*i);
                if (implementation.of_trait == NONE) != inherent {
                    continue;
                }
                let functions = &self.file(i.instance).signatures.functions;
                let found = implementation.functions.iter().find(|id| functions[**id as usize].name == name);
                if let Some(id) = found {
                    let mut subst = Substitution::new();
                    unify(&self.self_type(*i), of, &mut subst);
                    let function = FnRef { instance: i.instance, id: *id };
                    return Some(Method { function, of: of.clone(), subst });
                }
            }
        }
        for i in impls {
            let implementation = self.implementation(*i);
            if implementation.of_trait == NONE {
                continue;
            }
            let place = Place { instance: i.instance, self_type: None };
            if let Type::Bounds(bounds) = self.lower(implementation.of_trait, place)
                && let Some(def) = bounds.first().and_then(|b| b.of)
                && let Some(found) = self.trait_function(def, name, of)
            {
                return Some(found);
            }
        }
        None
    }

    /// A function that a trait, or one it requires, declares.
    pub(super) fn trait_function(&self, def: Def, name: Symbol, of: &Type) -> Option<Method> {
        self.bounded(None, || {
            let instance = self.tree.nodes[def.node as usize].instance;
            let Defined::Trait { functions, supertraits, .. } = self.defined(def) else {
                return None;
            };
            let signatures = &self.file(instance).signatures;
            let found = functions.iter().find(|id| signatures.functions[**id as usize].name == name);
            if let Some(id) = found {
                let subst = vec![(kw::SELF_TYPE, of.clone())];
                return Some(Method { function: FnRef { instance, id: *id }, of: of.clone(), subst });
            }
            signatures.list(*supertraits).iter().find_map(|required| {
                let required = self.lower(*required, Place { instance, self_type: None });
                match required {
                    Type::Bounds(bounds) => self.trait_function(bounds.first()?.of?, name, of),
                    _ => None,
                }
            })
        })
    }

    /// A function of a trait of an outline that is in sight and has this
    /// name, whatever it is called on.
    pub fn extension(&self, name: Symbol, at: At) -> Option<FnRef> {
        let bodies = self.bodies(at.instance);
        let mut node = Some(self.node(at.instance, bodies.context(at.node).scope));
        while let Some(n) = node {
            for import in &self.tree.scope(n).imports {
                let meanings = self.resolver.borrow_mut().resolve_type(n, &import.path);
                for meaning in meanings {
                    let found = match meaning {
                        Meaning::Item(def) => self.known_trait_function(def, name),
                        Meaning::Module(module) if import.name.is_none() => self
                            .traits_of(module)
                            .into_iter()
                            .find_map(|def| self.known_trait_function(def, name)),
                        _ => None,
                    };
                    if found.is_some() {
                        return found;
                    }
                }
            }
            let is_module = self.tree.scope(n).is_module;
            node = self.tree.nodes[n as usize].parent.filter(|_| !is_module);
        }
        None
    }

    fn known_trait_function(&self, def: Def, name: Symbol) -> Option<FnRef> {
        self.known().types.get(&def)?;
        self.trait_function(def, name, &Type::Unknown).map(|found| found.function)
    }

    /// Traits that a module of an outline defines or re-exports.
    fn traits_of(&self, module: u32) -> Vec<Def> {
        let scope = self.tree.scope(module);
        let is_trait = |def: &Def| matches!(self.defined(*def), Defined::Trait { .. });
        let own = (0..scope.definitions.len() as u32).map(|index| Def { node: module, index });
        let mut found: Vec<Def> = own.filter(is_trait).collect();
        if self.resolver.borrow().known_path(module).is_some() {
            for import in &scope.imports {
                let meanings = self.resolver.borrow_mut().resolve_type(module, &import.path);
                found.extend(meanings.into_iter().filter_map(|m| match m {
                    Meaning::Item(def) if is_trait(&def) => Some(def),
                    _ => None,
                }));
            }
        }
        found
    }
}

impl World<'_> {
    /// The `drop` of a type.
    pub(crate) fn drop_of(&self, def: Def) -> Option<FnRef> {
        let of = Type::Named(def, Rc::from([]));
        let drop = self.known_def("std::ops::Drop")?;
        self.impls_of(&of).iter().find_map(|i| {
            let implementation = self.implementation(*i);
            let place = Place { instance: i.instance, self_type: None };
            if implementation.of_trait == NONE {
                return None;
            }
            match self.lower(implementation.of_trait, place) {
                Type::Bounds(bounds) if bounds.first()?.of == Some(drop) => {
                    let id = *implementation.functions.first()?;
                    Some(FnRef { instance: i.instance, id })
                }
                _ => None,
            }
        })
    }
}
