//! DP³'s routes, at their own paths: what is open, the first version of the API, the second, control and telemetry.

use axum::routing::{delete, get, post};

use crate::api::operation::ParamForm::{Json, Number, Text, Texts, Time, Word};
use crate::api::operation::{Content, Param, may, must};
use crate::api::{control, datapoints, docs, entities, listing, status, telemetry, values};
use crate::auth::Area::{Control, Entities, Ingest, Read};

use super::{Route, drop, open, read, send};

const FULLTEXT: Param = may(
    "fulltext_filters",
    Json,
    "an object of attributes and regular expressions, found anywhere in the text, in any case",
);
const GENERIC: Param =
    may("generic_filter", Json, "a query in MongoDB's language over `last.ATTRIBUTE`, with magic strings");
const SKIP: Param = may("skip", Number(0), "rows to leave out");
const PAGE: Param = may("limit", Number(20), "rows at most; 0 = all");
const LIMIT: Param = may("limit", Number(0), "rows at most; 0 = all");
const SORT: Param = may("sort", Texts, "an attribute or `eid`, with `:1` or `:-1`; may be given several times");
const FROM: Param = may("date_from", Time, "from this time on");
const TO: Param = may("date_to", Time, "until this time");
const EID: Param = must("eid", Text, "id of the entity");
const ATTR: Param = must("attr", Text, "name of the attribute");
const RAW: [Param; 5] = [
    may("eid", Text, "of this entity alone"),
    may("attr", Text, "of this attribute alone"),
    may("src", Text, "of this source alone"),
    SKIP,
    PAGE,
];
const MODULE: Param = may("module", Text, "for refresh_module_config: which module");
const ETYPE: Param = may("etype", Text, "for refresh_on_entity_creation: which entity type");

