//! A dump as a graph for Graphviz: who owns whom, and, dashed, who waits for whom; circles are red.
//! What is alike is folded, or there would be nothing to see.

use std::collections::HashSet;
use std::fmt::{self, Write};

use super::data::{Dump, Member, RegionDump, TaskDump};
use super::fold::{Folded, fold};
use super::text::Names;
use crate::cancel::Awaits;
use crate::id::RegionId;
use crate::plain::Plain;

impl Dump {
    /// The tree as a graph in the DOT language, for `dot -Tsvg`.
    ///
    /// Regions are boxes, tasks are ellipses; a dashed edge leads to the task that is joined or the
    /// region whose closing is awaited. What is alike is folded into one node, as in the text.
    pub fn to_dot(&self) -> String {
        let (mut out, folded) = (String::new(), fold(self));
        // Writing to a string does not fail.
        let _ = Graph::new(self, &folded).write(&folded, &mut out);
        out
    }
}

struct Graph<'a> {
    dump: &'a Dump,
    names: Names<'a>,
    circles: HashSet<Member>,
}

impl<'a> Graph<'a> {
    fn new(dump: &'a Dump, folded: &[Folded]) -> Self {
        let circles = dump.cycles.iter().flat_map(|cycle| &cycle.members).copied().collect();
        Graph { dump, names: Names::new(dump, folded), circles }
    }

    fn write(&self, folded: &[Folded], out: &mut String) -> fmt::Result {
        writeln!(out, "digraph asupersync {{")?;
        writeln!(out, "  rankdir=LR;\n  node [fontname=\"monospace\"];\n  edge [fontname=\"monospace\"];")?;
        let mut shown: HashSet<Member> = HashSet::new();
        let mut tasks: Vec<&TaskDump> = Vec::new();
        let mut todo = vec![(0, 1)];
        while let Some((place, count)) = todo.pop() {
            let region = &self.dump.regions[place];
            shown.insert(Member::Region(region.id));
            self.region(out, region, count)?;
            for group in &folded[place].tasks {
                let task = &region.tasks[group.first];
                shown.insert(Member::Task(task.id));
                tasks.push(task);
                self.task(out, task, region.id, group.count)?;
            }
            todo.extend(folded[place].children.iter().rev().map(|group| (group.first, group.count)));
        }
        let steps: HashSet<(Member, Member)> = self.steps().collect();
        for task in tasks {
            for wait in &task.awaits.now {
                let (to, label) = match wait.awaits {
                    Awaits::Join(id) => (Member::Task(id), "joins"),
                    Awaits::Closing(id) => (Member::Region(id), "awaits the closing"),
                    _ => continue,
                };
                if shown.contains(&to) {
                    let from = Member::Task(task.id);
                    let colour = if steps.contains(&(from, to)) { ", color=red" } else { "" };
                    writeln!(
                        out,
                        "  {} -> {} [style=dashed, label=\"{label}\"{colour}];",
                        node(from),
                        node(to)
                    )?;
                }
            }
        }
        writeln!(out, "}}")
    }

    /// Who waits for whom in the circles.
    fn steps(&self) -> impl Iterator<Item = (Member, Member)> {
        self.dump.cycles.iter().flat_map(|cycle| {
            let next = cycle.members.iter().cycle().skip(1);
            cycle.members.iter().copied().zip(next.copied())
        })
    }

    fn region(&self, out: &mut String, region: &RegionDump, count: usize) -> fmt::Result {
        let mut label = format!("{}\n{:?}, {:.1?} old", Plain(&region.name), region.phase, region.age);
        if let Some(reason) = &region.reason {
            write!(label, "\n{}", Plain(reason))?;
        }
        let left = self.names.left(region.budget);
        if !left.is_empty() {
            write!(label, "\nleft: {left}")?;
        }
        let this = Member::Region(region.id);
        self.node(out, this, "box", label, count)?;
        match region.parent {
            Some(parent) => writeln!(out, "  {} -> {};", node(Member::Region(parent)), node(this)),
            None => Ok(()),
        }
    }

    fn task(&self, out: &mut String, task: &TaskDump, region: RegionId, count: usize) -> fmt::Result {
        let doing = self.names.doing(task.state, &task.awaits);
        let label = format!("{}\n{doing}\n{:.1?} old\n{}", Plain(&task.name), task.age, task.site);
        let this = Member::Task(task.id);
        self.node(out, this, "ellipse", label, count)?;
        writeln!(out, "  {} -> {};", node(Member::Region(region)), node(this))
    }

    fn node(
        &self,
        out: &mut String,
        this: Member,
        shape: &str,
        mut label: String,
        count: usize,
    ) -> fmt::Result {
        if count > 1 {
            write!(label, "\nand {} more like it", count - 1)?;
        }
        // Graphviz knows the entities of HTML, too.
        let label =
            label.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let colour = if self.circles.contains(&this) { ", color=red" } else { "" };
        writeln!(out, "  {} [shape={shape}, label=\"{label}\"{colour}];", node(this))
    }
}

/// A node's name: `t17`, `r2`.
fn node(member: Member) -> String {
    match member {
        Member::Task(id) => format!("{id:?}"),
        Member::Region(id) => format!("{id:?}"),
    }
}
