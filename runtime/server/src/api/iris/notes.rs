//! The directories of notes, and the groups of notes that IRIS had before them.

use tenter_model::case::ObjectKind;
use tenter_model::case::render::directory_tree;

use super::{Answer, Asking, Refusal, Success};

/// `GET /case/notes/directories/filter`: the tree of directories with the titles of their notes.
pub(in crate::api) async fn directories(asking: Asking) -> Answer {
    let case_id = asking.case_id;
    asking
        .see(move |world| {
            let all = |kind| world.shelves(kind, case_id);
            Ok(Success::of(directory_tree(&all(ObjectKind::NoteDirectory), &all(ObjectKind::Note))))
        })
        .await
}

/// Groups of notes, which directories took the place of.
pub(in crate::api) async fn groups(_: Asking) -> Answer {
    Err(Refusal::gone("v2.4.0", "Use notes directories, /case/notes/directories"))
}
