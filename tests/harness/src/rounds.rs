//! How often what depends on chance is tried.

/// What `TEST_ROUNDS` says, which `make soak` sets, or else the few rounds of an ordinary run.
pub fn rounds() -> u32 {
    std::env::var("TEST_ROUNDS").map_or(2, |text| text.parse().expect("TEST_ROUNDS is a number"))
}
