//! The sandbox from outside, with hostile guests.

mod admission;
mod capabilities;
mod faults;
mod support;
mod warmth;
