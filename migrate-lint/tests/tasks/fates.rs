//! What becomes of handles.

use tokio::task::{JoinHandle, spawn};

mod dropped {
    use tokio::spawn;
    async fn f(flag: bool) {
        spawn(g()); //~ dropped
        let _ = spawn(g()); //~ dropped
        let _handle = spawn(g()); //~ dropped
        let unused; unused = spawn(g()); //~ dropped
        drop(spawn(g())); //~ dropped
        std::mem::drop(spawn(g())); //~ dropped
        _ = spawn(g()); //~ dropped
        if flag { spawn(g()) } else { spawn(h()) }; //~ dropped //~ dropped
        match flag {
            true => spawn(g()), //~ dropped
            false => { spawn(h()) } //~ dropped
        };
        let h = spawn(g()); //~ dropped
        while !h.is_finished() {}
        let mut handles = vec![];
        for _ in 0..3 {
            handles.push(spawn(g())); //~ dropped
        }
        println!("{}", handles.len());
        let id = spawn(g()).id(); //~ dropped
        (0..3).for_each(|_| drop(spawn(g()))); //~ dropped
        let abort = spawn(g()).abort_handle(); //~ dropped
    }
}

mod forgotten {
    fn f() {
        std::mem::forget(super::spawn(g())); //~ forgotten
        let h = super::spawn(g()); //~ forgotten
        std::mem::forget(h);
        let h = std::mem::ManuallyDrop::new(super::spawn(g())); //~ forgotten
        Box::leak(Box::new(super::spawn(g()))); //~ forgotten
    }
}

mod awaited {
    use super::{JoinHandle, spawn};
    use futures::future::join_all;
    async fn f() -> Result<(), Error> {
        spawn(g()).await; //~ awaited
        let h = spawn(g()); //~ awaited
        work().await;
        h.await??;
        let (a, b) = (spawn(g()), spawn(h())); //~ awaited //~ dropped
        a.await?;
        let (a, b) = tokio::join!(spawn(g()), spawn(h())); //~ awaited //~ awaited
        let handles: Vec<_> = (0..3).map(|_| spawn(g())).collect(); //~ awaited
        for h in handles {
            h.await?;
        }
        let handles = vec![spawn(g()), spawn(h())]; //~ awaited //~ awaited
        join_all(handles).await;
        let mut h = spawn(g()); //~ awaited
        tokio::select! {
            r = &mut h => r?,
            _ = stop() => h.abort(),
        }
        let h = spawn(g()); //~ awaited
        let r = tokio::time::timeout(SECOND, h).await;
        let h = Some(spawn(g())); //~ awaited
        if let Some(h) = h {
            h.await?;
        }
        let h = spawn(g()); //~ awaited
        let wait = async move { h.await };
        wait.await;
        let mut all = std::collections::HashMap::new();
        all.insert(1, spawn(g())); //~ awaited
        for (_, h) in all {
            h.await?;
        }
        let h = spawn(g()); //~ awaited
        tokio::pin!(h);
        (&mut h).await?;
        let mut tasks = Vec::new();
        urls.iter().for_each(|url| tasks.push(spawn(get(url)))); //~ awaited
        while let Some(task) = tasks.pop() {
            task.await?;
        }
        let h = 'found: loop {
            break 'found spawn(g()); //~ awaited
        };
        Ok(h.await?)
    }
    fn blocking(rt: tokio::runtime::Runtime) {
        let h = rt.spawn(g()); //~ awaited
        rt.block_on(h).unwrap();
        futures::executor::block_on(spawn(g())); //~ awaited
    }
}

mod aborted {
    async fn f() {
        let h = super::spawn(g()); //~ aborted
        work().await;
        h.abort();
        let abort = super::spawn(g()).abort_handle(); //~ aborted
        work().await;
        abort.abort();
    }
}

mod wrapped {
    use tokio_util::task::AbortOnDropHandle;
    struct Guard(super::JoinHandle<()>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    impl Guard {
        fn of(handle: super::JoinHandle<()>) -> Guard {
            Guard(handle)
        }
    }
    struct Quiet(super::JoinHandle<()>);
    struct Kept {
        guard: Guard,
        other: AbortOnDropHandle<()>,
    }
    fn f() -> Kept {
        let g = Guard(super::spawn(g())); //~ wrapped
        let g = Guard::of(super::spawn(g())); //~ wrapped
        let q = Quiet(super::spawn(g())); //~ stored
        let handle = super::spawn(g()); //~ wrapped
        Kept {
            guard: Guard(handle),
            other: AbortOnDropHandle::new(super::spawn(g())), //~ wrapped
        }
    }
}

mod stored {
    struct Plain {
        handle: Option<super::JoinHandle<()>>,
        all: Vec<super::JoinHandle<()>>,
    }
    struct Aborting {
        tasks: Vec<super::JoinHandle<()>>,
        inner: Plain,
    }
    impl Drop for Aborting {
        fn drop(&mut self) {
            self.stop();
        }
    }
    impl Aborting {
        fn stop(&mut self) {
            for task in self.tasks.drain(..) {
                task.abort();
            }
        }
        fn start(&mut self) {
            self.tasks.push(super::spawn(g())); //~ stored_aborting
            self.inner.handle = Some(super::spawn(g())); //~ stored_aborting
        }
    }
    impl Plain {
        fn new() -> Plain {
            Plain { handle: Some(super::spawn(g())), all: vec![] } //~ stored
        }
        fn start(&mut self) {
            self.handle = Some(super::spawn(g())); //~ stored
            self.handle.replace(super::spawn(g())); //~ stored
            self.all.push(super::spawn(g())); //~ stored
        }
        async fn local() {
            let mut plain = Plain::new();
            plain.handle = Some(super::spawn(g())); //~ dropped
            plain.all.pop().unwrap().await;
        }
    }
    fn into(all: &mut Vec<super::JoinHandle<()>>) {
        all.push(super::spawn(g())); //~ stored
    }
    static GLOBAL: std::sync::Mutex<Option<super::JoinHandle<()>>> = make();
    fn global() {
        *GLOBAL.lock().unwrap() = Some(super::spawn(g())); //~ stored
    }
}

mod returned {
    fn tail() -> super::JoinHandle<()> {
        super::spawn(g()) //~ returned
    }
    fn early(flag: bool) -> Option<super::JoinHandle<()>> {
        if flag {
            return Some(super::spawn(g())); //~ returned
        }
        let h = super::spawn(g()); //~ returned
        Some(h)
    }
    fn pair() -> (u8, super::JoinHandle<()>) {
        let handle = super::spawn(g()); //~ returned
        (1, handle)
    }
    fn later() -> impl Future<Output = ()> {
        let h = super::spawn(g()); //~ returned
        async move { h.await.unwrap() }
    }
    fn through(h: super::JoinHandle<()>) -> super::JoinHandle<()> {
        h
    }
    async fn uses() {
        through(super::spawn(g())).await; //~ awaited
    }
}

mod passed {
    async fn f(tx: Sender<super::JoinHandle<()>>) {
        tx.send(super::spawn(g())).await; //~ passed
        watch(super::spawn(g())); //~ passed
        let h = super::spawn(g()); //~ passed
        super::spawn(async move { h.await }).await; //~ awaited
    }
    fn watch(h: super::JoinHandle<()>) {}
}
