//! Calls and mentions of the functions that rules watch.
//!
//! Each gets a verdict: the function it means, or unknown with the reason. A
//! place that is reached through several targets or configurations is one
//! site; a known function outweighs an unknown. Only paths whose last segment
//! is a watched name, or a rename of one somewhere in the workspace, and
//! methods of watched names are looked at.

use crate::load::body::{ContextId, ExprId, Kind, NONE};
use crate::load::index::Span;
use crate::load::names::{Symbol, kw};
use crate::load::source::canonical;
use crate::load::tree::Tree;
use crate::precise::Said;
use crate::resolve::is_settled;
use crate::types::{At, Callee, Type, World};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

/// What a site means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// This function, by its public path.
    Yes(Rc<str>),
    /// It may mean a watched one; this is why it cannot be told.
    Unknown(String),
}

/// A use of a watched function, or of what may be one.
#[derive(Clone, Debug)]
pub struct Site {
    /// The call, or the path where it is no call.
    pub at: At,
    /// Whether it is called, not passed on.
    pub is_call: bool,
    /// The file, an index into [`Tree::files`].
    pub file: u32,
    /// The path, or the name of the method.
    pub span: Span,
    /// What is around it.
    pub context: ContextId,
    /// The last segment as the source writes it.
    pub name: Symbol,
    /// The path or method as written.
    pub written: String,
    /// What it means.
    pub verdict: Verdict,
    /// It only exists in tests.
    pub in_test: bool,
    /// The targets it is part of, as (package, target) indices.
    pub targets: BTreeSet<(usize, usize)>,
}

impl Site {
    /// The public path of the function, if it is known.
    pub fn path(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Yes(path) => Some(path),
            Verdict::Unknown(_) => None,
        }
    }
}

/// Finds all sites of `watched` functions in the packages asked for, in order
/// of file and place. What clippy said settles unknowns, and adds what only it
/// finds.
pub fn sites(world: &World<'_>, watched: &[&str], said: Option<&Said>) -> Vec<Site> {
    let finder = Finder { said: said.map(|said| Settled::new(world, said)), ..Finder::new(world, watched) };
    let mut found: BTreeMap<(u32, u32, u32), Site> = BTreeMap::new();
    for instance in 0..world.tree.instances.len() as u32 {
        let krate = &world.tree.crates[world.tree.instances[instance as usize].krate as usize];
        if world.workspace.packages[krate.package].reported {
            finder.search(instance, &mut found);
        }
    }
    found.into_values().collect()
}

struct Finder<'w, 'a> {
    world: &'w World<'a>,
    watched: HashSet<&'w str>,
    /// Last segments of the watched paths.
    plain: HashSet<Symbol>,
    /// Those, and all renames of them.
    names: HashSet<Symbol>,
    /// Names of watched methods.
    methods: HashSet<Symbol>,
    /// What clippy said.
    said: Option<Settled<'w>>,
}

/// What clippy said, by file.
struct Settled<'s> {
    said: &'s Said,
    /// The real path of each file.
    files: Vec<PathBuf>,
    /// Which crates clippy compiled.
    compiled: Vec<bool>,
}

impl<'s> Settled<'s> {
    fn new(world: &World<'_>, said: &'s Said) -> Settled<'s> {
        let World { tree, workspace, .. } = world;
        let compiled = tree.crates.iter().map(|krate| {
            said.compiled.contains(&canonical(&workspace.packages[krate.package].targets[krate.target].root))
        });
        let files = tree.files.iter().map(|file| canonical(&file.path));
        Settled { said, files: files.collect(), compiled: compiled.collect() }
    }
}

