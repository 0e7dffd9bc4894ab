//! Nothing but the test beside it: see `tests/portability.rs`.
