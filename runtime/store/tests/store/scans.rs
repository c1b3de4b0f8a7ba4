//! Going through all that is stored, in batches.

use std::collections::BTreeSet;

use tenter_model::{AttrName, EntityId, EntityRef, EntityType, Timestamp};
use tenter_store::{LinkChange, Page, Reader, Share, Store};

use crate::deletes::apply_now;
use crate::fixtures::*;

fn ip() -> EntityType {
    entity("a").etype
}

fn filled() -> Store {
    let store = store();
    let reader = store.reader().unwrap();
    for n in 0..25 {
        let target = entity(&format!("e{:02}", n / 5));
        let links = match n {
            0..5 => vec![LinkChange::Replace { attr: attr("z"), targets: vec![target, entity("lone")] }],
            5..10 => vec![LinkChange::Extend { attr: attr("w"), target, until: NOW }],
            _ => Vec::new(),
        };
        apply_now(&store, &reader, other_task(n, entity(&format!("e{n:02}"))), vec![point("x", 1)], links);
    }
    store
}

/// All items of a scan, and that no batch looked at more than it may.
fn whole<T>(scan: impl Fn(Option<&EntityId>) -> Page<T>) -> Vec<T> {
    let (mut out, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let page = scan(after.as_ref());
        assert!(page.items.len() <= 4 && page.unreadable.is_empty());
        out.extend(page.items);
        after = page.next;
        if after.is_none() {
            return out;
        }
    }
    panic!("the scan has no end");
}

#[test]
fn shares_are_disjoint_and_make_the_whole_in_order() {
    let store = filled();
    let reader = store.reader().unwrap();
    let all = whole(|after| reader.records(&ip(), Share::ALL, after, 4).unwrap());
    assert_eq!(all.len(), 25);
    assert!(all.is_sorted_by(|a, b| a.0 < b.0));
    let mut shares = Vec::new();
    for part in 0..3 {
        let share = whole(|after| reader.records(&ip(), Share { part, of: 3 }, after, 4).unwrap());
        assert!(!share.is_empty() && share.is_sorted_by(|a, b| a.0 < b.0));
        shares.extend(share);
    }
    shares.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(shares, all);
    let heads = whole(|after| reader.record_heads(&ip(), Share::ALL, after, 4).unwrap());
    for ((eid, mut record), (head_eid, head)) in all.clone().into_iter().zip(heads) {
        record.attributes.clear();
        assert_eq!((eid, record), (head_eid, head));
    }
    let revisions = whole(|after| reader.revisions(&ip(), Share::ALL, after, 4).unwrap());
    let expected: Vec<_> = all.iter().map(|(eid, record)| (eid.clone(), record.revision)).collect();
    assert_eq!(revisions, expected);
    assert_eq!(reader.stored_types().unwrap(), [ip()]);
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_the_others_are_given() {
    let store = filled();
    let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    conn.execute("UPDATE master SET body = x'02000000000000' WHERE eid = 'e03'", []).unwrap();
    let reader = store.reader().unwrap();
    let page = reader.records(&ip(), Share::ALL, None, 100).unwrap();
    assert_eq!((page.items.len(), page.next), (24, None));
    let [(eid, error)] = page.unreadable.as_slice() else { panic!("{:?}", page.unreadable) };
    assert_eq!(eid.as_str(), "e03");
    insta::assert_snapshot!(error, @"stored record of ip/e03 cannot be read: its sum is wrong; it was written by another version or is damaged");
}

fn links(reader: &Reader, names: &[&str], at: Timestamp) -> Vec<String> {
    let wanted: Vec<(EntityType, AttrName)> = names.iter().map(|n| (ip(), attr(n))).collect();
    let mut out = Vec::new();
    reader
        .each_link(&wanted, at, &mut |from, attr, to| {
            out.push(format!("{from} {attr} {to}"));
            Ok(())
        })
        .unwrap();
    out
}

#[test]
fn links_are_given_of_the_attributes_asked_for_while_they_hold() {
    let store = filled();
    let reader = store.reader().unwrap();
    let both = links(&reader, &["z"], NOW);
    assert_eq!(both.len(), 10);
    assert_eq!(both[..2], ["ip/e00 z ip/e00", "ip/e00 z ip/lone"]);
    assert_eq!(links(&reader, &["z", "w", "none"], NOW).len(), 15);
    // What held until then does not hold later; what was set without an end does.
    assert_eq!(links(&reader, &["z", "w"], Timestamp(NOW.0 + 1)).len(), 10);
    let stopped = reader.each_link(&[(ip(), attr("z"))], NOW, &mut |_, _, _| Err(tenter_store::StoreError::Closed));
    assert!(stopped.is_err());
    let sources = reader.linked_by(&entity("e01"), &ip(), &attr("w"), NOW).unwrap();
    assert_eq!(sources.iter().map(EntityId::as_str).collect::<Vec<_>>(), ["e05", "e06", "e07", "e08", "e09"]);
    assert!(reader.linked_by(&entity("e01"), &ip(), &attr("w"), Timestamp(NOW.0 + 1)).unwrap().is_empty());
    assert!(reader.linked_by(&entity("e01"), &ip(), &attr("z"), NOW).unwrap().is_empty());
}

#[test]
fn targets_without_record_and_entities_without_links_are_found() {
    let store = filled();
    let reader = store.reader().unwrap();
    assert_eq!(reader.targets_without_record(None, 10).unwrap(), [entity("lone")]);
    assert_eq!(reader.targets_without_record(Some(&entity("lone")), 10).unwrap(), []);
    let loose = |at| {
        let found = whole(|after| reader.without_links_to(&ip(), at, Share::ALL, after, 4).unwrap());
        found.into_iter().map(|(eid, _)| eid.as_str().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(loose(NOW).len(), 23);
    assert!(!loose(NOW).contains("e00") && !loose(NOW).contains("e01"));
    assert!(loose(Timestamp(NOW.0 + 1)).contains("e01"), "its links are over");
    let other = EntityRef { etype: EntityType::new("none").unwrap(), eid: entity("x").eid };
    assert!(reader.records(&other.etype, Share::ALL, None, 4).unwrap().items.is_empty());
}
