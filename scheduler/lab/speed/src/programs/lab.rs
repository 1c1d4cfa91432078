//! The programs for the lab: the small ones over its model of variables and locks, as atomics are modelled
//! elsewhere, and those that are called tasks in regions, with the channels and locks of the house.

use std::sync::Arc;

use asupersync::channel::mpsc;
use asupersync::lab::Explore;
use asupersync::lab::explore::Explored;
use asupersync::lab::model::Program;
use asupersync::sync::Mutex;
use asupersync::{Cx, Outcome};

pub(super) fn readers(explore: &Explore) -> Explored {
    explore.model(|p: &mut Program| {
        let x = p.var(0);
        p.task(async move |t| t.write(x, 1).await);
        for _ in 0..3 {
            p.task(async move |t| assert!(t.read(x).await <= 1));
        }
        p.at_end(move |end| assert_eq!(end.value(x), 1));
    })
}

pub(super) fn last_zero(explore: &Explore) -> Explored {
    explore.model(|p: &mut Program| {
        let a: [_; 4] = std::array::from_fn(|_| p.var(0));
        p.task(async move |t| {
            let mut i = 3;
            while t.read(a[i]).await != 0 {
                i -= 1;
            }
        });
        for j in 1..4 {
            p.task(async move |t| {
                let value = t.read(a[j - 1]).await;
                t.write(a[j], value + 1).await;
            });
        }
        p.at_end(move |end| assert_eq!((end.value(a[0]), end.value(a[1])), (0, 1)));
    })
}

pub(super) fn locked_increments(explore: &Explore) -> Explored {
    explore.model(|p: &mut Program| {
        let (lock, x) = (p.lock(), p.var(0));
        for _ in 0..4 {
            p.task(async move |t| {
                t.lock(lock).await;
                let value = t.read(x).await;
                t.write(x, value + 1).await;
                t.unlock(lock).await;
            });
        }
        p.at_end(move |end| assert_eq!(end.value(x), 4));
    })
}

pub(super) fn compare_exchanges(explore: &Explore) -> Explored {
    explore.model(|p: &mut Program| {
        let (x, won) = (p.var(0), std::rc::Rc::new(std::cell::Cell::new(0)));
        for i in 1..=4 {
            let won = won.clone();
            p.task(async move |t| {
                if t.compare_exchange(x, 0, i).await {
                    won.set(won.get() + 1);
                }
            });
        }
        p.at_end(move |end| assert!(won.get() == 1 && end.value(x) != 0));
    })
}

pub(super) fn philosophers(explore: &Explore) -> Explored {
    explore.model(|p: &mut Program| {
        let forks: [_; 4] = std::array::from_fn(|_| p.lock());
        let meals = p.vars(4, 0);
        let counts = meals.clone();
        for n in 0..4 {
            let meals = meals.clone();
            p.task(async move |t| {
                let (first, second) = if n == 3 { (0, 3) } else { (n, n + 1) };
                t.lock(forks[first]).await;
                t.lock(forks[second]).await;
                for fork in [first, second] {
                    let count = t.read(meals[fork]).await;
                    t.write(meals[fork], count + 1).await;
                }
                t.unlock(forks[second]).await;
                t.unlock(forks[first]).await;
            });
        }
        p.at_end(move |end| counts.iter().for_each(|count| assert_eq!(end.value(*count), 2)));
    })
}

pub(super) fn locked_tasks(explore: &Explore) -> Explored {
    explore.run(async |cx: &Cx| -> Outcome {
        let x = Arc::new(Mutex::new(0));
        let tasks = [0; 3].map(|_| {
            let x = x.clone();
            cx.spawn("add", async move |cx| Ok(*x.lock(cx).await? += 1))
        });
        for task in tasks {
            task.join().await?;
        }
        assert_eq!(*x.lock(cx).await?, 3);
        Ok(())
    })
}

pub(super) fn ping(explore: &Explore) -> Explored {
    explore.run(async |cx: &Cx| -> Outcome {
        let ((to, mut from), (back, mut home)) = (mpsc::channel(1), mpsc::channel(1));
        let echo = cx.spawn("echo", async move |cx| {
            for _ in 0..3 {
                if let Some(ball) = from.recv(cx).await? {
                    back.send(cx, ball + 1).await?;
                }
            }
            Ok(())
        });
        let mut ball = 0;
        for _ in 0..3 {
            to.send(cx, ball).await?;
            ball = home.recv(cx).await?.expect("it comes back");
        }
        echo.join().await?;
        assert_eq!(ball, 3);
        Ok(())
    })
}
