//! Reports of a case, and the templates that they are made of.
//!
//! A report is made when it is asked for and kept nowhere. Modules are asked before and told afterwards, with the
//! document; what they answer does not change it.

use axum::body::Body as Bytes;
use axum::extract::Request;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tenter_engine::case::{ReportKind, ReportMade, ReportRequest};
use tenter_model::case::call::Attachment;
use tenter_model::case::moment;
use tenter_model::case::report::context::{Activity, Sources, context};
use tenter_model::case::report::{Format, file_name, make};
use tenter_model::case::{Body, LookUpKind, LookUpRow, Lookups as _, ObjectKind, ObjectRef};
use tenter_store::CaseWorld;

use super::files::saved_as;
use super::form::{Form, Keep};
use super::{Answer, Ask, Asking, Refusal, Success};

const KIND: LookUpKind = LookUpKind::ReportTemplate;
/// Lines of the log that a report has at most.
const ACTIVITIES: u32 = 10_000;

/// `GET /case/report/generate-…/{template_id}`: the document. With `safe-mode=true` nothing that people wrote into the
/// case is markup in it.
pub(in crate::api) async fn generate(kind: ReportKind, asking: Asking) -> Result<Response, Refusal> {
    let template_id = asking.id("template_id")?;
    let safe = asking.params.text("safe-mode").is_some_and(|text| text == "true");
    let case_id = asking.case_id;
    // Before the template is looked up, as in IRIS.
    let request = asking
        .change(move |cases, context| {
            let request = ReportRequest { kind, case_id, template_id, context };
            cases.before_report(&request).map(|()| request)
        })
        .await?;
    let (user, now) = (asking.user.clone(), request.context.now);
    let (name, format, document) = asking
        .see(move |world| {
            let template = template(kind, template_id, world)?;
            let format = Format::parse(template.text("format")).unwrap_or(Format::Markdown);
            let tree = tree(world, case_id, &user.name, now)?;
            let document = make(template.text("content"), format, &tree, safe);
            let document = document.map_err(|why| Refusal::bad(why.to_string()))?;
            Ok((file_name(template.text("naming_format"), format, &tree), format, document))
        })
        .await?;
    let file =
        Attachment { name: name.clone(), media_type: format.media().to_owned(), content: document.clone().into() };
    asking.change(move |cases, _| cases.after_report(&ReportMade { request, file })).await?;
    let mut response = Response::new(Bytes::from(document));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media()));
    headers.insert(CONTENT_DISPOSITION, saved_as(&name));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Should a browser show it all the same: no script, nothing from elsewhere, nothing of this server's.
    let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Ok(response)
}

/// `GET /manage/templates/list`: without their texts.
pub(in crate::api) async fn list(asking: Asking) -> Answer {
    asking.look(|world| Ok(Success::of(world.rows(KIND).iter().map(|row| record(row, world)).collect::<Value>()))).await
}

/// `GET /manage/templates/{row_id}`: one, with its text.
pub(in crate::api) async fn show(asking: Asking) -> Answer {
    let id = asking.id("row_id")?;
    asking
        .look(move |world| {
            let row = world.row(KIND, id).ok_or_else(|| Refusal::unknown(KIND.info().not_found))?;
            let mut record = record(&row, world);
            record.insert("content".to_owned(), json!(row.text("content")));
            Ok(Success::of(Value::Object(record)))
        })
        .await
}

/// `POST /manage/templates/add`: a form with a file, whose name says in which format it is.
pub(in crate::api) async fn add(asking: Asking, request: Request) -> Result<Response, Response> {
    let form = Form::read(&asking.app, request, Keep::InMemory).await?;
    added(&asking, &form).await.map(|made| made.into_response()).map_err(|refusal| refusal.into_response())
}

/// `POST /manage/templates/delete/{row_id}`
pub(in crate::api) async fn delete(ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    ask.keep(KIND.info().not_found, move |store, by| store.remove_look_up(KIND, id, by)).await?;
    Ok(Success::done("Template deleted"))
}

