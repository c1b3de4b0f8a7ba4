//! What conditions mean, row by row, as MongoDB documents and behaves.

use serde_json::{Value as Json, json};

use super::support::{matches, schema};

/// Filter on `last.…`, documents that match, documents that do not.
fn check(rows: &[(Json, Vec<Json>, Vec<Json>)]) {
    let schema = schema();
    for (filter, yes, no) in rows {
        for last in yes {
            assert!(matches(&schema, filter, last), "{filter} must match {last}");
        }
        for last in no {
            assert!(!matches(&schema, filter, last), "{filter} must not match {last}");
        }
    }
}

#[test]
fn equality() {
    check(&[
        (
            json!({"last.x": 5}),
            vec![json!({"x": 5}), json!({"x": 5.0}), json!({"x": [4, 5]})],
            vec![json!({"x": "5"}), json!({"x": [[5]]}), json!({"x": null}), json!({}), json!({"x": true})],
        ),
        (
            json!({"last.x": null}),
            vec![json!({}), json!({"x": null}), json!({"x": [1, null]})],
            vec![json!({"x": 0}), json!({"x": []}), json!({"x": false})],
        ),
        (
            json!({"last.x": [1, 2]}),
            vec![json!({"x": [1, 2]}), json!({"x": [[1, 2], 3]}), json!({"x": [1.0, 2]})],
            vec![json!({"x": [2, 1]}), json!({"x": [1, 2, 3]}), json!({"x": 1})],
        ),
        (
            json!({"last.x": {"b": 1, "a": 2}}),
            vec![json!({"x": {"a": 2, "b": 1}}), json!({"x": [{"a": 2, "b": 1}]})],
            vec![json!({"x": {"a": 2}}), json!({"x": {"a": 2, "b": 1, "c": 0}})],
        ),
        (json!({"last.x": {}}), vec![json!({"x": {}})], vec![json!({"x": {"a": 1}}), json!({})]),
        (
            json!({"last.x": {"$ne": 5}}),
            vec![json!({}), json!({"x": 4}), json!({"x": "5"}), json!({"x": []})],
            vec![json!({"x": 5}), json!({"x": [4, 5]})],
        ),
        (
            json!({"last.x": {"$in": [1, "a", null]}}),
            vec![json!({}), json!({"x": 1.0}), json!({"x": ["b", "a"]})],
            vec![json!({"x": 2}), json!({"x": []}), json!({"x": "A"})],
        ),
        (json!({"last.x": {"$in": []}}), vec![], vec![json!({}), json!({"x": 1})]),
        (
            json!({"last.x": {"$in": [[1, 2]]}}),
            vec![json!({"x": [1, 2]}), json!({"x": [[1, 2]]})],
            vec![json!({"x": 1})],
        ),
        (
            json!({"last.x": {"$nin": [1, null]}}),
            vec![json!({"x": 2}), json!({"x": []})],
            vec![json!({}), json!({"x": [1]})],
        ),
        (json!({"last.x": {"$nin": []}}), vec![json!({}), json!({"x": 2})], vec![]),
    ]);
}

#[test]
fn comparison() {
    check(&[
        (
            json!({"last.x": {"$gt": 5}}),
            vec![json!({"x": 5.5}), json!({"x": 6}), json!({"x": [1, 9]})],
            vec![
                json!({"x": 5}),
                json!({"x": "6"}),
                json!({"x": true}),
                json!({}),
                json!({"x": null}),
                json!({"x": {"@time": 9}}),
            ],
        ),
        (
            json!({"last.x": {"$lte": 5}}),
            vec![json!({"x": 5.0}), json!({"x": -1})],
            vec![json!({"x": null}), json!({})],
        ),
        // Beyond 2^53, where doubles have no odd numbers.
        (
            json!({"last.x": {"$gt": 9_007_199_254_740_992.0}}),
            vec![json!({"x": 9_007_199_254_740_993u64})],
            vec![json!({"x": 9_007_199_254_740_992u64})],
        ),
        (
            json!({"last.x": {"$gte": "b"}}),
            vec![json!({"x": "b"}), json!({"x": "ba"})],
            vec![json!({"x": "B"}), json!({"x": 9})],
        ),
        (json!({"last.x": {"$gte": null}}), vec![json!({}), json!({"x": null})], vec![json!({"x": 0})]),
        (json!({"last.x": {"$gt": null}}), vec![], vec![json!({}), json!({"x": null}), json!({"x": 1})]),
        (json!({"last.x": {"$gt": false}}), vec![json!({"x": true})], vec![json!({"x": 1}), json!({"x": false})]),
        (
            json!({"last.x": {"$lt": [1, 5]}}),
            vec![json!({"x": [1, 4]}), json!({"x": [1]}), json!({"x": [0, 9]}), json!({"x": [null]})],
            vec![json!({"x": [1, 5]}), json!({"x": 0}), json!({"x": ["a"]})],
        ),
        (
            json!({"last.x": {"$gt": {"a": 1}}}),
            vec![
                json!({"x": {"a": 2}}),
                json!({"x": {"b": 0}}),
                json!({"x": {"a": 1, "b": 0}}),
                json!({"x": {"a": "s"}}),
            ],
            vec![json!({"x": {"a": 1}}), json!({"x": {}}), json!({"x": {"a": null}}), json!({"x": [2]})],
        ),
        // Each operator may be satisfied by another element.
        (json!({"last.x": {"$gt": 5, "$lt": 2}}), vec![json!({"x": [1, 9]})], vec![json!({"x": 3}), json!({"x": [1]})]),
        (
            json!({"last.x": {"$mod": [4, 1]}}),
            vec![json!({"x": 5}), json!({"x": 9.5}), json!({"x": [2, 1]})],
            vec![json!({"x": -3}), json!({"x": "5"}), json!({})],
        ),
    ]);
}

