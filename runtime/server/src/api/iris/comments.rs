//! Remarks on objects of cases. Only who wrote one may change or delete it.

use serde_json::Value;
use tenter_engine::case::{CreateRequest, ObjectRequest, UpdateRequest};
use tenter_model::case::render::{Joins as _, View, render};
use tenter_model::case::{CaseObject, ObjectKind, ObjectRef};

use super::objects::record;
use super::{Answer, Ask, Asking, Refusal, Success};

/// All remarks on an object, oldest first.
pub(in crate::api) async fn list(about: ObjectKind, asking: Asking) -> Answer {
    let target = ObjectRef { kind: about, id: asking.id("object_id")? };
    let case_id = Some(asking.case_id);
    asking
        .see(move |world| {
            world.object_in(target, case_id).ok_or_else(|| Refusal::no_object(target))?;
            let comments = world.comments(target);
            Ok(Success::of(comments.iter().map(|comment| render(comment, View::Record, world)).collect::<Value>()))
        })
        .await
}

/// Adds a remark.
pub(in crate::api) async fn add(about: ObjectKind, ask: Ask) -> Answer {
    let target = ObjectRef { kind: about, id: ask.id("object_id")? };
    let Ask { asking, body } = ask;
    let case_id = Some(asking.case_id);
    let made = asking
        .change(move |cases, context| {
            cases.create(CreateRequest { kind: ObjectKind::Comment, case_id, about: Some(target), body, context })
        })
        .await?;
    record(&asking, made.object, "Comment added".to_owned()).await
}

/// Changes a remark.
pub(in crate::api) async fn edit(about: ObjectKind, ask: Ask) -> Answer {
    let Ask { asking, body } = ask;
    asking.may_change().await?;
    let target = own(about, &asking).await?.target;
    let case_id = Some(asking.case_id);
    let changed =
        asking.change(move |cases, context| cases.update(UpdateRequest { target, case_id, body, context })).await?;
    record(&asking, changed.new, "Comment edited".to_owned()).await
}

/// Deletes a remark.
pub(in crate::api) async fn delete(about: ObjectKind, ask: Ask) -> Answer {
    let asking = ask.asking;
    asking.may_change().await?;
    let target = own(about, &asking).await?.target;
    let case_id = Some(asking.case_id);
    asking.remove(move |cases, context| cases.delete(ObjectRequest { target, case_id, context })).await?;
    Ok(Success::done("Comment deleted"))
}

/// The remark that the path names, which must be on the object that it names and of the user who asks.
async fn own(about: ObjectKind, asking: &Asking) -> Result<CaseObject, Refusal> {
    let about = ObjectRef { kind: about, id: asking.id("object_id")? };
    let target = ObjectRef { kind: ObjectKind::Comment, id: asking.id("comment_id")? };
    let (user_id, case_id) = (asking.user.id, Some(asking.case_id));
    asking
        .see(move |world| {
            let found = world.object_in(target, case_id).filter(|comment| comment.about == Some(about));
            let comment = found.ok_or_else(|| Refusal::no_object(target))?;
            if comment.integer("comment_user_id") != Some(user_id) {
                return Err(Refusal::forbidden("a comment can be changed and deleted by its author alone"));
            }
            Ok(comment)
        })
        .await
}
