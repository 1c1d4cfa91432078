//! Types as they are written, lowered to [`TypeRef`]s.

use super::body::{List, NONE};
use super::extract::Extractor;
use super::names::{Symbol, kw};
use super::signature::{TypeId, TypeRef};
use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, Token, Type, TypeParamBound};

impl Extractor<'_, '_> {
    fn add(&mut self, of: TypeRef) -> TypeId {
        self.index.signatures.types.push(of);
        (self.index.signatures.types.len() - 1) as TypeId
    }

    pub(super) fn type_ref(&mut self, of: &Type) -> TypeId {
        let lowered = match of {
            Type::Path(path) => match &path.qself {
                Some(qself) => {
                    let base = self.type_ref(&qself.ty);
                    match path.path.segments.last() {
                        Some(last) => {
                            let name = self.name(&last.ident);
                            TypeRef::Projection { base, name }
                        }
                        None => TypeRef::Unknown,
                    }
                }
                None => return self.path_type(&path.path),
            },
            Type::Reference(inner) => TypeRef::Ref(self.type_ref(&inner.elem)),
            Type::Ptr(inner) => TypeRef::Ref(self.type_ref(&inner.elem)),
            Type::Slice(inner) => TypeRef::Slice(self.type_ref(&inner.elem)),
            Type::Array(inner) => TypeRef::Slice(self.type_ref(&inner.elem)),
            Type::Paren(inner) => return self.type_ref(&inner.elem),
            Type::Group(inner) => return self.type_ref(&inner.elem),
            Type::Tuple(inner) => {
                let items: Vec<TypeId> = inner.elems.iter().map(|t| self.type_ref(t)).collect();
                TypeRef::Tuple(self.type_list(&items))
            }
            Type::ImplTrait(inner) => {
                let bounds = self.bounds(&inner.bounds);
                TypeRef::Bounds(self.type_list(&bounds))
            }
            Type::TraitObject(inner) => {
                let bounds = self.bounds(&inner.bounds);
                TypeRef::Bounds(self.type_list(&bounds))
            }
            Type::FnPtr(inner) => match &inner.output {
                ReturnType::Type(_, output) => TypeRef::Pointer(self.type_ref(output)),
                ReturnType::Default => TypeRef::Unknown,
            },
            _ => TypeRef::Unknown,
        };
        self.add(lowered)
    }

    pub(super) fn bounds(&mut self, bounds: &Punctuated<TypeParamBound, Token![+]>) -> Vec<TypeId> {
        let mut out = Vec::new();
        for bound in bounds {
            if let TypeParamBound::Trait(bound) = bound {
                out.push(self.path_type(&bound.path));
            }
        }
        out
    }

    pub(super) fn path_type(&mut self, path: &syn::Path) -> TypeId {
        let Some((segments, _)) = self.segments(path) else {
            return self.add(TypeRef::Unknown);
        };
        let lowered = match segments.as_slice() {
            [kw::SELF_TYPE] => TypeRef::SelfType,
            [kw::SELF_TYPE, name] => {
                let base = self.add(TypeRef::SelfType);
                TypeRef::Projection { base, name: *name }
            }
            [name] if self.generics.contains(name) => TypeRef::Param(*name),
            [first, name] if self.generics.contains(first) => {
                let base = self.add(TypeRef::Param(*first));
                TypeRef::Projection { base, name: *name }
            }
            _ => {
                let args = self.arguments(path);
                let first = self.index.segments.len() as u32;
                self.index.segments.extend_from_slice(&segments);
                let len = u16::try_from(segments.len()).unwrap_or(u16::MAX);
                TypeRef::Path { scope: self.scope, first, len, args }
            }
        };
        self.add(lowered)
    }

    /// The arguments of the last segment that has some.
    fn arguments(&mut self, path: &syn::Path) -> List {
        let mut out = Vec::new();
        let last = path.segments.iter().rev().find(|s| !matches!(s.arguments, PathArguments::None));
        match last.map(|s| &s.arguments) {
            Some(PathArguments::AngleBracketed(args)) => {
                for arg in &args.args {
                    match arg {
                        GenericArgument::Type(of) => out.push(self.type_ref(of)),
                        GenericArgument::AssocType(binding) => {
                            let name = self.name(&binding.ident);
                            let of = self.type_ref(&binding.ty);
                            out.push(self.add(TypeRef::Binding { name, of }));
                        }
                        _ => {}
                    }
                }
            }
            Some(PathArguments::Parenthesized(args)) => {
                let items: Vec<TypeId> = args.inputs.iter().map(|t| self.type_ref(&t.ty)).collect();
                let items = self.type_list(&items);
                out.push(self.add(TypeRef::Tuple(items)));
                let of = match &args.output {
                    ReturnType::Type(_, output) => self.type_ref(output),
                    ReturnType::Default => self.add(TypeRef::Tuple(List::default())),
                };
                let name = self.output_name();
                out.push(self.add(TypeRef::Binding { name, of }));
            }
            _ => {}
        }
        debug_assert!(out.iter().all(|id| *id != NONE));
        self.type_list(&out)
    }

    fn output_name(&mut self) -> Symbol {
        self.word("Output")
    }
}