#[test]
fn paths() {
    check(&[
        (
            json!({"last.x.y": 5}),
            vec![
                json!({"x": {"y": 5}}),
                json!({"x": [{"y": 4}, {"y": 5}]}),
                json!({"x": {"y": [5]}}),
                json!({"x": [{"y": [5]}]}),
            ],
            vec![json!({"x": [[{"y": 5}]]}), json!({"x": 5}), json!({"y": 5})],
        ),
        (
            json!({"last.x.1": 5}),
            vec![json!({"x": [4, 5]}), json!({"x": {"1": 5}}), json!({"x": [{"1": 5}]})],
            vec![json!({"x": [5]}), json!({"x": [5, [5]]})],
        ),
        (json!({"last.x.0.y": 5}), vec![json!({"x": [{"y": 5}]})], vec![json!({"x": [{"y": 4}, {"y": 5}]})]),
        (json!({"last.x.0.1": 5}), vec![json!({"x": [[4, 5]]})], vec![json!({"x": [[5, 4]]})]),
        (json!({"last.x.01": 5}), vec![json!({"x": {"01": 5}})], vec![json!({"x": [4, 5]})]),
        (
            json!({"last.x.y": null}),
            vec![json!({}), json!({"x": {}}), json!({"x": 5}), json!({"x": null}), json!({"x": [{"y": 1}, {}]})],
            vec![
                json!({"x": {"y": 1}}),
                json!({"x": [1]}),
                json!({"x": []}),
                json!({"x": [[]]}),
                json!({"x": [{"y": 1}]}),
            ],
        ),
        (
            json!({"last.x.y": {"$exists": true}}),
            vec![json!({"x": {"y": null}}), json!({"x": [{}, {"y": 1}]})],
            vec![json!({}), json!({"x": 1}), json!({"x": [1]}), json!({"x": []})],
        ),
        (
            json!({"last.x.y": {"$exists": 0}}),
            vec![json!({}), json!({"x": 1}), json!({"x": []}), json!({"x": [{}]})],
            vec![json!({"x": {"y": null}}), json!({"x": [{}, {"y": 1}]})],
        ),
        (
            json!({"last.x.y": {"$ne": 5}}),
            vec![json!({}), json!({"x": [{"y": 4}, {}]}), json!({"x": 5})],
            vec![json!({"x": [{"y": 4}, {"y": 5}]})],
        ),
        // A name without `last` is no field of the listing.
        (json!({"x": 5}), vec![], vec![json!({"x": 5})]),
        (json!({"x": {"$exists": false}}), vec![json!({"x": 5})], vec![]),
        (json!({"last": {"x": 5}}), vec![json!({"x": 5})], vec![json!({"x": 5, "y": 1})]),
    ]);
}

