//! What is alike: thousands of connections that wait for bytes are one line and a number.
//!
//! Tasks are alike if they have a name, a line, a state and a kind of wait in common; regions, if all
//! within is alike. Both are compared by a hash of 64 bits. Members of a circle are like nobody.

use std::hash::{Hash, Hasher};
use std::mem::{discriminant, take};
use std::panic::Location;
use std::time::Duration;

use super::data::{Dump, Member, RegionDump, TaskDump};
use super::number::{Mix, Numbers};
use crate::cancel::Awaits;

/// Some that are alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// The place of the oldest: of a region among all, of a task among those of its region.
    pub(super) first: usize,
    /// How many there are.
    pub(super) count: usize,
}

/// What is shown of one region: the most interesting first.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) tasks: Vec<Group>,
    pub(super) children: Vec<Group>,
}

/// For each region of the dump, what is shown of it.
pub(super) fn fold(dump: &Dump) -> Vec<Folded> {
    // Numbers of tasks and regions come from one counter.
    let circles: Numbers<()> =
        dump.cycles.iter().flat_map(|cycle| &cycle.members).map(|m| (m.number(), ())).collect();
    let in_circle = |number: u64| !circles.is_empty() && circles.contains_key(&number);
    let parents = dump.parents();
    let mut folded: Vec<Folded> = dump.regions.iter().map(|_| Folded::default()).collect();
    let mut within: Vec<Vec<(u64, usize)>> = vec![Vec::new(); dump.regions.len()];
    let mut sites = Sites::default();
    // Children stand after their parents, so they are done first.
    for (place, region) in dump.regions.iter().enumerate().rev() {
        let alone = |number: u64| in_circle(number).then_some(number);
        let tasks = region.tasks.iter().enumerate();
        let tasks =
            tasks.map(|(n, task)| (task_hash(task, alone(task.id.get()), &mut sites), n)).collect::<Vec<_>>();
        let mut hash = region_hash(region, alone(region.id.get()), &mut sites);
        for (inside, _) in tasks.iter().chain(&within[place]) {
            // The order does not matter, how many there are does.
            hash = hash.wrapping_add(inside.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        }
        if let Some(parent) = parents[place] {
            within[parent].push((hash, place));
        }
        folded[place].tasks = groups(&tasks, |n| region.tasks[n].age);
        folded[place].tasks.sort_by_key(|group| {
            let task = &region.tasks[group.first];
            (!in_circle(task.id.get()), task.state, group.count)
        });
        folded[place].children = groups(&take(&mut within[place]), |place| dump.regions[place].age);
        folded[place].children.sort_by_key(|group| {
            let region = &dump.regions[group.first];
            (!in_circle(region.id.get()), std::cmp::Reverse(region.phase), group.count)
        });
    }
    folded
}

/// The places of the regions that are shown, each before those within it.
pub(super) fn shown(folded: &[Folded]) -> Vec<usize> {
    let mut shown = Vec::new();
    let mut todo: Vec<usize> = if folded.is_empty() { vec![] } else { vec![0] };
    while let Some(place) = todo.pop() {
        shown.push(place);
        todo.extend(folded[place].children.iter().map(|group| group.first));
    }
    shown
}

/// The groups of those with equal hashes; two of a kind are not worth a line that says so.
fn groups(all: &[(u64, usize)], age: impl Fn(usize) -> Duration) -> Vec<Group> {
    let single = |first: usize| Group { first, count: 1 };
    if let [] | [_] = all {
        return all.iter().map(|&(_, first)| single(first)).collect();
    }
    let mut groups: Vec<(Group, usize)> = Vec::new();
    let mut known: Numbers<usize> = Numbers::default();
    for &(hash, at) in all {
        let group = *known.entry(hash).or_insert(groups.len());
        match groups.get_mut(group) {
            None => groups.push((Group { first: at, count: 1 }, at)),
            Some((group, second)) => {
                group.count += 1;
                *second = at;
                if age(at) > age(group.first) {
                    *second = std::mem::replace(&mut group.first, at);
                }
            }
        }
    }
    let split = groups.into_iter().flat_map(|(group, second)| match group.count {
        2 => [Some(single(group.first)), Some(single(second))],
        _ => [Some(group), None],
    });
    split.flatten().collect()
}

fn task_hash(task: &TaskDump, alone: Option<u64>, sites: &mut Sites) -> u64 {
    let mut hasher = Mix::default();
    task.name.hash(&mut hasher);
    hasher.write_u64(sites.hash(task.site));
    discriminant(&task.state).hash(&mut hasher);
    discriminant(&task.lane).hash(&mut hasher);
    task.reason.as_ref().map(|reason| reason.kind()).hash(&mut hasher);
    task.joined_by.is_some().hash(&mut hasher);
    for wait in &task.awaits.now {
        discriminant(&wait.awaits).hash(&mut hasher);
        if let Awaits::Object(what, _) = wait.awaits {
            what.hash(&mut hasher);
        }
    }
    alone.hash(&mut hasher);
    hasher.finish()
}

fn region_hash(region: &RegionDump, alone: Option<u64>, sites: &mut Sites) -> u64 {
    let mut hasher = Mix::default();
    region.name.hash(&mut hasher);
    hasher.write_u64(sites.hash(region.site));
    region.phase.hash(&mut hasher);
    region.reason.as_ref().map(|reason| reason.kind()).hash(&mut hasher);
    (region.body, region.failed, region.finalizers).hash(&mut hasher);
    if let Some(finalizer) = &region.finalizer {
        hasher.write_u64(sites.hash(finalizer.site));
    }
    for owed in &region.obligations {
        discriminant(&owed.kind).hash(&mut hasher);
        hasher.write_u64(sites.hash(owed.site));
    }
    alone.hash(&mut hasher);
    hasher.finish()
}

/// Hashes of lines of code. Few are met often, each at one address or a few.
#[derive(Default)]
struct Sites(Numbers<u64>);

impl Sites {
    fn hash(&mut self, site: &'static Location<'static>) -> u64 {
        *self.0.entry(std::ptr::from_ref(site).addr() as u64).or_insert_with(|| {
            let mut hasher = Mix::default();
            site.file().hash(&mut hasher);
            (site.line(), site.column()).hash(&mut hasher);
            hasher.finish()
        })
    }
}

impl Member {
    /// Its number, which no task or region shares with another.
    pub(super) fn number(self) -> u64 {
        match self {
            Member::Task(id) => id.get(),
            Member::Region(id) => id.get(),
        }
    }
}
