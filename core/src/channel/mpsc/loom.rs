//! Senders that wait for room against the receiver, which makes it without the lock, in every order. Somebody
//! who is forgotten shows as threads none of which can go on.

use std::future::poll_fn;

use loom::future::block_on;
use loom::model::Builder;
use loom::thread::{self, JoinHandle};

use super::{End, Receiver, Reserve, Sender, State, channel};

/// So many senders of so many values each, in a channel for one.
fn check(senders: u32, each: u32) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let (sender, receiver) = channel(1);
        let sending: Vec<_> = (0..senders).map(|_| sending(sender.clone(), each)).collect();
        drop(sender);
        assert_eq!(block_on(received(receiver)).len(), (senders * each) as usize);
        sending.into_iter().for_each(|sending| sending.join().unwrap());
    });
}

fn sending(sender: Sender<u32>, each: u32) -> JoinHandle<()> {
    thread::spawn(move || {
        for value in 0..each {
            let mut reserve = Reserve { shared: &sender.shared, key: None };
            let mut fill = |state: &mut State<u32>| state.fill(value, End::Back).1;
            block_on(poll_fn(|task| reserve.poll(task, &mut fill))).unwrap();
        }
    })
}

async fn received(mut receiver: Receiver<u32>) -> Vec<u32> {
    let mut all = Vec::new();
    while let Some(value) = poll_fn(|task| receiver.poll_recv(task)).await {
        all.push(value);
    }
    all
}

#[test]
fn a_sender_that_waits_is_told_of_room() {
    check(1, 2);
}

#[test]
fn each_of_two_that_wait_is() {
    check(2, 1);
}
