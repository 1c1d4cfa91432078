//! Unbounded mpsc, watch and broadcast.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use asupersync_core::channel::{RecvError, SendError, broadcast, mpsc, watch};
use asupersync_core::{Failure, Outcome};

use crate::hand::{Census, World, op, poll_with, ready};

#[test]
fn unbounded_takes_whatever_is_sent_in_order_and_ends() {
    let (world, census) = (World::new(), Census::default());
    let cx = world.cx();
    let (tx, mut rx) = mpsc::unbounded();
    {
        let mut recv = op(rx.recv(&cx));
        recv.waits();
        tx.send(census.token(0)).unwrap();
        assert_eq!(recv.woken().unwrap().unwrap().0, 0);
    }
    let other = tx.clone();
    for n in 1..=100 {
        [&tx, &other][n as usize % 2].send(census.token(n)).unwrap();
    }
    drop(tx);
    for n in 1..=100 {
        assert_eq!(ready(rx.recv(&cx)).unwrap().unwrap().0, n);
    }
    assert_eq!(census.alive(), 0);
    let mut recv = op(rx.recv(&cx));
    recv.waits();
    drop(other);
    assert!(recv.woken().unwrap().is_none());
}

#[test]
fn unbounded_gives_the_value_back_when_its_receiver_is_gone() {
    let census = Census::default();
    let (tx, rx) = mpsc::unbounded();
    tx.send(census.token(1)).unwrap();
    assert!(!tx.is_closed());
    drop(rx);
    assert_eq!(census.alive(), 0, "what nobody receives is dropped");
    assert!(tx.is_closed());
    let Err(SendError::Closed(value)) = tx.send(census.token(2)) else { panic!("it was sent") };
    assert_eq!((value.0, census.alive()), (2, 1));
}

#[test]
fn a_watcher_sees_the_latest_value_once() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut rx) = watch::channel(0);
    op(rx.changed(&cx)).waits();
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert!(rx.has_changed());
    ready(rx.changed(&cx)).unwrap();
    assert!(!rx.has_changed());
    assert_eq!(*rx.borrow(), 2);
    {
        let mut changed = op(rx.changed(&cx));
        changed.waits();
        tx.send(3).unwrap();
        changed.woken().unwrap();
    }
    op(rx.changed(&cx)).waits();
    tx.send(4).unwrap();
    assert_eq!(*rx.borrow(), 4);
    assert!(rx.has_changed(), "to borrow is not to see");
    assert_eq!(*rx.borrow_and_update(), 4);
    op(rx.changed(&cx)).waits();
}

#[test]
fn each_watcher_has_its_own_eyes() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut one) = watch::channel(0);
    tx.send(1).unwrap();
    let mut same = one.clone();
    let mut later = tx.subscribe();
    assert_eq!(tx.receiver_count(), 3);
    ready(one.changed(&cx)).unwrap();
    ready(same.changed(&cx)).unwrap();
    let mut waiting = [op(one.changed(&cx)), op(same.changed(&cx)), op(later.changed(&cx))];
    waiting.iter_mut().for_each(|changed| changed.waits());
    assert_eq!(*tx.send_replace(2), 1);
    for changed in waiting {
        changed.woken().unwrap();
    }
}

#[test]
fn the_last_value_of_a_sender_is_seen_after_its_end() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut rx) = watch::channel(0);
    let other = tx.clone();
    drop(tx);
    {
        let mut changed = op(rx.changed(&cx));
        changed.waits();
        drop(other);
        assert!(matches!(changed.woken(), Err(RecvError::Closed)));
    }
    assert!(rx.is_closed());
    assert_eq!(*ready(rx.wait_for(&cx, |value| *value == 0)).unwrap(), 0);
    assert!(matches!(ready(rx.wait_for(&cx, |value| *value == 1)), Err(RecvError::Closed)));
    let (tx, mut rx) = watch::channel(0);
    tx.send(1).unwrap();
    drop(tx);
    ready(rx.changed(&cx)).unwrap();
    assert!(matches!(ready(rx.changed(&cx)), Err(RecvError::Closed)));
}

