//! Light types: as much of types as tells whose method is called.
//!
//! Parameters, annotations, initialisers, fields, return types, aliases,
//! `Deref` chains and the bounds of generic parameters are followed, over the
//! whole workspace and the outlines of crates that are not read. There is no
//! unification over a function's body and no trait selection: what these
//! would be needed for is [`Type::Unknown`], and whoever asks says so.
//!
//! `lower` makes types of what the source writes, `infer` gives those of
//! expressions, `bindings` those of variables, `methods` finds what a method
//! call calls, `unify` relates generic parameters to what stands for them.

mod bindings;
mod calls;
mod infer;
mod lower;
mod methods;
mod unify;

pub use calls::Callee;
pub use methods::Method;

use crate::load::body::{Bodies, ExprId, FrameKind, NONE};
use crate::load::index::FileIndex;
use crate::load::known;
use crate::load::members::Package;
use crate::load::names::{Interner, Symbol};
use crate::load::signature::{Defined, Function, FunctionId, Impl, ImplId, TypeRef};
use crate::load::tree::{NodeId, Tree};
use crate::load::workspace::Workspace;
use crate::resolve::{Def, Resolver};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// A function at one place of a module tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FnRef {
    /// The instance of its file.
    pub instance: u32,
    /// Which of the file's functions.
    pub id: FunctionId,
}

/// An expression at one place of a module tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct At {
    /// The instance of its file.
    pub instance: u32,
    /// Which of the file's nodes.
    pub node: ExprId,
}

/// Types in a row.
pub type Types = Rc<[Type]>;

/// A type, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// Not known.
    Unknown,
    /// A struct, enum or union.
    Named(Def, Types),
    /// One of a crate that was not read, or a primitive.
    Outside(Rc<str>, Types),
    /// A generic parameter.
    Param(Symbol),
    /// `&T`
    Ref(Rc<Type>),
    /// `[T]`
    Slice(Rc<Type>),
    /// `(A, B)`
    Tuple(Types),
    /// Anything that is awaited to this.
    Future(Rc<Type>),
    /// A function as a value.
    Function(FnRef),
    /// A variant or tuple struct as a function.
    Constructor(Def, Option<Symbol>),
    /// A closure.
    Closure(At),
    /// `impl A + B`, `dyn A + B`
    Bounds(Rc<[Bound]>),
    /// `T::Name`
    Projection(Rc<Type>, Symbol),
}

/// A trait with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The trait, if it was read.
    pub of: Option<Def>,
    /// `<A, B>`
    pub args: Types,
    /// `<Name = T>`
    pub bindings: Rc<[(Symbol, Type)]>,
}

/// What generic parameters stand for.
pub type Substitution = Vec<(Symbol, Type)>;

/// An `impl` at one place of a module tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ImplRef {
    /// The instance of its file.
    pub instance: u32,
    /// Which of the file's implementations.
    pub id: ImplId,
}

/// Names that are looked for.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) output: Symbol,
    pub(crate) item: Symbol,
    pub(crate) target: Symbol,
    pub(crate) clone: Symbol,
    pub(crate) abort: Symbol,
}

/// Questions about everything that was read.
pub struct World<'a> {
    /// The packages.
    pub workspace: &'a Workspace,
    /// The files.
    pub tree: &'a Tree,
    /// The names.
    pub names: &'a Interner,
    pub(crate) words: Words,
    resolver: RefCell<Resolver<'a>>,
    impls: OnceCell<methods::Impls>,
    /// Paths of what outlines define.
    known: OnceCell<Known>,
    expressions: RefCell<HashMap<At, Type>>,
    locals: RefCell<HashMap<(u32, u32), Type>>,
    depth: Cell<u32>,
}

/// The public paths of what outlines define.
#[derive(Default)]
pub(crate) struct Known {
    functions: HashMap<FnRef, Rc<str>>,
    types: HashMap<Def, Rc<str>>,
    defs: HashMap<Rc<str>, Def>,
}

/// Longest chain of questions that one question may lead to.
const DEPTH: u32 = 64;

impl<'a> World<'a> {
    /// About these.
    pub fn new(workspace: &'a Workspace, tree: &'a Tree, names: &'a Interner) -> World<'a> {
        let words = Words {
            output: names.intern("Output"),
            item: names.intern("Item"),
            target: names.intern("Target"),
            clone: names.intern("clone"),
            abort: names.intern("abort"),
        };
        World {
            workspace,
            tree,
            names,
            words,
            resolver: RefCell::new(Resolver::new(workspace, tree, names)),
            impls: OnceCell::new(),
            known: OnceCell::new(),
            expressions: RefCell::default(),
            locals: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// The syntax of an instance's file.
    pub fn file(&self, instance: u32) -> &'a FileIndex {
        &self.tree.files[self.tree.instances[instance as usize].file as usize].index
    }

    /// The package that an instance is part of.
    pub fn package(&self, instance: u32) -> &'a Package {
        let krate = &self.tree.crates[self.tree.instances[instance as usize].krate as usize];
        &self.workspace.packages[krate.package]
    }

    /// Whether code of an instance may know asupersync.
    pub(crate) fn knows_us(&self, instance: u32) -> bool {
        let package = self.package(instance);
        if package.bare {
            let us = self.names.intern("asupersync");
            return self.file(instance).scopes.iter().flat_map(|s| &s.imports).any(|i| i.path.contains(&us));
        }
        let ours = |name: &str| name == "asupersync" || name.starts_with("asupersync-");
        package.dependencies.values().any(|d| ours(&d.package))
    }

    /// The expressions of an instance's file.
    pub fn bodies(&self, instance: u32) -> &'a Bodies {
        &self.file(instance).bodies
    }

