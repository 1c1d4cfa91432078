//! Types, functions and types' definitions as a file writes them.
//!
//! Nothing here is resolved: a type is the path that stands in the source,
//! with the scope it is seen from. `resolve` makes sense of it.

use super::body::{ExprId, List, PatId};
use super::index::ScopeId;
use super::names::Symbol;

/// Index of a [`TypeRef`] in its file, or `NONE`.
pub type TypeId = u32;
/// Index of a [`Function`] in its file, or `NONE`.
pub type FunctionId = u32;
/// Index of an [`Impl`] in its file, or `NONE`.
pub type ImplId = u32;

/// A type as written. Lists are lists of types.
#[expect(missing_docs, reason = "the grammar beside each variant names its parts")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeRef {
    /// `a::b::C<args>`; the segments are in `FileIndex::segments`.
    Path { scope: ScopeId, first: u32, len: u16, args: List },
    /// A generic parameter.
    Param(Symbol),
    /// `Self`
    SelfType,
    /// `Base::Name`, `<Base as Trait>::Name`
    Projection { base: TypeId, name: Symbol },
    /// `Name = Type` among arguments.
    Binding { name: Symbol, of: TypeId },
    /// `&T`, `*const T`
    Ref(TypeId),
    /// `[T]`, `[T; n]`
    Slice(TypeId),
    /// `(A, B)`
    Tuple(List),
    /// `impl A + B`, `dyn A + B`
    Bounds(List),
    /// `fn(..) -> T`
    Pointer(TypeId),
    /// `_`, `!`, macros.
    Unknown,
}

/// A generic parameter with what is required of it.
#[derive(Clone, Copy, Debug)]
pub struct Generic {
    /// Its name.
    pub name: Symbol,
    /// Types of its bounds, `where` clauses included.
    pub bounds: List,
}

/// A function or method.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Symbol,
    /// The scope it stands in.
    pub scope: ScopeId,
    /// `async fn`
    pub is_async: bool,
    /// Whether the first parameter is `self`.
    pub takes_self: bool,
    /// Whether that is a reference.
    pub borrows_self: bool,
    /// Its own generic parameters.
    pub generics: Vec<Generic>,
    /// Parameters, `self` left out.
    pub parameters: Vec<(PatId, TypeId)>,
    /// The pattern of `self`, or `NONE`.
    pub self_pattern: PatId,
    /// What it returns; `NONE` is `()`.
    pub output: TypeId,
    /// The `impl` it is in, or `NONE`.
    pub of_impl: ImplId,
    /// The trait it is in, as (scope, name).
    pub of_trait: Option<(ScopeId, Symbol)>,
    /// Its body, or `NONE`.
    pub body: ExprId,
}

/// An `impl` block.
#[derive(Clone, Debug)]
pub struct Impl {
    /// The scope it stands in.
    pub scope: ScopeId,
    /// Its generic parameters.
    pub generics: Vec<Generic>,
    /// The type it is for.
    pub self_type: TypeId,
    /// The trait, or `NONE`.
    pub of_trait: TypeId,
    /// Its functions.
    pub functions: Vec<FunctionId>,
    /// Its associated types.
    pub types: Vec<(Symbol, TypeId)>,
}

/// A field, by name or number.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: Symbol,
    /// Its type.
    pub of: TypeId,
}

/// What an item defines.
#[derive(Clone, Debug, Default)]
pub enum Defined {
    /// A function.
    Function(FunctionId),
    /// A struct or union.
    Struct {
        /// Generic parameters.
        generics: Vec<Generic>,
        /// Fields.
        fields: Vec<Field>,
    },
    /// An enum.
    Enum {
        /// Generic parameters.
        generics: Vec<Generic>,
        /// Variants with their fields.
        variants: Vec<(Symbol, Vec<Field>)>,
    },
    /// `type Name<..> = T;`
    Alias {
        /// Generic parameters.
        generics: Vec<Generic>,
        /// What it stands for.
        of: TypeId,
    },
    /// A trait with its functions and required types.
    Trait {
        /// Generic parameters.
        generics: Vec<Generic>,
        /// Functions, provided or required.
        functions: Vec<FunctionId>,
        /// Traits it requires.
        supertraits: List,
    },
    /// A constant or static.
    Value(TypeId),
    /// Anything else.
    #[default]
    Other,
}

/// The types and signatures of a file.
#[derive(Debug, Default)]
pub struct Signatures {
    /// Types as written.
    pub types: Vec<TypeRef>,
    /// Lists of types.
    pub lists: Vec<TypeId>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Implementations.
    pub impls: Vec<Impl>,
}

/// How a parameter is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parameter {
    /// `self`
    SelfValue,
    /// `&self`, `&mut self`
    SelfReference,
    /// Anything but a reference.
    Value,
    /// `&T`, `&mut T`
    Reference,
}

impl Signatures {
    /// The types of a list.
    pub fn list(&self, list: List) -> &[TypeId] {
        &self.lists[list.start as usize..][..list.len as usize]
    }
}
