//! Users and groups of case management, and which cases they may see.
//!
//! Nobody signs in here with a password: a user is who a token stands for. A new user gets one, which may work on cases
//! and nothing else; its text is in the answer and nowhere after that. What a user may do beyond cases is a matter of
//! the token, so that permissions of groups are kept for clients and decide nothing; [`has_permission`] answers from
//! the token.

use std::collections::{BTreeMap, BTreeSet};

use axum::Extension;
use serde_json::{Value, json};
use tenter_model::case::{
    Body, CaseObject, FieldErrors, LookUpKind, LookUpRow, ObjectKind, ObjectRef, Relation, render::Joins as _,
    seed::FIRST,
};
use tenter_store::{AccessLevel, CaseWorld, Who};

use crate::auth::{Area, Caller, Scopes, role_for};

use super::admin::{made, name, required, row, write};
use super::{Answer, Ask, Asking, Refusal, Success};

/// What the token of a new user may do.
const SCOPES: [&str; 2] = ["case-read", "case-write"];
/// Permissions of IRIS and what a token needs for each.
const PERMISSIONS: [(&str, i64, Area); 12] = [
    ("standard_user", 0x1, Area::CaseRead),
    ("server_administrator", 0x2, Area::CaseAdmin),
    ("alerts_read", 0x4, Area::CaseRead),
    ("alerts_write", 0x8, Area::CaseWrite),
    ("alerts_delete", 0x10, Area::CaseWrite),
    ("search_across_cases", 0x20, Area::CaseRead),
    ("customers_read", 0x40, Area::CaseRead),
    ("customers_write", 0x80, Area::CaseAdmin),
    ("case_templates_read", 0x100, Area::CaseRead),
    ("case_templates_write", 0x200, Area::CaseAdmin),
    ("activities_read", 0x400, Area::CaseRead),
    ("all_activities_read", 0x800, Area::CaseAdmin),
];
/// Names of levels of access.
const LEVELS: [(&str, AccessLevel); 3] =
    [("deny_all", AccessLevel::None), ("read_only", AccessLevel::Read), ("full_access", AccessLevel::Full)];

/// `POST /user/has-permission`
pub(in crate::api) async fn has_permission(Extension(caller): Extension<Caller>, ask: Ask) -> Answer {
    let (name, value) = (ask.body.get("permission_name"), ask.body.get("permission_value"));
    let asked = |(known, number, _): &&(&str, i64, Area)| {
        name.map_or_else(|| value.and_then(Value::as_i64) == Some(*number), |name| name == *known)
    };
    let Some((_, _, area)) = PERMISSIONS.iter().find(asked) else {
        return Err(Refusal::bad("Invalid permission: permission_name is none that is known"));
    };
    if caller.role.is_some_and(|role| role >= area.role()) && caller.scopes.allow(*area, None) {
        Ok(Success::done("Permission granted"))
    } else {
        Err(Refusal::forbidden(&format!("the token does not have the scope {}", area.name())))
    }
}

/// `GET /manage/users/list`
pub(in crate::api) async fn users(asking: Asking) -> Answer {
    asking
        .look(|world| Ok(Success::of(world.rows(LookUpKind::User).iter().map(LookUpRow::render).collect::<Value>())))
        .await
}

/// `GET /manage/users/{row_id}`: with groups, customers and cases.
pub(in crate::api) async fn show_user(asking: Asking) -> Answer {
    let id = asking.id("row_id")?;
    asking.look(move |world| Ok(Success::of(whole_user(id, world)?))).await
}

