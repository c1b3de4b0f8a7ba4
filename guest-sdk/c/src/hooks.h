// Registering hooks, family by family, with what their handlers get and answer. Included by tenter.h.

// ---- ingest
#ifdef TENTER_INGEST
typedef tenter_hooks_types_verdict_t tenter_verdict;
// First for every task, also for one that removes its entity.
tenter_hook *tenter_on_task_start(tenter_error (*handler)(const tenter_task *task));
// An unknown entity of that type, before any side effect: may it come into being? It may, unless `tenter_deny` is called.
tenter_hook *tenter_allow_entity_creation(const char *etype, tenter_error (*handler)(const tenter_task *task, tenter_verdict *verdict));
// The unknown entity was accepted.
tenter_hook *tenter_on_entity_creation(const char *etype, tenter_error (*handler)(const tenter_task *task, tenter_tasks *out));
// A datapoint of that attribute came in.
tenter_hook *tenter_on_new_attribute(
    const char *etype, const char *attr,
    tenter_error (*handler)(const tenter_entity *entity, const tenter_datapoint *datapoint, tenter_tasks *out));
void (tenter_deny)(tenter_verdict *verdict, tenter_string reason);
#define tenter_deny(verdict, reason) (tenter_deny)(verdict, TENTER_STRING(reason))
#else
TENTER_NO_FAMILY("ingest") tenter_hook *tenter_on_task_start(const void *, ...);
TENTER_NO_FAMILY("ingest") tenter_hook *tenter_allow_entity_creation(const void *, ...);
TENTER_NO_FAMILY("ingest") tenter_hook *tenter_on_entity_creation(const void *, ...);
TENTER_NO_FAMILY("ingest") tenter_hook *tenter_on_new_attribute(const void *, ...);
#endif

// ---- Master records, of `snapshot`, `update` and the import `entities`
#ifdef TENTER_RECORDS
typedef tenter_hooks_types_master_record_t tenter_record;
typedef tenter_hooks_types_history_t tenter_history;
typedef tenter_hooks_types_chunk_t tenter_chunk;
const tenter_history *(tenter_history_of)(const tenter_record *record, tenter_string attr); // NULL when nothing is stored
const tenter_value *(tenter_stored_plain)(const tenter_record *record, tenter_string attr); // NULL when there is none
tenter_value tenter_column_at(const tenter_hooks_types_value_column_t *column, size_t index);
#define tenter_history_of(record, attr) (tenter_history_of)(record, TENTER_STRING(attr))
#define tenter_stored_plain(record, attr) (tenter_stored_plain)(record, TENTER_STRING(attr))
tenter_value tenter_chunk_value(const tenter_chunk *chunk); // its columns, for a datapoint of a timeseries
#endif

// ---- Current values, of `snapshot` and the import `views`
#if defined(TENTER_SNAPSHOT) || defined(TENTER_VIEWS)
typedef tenter_hooks_types_entity_view_t tenter_entity_view;
typedef tenter_hooks_types_current_value_t tenter_current;
const tenter_current *(tenter_current_of)(const tenter_entity_view *view, tenter_string attr); // the first; NULL when there is none
const tenter_value *(tenter_get)(const tenter_entity_view *view, tenter_string attr); // its value
#define tenter_current_of(view, attr) (tenter_current_of)(view, TENTER_STRING(attr))
#define tenter_get(view, attr) (tenter_get)(view, TENTER_STRING(attr))
#endif

// ---- snapshot
#ifdef TENTER_SNAPSHOT
typedef exports_tenter_hooks_snapshot_run_t tenter_run;
typedef exports_tenter_hooks_snapshot_view_t tenter_view;
typedef exports_tenter_hooks_snapshot_weighted_t tenter_weighted;
typedef struct {
  exports_tenter_hooks_snapshot_list_change_t changes;
  tenter_tasks tasks;
} tenter_changes;
typedef struct {
  const tenter_entity_view **ptr;
  size_t len;
} tenter_views;

tenter_hook *tenter_snapshot_init(tenter_error (*handler)(const tenter_run *run, tenter_tasks *out));
tenter_hook *tenter_snapshot_finalize(tenter_error (*handler)(const tenter_run *run, tenter_tasks *out));
// A stored timeseries, before current values are computed.
tenter_hook *tenter_timeseries(
    const char *etype, const char *attr,
    tenter_error (*handler)(const tenter_entity *entity, tenter_string attr, const tenter_chunk *chunks, size_t len, tenter_tasks *out));