async fn added(asking: &Asking, form: &Form) -> Answer {
    let Some(file_name) = &form.file_name else {
        return Err(Refusal::bad_with("Data error", json!(["No file provided"])));
    };
    let extension = file_name.rsplit_once('.').map_or("md", |(_, extension)| extension);
    let format = Format::parse(extension).ok_or_else(|| {
        Refusal::bad(format!("Invalid template: {file_name:?} is neither Markdown (.md) nor HTML (.html)"))
    })?;
    let content = String::from_utf8(form.bytes.clone());
    let content = content.map_err(|_| Refusal::bad("Invalid template: the file is no text in UTF-8"))?;
    let number = |name: &str| form.text(name).and_then(|text| text.trim().parse::<i64>().ok());
    let sort = number("report_type").or_else(|| number("report_type_id"));
    let text = |name: &str| json!(form.text(name).unwrap_or_default());
    let name = form.text("report_name").unwrap_or_default().to_owned();
    let today = moment::date(asking.app.now());
    asking
        .look(move |world| match sort.and_then(|id| world.row(LookUpKind::ReportType, id)) {
            Some(_) => Ok(()),
            None => Err(Refusal::bad(LookUpKind::ReportType.info().not_found)),
        })
        .await?;
    let body = Body::from_iter([
        ("description".to_owned(), text("report_description")),
        ("internal_reference".to_owned(), text("report_internal_reference")),
        ("naming_format".to_owned(), text("report_name_format")),
        ("language_id".to_owned(), json!(number("report_language"))),
        ("report_type_id".to_owned(), json!(sort)),
        ("format".to_owned(), json!(format.extension())),
        ("content".to_owned(), json!(content)),
        ("date_created".to_owned(), json!(today)),
        ("created_by_user_id".to_owned(), json!(asking.user.id)),
    ]);
    let missing = KIND.info().not_found;
    let row = asking.keep(missing, move |store, by| store.put_look_up(KIND, None, &name, body, by)).await?;
    asking.look(move |world| Ok(Success::new("Template added", Value::Object(record(&row, world))))).await
}

fn record(row: &LookUpRow, world: &CaseWorld<'_>) -> Body {
    let named = |column: &str, kind| row.body.get(column).and_then(Value::as_i64).and_then(|id| world.row(kind, id));
    let sort = named("report_type_id", LookUpKind::ReportType).map(|row| row.name);
    let author = named("created_by_user_id", LookUpKind::User).map(|row| row.text("user_name").to_owned());
    let mut record = match row.render() {
        Value::Object(record) => record,
        _ => Body::new(),
    };
    record.remove("content");
    record.insert("report_id".to_owned(), json!(row.id));
    record.insert("type_name".to_owned(), json!(sort));
    record.insert("created_by".to_owned(), json!(author));
    record
}

/// The template of that number, if it makes reports of that sort.
fn template(kind: ReportKind, id: i64, world: &CaseWorld<'_>) -> Result<LookUpRow, Refusal> {
    let sort = match kind {
        ReportKind::Investigation => 1,
        ReportKind::Activities => 2,
    };
    let found = world.row(KIND, id).filter(|row| row.body.get("report_type_id").and_then(Value::as_i64) == Some(sort));
    found.ok_or_else(|| Refusal::unknown(KIND.info().not_found))
}

/// What the template sees.
fn tree(world: &CaseWorld<'_>, case_id: i64, user: &str, now: tenter_model::Timestamp) -> Result<Value, Refusal> {
    let target = ObjectRef { kind: ObjectKind::Case, id: case_id };
    let case = world.object_in(target, None).ok_or_else(|| Refusal::no_object(target))?;
    let name = |id| world.row(LookUpKind::User, id).map(|row| row.text("user_name").to_owned()).unwrap_or_default();
    let lines = world.activities(case_id, ACTIVITIES).into_iter().filter(|line| line.shown);
    let activities: Vec<Activity> = lines
        .map(|line| Activity {
            at: line.at,
            user: name(line.user_id),
            text: line.text,
            typed: line.typed,
            from_api: line.from_api,
        })
        .collect();
    let objects = |kind| world.objects(kind, Some(case_id));
    Ok(context(&Sources { joins: world, case: &case, objects: &objects, activities: &activities, user, now }))
}
