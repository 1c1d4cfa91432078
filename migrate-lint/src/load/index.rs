//! What is kept of a parsed file: scopes, names, and paths that are used.
//!
//! The syntax tree itself is dropped as soon as its file is indexed, so a
//! large workspace costs its text and these tables. Scopes nest by index;
//! scope 0 is the file's module. Everything here is relative to the file: the
//! same file may be a module of several crates, and is indexed once.

use super::body::{Bodies, ContextId, ExprId, LocalId, Origin};
use super::names::Symbol;
use super::signature::{Defined, Parameter, Signatures, TypeRef};

/// Index of a [`Scope`] in its file.
pub type ScopeId = u32;

/// Index of a [`Cfg`] in its file, or [`NO_CFG`].
pub type CfgId = u32;

/// No `cfg` within the file encloses this.
pub const NO_CFG: CfgId = u32::MAX;

/// Index of an [`Owner`] in its file, or [`NO_OWNER`].
pub type OwnerId = u32;

/// Outside of all named items.
pub const NO_OWNER: OwnerId = u32::MAX;

/// A place in a file: 1-based lines, 1-based columns counted in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column just past the last character.
    pub end_column: u32,
}

/// Rust's namespaces, as far as paths to functions need them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Namespace {
    /// Modules and types: every segment but the last.
    Type,
    /// Functions, constants, constructors.
    Value,
}

/// Who may name an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// `pub`
    Public,
    /// `pub(crate)`, and `pub(in path)`, which is not narrowed further.
    Crate,
    /// `pub(super)`
    Super,
    /// No `pub` at all.
    Private,
}

/// An item the file defines itself (modules are in [`Scope::modules`]).
#[derive(Debug)]
pub struct Definition {
    /// Its name.
    pub name: Symbol,
    /// Whether it is in the type namespace.
    pub in_types: bool,
    /// Whether it is in the value namespace.
    pub in_values: bool,
    /// Who may name it.
    pub visibility: Visibility,
    /// What it is.
    pub defined: Defined,
}

impl Definition {
    /// Whether the item lives in `ns`.
    pub fn is_in(&self, ns: Namespace) -> bool {
        match ns {
            Namespace::Type => self.in_types,
            Namespace::Value => self.in_values,
        }
    }
}

/// One leaf of a `use` item or an `extern crate`.
#[derive(Debug)]
pub struct Import {
    /// The name it brings in; `None` for a glob.
    pub name: Option<Symbol>,
    /// The path it names (for a glob: the path before `*`).
    pub path: Vec<Symbol>,
    /// Who may use the imported name.
    pub visibility: Visibility,
}

/// Where the body of a `mod` is.
#[derive(Debug)]
pub enum ModuleBody {
    /// `mod name { .. }`
    Inline(ScopeId),
    /// `mod name;`
    File {
        /// `#[path = ".."]` and `#[cfg_attr(.., path = "..")]`, in order.
        paths: Vec<String>,
        /// Some way of configuration leaves the conventional place in force.
        conventional: bool,
    },
}

/// A `mod` item.
#[derive(Debug)]
pub struct ModuleItem {
    /// Its name.
    pub name: Symbol,
    /// Who may name it.
    pub visibility: Visibility,
    /// Where its body is.
    pub body: ModuleBody,
    /// The configuration around it.
    pub cfg: CfgId,
    /// Where its name stands.
    pub span: Span,
}

/// A region of the file with names of its own.
#[derive(Debug, Default)]
pub struct Scope {
    /// The enclosing scope; `None` for the file.
    pub parent: Option<ScopeId>,
    /// A block sees its parent's names, a module does not.
    pub is_module: bool,
    /// Directory below the file's module directory in which `mod x;` looks,
    /// made of the inline modules around (or their `#[path]`).
    pub directory: Vec<String>,
    /// That directory counts from the one of the file itself, for the outermost
    /// of these modules has a `#[path]`.
    pub beside: bool,
    /// Items.
    pub definitions: Vec<Definition>,
    /// Imports, globs included.
    pub imports: Vec<Import>,
    /// Modules.
    pub modules: Vec<ModuleItem>,
    /// The definition after the one that was last told what it defines.
    pub(super) filled: usize,
    /// Definitions, then imports counted on, sorted by name.
    pub(super) by_name: Vec<(u32, u32)>,
}

impl Scope {
    /// The definitions and the imports of this name, in order.
    pub fn named(&self, name: Symbol) -> (impl Iterator<Item = usize>, impl Iterator<Item = usize>) {
        let start = self.by_name.partition_point(|entry| entry.0 < name.number());
        let of_name = self.by_name[start..].iter().take_while(move |entry| entry.0 == name.number());
        let definitions = self.definitions.len();
        let indices = of_name.map(|entry| entry.1 as usize);
        let imports = indices.clone().filter(move |i| *i >= definitions).map(move |i| i - definitions);
        (indices.take_while(move |i| *i < definitions), imports)
    }

    fn sort_names(&mut self) {
        let definitions = self.definitions.iter().map(|definition| Some(definition.name));
        let names = definitions.chain(self.imports.iter().map(|import| import.name));
        self.by_name = names.zip(0..).filter_map(|(name, i)| Some((name?.number(), i))).collect();
        self.by_name.sort_unstable();
    }
}

