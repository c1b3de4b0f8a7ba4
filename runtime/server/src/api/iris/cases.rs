//! Cases themselves: which there are, their life, their summary and their log.

use serde_json::{Value, json};
use tenter_engine::case::{CreateRequest, ObjectRequest, UpdateRequest};
use tenter_model::case::moment::iso;
use tenter_model::case::render::{View, render};
use tenter_model::case::{Body, CaseObject, FieldErrors, LookUpKind, Lookups as _, ObjectKind, ObjectRef};
use tenter_store::{AccessLevel, ActivityRow, CaseWorld};

use super::objects::record;
use super::{Answer, Ask, Asking, Refusal, Success};

/// Lines of the log that a list shows, as in IRIS.
const ACTIVITIES: u32 = 40;
/// Characters of a line in the log at most.
const LINE: usize = 10_000;

/// `GET /manage/cases/list`: those that the user may see.
pub(in crate::api) async fn list(asking: Asking) -> Answer {
    let user = asking.user.id;
    asking
        .look(move |world| {
            let mut cases = world.objects(ObjectKind::Case, None);
            cases.retain(|case| world.level(user, case.target.id) >= AccessLevel::Read);
            Ok(Success::of(cases.iter().map(|case| render(case, View::Row, world)).collect()))
        })
        .await
}

/// `GET /manage/cases/{object_id}`
pub(in crate::api) async fn show(asking: Asking) -> Answer {
    let asking = about_case(asking)?;
    let case_id = asking.case_id;
    asking.see(move |world| Ok(Success::of(render(&find(world, case_id)?, View::Record, world)))).await
}

/// `POST /manage/cases/add`
pub(in crate::api) async fn add(ask: Ask) -> Answer {
    let Ask { asking, body } = ask;
    let request = |context| CreateRequest { kind: ObjectKind::Case, case_id: None, about: None, body, context };
    let made = asking.change(move |cases, context| cases.create(request(context))).await?;
    record(&asking, made.object, "Case created".to_owned()).await
}

/// `POST /manage/cases/update/{object_id}`
pub(in crate::api) async fn update(ask: Ask) -> Answer {
    let Ask { asking, body } = ask;
    let asking = about_case(asking)?;
    let case = change(&asking, body).await?;
    record(&asking, case, "Case updated".to_owned()).await
}

/// `POST /manage/cases/delete/{object_id}`
pub(in crate::api) async fn delete(ask: Ask) -> Answer {
    let asking = about_case(ask.asking)?;
    // That the first case stays is told to those alone who may delete cases.
    asking.may_change().await?;
    let case_id = asking.case_id;
    let request = move |context| ObjectRequest { target: case(case_id), case_id: Some(case_id), context };
    asking.remove(move |cases, context| cases.delete(request(context))).await?;
    Ok(Success::done("Case deleted"))
}

/// `POST /manage/cases/close/{object_id}`
pub(in crate::api) async fn close(ask: Ask) -> Answer {
    let asking = about_case(ask.asking)?;
    let case_id = asking.case_id;
    let closed = asking.change(move |cases, context| cases.close_case(case_id, &context)).await?;
    record(&asking, closed.new, "Case closed".to_owned()).await
}

/// `POST /manage/cases/reopen/{object_id}`
pub(in crate::api) async fn reopen(ask: Ask) -> Answer {
    let asking = about_case(ask.asking)?;
    let case_id = asking.case_id;
    let opened = asking.change(move |cases, context| cases.reopen_case(case_id, &context)).await?;
    record(&asking, opened.new, "Case reopened".to_owned()).await
}

/// `POST /case/update-status`: what the case turned out to be.
pub(in crate::api) async fn outcome(ask: Ask) -> Answer {
    let Ask { asking, mut body } = ask;
    asking.may_change().await?;
    let status = body.remove("status_id").unwrap_or(Value::Null);
    if status.is_null() {
        return Err(Refusal::fields(&FieldErrors::one("status_id", "Missing data for required field.")));
    }
    let case = change(&asking, Body::from_iter([("status_id".to_owned(), status)])).await?;
    Ok(Success::new("Case status updated", json!(case.integer("status_id"))))
}