/// The rows.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    let mut rows = vec![
        open("/", get(status::it_works)).says("That the server answers").gives("Detail"),
        open("/livez", get(status::livez)).says("That the process is alive").gives_media("text/plain"),
        open("/readyz", get(status::readyz)).says("That the store can be written and the lanes run").gives_media("text/plain"),
        open("/docs", get(docs::page)).says("The page of this document").gives_media("text/html"),
        open("/docs/page.css", get(docs::style)).says("Its style").gives_media("text/css"),
        open("/docs/page.js", get(docs::script)).says("Its program").gives_media("text/javascript"),
        open("/openapi.json", get(docs::document)).says("This document").gives("Any"),
        read("/metrics", Read, get(status::metrics)).says("Metrics of Prometheus").gives_media("text/plain"),
        send("/datapoints", Ingest, post(datapoints::post)).says("Take datapoints, all of them or none")
            .takes(Content::Json("Datapoints")).gives("Detail").or(409, "the key in Idempotency-Key was used with another body"),
        read("/entities", Read, get(entities::types)).says("Entity types with their attributes and counts").gives("EntityTypes"),
        read("/control/{action}", Control, get(control::act)).says("Have something done now").asks(&[MODULE, ETYPE])
            .gives("Detail").or(404, "there is no such module").or(409, "it is under way"),
        send("/control/{action}", Control, post(control::act)).says("Have something done now").asks(&[MODULE, ETYPE])
            .gives("Detail").or(404, "there is no such module").or(409, "it is under way"),
        read("/entity/{etype}", Read, get(listing::get_by_id)).says("Latest snapshots that match, as older DP³ lists them")
            .asks(&[may("eid_filter", Text, "a regular expression, found anywhere in the id, in any case"), FULLTEXT, GENERIC, SKIP, PAGE, SORT])
            .gives("Listing").or(400, "the filter is wrong, or its cost too high"),
        read("/telemetry/sources_validity", Read, get(telemetry::sources_validity))
            .says("The end of what each source told last").gives("Times"),
        read("/telemetry/sources_age", Read, get(telemetry::sources_age)).says("How long ago that is")
            .asks(&[may("unit", Word(&["minutes", "seconds"]), "of the numbers")]).gives("Counts"),
        read("/telemetry/entities_per_attr", Read, get(telemetry::entities_per_attr))
            .says("How many entities have each attribute").gives("CountsByType"),
        read("/telemetry/attribute_bson_sizes", Read, get(telemetry::attribute_sizes))
            .says("How many bytes histories of each attribute take").gives("Sizes"),
        read("/telemetry/snapshot_summary", Read, get(telemetry::snapshot_summary)).says("The latest snapshot run").gives("Summary"),
        read("/telemetry/metadata", Read, get(telemetry::metadata)).says("What snapshot runs and jobs noted")
            .asks(&[may("module", Text, "of this module of DP³ alone"), FROM, TO, SKIP, LIMIT, may("sort", Word(&["newest", "oldest"]), "which come first")])
            .gives("Objects"),
        read("/telemetry/rabbitmq/queues", Read, get(telemetry::queues)).says("The queue of tasks, in RabbitMQ's shape").gives("Queues"),
    ];
    // Of both versions of the API alike: the first names the entity in the path, the second in the query.
    for (of_type, of_entity, attr_get, attr_set, query) in [
        ([
            "/entity/{etype}/get", "/entity/{etype}/count", "/entity/{etype}/raw/get", "/entity/{etype}/_/distinct/{attr}",
         ], [
            "/entity/{etype}/{eid}", "/entity/{etype}/{eid}/master", "/entity/{etype}/{eid}/snapshots", "/entity/{etype}/{eid}/ttl",
         ],
         "/entity/{etype}/{eid}/get/{attr}", "/entity/{etype}/{eid}/set/{attr}", &[][..],
        ),
        ([
            "/v2/entity/{etype}/get", "/v2/entity/{etype}/count", "/v2/entity/{etype}/raw/get", "/v2/entity/{etype}/_/distinct/{attr}",
         ], [
            "/v2/entity/{etype}", "/v2/entity/{etype}/master", "/v2/entity/{etype}/snapshots", "/v2/entity/{etype}/ttl",
         ],
         "/v2/entity/{etype}/attr", "/v2/entity/{etype}/attr", &[EID, ATTR][..],
        ),
    ] {
        let [listing_path, count, raw, distinct] = of_type;
        let [whole, master, snapshots, ttl] = of_entity;
        let entity = query.get(..query.len().min(1)).unwrap_or_default();
        rows.extend([
            read(listing_path, Read, get(listing::get)).says("Latest snapshots that match")
                .asks(&[FULLTEXT, GENERIC, SKIP, PAGE, SORT]).gives("Listing").or(400, "the filter is wrong, or its cost too high"),
            read(count, Read, get(listing::count)).says("How many latest snapshots match").asks(&[FULLTEXT, GENERIC])
                .gives("Total").or(400, "the filter is wrong, or its cost too high"),
            read(raw, Read, get(listing::raw)).says("The log of datapoints").asks(&RAW).gives("RawListing").or(400, "its cost is too high"),
            read(distinct, Read, get(listing::distinct)).says("How often each value of an attribute occurs")
                .gives("Counts").or(400, "values of the attribute cannot be counted, or at too high a cost"),
            read(whole, Read, get(entities::whole)).says("Master record and snapshots of an entity").asks(entity).asks(&[FROM, TO])
                .gives("Whole").or(400, "its cost is too high"),
            drop(whole, Entities, delete(entities::delete)).says("Queue the removal of an entity").asks(entity).gives("Detail").or(429, "the queues are at their high mark"),
            read(master, Read, get(entities::master)).says("The master record of an entity").asks(entity).asks(&[FROM, TO]).gives("Master"),
            read(snapshots, Read, get(entities::snapshots)).says("Snapshots of an entity, oldest first").asks(entity)
                .asks(&[FROM, TO, SKIP, LIMIT]).gives("Snapshots").or(400, "its cost is too high"),
            send(ttl, Entities, post(entities::ttl)).says("Keep an entity alive").asks(entity).takes(Content::Json("Times")).gives("Detail"),
            read(attr_get, Read, get(values::get)).says("Current value and history of an attribute").asks(query).asks(&[FROM, TO])
                .gives("AttributeHistory"),
            send(attr_set, Entities, post(values::set)).says("Set an attribute as of now").asks(query)
                .takes(Content::Json("SetValue")).gives("Detail"),
        ]);
    }
    rows
}
