//! A dump for people: a tree by indentation, the most interesting first, with what is alike folded.

use std::fmt::{self, Write};

use super::data::{Cycle, Dump, FinalizerDump, Member, RegionDump, TaskDump, TaskState};
use super::fold::{Folded, fold, shown};
use super::number::Numbers;
use crate::budget::{Budget, Priority};
use crate::cancel::{Awaits, Wait, Waits};
use crate::host::Lane;
use crate::id::{RegionId, TaskId};
use crate::plain::Plain;
use crate::time::Time;

/// Deeper levels are told by a number, or a deep tree would be mostly blanks.
const DEEPEST: usize = 24;

/// The names behind numbers, and how often things are waited at.
pub(super) struct Names<'a> {
    at: Time,
    /// Of tasks and regions that are named beside others.
    names: Numbers<&'a str>,
    objects: Vec<u32>,
}

impl<'a> Names<'a> {
    pub(super) fn new(dump: &'a Dump, folded: &[Folded]) -> Self {
        let mut names: Numbers<&str> = Numbers::default();
        let mut want = |number: u64| {
            names.insert(number, "");
        };
        dump.cycles.iter().flat_map(|cycle| &cycle.members).for_each(|member| want(member.number()));
        for place in shown(folded) {
            let region = &dump.regions[place];
            let tasks = || folded[place].tasks.iter().map(|group| &region.tasks[group.first]);
            let beside = tasks().map(|task| task.joined_by).chain([region.opened_by]);
            beside.flatten().for_each(|id| want(id.get()));
            let finalizer = region.finalizer.iter().map(|finalizer| &finalizer.awaits);
            let waits = tasks().map(|task| &task.awaits).chain(finalizer);
            for awaits in waits.flat_map(|waits| waits.now.iter().map(|wait| wait.awaits).chain(waits.last)) {
                match awaits {
                    Awaits::Join(id) => want(id.get()),
                    Awaits::Closing(id) => want(id.get()),
                    _ => {}
                }
            }
        }
        for region in &dump.regions {
            let tasks = region.tasks.iter().map(|task| (task.id.get(), &*task.name));
            for (number, name) in tasks.chain([(region.id.get(), &*region.name)]) {
                if let Some(found) = names.get_mut(&number) {
                    *found = name;
                }
            }
        }
        let mut objects = Vec::new();
        for region in &dump.regions {
            let finalizer = region.finalizer.iter().map(|finalizer| &finalizer.awaits);
            let waits = region.tasks.iter().map(|task| &task.awaits).chain(finalizer);
            for wait in waits.flat_map(|waits| &waits.now) {
                if let Awaits::Object(_, object) = wait.awaits {
                    let at = usize::try_from(object.0).unwrap_or(0);
                    objects.resize(objects.len().max(at + 1), 0);
                    objects[at] += 1;
                }
            }
        }
        Names { at: dump.at, names, objects }
    }

    pub(super) fn task(&self, id: TaskId) -> String {
        self.named(id.get(), format!("{id:?}"))
    }

    fn region(&self, id: RegionId) -> String {
        self.named(id.get(), format!("{id:?}"))
    }

    fn named(&self, number: u64, id: String) -> String {
        match self.names.get(&number) {
            Some(name) if !name.is_empty() => format!("`{}` ({id})", Plain(name)),
            _ => id,
        }
    }

    /// What one wait is for.
    fn wait(&self, wait: &Wait) -> String {
        let mut text = match wait.awaits {
            Awaits::Until(Time::MAX) => "a timer that is never due".to_owned(),
            Awaits::Until(time) if time <= self.at => "a timer that is due".to_owned(),
            Awaits::Until(time) => format!("a timer, {:.1?} from now", time - self.at),
            Awaits::Join(id) => format!("the end of {}", self.task(id)),
            Awaits::Closing(id) => format!("the closing of {}", self.region(id)),
            // A number is of use only if somebody else waits there too.
            Awaits::Object(what, object) => {
                match usize::try_from(object.0).ok().and_then(|at| self.objects.get(at)) {
                    Some(2..) => format!("{what} (#{})", object.0),
                    _ => what.to_string(),
                }
            }
            other => other.to_string(),
        };
        if let Some(deadline) = wait.deadline {
            let _ = write!(text, ", until its deadline in {:.1?}", deadline - self.at);
        }
        text
    }

