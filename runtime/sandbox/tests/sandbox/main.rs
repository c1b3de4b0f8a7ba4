//! The sandbox from outside, with hostile guests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests may fail loudly"
)]

mod admission;
mod capabilities;
mod families;
mod faults;
mod folders;
mod fuzz;
mod prepared;
mod support;
mod text;
mod warmth;
mod zoo;