/// `POST /manage/users/add`: the answer has the token of the user, this once.
pub(in crate::api) async fn add_user(ask: Ask) -> Answer {
    let kind = LookUpKind::User;
    let login = name(kind, &ask.body)?.ok_or_else(|| required(kind))?;
    if !login.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@')) {
        let expected = "A login has letters, digits and . - _ @ alone.";
        return Err(Refusal::fields(&FieldErrors::one(kind.info().label, expected)));
    }
    let mut body = columns(&ask.body)?;
    if body.get("user_name").and_then(Value::as_str).is_none_or(|name| name.trim().is_empty()) {
        return Err(Refusal::fields(&FieldErrors::one("user_name", "Missing data for required field.")));
    }
    body.insert("user_active".to_owned(), json!(true));
    let service = ask.body.get("user_is_service_account").and_then(Value::as_bool).unwrap_or(false);
    body.insert("user_is_service_account".to_owned(), json!(service));
    body.extend(made(&ask, kind)?);
    let row = write(&ask, kind, None, login, body).await?;
    let (now, actor, id, label) = (ask.app.now(), ask.context().actor, row.id, format!("of user {}", row.name));
    let token = ask.app.write(move |_, tokens| {
        let scopes = Scopes::parse(SCOPES).map_err(crate::auth::TokenError::Unclear)?;
        let role = role_for(None, &scopes).map_err(crate::auth::TokenError::Unclear)?;
        let token = tokens.create(&actor, role, &scopes, &label, None, now)?;
        tokens.bind(&actor, &token, id, now).map(|()| token)
    });
    let token = token.await?;
    let mut record = row.render();
    if let Value::Object(record) = &mut record {
        record.insert("user_api_key".to_owned(), json!(token));
        // Under these names too, as IRIS has them in this answer alone.
        for (name, column) in [("id", "user_id"), ("uuid", "user_uuid"), ("active", "user_active")] {
            let value = record.get(column).cloned().unwrap_or(Value::Null);
            record.insert(name.to_owned(), value);
        }
        for (name, value) in
            [("has_deletion_confirmation", json!(false)), ("external_id", Value::Null), ("in_dark_mode", Value::Null)]
        {
            record.insert(name.to_owned(), value);
        }
    }
    Ok(Success::new("User created", record))
}

/// `POST /manage/users/update/{row_id}`
pub(in crate::api) async fn update_user(ask: Ask) -> Answer {
    let kind = LookUpKind::User;
    let id = ask.id("row_id")?;
    let before = row(&ask, kind, id).await?;
    let login = name(kind, &ask.body)?.unwrap_or(before.name);
    let mut body = before.body;
    body.extend(columns(&ask.body)?);
    let row = write(&ask, kind, Some(id), login, body).await?;
    Ok(Success::new("User updated", row.render()))
}

/// `GET /manage/users/activate/{row_id}` and `deactivate`: tokens of a user who is not active are refused.
pub(in crate::api) async fn set_active(active: bool, asking: Asking) -> Answer {
    let kind = LookUpKind::User;
    let id = asking.id("row_id")?;
    if !active && id == FIRST {
        return Err(Refusal::bad("the first user cannot be deactivated: operators act as it"));
    }
    let before = row(&asking, kind, id).await?;
    let mut body = before.body;
    body.insert("user_active".to_owned(), json!(active));
    let row = write(&asking, kind, Some(id), before.name, body).await?;
    Ok(Success::new(if active { "User activated" } else { "User deactivated" }, row.render()))
}

/// `POST /manage/users/{row_id}/groups/update` and `customers/update`.
pub(in crate::api) async fn set_memberships(relation: Relation, ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    let field = if relation == Relation::UserGroup { "groups_membership" } else { "customers_membership" };
    let ids = ids(&ask.body, field)?;
    let missing = "Invalid user ID, or an ID of the list is none";
    ask.keep(missing, move |store, by| store.set_memberships(relation, id, ids, by)).await?;
    ask.look(move |world| Ok(Success::new("User memberships updated", whole_user(id, world)?))).await
}

/// `POST /manage/users/{row_id}/cases-access/update`
pub(in crate::api) async fn set_user_access(ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    row(&ask, LookUpKind::User, id).await?;
    set_access(&ask, Who::User(id)).await?;
    ask.look(move |world| Ok(Success::new("Cases access of the user updated", whole_user(id, world)?))).await
}

