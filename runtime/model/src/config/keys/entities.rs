//! Keys of `db_entities/*.yml`.

use super::{ENTITY_TYPE, Form, IDENTIFIER, Key, Keys, Others, may, must};

/// The whole file.
pub(in super::super) const ENTITY_FILE: Keys = Keys {
    list: &[
        must("entity", Form::Mapping(&ENTITY), "the entity type itself"),
        must("attribs", Form::Names(IDENTIFIER, &Form::Attribute), "its attributes by id"),
    ],
    others: Others::Warn,
};

pub(in super::super) const ENTITY: Keys = Keys {
    list: &[
        must("id", Form::Pattern(ENTITY_TYPE), "id of the type; the name of the file without .yml"),
        may(
            "id_data_type",
            Form::Word(&["string", "int", "ipv4", "ipv6", "mac"]),
            "what ids of entities are; default string",
        ),
        must("name", Form::Text, "name for people"),
        must("snapshot", Form::Bool, "whether entities without links take part in snapshots"),
        may("lifetime", Form::Lifetime, "how long entities live; default {type: immortal}"),
        may("description", Form::Text, "description for people"),
    ],
    others: Others::Error,
};

/// Values of `lifetime.type`.
pub(in super::super) const LIFETIMES: [&str; 3] = ["immortal", "ttl", "weak"];

/// A lifetime that is not `ttl`.
pub(in super::super) const LIFETIME: Keys = Keys {
    list: &[must(
        "type",
        Form::Word(&LIFETIMES),
        "immortal: for ever; ttl: as long as a token lasts; weak: as long as something links to it",
    )],
    others: Others::Error,
};

/// A lifetime that is `ttl`.
pub(in super::super) const LIFETIME_TTL: Keys = Keys {
    list: &[
        must(
            "type",
            Form::Word(&LIFETIMES),
            "immortal: for ever; ttl: as long as a token lasts; weak: as long as something links to it",
        ),
        must("on_create", Form::Duration, "how long an entity lives after it came into being"),
        may("mirror_data", Form::Bool, "whether it lives at least as long as its data are kept; default true"),
    ],
    others: Others::Error,
};

const ID: Key = may("id", Form::Any, "overwritten by the key of the attribute");
const TYPE: Key = must("type", Form::Word(&["plain", "observations", "timeseries"]), "kind of the attribute");
const NAME: Key = must("name", Form::Text, "name for people");
const DESCRIPTION: Key = may("description", Form::Text, "description for people");
const TTL: Key = may("ttl", Form::Duration, "how long a value keeps an entity with lifetime ttl alive; default 0");
const DATA_TYPE: Key = must("data_type", Form::DataType, "what values are, such as string or link<ip>");
const EDITABLE: Key = may("editable", Form::Bool, "a hint for user interfaces; default false");

/// What every attribute has.
pub(in super::super) const ATTRIBUTE: Keys = Keys { list: &[ID, TYPE, NAME, DESCRIPTION, TTL], others: Others::Error };

pub(in super::super) const PLAIN: Keys =
    Keys { list: &[ID, TYPE, NAME, DESCRIPTION, DATA_TYPE, EDITABLE, TTL], others: Others::Error };

pub(in super::super) const OBSERVATIONS: Keys = Keys {
    list: &[
        ID,
        TYPE,
        NAME,
        DESCRIPTION,
        TTL,
        DATA_TYPE,
        EDITABLE,
        may("confidence", Form::Bool, "a hint for user interfaces; default false"),
        may("multi_value", Form::Bool, "whether several values hold at once; default false"),
        may("history_params", Form::Mapping(&HISTORY_PARAMS), "how long values hold and are kept"),
        may("history_force_graph", Form::Bool, "a hint for user interfaces; default false"),
    ],
    others: Others::Error,
};

pub(in super::super) const HISTORY_PARAMS: Keys = Keys {
    list: &[
        may("max_age", Form::Duration, "points that ended longer ago are removed; default: never"),
        may("max_items", Form::Int(1), "most points that are kept; default: all"),
        may("expire_time", Form::Expiry, "how long after its end a value counts as current; inf: for ever"),
        may("pre_validity", Form::Duration, "how long before t1 a value already counts, less and less; default 0"),
        may("post_validity", Form::Duration, "how long after t2 a value still counts, less and less; default 0"),
        may("aggregate", Form::Bool, "whether equal neighbours are merged; default true"),
    ],
    others: Others::Warn,
};

pub(in super::super) const TIMESERIES: Keys = Keys {
    list: &[
        ID,
        TYPE,
        NAME,
        DESCRIPTION,
        TTL,
        must(
            "timeseries_type",
            Form::Word(&["regular", "irregular", "irregular_intervals"]),
            "regular: one value each time_step; irregular: each with its time; irregular_intervals: each with time_first and time_last",
        ),
        may("series", Form::Names(IDENTIFIER, &Form::Mapping(&SERIES)), "series by id"),
        must(
            "timeseries_params",
            Form::Mapping(&TIMESERIES_PARAMS),
            "how long chunks are kept, and the step of a regular one",
        ),
    ],
    others: Others::Error,
};

pub(in super::super) const SERIES: Keys = Keys {
    list: &[
        may("id", Form::Any, "overwritten by the key of the series"),
        must("data_type", Form::Word(&["int", "int64", "float", "time"]), "what its values are"),
    ],
    others: Others::Warn,
};

pub(in super::super) const TIMESERIES_PARAMS: Keys = Keys {
    list: &[
        may("max_age", Form::Duration, "chunks that ended longer ago are removed; default: never"),
        may("time_step", Form::Duration, "time from value to value; a regular timeseries needs it"),
    ],
    others: Others::Warn,
};

/// Keys of an attribute of that kind.
pub(in super::super) fn attribute_of(kind: &str) -> &'static Keys {
    match kind {
        "plain" => &PLAIN,
        "observations" => &OBSERVATIONS,
        "timeseries" => &TIMESERIES,
        _ => &ATTRIBUTE,
    }
}
