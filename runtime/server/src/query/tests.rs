//! Pages of listings against the whole list in its order, and the ends of budgets.

use serde_json::{Value as Json, json};
use tenter_model::config::{self, ConfigFile};
use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{AttrName, EntityRef, Scalar, Timestamp, Value};
use tenter_store::{BeginRun, Reader, RunBatch, Store, StoreOptions};

use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

struct Place {
    store: Store,
    reader: Reader,
    schema: Schema,
    _dir: tempfile::TempDir,
}

impl Place {
    /// Numbers from -100 to 199 with the attributes `n` (each value thrice) and `tag` (of a third), and names of a letter.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default(), NOW).unwrap();
        let run = BeginRun { id: "run".to_owned(), time: NOW, settings: Json::Null };
        let run = store.begin_run(run, NOW).unwrap().number;
        let numbers = (-100..200).map(|n: i64| ("num", n.to_string(), n.div_euclid(3), n % 3 == 0));
        let names = ('a'..='z').map(|c| ("name", c.to_string(), 0, false));
        let document = |(etype, eid, n, tag): (&str, String, i64, bool)| {
            let value = |attr: &str, value| CurrentValue {
                attr: AttrName::new(attr).unwrap(),
                value: Value::Scalar(value),
                confidence: None,
            };
            let mut values = vec![value("n", Scalar::Int(n))];
            values.extend(tag.then(|| value("tag", Scalar::Text(format!("t{}", n % 2)))));
            let entity = EntityRef { etype: EntityType::new(etype).unwrap(), eid: EntityId::new(&eid).unwrap() };
            let view = EntityView { entity, values };
            tenter_store::Document::new(&view, false, None, None).unwrap()
        };
        let documents = numbers.chain(names).map(document).collect();
        store.save_batch_blocking(run, RunBatch { documents, ..RunBatch::default() }, NOW).unwrap();
        store.complete_run(run, RunBatch::default(), NOW).unwrap();
        Self { reader: store.reader().unwrap(), store, schema: schema(), _dir: dir }
    }

    fn query(&self, etype: &str, generic: &Json, sort: &[&str], skip: usize, limit: Option<usize>) -> Query {
        let filter = Filter::parse(generic, &self.schema, etype).unwrap();
        let sort = Sort::parse(sort, &self.schema, etype).unwrap();
        Query { etype: EntityType::new(etype).unwrap(), filter, sort, skip, limit }
    }

    fn page(&self, query: &Query, budget: &Budget) -> Result<Vec<String>, QueryError> {
        let mut out = Vec::new();
        self.reader.picture(&query.etype, |picture| {
            query.list(&self.schema, picture, budget, &mut |snapshot| {
                assert!(!snapshot.view.values.is_empty(), "what is given is whole");
                out.push(snapshot.view.entity.eid.to_string());
                Ok(())
            })
        })?;
        Ok(out)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.store.close().unwrap();
    }
}

fn schema() -> Schema {
    let file = |path: &str, text: &str| ConfigFile { path: path.to_owned(), text: text.to_owned() };
    let attributes =
        "attribs:\n  n: {name: N, type: plain, data_type: int}\n  tag: {name: T, type: plain, data_type: string}\n";
    let num = format!("entity: {{id: num, id_data_type: int, name: N, snapshot: true}}\n{attributes}");
    let name = format!("entity: {{id: name, id_data_type: string, name: N, snapshot: true}}\n{attributes}");
    let core = "worker_processes: 1\nmodules_dir: modules\nenabled_modules: []\n";
    let files =
        [file("db_entities/num.yml", &num), file("db_entities/name.yml", &name), file("processing_core.yml", core)];
    let loaded = config::load(&files);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors)).schema
}

fn plenty() -> Budget {
    Budget::new(Duration::from_secs(600))
}

#[test]
fn pages_are_parts_of_the_whole_list() {
    let place = Place::new();
    for (etype, filter) in [
        ("num", json!({})),
        ("num", json!({"last.n": {"$gte": 10}})),
        ("name", json!({})),
        ("name", json!({"last.eid": {"$gt": "c"}})),
    ] {
        for sort in [&[][..], &["n"], &["n:-1", "eid:-1"], &["tag", "n"], &["eid"]] {
            let all = place.page(&place.query(etype, &filter, sort, 0, None), &plenty()).unwrap();
            assert!(all.len() > 20, "{etype} {filter} {sort:?}");
            for (skip, limit) in [(0, 0), (0, 1), (1, 1), (3, 7), (all.len() - 1, 5), (all.len(), 5), (0, 10_000)] {
                let page = place.page(&place.query(etype, &filter, sort, skip, Some(limit)), &plenty()).unwrap();
                let wanted: Vec<String> = all.iter().skip(skip).take(limit).cloned().collect();
                assert_eq!(page, wanted, "{etype} {filter} {sort:?} {skip} {limit}");
            }
            let count = place.reader.picture(&EntityType::new(etype).unwrap(), |picture| {
                place.query(etype, &filter, &[], 0, None).count(&place.schema, picture, &plenty())
            });
            assert_eq!(count.unwrap(), all.len() as u64);
        }
    }
}

#[test]
fn orders_are_those_that_were_asked_for() {
    let place = Place::new();
    let first = |sort: &[&str]| place.page(&place.query("num", &json!({}), sort, 0, Some(4)), &plenty()).unwrap();
    assert_eq!(first(&[]), ["0", "1", "2", "3"]);
    assert_eq!(first(&["eid"]), ["-100", "-99", "-98", "-97"]);
    assert_eq!(first(&["n:-1", "eid:-1"]), ["199", "198", "197", "196"]);
    assert_eq!(first(&["tag:-1", "n"])[0], "3", "of t1, which is the greatest text, the least");
}

#[test]
fn values_are_counted_by_their_text() {
    let place = Place::new();
    let etype = EntityType::new("num").unwrap();
    let counts =
        place.reader.picture(&etype, |picture| distinct(&place.schema, &etype, "tag", picture, &plenty())).unwrap();
    assert_eq!(counts.values().sum::<u64>(), 100);
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["t-1", "t0", "t1"]);
}

#[test]
fn a_query_ends_with_its_budget_and_says_what_to_do() {
    let place = Place::new();
    let query = place.query("num", &json!({"last.n": 5}), &[], 0, None);
    let spent = place.page(&query, &Budget::new(Duration::ZERO)).unwrap_err();
    insta::assert_snapshot!(spent, @"the query was cut off after 0 ms, when it had looked at 64 rows; narrow it (by last.eid or _id, by attr and a smaller limit), or raise query_max_ms in tenter.yml");
    // What a key names is found without looking at others.
    let one = place.query("num", &json!({"last.eid": 5}), &[], 0, None);
    assert_eq!(place.page(&one, &Budget::new(Duration::ZERO)).unwrap(), ["5"]);
    // Who has gone is not answered.
    let waiting = Waiting::new();
    let budget = waiting.budget(Duration::from_secs(600), &Held::default())();
    assert!(place.page(&query, &budget).is_ok());
    drop(waiting);
    assert!(matches!(place.page(&query, &budget), Err(QueryError::Gone)));
    insta::assert_snapshot!(plenty().kept(MAX_PLACES + 1).unwrap_err(), @"the answer grows beyond 5 million rows that must be brought into an order; ask for it in pages with skip and limit, or narrow the query");
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let unreadable = || Err(StoreError::Unreadable { what: "it".to_owned(), why: "altered".to_owned() });
    assert!(matches!(readable(unreadable()), Ok(None)));
    assert!(matches!(readable(Err(StoreError::Closed)), Err(QueryError::Store(StoreError::Closed))));
}
