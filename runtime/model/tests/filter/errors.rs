//! What people are told when a filter or an order is wrong.

use serde_json::{Value as Json, json};
use tenter_model::filter::{Filter, Sort};

use super::support::schema;

fn errors(filters: &[Json]) -> String {
    let schema = schema();
    let error = |f: &Json| Filter::parse(f, &schema, "host").map(|_| ()).unwrap_err().to_string();
    filters.iter().map(|f| format!("{f}\n  {}\n", error(f))).collect()
}

#[test]
fn operators() {
    insta::assert_snapshot!(errors(&[
        json!([1]),
        json!({"$where": "1"}),
        json!({"$expr": {}}),
        json!({"$not": {}}),
        json!({"$an": []}),
        json!({"$and": []}),
        json!({"$or": [{"last.a": {"$gt": 1}}, 5]}),
        json!({"last.a": {"$gtt": 5}}),
        json!({"last.a": {"$near": 5}}),
        json!({"last.a": {"$date": "2020-01-01"}}),
        json!({"last.a": {"$gt": 5, "b": 1}}),
        json!({"last.a": {"$and": []}}),
        json!({"last.a": {"$in": 5}}),
        json!({"last.a": {"$in": [1, {"$gt": 5}]}}),
        json!({"last.a": {"$not": 5}}),
        json!({"last.a": {"$not": {"$bad": 5}}}),
        json!({"last.a": {"$size": -1}}),
        json!({"last.a": {"$type": "integer"}}),
        json!({"last.a": {"$type": "Int"}}),
        json!({"last.a": {"$mod": [0, 1]}}),
        json!({"last.a": {"$mod": [2]}}),
        json!({"last.a": {"$elemMatch": 5}}),
        json!({"last.a": {"$elemMatch": {"x": {"$foo": 1}}}}),
        json!({"last.a": {"$all": [{"$gt": 1}]}}),
    ]), @r#"
    [1]
      generic_filter: expected an object with conditions, found a list of 1
    {"$where":"1"}
      generic_filter / $where: "$where" is not supported: it would run code in the database
    {"$expr":{}}
      generic_filter / $expr: "$expr" is not supported: expressions are not computed; compare fields with values
    {"$not":{}}
      generic_filter / $not: "$not" stands inside a field's conditions; to negate whole conditions use "$nor"
    {"$an":[]}
      generic_filter / $an: unknown operator in place of a field "$an", expected one of $and, $or, $nor, $comment; did you mean "$and"?
    {"$and":[]}
      generic_filter / $and: expected a list of at least one object with conditions, found a list of 0
    {"$or":[{"last.a":{"$gt":1}},5]}
      generic_filter / $or[1]: expected an object with conditions, found 5
    {"last.a":{"$gtt":5}}
      generic_filter / last.a / $gtt: unknown operator "$gtt", expected one of $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $not, $exists, $type, $regex, $options, $all, $elemMatch, $size, $mod; did you mean "$gt"?
    {"last.a":{"$near":5}}
      generic_filter / last.a / $near: "$near" is not supported: there are no geographic indexes
    {"last.a":{"$date":"2020-01-01"}}
      generic_filter / last.a / $date: "$date" is not supported: write times as "$$Date{2020-01-01T00:00:00Z}"
    {"last.a":{"$gt":5,"b":1}}
      generic_filter / last.a / b: "b" stands beside operators, where only operators may stand
    {"last.a":{"$and":[]}}
      generic_filter / last.a / $and: "$and" combines whole conditions and cannot stand inside those of a field
    {"last.a":{"$in":5}}
      generic_filter / last.a / $in: expected a list, found 5
    {"last.a":{"$in":[1,{"$gt":5}]}}
      generic_filter / last.a / $in[1]: operators cannot stand in a list of values
    {"last.a":{"$not":5}}
      generic_filter / last.a / $not: expected an object with operators such as {"$gt": 5}, found 5
    {"last.a":{"$not":{"$bad":5}}}
      generic_filter / last.a / $not / $bad: unknown operator "$bad", expected one of $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $not, $exists, $type, $regex, $options, $all, $elemMatch, $size, $mod; did you mean "$mod"?
    {"last.a":{"$size":-1}}
      generic_filter / last.a / $size: expected a length, which is an integer from 0, found -1
    {"last.a":{"$type":"integer"}}
      generic_filter / last.a / $type: unknown type "integer", expected one of double, string, object, array, binData, undefined, objectId, bool, date, null, regex, dbPointer, javascript, symbol, javascriptWithScope, int, timestamp, long, decimal, minKey, maxKey, number or its number
    {"last.a":{"$type":"Int"}}
      generic_filter / last.a / $type: unknown type "Int", expected one of double, string, object, array, binData, undefined, objectId, bool, date, null, regex, dbPointer, javascript, symbol, javascriptWithScope, int, timestamp, long, decimal, minKey, maxKey, number or its number; did you mean "int"?
    {"last.a":{"$mod":[0,1]}}
      generic_filter / last.a / $mod: the divisor cannot be 0
    {"last.a":{"$mod":[2]}}
      generic_filter / last.a / $mod: expected a list of a divisor and a remainder, found a list of 1
    {"last.a":{"$elemMatch":5}}
      generic_filter / last.a / $elemMatch: expected an object with conditions, found 5
    {"last.a":{"$elemMatch":{"x":{"$foo":1}}}}
      generic_filter / last.a / $elemMatch / x / $foo: unknown operator "$foo", expected one of $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $not, $exists, $type, $regex, $options, $all, $elemMatch, $size, $mod; did you mean "$not"?
    {"last.a":{"$all":[{"$gt":1}]}}
      generic_filter / last.a / $all[0]: of operators only "$elemMatch" can stand in "$all"
    "#);
}

#[test]
fn patterns() {
    insta::assert_snapshot!(errors(&[
        json!({"last.a": {"$regex": 5}}),
        json!({"last.a": {"$regex": "a(?=b)"}}),
        json!({"last.a": {"$regex": "(a)\\1"}}),
        json!({"last.a": {"$regex": "a("}}),
        json!({"last.a": {"$regex": "a", "$options": "g"}}),
        json!({"last.a": {"$options": "i"}}),
        json!({"last.a": {"$regex": "(\\w{100}){100}"}}),
        json!({"last.a": {"$regex": "a".repeat(2000)}}),
    ]).replace(&"a".repeat(2000), "aaa…"), @r#"
    {"last.a":{"$regex":5}}
      generic_filter / last.a / $regex: expected a regular expression as text, found 5
    {"last.a":{"$regex":"a(?=b)"}}
      generic_filter / last.a / $regex: the pattern "a(?=b)" cannot be used: look-around, including look-ahead and look-behind, is not supported; patterns are matched in linear time, which these are not
    {"last.a":{"$regex":"(a)\\1"}}
      generic_filter / last.a / $regex: the pattern "(a)\\1" cannot be used: backreferences are not supported; patterns are matched in linear time, which these are not
    {"last.a":{"$regex":"a("}}
      generic_filter / last.a / $regex: the pattern "a(" cannot be used: unclosed group
    {"last.a":{"$options":"g","$regex":"a"}}
      generic_filter / last.a / $regex: unknown option 'g': expected letters of "imsxu"
    {"last.a":{"$options":"i"}}
      generic_filter / last.a / $options: "$options" needs a "$regex" beside it
    {"last.a":{"$regex":"(\\w{100}){100}"}}
      generic_filter / last.a / $regex: the pattern "(\\w{100}){100}" needs more than 1048576 bytes when compiled; write it with fewer repetitions
    {"last.a":{"$regex":"aaa…"}}
      generic_filter / last.a / $regex: a pattern of 2000 bytes is too long: at most 1024
    "#);
}

#[test]
fn magic_strings() {
    insta::assert_snapshot!(errors(&[
        json!({"last.a": "$$ipv4{1.2.3.4}"}),
        json!({"last.a": "$$int{five}"}),
        json!({"last.a": {"$gt": "$$Date{yesterday}"}}),
        json!({"last.a": "$$DateTs{1e99}"}),
        json!({"last.a": ["$$MAC{1}"]}),
        json!({"last.a": "$$IPv4Prefix{192.0.2.1/24}"}),
        json!({"last.a": "$$IPv4Prefix{192.0.2.1/33}"}),
        json!({"last.a": "$$IPv6Prefix{x}"}),
        json!({"last.a": {"$in": ["$$IPv4Prefix{192.0.2.0/24}"]}}),
        json!({"_id": "$$Binary_ID{$$Date{2020-01-01T00:00:00Z}}"}),
    ]), @r#"
    {"last.a":"$$ipv4{1.2.3.4}"}
      generic_filter / last.a: the magic string "$$ipv4{1.2.3.4}" has an unknown name, expected one of int, IPv4, IPv6, MAC, Date, DateTs, IPv4Prefix, IPv6Prefix, Binary_ID; did you mean "IPv4"?
    {"last.a":"$$int{five}"}
      generic_filter / last.a: the magic string "$$int{five}" is not valid: expected an integer between the braces
    {"last.a":{"$gt":"$$Date{yesterday}"}}
      generic_filter / last.a / $gt: the magic string "$$Date{yesterday}" is not valid: expected a time such as 2020-01-01T00:00:00Z between the braces
    {"last.a":"$$DateTs{1e99}"}
      generic_filter / last.a: the magic string "$$DateTs{1e99}" is not valid: expected seconds since 1970 between the braces
    {"last.a":["$$MAC{1}"]}
      generic_filter / last.a[0]: the magic string "$$MAC{1}" is not valid: expected a hardware address such as 00:1b:63:84:45:e6 between the braces
    {"last.a":"$$IPv4Prefix{192.0.2.1/24}"}
      generic_filter / last.a: the magic string "$$IPv4Prefix{192.0.2.1/24}" is not valid: expected a network without bits of a host, such as 192.0.2.0/24 between the braces
    {"last.a":"$$IPv4Prefix{192.0.2.1/33}"}
      generic_filter / last.a: the magic string "$$IPv4Prefix{192.0.2.1/33}" is not valid: expected an IPv4 network such as 192.0.2.0/24 between the braces
    {"last.a":"$$IPv6Prefix{x}"}
      generic_filter / last.a: the magic string "$$IPv6Prefix{x}" is not valid: expected an IPv6 network such as 2001:db8::/32 between the braces
    {"last.a":{"$in":["$$IPv4Prefix{192.0.2.0/24}"]}}
      generic_filter / last.a / $in[0]: "$$IPv4Prefix{192.0.2.0/24}" stands for a range, which cannot stand here: make it the value of a field
    {"_id":"$$Binary_ID{$$Date{2020-01-01T00:00:00Z}}"}
      generic_filter / _id: the magic string "$$Binary_ID{$$Date{2020-01-01T00:00:00Z}}" is not valid: expected an id, or a magic string for an integer, address or network between the braces
    "#);
}

#[test]
fn limits_and_several_errors() {
    let mut deep = json!({"last.a": 1});
    for _ in 0..40 {
        deep = json!({"$and": [deep]});
    }
    let schema = schema();
    let error = |f: &Json| Filter::parse(f, &schema, "host").map(|_| ()).unwrap_err().to_string();
    let all: Vec<String> = vec![
        error(&deep),
        error(&json!({"$or": (0..1001).map(|i| json!({"last.a": i})).collect::<Vec<_>>()})).chars().take(120).collect(),
        error(&json!({"last.a": {"$in": (0..20_000).collect::<Vec<_>>()}})),
        error(&json!({"$or": (0..51).map(|i| json!({"last.a": {"$regex": i.to_string()}})).collect::<Vec<_>>()})),
        error(&json!({"last.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p": 1})),
        error(&json!({"last.a": {"$gt": "$$int{x}", "$foo": 1}, "$bar": 1})),
        Filter::parse(&json!({}), &schema, "hosts").unwrap_err().to_string(),
        Filter::from_text(None, Some("{'a': 1}"), &schema, "host").unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    filter: nested more than 64 levels deep
    generic_filter / $or[1000] / last.a: too many conditions: at most 1000
    generic_filter / last.a / $in[10000]: too many values: at most 10000
    generic_filter / $or[50] / last.a / $regex: too many regular expressions: at most 50
    generic_filter / last.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p: a field of 17 parts is too deep: at most 16
    generic_filter / $bar: unknown operator in place of a field "$bar", expected one of $and, $or, $nor, $comment; did you mean "$or"?; generic_filter / last.a / $foo: unknown operator "$foo", expected one of $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $not, $exists, $type, $regex, $options, $all, $elemMatch, $size, $mod; did you mean "$not"?; generic_filter / last.a / $gt: the magic string "$$int{x}" is not valid: expected an integer between the braces
    etype: Entity type 'hosts' doesn't exist
    generic_filter: this is not JSON: key must be a string at line 1 column 2
    "#);
}

#[test]
fn fulltext() {
    let schema = schema();
    let error = |f: &Json| Filter::fulltext(f, &schema, "host").map(|_| ()).unwrap_err().to_string();
    let filters = [json!("x"), json!({"nam": "x"}), json!({"name": 5}), json!({"name": "(", "x": "y"})];
    let all: String = filters.iter().map(|f| format!("{f}\n  {}\n", error(f))).collect();
    insta::assert_snapshot!(all, @r#"
    "x"
      fulltext_filters: expected an object of attributes and regular expressions
    {"nam":"x"}
      fulltext_filters / nam: Attribute 'nam' in fulltext filter doesn't exist; did you mean "name"?
    {"name":5}
      fulltext_filters / name: Filter '5' is not string
    {"name":"(","x":"y"}
      fulltext_filters / name: the pattern "(" cannot be used: unclosed group; fulltext_filters / x: Attribute 'x' in fulltext filter doesn't exist; did you mean "a"?
    "#);
}

#[test]
fn orders() {
    let schema = schema();
    let error = |key: &str| Sort::parse(&[key], &schema, "host").map(|_| ()).unwrap_err().to_string();
    let keys = ["nam", "name:2", "name:", "ports", "tags", "any", "load", "site", "hosts", ""];
    let all: String = keys.iter().map(|k| format!("{k:?}\n  {}\n", error(k))).collect();
    insta::assert_snapshot!(all, @r#"
    "nam"
      sort: Attribute 'nam' doesn't exist; did you mean "name"?
    "name:2"
      sort: expected attribute, attribute:1 or attribute:-1, found "name:2"
    "name:"
      sort: expected attribute, attribute:1 or attribute:-1, found "name:"
    "ports"
      sort: cannot sort by "ports": it has several values
    "tags"
      sort: cannot sort by "tags": values of type array<string> have no order
    "any"
      sort: cannot sort by "any": values of type json have no order
    "load"
      sort: cannot sort by "load": it is a timeseries
    "site"
      sort: cannot sort by "site": values of type link<site,int ;mirror=hosts> have no order
    "hosts"
      sort: Attribute 'hosts' doesn't exist
    ""
      sort: Attribute '' doesn't exist; did you mean "a"?
    "#);
}