#[test]
fn a_watch_sender_hears_of_the_last_receivers_end() {
    let world = World::new();
    let cx = world.cx();
    let (tx, rx) = watch::channel(0);
    let mut closed = op(tx.closed(&cx));
    closed.waits();
    let other = rx.clone();
    drop(rx);
    assert!(!closed.rings());
    drop(other);
    assert!(closed.rings());
    // Opened again before the sender looked.
    let again = tx.subscribe();
    closed.waits();
    drop(again);
    closed.woken().unwrap();
    assert!(tx.is_closed());
    assert!(matches!(tx.send(1), Err(SendError::Closed(1))));
    assert_eq!(*tx.borrow(), 0);
    tx.send_replace(2);
    assert_eq!(*tx.subscribe().borrow(), 2);
}

#[test]
fn waiting_for_a_value_asks_about_each_only_once() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut rx) = watch::channel(0);
    let mut asked = Vec::new();
    {
        let mut wait = op(rx.wait_for(&cx, |value| {
            asked.push(*value);
            *value >= 2
        }));
        wait.waits();
        wait.waits();
        tx.send(1).unwrap();
        wait.waits();
        wait.waits();
        tx.send(2).unwrap();
        assert_eq!(*wait.woken().unwrap(), 2);
    }
    assert_eq!(asked, [0, 1, 2]);
    assert!(!rx.has_changed());
}

#[test]
fn a_change_is_told_only_if_there_was_one_and_a_panic_changes_nothing() {
    let (tx, mut rx) = watch::channel(vec![1]);
    assert!(!tx.send_if_modified(|list| {
        list.push(9);
        false
    }));
    assert!(!rx.has_changed());
    assert_eq!(*rx.borrow(), [1]);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        tx.send_modify(|list| {
            list.push(9);
            panic!("on purpose");
        });
    }));
    assert!(panicked.is_err() && !rx.has_changed());
    tx.send_modify(|list| list.push(2));
    assert!(rx.has_changed());
    assert_eq!(*rx.borrow_and_update(), [1, 2]);
}

/// The closure of a change runs with no lock held, and what it did to a value that is not the latest
/// any more is not taken.
#[test]
fn a_change_that_was_overtaken_is_made_anew() {
    let (tx, rx) = watch::channel(1);
    let mut runs = 0;
    tx.send_modify(|value| {
        runs += 1;
        if runs == 1 {
            tx.send_replace(10);
        }
        *value += 1;
    });
    assert_eq!((*rx.borrow(), runs), (11, 2));
}

#[test]
fn a_snapshot_keeps_nobody_from_sending_and_values_are_dropped_once() {
    let census = Census::default();
    let (tx, rx) = watch::channel(census.token(1));
    let snapshot = rx.borrow();
    tx.send(census.token(2)).unwrap();
    tx.send(census.token(3)).unwrap();
    assert_eq!((snapshot.0, rx.borrow().0, census.alive()), (1, 3, 2));
    drop(snapshot);
    assert_eq!(census.alive(), 1);
    drop(tx);
    assert_eq!(rx.borrow().0, 3);
    drop(rx);
    assert_eq!(census.alive(), 0);
}

#[test]
fn under_request_a_change_stays_unseen_and_a_value_unreceived() {
    let world = World::new();
    let party = world.party();
    let (tx, mut rx) = watch::channel(0);
    let (btx, mut brx) = broadcast::channel(2);
    {
        let mut changed = op(rx.changed(&party.cx));
        let mut recv = op(brx.recv(&party.cx));
        changed.waits();
        recv.waits();
        tx.send(1).unwrap();
        btx.send(1).unwrap();
        party.cancel();
        assert!(matches!(changed.woken(), Err(RecvError::Cancelled(_))));
        assert!(matches!(recv.woken(), Err(broadcast::RecvError::Cancelled(_))));
    }
    assert!(rx.has_changed());
    assert_eq!(brx.try_recv().unwrap(), Some(1));
    let outcome: Outcome<()> = ready(async {
        brx.recv(&party.cx).await?;
        Ok(())
    });
    assert!(matches!(outcome, Err(Failure::Cancelled(_))));
    assert!(ready(rx.wait_for(&party.cx, |_| true)).is_err());
    assert!(ready(rx.changed(&party.cx)).is_err());
    assert!(rx.has_changed());
}