/// `GET /manage/access-control/audit/users/{row_id}`: each case that the user may see, and why.
pub(in crate::api) async fn trace(asking: Asking) -> Answer {
    let id = asking.id("row_id")?;
    asking
        .look(move |world| {
            world.row(LookUpKind::User, id).ok_or_else(|| Refusal::bad(LookUpKind::User.info().not_found))?;
            let said = |who| world.access_of(who).into_iter().collect::<BTreeMap<_, _>>();
            let own = said(Who::User(id));
            let groups: Vec<_> = world
                .far(Relation::UserGroup, id)
                .into_iter()
                .map(|group| (group, world.row(LookUpKind::Group, group).map(|row| row.name), said(Who::Group(group))))
                .collect();
            let mut cases = Body::new();
            for case in world.objects(ObjectKind::Case, None) {
                let mut why = Vec::new();
                let own = own.get(&case.target.id);
                why.extend(own.map(|level| json!({"inherited_from": "user", "state": level_name(*level)})));
                for (group, name, said) in groups.iter().filter(|_| own.is_none()) {
                    why.extend(said.get(&case.target.id).map(|level| {
                        json!({"inherited_from": "group", "group_id": group, "name": name, "state": level_name(*level)})
                    }));
                }
                if !why.is_empty() {
                    let level = world.level(id, case.target.id);
                    let record = json!({
                        "case_info": {"case_id": case.target.id, "case_name": case.label()},
                        "user_access": why,
                        "user_effective_access": [{"name": level_name(level), "value": level as i64}],
                    });
                    cases.insert(case.target.id.to_string(), record);
                }
            }
            Ok(Success::of(json!({"access_audit": cases})))
        })
        .await
}

/// `GET /manage/access-control/recompute-…`: access is looked up at each request, so that there is nothing to recompute.
pub(in crate::api) async fn recompute(asking: Asking) -> Answer {
    if !asking.text("row_id").is_empty() {
        row(&asking, LookUpKind::User, asking.id("row_id")?).await?;
    }
    Ok(Success::done("Access is looked up at each request and is as it was set"))
}

/// `GET /manage/groups/list`
pub(in crate::api) async fn groups(asking: Asking) -> Answer {
    asking
        .look(|world| {
            let rows = world.rows(LookUpKind::Group);
            Ok(Success::of(rows.iter().map(|row| group(row, world)).collect::<Value>()))
        })
        .await
}

/// `GET /manage/groups/{row_id}`
pub(in crate::api) async fn show_group(asking: Asking) -> Answer {
    let id = asking.id("row_id")?;
    group_of(&asking, id, "").await
}

/// `POST /manage/groups/add`
pub(in crate::api) async fn add_group(ask: Ask) -> Answer {
    let kind = LookUpKind::Group;
    let name = name(kind, &ask.body)?.ok_or_else(|| required(kind))?;
    let mut body = group_columns(&ask.body)?;
    body.insert("group_auto_follow".to_owned(), json!(false));
    body.insert("group_auto_follow_access_level".to_owned(), json!(0));
    body.extend(made(&ask, kind)?);
    let row = write(&ask, kind, None, name, body).await?;
    group_of(&ask, row.id, "Group added").await
}

/// `POST /manage/groups/update/{row_id}`
pub(in crate::api) async fn update_group(ask: Ask) -> Answer {
    let kind = LookUpKind::Group;
    let id = ask.id("row_id")?;
    let before = row(&ask, kind, id).await?;
    let name = name(kind, &ask.body)?.unwrap_or(before.name);
    let mut body = before.body;
    body.extend(group_columns(&ask.body)?);
    write(&ask, kind, Some(id), name, body).await?;
    group_of(&ask, id, "Group updated").await
}

/// `POST /manage/groups/delete/{row_id}`
pub(in crate::api) async fn delete_group(ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    if id == FIRST {
        return Err(Refusal::bad("the first group cannot be deleted: new cases are open to it"));
    }
    let kind = LookUpKind::Group;
    ask.keep(kind.info().not_found, move |store, by| store.remove_look_up(kind, id, by)).await?;
    Ok(Success::done("Group deleted"))
}

