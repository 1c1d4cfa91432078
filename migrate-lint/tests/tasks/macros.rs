//! Uses inside the input of macros.

use tokio::task::spawn as go;

async fn f() {
    let v = vec![tokio::spawn(g()), go(g())]; //~ dropped //~ dropped
    let v = vec![tokio::spawn(g()); 3]; //~ dropped
    println!("{:?} {x}", tokio::spawn(g()), x = go(g())); //~ dropped //~ dropped
    assert!(tokio::spawn(g()).await.is_ok(), "tokio::spawn(..)"); //~ awaited
    tokio::select! {
        x = tokio::spawn(g()) => { //~ awaited
            use std::thread::spawn as go;
            go(|| {});
        }
        Some(y) = rx.recv(), if ready => go(g(y)), //~ dropped
        else => {
            let go = |x| x;
            go(1);
            tokio::join!(tokio::spawn(g()), g()) //~ awaited
        }
    }
    foreign! { a -> b; tokio::spawn(g()) <- c, { d => tokio::task::spawn(e) } } //~ ? //~ ?
    foreign! { x -> .map(tokio::spawn), ::tokio::spawn::<_>(g()) => 0 } //~ ? //~ ?
    foreign! { x.spawn(1) -> fn go() }
    in_a_task!(spawn, async { 1 });
    stringify!(tokio::spawn(g()));
    foreign! { => stringify!(tokio::spawn(g())) }
}

macro_rules! start {
    ($e:expr) => {
        tokio::spawn($e) //~ ?
    };
    (local $e:expr) => {{
        $crate::rt::spawn($e) //~ ?
    }};
    (any $rt:ident $e:expr) => {
        $rt::spawn($e) //~ ?
    };
}

pub mod rt {
    pub use tokio::spawn;
}

wrapper! {
    pub mod wrapped {
        use tokio::spawn;
        fn f() {
            spawn(g()); //~ dropped
        }
    }
    pub use tokio::task::spawn as from_wrapper;
}
fn after_wrapper() {
    from_wrapper(g()); //~ dropped
    wrapped::f();
}

cfg_if::cfg_if! {
    if #[cfg(feature = "tokio")] {
        use tokio::spawn as chosen;
    } else {
        use std::thread::spawn as chosen;
    }
}
fn after_cfg_if() {
    chosen(g()); //~ dropped
}

fn generates() -> TokenStream {
    quote! { tokio::spawn(#body) } //~ ?
}

mod imports_of_macros_stay_there {
    use std::thread::spawn;
    macro_rules! m {
        ($e:expr) => {{
            use tokio::spawn;
            spawn($e) //~ ?
        }};
    }
    fn f() {
        foreign! { a => { use tokio::spawn; -> spawn(g()) } } //~ ?
        spawn(|| {});
    }
}
