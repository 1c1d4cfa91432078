//! Random small programs: what the explorers run is, trace for trace, what an interpreter of its own
//! finds by trying every interleaving. `PROGRAMS` of them, from `SEED` on.

use std::collections::BTreeSet;

use asupersync_lab::explore::{
    Algorithm, Ended, Explorer, Footprint, Kind, Nondeterminism, ObjectId, Schedule, Search, TaskId,
};
use asupersync_lab::model::{Program, run};

/// What a task does next. Objects are numbered: variables first, then locks.
#[derive(Clone, Copy, Debug)]
enum Op {
    Read(usize),
    Write(usize, u64),
    Add(usize),
    CompareExchange(usize, u64, u64),
    /// Goes on only if the last read or comparison gave this.
    Unless(u64),
    Lock(usize),
    Unlock(usize),
}

const VARS: usize = 2;
const LOCKS: usize = 2;

type Code = Vec<Vec<Op>>;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        // xorshift64*, Vigna 2016
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

fn make(random: &mut Random) -> Code {
    let tasks = 2 + random.below(3) as usize;
    let most = [0, 0, 5, 3, 2][tasks];
    (0..tasks).map(|_| task(1 + random.below(most) as usize, random)).collect()
}

fn task(steps: usize, random: &mut Random) -> Vec<Op> {
    let (mut ops, mut held) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        let var = random.below(VARS as u64) as usize;
        let value = random.below(3);
        ops.push(match random.below(12) {
            0..3 => Op::Read(var),
            3..5 => Op::Write(var, value),
            5 => Op::Add(var),
            6..8 => Op::CompareExchange(var, value, random.below(3)),
            8 => Op::Unless(value),
            9..11 if held.len() < LOCKS => {
                let lock = random.below(LOCKS as u64) as usize;
                held.push(lock);
                Op::Lock(lock)
            }
            _ => match held.pop() {
                Some(lock) => Op::Unlock(lock),
                None => Op::Read(var),
            },
        });
    }
    ops
}

/// An event, and what it did.
type Event = (TaskId, ObjectId, Kind);

/// The events of each task, and for each pair that conflicts which came first.
type Trace = (Vec<Vec<(ObjectId, Kind)>>, BTreeSet<((TaskId, usize), (TaskId, usize))>);

fn trace(events: &[Event], tasks: usize) -> Trace {
    let mut of_task = vec![Vec::new(); tasks];
    let mut named = Vec::new();
    let mut pairs = BTreeSet::new();
    for &(task, object, kind) in events {
        let name = (task, of_task[task].len());
        of_task[task].push((object, kind));
        for &(before, other, how) in &named {
            let commute: bool = other != object || (how, kind) == (Kind::Read, Kind::Read);
            if !commute {
                pairs.insert((before, name));
            }
        }
        named.push((name, object, kind));
    }
    (of_task, pairs)
}

#[derive(Clone)]
struct State {
    at: Vec<usize>,
    seen: Vec<u64>,
    values: [u64; VARS + LOCKS],
    events: Vec<Event>,
}

/// Tries every interleaving.
fn brute(code: &Code, state: State, traces: &mut BTreeSet<Trace>) {
    let mut ended = true;
    for task in 0..code.len() {
        let mut state = state.clone();
        if step(code, task, &mut state) {
            ended = false;
            brute(code, state, traces);
        }
    }
    if ended {
        traces.insert(trace(&state.events, code.len()));
    }
}

fn step(code: &Code, task: TaskId, state: &mut State) -> bool {
    let Some(&op) = code[task].get(state.at[task]) else { return false };
    state.at[task] += 1;
    let mut did = |object, kind| state.events.push((task, object, kind));
    match op {
        Op::Unless(value) => {
            if state.seen[task] != value {
                state.at[task] = code[task].len();
            }
            return step(code, task, state);
        }
        Op::Read(x) => {
            did(x, Kind::Read);
            state.seen[task] = state.values[x];
        }
        Op::Write(x, value) => {
            did(x, Kind::Write);
            state.values[x] = value;
        }
        Op::Add(x) => {
            did(x, Kind::Write);
            state.seen[task] = state.values[x];
            state.values[x] += 1;
        }
        Op::CompareExchange(x, expected, new) => {
            let swaps = state.values[x] == expected;
            did(x, if swaps { Kind::Write } else { Kind::Read });
            state.seen[task] = u64::from(swaps);
            if swaps {
                state.values[x] = new;
            }
        }
        Op::Lock(lock) => {
            if state.values[VARS + lock] == 1 {
                return false;
            }
            did(VARS + lock, Kind::Acquire);
            state.values[VARS + lock] = 1;
        }
        Op::Unlock(lock) => {
            did(VARS + lock, Kind::Release);
            state.values[VARS + lock] = 0;
        }
    }
    true
}