    /// What somebody is doing, and for what it waits, or did.
    pub(super) fn doing(&self, state: TaskState, waits: &Waits) -> String {
        let now: Vec<String> = waits.now.iter().map(|wait| self.wait(wait)).collect();
        let last = waits.last.map(|awaits| self.wait(&Wait { awaits, deadline: None }));
        let mut text = state.name().to_owned();
        match (state, last) {
            (TaskState::Waiting, last) => {
                let _ = write!(text, " for {}", now.join(" or "));
                if let (Some(last), [Wait { awaits: Awaits::Unknown, .. }]) = (last, &waits.now[..]) {
                    let _ = write!(text, ", before that {last}");
                }
            }
            (_, last) if now.is_empty() => {
                if let Some(last) = last {
                    let _ = write!(text, " after a wait for {last}");
                }
            }
            _ => {
                let _ = write!(text, " after a wait for {}", now.join(" or "));
            }
        }
        text
    }

    fn member(&self, member: Member) -> String {
        match member {
            Member::Task(id) => format!("task {}", self.task(id)),
            Member::Region(id) => format!("region {}", self.region(id)),
        }
    }

    pub(super) fn cycle(&self, cycle: &Cycle) -> String {
        let [first, rest @ ..] = &cycle.members[..] else { return String::new() };
        let mut text = self.member(*first);
        for (n, next) in rest.iter().chain([first]).enumerate() {
            text += if n == 0 { " waits for " } else { ", which waits for " };
            text += &self.member(*next);
        }
        text
    }

    /// What is left of a budget; nothing if it has no limit.
    pub(super) fn left(&self, budget: Budget) -> String {
        let limits = [
            budget.until().map(|until| format!("{:.1?}", until - self.at)),
            budget.polls().map(|polls| format!("{polls} polls")),
            budget.cost().map(|units| format!("{units} units")),
            (budget.priority() < Priority::HIGHEST)
                .then(|| format!("priority {}", budget.priority().level())),
        ];
        limits.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folded = fold(self);
        let names = Names::new(self, &folded);
        let tasks = || self.regions.iter().flat_map(|region| &region.tasks);
        write!(f, "{} regions, {} tasks", self.regions.len(), tasks().count())?;
        for (n, state) in [TaskState::Running, TaskState::Queued, TaskState::Waiting].into_iter().enumerate()
        {
            let count = tasks().filter(|task| task.state == state).count();
            write!(f, "{}{count} {}", if n == 0 { ": " } else { ", " }, state.name())?;
        }
        writeln!(f)?;
        for cycle in &self.cycles {
            writeln!(f, "! in a circle: {}", names.cycle(cycle))?;
        }
        // No recursion: a tree may be deep.
        let mut todo = vec![Part::Region(0)];
        let mut depth = 0;
        while let Some(part) = todo.pop() {
            let mut tree = Tree { f, names: &names, depth };
            match part {
                Part::Region(place) => {
                    tree.region(&self.regions[place])?;
                    tree.tasks(&self.regions[place], &folded[place])?;
                    depth += 1;
                    todo.push(Part::Up);
                    for group in folded[place].children.iter().rev() {
                        todo.extend((group.count > 1).then(|| Part::More(group.count - 1)));
                        todo.push(Part::Region(group.first));
                    }
                }
                Part::More(count) => tree.more(count)?,
                Part::Up => depth -= 1,
            }
        }
        Ok(())
    }
}

/// What is left to write, from the last to the first.
enum Part {
    Region(usize),
    /// So many more like the one before.
    More(usize),
    /// One level is done.
    Up,
}

