//! The programs, each for the lab, for loom and for shuttle. Sizes are such that loom, which has room for
//! four threads beside the main one, can run them.

mod lab;

use asupersync::lab::Explore;
use asupersync::lab::explore::Explored;

/// One program.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) lab: fn(&Explore) -> Explored,
    /// How many Mazurkiewicz traces it has, where that is known from elsewhere.
    pub(crate) traces: Option<u64>,
    pub(crate) loom: fn(),
    pub(crate) shuttle: fn(),
}

pub(crate) fn all() -> Vec<Program> {
    macro_rules! program {
        ($name:literal, $lab:path, $traces:expr, $threads:ident) => {
            Program {
                name: $name,
                lab: $lab,
                traces: $traces,
                loom: on_loom::$threads,
                shuttle: on_shuttle::$threads,
            }
        };
    }
    vec![
        program!("readers(3)", lab::readers, Some(8), readers),
        program!("lastzero(3)", lab::last_zero, Some(12), last_zero),
        program!("lockinc(4)", lab::locked_increments, Some(24), locked_increments),
        program!("cas(4)", lab::compare_exchanges, Some(4), compare_exchanges),
        program!("philosophers(4), in order", lab::philosophers, Some(14), philosophers),
        program!("lockinc(3), tasks", lab::locked_tasks, None, locked_by_three),
        program!("ping, tasks", lab::ping, None, ping),
    ]
}

/// The same source for two tools.
macro_rules! on_threads {
    ($module:ident, $tool:ident) => {
        mod $module {
            use std::array;

            use $tool::sync::atomic::{AtomicU64, Ordering::SeqCst};
            use $tool::sync::{Arc, Mutex, mpsc};
            use $tool::thread;

            fn atomics<const N: usize>() -> Arc<[AtomicU64; N]> {
                Arc::new(array::from_fn(|_| AtomicU64::new(0)))
            }

            pub(crate) fn readers() {
                let x = atomics::<1>();
                let tasks: [_; 4] = array::from_fn(|n| {
                    let x = x.clone();
                    thread::spawn(move || match n {
                        0 => x[0].store(1, SeqCst),
                        _ => assert!(x[0].load(SeqCst) <= 1),
                    })
                });
                tasks.into_iter().for_each(|task| task.join().unwrap());
                assert_eq!(x[0].load(SeqCst), 1);
            }

            pub(crate) fn last_zero() {
                let a = atomics::<4>();
                let tasks: [_; 4] = array::from_fn(|n| {
                    let a = a.clone();
                    thread::spawn(move || match n {
                        0 => {
                            let mut i = 3;
                            while a[i].load(SeqCst) != 0 {
                                i -= 1;
                            }
                        }
                        _ => a[n].store(a[n - 1].load(SeqCst) + 1, SeqCst),
                    })
                });
                tasks.into_iter().for_each(|task| task.join().unwrap());
                assert_eq!((a[0].load(SeqCst), a[1].load(SeqCst)), (0, 1));
            }

            pub(crate) fn locked_increments() {
                locked::<4>();
            }

            pub(crate) fn locked_by_three() {
                locked::<3>();
            }

            fn locked<const N: usize>() {
                let x = Arc::new(Mutex::new(0));
                let tasks: [_; N] = array::from_fn(|_| {
                    let x = x.clone();
                    thread::spawn(move || *x.lock().unwrap() += 1)
                });
                tasks.into_iter().for_each(|task| task.join().unwrap());
                assert_eq!(*x.lock().unwrap(), N);
            }

            pub(crate) fn compare_exchanges() {
                let x = atomics::<1>();
                let tasks: [_; 4] = array::from_fn(|n| {
                    let x = x.clone();
                    thread::spawn(move || x[0].compare_exchange(0, n as u64 + 1, SeqCst, SeqCst).is_ok())
                });
                let won = tasks.into_iter().map(|task| u64::from(task.join().unwrap()));
                assert_eq!(won.sum::<u64>(), 1);
                assert_ne!(x[0].load(SeqCst), 0);
            }

            pub(crate) fn philosophers() {
                let forks: Arc<[Mutex<u64>; 4]> = Arc::new(array::from_fn(|_| Mutex::new(0)));
                let tasks: [_; 4] = array::from_fn(|n| {
                    let forks = forks.clone();
                    thread::spawn(move || {
                        let (first, second) = if n == 3 { (0, 3) } else { (n, n + 1) };
                        let mut first = forks[first].lock().unwrap();
                        let mut second = forks[second].lock().unwrap();
                        *first += 1;
                        *second += 1;
                    })
                });
                tasks.into_iter().for_each(|task| task.join().unwrap());
                forks.iter().for_each(|fork| assert_eq!(*fork.lock().unwrap(), 2));
            }

            pub(crate) fn ping() {
                let ((to, from), (back, home)) = (mpsc::channel(), mpsc::channel());
                let echo = thread::spawn(move || {
                    for _ in 0..3 {
                        back.send(from.recv().unwrap() + 1).unwrap();
                    }
                });
                let mut ball = 0;
                for _ in 0..3 {
                    to.send(ball).unwrap();
                    ball = home.recv().unwrap();
                }
                echo.join().unwrap();
                assert_eq!(ball, 3);
            }
        }
    };
}

on_threads!(on_loom, loom);
on_threads!(on_shuttle, shuttle);