/// `POST /manage/groups/{row_id}/members/update`: these users are its members, and no others.
pub(in crate::api) async fn set_members(ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    row(&ask, LookUpKind::Group, id).await?;
    let wanted: BTreeSet<i64> = ids(&ask.body, "group_members")?.into_iter().collect();
    let changes = ask
        .look(move |world| {
            if wanted.iter().any(|user| world.row(LookUpKind::User, *user).is_none()) {
                return Err(Refusal::fields(&FieldErrors::one("group_members", "Invalid user ID")));
            }
            let members: BTreeSet<i64> = world.members(id).into_iter().collect();
            let changes = wanted.symmetric_difference(&members).map(|user| {
                let mut groups = world.far(Relation::UserGroup, *user);
                if wanted.contains(user) {
                    groups.push(id);
                } else {
                    groups.retain(|group| *group != id);
                }
                (*user, groups)
            });
            Ok(changes.collect::<Vec<_>>())
        })
        .await?;
    for (user, groups) in changes {
        let missing = LookUpKind::User.info().not_found;
        ask.keep(missing, move |store, by| store.set_memberships(Relation::UserGroup, user, groups, by)).await?;
    }
    group_of(&ask, id, "Group members updated").await
}

/// `POST /manage/groups/{row_id}/cases-access/update`: `auto_follow` opens new cases to the group too.
pub(in crate::api) async fn set_group_access(ask: Ask) -> Answer {
    let kind = LookUpKind::Group;
    let id = ask.id("row_id")?;
    let before = row(&ask, kind, id).await?;
    let level = set_access(&ask, Who::Group(id)).await?;
    let mut body = before.body;
    let follows = ask.body.get("auto_follow").and_then(Value::as_bool).unwrap_or(false);
    body.insert("group_auto_follow".to_owned(), json!(follows));
    body.insert("group_auto_follow_access_level".to_owned(), json!(if follows { level as i64 } else { 0 }));
    write(&ask, kind, Some(id), before.name, body).await?;
    group_of(&ask, id, "Cases access of the group updated").await
}

/// Sets what somebody may do with the cases of a request.
async fn set_access(ask: &Ask, who: Who) -> Result<AccessLevel, Refusal> {
    let number = ask.body.get("access_level").and_then(Value::as_i64);
    let level = LEVELS.iter().map(|(_, level)| *level).find(|level| Some(*level as i64) == number);
    let Some(level) = level else {
        let expected = "Expected 1 (none), 2 (read) or 4 (full).";
        return Err(Refusal::fields(&FieldErrors::one("access_level", expected)));
    };
    let cases = ids(&ask.body, "cases_list")?;
    let wanted = cases.clone();
    ask.look(move |world| {
        let exists = |id: &i64| world.object_in(ObjectRef { kind: ObjectKind::Case, id: *id }, None).is_some();
        let all = wanted.iter().all(exists);
        if all { Ok(()) } else { Err(Refusal::fields(&FieldErrors::one("cases_list", "Invalid case ID"))) }
    })
    .await?;
    for case in cases {
        ask.keep("Invalid case ID", move |store, by| store.set_case_access(who, case, Some(level), by)).await?;
    }
    Ok(level)
}

async fn group_of(asking: &Asking, id: i64, message: &'static str) -> Answer {
    asking
        .look(move |world| {
            let found = world.row(LookUpKind::Group, id);
            let row = found.ok_or_else(|| Refusal::bad(LookUpKind::Group.info().not_found))?;
            Ok(Success::new(message, group(&row, world)))
        })
        .await
}

fn group(row: &LookUpRow, world: &CaseWorld<'_>) -> Value {
    let permissions = row.body.get("group_permissions").and_then(Value::as_i64).unwrap_or(0);
    let held = PERMISSIONS.iter().filter(|(_, number, _)| permissions & number != 0);
    let members = world.members(row.id).into_iter().filter_map(|id| world.row(LookUpKind::User, id));
    let mut record = row.render();
    if let Value::Object(record) = &mut record {
        record.insert("group_permissions".to_owned(), json!(permissions));
        let list = held.map(|(name, value, _)| json!({"name": name, "value": value})).collect();
        record.insert("group_permissions_list".to_owned(), list);
        let members = members.map(|user| json!({"id": user.id, "user": user.name, "name": user.text("user_name")}));
        record.insert("group_members".to_owned(), members.collect());
        record.insert("group_cases_access".to_owned(), access(world, Who::Group(row.id)));
    }
    record
}

