//! Cases of `channel`. Receivers are behind a lock, so that another goes on with one whose user left.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use asupersync_core::Cx;
use asupersync_core::channel::{RecvError, SendError, broadcast, mpsc, oneshot, watch};
use asupersync_core::sync::Mutex;

use crate::hand::{Census, Token};
use crate::stage::{Case, Scene, pause};

pub(crate) const CASES: &[Case] = &[
    ("oneshot::recv", oneshot_recv),
    ("mpsc::send", |scene| mpsc_send(scene, false)),
    ("mpsc::send to one that leaves", |scene| mpsc_send(scene, true)),
    ("mpsc::reserve", |scene| mpsc_reserve(scene, false)),
    ("mpsc::reserve at one that leaves", |scene| mpsc_reserve(scene, true)),
    ("mpsc::recv", mpsc_recv),
    ("mpsc::recv unbounded", unbounded_recv),
    ("watch::changed", |scene| watched(scene, false)),
    ("watch::wait_for", |scene| watched(scene, true)),
    ("watch::closed", watch_closed),
    ("broadcast::recv", broadcast_recv),
];

/// What was told, in order.
type Log = Rc<RefCell<Vec<u32>>>;

fn oneshot_recv(scene: &mut Scene) {
    let (census, got) = (Census::default(), Log::default());
    let (tx, rx) = oneshot::channel();
    let rx = Rc::new(Mutex::new(rx));
    let play = |cx: Cx| {
        let (rx, got) = (rx.clone(), got.clone());
        async move {
            let Ok(mut rx) = rx.lock(&cx).await else { return };
            match rx.recv(&cx).await {
                Ok(Token(name, ..)) => got.borrow_mut().push(name),
                Err(RecvError::Closed) => assert_eq!(*got.borrow(), [7]),
                Err(RecvError::Cancelled(_)) => {}
            }
        }
    };
    scene.victim(play);
    scene.other(play);
    let token = census.token(7);
    scene.other(|_| async move {
        pause().await;
        pause().await;
        assert!(tx.send(token).is_ok());
    });
    scene.finally(move |_| {
        assert_eq!(*got.borrow(), [7]);
        assert_eq!(census.alive(), 0);
    });
}

/// Receives `most` values, then leaves.
fn receiver(scene: &mut Scene, mut rx: mpsc::Receiver<Token>, most: usize, got: &Log) {
    let got = got.clone();
    scene.other(|cx| async move {
        for _ in 0..most {
            let Some(Token(name, ..)) = rx.recv(&cx).await.expect("nobody cancels this one") else { return };
            got.borrow_mut().push(name);
            pause().await;
        }
    });
}

/// Everything that was sent came, in its sender's order, unless the receiver left.
fn came(sent: &Log, got: &Log, leaves: bool) {
    let (sent, got) = (sent.borrow(), got.borrow());
    for sender in 0..4 {
        let of = |log: &[u32]| log.iter().copied().filter(|name| name / 10 == sender).collect::<Vec<_>>();
        let (sent, got) = (of(&sent), of(&got));
        assert!(if leaves { sent.starts_with(&got) } else { sent == got });
    }
}

fn mpsc_send(scene: &mut Scene, leaves: bool) {
    let (census, sent, got) = (Census::default(), Log::default(), Log::default());
    let (tx, rx) = mpsc::channel(1);
    let play = |sender: u32| {
        let (tx, sent) = (tx.clone(), sent.clone());
        let tokens: Vec<Token> = (0..2).map(|n| census.token(sender * 10 + n)).collect();
        move |cx: Cx| async move {
            for token in tokens {
                let name = token.0;
                match tx.send(&cx, token).await {
                    Ok(()) => sent.borrow_mut().push(name),
                    Err(SendError::Closed(back)) => assert!(leaves && back.0 == name),
                    Err(SendError::Cancelled(back, _)) => return assert_eq!(back.0, name),
                }
            }
        }
    };
    scene.other(play(0));
    scene.victim(play(1));
    scene.other(play(2));
    scene.other(play(3));
    drop(tx);
    receiver(scene, rx, if leaves { 2 } else { usize::MAX }, &got);
    scene.finally(move |_| {
        came(&sent, &got, leaves);
        assert!(leaves || sent.borrow().len() >= 6);
        assert_eq!(census.alive(), 0);
    });
}

