//! The order of hooks against the obvious way to find it, and the words of refusals.

use insta::assert_snapshot;
use tenter_model::hook::{Correlation, HookKind, Moment, Subscription};
use tenter_model::id::{ModuleName, SubscriptionId};
use tenter_model::snapshot::plan::{Plan, PlanError, Step};

use crate::support::*;

/// Everything wrong with one hook.
fn refused(etype: &str, reads: &str, sets: &str) -> String {
    let errors = planned(&[("m/h", etype, reads, sets)]).unwrap_err();
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn wrong_paths_name_the_failing_step() {
    assert_snapshot!(refused("x", "p", ""), @"hook m/h: Entity 'x' does not exist.");
    assert_snapshot!(refused("a", "b->c->yonder, p", "p->q"), @r"
    hook m/h, `depends-on`: Invalid path 'b->c->yonder', failed on 'yonder': entity 'c' has no such attribute.
    hook m/h, `may-change`: Invalid path 'p->q', failed on 'p': 'a.p' is no relation, and only the last step may be none.
    ");
    assert_snapshot!(refused("a", "nowhere->tag", "->"), @"
    hook m/h, `depends-on`: Invalid path 'nowhere->tag', failed on 'nowhere': entity 'a' has no such attribute.
    hook m/h, `may-change`: Invalid path '', expected at least one attribute.
    ");
    assert_snapshot!(refused("a", "b->tags", "q"), @"hook m/h, `depends-on`: Invalid path 'b->tags', failed on 'tags': entity 'b' has no such attribute, did you mean \"tag\"?");
}

/// DP³ raises an `AttributeError` from its own inside.
#[test]
fn bug_a_timeseries_in_a_path_is_a_clear_refusal() {
    assert_snapshot!(refused("a", "ts", ""), @"hook m/h, `depends-on`: Invalid path 'ts', failed on 'ts': 'a.ts' is a timeseries, which has no current value; let a timeseries hook return an observation and name that one.");
    assert!(refused("a", "", "a2->ts").contains("is a timeseries"));
    assert!(refused("a", "ts->p", "").contains("is a timeseries"));
}

/// DP³ accepts a mirror in a path and loses each component that has one.
#[test]
fn bug_mirrors_are_steps_like_any_other() {
    let plan = planned(&[("m/h", "b", "as->p, as->b->tag", "p")]).unwrap();
    let named: Vec<String> = plan.used_links.named().map(|(e, a)| format!("{e}.{a}")).collect();
    assert_eq!(named, ["a.b", "b.as"]);
}

#[test]
fn used_links_are_all_steps_but_the_last_of_both_lists() {
    let plan = planned(&[("m/h", "a", "b->c->z, ob, p", "bs->tag")]).unwrap();
    let named: Vec<String> = plan.used_links.named().map(|(e, a)| format!("{e}.{a}")).collect();
    assert_eq!(named, ["a.b", "a.bs", "b.c"]);
    let to = |s: &Step| s.depends_on.iter().map(|p| format!("{}.{}", p.destination().0, p.destination().1)).collect();
    let destinations: Vec<String> = to(&plan.steps[0]);
    assert_eq!(destinations, ["c.z", "a.ob", "a.p"]);
    assert!(plan.steps[0].declares("b", "tag") && !plan.steps[0].declares("a", "tag"));
}

#[test]
fn writers_run_before_readers_else_in_order_of_registration() {
    let hooks = [
        ("late/reader", "a", "b->tag", "q"),
        ("late/free", "a", "e", "m"),
        ("early/second", "b", "p", "tag"),
        ("early/first", "b", "", "p"),
    ];
    let plan = planned(&hooks).unwrap();
    assert_eq!(order(&plan), ["late/free", "early/first", "early/second", "late/reader"]);
    assert!(plan.warnings.is_empty());
    assert!(plan.find(&name("early"), &name("second")).is_some());
    assert!(plan.find(&name("early"), &name("third")).is_none());
}

#[test]
fn a_cycle_is_refused_with_its_members() {
    let hooks = [
        ("m/before", "a", "", "e"),
        ("m/one", "a", "p, e", "q"),
        ("m/two", "a", "q", "o"),
        ("n/three", "b", "as->o", "as->p"),
        ("n/after", "a", "o", "m"),
    ];
    let errors = planned(&hooks).unwrap_err();
    assert_snapshot!(errors[0], @"Hook n/three introduces a circular dependency: n/three -> a.p -> m/one -> a.q -> m/two -> a.o -> n/three. Let one of these hooks set another attribute than the next one reads");
    assert_eq!((errors.len(), errors[0].hook().to_string().as_str()), (1, "n/three"));
    let own = planned(&[("m/own", "a", "p", "p")]).unwrap_err();
    assert_snapshot!(own[0], @"Hook m/own introduces a circular dependency: m/own -> a.p -> m/own. Let one of these hooks set another attribute than the next one reads");
    // Without the one that closes it, the others stay good.
    assert!(planned(&[hooks[0], hooks[1], hooks[2], hooks[4]]).is_ok());
}

#[test]
fn duplicates_are_refused_and_shared_outputs_told() {
    let twice = planned(&[("m/h", "a", "", "p"), ("m/h", "a", "", "q")]).unwrap_err();
    assert_snapshot!(twice[0], @"hook m/h is already registered; ids are unique in a module");
    assert!(planned(&[("m/h", "a", "", "p"), ("n/h", "a", "", "q")]).is_ok());
    let shared = planned(&[("m/h", "a", "", "p, b->tag"), ("n/h", "b", "", "tag, tag")]).unwrap();
    assert_eq!(shared.warnings.len(), 1);
    assert_snapshot!(shared.warnings[0], @"several hooks set 'b.tag': m/h, n/h; the last one to run wins");
}

fn refreshing(id: &str, moment: Moment) -> (ModuleName, Subscription) {
    (name("m"), Subscription { id: name::<SubscriptionId>(id), moment })
}

#[test]
fn hooks_with_refresh_are_steps() {
    let on_attr = |attr: &str, refresh, sets| Moment::OnNewAttribute {
        etype: name("a"),
        attr: name(attr),
        refresh,
        may_change: paths(sets),
    };
    let registered = [
        correlate(("m/reads", "a", "q", "o")),
        refreshing("attr", on_attr("p", true, "q")),
        refreshing("chunk", on_attr("ts", true, "e")),
        refreshing("quiet", on_attr("p", false, "")),
        refreshing("born", Moment::OnEntityCreation { etype: name("a"), refresh: true, may_change: paths("p") }),
        refreshing("start", Moment::SnapshotInit),
    ];
    let plan = Plan::new(&schema(), registered.iter().map(|(m, s)| (m, s))).unwrap();
    assert_eq!(order(&plan), ["m/chunk", "m/born", "m/attr", "m/reads"]);
    let kinds: Vec<_> = plan.steps.iter().map(|s| (s.kind, s.is_refresh())).collect();
    let expected = [
        (HookKind::OnNewAttribute, true),
        (HookKind::OnEntityCreation, true),
        (HookKind::OnNewAttribute, true),
        (HookKind::Correlate, false),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(plan.steps[2].attr, Some(name("p")));
    let own = [refreshing("attr", on_attr("p", true, "p"))];
    let errors = Plan::new(&schema(), own.iter().map(|(m, s)| (m, s))).unwrap_err();
    assert!(matches!(errors[0], PlanError::Cycle { .. }));
}

/// Again and again the first hook that waits for no other one; a cycle when there is none.
fn slow_order(hooks: &[(Vec<usize>, Vec<usize>)]) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = (0..hooks.len()).collect();
    let mut sorted = Vec::new();
    while !left.is_empty() {
        let waits = |h: usize| hooks[h].0.iter().any(|read| left.iter().any(|w| hooks[*w].1.contains(read)));
        let next = left.iter().copied().find(|h| !waits(*h))?;
        left.retain(|h| *h != next);
        sorted.push(next);
    }
    Some(sorted)
}

#[test]
fn the_order_is_that_of_the_slow_way() {
    const ATTRS: [&str; 8] = ["p", "q", "o", "m", "e", "b", "bs", "a2"];
    let schema = schema();
    cases("order of hooks", |random| {
        let pick = |most: usize, random: &mut Random| -> Vec<usize> {
            (0..random.below(most + 1)).map(|_| random.below(ATTRS.len())).collect()
        };
        let hooks: Vec<_> = (0..1 + random.below(6)).map(|_| (pick(2, random), pick(2, random))).collect();
        let texts = |list: &[usize]| list.iter().map(|i| ATTRS[*i]).collect::<Vec<_>>().join(",");
        let registered: Vec<_> = hooks
            .iter()
            .enumerate()
            .map(|(i, (reads, sets))| correlate((&format!("m/h{i}"), "a", &texts(reads), &texts(sets))))
            .collect();
        let found = Plan::new(&schema, registered.iter().map(|(m, s)| (m, s)));
        let expected = slow_order(&hooks);
        match (&found, &expected) {
            (Ok(plan), Some(sorted)) => {
                assert_eq!(order(plan), sorted.iter().map(|i| format!("m/h{i}")).collect::<Vec<_>>(), "{hooks:?}");
            }
            (Err(errors), None) => {
                let PlanError::Cycle { members, .. } = &errors[0] else { panic!("{errors:?}") };
                // Each member sets what the next one reads.
                for (i, (hook, (_, attr))) in members.iter().enumerate() {
                    let next = &members[(i + 1) % members.len()].0;
                    let number = |text: String| text.trim_start_matches("m/h").parse::<usize>().unwrap();
                    let attr = ATTRS.iter().position(|a| *a == attr.as_str()).unwrap();
                    assert!(hooks[number(hook.to_string())].1.contains(&attr), "{errors:?}");
                    assert!(hooks[number(next.to_string())].0.contains(&attr), "{errors:?}");
                }
            }
            _ => panic!("{found:?} is not {expected:?} for {hooks:?}"),
        }
        expected.is_none_or(|sorted| !sorted.is_sorted())
    });
}

#[test]
fn a_thousand_hooks_in_a_row_are_ordered() {
    let (m, reads) = (name::<ModuleName>("m"), |i: usize| if i == 0 { String::new() } else { "p".to_owned() });
    let step = |i: usize| {
        let correlation = Correlation {
            etype: name("a"),
            depends_on: paths(&reads(i)),
            may_change: paths(if i == 0 { "p" } else { "q" }),
            whole: true,
        };
        Subscription { id: name(&format!("h{i}")), moment: Moment::CorrelateWithRecord(correlation) }
    };
    let subscriptions: Vec<Subscription> = (0..1000).rev().map(step).collect();
    let plan = Plan::new(&schema(), subscriptions.iter().map(|s| (&m, s))).unwrap();
    assert_eq!((plan.steps.len(), plan.steps[0].hook.to_string().as_str()), (1000, "m/h0"));
    // A path through a thousand links.
    let path = format!("{}p", "a2->".repeat(1000));
    assert_eq!(planned(&[("m/h", "a", &path, "q")]).unwrap().steps[0].depends_on[0].links().len(), 1000);
}
