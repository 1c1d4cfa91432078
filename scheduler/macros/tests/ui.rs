//! What must not compile, and what the user is told.

#[test]
fn mistakes_are_reported_at_their_token() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