impl<'w, 'a> Finder<'w, 'a> {
    fn new(world: &'w World<'a>, watched: &[&'w str]) -> Self {
        let last = |path: &&str| world.names.intern(path.rsplit("::").next().unwrap_or(path));
        let plain: HashSet<Symbol> = watched.iter().map(last).collect();
        let methods = watched.iter().filter(|path| is_associated(path)).map(last).collect();
        let names = with_renames(world.tree, plain.clone());
        Finder { world, watched: watched.iter().copied().collect(), plain, names, methods, said: None }
    }

    fn search(&self, instance: u32, found: &mut BTreeMap<(u32, u32, u32), Site>) {
        let index = self.world.file(instance);
        for (id, at) in index.uses.iter().enumerate() {
            let path = index.path_of(at);
            let Some(&last) = path.last() else { continue };
            if at.node == NONE {
                continue;
            }
            let quoted = index.bodies.contexts[at.context as usize].quoted;
            let is_named = self.names.contains(&last);
            let verdict = is_named.then(|| self.path_verdict(instance, id as u32, path, quoted)).flatten();
            if let Some(verdict) = self.settled(instance, at.node, at.span, verdict) {
                let (node, is_call) = self.call_of(instance, at.node);
                let written = self.world.names.path(path);
                self.add(instance, node, is_call, at.span, last, written, verdict, found);
            }
        }
        for (id, node) in index.bodies.nodes.iter().enumerate() {
            let Kind::Method { name, .. } = node.kind else { continue };
            let is_named = self.methods.contains(&name);
            if !is_named && self.said.is_none() {
                continue;
            }
            let at = At { instance, node: id as ExprId };
            let quoted = index.bodies.contexts[node.context as usize].quoted;
            let verdict = is_named.then(|| self.method_verdict(at, name, quoted)).flatten();
            let text = self.world.names.text(name);
            let width = text.chars().count() as u32;
            let (line, column) = (node.line, node.column);
            let span = Span { line, column, end_line: line, end_column: column + width };
            if let Some(verdict) = self.settled(instance, at.node, span, verdict) {
                self.add(instance, at.node, true, span, name, text.to_string(), verdict, found);
            }
        }
    }

    /// The verdict, once clippy was heard: what it finds there, or that it
    /// finds nothing in code that it compiled.
    fn settled(&self, instance: u32, node: ExprId, span: Span, verdict: Option<Verdict>) -> Option<Verdict> {
        let Some(settled) = &self.said else { return verdict };
        if matches!(verdict, Some(Verdict::Yes(_))) {
            return verdict;
        }
        let of = &self.world.tree.instances[instance as usize];
        if let Some(path) = settled.said.at(&settled.files[of.file as usize], span.line, span.column) {
            return Some(Verdict::Yes(path.into()));
        }
        let bodies = self.world.bodies(instance);
        let context = bodies.context(node);
        let was_seen = settled.compiled[of.krate as usize]
            && !context.quoted
            && !bodies
                .ancestors(node)
                .any(|node| matches!(bodies.kind(node), Kind::Macro { .. } | Kind::Tokens(_)))
            && self.world.tree.conditions(of, context.cfg).iter().all(|condition| condition.is_test);
        verdict.filter(|_| !was_seen)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a site")]
    fn add(
        &self,
        instance: u32,
        node: ExprId,
        is_call: bool,
        span: Span,
        name: Symbol,
        written: String,
        verdict: Verdict,
        found: &mut BTreeMap<(u32, u32, u32), Site>,
    ) {
        let tree = self.world.tree;
        let of = &tree.instances[instance as usize];
        let krate = &tree.crates[of.krate as usize];
        let kind = self.world.workspace.packages[krate.package].targets[krate.target].kind;
        let bodies = self.world.bodies(instance);
        let context = bodies.node(node).context;
        let cfg = bodies.contexts[context as usize].cfg;
        let in_test = kind.is_test() || tree.conditions(of, cfg).iter().any(|c| c.is_test);
        let target = (krate.package, krate.target);
        let key = (of.file, span.line, span.column);
        let at = At { instance, node };
        if let Some(site) = found.get_mut(&key) {
            if matches!((&site.verdict, &verdict), (Verdict::Unknown(_), Verdict::Yes(_))) {
                (site.verdict, site.at) = (verdict, at);
            }
            site.in_test &= in_test;
            site.targets.insert(target);
            return;
        }
        let targets = BTreeSet::from([target]);
        let file = of.file;
        found
            .insert(key, Site { at, is_call, file, span, context, name, written, verdict, in_test, targets });
    }

    /// The call of a path, or the path.
    fn call_of(&self, instance: u32, node: ExprId) -> (ExprId, bool) {
        let bodies = self.world.bodies(instance);
        let parent = bodies.node(node).parent;
        match (parent != NONE).then(|| bodies.kind(parent)) {
            Some(Kind::Call { callee, .. }) if callee == node => (parent, true),
            _ => (node, false),
        }
    }

    fn path_verdict(&self, instance: u32, id: u32, path: &[Symbol], quoted: bool) -> Option<Verdict> {
        let yes = |path: Rc<str>| match quoted {
            true => Verdict::Unknown("it is code that a macro generates for another crate".into()),
            false => Verdict::Yes(path),
        };
        let is_plain = path.last().is_some_and(|last| self.plain.contains(last));
        let callee = self.world.path_callee(instance, id);
        match &callee {
            Callee::Function(_) | Callee::Outside(_) => {
                let found =
                    self.world.callee_path(&callee).or_else(|| self.own_path(&callee, path.last()))?;
                if self.watched.contains(&*found) {
                    return Some(yes(found));
                }
                match callee {
                    Callee::Outside(_) => self.may_re_export(&found).map(Verdict::Unknown),
                    _ => None,
                }
            }
            Callee::Unknown(Some(why)) if is_plain && self.may_be_function(path) => {
                Some(Verdict::Unknown(why.to_string()))
            }
            Callee::Unknown(None) if is_plain && self.may_be_function(path) => {
                let meanings = self.world.meanings(instance, id);
                // a lone word of a macro's input names anything
                let (node, is_call) =
                    self.call_of(instance, self.world.file(instance).uses[id as usize].node);
                let bodies = self.world.bodies(instance);
                let parent = bodies.node(node).parent;
                let is_word = path.len() == 1
                    && !is_call
                    && parent != NONE
                    && matches!(bodies.kind(parent), Kind::Macro { .. } | Kind::Tokens(_));
                (meanings.is_empty() && !is_word).then(|| {
                    let first = path.iter().copied().find(|s| *s != kw::ROOT).unwrap_or(path[0]);
                    Verdict::Unknown(match path.len() {
                        1 => format!("nothing named `{}` is in sight", self.world.names.text(first)),
                        _ => "its path leads to nothing that was read".to_string(),
                    })
                })
            }
            _ => None,
        }
    }

    /// Not an associated function, which would have been found.
    fn may_be_function(&self, path: &[Symbol]) -> bool {
        let before = path.len().checked_sub(2).map(|i| self.world.names.text(path[i]));
        !before.is_some_and(|segment| segment.starts_with(char::is_uppercase))
    }

    fn may_re_export(&self, found: &str) -> Option<String> {
        let (krate, _) = found.split_once("::")?;
        let (modules, last) = found.rsplit_once("::")?;
        let is_plain = self.plain.contains(&self.world.names.intern(last));
        let in_type = modules.split("::").any(|s| s.starts_with(char::is_uppercase));
        (is_plain && !in_type && !is_settled(krate))
            .then(|| format!("`{found}` is in a crate that was not read"))
    }

    fn method_verdict(&self, at: At, name: Symbol, quoted: bool) -> Option<Verdict> {
        let callee = self.world.callee(at);
        if let Callee::Outside(_) = callee
            && let Some(path) = self.extension(at, name).filter(|path| path.contains("::io::"))
        {
            return Some(Verdict::Yes(path));
        }
        if let Some(found) = self.world.callee_path(&callee).or_else(|| self.own_path(&callee, Some(&name))) {
            let is_watched = self.watched.contains(&*found);
            return is_watched.then(|| match quoted {
                true => Verdict::Unknown("it is code that a macro generates for another crate".into()),
                false => Verdict::Yes(found),
            });
        }
        match callee {
            Callee::Unknown(_) => {
                if let Some(path) = self.extension(at, name) {
                    return Some(Verdict::Yes(path));
                }
                (self.knows_tokio(at.instance) && self.may_be_spawn(at, name))
                    .then(|| Verdict::Unknown("the type of what it is called on is not known".to_string()))
            }
            _ => None,
        }
    }

    /// The path of a function of the workspace, which may itself be one that
    /// is watched elsewhere.
    fn own_path(&self, callee: &Callee, name: Option<&Symbol>) -> Option<Rc<str>> {
        match callee {
            Callee::Function(found) if name.is_some_and(|name| self.plain.contains(name)) => {
                self.world.own_path(found.function)
            }
            _ => None,
        }
    }

    /// The watched function of a trait in sight that has this name.
    fn extension(&self, at: At, name: Symbol) -> Option<Rc<str>> {
        let path = self.world.function_path(self.world.extension(name, at)?)?;
        self.watched.contains(&*path).then_some(path)
    }

    /// Whether the package of an instance has Tokio or its kin to call.
    fn knows_tokio(&self, instance: u32) -> bool {
        let package = self.world.package(instance);
        package.bare || package.dependencies.values().any(|d| d.package.contains("tokio"))
    }

    /// Whether a method on something unknown may well start a task: it has
    /// the name, and is given a future or, under a name of its own, anything.
    fn may_be_spawn(&self, at: At, name: Symbol) -> bool {
        let bodies = self.world.bodies(at.instance);
        let Kind::Method { receiver, args, .. } = bodies.kind(at.node) else {
            return false;
        };
        // a context of ours, whose tasks have an owner
        if let Kind::Local(local) = bodies.kind(bodies.peeled(receiver))
            && bodies.locals[local as usize].name == self.world.names.intern("cx")
            && self.world.knows_us(at.instance)
        {
            return false;
        }
        let text = self.world.names.text(name);
        match (&*text, bodies.list(args)) {
            ("spawn", [future]) => self.is_future(At { node: *future, ..at }),
            ("spawn_blocking" | "spawn_local" | "spawn_on" | "spawn_pinned", [_, ..]) => true,
            _ => false,
        }
    }

    fn is_future(&self, at: At) -> bool {
        if matches!(self.world.type_of(at), Type::Future(_)) {
            return true;
        }
        let bodies = self.world.bodies(at.instance);
        match bodies.kind(bodies.peeled(at.node)) {
            Kind::Async { .. } => true,
            // `.instrument(..)` and its like
            Kind::Method { receiver, .. } => self.is_future(At { node: receiver, ..at }),
            // `Box::pin(..)`
            Kind::Call { args, .. } => {
                bodies.list(args).first().is_some_and(|arg| self.is_future(At { node: *arg, ..at }))
            }
            _ => false,
        }
    }
}

/// A function of a type or trait.
fn is_associated(path: &str) -> bool {
    let mut segments = path.rsplit("::").skip(1);
    segments.next().is_some_and(|segment| segment.starts_with(char::is_uppercase))
}

/// Names, and what imports rename them to, anywhere.
fn with_renames(tree: &Tree, mut names: HashSet<Symbol>) -> HashSet<Symbol> {
    let renames: Vec<(Symbol, Symbol)> = tree
        .files
        .iter()
        .flat_map(|f| &f.index.scopes)
        .flat_map(|s| &s.imports)
        .filter_map(|i| Some((*i.path.last()?, i.name?)))
        .filter(|(source, name)| source != name)
        .collect();
    loop {
        let before = names.len();
        names.extend(renames.iter().filter(|(s, _)| names.contains(s)).map(|(_, n)| *n).collect::<Vec<_>>());
        if names.len() == before {
            return names;
        }
    }
}