#[test]
fn every_receiver_sees_every_value() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut one) = broadcast::channel(4);
    let mut two = tx.subscribe();
    {
        let (mut first, mut second) = (op(one.recv(&cx)), op(two.recv(&cx)));
        first.waits();
        second.waits();
        assert_eq!(tx.send(1).unwrap(), 2);
        assert_eq!((first.woken().unwrap(), second.woken().unwrap()), (1, 1));
    }
    for n in 2..=5 {
        tx.send(n).unwrap();
    }
    let mut late = tx.subscribe();
    for rx in [&mut one, &mut two] {
        for n in 2..=5 {
            assert_eq!(ready(rx.recv(&cx)).unwrap(), n);
        }
        op(rx.recv(&cx)).waits();
    }
    assert_eq!(late.try_recv().unwrap(), None);
}

#[test]
fn a_slow_receiver_is_told_what_it_missed_and_goes_on_with_the_oldest() {
    let (tx, mut slow) = broadcast::channel(3);
    let mut fast = tx.subscribe();
    for n in 0..8 {
        tx.send(n).unwrap();
        assert_eq!(fast.try_recv().unwrap(), Some(n));
    }
    let mut same = slow.clone();
    for rx in [&mut slow, &mut same] {
        assert!(matches!(rx.try_recv(), Err(broadcast::RecvError::Lagged(5))));
        assert_eq!(rx.try_recv().unwrap(), Some(5));
    }
    tx.send(8).unwrap();
    tx.send(9).unwrap();
    assert!(matches!(slow.try_recv(), Err(broadcast::RecvError::Lagged(1))));
    drop(tx);
    for n in 7..10 {
        assert_eq!(slow.try_recv().unwrap(), Some(n));
    }
    assert!(matches!(slow.try_recv(), Err(broadcast::RecvError::Closed)));
}

#[test]
fn the_end_of_the_senders_is_told_after_their_last_value() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut rx) = broadcast::channel(2);
    let other = tx.clone();
    tx.send(1).unwrap();
    drop(tx);
    assert_eq!(ready(rx.recv(&cx)).unwrap(), 1);
    let mut recv = op(rx.recv(&cx));
    recv.waits();
    drop(other);
    assert!(matches!(recv.woken(), Err(broadcast::RecvError::Closed)));
}

#[test]
fn without_receivers_a_broadcast_gives_the_value_back() {
    let census = Census::default();
    let (tx, rx) = broadcast::channel(2);
    tx.send(census.token(1)).unwrap();
    drop(rx);
    assert_eq!((census.alive(), tx.len(), tx.receiver_count()), (0, 0, 0));
    let Err(SendError::Closed(value)) = tx.send(census.token(2)) else { panic!("it was sent") };
    assert_eq!(value.0, 2);
    drop(value);
    let mut again = tx.subscribe();
    tx.send(census.token(3)).unwrap();
    assert_eq!(again.try_recv().unwrap().unwrap().0, 3);
    assert_eq!(census.alive(), 0);
}

#[test]
fn a_value_is_dropped_when_all_have_seen_it_or_it_is_overwritten() {
    let census = Census::default();
    let (tx, mut one) = broadcast::channel(2);
    let mut two = tx.subscribe();
    let send = |name| assert!(tx.send(census.token(name)).is_ok());
    send(1);
    send(2);
    drop(one.try_recv());
    assert_eq!(census.alive(), 2);
    drop(two.try_recv());
    assert_eq!(census.alive(), 1, "both have seen the first");
    send(3);
    send(4);
    assert_eq!(census.alive(), 2, "the second is overwritten");
    // A receiver that leaves does not keep what only it had not seen.
    assert!(one.try_recv().is_err());
    while let Ok(Some(_)) = one.try_recv() {}
    assert_eq!(tx.len(), 2);
    let clone = two.clone();
    drop(two);
    assert_eq!(census.alive(), 2, "a clone has not seen them either");
    drop(clone);
    assert_eq!((census.alive(), tx.is_empty()), (0, true));
    send(5);
    assert_eq!(one.try_recv().unwrap().unwrap().0, 5);
}

/// A channel as it is described: all numbers sent, and where each receiver is.
struct Described {
    capacity: usize,
    sent: usize,
    next: Vec<usize>,
}

impl Described {
    fn oldest(&self) -> usize {
        self.sent.saturating_sub(self.capacity)
    }

    /// What a receiver gets: how many it missed, or a value.
    fn receive(&mut self, at: usize) -> Result<Option<usize>, usize> {
        let (oldest, sent) = (self.oldest(), self.sent);
        let next = &mut self.next[at];
        if *next < oldest {
            return Err(oldest - std::mem::replace(next, oldest));
        }
        let value = (*next < sent).then_some(*next);
        *next += usize::from(value.is_some());
        Ok(value)
    }

