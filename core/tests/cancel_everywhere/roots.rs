//! Cases of `region::Root`, which a host waits for.

use std::cell::Cell;
use std::rc::Rc;

use asupersync_core::{Reason, ReasonKind};

use crate::stage::{Case, Scene, pause};

pub(crate) const CASES: &[Case] = &[("root::requested", requested)];

fn requested(scene: &mut Scene) {
    let (root, told) = (scene.root(), Rc::new(Cell::new(0)));
    let play = || {
        let (root, told) = (root.clone(), told.clone());
        |_| async move {
            assert_eq!(root.requested().await.reason().kind(), ReasonKind::Shutdown);
            told.set(told.get() + 1);
        }
    };
    scene.other(play());
    scene.victim(play());
    scene.other(play());
    let asks = root.clone();
    scene.other(|_| async move {
        pause().await;
        pause().await;
        asks.request(Reason::new(ReasonKind::Shutdown));
    });
    scene.finally(move |_| assert!(told.get() >= 2, "the others are told"));
}
