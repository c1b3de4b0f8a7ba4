use super::*;
use crate::bindings::schedule::exports::tenter::hooks::schedule::Timing;

type Test = Registrar<()>;

fn ids(on: &Test) -> Vec<&str> {
    on.ids().into_iter().map(|(_, _, id)| id).collect()
}

fn wrong(on: &Test) -> String {
    on.check(&["ingest", "schedule", "cases"]).unwrap_err().to_string()
}

#[test]
fn two_subscriptions_about_the_same_need_ids() {
    let mut on = Test::new();
    on.on_entity_creation("ip", |(), _| ());
    on.on_entity_creation("IP", |(), _| ());
    assert_eq!(
        wrong(&on),
        "failed: two subscriptions have the id \"on-entity-creation:ip\"; give one of them another with `.id(...)`"
    );
    let mut on = Test::new();
    on.on_entity_creation("ip", |(), _| ());
    on.on_entity_creation("ip", |(), _| ()).id("second");
    assert_eq!(on.check(&["ingest"]), Ok(()));
}

#[test]
fn ids_follow_the_hosts_rule() {
    for id in ["", "A", "-a", "a b", &"x".repeat(65)] {
        let mut on = Test::new();
        on.on_task_start(|(), _| Ok(())).id(id);
        assert!(wrong(&on).contains("is not valid: expected a lower-case letter or digit"), "{id}");
    }
    let mut on = Test::new();
    on.on_new_attribute(format!("x{}", "y".repeat(127)), "Open Ports", |(), _, _| ());
    assert_eq!(ids(&on)[0].len(), 64, "a default id is cut, never refused");
    assert_eq!(on.check(&["ingest"]), Ok(()));
}

#[test]
fn a_family_that_is_not_exported_is_named() {
    let mut on = Test::new();
    on.update_entity("ip", 60, |(), _| ());
    assert_eq!(
        wrong(&on),
        "failed: subscription \"update-entity:ip\" needs the family `update`, which the component does not export; \
         add it: `tenter_sdk::export!(...: update)`"
    );
}

#[test]
fn timers_with_different_fields_have_different_ids() {
    let mut on = Test::new();
    on.cron(Cron::new().minute("*/5"), |(), _| Ok(()));
    on.cron(Cron::new().minute("5"), |(), _| Ok(()));
    on.cron(Cron::new().hour("5").timezone("Europe/Prague"), |(), _| Ok(())).grace(9);
    on.once_at_start(|(), _| Ok(())).arguments(&serde_json::json!([1]));
    assert_eq!(ids(&on), ["cron:mi.any.by.5", "cron:mi.5", "cron:h.5", "cron:once-at-start"]);
    assert_eq!(on.check(&["schedule"]), Ok(()));
    assert_eq!(on.cron[2].details.grace_seconds, 9);
    assert_eq!(on.cron[3].details.arguments, "[1]");
    assert!(matches!(&on.cron[2].details.timing, Timing::Fields(f) if f.timezone == "Europe/Prague"));
}

#[test]
fn refinements_reach_the_contract() {
    let mut on = Test::new();
    on.on_new_attribute("ip", "a", |(), _, _| ()).refresh(["b.c", "d"]);
    on.correlate("ip", [["site", "name"]], ["label"], |(), _| ()).whole();
    on.after("ioc", "*", |(), _, _, _| Ok(Outcome::nothing())).synchronous();
    assert_eq!(on.on_new_attribute[0].details.may_change, [vec!["b", "c"], vec!["d"]]);
    assert!(on.on_new_attribute[0].details.refresh && on.correlate[0].details.whole && on.after[0].details.synchronous);
    assert_eq!(on.correlate[0].details.depends_on, [["site", "name"]]);
    assert_eq!(on.after[0].details.action, None);
}

#[test]
fn an_operators_registration_finds_the_fitting_handler() {
    let mut on = Test::new();
    on.before("ioc", "create", |(), _, _, _| Ok(Judgement::Unchanged));
    on.before("note", "*", |(), _, _, _| Ok(Judgement::Unchanged));
    let found = |id: &str, object: &str| {
        find_case(&on.before, "before", id, |d| d.object.as_deref() == Some(object)).map(|h| h.id.clone())
    };
    assert_eq!(found("operator:on_preload_note_create", "note").as_deref(), Ok("before:note.any"));
    assert_eq!(found("operator:on_preload_case_create", "case").as_deref(), Ok("before:ioc.create"));
    assert_eq!(found("other", "note"), Err(HookError::failed("no handler for before subscription \"other\"")));
}