fn mpsc_reserve(scene: &mut Scene, leaves: bool) {
    let (census, sent, got) = (Census::default(), Log::default(), Log::default());
    let (tx, rx) = mpsc::channel(1);
    let play = |sender: u32| {
        let (tx, sent, census) = (tx.clone(), sent.clone(), census.clone());
        move |cx: Cx| async move {
            for n in 0..3 {
                match tx.reserve(&cx).await {
                    Ok(permit) => {
                        pause().await;
                        // One of three is given up.
                        if n != 1 {
                            permit.send(census.token(sender * 10 + n));
                            sent.borrow_mut().push(sender * 10 + n);
                        }
                    }
                    Err(SendError::Closed(())) => assert!(leaves),
                    Err(SendError::Cancelled((), _)) => return,
                }
            }
        }
    };
    scene.victim(play(0));
    scene.other(play(1));
    scene.other(play(2));
    let last = tx.clone();
    drop(tx);
    receiver(scene, rx, if leaves { 2 } else { usize::MAX }, &got);
    // Sees that no slot was lost, while the channel is open.
    scene.other(|cx| async move {
        let room = last.reserve(&cx).await;
        assert!(leaves || room.is_ok());
    });
    scene.finally(move |_| {
        came(&sent, &got, leaves);
        assert!(leaves || sent.borrow().len() >= 4);
        assert_eq!(census.alive(), 0);
    });
}

/// Two users of one receiver.
fn heirs(scene: &mut Scene, rx: mpsc::Receiver<Token>, got: &Log) {
    let rx = Rc::new(Mutex::new(rx));
    let play = |cx: Cx| {
        let (rx, got) = (rx.clone(), got.clone());
        async move {
            loop {
                let Ok(mut rx) = rx.lock(&cx).await else { return };
                let Ok(Some(Token(name, ..))) = rx.recv(&cx).await else { return };
                got.borrow_mut().push(name);
            }
        }
    };
    scene.victim(play);
    scene.other(play);
}

fn mpsc_recv(scene: &mut Scene) {
    let (census, sent, got) = (Census::default(), Log::default(), Log::default());
    let (tx, rx) = mpsc::channel(1);
    heirs(scene, rx, &got);
    for sender in 0..2 {
        let (tx, sent, census) = (tx.clone(), sent.clone(), census.clone());
        scene.other(move |cx| async move {
            for n in 0..3 {
                assert!(tx.send(&cx, census.token(sender * 10 + n)).await.is_ok());
                sent.borrow_mut().push(sender * 10 + n);
            }
        });
    }
    drop(tx);
    scene.finally(move |_| {
        came(&sent, &got, false);
        assert_eq!((got.borrow().len(), census.alive()), (6, 0));
    });
}

fn unbounded_recv(scene: &mut Scene) {
    let (census, sent, got) = (Census::default(), Log::default(), Log::default());
    let (tx, rx) = mpsc::unbounded();
    heirs(scene, rx, &got);
    for sender in 0..2 {
        let (tx, sent, census) = (tx.clone(), sent.clone(), census.clone());
        scene.other(move |_| async move {
            for n in 0..3 {
                assert!(tx.send(census.token(sender * 10 + n)).is_ok());
                sent.borrow_mut().push(sender * 10 + n);
                pause().await;
            }
        });
    }
    drop(tx);
    scene.finally(move |_| {
        came(&sent, &got, false);
        assert_eq!((got.borrow().len(), census.alive()), (6, 0));
    });
}

