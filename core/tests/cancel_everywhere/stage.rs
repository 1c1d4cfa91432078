//! Runs a case, undisturbed and with an attack before each of its steps.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use asupersync_core::Cx;
use asupersync_core::region::Root;

use crate::hand::{Bell, Party, World};

type Check = Box<dyn FnOnce(&Cx)>;
type Actor = Pin<Box<dyn Future<Output = ()>>>;

/// A name, `file::function` and perhaps more, and what sets the scene.
pub(crate) type Case = (&'static str, fn(&mut Scene));

/// Who plays in a case, in the order in which they come.
pub(crate) struct Scene {
    world: World,
    party: Party,
    actors: Vec<Role>,
    check: Option<Check>,
}

struct Role {
    future: Option<Actor>,
    victim: bool,
    bell: Arc<Bell>,
}

impl Scene {
    /// The one that is attacked. It is all right for it to end early.
    pub(crate) fn victim<F: Future<Output = ()> + 'static>(&mut self, play: impl FnOnce(Cx) -> F) {
        let future = play(self.party.cx.clone());
        self.add(future, true);
    }

    /// One that nobody attacks: none of its waits may fail, and it must end.
    pub(crate) fn other<F: Future<Output = ()> + 'static>(&mut self, play: impl FnOnce(Cx) -> F) {
        let future = play(self.world.cx());
        self.add(future, false);
    }

    /// The root of everybody's region.
    pub(crate) fn root(&self) -> Root {
        self.world.root()
    }

    /// What must hold when all have gone.
    pub(crate) fn finally(&mut self, check: impl FnOnce(&Cx) + 'static) {
        self.check = Some(Box::new(check));
    }

    fn add(&mut self, future: impl Future<Output = ()> + 'static, victim: bool) {
        let bell = Arc::new(Bell::default());
        Waker::from(bell.clone()).wake();
        self.actors.push(Role { future: Some(Box::pin(future)), victim, bell });
    }
}

/// Lets others go on.
pub(crate) async fn pause() {
    let mut paused = false;
    poll_fn(|task| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Who goes next. All are fair.
#[derive(Clone, Copy, Debug)]
enum Order {
    Forward,
    Backward,
    /// With polls that nobody asked for, too.
    Random(u64),
}

impl Order {
    fn pick(&mut self, awake: &[bool], alive: &[bool], last: usize) -> usize {
        let n = awake.len();
        match self {
            Order::Forward => (1..=n).map(|i| (last + i) % n).find(|&i| awake[i]),
            Order::Backward => (1..=n).map(|i| (last + n - i) % n).find(|&i| awake[i]),
            Order::Random(state) => {
                let mut draw = |below: usize| {
                    *state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (*state >> 33) as usize % below
                };
                let among = if draw(4) == 0 { alive } else { awake };
                let those: Vec<usize> = (0..n).filter(|&i| among[i]).collect();
                Some(those[draw(those.len())])
            }
        }
        .expect("somebody is awake")
    }
}

#[derive(Clone, Copy, Debug)]
enum Attack {
    None,
    Request(usize),
    Drop(usize),
}

impl Attack {
    fn step(self) -> Option<usize> {
        match self {
            Attack::None => None,
            Attack::Request(step) | Attack::Drop(step) => Some(step),
        }
    }
}

const MOST_STEPS: usize = 10_000;

/// Tells how many steps it took.
fn run((name, set): Case, attack: Attack, mut order: Order) -> usize {
    let what = format!("{name}, {attack:?}, {order:?}");
    let world = World::new();
    let party = world.party();
    let mut scene = Scene { world, party, actors: Vec::new(), check: None };
    set(&mut scene);
    let actors = &mut scene.actors;
    let (mut steps, mut last) = (0, actors.len() - 1);
    loop {
        if attack.step() == Some(steps) {
            match attack {
                Attack::Drop(_) => {
                    actors.iter_mut().filter(|role| role.victim).for_each(|role| role.future = None)
                }
                _ => scene.party.cancel(),
            }
        }
        let alive: Vec<bool> = actors.iter().map(|role| role.future.is_some()).collect();
        let awake: Vec<bool> =
            actors.iter().map(|role| role.future.is_some() && role.bell.rings() > 0).collect();
        if !awake.contains(&true) {
            break;
        }
        last = order.pick(&awake, &alive, last);
        let role = &mut actors[last];
        role.bell = Arc::default();
        let waker = Waker::from(role.bell.clone());
        let future = role.future.as_mut().expect("alive");
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            role.future = None;
        }
        steps += 1;
        assert!(steps < MOST_STEPS, "it never ends: {what}");
    }
    let stuck: Vec<usize> = (0..actors.len()).filter(|&i| actors[i].future.is_some()).collect();
    assert!(stuck.is_empty(), "stuck: actors {stuck:?} of {what}");
    if let Some(check) = scene.check.take() {
        let cx = scene.world.cx();
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&cx)));
        assert!(held.is_ok(), "not conserved: {what}");
    }
    steps
}

/// In every order, before every step, in both ways.
pub(crate) fn everywhere(case: Case) {
    let random = (0..24).map(|seed| Order::Random(seed * 7919));
    for order in [Order::Forward, Order::Backward].into_iter().chain(random) {
        let steps = run(case, Attack::None, order);
        for step in 0..steps {
            run(case, Attack::Request(step), order);
            run(case, Attack::Drop(step), order);
        }
    }
}