// Current values of an entity and of those that it is linked with.
tenter_hook *tenter_correlate(
    const char *etype, tenter_paths depends_on, tenter_paths may_change,
    tenter_error (*handler)(const tenter_view *view, tenter_changes *out));
tenter_hook *tenter_correlate_with_record(
    const char *etype, tenter_paths depends_on, tenter_paths may_change,
    tenter_error (*handler)(const tenter_view *view, const tenter_record *record, tenter_changes *out));

// An entity of the view, the root too; NULL for one that is not loaded.
const tenter_entity_view *tenter_find(const tenter_view *view, const tenter_entity *entity);
// The entities that a link attribute of an entity of the view leads to, as far as they are loaded.
tenter_views (tenter_follow)(const tenter_view *view, const tenter_entity_view *from, tenter_string attr);
void (tenter_set)(tenter_changes *out, tenter_entity entity, tenter_string attr, tenter_value value);
void (tenter_set_weighted)(tenter_changes *out, tenter_entity entity, tenter_string attr, tenter_value value, double confidence);
// Several values; none removes what is there.
void (tenter_replace)(tenter_changes *out, tenter_entity entity, tenter_string attr, const tenter_weighted *values, size_t len);
#define tenter_follow(view, from, attr) (tenter_follow)(view, from, TENTER_STRING(attr))
#define tenter_set(out, entity, attr, value) (tenter_set)(out, entity, TENTER_STRING(attr), value)
#define tenter_set_weighted(out, entity, attr, value, c) (tenter_set_weighted)(out, entity, TENTER_STRING(attr), value, c)
#define tenter_replace(out, entity, attr, values, len) (tenter_replace)(out, entity, TENTER_STRING(attr), values, len)
#define tenter_remove(out, entity, attr) (tenter_replace)(out, entity, TENTER_STRING(attr), NULL, 0)
#else
TENTER_NO_FAMILY("snapshot") tenter_hook *tenter_snapshot_init(const void *, ...);
TENTER_NO_FAMILY("snapshot") tenter_hook *tenter_snapshot_finalize(const void *, ...);
TENTER_NO_FAMILY("snapshot") tenter_hook *tenter_timeseries(const void *, ...);
TENTER_NO_FAMILY("snapshot") tenter_hook *tenter_correlate(const void *, ...);
TENTER_NO_FAMILY("snapshot") tenter_hook *tenter_correlate_with_record(const void *, ...);
#endif

// ---- update
#ifdef TENTER_UPDATE
// Every stored entity of that type once per period, with its master record or by identity alone.
tenter_hook *tenter_update_record(
    const char *etype, uint64_t period_seconds, tenter_error (*handler)(const tenter_record *record, tenter_tasks *out));
tenter_hook *tenter_update_entity(
    const char *etype, uint64_t period_seconds, tenter_error (*handler)(const tenter_entity *entity, tenter_tasks *out));
#else
TENTER_NO_FAMILY("update") tenter_hook *tenter_update_record(const void *, ...);
TENTER_NO_FAMILY("update") tenter_hook *tenter_update_entity(const void *, ...);
#endif

// ---- schedule
#ifdef TENTER_SCHEDULE
// Fields as of cron, with weekday 0 = Monday. A field less significant than the least one given is its minimum, any other
// that is absent matches all. The timezone is UTC without it.
typedef struct {
  const char *year, *month, *day, *week, *day_of_week, *hour, *minute, *second, *timezone;
} tenter_cron_fields;
// The handler gets the arguments as JSON text; tasks go through `tenter_submit`.
tenter_hook *tenter_cron(tenter_cron_fields fields, tenter_error (*handler)(tenter_string arguments));
tenter_hook *tenter_once_at_start(tenter_error (*handler)(tenter_string arguments));
#else
TENTER_NO_FAMILY("schedule") tenter_hook *tenter_cron(const void *, ...);
TENTER_NO_FAMILY("schedule") tenter_hook *tenter_once_at_start(const void *, ...);
#endif

