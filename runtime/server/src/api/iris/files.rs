//! The datastore: folders and files of a case, in the shapes that clients of IRIS read.
//!
//! A file that is an indicator or a piece of evidence becomes an object of that kind too, through the service of cases,
//! so that modules judge it and learn of it. The file is there first: should a module refuse the object, the file stays
//! without that mark and the answer says why.

mod body;

use axum::extract::Request;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use tenter_engine::case::CreateRequest;
use tenter_model::case::moment::iso;
use tenter_model::case::{Body, FieldErrors, LookUpKind, ObjectKind};
use tenter_store::{FileRow, FileWords, FolderRow, Store};

use crate::api::error::ApiError;
use crate::modules::signature::hex;

use super::form::{Form, Keep, drain};
use super::{Answer, Ask, Asking, Refusal, Success};

use body::FileBody;

const NO_FOLDER: &str = "Invalid path node for this case";
const NO_FILE: &str = "Unable to get requested file ID";
/// The mark for sharing that an indicator of a file gets: amber.
const TLP: i64 = 2;

/// `GET /datastore/list/tree`
pub(in crate::api) async fn tree(asking: Asking) -> Answer {
    let case_id = asking.case_id;
    let (folders, files) = asking.see(move |world| Ok((world.folders(case_id), world.files(case_id)))).await?;
    let (folders, files) = if folders.is_empty() {
        // The first look makes the folder that all others will be in.
        let random = random()?;
        let root = asking.keep(NO_FOLDER, move |store, by| store.root_folder(case_id, random, by)).await?;
        (vec![root], Vec::new())
    } else {
        (folders, files)
    };
    Ok(Success::of(branch(None, &folders, &files)))
}

/// `POST /datastore/folder/add`
pub(in crate::api) async fn add_folder(ask: Ask) -> Answer {
    ask.may_change().await?;
    let (parent, name) = (number(&ask.body, "parent_node")?, name(&ask.body)?);
    let (case_id, random) = (ask.case_id, random()?);
    let made = ask.keep(NO_FOLDER, move |store, by| store.add_folder(case_id, parent, &name, random, by)).await?;
    Ok(Success::new("Folder added", folder(&made)))
}

/// `POST /datastore/folder/rename/{node_id}`
pub(in crate::api) async fn rename_folder(ask: Ask) -> Answer {
    ask.may_change().await?;
    let (id, name) = (ask.id("node_id")?, name(&ask.body)?);
    let case_id = ask.case_id;
    let renamed = ask.keep(NO_FOLDER, move |store, by| store.rename_folder(case_id, id, &name, by)).await?;
    Ok(Success::new("Folder renamed", folder(&renamed)))
}

/// `POST /datastore/folder/move/{node_id}`
pub(in crate::api) async fn move_folder(ask: Ask) -> Answer {
    ask.may_change().await?;
    let (id, parent) = (ask.id("node_id")?, number(&ask.body, "destination-node")?);
    let case_id = ask.case_id;
    let moved = ask.keep(NO_FOLDER, move |store, by| store.move_folder(case_id, id, parent, by)).await?;
    Ok(Success::new("Folder moved", folder(&moved)))
}

/// `POST /datastore/folder/delete/{node_id}`: with all in it.
pub(in crate::api) async fn delete_folder(ask: Ask) -> Answer {
    ask.may_change().await?;
    let id = ask.id("node_id")?;
    let case_id = ask.case_id;
    ask.keep(NO_FOLDER, move |store, by| store.delete_folder(case_id, id, by)).await?;
    Ok(Success::done("Folder deleted"))
}

/// `POST /datastore/file/add/{node_id}`: a form with a file, `file_content`.
pub(in crate::api) async fn add_file(asking: Asking, request: Request) -> Result<Response, Response> {
    let (case_id, found) = (asking.case_id, asking.id("node_id"));
    let may = async {
        let folder_id = found?;
        asking.may_change().await?;
        let found = asking.look(move |world| Ok(world.folder(case_id, folder_id))).await?;
        found.map(|row| row.id).ok_or_else(|| Refusal::bad(NO_FOLDER))
    };
    let folder_id = match may.await {
        Ok(id) => id,
        Err(refusal) => {
            drain(request).await;
            return Err(refusal.into_response());
        }
    };
    let mut form = Form::read(&asking.app, request, Keep::InStore).await?;
    let Some(upload) = form.upload.take() else {
        return Err(Refusal::bad_with("Data error", json!(["No file provided"])).into_response());
    };
    let added = async {
        let given =
            words(&form, FileWords { name: form.file_name.clone().unwrap_or_default(), ..FileWords::default() });
        // Marks are set once the objects are there.
        let plain = FileWords { is_ioc: false, is_evidence: false, ..given.clone() };
        let random = random()?;
        let add = move |store: &Store, by| store.add_file(case_id, folder_id, plain, upload, random, by);
        let file = asking.keep(NO_FOLDER, add).await?;
        mark(&asking, file, &given, "File added to the datastore").await
    };
    added.await.map(|success: Success| success.into_response()).map_err(|refusal: Refusal| refusal.into_response())
}

