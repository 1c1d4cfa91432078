//! Receivers that look before they ask for a lock, against what is sent meanwhile, in every order. Somebody who
//! is forgotten shows as threads none of which can go on.

use std::future::poll_fn;

use loom::future::block_on;
use loom::model::Builder;
use loom::thread::{self, JoinHandle};

use super::{broadcast, watch};

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Sees each change once, and the last one; then the end.
fn watching(mut receiver: watch::Receiver<u32>, last: u32) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut before = 0;
        while block_on(poll_fn(|task| receiver.poll_changed(task))).is_ok() {
            let value = *receiver.borrow_and_update();
            assert!(value > before, "{value} after {before}");
            before = value;
        }
        assert_eq!(before, last);
    })
}

#[test]
fn each_of_two_watchers_sees_the_last_value() {
    check(|| {
        let (sender, receiver) = watch::channel(0);
        let watching = [receiver.clone(), receiver].map(|receiver| watching(receiver, 1));
        sender.send(1).unwrap();
        drop(sender);
        watching.into_iter().for_each(|watching| watching.join().unwrap());
    });
}

#[test]
fn a_watcher_is_told_of_each_change_once() {
    check(|| {
        let (sender, receiver) = watch::channel(0);
        let watching = watching(receiver, 2);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(sender);
        watching.join().unwrap();
    });
}

/// So many values in a channel for eight, whose groups are of two; the first is there before anybody receives.
fn check_broadcast(receivers: usize, values: u32) {
    check(move || {
        let (sender, receiver) = broadcast::channel(8);
        let receivers: Vec<_> = (0..receivers).map(|_| receiver.clone()).collect();
        drop(receiver);
        sender.send(0).unwrap();
        let receiving: Vec<_> = receivers.into_iter().map(|receiver| receiving(receiver, values)).collect();
        (1..values).for_each(|value| assert!(sender.send(value).is_ok()));
        drop(sender);
        receiving.into_iter().for_each(|receiving| receiving.join().unwrap());
    });
}

fn receiving(mut receiver: broadcast::Receiver<u32>, values: u32) -> JoinHandle<()> {
    thread::spawn(move || {
        for value in 0..values {
            assert_eq!(block_on(poll_fn(|task| receiver.poll_recv(task))).unwrap(), value);
        }
        assert!(block_on(poll_fn(|task| receiver.poll_recv(task))).is_err());
    })
}

#[test]
fn a_receiver_sees_each_value_once_and_the_end() {
    check_broadcast(1, 5);
}

#[test]
fn so_does_each_of_two() {
    check_broadcast(2, 3);
}
