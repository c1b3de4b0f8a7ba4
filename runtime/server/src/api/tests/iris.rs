//! Who may do what with which case: every route of IRIS's API that is about one, asked by users with less and more access.

use std::collections::HashSet;
use std::path::Path;

use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tenter_model::case::{Acting, Body, LookUpKind, seed};
use tenter_store::{AccessLevel, CaseActor, StoreError, Who};
use tower::ServiceExt as _;

use super::super::routes::{Route, table};
use super::super::shape::Shape;
use super::Place;
use crate::auth::{Area, Role, Scopes};

impl Place {
    /// A user with a token of an analyst.
    fn analyst(&self, login: &'static str, active: bool) -> (i64, String) {
        let body = Body::from_iter([("user_active".to_owned(), json!(active))]);
        let by = self.by();
        let user = self.app.write(move |store, _| store.put_look_up(LookUpKind::User, None, login, body, by));
        let user = self.runtime.block_on(user).unwrap().id;
        let (now, tokens) = (self.app.now(), self.app.tokens());
        let token = tokens.create("test", Role::Analyst, &Scopes::default(), login, None, now).unwrap();
        tokens.bind("test", &token, user, now).unwrap();
        (user, token)
    }

    fn let_in(&self, user: i64, level: AccessLevel) {
        let by = self.by();
        let set = self.app.write::<_, StoreError>(move |store, _| {
            store.set_case_access(Who::User(user), seed::FIRST, Some(level), by)
        });
        self.runtime.block_on(set).unwrap();
    }

    fn by(&self) -> CaseActor {
        CaseActor { acting: Acting { user_id: seed::FIRST, now: self.app.now() }, name: "test".into(), from_api: false }
    }
}

/// Routes that are about a case, those that are gone apart.
fn about_a_case(row: &Route) -> bool {
    let begins = |start: &str| row.path.starts_with(start);
    let gone = row.operation.more.iter().any(|(status, _)| *status == 410);
    !gone && (begins("/case/") || begins("/datastore/") || (begins("/manage/cases/") && row.path.contains('{')))
}

/// A path of that form about the first case and what would be the first object of its sort.
fn first(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}