    /// The node of a scope of an instance.
    pub(crate) fn node(&self, instance: u32, scope: u32) -> NodeId {
        self.tree.instances[instance as usize].base + scope
    }

    /// The function behind a reference.
    pub fn function(&self, f: FnRef) -> &'a Function {
        &self.file(f.instance).signatures.functions[f.id as usize]
    }

    pub(crate) fn implementation(&self, i: ImplRef) -> &'a Impl {
        &self.file(i.instance).signatures.impls[i.id as usize]
    }

    /// The function whose body an expression is in, closures and async blocks
    /// looked through.
    pub fn function_around(&self, at: At) -> Option<FnRef> {
        let bodies = self.bodies(at.instance);
        let mut frame = bodies.frame(at.node);
        while frame != NONE {
            let found = &bodies.frames[frame as usize];
            if let FrameKind::Function(id) = found.kind {
                return (id != NONE).then_some(FnRef { instance: at.instance, id });
            }
            frame = found.parent;
        }
        None
    }

    /// The public path of a type of an outline.
    pub fn type_path(&self, of: &Type) -> Option<Rc<str>> {
        match of {
            Type::Named(def, _) => self.known().types.get(def).cloned(),
            Type::Outside(path, _) => Some(path.clone()),
            _ => None,
        }
    }

    /// The type of an outline with this public path.
    pub(crate) fn known_def(&self, path: &str) -> Option<Def> {
        self.known().defs.get(path).copied()
    }

    /// The public path of a function of an outline.
    pub fn function_path(&self, f: FnRef) -> Option<Rc<str>> {
        self.known().functions.get(&f).cloned()
    }

    fn known(&self) -> &Known {
        self.known.get_or_init(|| Known::new(self.tree, self.names, self.workspace, &self.resolver.borrow()))
    }

    /// Asks a question unless too many lead to it already.
    fn bounded<T>(&self, otherwise: T, ask: impl FnOnce() -> T) -> T {
        if self.depth.get() >= DEPTH {
            return otherwise;
        }
        self.depth.set(self.depth.get() + 1);
        let out = ask();
        self.depth.set(self.depth.get() - 1);
        out
    }
}

impl Known {
    fn new(tree: &Tree, names: &Interner, workspace: &Workspace, resolver: &Resolver<'_>) -> Known {
        let mut known = Known::default();
        for (i, instance) in tree.instances.iter().enumerate() {
            let krate = &tree.crates[instance.krate as usize];
            let Package { outline: Some(_), lib_name, .. } = &workspace.packages[krate.package] else {
                continue;
            };
            let index = &tree.files[instance.file as usize].index;
            let mut by_name: HashMap<(u32, Symbol), Rc<str>> = HashMap::new();
            let function = |id: FunctionId| FnRef { instance: i as u32, id };
            for (s, scope) in index.scopes.iter().enumerate() {
                let node = instance.base + s as u32;
                if !scope.is_module {
                    continue;
                }
                let mut module = known::crate_of(lib_name).to_string();
                for name in resolver.module_path(node) {
                    module.push_str("::");
                    module.push_str(&names.text(name));
                }
                for (d, definition) in scope.definitions.iter().enumerate() {
                    let path: Rc<str> = format!("{module}::{}", names.text(definition.name)).into();
                    let def = Def { node, index: d as u32 };
                    match &definition.defined {
                        Defined::Function(id) => {
                            known.functions.insert(function(*id), path);
                            continue;
                        }
                        Defined::Trait { functions, .. } => {
                            for id in functions {
                                let name = names.text(index.signatures.functions[*id as usize].name);
                                known.functions.insert(function(*id), format!("{path}::{name}").into());
                            }
                        }
                        _ => {}
                    }
                    by_name.insert((s as u32, definition.name), path.clone());
                    known.types.insert(def, path.clone());
                    known.defs.insert(path, def);
                }
            }
            for implementation in &index.signatures.impls {
                let TypeRef::Path { scope, first, .. } =
                    index.signatures.types[implementation.self_type as usize]
                else {
                    continue;
                };
                // outlines implement for types of the same module
                let Some(path) = by_name.get(&(scope, index.segments[first as usize])) else {
                    continue;
                };
                for id in &implementation.functions {
                    let name = names.text(index.signatures.functions[*id as usize].name);
                    known.functions.insert(function(*id), format!("{path}::{name}").into());
                }
            }
        }
        known
    }
}
