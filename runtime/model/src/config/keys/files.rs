//! Keys of the files at the top of the directory, as DP³ knows them.

use super::tenter::TENTER;
use super::{Form, Keys, Others, may, must};

/// Every file at the top of the directory, with its keys.
pub(in super::super) const FILES: [(&str, &Keys); 11] = [
    ("api.yml", &API),
    ("control.yml", &CONTROL),
    ("database.yml", &DATABASE),
    ("event_logging.yml", &EVENT_LOGGING),
    ("garbage_collector.yml", &GARBAGE_COLLECTOR),
    ("history_manager.yml", &HISTORY_MANAGER),
    ("processing_core.yml", &PROCESSING_CORE),
    ("snapshots.yml", &SNAPSHOTS),
    ("telemetry.yml", &TELEMETRY),
    ("tenter.yml", &TENTER),
    ("updater.yml", &UPDATER),
];

const API: Keys = Keys {
    list: &[
        may("cors", Form::Mapping(&CORS), "what pages of other origins may do"),
        may("datapoint_logger", Form::Mapping(&DATAPOINT_LOGGER), "files in which datapoints from outside are logged"),
    ],
    others: Others::Warn,
};

const CORS: Keys = Keys {
    list: &[may("allow_origins", Form::List(&Form::Text), "origins whose pages may read; default [\"*\"]")],
    others: Others::Warn,
};

const DATAPOINT_LOGGER: Keys = Keys {
    list: &[
        may("good_log", Form::TextOrFalse, "a file for accepted datapoints; default false"),
        may("bad_log", Form::TextOrFalse, "a file for refused ones; default false"),
    ],
    others: Others::Warn,
};

const CONTROL: Keys = Keys {
    list: &[must(
        "allowed_actions",
        Form::List(&Form::Word(&["make_snapshots", "refresh_on_entity_creation", "refresh_module_config"])),
        "actions that may be asked for",
    )],
    others: Others::Warn,
};

const DATABASE: Keys = Keys {
    list: &[
        may("db_name", Form::Any, "of MongoDB; ignored"),
        may("username", Form::Any, "of MongoDB; ignored"),
        may("password", Form::Any, "of MongoDB; ignored"),
        may("connection", Form::Any, "of MongoDB; ignored"),
        may("storage", Form::Mapping(&STORAGE), "how snapshots are stored"),
    ],
    others: Others::Error,
};

const STORAGE: Keys = Keys {
    list: &[may("snapshot_bucket_size", Form::Int(1), "snapshots in one document of MongoDB; ignored")],
    others: Others::Error,
};

const EVENT_LOGGING: Keys = Keys {
    list: &[
        may("redis", Form::Any, "ignored"),
        may("groups", Form::Names("", &Form::Mapping(&EVENT_GROUP)), "counters: te, tasks_by_src, secondary_hooks"),
    ],
    others: Others::Warn,
};

pub(in super::super) const EVENT_GROUP: Keys = Keys {
    list: &[
        may("events", Form::List(&Form::Text), "names of counters"),
        may(
            "auto_declare_events",
            Form::Bool,
            "whether other names come into being when they are counted; default false",
        ),
        may("intervals", Form::List(&Form::Interval), "lengths of intervals that are counted apart"),
        may("sync_interval", Form::Any, "of Redis; ignored"),
        may("sync_limit", Form::Any, "of Redis; ignored"),
    ],
    others: Others::Warn,
};

const GARBAGE_COLLECTOR: Keys = Keys {
    list: &[may(
        "collection_rate",
        Form::Cron,
        "when entities past their lifetime are removed; default daily at 03:00",
    )],
    others: Others::Warn,
};

const HISTORY_MANAGER: Keys = Keys {
    list: &[
        must("aggregation_schedule", Form::Cron, "when equal neighbours in histories are merged"),
        must("datapoint_cleaning_schedule", Form::Cron, "when what is older than max_age leaves the histories"),
        may("mark_datapoints_schedule", Form::Any, "has no effect in DP³ either"),
        must("snapshot_cleaning", Form::Mapping(&SNAPSHOT_CLEANING), "when old snapshots are removed"),
        must("datapoint_archivation", Form::Mapping(&DATAPOINT_ARCHIVATION), "when old datapoints leave the log"),
    ],
    others: Others::Error,
};

const SNAPSHOT_CLEANING: Keys = Keys {
    list: &[must("schedule", Form::Cron, "when"), must("older_than", Form::Duration, "how old they are then")],
    others: Others::Error,
};

const DATAPOINT_ARCHIVATION: Keys = Keys {
    list: &[
        must("schedule", Form::Cron, "when"),
        must("older_than", Form::Duration, "how old they are then"),
        may("archive_dir", Form::Text, "folder of the archives; without one they are removed"),
    ],
    others: Others::Error,
};

const PROCESSING_CORE: Keys = Keys {
    list: &[
        may("msg_broker", Form::Any, "of RabbitMQ; ignored"),
        may("worker_processes", Form::Int(1), "of DP³; ignored, tenter.yml has `lanes`"),
        may("worker_threads", Form::Int(1), "of DP³; ignored, tenter.yml has `lanes`"),
        may("max_inline_generated_tasks", Form::Int(0), "of DP³; ignored, no task makes a round trip here"),
        may("modules_dir", Form::Text, "folder of DP³'s Python modules; ignored, components are uploaded"),
        may("enabled_modules", Form::List(&Form::Text), "modules in the order in which their hooks are called"),
    ],
    others: Others::Warn,
};

const SNAPSHOTS: Keys = Keys {
    list: &[
        may("creation_rate", Form::Cron, "when snapshots are made; default each half hour"),
        may("keep_empty", Form::Bool, "whether entities with nothing but an id get snapshots; default true"),
    ],
    others: Others::Warn,
};

const TELEMETRY: Keys = Keys {
    list: &[may(
        "attribute_bson_size_schedule",
        Form::Cron,
        "when sizes of attributes are measured; default daily at 03:15",
    )],
    others: Others::Error,
};

const UPDATER: Keys = Keys {
    list: &[
        must("update_batch_cron", Form::Cron, "when one step of each sweep is made"),
        must("update_batch_period", Form::LongerThanZero, "the period of that schedule; above zero"),
        may("cache_management_cron", Form::Cron, "when finished sweeps are forgotten; default daily at 02:00"),
        may("cache_max_entries", Form::Int(1), "finished sweeps that are kept per group; default 32"),
    ],
    others: Others::Error,
};
