//! What a call does with a value: as an argument, as the receiver, in a
//! macro.

use super::Fate;
use super::flow::{Flow, Steps, Went, strongest};
use crate::kin;
use crate::load::body::{Kind, NONE, PatternKind};
use crate::load::names::Symbol;
use crate::types::{At, Callee, FnRef, Type};

/// Functions whose value stands for their argument: what becomes of the one
/// becomes of the other. Last segments; all of them wrap, join or box.
const CARRIERS: &[&str] = &[
    "boxed",
    "from",
    "from_iter",
    "fuse",
    "into_future",
    "iter",
    "join",
    "join3",
    "join4",
    "join5",
    "join_all",
    "maybe_done",
    "new",
    "once",
    "pin",
    "poll_immediate",
    "ready",
    "select",
    "select_all",
    "select_ok",
    "shared",
    "timeout",
    "timeout_at",
    "try_join",
    "try_join3",
    "try_join_all",
    "try_select",
    "unconstrained",
];

/// Modules whose constructors carry.
const CARRYING: &[&str] =
    &["std::", "tokio::", "futures::", "futures_util::", "parking_lot::", "tokio_util::"];

/// Methods of collections that put a value into them.
const PUTTING: &[&str] = &[
    "add",
    "append",
    "extend",
    "get_or_insert",
    "insert",
    "insert_entry",
    "or_insert",
    "push",
    "push_back",
    "push_front",
    "replace",
    "set",
    "store",
    "swap",
];

/// Methods that only look.
const LOOKING: &[&str] = &[
    "as_ptr",
    "capacity",
    "clear",
    "contains",
    "contains_key",
    "id",
    "is_empty",
    "is_finished",
    "is_none",
    "is_ok",
    "is_some",
    "len",
    "reserve",
    "shrink_to_fit",
    "truncate",
    "with_capacity",
];

/// Macros that only look.
const LOOKING_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "eprintln",
    "error",
    "event",
    "format",
    "info",
    "log",
    "matches",
    "panic",
    "print",
    "println",
    "span",
    "trace",
    "unreachable",
    "warn",
    "write",
    "writeln",
];

impl Flow<'_, '_> {
    /// The value is argument number `position` of a call.
    pub(super) fn argument(&mut self, call: At, position: usize, value: At, steps: &Steps) -> Went {
        let callee = self.world.callee(call);
        if let Callee::Constructor(def, variant) = &callee {
            return match self.world.type_path(&Type::Named(*def, std::rc::Rc::from([]))) {
                Some(_) => self.value(call, steps),
                None => self.constructed(*def, *variant, call, value),
            };
        }
        if let Some(path) = self.world.callee_path(&callee) {
            return self.known_call(&path, call, position, value, steps);
        }
        match callee {
            Callee::Function(found) => self.handed_to(found.function, position, call, value, steps),
            _ => Went::To(Fate::Passed, call),
        }
    }

    fn known_call(&mut self, path: &str, call: At, position: usize, value: At, steps: &Steps) -> Went {
        let last = path.rsplit("::").next().unwrap_or(path);
        match path {
            "std::mem::drop" => return Went::To(Fate::Dropped, call),
            "std::mem::forget" | "std::boxed::Box::leak" | "std::mem::ManuallyDrop::new" => {
                return Went::To(Fate::Forgotten, call);
            }
            "std::mem::replace" if position == 1 => {
                let bodies = self.world.bodies(call.instance);
                if let Kind::Call { args, .. } = bodies.kind(call.node) {
                    let place = bodies.peeled(bodies.list(args)[0]);
                    return self.put_into(At { node: place, ..call }, steps, call);
                }
            }
            "std::mem::replace" | "std::mem::take" => return self.value(call, steps),
            "tokio_util::task::AbortOnDropHandle::new" => return Went::To(Fate::Wrapped, call),
            _ => {}
        }
        if last == "block_on" {
            return Went::To(Fate::Awaited, call);
        }
        if kin::is_spawn(path) {
            return Went::To(Fate::Passed, call);
        }
        // a container or a future by its own name
        let carries = CARRIERS.binary_search(&last).is_ok()
            && (CARRYING.iter().any(|krate| path.starts_with(krate))
                || !matches!(last, "new" | "from" | "iter"));
        if carries {
            return self.value(call, steps);
        }
        if path.starts_with("std::") && !path.starts_with("std::thread") {
            return Went::Nowhere;
        }
        let _ = value;
        Went::To(Fate::Passed, call)
    }

    /// The value is given to a function of the workspace.
    fn handed_to(&mut self, f: FnRef, position: usize, call: At, value: At, steps: &Steps) -> Went {
        let function = self.world.function(f);
        let skipped = usize::from(
            function.takes_self
                && matches!(self.world.bodies(call.instance).kind(call.node), Kind::Call { .. }),
        );
        let Some((pattern, _)) = position.checked_sub(skipped).and_then(|p| function.parameters.get(p))
        else {
            return Went::To(Fate::Passed, call);
        };
        let key = (f.instance, f.id);
        if function.body == NONE || self.inside.contains(&key) || self.inside.len() >= 3 {
            return Went::To(Fate::Passed, call);
        }
        self.inside.push(key);
        let went = self.parameter(f, *pattern);
        self.inside.pop();
        match went {
            // a constructor by another name
            Went::To(Fate::Wrapped | Fate::StoredAborting | Fate::Forgotten, _) => match went {
                Went::To(fate, _) => Went::To(fate, call),
                _ => Went::To(Fate::Passed, call),
            },
            Went::To(Fate::Returned, _) if !function.is_async => self.value(call, steps),
            Went::To(Fate::Stored, _) => Went::To(Fate::Stored, value),
            _ => Went::To(Fate::Passed, call),
        }
    }