#[test]
fn a_case_is_open_to_those_alone_who_have_access() {
    let place = Place::new("127.0.0.1:5000");
    let (bob, token) = place.analyst("bob", true);
    let seen = || place.answer("GET", "/manage/cases/1", None, "").1["data"].clone();
    let before = seen();
    let mut asked = 0;
    for level in [AccessLevel::None, AccessLevel::Read] {
        place.let_in(bob, level);
        for row in table().iter().filter(|row| about_a_case(row)) {
            let (status, answer) = place.answer(row.method.as_str(), &first(row.path), Some(&token), "{}");
            let denied = level == AccessLevel::None || row.needs != Some(Area::CaseRead);
            let at = format!("{} {} with {level:?}: {status} {answer}", row.method, row.path);
            assert_eq!(status == StatusCode::FORBIDDEN, denied, "{at}");
            if denied {
                assert_eq!(
                    (&answer["message"], &answer["data"]["user_id"]),
                    (&json!("Permission denied"), &json!(bob)),
                    "{at}"
                );
            }
            asked += 1;
        }
    }
    assert!(asked > 80, "{asked}");
    assert_eq!(seen(), before);
    place.let_in(bob, AccessLevel::Full);
    let (status, answer) =
        place.answer("POST", "/case/summary/update", Some(&token), r#"{"case_description": "bob's"}"#);
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(seen()["case_description"], "bob's");
}

#[test]
fn cases_are_listed_for_those_who_may_see_them() {
    let place = Place::new("127.0.0.1:5000");
    let (bob, token) = place.analyst("bob", true);
    let levels = || -> Vec<Value> {
        let (_, answer) = place.answer("GET", "/manage/cases/list", Some(&token), "");
        answer["data"].as_array().unwrap().iter().map(|case| case["access_level"].clone()).collect()
    };
    assert_eq!(levels(), Vec::<Value>::new());
    place.let_in(bob, AccessLevel::Read);
    assert_eq!(levels(), [json!(2)]);
    // Who makes a case may do everything with it.
    let case = json!({"case_name": "His", "case_description": "own", "case_soc_id": "", "case_customer": 1});
    let (status, made) = place.answer("POST", "/manage/cases/add", Some(&token), &case.to_string());
    assert_eq!(status, StatusCode::OK, "{made}");
    assert_eq!(levels(), [json!(2), json!(4)]);
}

#[test]
fn a_user_who_is_not_active_is_nobody() {
    let place = Place::new("127.0.0.1:5000");
    let (_, token) = place.analyst("eve", false);
    let (status, answer) = place.answer("GET", "/api/ping", Some(&token), "");
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    insta::assert_snapshot!(answer["message"].as_str().unwrap(), @"Authentication required: the user eve is not active");

    // An operator's token that was made for somebody does not become one of the first user when that one goes.
    let (bob, _) = place.analyst("bob", true);
    let (now, tokens, by) = (place.app.now(), place.app.tokens(), place.by());
    let token = tokens.create("test", Role::Operator, &Scopes::default(), "", None, now).unwrap();
    tokens.bind("test", &token, bob, now).unwrap();
    assert_eq!(place.answer("GET", "/api/ping", Some(&token), "").0, StatusCode::OK);
    let gone = place.app.write(move |store, _| store.remove_look_up(LookUpKind::User, bob, by));
    place.runtime.block_on(gone).unwrap();
    let (status, answer) = place.answer("GET", "/api/ping", Some(&token), "");
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    insta::assert_snapshot!(answer["message"].as_str().unwrap(), @"Authentication required: the user that this token stood for is no more");
}

#[test]
fn pages_of_other_sites_do_not_read_cases() {
    let place = Place::new("127.0.0.1:5000");
    let status = |path: &str, header: &'static str, value: &'static str| {
        let request = Request::builder().uri(path).header("host", "localhost:5000").header(header, value);
        let request = request.body(axum::body::Body::empty()).unwrap();
        place.runtime.block_on(place.router.clone().oneshot(request)).unwrap().status().as_u16()
    };
    for row in table().iter().filter(|row| row.shape() == Shape::Iris && row.method == "GET") {
        let path = first(row.path);
        assert_eq!(status(&path, "origin", "https://evil.example"), 403, "{path}");
        assert_eq!(status(&path, "sec-fetch-site", "cross-site"), 403, "{path}");
    }
    assert_eq!(status("/manage/cases/list", "origin", "http://localhost:5000"), 200);
    assert_eq!(status("/entities", "origin", "https://evil.example"), 200, "DP³'s pages read from anywhere");
}

#[test]
fn every_route_of_iris_has_rows_in_the_tables_of_behaviours() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/iris_api");
    let routes: Vec<Route> = table().into_iter().filter(|row| row.shape() == Shape::Iris).collect();
    let mut met = HashSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let (method, target) = row["ask"].as_str().unwrap().split_once(' ').unwrap();
            let path = target.split('?').next().unwrap().trim_start_matches('/');
            let fits = |route: &&Route| {
                let (own, asked) = (route.path.trim_start_matches('/').split('/'), path.split('/'));
                route.method == method
                    && own.clone().count() == asked.clone().count()
                    && own.zip(asked).all(|(own, asked)| own.starts_with('{') || own == asked)
            };
            // Words go before numbers, as in the router.
            let route = routes.iter().filter(fits).min_by_key(|route| route.path.matches('{').count());
            met.extend(route.map(|route| (route.method.clone(), route.path)));
        }
    }
    let missing: Vec<String> = routes
        .iter()
        .filter(|route| !met.contains(&(route.method.clone(), route.path)))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert!(missing.is_empty(), "no row of tests/e2e/iris_api/*.jsonl asks {missing:#?}");
}