// ---- cases
#ifdef TENTER_CASES
typedef exports_tenter_hooks_cases_context_t tenter_context;
typedef exports_tenter_hooks_cases_event_t tenter_event;
typedef exports_tenter_hooks_cases_proposal_t tenter_proposal;
typedef exports_tenter_hooks_cases_case_object_t tenter_object;
typedef exports_tenter_hooks_cases_written_t tenter_written;
typedef exports_tenter_hooks_cases_judgement_t tenter_judgement;
typedef exports_tenter_hooks_cases_patch_t tenter_patch;
typedef exports_tenter_hooks_cases_new_object_t tenter_new_object;
typedef exports_tenter_hooks_cases_effect_t tenter_effect;
typedef struct {
  tenter_effect **ptr;
  size_t len;
  tenter_tasks tasks;
  exports_tenter_hooks_cases_option_report_t report;
} tenter_effects;

// Before an object is written; "*" means every object or action. The data stays as it is, unless one of the two functions
// below is called.
tenter_hook *tenter_before(
    const char *object, const char *action,
    tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_proposal *, tenter_judgement *out));
void (tenter_replace_body)(tenter_judgement *out, tenter_string json); // the whole changed body
void (tenter_deny_change)(tenter_judgement *out, tenter_string reason);
// After an object was written.
tenter_hook *tenter_after(
    const char *object, const char *action,
    tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_written *objects, size_t len, tenter_effects *out));
// A person clicks the menu entry of that title.
tenter_hook *tenter_manual(
    const char *object, const char *title,
    tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_object *objects, size_t len, tenter_effects *out));

// An empty patch, which is refused when the object has changed since; `expected_version.is_some = false` lifts that.
tenter_patch *tenter_patch_of(tenter_effects *out, const tenter_object *object);
void (tenter_add_tag)(tenter_patch *patch, tenter_string tag);
void (tenter_remove_tag)(tenter_patch *patch, tenter_string tag);
void (tenter_append_description)(tenter_patch *patch, tenter_string text);
void (tenter_set_field)(tenter_patch *patch, tenter_string name, tenter_string json);
void (tenter_set_custom_field)(tenter_patch *patch, tenter_string tab, tenter_string name, tenter_string kind, tenter_string json);
tenter_new_object *(tenter_create)(tenter_effects *out, tenter_string object, tenter_string body);
void (tenter_attach)(tenter_new_object *object, tenter_string name, tenter_string media_type, tenter_string content);
// What the person who clicked gets to see; media is "text", "markdown" or "json".
void (tenter_report)(tenter_effects *out, tenter_string message, const char *media, tenter_string content);
#define tenter_replace_body(out, json) (tenter_replace_body)(out, TENTER_STRING(json))
#define tenter_deny_change(out, reason) (tenter_deny_change)(out, TENTER_STRING(reason))
#define tenter_add_tag(patch, tag) (tenter_add_tag)(patch, TENTER_STRING(tag))
#define tenter_remove_tag(patch, tag) (tenter_remove_tag)(patch, TENTER_STRING(tag))
#define tenter_append_description(patch, text) (tenter_append_description)(patch, TENTER_STRING(text))
#define tenter_set_field(patch, name, json) (tenter_set_field)(patch, TENTER_STRING(name), TENTER_STRING(json))
#define tenter_set_custom_field(patch, tab, name, kind, json) \
  (tenter_set_custom_field)(patch, TENTER_STRING(tab), TENTER_STRING(name), TENTER_STRING(kind), TENTER_STRING(json))
#define tenter_create(out, object, body) (tenter_create)(out, TENTER_STRING(object), TENTER_STRING(body))
#define tenter_attach(object, name, media_type, content) \
  (tenter_attach)(object, TENTER_STRING(name), TENTER_STRING(media_type), TENTER_STRING(content))
#define tenter_report(out, message, media, content) (tenter_report)(out, TENTER_STRING(message), media, TENTER_STRING(content))
#else
TENTER_NO_FAMILY("cases") tenter_hook *tenter_before(const void *, ...);
TENTER_NO_FAMILY("cases") tenter_hook *tenter_after(const void *, ...);
TENTER_NO_FAMILY("cases") tenter_hook *tenter_manual(const void *, ...);
#endif
