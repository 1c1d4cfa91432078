//! Who waits for whom in a circle, as far as waits are known.
//!
//! A task that waits for one thing only, the end of a task or the closing of a region, cannot go on
//! before that; a region cannot close before its tasks and child regions are gone. A circle of such
//! waits is found by a depth-first search, whose path at a back edge is the circle.

use super::data::{Cycle, Dump, Member, TaskDump, TaskState};
use super::number::Numbers;
use crate::cancel::{Awaits, Wait};

/// How many are told: one bad pattern may make many.
const MOST: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// On the path.
    Open,
    Done,
}

/// The graph: regions by their places, and after them the tasks that wait for just one of these.
struct Graph {
    members: Vec<Member>,
    edges: Vec<Vec<usize>>,
}

pub(super) fn find(dump: &Dump) -> Vec<Cycle> {
    let graph = Graph::new(dump);
    let mut marks = vec![Mark::New; graph.members.len()];
    let mut cycles = Vec::new();
    for start in 0..graph.members.len() {
        let mut path = vec![(start, 0)];
        while let Some((at, edge)) = path.last_mut() {
            let (here, next) = (*at, graph.edges[*at].get(*edge).copied());
            *edge += 1;
            if marks[here] == Mark::Done {
                path.pop();
                continue;
            }
            marks[here] = Mark::Open;
            match next {
                None => {
                    marks[here] = Mark::Done;
                    path.pop();
                }
                Some(next) if marks[next] == Mark::New => path.push((next, 0)),
                Some(next) if marks[next] == Mark::Open => {
                    let circle = path.iter().skip_while(|(at, _)| *at != next);
                    cycles.push(Cycle { members: circle.map(|(at, _)| graph.members[*at]).collect() });
                    if cycles.len() == MOST {
                        return cycles;
                    }
                }
                Some(_) => {}
            }
        }
    }
    cycles
}

/// What a task waits for, if that is one task or region.
fn awaited(task: &TaskDump) -> Option<u64> {
    match task.awaits.now[..] {
        _ if task.state != TaskState::Waiting => None,
        [Wait { awaits: Awaits::Join(id), .. }] => Some(id.get()),
        [Wait { awaits: Awaits::Closing(id), .. }] => Some(id.get()),
        _ => None,
    }
}

impl Graph {
    fn new(dump: &Dump) -> Graph {
        // By the numbers of tasks and regions, which come from one counter.
        let mut places = Numbers::default();
        let mut graph = Graph { members: Vec::new(), edges: Vec::new() };
        let waiting = || {
            let regions = dump.regions.iter().enumerate();
            regions.flat_map(|(place, region)| {
                region.tasks.iter().filter_map(move |task| Some((place, task.id, awaited(task)?)))
            })
        };
        if waiting().next().is_none() {
            return graph;
        }
        for region in &dump.regions {
            places.insert(region.id.get(), graph.add(Member::Region(region.id)));
        }
        for (place, parent) in dump.parents().into_iter().enumerate() {
            if let Some(parent) = parent {
                graph.edges[parent].push(place);
            }
        }
        for (region, id, _) in waiting() {
            let place = graph.add(Member::Task(id));
            graph.edges[region].push(place);
            places.insert(id.get(), place);
        }
        for (_, id, awaited) in waiting() {
            graph.edges[places[&id.get()]].extend(places.get(&awaited));
        }
        graph
    }

    fn add(&mut self, member: Member) -> usize {
        self.members.push(member);
        self.edges.push(Vec::new());
        self.members.len() - 1
    }
}
