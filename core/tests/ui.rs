//! Programs that must not compile, and what their authors are told.

/// Nobody leaves the closure of `with_permit` without resolving the permit.
#[test]
fn no_path_forgets_its_obligation() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

/// Nobody does what the set of their `Cx` does not have, or gets a greater set.
#[test]
fn no_call_goes_beyond_its_set() {
    trybuild::TestCases::new().compile_fail("tests/ui/caps/*.rs");
}

/// No child of a local scope borrows what goes before it does, and no task borrows at all.
#[test]
fn no_borrow_outlives_what_it_borrows() {
    trybuild::TestCases::new().compile_fail("tests/ui/local/*.rs");
}
