//! What is kept is bounded, counted, and of one owner at a time.

use super::*;
use crate::Shared;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;

fn class_of(size: usize, align: usize) -> Option<Class> {
    Class::of(Layout::from_size_align(size, align).expect("a layout"))
}

#[test]
fn a_block_has_room_for_what_it_is_for() {
    for size in 0..2048 {
        let class = class_of(size, 8);
        assert_eq!(class.is_some(), (9..=1032).contains(&size), "{size}");
        if let Some(class) = class {
            assert!((size..size + 16).contains(&class.size()), "{size} in {}", class.size());
            assert!(class.index() < Class::all().count());
        }
    }
    assert_eq!(class_of(64, 32), None);
    assert!(Class::all().eq(Class::all().map(|class| class_of(class.size(), 16).expect("its own"))));
}

#[test]
fn what_is_kept_is_counted_and_bounded_and_given_back() {
    let (depot, class) = (Depot::new(), class_of(400, 8).expect("it is small"));
    let pool = || {
        let kept = Arc::new(AtomicUsize::new(0));
        (Pool::new(&depot, kept.clone()), kept)
    };
    let ((one, of_one), (two, of_two)) = (pool(), pool());
    let put = |pool: &Pool<'_>, blocks: usize| {
        for _ in 0..blocks {
            // SAFETY: a new block of this class.
            unsafe { pool.put(class, from_system(class.layout())) }
        }
    };
    assert_eq!(one.take(class), None);
    put(&one, 100);
    assert_eq!((of_one.load(Relaxed), depot.kept_bytes()), (36 * 408, 64 * 408));
    // Another begins with a magazine of the depot's.
    let block = two.take(class).expect("one is kept");
    assert_eq!((of_two.load(Relaxed), depot.kept_bytes()), (31 * 408, 32 * 408));
    // SAFETY: it was taken.
    unsafe { two.put(class, block) };
    assert_eq!(two.take(class), Some(block), "the last one that came");
    // SAFETY: as above.
    unsafe { two.put(class, block) };
    put(&one, 5000);
    assert!(of_one.load(Relaxed) <= 64 * 408);
    assert_eq!(depot.kept_bytes(), 2048 * 408);
    drop((one, two));
    assert_eq!((of_one.load(Relaxed), of_two.load(Relaxed)), (0, 0));
    let (last, of_last) = pool();
    // SAFETY: what was taken is ours.
    let free = |block| unsafe { class.free(block) };
    let all = std::iter::from_fn(|| last.take(class)).map(free).count();
    assert_eq!((all, of_last.load(Relaxed), depot.kept_bytes()), (2048, 0, 0));
}

/// Whoever has a block writes its name into it; nobody else's is there when it goes on.
#[test]
fn threads_that_make_and_free_have_each_block_alone() {
    let rounds = if cfg!(debug_assertions) { 20_000 } else { 400_000 };
    let class = class_of(64, 8).expect("it is small");
    let maker = |name: u64, to: mpsc::SyncSender<(usize, u64)>| {
        move || {
            for n in 0..rounds {
                let block = of_thread::take(class).unwrap_or_else(|| from_system(class.layout()));
                let own = name << 32 | n;
                // SAFETY: the block is ours, and large enough.
                unsafe { block.cast::<[u64; 8]>().write([own; 8]) };
                to.send((block.expose_provenance().get(), own)).expect("the other end is there");
            }
        }
    };
    let (to, from) = mpsc::sync_channel(100);
    let makers = [1, 2].map(|name| thread::spawn(maker(name, to.clone())));
    drop(to);
    let mut seen = 0;
    for (block, own) in from {
        let block = NonNull::with_exposed_provenance(block.try_into().expect("not 0"));
        // SAFETY: it was made for us, and large enough.
        assert_eq!(unsafe { block.cast::<[u64; 8]>().read() }, [own; 8]);
        // SAFETY: as above, and nobody else has it.
        unsafe { of_thread::put(class, block) };
        seen += 1;
    }
    assert_eq!(seen, 2 * rounds);
    makers.into_iter().for_each(|maker| maker.join().expect("it does not panic"));
}

#[test]
fn what_is_shared_goes_with_the_last() {
    let value = Arc::new(());
    let (one, large) = (Shared::new((value.clone(), [0_u8; 32])), Shared::new((value.clone(), [0_u8; 4096])));
    let (two, other) = (one.clone(), large.clone());
    drop((one, large));
    assert_eq!(Arc::strong_count(&value), 3);
    drop(other);
    assert_eq!(Arc::strong_count(&value), 2);
    let Ok((inside, _)) = two.into_inner() else { panic!("it is the only one") };
    assert!(Arc::ptr_eq(&inside, &value));
    drop(inside);
    assert_eq!(Arc::strong_count(&value), 1);
}