/// `GET /case/summary/fetch`: the description with its checksum, by which a client sees that it changed.
pub(in crate::api) async fn summary(asking: Asking) -> Answer {
    let case_id = asking.case_id;
    asking
        .see(move |world| {
            let case = find(world, case_id)?;
            let description = case.text("case_description");
            Ok(Success::of(json!({"case_description": description, "crc32": crc32(description.as_bytes())})))
        })
        .await
}

/// `POST /case/summary/update`
pub(in crate::api) async fn set_summary(ask: Ask) -> Answer {
    let Ask { asking, mut body } = ask;
    let description = body.remove("case_description").unwrap_or(Value::Null);
    let case = change(&asking, Body::from_iter([("case_description".to_owned(), description)])).await?;
    Ok(Success::new("Summary updated", json!(crc32(case.text("case_description").as_bytes()))))
}

/// `POST /case/tasklog/add`: a line that a person writes into the log of the case.
pub(in crate::api) async fn add_log(ask: Ask) -> Answer {
    let Ask { asking, body } = ask;
    asking.may_change().await?;
    let line = match body.get("log_content").and_then(Value::as_str).map(str::trim) {
        Some(line) if !line.is_empty() && line.chars().count() <= LINE => line.to_owned(),
        _ => {
            let expected = format!("Expected text of 1 to {LINE} characters.");
            return Err(Refusal::fields(&FieldErrors::one("log_content", expected)));
        }
    };
    let (case_id, by) = (asking.case_id, asking.context().by());
    let row = asking.app.write(move |store, _| store.log_activity(Some(case_id), &line, by)).await?;
    let data = asking.look(move |world| Ok(activity(&row, world))).await?;
    Ok(Success::new("Log saved", data))
}

/// `GET /case/activities/list`: the newest lines of the log of the case.
pub(in crate::api) async fn activities(asking: Asking) -> Answer {
    let case_id = asking.case_id;
    asking
        .see(move |world| {
            let lines = world.activities(case_id, ACTIVITIES);
            Ok(Success::of(lines.iter().filter(|line| line.shown).map(|line| activity(line, world)).collect()))
        })
        .await
}

fn activity(line: &ActivityRow, world: &CaseWorld<'_>) -> Value {
    let user = world.row(LookUpKind::User, line.user_id);
    json!({
        "id": line.seq, "case_id": line.case_id, "activity_date": iso(line.at), "activity_desc": line.text,
        "user_id": line.user_id, "name": user.map(|user| user.text("user_name").to_owned()),
        "user_input": line.typed, "is_from_api": line.from_api,
    })
}

/// The request as one that looks at the case of its path, whatever else it names.
fn about_case(mut asking: Asking) -> Result<Asking, Refusal> {
    asking.case_id = asking.id("object_id")?;
    Ok(asking)
}

/// Changes the case that is looked at.
async fn change(asking: &Asking, body: Body) -> Result<CaseObject, Refusal> {
    let case_id = asking.case_id;
    let request = move |context| UpdateRequest { target: case(case_id), case_id: Some(case_id), body, context };
    Ok(asking.change(move |cases, context| cases.update(request(context))).await?.new)
}

fn find(world: &CaseWorld<'_>, case_id: i64) -> Result<CaseObject, Refusal> {
    world.object_in(case(case_id), None).ok_or_else(|| Refusal::no_object(case(case_id)))
}

fn case(id: i64) -> ObjectRef {
    ObjectRef { kind: ObjectKind::Case, id }
}

/// The checksum of zip files, which IRIS's clients compare. Descriptions are short, so that a table would be for nothing.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_checksum_is_the_usual_one() {
        // The check value that the algorithm is defined with.
        assert_eq!((crc32(b"123456789"), crc32(b"")), (0xcbf4_3926, 0));
    }
}
