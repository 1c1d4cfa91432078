//! What rules judge: the sites of a run, its tasks and their fates.

use crate::fate::{Found, fate_of};
use crate::identity::Places;
use crate::kin::{self, Kin};
use crate::load::body::{ContextId, ExprId, FrameId, FrameKind, Kind, NONE};
use crate::load::index::Span;
use crate::load::names::Symbol;
use crate::rule::{Diagnosis, Fix, Level};
use crate::sites::{Site, Verdict};
use crate::types::{At, World};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

/// A task that is started, or may be.
#[derive(Debug)]
pub struct Task {
    /// Where.
    pub site: Site,
    /// By what; unknown if the site is.
    pub kin: Option<&'static Kin>,
    /// What becomes of its handle, or why it cannot be told.
    pub fate: Result<Found, String>,
}

/// Everything a rule may look at.
pub struct Facts<'w, 'a> {
    /// The code.
    pub world: &'w World<'a>,
    /// Uses of watched functions, but those that start tasks.
    pub sites: Vec<Site>,
    /// Tasks.
    pub tasks: Vec<Task>,
    /// The nodes that start them.
    starts: HashSet<At>,
    /// Places in files, by file.
    places: RefCell<BTreeMap<u32, Rc<Places<'a>>>>,
    /// Whether instances know our context.
    contexts: RefCell<BTreeMap<u32, bool>>,
}

/// What a rule objects to.
#[derive(Debug)]
pub struct Offence {
    /// The file, an index into `Tree::files`.
    pub file: u32,
    /// Where in it.
    pub span: Span,
    /// What is around it.
    pub context: ContextId,
    /// How much it matters; `None` if it may be nothing.
    pub level: Option<Level>,
    /// The words.
    pub diagnosis: Diagnosis,
    /// If it is about a task, what becomes of its handle.
    pub fate: Option<crate::fate::Fate>,
    /// A change that mends it and alters nothing else.
    pub fix: Option<Fix>,
    /// It only exists in tests.
    pub in_test: bool,
    /// The targets it is part of.
    pub targets: BTreeSet<(usize, usize)>,
}

impl Offence {
    /// About a site.
    pub fn at_site(site: &Site, level: Level, diagnosis: Diagnosis) -> Offence {
        Offence {
            file: site.file,
            span: site.span,
            context: site.context,
            level: Some(level),
            diagnosis,
            fate: None,
            fix: None,
            in_test: site.in_test,
            targets: site.targets.clone(),
        }
    }

    /// About a task.
    pub fn at_task(task: &Task, level: Level, diagnosis: Diagnosis) -> Offence {
        let fate = task.fate.as_ref().ok().map(|found| found.fate);
        Offence { fate, ..Offence::at_site(&task.site, level, diagnosis) }
    }

    /// It may be nothing, for this reason.
    pub fn unknown(site: &Site, rule: &str, message: String, reason: String) -> Offence {
        let suggestion = format!("if it is not, or if that is meant: // migrate-lint: allow({rule}) reason");
        let diagnosis = Diagnosis { message, reason, suggestion };
        Offence { level: None, ..Offence::at_site(site, Level::Info, diagnosis) }
    }
}

impl<'w, 'a> Facts<'w, 'a> {
    /// Sorts sites, and follows the handles of tasks.
    pub(crate) fn new(world: &'w World<'a>, found: Vec<Site>) -> Facts<'w, 'a> {
        let (mut sites, mut tasks) = (Vec::new(), Vec::new());
        for site in found {
            let kin = site.path().and_then(kin::find);
            let may_be = matches!(site.verdict, Verdict::Unknown(_))
                && kin::ALL
                    .iter()
                    .any(|kin| kin.path.rsplit("::").next() == Some(&*world.names.text(site.name)));
            if let Some(kin) = kin {
                let fate = fate_of(world, &site, kin);
                tasks.push(Task { site, kin: Some(kin), fate });
            } else if may_be || matches!(site.verdict, Verdict::Unknown(_)) && is_spawn_name(world, site.name)
            {
                tasks.push(Task { kin: None, fate: Err("what starts it is not known".into()), site });
            } else {
                sites.push(site);
            }
        }
        let starts = tasks.iter().map(|task| task.site.at).collect();
        Facts { world, sites, tasks, starts, places: RefCell::default(), contexts: RefCell::default() }
    }

