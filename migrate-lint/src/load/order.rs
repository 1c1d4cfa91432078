//! What follows from numbering nodes children first: the parts of a node are
//! a run of numbers, and the uses of a variable and the places where a frame
//! may end early are sorted lists. They are made once a file, so that asking
//! takes no walk through the body.
//!
//! The run of a node may also hold items that are written inside it; those are
//! bodies of their own, and no parts of it.

use super::body::{Bodies, ExprId, FrameId, FrameKind, Kind, LocalId, NONE};

/// Made by [`Bodies::put_in_order`].
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The first node of each node's run.
    first: Vec<ExprId>,
    /// The outermost frame around each frame.
    body: Vec<FrameId>,
    /// Nodes by the variable they name, those of each in order.
    uses: Lists,
    /// Awaits, `select!`, `?` and `return` by frame, those of each in order.
    exits: Lists,
}

/// Lists of nodes, one after the other.
#[derive(Debug, Default)]
struct Lists {
    /// Where each begins; the last number is where the last one ends.
    starts: Vec<u32>,
    nodes: Vec<ExprId>,
}

impl Lists {
    /// `count` lists of pairs of list and node.
    fn new(count: usize, mut pairs: Vec<(u32, ExprId)>) -> Lists {
        pairs.sort_unstable();
        let mut starts = Vec::with_capacity(count + 1);
        for list in 0..=count as u32 {
            starts.push(pairs.partition_point(|pair| pair.0 < list) as u32);
        }
        Lists { starts, nodes: pairs.into_iter().map(|pair| pair.1).collect() }
    }

    fn of(&self, list: u32) -> &[ExprId] {
        match self.starts.get(list as usize..).and_then(|rest| rest.get(..2)) {
            Some(&[start, end]) => &self.nodes[start as usize..end as usize],
            _ => &[],
        }
    }
}

impl Bodies {
    /// To be called once, when all nodes are there.
    pub(super) fn put_in_order(&mut self) {
        let mut first: Vec<ExprId> = Vec::with_capacity(self.nodes.len());
        let (mut uses, mut exits) = (Vec::new(), Vec::new());
        for (id, node) in self.nodes.iter().enumerate() {
            let id = id as ExprId;
            let (ones, list) = node.kind.children();
            let children = ones.into_iter().filter(|child| *child != NONE);
            let firsts = children.chain(self.list(list).iter().copied()).map(|child| first[child as usize]);
            first.push(firsts.min().unwrap_or(id));
            match node.kind {
                Kind::Local(local) => uses.push((local, id)),
                Kind::Await(_) | Kind::Select { .. } | Kind::Try(_) | Kind::Return(_) => {
                    exits.push((self.frame(id), id));
                }
                _ => {}
            }
        }
        let mut body: Vec<FrameId> = Vec::with_capacity(self.frames.len());
        for (id, frame) in self.frames.iter().enumerate() {
            let outer = match frame.kind {
                FrameKind::Function(_) => None,
                _ => body.get(frame.parent as usize),
            };
            body.push(outer.copied().unwrap_or(id as FrameId));
        }
        exits.retain(|(frame, _)| *frame != NONE);
        let uses = Lists::new(self.locals.len(), uses);
        self.order = Order { first, body, uses, exits: Lists::new(self.frames.len(), exits) };
    }

    /// The first of the nodes that are part of a node.
    pub fn first(&self, id: ExprId) -> ExprId {
        self.order.first[id as usize]
    }

    /// Whether a node is `of` or a part of it.
    pub fn is_within(&self, id: ExprId, of: ExprId) -> bool {
        (self.first(of)..=of).contains(&id) && self.body(id) == self.body(of)
    }

    /// The node and everything that is part of it, in order.
    pub fn within(&self, id: ExprId) -> impl DoubleEndedIterator<Item = ExprId> + '_ {
        let body = self.body(id);
        (self.first(id)..=id).filter(move |node| self.body(*node) == body)
    }

    /// The nodes that name a variable, in order.
    pub fn uses(&self, local: LocalId) -> &[ExprId] {
        self.order.uses.of(local)
    }

    /// The nodes after `from` that name a variable, in order.
    pub fn uses_after(&self, local: LocalId, from: ExprId) -> &[ExprId] {
        after(self.uses(local), from)
    }

    /// The awaits, `select!`, `?` and `return` of a frame after `from`, in
    /// order.
    pub fn exits_after(&self, frame: FrameId, from: ExprId) -> &[ExprId] {
        after(self.order.exits.of(frame), from)
    }

    fn body(&self, id: ExprId) -> Option<FrameId> {
        self.order.body.get(self.frame(id) as usize).copied()
    }
}

fn after(nodes: &[ExprId], from: ExprId) -> &[ExprId] {
    &nodes[nodes.partition_point(|node| *node <= from)..]
}