fn program(code: &Code) -> impl Fn(&mut Program) {
    move |program| {
        let (vars, locks) = (program.vars(VARS, 0), program.locks(LOCKS));
        for ops in code {
            let (ops, vars, locks) = (ops.clone(), vars.clone(), locks.clone());
            program.task(async move |t| {
                let mut seen = 0;
                for op in ops {
                    match op {
                        Op::Read(x) => seen = t.read(vars[x]).await,
                        Op::Write(x, value) => t.write(vars[x], value).await,
                        Op::Add(x) => seen = t.fetch_add(vars[x], 1).await,
                        Op::CompareExchange(x, expected, new) => {
                            seen = u64::from(t.compare_exchange(vars[x], expected, new).await);
                        }
                        Op::Unless(value) if seen != value => return,
                        Op::Unless(_) => {}
                        Op::Lock(lock) => t.lock(locks[lock]).await,
                        Op::Unlock(lock) => t.unlock(locks[lock]).await,
                    }
                }
            });
        }
    }
}

/// An explorer, and what happened in the run.
struct Recorder {
    explorer: Explorer,
    chosen: TaskId,
    events: Vec<Event>,
}

impl Schedule for Recorder {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        let chosen = self.explorer.choose(enabled)?;
        self.chosen = chosen.unwrap_or(self.chosen);
        Ok(chosen)
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        if let Footprint::Announced(access) = &footprint {
            self.events.push((self.chosen, access.object, access.kind));
        }
        self.explorer.stepped(footprint)
    }
}

/// The traces that were run, how many times one was, and how many runs were given up.
fn explore(code: &Code, algorithm: Algorithm) -> (BTreeSet<Trace>, usize, usize) {
    let mut recorder = Recorder { explorer: Explorer::new(algorithm), chosen: 0, events: Vec::new() };
    let (mut traces, mut runs, mut blocked) = (BTreeSet::new(), 0, 0);
    loop {
        let mut stuck = Vec::new();
        match run(&program(code), &mut recorder).expect("it is deterministic") {
            Ended::GivenUp(waiting) => {
                blocked += 1;
                stuck = waiting;
            }
            ended => {
                runs += 1;
                traces.insert(trace(&recorder.events, code.len()));
                match ended {
                    Ended::Deadlock { waiting, .. } => stuck = waiting,
                    Ended::Failed { message, .. } => panic!("{message}"),
                    Ended::Completed | Ended::GivenUp(_) | Ended::Outside { .. } => {}
                }
            }
        }
        recorder.events.clear();
        if !recorder.explorer.end(&stuck) {
            return (traces, runs, blocked);
        }
    }
}

#[test]
fn explorers_run_each_trace_once_and_miss_none() {
    let number = |name: &str, other: u64| {
        std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(other)
    };
    let first = number("SEED", 1);
    let (mut many, mut deadlocks) = (0, 0);
    for seed in first..first + number("PROGRAMS", 5000) {
        let code = make(&mut Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let mut expected = BTreeSet::new();
        let start = State {
            at: vec![0; code.len()],
            seen: vec![0; code.len()],
            values: [0; VARS + LOCKS],
            events: Vec::new(),
        };
        brute(&code, start, &mut expected);
        many += usize::from(expected.len() > 5);
        deadlocks += usize::from(expected.iter().any(|(of_task, _)| of_task.iter().any(Vec::is_empty)));
        for algorithm in [Algorithm::Source, Algorithm::Optimal] {
            let (found, runs, blocked) = explore(&code, algorithm);
            let (missing, extra) = (expected.difference(&found).count(), found.difference(&expected).count());
            let told = format!("of {}, {missing} missing, {extra} wrong", expected.len());
            assert!(missing + extra == 0, "{algorithm:?} with SEED={seed}: {told}: {code:?}");
            assert_eq!(runs, expected.len(), "{algorithm:?} ran a trace twice with SEED={seed}: {code:?}");
            if algorithm == Algorithm::Optimal {
                assert_eq!(blocked, 0, "runs in vain with SEED={seed}: {code:?}");
            }
        }
    }
    println!("{many} programs have more than 5 traces, {deadlocks} can deadlock or stop early");
}