/// `POST /datastore/file/update/{node_id}`: a form with what people say of the file.
pub(in crate::api) async fn update_file(asking: Asking, request: Request) -> Result<Response, Response> {
    let form = Form::read(&asking.app, request, Keep::InMemory).await?;
    let updated = async {
        asking.may_change().await?;
        let id = asking.id("node_id")?;
        let before = find(&asking, id).await?;
        let given = words(&form, before.words.clone());
        let marks = FileWords {
            is_ioc: given.is_ioc && before.words.is_ioc,
            is_evidence: given.is_evidence && before.words.is_evidence,
            ..given.clone()
        };
        let case_id = asking.case_id;
        let file = asking.keep(NO_FILE, move |store, by| store.update_file(case_id, id, marks, by)).await?;
        mark(&asking, file, &given, "File updated in the datastore").await
    };
    updated.await.map(|success: Success| success.into_response()).map_err(|refusal: Refusal| refusal.into_response())
}

/// `POST /datastore/file/move/{node_id}`
pub(in crate::api) async fn move_file(ask: Ask) -> Answer {
    ask.may_change().await?;
    let (id, into) = (ask.id("node_id")?, number(&ask.body, "destination-node")?);
    find(&ask, id).await?;
    let case_id = ask.case_id;
    let moved = ask.keep(NO_FOLDER, move |store, by| store.move_file(case_id, id, into, by)).await?;
    Ok(Success::new("File moved", file(&moved)))
}

/// `POST /datastore/file/delete/{node_id}`
pub(in crate::api) async fn delete_file(ask: Ask) -> Answer {
    ask.may_change().await?;
    let id = ask.id("node_id")?;
    let case_id = ask.case_id;
    ask.keep(NO_FILE, move |store, by| store.delete_file(case_id, id, by)).await?;
    Ok(Success::done("File deleted"))
}

/// `GET /datastore/file/info/{node_id}`
pub(in crate::api) async fn info(asking: Asking) -> Answer {
    let id = asking.id("node_id")?;
    Ok(Success::of(file(&find(&asking, id).await?)))
}

/// `GET /datastore/file/view/{node_id}`: the content, to be saved and not to be shown: it may be anything.
pub(in crate::api) async fn view(asking: Asking) -> Result<Response, Refusal> {
    let id = asking.id("node_id")?;
    let row = find(&asking, id).await?;
    let mut response = Response::new(axum::body::Body::new(FileBody::new(asking.app.clone(), &row)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(row.size));
    headers.insert(CONTENT_DISPOSITION, saved_as(&row.words.name));
    Ok(response)
}

/// The header that has a browser save an answer under a name. What of the name is no plain letter stands in it encoded.
pub(super) fn saved_as(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Random bytes of which a uuid is made.
pub(super) fn random() -> Result<[u8; 16], Refusal> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Refusal::from(ApiError::internal(error)))?;
    Ok(random)
}

/// Makes the objects that a file is to be, and marks it as what it became.
async fn mark(asking: &Asking, row: FileRow, given: &FileWords, message: &str) -> Answer {
    let mut marked = row.words.clone();
    let mut refused = Vec::new();
    let sha256 = hex(&row.sha256);
    for (kind, wanted, done) in [
        (ObjectKind::Ioc, given.is_ioc, &mut marked.is_ioc),
        (ObjectKind::Evidence, given.is_evidence, &mut marked.is_evidence),
    ] {
        if !wanted || *done {
            continue;
        }
        let body = match kind {
            ObjectKind::Ioc => ioc(asking, &row, &sha256).await?,
            _ => evidence(&row, &sha256),
        };
        let case_id = Some(asking.case_id);
        let made = asking
            .change(move |cases, context| cases.create(CreateRequest { kind, case_id, about: None, body, context }))
            .await;
        match made {
            Ok(_) => *done = true,
            Err(refusal) => refused.push(format!("it became no {kind}: {}", refusal.message())),
        }
    }
    let row = if marked == row.words {
        row
    } else {
        let (case_id, id) = (row.case_id, row.id);
        asking.keep(NO_FILE, move |store, by| store.update_file(case_id, id, marked, by)).await?
    };
    let message = [vec![message.to_owned()], refused].concat().join("; ");
    Ok(Success::new(message, file(&row)))
}

