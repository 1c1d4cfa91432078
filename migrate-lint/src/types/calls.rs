//! What a path or a call means.

use super::lower::{Place, unit};
use super::unify::{substitute_all, unify};
use super::{At, FnRef, Method, Substitution, Type, World};
use crate::load::body::{Kind, NONE, UseId};
use crate::load::names::{Symbol, kw};
use crate::load::signature::{Defined, Function};
use crate::resolve::{Def, Meaning};
use std::rc::Rc;

/// What is called.
#[derive(Clone, Debug)]
pub enum Callee {
    /// This function.
    Function(Method),
    /// The constructor of this type, or of one of its variants.
    Constructor(Def, Option<Symbol>),
    /// A function of a crate that was not read.
    Outside(Rc<str>),
    /// A closure.
    Closure(At),
    /// Something else; the reason, if it may be anything.
    Unknown(Option<Rc<str>>),
}

impl World<'_> {
    /// What a path in expression or pattern position stands for.
    pub fn meanings(&self, instance: u32, id: UseId) -> Vec<Meaning> {
        let index = self.file(instance);
        let at = &index.uses[id as usize];
        let scope = index.bodies.contexts[at.context as usize].scope;
        self.resolver.borrow_mut().resolve(self.node(instance, scope), index.path_of(at))
    }

    /// The function of a method found by name alone.
    fn plain(&self, function: FnRef) -> Callee {
        Callee::Function(Method { function, of: Type::Unknown, subst: Substitution::new() })
    }

    /// What a path calls, if it is called.
    pub fn path_callee(&self, instance: u32, id: UseId) -> Callee {
        let index = self.file(instance);
        let at = &index.uses[id as usize];
        if let [kw::SELF_TYPE, rest @ ..] = index.path_of(at) {
            return self.self_callee(instance, at.node, rest);
        }
        let mut reason = None;
        for meaning in self.meanings(instance, id) {
            match meaning {
                Meaning::Item(def) => match self.defined(def) {
                    Defined::Function(id) => {
                        let instance = self.tree.nodes[def.node as usize].instance;
                        return self.plain(FnRef { instance, id: *id });
                    }
                    Defined::Struct { .. } => return Callee::Constructor(def, None),
                    _ => {}
                },
                Meaning::Member(def, name) => {
                    if let Some(found) = self.member_callee(def, name) {
                        return found;
                    }
                }
                Meaning::Outside(path) => return Callee::Outside(path.join("::").into()),
                Meaning::Lost(why) => reason = Some(why),
                Meaning::Module(_) | Meaning::OfSelf => {}
            }
        }
        Callee::Unknown(reason)
    }

    fn self_callee(&self, instance: u32, node: u32, rest: &[Symbol]) -> Callee {
        let around = (node != NONE).then(|| self.function_around(At { instance, node })).flatten();
        let found = around.and_then(|f| self.self_of(f)).and_then(|of| match (of, rest) {
            (Type::Named(def, _), []) => Some(Callee::Constructor(def, None)),
            (Type::Named(def, _), [name]) => self.member_callee(def, *name),
            (Type::Param(_), [name]) => {
                let Type::Bounds(bounds) = self.bounds_of(kw::SELF_TYPE, around?)? else { return None };
                self.trait_function(bounds.first()?.of?, *name, &Type::Unknown).map(Callee::Function)
            }
            _ => None,
        });
        found.unwrap_or(Callee::Unknown(None))
    }

    /// `Type::name`, `Enum::Variant`, `Trait::name`.
    fn member_callee(&self, def: Def, name: Symbol) -> Option<Callee> {
        match self.defined(def) {
            Defined::Enum { variants, .. } if variants.iter().any(|(v, _)| *v == name) => {
                Some(Callee::Constructor(def, Some(name)))
            }
            Defined::Struct { .. } | Defined::Enum { .. } => {
                self.associated(&Type::Named(def, Rc::from([])), name).map(Callee::Function)
            }
            Defined::Alias { .. } => {
                let of = self.item_type(def, Vec::new(), Vec::new());
                match &of {
                    Type::Named(def, _) => self.member_callee(*def, name),
                    _ => self.associated(&of, name).map(Callee::Function),
                }
            }
            Defined::Trait { .. } => self.trait_function(def, name, &Type::Unknown).map(Callee::Function),
            _ => None,
        }
    }

    /// What a call or method call calls.
    pub fn callee(&self, at: At) -> Callee {
        let bodies = self.bodies(at.instance);
        match bodies.kind(at.node) {
            Kind::Call { callee, .. } => match bodies.kind(callee) {
                Kind::Path(id) => self.path_callee(at.instance, id),
                _ => match self.type_of(At { node: callee, ..at }) {
                    Type::Closure(closure) => Callee::Closure(closure),
                    Type::Function(function) => self.plain(function),
                    _ => Callee::Unknown(None),
                },
            },
            Kind::Method { receiver, name, .. } => {
                let of = self.type_of(At { node: receiver, ..at });
                match self.method(&of, name, at) {
                    Some(found) => Callee::Function(found),
                    None => match of {
                        Type::Outside(path, _) => {
                            Callee::Outside(format!("{path}::{}", self.names.text(name)).into())
                        }
                        _ => Callee::Unknown(None),
                    },
                }
            }
            _ => Callee::Unknown(None),
        }
    }

    /// The public path of what is called, if an outline or its path tells.
    pub fn callee_path(&self, callee: &Callee) -> Option<Rc<str>> {
        match callee {
            Callee::Function(found) => self.function_path(found.function),
            Callee::Outside(path) => Some(path.clone()),
            _ => None,
        }
    }

    /// The path of a function of the workspace, through the modules that define
    /// it.
    pub(crate) fn own_path(&self, f: FnRef) -> Option<Rc<str>> {
        let function = self.function(f);
        let node = self.node(f.instance, function.scope);
        let resolver = self.resolver.borrow();
        let module = resolver.module_of(node);
        let mut path = vec![resolver.package_of(node).lib_name.clone()];
        path.extend(resolver.module_path(module).iter().map(|name| self.names.text(*name).to_string()));
        drop(resolver);
        if let Some(Type::Named(def, _)) = self.self_of(f) {
            let of = &self.tree.scope(def.node).definitions[def.index as usize];
            path.push(self.names.text(of.name).to_string());
        } else if let Some((_, of)) = function.of_trait {
            path.push(self.names.text(of).to_string());
        }
        path.push(self.names.text(function.name).to_string());
        Some(path.join("::").into())
    }

    /// What `Self` is in a method that was found: of a trait's, the type it was
    /// found on.
    pub(super) fn self_within(&self, found: &Method) -> Option<Type> {
        match self.self_of(found.function) {
            Some(Type::Param(_)) => Some(found.of.clone()),
            other => other,
        }
    }

    /// What a call of `found` with these arguments gives.
    pub(super) fn result_of(&self, found: &Method, receiver: Option<&Type>, args: &[At]) -> Type {
        let function = self.function(found.function);
        let self_type = self.self_within(found);
        let place = Place { instance: found.function.instance, self_type: self_type.as_ref() };
        let subst = self.arguments(found, function, place, receiver, args);
        let output = self.lower(function.output, place);
        let output = substitute_all(self, &output, &subst);
        if function.is_async { Type::Future(Rc::new(output)) } else { output }
    }

    fn arguments(
        &self,
        found: &Method,
        function: &Function,
        place: Place<'_>,
        receiver: Option<&Type>,
        args: &[At],
    ) -> Substitution {
        let mut subst = found.subst.clone();
        // `Type::method(receiver, ..)`
        let by_path = function.takes_self && receiver.is_none();
        let args = if by_path { args.get(1..).unwrap_or(&[]) } else { args };
        if function.output == NONE && function.generics.is_empty() {
            return subst;
        }
        for ((_, of), arg) in function.parameters.iter().zip(args) {
            let of = self.lower(*of, place);
            let actual = self.type_of(*arg);
            if let (Type::Param(name), Some(output)) = (&of, self.output_of(&actual)) {
                // `F: FnOnce() -> T`
                if let Some(bound) = self.bounds_of(*name, found.function) {
                    let wanted = match &bound {
                        Type::Bounds(bounds) => bounds
                            .iter()
                            .flat_map(|b| b.bindings.iter())
                            .find(|(n, _)| *n == self.words.output)
                            .map(|(_, of)| of.clone()),
                        _ => None,
                    };
                    if let Some(wanted) = wanted {
                        unify(&wanted, &output, &mut subst);
                    }
                }
            }
            unify(&of, &actual, &mut subst);
        }
        subst
    }

    /// What calling a value of this type gives.
    fn output_of(&self, of: &Type) -> Option<Type> {
        match of {
            Type::Closure(at) => Some(self.closure_output(*at)),
            Type::Function(function) => {
                let found = Method { function: *function, of: Type::Unknown, subst: Substitution::new() };
                Some(self.result_of(&found, None, &[]))
            }
            Type::Constructor(def, _) => Some(self.constructed(*def, None, &[])),
            _ => None,
        }
    }

    pub(super) fn closure_output(&self, at: At) -> Type {
        let bodies = self.bodies(at.instance);
        let Kind::Closure { body, .. } = bodies.kind(at.node) else {
            return Type::Unknown;
        };
        let output = self.type_of(At { node: body, ..at });
        let is_async = bodies.frames.get(bodies.frame(body) as usize).is_some_and(|frame| {
            matches!(frame.kind, crate::load::body::FrameKind::Closure { is_async: true })
        });
        if is_async { Type::Future(Rc::new(output)) } else { output }
    }

    /// The type a constructor gives.
    pub(super) fn constructed(&self, def: Def, variant: Option<Symbol>, args: &[At]) -> Type {
        let instance = self.tree.nodes[def.node as usize].instance;
        let (generics, fields) = match self.defined(def) {
            Defined::Struct { generics, fields } => (generics, Some(fields)),
            Defined::Enum { generics, variants } => {
                let found = variants.iter().find(|(name, _)| Some(*name) == variant);
                (generics, found.map(|(_, fields)| fields))
            }
            _ => return Type::Unknown,
        };
        let mut subst = Substitution::new();
        if !generics.is_empty() {
            for (field, arg) in fields.into_iter().flatten().zip(args) {
                let of = self.lower(field.of, Place { instance, self_type: None });
                unify(&of, &self.type_of(*arg), &mut subst);
            }
        }
        let args = generics.iter().map(|g| {
            let found = subst.iter().find(|(name, _)| *name == g.name);
            found.map_or(Type::Unknown, |(_, of)| of.clone())
        });
        Type::Named(def, args.collect())
    }

    /// What a call gives.
    pub(super) fn call_type(&self, at: At, callee: &Callee, receiver: Option<&Type>, args: &[At]) -> Type {
        match callee {
            Callee::Function(found) => self.result_of(found, receiver, args),
            Callee::Constructor(def, variant) => self.constructed(*def, *variant, args),
            Callee::Closure(closure) if *closure != at => self.closure_output(*closure),
            Callee::Outside(path) => match (self.type_named(path), receiver) {
                // by custom, `Type::new` and `Type::from_x` give a `Type`
                (Some(of), None) => of,
                _ => Type::Unknown,
            },
            _ => Type::Unknown,
        }
    }

    fn type_named(&self, path: &str) -> Option<Type> {
        let (of, function) = path.rsplit_once("::")?;
        let name = of.rsplit("::").next()?;
        let makes = matches!(function, "new" | "default" | "from" | "with_capacity" | "builder");
        (makes && function != "builder" && name.starts_with(char::is_uppercase))
            .then(|| Type::Outside(of.into(), Rc::from([])))
    }

    /// `()`
    pub(super) fn nothing(&self) -> Type {
        unit()
    }
}
