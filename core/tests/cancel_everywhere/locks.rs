//! Cases of `sync`.

use std::cell::Cell;
use std::rc::Rc;

use asupersync_core::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};
use asupersync_core::{Cx, Error, Failure, Outcome};

use crate::hand::{op, ready};
use crate::stage::{Case, Scene, pause};

pub(crate) const CASES: &[Case] = &[
    ("mutex::lock", mutex),
    ("semaphore::acquire", semaphore),
    ("semaphore::acquire many", |scene| semaphores(scene, 2)),
    ("rwlock::read", |scene| rwlock(scene, false)),
    ("rwlock::write", |scene| rwlock(scene, true)),
    ("notify::notified", notify_one),
    ("notify::notified all", notify_all),
    ("barrier::wait", barrier),
    ("once_cell::get_or_init", |scene| once_cell(scene, Ends::Well)),
    ("once_cell::get_or_init failing", |scene| once_cell(scene, Ends::Badly)),
];

fn mutex(scene: &mut Scene) {
    let mutex = Rc::new(Mutex::new(0));
    let done = Rc::new(Cell::new(0));
    let play = |cx: Cx| {
        let (mutex, done) = (mutex.clone(), done.clone());
        async move {
            for _ in 0..2 {
                let Ok(mut value) = mutex.lock(&cx).await else { return };
                let before = *value;
                pause().await;
                *value = before + 1;
                done.set(done.get() + 1);
            }
        }
    };
    scene.other(play);
    scene.victim(play);
    scene.other(play);
    scene.other(play);
    scene.finally(move |_| {
        assert!(done.get() >= 6);
        assert_eq!(*mutex.try_lock().expect("nobody has it"), done.get());
    });
}

/// Counts who is inside, as long as it lives.
struct Inside(Rc<Cell<usize>>, usize);

fn enter(count: &Rc<Cell<usize>>, by: usize) -> Inside {
    count.set(count.get() + by);
    Inside(count.clone(), by)
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.set(self.0.get() - self.1);
    }
}

fn semaphore(scene: &mut Scene) {
    semaphores(scene, 1);
}

fn semaphores(scene: &mut Scene, victim: usize) {
    let slots = Rc::new(Semaphore::new(2));
    let used = Rc::new(Cell::new(0));
    let play = |permits| {
        let (slots, used) = (slots.clone(), used.clone());
        move |cx: Cx| async move {
            let Ok(_permit) = slots.acquire(&cx, permits).await else { return };
            let _inside = enter(&used, permits);
            assert!(used.get() <= 2, "more are inside than there are permits");
            pause().await;
        }
    };
    scene.other(play(1));
    scene.victim(play(victim));
    scene.other(play(2));
    scene.other(play(1));
    scene.other(play(1));
    scene.finally(move |_| {
        assert_eq!(slots.available(), 2);
        assert!(slots.try_acquire(2).is_some(), "somebody is in the queue still");
    });
}