/// Two users of one receiver see, together, each value once and the last one in any case.
fn watched(scene: &mut Scene, even: bool) {
    let got = Log::default();
    let (tx, rx) = watch::channel(0);
    let alone = rx.clone();
    let rx = Rc::new(Mutex::new(rx));
    let play = |rx: Rc<Mutex<watch::Receiver<u32>>>, got: Log| {
        move |cx: Cx| async move {
            loop {
                let Ok(mut rx) = rx.lock(&cx).await else { return };
                let value = if even {
                    let seen = got.borrow().last().copied().unwrap_or(0);
                    let Ok(value) = rx.wait_for(&cx, |value| *value > seen && value % 2 == 0).await else {
                        return;
                    };
                    *value
                } else {
                    let Ok(()) = rx.changed(&cx).await else { return };
                    *rx.borrow()
                };
                got.borrow_mut().push(value);
            }
        }
    };
    let other_got = Log::default();
    scene.victim(play(rx.clone(), got.clone()));
    scene.other(play(rx, got.clone()));
    scene.other(play(Rc::new(Mutex::new(alone)), other_got.clone()));
    scene.other(|_| async move {
        for n in 1..=4 {
            if n % 2 == 0 {
                tx.send_modify(|value| *value = n);
            } else {
                assert!(tx.send(n).is_ok());
            }
            pause().await;
        }
    });
    scene.finally(move |_| {
        for got in [got.borrow(), other_got.borrow()] {
            assert!(got.is_sorted_by(|a, b| a < b), "seen twice: {got:?}");
            assert_eq!(got.last(), Some(&4));
        }
    });
}

fn watch_closed(scene: &mut Scene) {
    let (tx, rx) = watch::channel(());
    let heard = Rc::new(Cell::new(0));
    let play = |tx: watch::Sender<()>| {
        let heard = heard.clone();
        move |cx: Cx| async move {
            if tx.closed(&cx).await.is_ok() {
                assert!(tx.is_closed());
                heard.set(heard.get() + 1);
            }
        }
    };
    scene.victim(play(tx.clone()));
    scene.other(play(tx.clone()));
    scene.other(play(tx));
    let other = rx.clone();
    for rx in [rx, other] {
        scene.other(move |_| async move {
            pause().await;
            drop(rx);
        });
    }
    scene.finally(move |_| assert!(heard.get() >= 2));
}

const SENT: u64 = 6;

fn broadcast_recv(scene: &mut Scene) {
    let census = Census::default();
    let (tx, rx) = broadcast::channel(2);
    let play = |rx: &Rc<Mutex<broadcast::Receiver<Token>>>, next: &Rc<Cell<u64>>| {
        let (rx, next) = (rx.clone(), next.clone());
        move |cx: Cx| async move {
            loop {
                let Ok(mut rx) = rx.lock(&cx).await else { return };
                match rx.recv(&cx).await {
                    Ok(Token(name, ..)) => {
                        assert_eq!(u64::from(name), next.get());
                        next.set(next.get() + 1);
                    }
                    Err(broadcast::RecvError::Lagged(missed)) => next.set(next.get() + missed),
                    Err(broadcast::RecvError::Closed | broadcast::RecvError::Cancelled(_)) => return,
                }
                if rx_is_slow(next.get()) {
                    pause().await;
                }
            }
        }
    };
    let nexts = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
    let alone = Rc::new(Mutex::new(rx.clone()));
    let shared = Rc::new(Mutex::new(rx));
    scene.victim(play(&shared, &nexts[0]));
    scene.other(play(&shared, &nexts[0]));
    scene.other(play(&alone, &nexts[1]));
    let tokens = census.clone();
    scene.other(|_| async move {
        for name in 0..u32::try_from(SENT).expect("few") {
            assert!(tx.send(tokens.token(name)).is_ok());
            if name != 3 {
                pause().await;
            }
        }
    });
    drop((shared, alone));
    scene.finally(move |_| {
        for next in nexts {
            assert_eq!(next.get(), SENT);
        }
        assert_eq!(census.alive(), 0);
    });
}

fn rx_is_slow(next: u64) -> bool {
    next % 2 == 1
}
