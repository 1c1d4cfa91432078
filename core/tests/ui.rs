//! Programs that must not compile, and what their authors are told: nobody leaves the closure of
//! `with_permit` without resolving the permit.

#[test]
fn no_path_forgets_its_obligation() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