    /// Sites that mean this function.
    pub fn calls<'s>(&'s self, paths: &'s [&str]) -> impl Iterator<Item = &'s Site> {
        self.sites.iter().filter(move |site| site.path().is_some_and(|path| paths.contains(&path)))
    }

    /// An offence at a node, whose telling token is as wide as `name`.
    pub fn offence(&self, at: At, name: Symbol, level: Level, diagnosis: Diagnosis) -> Offence {
        let width = self.world.names.text(name).chars().count() as u32;
        let node = self.world.bodies(at.instance).node(at.node);
        let (line, column) = (node.line, node.column);
        let span = Span { line, column, end_line: line, end_column: column + width.max(1) };
        let tree = self.world.tree;
        let instance = &tree.instances[at.instance as usize];
        let krate = &tree.crates[instance.krate as usize];
        let kind = self.world.workspace.packages[krate.package].targets[krate.target].kind;
        let cfg = self.world.bodies(at.instance).context(at.node).cfg;
        let in_test = kind.is_test() || tree.conditions(instance, cfg).iter().any(|c| c.is_test);
        Offence {
            file: instance.file,
            span,
            context: node.context,
            level: Some(level),
            diagnosis,
            fate: None,
            fix: None,
            in_test,
            targets: BTreeSet::from([(krate.package, krate.target)]),
        }
    }

    /// The file a node is in, an index into `Tree::files`.
    pub fn file_of(&self, at: At) -> u32 {
        self.world.tree.instances[at.instance as usize].file
    }

    /// Whether this node starts a task, or may.
    pub fn starts_task(&self, at: At) -> bool {
        self.starts.contains(&at)
    }

    /// The places of a file, an index into `Tree::files`.
    pub(crate) fn places(&self, file: u32) -> Rc<Places<'a>> {
        let mut places = self.places.borrow_mut();
        let text = &self.world.tree.files[file as usize].text;
        places.entry(file).or_insert_with(|| Rc::new(Places::of(text))).clone()
    }

    /// The instances of files that are linted.
    pub fn instances(&self) -> impl Iterator<Item = u32> + '_ {
        let tree = self.world.tree;
        (0..tree.instances.len() as u32).filter(move |i| {
            let krate = &tree.crates[tree.instances[*i as usize].krate as usize];
            self.world.workspace.packages[krate.package].reported
        })
    }

    /// Whether a node runs as part of an async function, block or closure,
    /// with nothing in between that may run elsewhere.
    pub fn is_async(&self, at: At) -> bool {
        self.async_frame(at, self.world.bodies(at.instance).frame(at.node))
    }

    fn async_frame(&self, at: At, frame: FrameId) -> bool {
        let bodies = self.world.bodies(at.instance);
        match bodies.frames.get(frame as usize).map(|f| f.kind) {
            Some(FrameKind::Async | FrameKind::Closure { is_async: true }) => true,
            Some(FrameKind::Function(id)) if id != NONE => {
                self.world.file(at.instance).signatures.functions[id as usize].is_async
            }
            _ => false,
        }
    }

    /// Whether a node stands in the body of a loop, of its own function.
    pub fn in_loop(&self, at: At) -> bool {
        let bodies = self.world.bodies(at.instance);
        let mut child: ExprId = at.node;
        for node in bodies.ancestors(at.node).skip(1) {
            match bodies.kind(node) {
                Kind::Loop { body, .. } | Kind::For { body, .. } if body == child => return true,
                _ => {}
            }
            child = node;
        }
        false
    }

    /// Whether the file knows our context, by type or by name.
    pub fn has_cx(&self, instance: u32) -> bool {
        *self.contexts.borrow_mut().entry(instance).or_insert_with(|| {
            let index = self.world.file(instance);
            let (of, name) = (self.world.names.intern("Cx"), self.world.names.intern("cx"));
            let imported = index.scopes.iter().flat_map(|s| &s.imports).any(|i| i.name == Some(of));
            imported && index.bodies.locals.iter().any(|local| local.name == name)
        })
    }
}

fn is_spawn_name(world: &World<'_>, name: Symbol) -> bool {
    world.names.text(name).starts_with("spawn")
}
