//! What must compile, and what it then does.

mod mock;

use mock::Cx;
use mock::lab::{Explore, explore::Sampling};
use std::{
    panic,
    process::{ExitCode, Termination},
};

mod entry {
    use super::Cx;
    use std::process::ExitCode;

    /// Any name, any visibility, any return type; attributes stay.
    #[must_use]
    #[asupersync_macros::main(crate = "crate::mock", workers = 4)]
    pub(super) async fn exit_code(cx: &Cx) -> ExitCode {
        assert_eq!(cx.workers, Some(4));
        ExitCode::from(7)
    }

    #[asupersync_macros::main(crate = "crate::mock")]
    pub(crate) async fn nothing() {}
}

#[test]
fn main_passes_the_result_and_the_configuration_on() {
    // `ExitCode` has no equality.
    let shown = format!("{:?}", entry::exit_code().report());
    assert_eq!(shown, format!("{:?}", ExitCode::from(7)));
    let shown = format!("{:?}", entry::nothing().report());
    assert_eq!(shown, format!("{:?}", ExitCode::SUCCESS));
}

#[asupersync_macros::test(crate = "crate::mock")]
async fn no_arguments_no_workers(cx: &Cx) {
    assert_eq!(cx.workers, None);
}

#[asupersync_macros::test(workers = 1_6usize, crate = "crate::mock")]
async fn literals_may_be_written_out(cx: &Cx) {
    assert_eq!(cx.workers, Some(16));
}

#[asupersync_macros::test(crate = "crate::mock")]
async fn no_parameter() {}

#[asupersync_macros::test(crate = "crate::mock")]
async fn a_return_type_and_a_question_mark(_: &Cx) -> Result<(), std::num::ParseIntError> {
    let _: u8 = "5".parse()?;
    Ok(())
}

#[asupersync_macros::test(crate = "crate::mock")]
#[should_panic(expected = "on purpose")]
async fn attributes_after(_: &Cx) {
    panic!("on purpose");
}

#[should_panic(expected = "on purpose")]
#[asupersync_macros::test(crate = "crate::mock")]
async fn attributes_before(_: &Cx) {
    panic!("on purpose");
}

#[asupersync_macros::test(crate = "crate::mock")]
#[ignore = "shows that `ignore` is kept: it would fail"]
async fn ignored(_: &Cx) {
    panic!("not ignored");
}

/// The second type is only there for the comma and the arrow.
type First<A, B> = <(A, B) as Pair>::First;

trait Pair {
    type First;
}

impl<A, B> Pair for (A, B) {
    type First = A;
}

#[asupersync_macros::test(crate = "crate::mock")]
async fn commas_and_arrows_inside_angles(cx: &First<Cx, fn() -> u8>) {
    assert_eq!(cx.workers, None);
}

macro_rules! declare {
    ($vis:vis $name:ident, $workers:literal) => {
        #[asupersync_macros::test(workers = $workers, crate = "crate::mock")]
        $vis async fn $name(cx: &First<Cx, u8>,) {
            assert_eq!(cx.workers, Some($workers));
        }
    };
}

declare!(from_a_macro, 3);
declare!(pub(crate) from_a_macro_with_visibility, 5);

#[asupersync_macros::lab_test(crate = "crate::mock")]
async fn all_up_to_a_bound(explore: &Explore) {
    assert_eq!(*explore, Explore::Optimal { runs: Some(10_000) });
}

#[asupersync_macros::lab_test(crate = "crate::mock", explore = dpor)]
async fn all(explore: &Explore) {
    assert_eq!(*explore, Explore::Optimal { runs: None });
}

#[asupersync_macros::lab_test(crate = "crate::mock", runs = 50_000)]
async fn all_up_to_a_bound_of_ones_own(explore: &Explore) {
    assert_eq!(*explore, Explore::Optimal { runs: Some(50_000) });
}

#[asupersync_macros::lab_test(crate = "crate::mock", seeds = 1_0..256u64)]
async fn seeds(explore: &Explore) {
    assert_eq!(*explore, Explore::Sample { sampling: Sampling::Walk, seed: 10, runs: 246 });
}

#[asupersync_macros::lab_test(crate = "crate::mock", explore = random)]
async fn random(explore: &Explore) {
    assert_eq!(*explore, Explore::Sample { sampling: Sampling::Walk, seed: 0, runs: 1000 });
}

#[asupersync_macros::lab_test(crate = "crate::mock", explore = pos, runs = 7)]
async fn partial_order(explore: &Explore) {
    assert_eq!(*explore, Explore::Sample { sampling: Sampling::PartialOrder, seed: 0, runs: 7 });
}

#[asupersync_macros::lab_test(crate = "crate::mock", explore = pct, depth = 5, runs = 10_000)]
async fn priorities(explore: &Explore) {
    let sampling = Sampling::Priorities { depth: 5 };
    assert_eq!(*explore, Explore::Sample { sampling, seed: 0, runs: 10_000 });
}

#[asupersync_macros::lab_test(explore = pct, seeds = 3..5, crate = "crate::mock")]
async fn priorities_of_the_usual_depth(explore: &Explore) {
    let sampling = Sampling::Priorities { depth: 3 };
    assert_eq!(*explore, Explore::Sample { sampling, seed: 3, runs: 2 });
}

#[asupersync_macros::lab_test(crate = "crate::mock")]
#[should_panic(expected = "on purpose")]
async fn a_lab_test_without_a_parameter() {
    panic!("on purpose");
}

#[asupersync_macros::main(crate = "crate::mock")]
async fn located() {
    panic!("here");
}
const LOCATED_LINE: u32 = line!() - 2;

#[test]
fn panics_keep_their_place() {
    let (sent, place) = std::sync::mpsc::channel();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|at| (at.file().to_owned(), at.line(), at.column()));
        // Other tests that panic at the same time report here too; the receiver sorts them out.
        let _ = sent.send(place);
    }));
    assert!(panic::catch_unwind(|| drop(located())).is_err());
    panic::set_hook(before);
    let here = Some((file!().to_owned(), LOCATED_LINE, 5));
    assert!(place.try_iter().any(|place| place == here));
}
