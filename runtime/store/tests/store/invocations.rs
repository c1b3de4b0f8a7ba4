//! Calls of hooks: kept with their task, found again, and bounded.

use tenter_model::host::{LogLevel, LogLine};
use tenter_model::{HookKind, SubscriptionId};
use tenter_store::{
    ErrorFilter, InvocationFilter, InvocationId, InvocationOutcome, InvocationRow, MAX_OUTPUT_BYTES, Store,
    StoreOptions, TaskOutcome,
};

use crate::fixtures::*;
use crate::script::invocation;

fn keep(store: &Store, n: u8, invocations: Vec<InvocationRow>) {
    let one = waiting(store, &store.reader().unwrap(), n, "a");
    store.commit_blocking(TaskOutcome { invocations, ..outcome(&one) }).unwrap();
}

#[test]
fn a_call_is_found_by_its_id_and_by_each_filter() {
    let store = store();
    let other = InvocationRow {
        id: InvocationId([9; 16]),
        module: module("other"),
        hook: HookKind::OnTaskStart,
        outcome: InvocationOutcome::Failed,
        task: Some(id(2)),
        entity: Some(entity("b")),
        at: NOW.saturating_add(50),
        ..invocation(0)
    };
    keep(&store, 1, vec![invocation(0), invocation(1), other.clone()]);
    let reader = store.reader().unwrap();
    let all = reader.invocations(&InvocationFilter::default(), None, 10).unwrap();
    assert_eq!(all.iter().map(|s| &s.row).collect::<Vec<_>>(), [&other, &invocation(1), &invocation(0)]);
    assert_eq!(reader.invocation(invocation(1).id).unwrap().unwrap(), all[1]);
    assert_eq!(reader.invocation(InvocationId([8; 16])).unwrap(), None);
    let only_other = [
        InvocationFilter { module: Some(module("other")), ..Default::default() },
        InvocationFilter { hook: Some(HookKind::OnTaskStart), ..Default::default() },
        InvocationFilter { outcome: Some(InvocationOutcome::Failed), ..Default::default() },
        InvocationFilter { task: Some(id(2)), ..Default::default() },
        InvocationFilter { entity: Some(entity("b")), ..Default::default() },
        InvocationFilter { since: Some(NOW.saturating_add(50)), ..Default::default() },
    ];
    for filter in only_other {
        assert_eq!(reader.invocations(&filter, None, 10).unwrap(), all[..1], "{filter:?}");
    }
    // Pages.
    assert_eq!(reader.invocations(&InvocationFilter::default(), Some(all[0].seq), 1).unwrap(), all[1..2]);
}

#[test]
fn a_failed_call_and_its_error_row_have_one_id() {
    let store = store();
    let one = waiting(&store, &store.reader().unwrap(), 1, "a");
    let failed = InvocationRow { outcome: InvocationOutcome::Failed, ..invocation(0) };
    let mut row = error("label", "fuel");
    row.invocation = Some(failed.id);
    store
        .commit_blocking(TaskOutcome { errors: vec![row], invocations: vec![failed.clone()], ..outcome(&one) })
        .unwrap();
    let reader = store.reader().unwrap();
    let found = reader.errors(&ErrorFilter::default(), 1).unwrap().remove(0).invocation.unwrap();
    assert_eq!(reader.invocation(found).unwrap().unwrap().row, failed);
}

#[test]
fn ids_tell_calls_and_attempts_apart_and_can_be_written() {
    let (label, s, t) = (module("label"), SubscriptionId::new("s").unwrap(), SubscriptionId::new("t").unwrap());
    let ids = [
        InvocationId::of(id(1), &label, &s, 0, 1),
        InvocationId::of(id(2), &label, &s, 0, 1),
        InvocationId::of(id(1), &module("other"), &s, 0, 1),
        InvocationId::of(id(1), &label, &t, 0, 1),
        InvocationId::of(id(1), &label, &s, 1, 1),
        InvocationId::of(id(1), &label, &s, 0, 2),
    ];
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    assert_eq!(ids[0].to_string().parse::<InvocationId>().unwrap(), ids[0]);
    for wrong in ["", "+1", "zz", &"0".repeat(31), &"A".repeat(32)] {
        assert!(wrong.parse::<InvocationId>().is_err(), "{wrong}");
    }
}

#[test]
fn the_oldest_go_when_there_are_too_many_rows() {
    let store = Store::temporary(StoreOptions { max_invocation_rows: 3, ..quick() }, NOW).unwrap();
    keep(&store, 1, (0..5).map(invocation).collect());
    keep(&store, 2, vec![invocation(5)]);
    let rows = store.reader().unwrap().invocations(&InvocationFilter::default(), None, 10).unwrap();
    assert_eq!(rows.iter().map(|s| s.row.datapoint).collect::<Vec<_>>(), [Some(5), Some(4), Some(3)]);
}

#[test]
fn the_oldest_go_when_there_are_too_many_bytes() {
    let store = Store::temporary(StoreOptions { max_invocation_bytes: 40_000, ..quick() }, NOW).unwrap();
    let large = |n| InvocationRow { output: vec![b'x'; 10_000], ..invocation(n) };
    keep(&store, 1, (0..6).map(large).collect());
    let rows = store.reader().unwrap().invocations(&InvocationFilter::default(), None, 10).unwrap();
    assert_eq!(rows.iter().map(|s| s.row.datapoint).collect::<Vec<_>>(), [Some(5), Some(4), Some(3)]);
}

#[test]
fn output_and_log_are_cut_to_their_bound_and_say_so() {
    let store = store();
    let line = |n: usize| LogLine { level: LogLevel::Info, message: "l".repeat(n) };
    let long = InvocationRow {
        output: vec![b'x'; MAX_OUTPUT_BYTES + 1],
        logs: vec![line(100), line(MAX_OUTPUT_BYTES), line(1)],
        ..invocation(0)
    };
    let fits = InvocationRow { output: vec![b'x'; MAX_OUTPUT_BYTES], ..invocation(1) };
    keep(&store, 1, vec![long, fits.clone()]);
    let rows = store.reader().unwrap().invocations(&InvocationFilter::default(), None, 10).unwrap();
    assert_eq!(rows[0].row, fits);
    assert!(rows[1].row.cut);
    assert_eq!(rows[1].row.output.len(), MAX_OUTPUT_BYTES);
    assert_eq!(rows[1].row.logs, [line(100)]);
}