    /// What a function does with a parameter.
    fn parameter(&mut self, f: FnRef, pattern: u32) -> Went {
        let bodies = self.world.bodies(f.instance);
        let mut pattern = pattern;
        loop {
            match bodies.patterns[pattern as usize].kind {
                PatternKind::Typed { inner, .. } | PatternKind::Ref(inner) => pattern = inner,
                PatternKind::Bind { local, .. } => {
                    let first = bodies.first(self.world.function(f).body);
                    return self.variable(
                        f.instance,
                        local,
                        &Steps::new(),
                        At { instance: f.instance, node: first },
                    );
                }
                _ => return Went::Nowhere,
            }
        }
    }

    /// The value is the receiver of a method.
    pub(super) fn received(&mut self, call: At, name: Symbol, value: At, steps: &Steps) -> Went {
        let text = self.world.names.text(name);
        match &*text {
            "abort" | "abort_all" => return Went::To(Fate::Aborted, call),
            "abort_handle" => {
                return match self.value(call, steps) {
                    Went::To(Fate::Dropped, _) => Went::Nowhere,
                    went => went,
                };
            }
            "now_or_never" => return Went::To(Fate::Awaited, call),
            text if LOOKING.binary_search(&text).is_ok() || PUTTING.binary_search(&text).is_ok() => {
                return Went::Nowhere;
            }
            _ => {}
        }
        // a method that makes a guard of it
        if let Type::Named(def, _) = self.world.type_of(call)
            && self.aborts(def)
        {
            return Went::To(Fate::Wrapped, call);
        }
        let mut wents = vec![match self.value(call, steps) {
            Went::To(Fate::Dropped, _) => Went::Nowhere,
            went => went,
        }];
        let bodies = self.world.bodies(call.instance);
        if let Kind::Method { args, .. } = bodies.kind(call.node)
            && !self.is_handle(value)
        {
            // elements are given to closures
            for arg in bodies.list(args) {
                if let Kind::Closure { patterns, .. } = bodies.kind(*arg)
                    && let Some(pattern) = bodies.list(patterns).last()
                {
                    let first = bodies.first(*arg);
                    let went = self.pattern(call.instance, *pattern, steps, At { node: first, ..call });
                    wents.push(match went {
                        Went::To(Fate::Dropped, _) if &*text != "for_each" => Went::Nowhere,
                        went => went,
                    });
                }
            }
        }
        strongest(wents)
    }

    /// Whether a value is the handle itself, not something that holds it.
    fn is_handle(&self, value: At) -> bool {
        let of = self.world.type_of(value);
        let path = self.world.derefs(&of).first().and_then(|of| match of {
            Type::Ref(inner) => self.world.type_path(inner),
            of => self.world.type_path(of),
        });
        path.is_some_and(|path| &*path == "tokio::task::JoinHandle")
    }

    /// The value is an argument of a method.
    pub(super) fn method_argument(
        &mut self,
        call: At,
        receiver: At,
        name: Symbol,
        position: usize,
        value: At,
        steps: &Steps,
    ) -> Went {
        let callee = self.world.callee(call);
        if let Callee::Function(found) = &callee
            && self.world.function_path(found.function).is_none()
        {
            return self.handed_to(found.function, position, call, value, steps);
        }
        let text = self.world.names.text(name);
        match &*text {
            "block_on" => Went::To(Fate::Awaited, call),
            "chain" | "zip" | "or" | "unwrap_or" | "then_some" => self.value(call, steps),
            text if PUTTING.binary_search(&text).is_ok() => {
                let inner = Steps::new();
                self.put_into(receiver, &inner, call)
            }
            _ => Went::To(Fate::Passed, call),
        }
    }

    /// The value is part of a macro's input.
    pub(super) fn in_macro(&mut self, call: At, name: Symbol, value: At, steps: &Steps) -> Went {
        let text = self.world.names.text(name);
        match &*text {
            "join" | "try_join" => Went::To(Fate::Awaited, call),
            "pin" => {
                let bodies = self.world.bodies(call.instance);
                match bodies.kind(bodies.node(call.node).parent) {
                    // `tokio::pin!(handle);` binds the same name again
                    Kind::Semi(_) => Went::Nowhere,
                    _ => self.value(call, steps),
                }
            }
            "ready" => Went::To(Fate::Awaited, call),
            "macro_rules" => Went::Lost("it is the value of a macro, which is used elsewhere"),
            text if LOOKING_MACROS.binary_search(&text).is_ok() => Went::Nowhere,
            _ => {
                let _ = value;
                Went::Lost("what the macro does with it is not known")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        for table in [CARRIERS, PUTTING, LOOKING, LOOKING_MACROS] {
            assert!(table.is_sorted(), "{table:?}");
        }
    }
}