#[test]
fn lists() {
    check(&[
        (
            json!({"last.x": {"$all": [1, 2]}}),
            vec![json!({"x": [2, 3, 1]})],
            vec![json!({"x": [1]}), json!({"x": 1}), json!({})],
        ),
        (json!({"last.x": {"$all": [1]}}), vec![json!({"x": 1}), json!({"x": [1]})], vec![json!({"x": [[1]]})]),
        (json!({"last.x": {"$all": []}}), vec![], vec![json!({"x": []}), json!({})]),
        (json!({"last.x": {"$all": [null]}}), vec![json!({}), json!({"x": [null]})], vec![json!({"x": []})]),
        (
            json!({"last.x": {"$all": [{"$elemMatch": {"a": 1}}, {"$elemMatch": {"a": 2}}]}}),
            vec![json!({"x": [{"a": 1}, {"a": 2}]})],
            vec![json!({"x": [{"a": 1}]}), json!({"x": {"a": [1, 2]}})],
        ),
        (
            json!({"last.x": {"$size": 2}}),
            vec![json!({"x": [1, 2]})],
            vec![json!({"x": [[1, 2]]}), json!({"x": "ab"}), json!({})],
        ),
        (
            json!({"last.x": {"$size": 1.0}}),
            vec![json!({"x": [[1, 2]]})],
            vec![json!({"x": 1}), json!({"x": {"a": 1}})],
        ),
        (
            json!({"last.x": {"$elemMatch": {"$gt": 2, "$lt": 5}}}),
            vec![json!({"x": [1, 3, 9]})],
            vec![json!({"x": [1, 9]}), json!({"x": 3}), json!({"x": [[3]]})],
        ),
        (
            json!({"last.x": {"$elemMatch": {"a": 1, "b": {"$gt": 2}}}}),
            vec![json!({"x": [{"a": 1, "b": 3}]}), json!({"x": [{"a": [0, 1], "b": [1, 3]}]})],
            vec![json!({"x": [{"a": 1, "b": 1}, {"a": 2, "b": 3}]}), json!({"x": {"a": 1, "b": 3}}), json!({"x": [1]})],
        ),
        (
            json!({"last.x": {"$elemMatch": {"a": {"$ne": 1}}}}),
            vec![json!({"x": [{}]})],
            vec![json!({"x": [1]}), json!({"x": [{"a": 1}]})],
        ),
        (
            json!({"last.x": {"$elemMatch": {"$not": {"$gt": 2}}}}),
            vec![json!({"x": [9, 1]})],
            vec![json!({"x": [9]}), json!({"x": []})],
        ),
        (
            json!({"last.x": {"$elemMatch": {"$elemMatch": {"$eq": 1}}}}),
            vec![json!({"x": [[1]]})],
            vec![json!({"x": [1]})],
        ),
        (
            json!({"last.x": {"$elemMatch": {"$or": [{"a": 1}, {"b": 1}]}}}),
            vec![json!({"x": [{"b": 1}]})],
            vec![json!({"x": [1]})],
        ),
        (json!({"last.x": {"$elemMatch": {"0": 1}}}), vec![json!({"x": [[1]]})], vec![json!({"x": [1]})]),
    ]);
}

#[test]
fn combinations_types_and_patterns() {
    check(&[
        (json!({}), vec![json!({}), json!({"x": 1})], vec![]),
        (
            json!({"$and": [{"last.x": 1}, {"last.y": 2}]}),
            vec![json!({"x": 1, "y": 2})],
            vec![json!({"x": 1}), json!({"y": 2})],
        ),
        (json!({"$or": [{"last.x": 1}, {"last.y": 2}]}), vec![json!({"x": 1}), json!({"y": 2})], vec![json!({})]),
        (json!({"$nor": [{"last.x": 1}, {"last.y": 2}]}), vec![json!({})], vec![json!({"x": 1}), json!({"y": 2})]),
        (
            json!({"last.x": {"$not": {"$gt": 5}}, "$comment": "why"}),
            vec![json!({}), json!({"x": 5}), json!({"x": "9"})],
            vec![json!({"x": 6}), json!({"x": [1, 6]})],
        ),
        (
            json!({"last.x": {"$type": "number"}}),
            vec![json!({"x": 1}), json!({"x": 1.5}), json!({"x": ["a", 1]})],
            vec![json!({"x": "1"}), json!({}), json!({"x": null})],
        ),
        (
            json!({"last.x": {"$type": 16}}),
            vec![json!({"x": 1})],
            vec![json!({"x": 1.0}), json!({"x": 3_000_000_000u64})],
        ),
        (json!({"last.x": {"$type": "long"}}), vec![json!({"x": 3_000_000_000u64})], vec![json!({"x": 1})]),
        (
            json!({"last.x": {"$type": ["date", "bool"]}}),
            vec![json!({"x": {"@time": 5}}), json!({"x": true})],
            vec![json!({"x": 1})],
        ),
        (json!({"last.x": {"$type": "null"}}), vec![json!({"x": null})], vec![json!({})]),
        (json!({"last.x": {"$type": "array"}}), vec![json!({"x": []})], vec![json!({"x": {}})]),
        (json!({"last.x": {"$type": "objectId"}}), vec![], vec![json!({"x": "507f1f77bcf86cd799439011"})]),
        (
            json!({"last.x": {"$regex": "b.d$"}}),
            vec![json!({"x": "abcd"}), json!({"x": ["q", "bad"]})],
            vec![json!({"x": "ABCD"}), json!({"x": 5}), json!({}), json!({"x": "bxdx"})],
        ),
        (json!({"last.x": {"$regex": "^B", "$options": "im"}}), vec![json!({"x": "a\nbc"})], vec![json!({"x": "ab"})]),
        (json!({"last.x": {"$regex": "a .b", "$options": "sx"}}), vec![json!({"x": "a\nb"})], vec![json!({"x": "ab"})]),
        (json!({"last.x": {"$not": {"$regex": "^a"}}}), vec![json!({}), json!({"x": "b"})], vec![json!({"x": "ab"})]),
    ]);
}
