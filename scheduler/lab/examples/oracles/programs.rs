//! The programs, each with the number of its Mazurkiewicz traces and who published that.
//!
//! G: the expectations in GenMC's `tests/correct`. C: Concuerror's `dpor_tests`. N: Nidhugg's smoke
//! tests. Own: counted here by brute force.

use asupersync_lab::model::{Program, Task, Var};

/// A program at one size.
pub(crate) struct Oracle {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) traces: u64,
    /// Of the traces, how many are deadlocks.
    pub(crate) deadlocks: u64,
    pub(crate) from: &'static str,
    pub(crate) program: fn(usize, &mut Program),
}

/// All of them.
pub(crate) fn all() -> Vec<Oracle> {
    let mut all = Vec::new();
    let mut add = |name, from, program: fn(usize, &mut Program), counts: &[(usize, u64)]| {
        for &(size, traces) in counts {
            all.push(Oracle { name, size, traces, deadlocks: 0, from, program });
        }
    };
    add("readers", "G", readers, &[(2, 4), (8, 256), (13, 8192)]);
    add("lastzero", "N, G", last_zero, &[(1, 2), (2, 5), (3, 12), (4, 28), (5, 64), (10, 3328)]);
    add("indexer", "G", indexer, &[(12, 8), (15, 4096)]);
    add("filesystem", "C", file_system, &[(14, 2), (16, 8)]);
    add("fib_bench", "N", fib_bench, &[(1, 11), (2, 140)]);
    add("ainc", "G", atomic_increments, &[(1, 1), (2, 2), (3, 6), (4, 24), (5, 120), (6, 720), (7, 5040)]);
    add("cas", "G", compare_exchanges, &[(2, 2), (3, 3), (4, 4), (5, 5)]);
    add("casrot", "G", rotating_exchanges, &[(2, 2), (3, 5), (4, 14), (5, 43), (6, 144)]);
    add("lockinc", "G", locked_increments, &[(2, 2), (3, 6), (4, 24), (5, 120), (6, 720)]);
    add("SB", "G", store_buffering, &[(2, 3)]);
    add("MP", "G", message_passing, &[(2, 3)]);
    add("LB", "G", |_, p| load_buffering(2, p), &[(2, 3)]);
    add("2+2W", "G", two_plus_two_writes, &[(2, 3)]);
    add("WRC", "G", write_read_causality, &[(3, 7)]);
    add("LB3", "G", |_, p| load_buffering(3, p), &[(3, 7)]);
    add("CoRR1", "G", coherence, &[(4, 36)]);
    add("CoA", "G", co_a, &[(2, 15), (3, 130)]);
    add("hairbrush_teeth", "C", hairbrush_teeth, &[(1, 6), (2, 20), (3, 36)]);
    add("manywrite_2", "C", many_writes, &[(8, 16)]);
    add("POPL example", "C", popl, &[(4, 5)]);
    let deadlocked = |name, from, program, size, traces, deadlocks| Oracle {
        name,
        size,
        traces,
        deadlocks,
        from,
        program,
    };
    all.extend((2..=3).map(|n| deadlocked("mutex_deadlock", "N", mutex_deadlock, n, n as u64, n as u64)));
    all.extend((2..=7).map(|n| deadlocked("philosophers", "own", philosophers, n, (1 << n) - 1, 1)));
    all
}

fn readers(n: usize, p: &mut Program) {
    let x = p.var(0);
    p.task(async move |t| t.write(x, 1).await);
    for _ in 0..n {
        p.task(async move |t| _ = t.read(x).await);
    }
}

fn last_zero(n: usize, p: &mut Program) {
    let a = p.vars(n + 1, 0);
    let cells = a.clone();
    p.task(async move |t| {
        let mut i = n;
        while t.read(cells[i]).await != 0 {
            i -= 1;
        }
    });
    for j in 1..=n {
        let (from, to) = (a[j - 1], a[j]);
        p.task(async move |t| {
            let value = t.read(from).await;
            t.write(to, value + 1).await;
        });
    }
}

fn indexer(n: usize, p: &mut Program) {
    let table = p.vars(128, 0);
    for id in 0..n {
        let table = table.clone();
        p.task(async move |t| {
            for i in 0..4 {
                let w = 11 * i + id;
                let mut h = (w * 7) % 128;
                while !t.compare_exchange(table[h], 0, w as u64).await {
                    h = (h + 1) % 128;
                }
            }
        });
    }
}

fn file_system(n: usize, p: &mut Program) {
    let (lock_i, lock_b) = (p.locks(32), p.locks(26));
    let (inode, busy) = (p.vars(32, 0), p.vars(26, 0));
    for id in 0..n {
        let (lock_i, lock_b, inode, busy) = (lock_i.clone(), lock_b.clone(), inode.clone(), busy.clone());
        p.task(async move |t| {
            let i = id % 32;
            t.lock(lock_i[i]).await;
            if t.read(inode[i]).await == 0 {
                let mut b = (i * 2) % 26;
                loop {
                    t.lock(lock_b[b]).await;
                    if t.read(busy[b]).await == 0 {
                        t.write(busy[b], 1).await;
                        t.write(inode[i], b as u64 + 1).await;
                        t.unlock(lock_b[b]).await;
                        break;
                    }
                    t.unlock(lock_b[b]).await;
                    b = (b + 1) % 26;
                }
            }
            t.unlock(lock_i[i]).await;
        });
    }
}