fn rwlock(scene: &mut Scene, victim_writes: bool) {
    let lock = Rc::new(RwLock::new(0));
    let (readers, writers) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (written, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let play = |write: bool| {
        let (lock, readers, writers) = (lock.clone(), readers.clone(), writers.clone());
        let (written, ended) = (written.clone(), ended.clone());
        move |cx: Cx| async move {
            let guard = if write {
                let Ok(mut guard) = lock.write(&cx).await else { return };
                {
                    let _inside = enter(&writers, 1);
                    assert_eq!((writers.get(), readers.get()), (1, 0), "a writer is not alone");
                    pause().await;
                    *guard += 1;
                    written.set(written.get() + 1);
                }
                guard.downgrade()
            } else {
                let Ok(guard) = lock.read(&cx).await else { return };
                guard
            };
            let _inside = enter(&readers, 1);
            assert_eq!(writers.get(), 0, "a reader is beside a writer");
            let before = *guard;
            pause().await;
            assert_eq!(*guard, before);
            ended.set(ended.get() + 1);
        }
    };
    scene.other(play(true));
    scene.other(play(false));
    scene.victim(play(victim_writes));
    for write in [false, true, false, true] {
        scene.other(play(write));
    }
    scene.finally(move |_| {
        assert!(ended.get() >= 6);
        assert_eq!(*lock.try_write().expect("nobody has it"), written.get());
    });
}

/// One notification goes from hand to hand.
fn notify_one(scene: &mut Scene) {
    let notify = Rc::new(Notify::new());
    let play = |cx: Cx| {
        let notify = notify.clone();
        async move {
            if notify.notified(&cx).await.is_ok() {
                notify.notify_one();
            }
        }
    };
    scene.victim(play);
    scene.other(play);
    scene.other(|_| {
        let notify = notify.clone();
        async move {
            pause().await;
            pause().await;
            notify.notify_one();
        }
    });
    scene.other(play);
    scene.finally(move |cx| {
        ready(notify.notified(cx)).expect("the notification is lost");
        op(notify.notified(cx)).waits();
    });
}

fn notify_all(scene: &mut Scene) {
    let notify = Rc::new(Notify::new());
    let open = Rc::new(Cell::new(false));
    let play = |cx: Cx| {
        let (notify, open) = (notify.clone(), open.clone());
        async move { while !open.get() && notify.notified(&cx).await.is_ok() {} }
    };
    scene.victim(play);
    scene.other(play);
    scene.other(|_| {
        let (notify, open) = (notify.clone(), open.clone());
        async move {
            pause().await;
            open.set(true);
            notify.notify_waiters();
        }
    });
    scene.other(play);
    scene.finally(move |cx| op(notify.notified(cx)).waits());
}

/// If the victim leaves before the barrier opened, a stand-in comes.
fn barrier(scene: &mut Scene) {
    struct Tells(Rc<Cell<bool>>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let barrier = Rc::new(Barrier::new(3));
    let leaders = Rc::new(Cell::new(0));
    let gone = Rc::new(Cell::new(false));
    let wait = |cx: Cx| {
        let (barrier, leaders) = (barrier.clone(), leaders.clone());
        async move {
            if barrier.wait(&cx).await.is_ok_and(|passed| passed.is_leader()) {
                leaders.set(leaders.get() + 1);
            }
        }
    };
    scene.other(wait);
    scene.victim(|cx| {
        let (waiting, tells) = (wait(cx), Tells(gone.clone()));
        async move {
            let _tells = tells;
            waiting.await;
        }
    });
    scene.other(wait);
    scene.other(|cx| {
        let (waiting, leaders) = (wait(cx), leaders.clone());
        async move {
            while !gone.get() && leaders.get() == 0 {
                pause().await;
            }
            if leaders.get() == 0 {
                waiting.await;
            }
        }
    });
    scene.finally(move |cx| {
        assert_eq!(leaders.get(), 1);
        let (mut first, mut second) = (op(barrier.wait(cx)), op(barrier.wait(cx)));
        first.waits();
        second.waits();
    });
}

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Well,
    Badly,
}

fn once_cell(scene: &mut Scene, victim: Ends) {
    let cell = Rc::new(OnceCell::new());
    let made = Rc::new(Cell::new(0));
    let play = |ends: Ends| {
        let (cell, made) = (cell.clone(), made.clone());
        move |cx: Cx| async move {
            let got = cell
                .get_or_init(&cx, async |cx: &Cx| -> Outcome<u32> {
                    pause().await;
                    cx.yield_now().await?;
                    if ends == Ends::Badly {
                        return Err(Failure::Err(Error::msg("on purpose")));
                    }
                    made.set(made.get() + 1);
                    Ok(made.get())
                })
                .await;
            assert!(got.is_err() || got.is_ok_and(|value| *value == 1));
        }
    };
    scene.victim(play(victim));
    for _ in 0..3 {
        scene.other(play(Ends::Well));
    }
    scene.finally(move |_| assert_eq!((made.get(), cell.get()), (1, Some(&1))));
}