async fn ioc(asking: &Asking, row: &FileRow, sha256: &str) -> Result<Body, Refusal> {
    let found = asking.look(|world| Ok(world.row_by_name(LookUpKind::IocType, "sha256"))).await?;
    let kind =
        found.ok_or_else(|| Refusal::bad("there is no type of indicators called sha256; add it to ioc-types"))?;
    Ok(object(json!({
        "ioc_value": sha256, "ioc_type_id": kind.id, "ioc_tlp_id": TLP, "ioc_tags": row.words.tags,
        "ioc_description": format!("SHA-256 of the file {} of the datastore", row.words.name),
    })))
}

fn evidence(row: &FileRow, sha256: &str) -> Body {
    object(json!({
        "filename": row.words.name, "file_size": row.size, "file_hash": sha256,
        "file_description": row.words.description,
    }))
}

fn object(value: Value) -> Body {
    match value {
        Value::Object(map) => map,
        _ => Body::new(),
    }
}

/// What a form says of a file; what it does not say stays as it was, but for marks.
fn words(form: &Form, before: FileWords) -> FileWords {
    let text = |name: &str, before: String| form.text(name).map_or(before, str::to_owned);
    let named = form.text("file_original_name").filter(|name| !name.is_empty()).map(str::to_owned);
    FileWords {
        name: named.unwrap_or(before.name),
        description: text("file_description", before.description),
        password: text("file_password", before.password),
        tags: text("file_tags", before.tags),
        is_ioc: form.is("file_is_ioc"),
        is_evidence: form.is("file_is_evidence"),
    }
}

async fn find(asking: &Asking, id: i64) -> Result<FileRow, Refusal> {
    let case_id = asking.case_id;
    asking.see(move |world| world.file(case_id, id).ok_or_else(|| Refusal::bad(NO_FILE))).await
}

fn number(body: &Body, field: &str) -> Result<i64, Refusal> {
    let found = match body.get(field) {
        Some(Value::String(text)) => text.trim_start_matches("d-").trim().parse().ok(),
        Some(other) => other.as_i64(),
        None => None,
    };
    found.ok_or_else(|| Refusal::fields(&FieldErrors::one(field, "Expected the number of a folder.")))
}

fn name(body: &Body) -> Result<String, Refusal> {
    let found = body.get("folder_name").and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Refusal::fields(&FieldErrors::one("folder_name", "Missing data for required field.")))
}

/// The folders and files in a folder, under their numbers behind `d-` and `f-`.
fn branch(parent: Option<i64>, folders: &[FolderRow], files: &[FileRow]) -> Value {
    let mut out = Map::new();
    for row in folders.iter().filter(|row| row.parent_id == parent) {
        out.insert(
            format!("d-{}", row.id),
            json!({
                "name": row.name, "type": "directory", "is_root": row.parent_id.is_none(),
                "children": branch(Some(row.id), folders, files),
            }),
        );
    }
    for row in files.iter().filter(|row| Some(row.folder_id) == parent) {
        let mut record = object(file(row));
        record.insert("type".to_owned(), json!("file"));
        record.insert("name".to_owned(), json!(row.words.name));
        out.insert(format!("f-{}", row.id), Value::Object(record));
    }
    Value::Object(out)
}

fn folder(row: &FolderRow) -> Value {
    json!({
        "path_id": row.id, "path_uuid": row.uuid, "path_name": row.name, "path_parent_id": row.parent_id,
        "path_is_root": row.parent_id.is_none(), "path_case_id": row.case_id,
    })
}

fn file(row: &FileRow) -> Value {
    let sha256 = hex(&row.sha256);
    json!({
        "file_id": row.id, "file_uuid": row.uuid, "file_case_id": row.case_id, "file_parent_id": row.folder_id,
        "file_original_name": row.words.name, "file_description": row.words.description,
        "file_password": row.words.password, "file_tags": row.words.tags, "file_is_ioc": row.words.is_ioc,
        "file_is_evidence": row.words.is_evidence, "file_size": row.size, "file_sha256": sha256,
        "file_date_added": iso(row.added), "added_by_user_id": row.user_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_letters_is_a_header() {
        let header = |name: &str| saved_as(name).to_str().unwrap().to_owned();
        assert_eq!(header("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
        assert_eq!(header("é\"\r\n;"), "attachment; filename=\"_____\"; filename*=UTF-8''%C3%A9%22%0D%0A%3B");
    }
}