fn whole_user(id: i64, world: &CaseWorld<'_>) -> Result<Value, Refusal> {
    let row = world.row(LookUpKind::User, id).ok_or_else(|| Refusal::bad(LookUpKind::User.info().not_found))?;
    let named = |relation, kind: LookUpKind| -> Value {
        let rows = world.far(relation, id).into_iter().filter_map(|id| world.row(kind, id));
        rows.map(|row| json!({kind.info().id: row.id, kind.info().label: row.name})).collect()
    };
    let mut record = row.render();
    if let Value::Object(record) = &mut record {
        record.insert("user_groups".to_owned(), named(Relation::UserGroup, LookUpKind::Group));
        record.insert("user_customers".to_owned(), named(Relation::UserCustomer, LookUpKind::Customer));
        record.insert("user_cases_access".to_owned(), access(world, Who::User(id)));
        record.insert("user_organisations".to_owned(), json!([]));
        record.insert("user_permissions".to_owned(), json!({}));
    }
    Ok(record)
}

/// What was said about somebody's access to cases.
fn access(world: &CaseWorld<'_>, who: Who) -> Value {
    let name = |id| {
        world.object_in(ObjectRef { kind: ObjectKind::Case, id }, None).map(|case: CaseObject| case.label().to_owned())
    };
    let said = world.access_of(who).into_iter().map(|(case_id, level)| {
        json!({
            "case_id": case_id, "case_name": name(case_id), "access_level": level as i64,
            "access_level_list": [{"name": level_name(level), "value": level as i64}],
        })
    });
    said.collect()
}

fn level_name(level: AccessLevel) -> &'static str {
    LEVELS.iter().find(|(_, known)| *known == level).map_or("deny_all", |(name, _)| name)
}

/// What a request says of a user.
fn columns(body: &Body) -> Result<Body, Refusal> {
    let mut out = Body::new();
    for column in ["user_name", "user_email"] {
        match body.get(column) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().count() <= 256 => {
                out.insert(column.to_owned(), json!(text.trim()));
            }
            Some(_) => {
                return Err(Refusal::fields(&FieldErrors::one(column, "Expected text of at most 256 characters.")));
            }
        }
    }
    Ok(out)
}

/// What a request says of a group. Permissions are a list of numbers of which each is one.
fn group_columns(body: &Body) -> Result<Body, Refusal> {
    let mut out = Body::new();
    if let Some(text) = body.get("group_description").filter(|text| !text.is_null()) {
        let text = text
            .as_str()
            .ok_or_else(|| Refusal::fields(&FieldErrors::one("group_description", "Not a valid string.")))?;
        out.insert("group_description".to_owned(), json!(text));
    }
    if let Some(given) = body.get("group_permissions").filter(|given| !given.is_null()) {
        let numbers = given.as_array().and_then(|list| list.iter().map(Value::as_i64).collect::<Option<Vec<_>>>());
        let sum = numbers.map(|numbers| numbers.into_iter().fold(0, |sum, number| sum | number)).or(given.as_i64());
        let wrong = || Refusal::fields(&FieldErrors::one("group_permissions", "Expected a list of numbers."));
        out.insert("group_permissions".to_owned(), json!(sum.ok_or_else(wrong)?));
    }
    Ok(out)
}

fn ids(body: &Body, field: &str) -> Result<Vec<i64>, Refusal> {
    let list = body.get(field).and_then(Value::as_array);
    let ids = list.and_then(|list| list.iter().map(Value::as_i64).collect::<Option<Vec<_>>>());
    ids.ok_or_else(|| Refusal::fields(&FieldErrors::one(field, "Expected a list of IDs.")))
}
