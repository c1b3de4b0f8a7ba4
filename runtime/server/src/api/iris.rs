//! IRIS's HTTP API for cases, at its own paths, so that its official client and what is written with it work unchanged.
//!
//! Every answer is an envelope, `{"status": "success" | "error", "message": …, "data": …}`; clients decide by `status`
//! alone, so that each refusal is one too. [`Success`] and [`Refusal`] are the only answers of these handlers.
//!
//! **Who acts.** A request acts as a user of case management, whose access to the case counts and whom objects and logs
//! name. A token stands for the user that it was made for (`tenter token create --user`); the token of an operator that
//! was made for nobody, and who asks at this machine without a token, act as the first user. All other tokens may do
//! nothing here, whatever their role. The role is asked before all of this, by the guard, as on every route.
//!
//! **How it is put together.** [`Ask`] is a request that was read: user, case, numbers of the path, body. Handlers read
//! with [`Asking::see`], which asks for access to the case first, and change with [`Ask::change`] alone, which hands the
//! work to the engine's service of cases: what is written around it would be written around the hooks. Records and rows
//! of lists are what `tenter_model::case::render` makes of objects; nothing is put together by hand here that stands in
//! its table. `objects.rs` serves the kinds of objects that live in cases, the other files what is different.

pub(super) mod admin;
mod answer;
mod ask;
pub(super) mod cases;
pub(super) mod comments;
pub(super) mod dim;
pub(super) mod events;
pub(super) mod files;
mod form;
pub(super) mod look_ups;
pub(super) mod modules;
pub(super) mod notes;
pub(super) mod objects;
pub(super) mod people;
pub(super) mod reports;
pub(super) mod search;
pub(super) mod session;

pub(super) use answer::{Answer, Refusal, Success};
pub(super) use ask::{Ask, Asking};