fn fib_bench(k: usize, p: &mut Program) {
    let (x, y) = (p.var(1), p.var(1));
    for to in [x, y] {
        p.task(async move |t| {
            for _ in 0..k {
                let sum = t.read(x).await + t.read(y).await;
                t.write(to, sum).await;
            }
        });
    }
    p.task(async move |t| {
        t.read(x).await;
        t.read(y).await;
    });
}

fn atomic_increments(n: usize, p: &mut Program) {
    let x = p.var(0);
    for _ in 0..n {
        p.task(async move |t| _ = t.fetch_add(x, 1).await);
    }
    p.at_end(move |end| assert_eq!(end.value(x), n as u64));
}

fn compare_exchanges(n: usize, p: &mut Program) {
    let x = p.var(0);
    for i in 1..=n as u64 {
        p.task(async move |t| _ = t.compare_exchange(x, 0, i).await);
    }
}

fn rotating_exchanges(n: usize, p: &mut Program) {
    let x = p.var(0);
    for i in 1..=n as u64 {
        p.task(async move |t| _ = t.compare_exchange(x, i - 1, i).await);
    }
}

fn locked_increments(n: usize, p: &mut Program) {
    let (lock, x) = (p.lock(), p.var(0));
    for _ in 0..n {
        p.task(async move |t| {
            t.lock(lock).await;
            let value = t.read(x).await;
            t.write(x, value + 1).await;
            t.unlock(lock).await;
        });
    }
    p.at_end(move |end| assert_eq!(end.value(x), n as u64));
}

fn mutex_deadlock(n: usize, p: &mut Program) {
    let lock = p.lock();
    for _ in 0..n {
        p.task(async move |t| t.lock(lock).await);
    }
}

async fn write_then_read(t: Task, to: Var, from: Var) {
    t.write(to, 1).await;
    t.read(from).await;
}

async fn read_then_write(t: Task, from: Var, to: Var) {
    t.read(from).await;
    t.write(to, 1).await;
}

fn store_buffering(_: usize, p: &mut Program) {
    let (x, y) = (p.var(0), p.var(0));
    p.task(async move |t| write_then_read(t, x, y).await);
    p.task(async move |t| write_then_read(t, y, x).await);
}

fn message_passing(_: usize, p: &mut Program) {
    let (x, y) = (p.var(0), p.var(0));
    p.task(async move |t| {
        t.write(x, 1).await;
        t.write(y, 1).await;
    });
    p.task(async move |t| {
        t.read(y).await;
        t.read(x).await;
    });
}

fn load_buffering(n: usize, p: &mut Program) {
    let vars = p.vars(n, 0);
    for i in 0..n {
        let (from, to) = (vars[i], vars[(i + 1) % n]);
        p.task(async move |t| read_then_write(t, from, to).await);
    }
}

fn two_plus_two_writes(_: usize, p: &mut Program) {
    let (x, y) = (p.var(0), p.var(0));
    for (first, then) in [(x, y), (y, x)] {
        p.task(async move |t| {
            t.write(first, 1).await;
            t.write(then, 2).await;
        });
    }
}

fn write_read_causality(_: usize, p: &mut Program) {
    let (x, y) = (p.var(0), p.var(0));
    p.task(async move |t| t.write(x, 1).await);
    p.task(async move |t| read_then_write(t, x, y).await);
    p.task(async move |t| {
        t.read(y).await;
        t.read(x).await;
    });
}

fn coherence(_: usize, p: &mut Program) {
    let x = p.var(0);
    p.task(async move |t| t.write(x, 1).await);
    p.task(async move |t| t.write(x, 2).await);
    p.task(async move |t| {
        t.read(x).await;
        t.read(x).await;
    });
    p.task(async move |t| _ = t.read(x).await);
}

fn co_a(n: usize, p: &mut Program) {
    let (x, y, z) = (p.var(0), p.var(0), p.var(0));
    for from in [y, z] {
        p.task(async move |t| {
            t.write(x, 1).await;
            t.read(from).await;
            t.read(x).await;
        });
    }
    for _ in 1..n {
        p.task(async move |t| {
            t.write(y, 1).await;
            t.write(z, 1).await;
        });
    }
}

fn hairbrush_teeth(which: usize, p: &mut Program) {
    let x = p.var(0);
    let (writes, readers) = [(2, vec![2]), (3, vec![3]), (2, vec![2, 2])][which - 1].clone();
    p.task(async move |t| {
        for value in 1..=writes {
            t.write(x, value).await;
        }
    });
    for reads in readers {
        p.task(async move |t| {
            for _ in 0..reads {
                t.read(x).await;
            }
        });
    }
}

fn many_writes(n: usize, p: &mut Program) {
    let vars = p.vars(n / 2, 0);
    for i in 0..n {
        let x = vars[i / 2];
        p.task(async move |t| t.write(x, i as u64).await);
    }
}

fn popl(_: usize, p: &mut Program) {
    let (x, y, z) = (p.var(0), p.var(0), p.var(0));
    p.task(async move |t| t.write(x, 1).await);
    p.task(async move |t| t.write(y, 1).await);
    p.task(async move |t| {
        if t.read(y).await == 0 {
            t.write(z, 1).await;
        }
    });
    p.task(async move |t| {
        if t.read(z).await == 1 && t.read(y).await == 0 {
            t.write(x, 2).await;
        }
    });
}

fn philosophers(n: usize, p: &mut Program) {
    let forks = p.locks(n);
    for i in 0..n {
        let (left, right) = (forks[i], forks[(i + 1) % n]);
        p.task(async move |t| {
            t.lock(left).await;
            t.lock(right).await;
            t.unlock(right).await;
            t.unlock(left).await;
        });
    }
}