/// The lines of one region.
struct Tree<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    names: &'a Names<'a>,
    depth: usize,
}

impl Tree<'_, '_> {
    /// Begins a line, so many levels inside of the region's own.
    fn line(&mut self, inside: usize) -> fmt::Result {
        let deep = self.depth.min(DEEPEST);
        write!(self.f, "{:indent$}", "", indent = 2 * (deep + inside))
    }

    fn region(&mut self, region: &RegionDump) -> fmt::Result {
        self.line(0)?;
        if self.depth > DEEPEST {
            write!(self.f, "[level {}] ", self.depth)?;
        }
        let RegionDump { name, id, phase, age, site, .. } = region;
        write!(self.f, "region `{}` ({id:?}), {phase:?}, {age:.1?} old, {site}", Plain(name))?;
        match region.opened_by {
            Some(by) => writeln!(self.f, ", opened by {}", self.names.task(by))?,
            None => writeln!(self.f)?,
        }
        if let Some(reason) = &region.reason {
            self.line(2)?;
            writeln!(self.f, "asked to close: {}", Plain(reason))?;
        }
        let left = self.names.left(region.budget);
        if !left.is_empty() {
            self.line(2)?;
            writeln!(self.f, "left: {left}")?;
        }
        if region.failed > 0 {
            self.line(2)?;
            writeln!(self.f, "children that failed: {}", region.failed)?;
        }
        for obligation in &region.obligations {
            self.line(2)?;
            writeln!(self.f, "owes: {}, {:.1?} old, {}", obligation.kind, obligation.age, obligation.site)?;
        }
        if let Some(finalizer) = &region.finalizer {
            self.finalizer(finalizer)?;
        }
        if region.finalizers > 0 {
            self.line(2)?;
            writeln!(self.f, "finalizers that wait for their turn: {}", region.finalizers)?;
        }
        Ok(())
    }

    fn finalizer(&mut self, finalizer: &FinalizerDump) -> fmt::Result {
        let FinalizerDump { site, age, running, budget, awaits } = finalizer;
        self.line(1)?;
        let state = if *running { TaskState::Running } else { TaskState::Waiting };
        write!(self.f, "finalizer {}; {age:.1?} old, {site}", self.names.doing(state, awaits))?;
        let left = self.names.left(*budget);
        if left.is_empty() { writeln!(self.f) } else { writeln!(self.f, "; left: {left}") }
    }

    fn tasks(&mut self, region: &RegionDump, folded: &Folded) -> fmt::Result {
        for group in &folded.tasks {
            self.task(&region.tasks[group.first], region)?;
            if group.count > 1 {
                self.line(2)?;
                writeln!(self.f, "and {} more like it", group.count - 1)?;
            }
        }
        Ok(())
    }

    fn task(&mut self, task: &TaskDump, region: &RegionDump) -> fmt::Result {
        self.line(1)?;
        let doing = self.names.doing(task.state, &task.awaits);
        let kind = if task.local { "local child" } else { "task" };
        write!(self.f, "{kind} `{}` ({:?}) {doing}", Plain(&task.name), task.id)?;
        match task.lane {
            Lane::Cancel => write!(self.f, ", Cancel lane")?,
            Lane::Timed(_) => write!(self.f, ", Timed lane")?,
            Lane::Ready => {}
        }
        write!(self.f, "; {:.1?} old, {}", task.age, task.site)?;
        if let Some(by) = task.joined_by {
            write!(self.f, "; joined by {}", self.names.task(by))?;
        }
        if let Some(reason) = &task.reason
            && region.reason.as_ref().is_none_or(|around| around.kind() != reason.kind())
        {
            write!(self.f, "; asked to stop: {}", Plain(reason))?;
        }
        if task.budget != region.budget {
            write!(self.f, "; left: {}", self.names.left(task.budget))?;
        }
        writeln!(self.f)
    }

    fn more(&mut self, count: usize) -> fmt::Result {
        self.line(1)?;
        writeln!(self.f, "and {count} more like it, with all within")
    }
}