/// One `#[cfg(..)]` or test attribute, and those around it.
#[derive(Debug)]
pub struct Cfg {
    /// The enclosing one.
    pub parent: CfgId,
    /// The condition as written, or a whole attribute such as `#[tokio::test]`.
    pub text: String,
    /// Whether code under it only exists in tests.
    pub is_test: bool,
}

/// A module, type or function with code in it.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// The one around it.
    pub parent: OwnerId,
    /// Its name; for an `impl`, that of the type.
    pub name: Symbol,
    /// From brace to brace for a function; the default for what has no body.
    pub body: Span,
}

/// A path in expression or pattern position that names no local.
#[derive(Clone, Copy, Debug)]
pub struct PathUse {
    /// First of its segments in [`FileIndex::segments`].
    pub first: u32,
    /// Number of segments.
    pub len: u16,
    /// What is around it.
    pub context: ContextId,
    /// The expression, or `NONE` for a pattern or the name of a struct.
    pub node: ExprId,
    /// From the first segment to the last.
    pub span: Span,
}

/// `include!("file.rs")` of items, or an inclusion that cannot be followed.
#[derive(Debug)]
pub struct Include {
    /// The literal path; `None` when it is computed.
    pub path: Option<String>,
    /// The scope it stands in.
    pub scope: ScopeId,
    /// The configuration around it.
    pub cfg: CfgId,
    /// Where it stands.
    pub span: Span,
}

/// Everything kept of one file.
#[derive(Debug, Default)]
pub struct FileIndex {
    /// Scopes; never empty once indexed.
    pub scopes: Vec<Scope>,
    /// Paths in expression position, in source order.
    pub uses: Vec<PathUse>,
    /// Segments of all `uses`, and of paths to types.
    pub segments: Vec<Symbol>,
    /// Conditions.
    pub cfgs: Vec<Cfg>,
    /// Items that hold uses.
    pub owners: Vec<Owner>,
    /// Inclusions.
    pub includes: Vec<Include>,
    /// Expressions.
    pub bodies: Bodies,
    /// Types and functions.
    pub signatures: Signatures,
}

impl FileIndex {
    /// To be called once, when all is there: makes what is looked things up
    /// by, and gives back room that growing tables took in advance.
    pub(super) fn finish(&mut self) {
        self.bodies.put_in_order();
        self.scopes.iter_mut().for_each(Scope::sort_names);
        let FileIndex { scopes, uses, segments, cfgs, owners, includes: _, bodies, signatures } = self;
        scopes.shrink_to_fit();
        uses.shrink_to_fit();
        segments.shrink_to_fit();
        cfgs.shrink_to_fit();
        owners.shrink_to_fit();
        bodies.nodes.shrink_to_fit();
        bodies.lists.shrink_to_fit();
        bodies.patterns.shrink_to_fit();
        bodies.locals.shrink_to_fit();
        bodies.contexts.shrink_to_fit();
        bodies.frames.shrink_to_fit();
        signatures.types.shrink_to_fit();
        signatures.lists.shrink_to_fit();
        signatures.functions.shrink_to_fit();
        signatures.impls.shrink_to_fit();
    }

    /// The segments of a use.
    pub fn path_of(&self, site: &PathUse) -> &[Symbol] {
        &self.segments[site.first as usize..][..site.len as usize]
    }

    /// If a variable is a parameter of a function, or a part of one, how that
    /// is passed.
    pub fn parameter(&self, local: LocalId) -> Option<Parameter> {
        let mut pattern = self.bodies.locals[local as usize].pattern;
        loop {
            match self.bodies.patterns[pattern as usize].origin {
                Origin::Part(whole) => pattern = whole,
                Origin::Parameter(id, number) => {
                    let function = &self.signatures.functions[id as usize];
                    let of = function.parameters.get(number as usize).map(|(_, of)| *of as usize);
                    return Some(match of.map(|of| self.signatures.types.get(of)) {
                        None if function.borrows_self => Parameter::SelfReference,
                        None => Parameter::SelfValue,
                        Some(Some(TypeRef::Ref(_))) => Parameter::Reference,
                        Some(_) => Parameter::Value,
                    });
                }
                _ => return None,
            }
        }
    }

    /// The names of the items around, outermost first.
    pub fn item_path(&self, mut owner: OwnerId) -> Vec<Symbol> {
        let mut out = Vec::new();
        while let Some(found) = self.owners.get(owner as usize) {
            out.push(found.name);
            owner = found.parent;
        }
        out.reverse();
        out
    }

    /// The body of the innermost item around; the default outside of functions.
    pub fn body_of(&self, owner: OwnerId) -> Span {
        self.owners.get(owner as usize).map_or(Span::default(), |owner| owner.body)
    }

    /// The innermost function whose body spans this place, for what is found
    /// in text rather than syntax.
    pub fn owner_at(&self, line: u32, column: u32) -> OwnerId {
        let inside = |owner: &Owner| {
            let body = owner.body;
            (body.line, body.column) <= (line, column) && (line, column) < (body.end_line, body.end_column)
        };
        // outer ones come before those they hold
        self.owners.iter().rposition(inside).map_or(NO_OWNER, |i| i as OwnerId)
    }

    /// The conditions around `cfg`, outermost first.
    pub fn conditions(&self, mut cfg: CfgId) -> Vec<&Cfg> {
        let mut out = Vec::new();
        while let Some(found) = self.cfgs.get(cfg as usize) {
            out.push(found);
            cfg = found.parent;
        }
        out.reverse();
        out
    }
}
