//! The pure half of a snapshot run: what is planned, which entities belong together, what a hook sees, and what
//! becomes of what it returns. The engine reads, calls and writes; everything in between is decided here.
//!
//! In the order of a run: [`plan::Plan`] orders the correlation hooks of all modules and names the links they use;
//! [`components::components`] groups entities that such links connect; [`current::current_values`] computes what holds
//! at the time of the run, after [`fold::fold`] took in what timeseries hooks returned; a [`group::Group`] holds the
//! values of one component, gives each hook its view and takes in its changes; [`document`] prints the result.
//!
//! A component has any shape and up to [`components::MAX_MEMBERS`] members, so nothing here recurses.

pub mod change;
pub mod components;
pub mod current;
pub mod document;
pub mod fold;
pub mod group;
pub mod path;
pub mod plan;
