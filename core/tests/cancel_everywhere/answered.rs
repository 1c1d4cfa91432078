//! Cases of the channels whose messages want an answer: `call` and `delivery`.

use std::cell::RefCell;
use std::rc::Rc;

use asupersync_core::Cx;
use asupersync_core::channel::{SendError, call, delivery};
use asupersync_core::sync::Mutex;

use crate::hand::{Census, Token};
use crate::stage::{Case, Scene, pause};

pub(crate) const CASES: &[Case] = &[
    ("call::call", call_call),
    ("call::recv", call_recv),
    ("delivery::send", delivery_send),
    ("delivery::recv", delivery_recv),
];

type Log = Rc<RefCell<Vec<u32>>>;

/// Answers each question with its name, until all clients are gone.
fn server(scene: &mut Scene, mut server: call::Server<Token, u32>) {
    scene.other(|cx| async move {
        while let Some(request) = server.recv(&cx).await.expect("nobody cancels this one") {
            pause().await;
            request.reply.answer(request.question.0);
        }
    });
}

fn call_call(scene: &mut Scene) {
    let (census, answered) = (Census::default(), Log::default());
    let (client, rx) = call::channel(1);
    let play = |name: u32, victim: bool| {
        let (client, answered, token) = (client.clone(), answered.clone(), census.token(name));
        move |cx: Cx| async move {
            match client.call(&cx, token).await {
                Ok(answer) => {
                    assert_eq!(answer, name);
                    answered.borrow_mut().push(name);
                }
                Err(call::CallError::Unasked(unsent)) => assert_eq!(unsent.into_value().0, name),
                Err(error) => assert!(victim, "{error:?}"),
            }
        }
    };
    scene.other(play(0, false));
    scene.victim(play(1, true));
    scene.other(play(2, false));
    drop(client);
    server(scene, rx);
    scene.finally(move |_| {
        let answered = answered.borrow();
        assert!(answered.contains(&0) && answered.contains(&2), "{answered:?}");
        assert_eq!(census.alive(), 0);
    });
}

/// Two servers on one channel, one of them the victim: what it does not take the other answers.
fn call_recv(scene: &mut Scene) {
    let (census, answered) = (Census::default(), Log::default());
    let (client, rx) = call::channel::<Token, u32>(1);
    let rx = Rc::new(Mutex::new(rx));
    let serve = |cx: Cx| {
        let rx = rx.clone();
        async move {
            loop {
                let Ok(mut rx) = rx.lock(&cx).await else { return };
                let Ok(Some(request)) = rx.recv(&cx).await else { return };
                drop(rx);
                let call::Request { question, reply } = request;
                reply.answer(question.0);
                pause().await;
            }
        }
    };
    scene.victim(serve);
    scene.other(serve);
    for name in 0..3 {
        let (client, answered, token) = (client.clone(), answered.clone(), census.token(name));
        scene.other(move |cx| async move {
            assert_eq!(client.call(&cx, token).await.expect("somebody answers"), name);
            answered.borrow_mut().push(name);
        });
    }
    drop(client);
    scene.finally(move |_| {
        assert_eq!(answered.borrow().len(), 3);
        assert_eq!(census.alive(), 0);
    });
}

fn delivery_send(scene: &mut Scene) {
    let (census, sent, got) = (Census::default(), Log::default(), Log::default());
    let (tx, mut rx) = delivery::channel(1);
    let play = |name: u32| {
        let (tx, sent, token) = (tx.clone(), sent.clone(), census.token(name));
        move |cx: Cx| async move {
            match tx.send(&cx, token).await {
                Ok(()) => sent.borrow_mut().push(name),
                Err(SendError::Closed(_)) => unreachable!("the receiver stays to the end"),
                Err(SendError::Cancelled(back, _)) => assert_eq!(back.0, name),
            }
        }
    };
    scene.other(play(0));
    scene.victim(play(1));
    scene.other(play(2));
    drop(tx);
    let log = got.clone();
    scene.other(|cx| async move {
        while let Some(job) = rx.recv(&cx).await.expect("nobody cancels this one") {
            pause().await;
            if job.attempt() == 1 {
                job.nack();
            } else {
                log.borrow_mut().push(job.0);
                job.ack();
            }
        }
    });
    scene.finally(move |_| {
        let (mut sent, mut got) = (sent.borrow().clone(), got.borrow().clone());
        sent.sort_unstable();
        got.sort_unstable();
        assert_eq!(sent, got, "each acked once, after it was put back once");
        assert_eq!(census.alive(), 0);
    });
}

/// What the victim holds when it goes is delivered again, to the other.
fn delivery_recv(scene: &mut Scene) {
    let (census, acked) = (Census::default(), Log::default());
    let (tx, rx) = delivery::channel::<Token>(2);
    let rx = Rc::new(Mutex::new(rx));
    let work = |cx: Cx| {
        let (rx, acked) = (rx.clone(), acked.clone());
        async move {
            loop {
                let Ok(mut rx) = rx.lock(&cx).await else { return };
                let Ok(Some(job)) = rx.recv(&cx).await else { return };
                drop(rx);
                pause().await;
                acked.borrow_mut().push(job.0);
                job.ack();
            }
        }
    };
    scene.victim(work);
    scene.other(work);
    let tokens: Vec<Token> = (0..3).map(|name| census.token(name)).collect();
    scene.other(move |cx| async move {
        for token in tokens {
            tx.send(&cx, token).await.expect("nobody cancels this one");
        }
    });
    scene.finally(move |_| {
        let mut acked = acked.borrow().clone();
        acked.sort_unstable();
        assert_eq!(acked, [0, 1, 2]);
        assert_eq!(census.alive(), 0);
    });
}