    /// What some receiver has not seen.
    fn unseen(&self) -> usize {
        self.next.iter().min().map_or(0, |next| self.sent - self.oldest().max(*next))
    }
}

#[test]
fn a_broadcast_does_what_is_described_whatever_its_size() {
    for (capacity, seed) in [1, 2, 3, 8, 9, 16, 40, 200].into_iter().zip(1..) {
        let (census, mut random) = (Census::default(), fastrand::Rng::with_seed(seed));
        let (tx, rx) = broadcast::channel(capacity);
        let mut receivers = vec![rx];
        let mut described = Described { capacity, sent: 0, next: vec![0] };
        for _ in 0..20_000 {
            let at = random.usize(..receivers.len().max(1));
            match random.u32(..20) {
                0 if receivers.len() < 5 => {
                    receivers.push(tx.subscribe());
                    described.next.push(described.sent);
                }
                1 if (1..5).contains(&receivers.len()) => {
                    receivers.push(receivers[at].clone());
                    described.next.push(described.next[at]);
                }
                2 if !receivers.is_empty() => {
                    receivers.swap_remove(at);
                    described.next.swap_remove(at);
                }
                3..8 => {
                    let sent = tx.send(census.token(described.sent as u32));
                    assert_eq!(sent.is_ok(), !receivers.is_empty());
                    described.sent += usize::from(sent.is_ok());
                }
                _ if !receivers.is_empty() => {
                    let got = match receivers[at].try_recv() {
                        Ok(value) => Ok(value.map(|value| value.0 as usize)),
                        Err(broadcast::RecvError::Lagged(missed)) => Err(missed as usize),
                        Err(error) => panic!("{error}"),
                    };
                    assert_eq!(got, described.receive(at));
                }
                _ => {}
            }
            let (unseen, more) = (described.unseen(), (capacity / 4).min(32));
            assert!((unseen..=unseen + more).contains(&tx.len()), "{} kept of {unseen} unseen", tx.len());
            assert_eq!(tx.is_empty(), unseen == 0);
            let alive = census.alive();
            assert!(
                (unseen..=unseen + more * (1 + receivers.len())).contains(&alive),
                "{alive} for {unseen}"
            );
            assert!(unseen > 0 || alive == 0);
        }
    }
}

/// Tells each clone of it.
struct Counted(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Counted(self.0.clone())
    }
}

#[test]
fn the_last_receiver_gets_the_value_itself() {
    let clones = std::sync::Arc::default();
    let (tx, mut one) = broadcast::channel(1);
    let mut two = tx.subscribe();
    drop(tx.send(Counted(std::sync::Arc::clone(&clones))));
    drop(one.try_recv());
    drop(two.try_recv());
    assert_eq!(clones.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn a_waker_of_a_watcher_or_receiver_is_dropped_with_no_lock_held() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut rx) = watch::channel(0);
    {
        let mut changed = pin!(rx.changed(&cx));
        for _ in 0..3 {
            let other = tx.clone();
            assert!(poll_with(changed.as_mut(), move || assert_eq!(*other.borrow(), 0)).is_pending());
        }
    }
    let other = tx.clone();
    assert!(poll_with(pin!(tx.closed(&cx)), move || drop(other.subscribe())).is_pending());
    drop(rx);
    let (tx, mut rx) = broadcast::channel::<u8>(1);
    {
        let mut recv = pin!(rx.recv(&cx));
        for _ in 0..3 {
            let other = tx.clone();
            assert!(poll_with(recv.as_mut(), move || assert_eq!(other.len(), 0)).is_pending());
        }
    }
    drop(rx);
}

/// Looks into the channel that it was sent through, when it is cloned and when it is dropped.
struct Looks(broadcast::Sender<Looks>);

impl Clone for Looks {
    fn clone(&self) -> Self {
        assert!(self.0.len() <= 1);
        Looks(self.0.clone())
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        assert!(self.0.len() <= 1);
    }
}

#[test]
fn a_value_is_cloned_and_dropped_with_no_lock_held() {
    let (tx, mut one) = broadcast::channel(1);
    let two = tx.subscribe();
    for _ in 0..2 {
        drop(tx.send(Looks(tx.clone())));
    }
    assert!(one.try_recv().is_err());
    assert!(one.try_recv().is_ok_and(|value| value.is_some()));
    drop(two);
    drop(one);
    drop(tx.send(Looks(tx.clone())));
}
