// Modules for Tenter in C.
//
// A module defines `tenter_module`, and in its `setup` registers functions for hooks. What a family or an import gives is
// declared when `tenter.toml` names it; without that, using it is an error of the compiler that says so.
//
// Memory: what the host hands in and what the functions here make belongs to the call and goes with it, so that nothing
// needs to be freed. What `setup` makes stays until the next `setup`. `malloc` is the module's own, for what shall stay over
// calls; but the host may drop an instance between any two calls, so that memory is a cache.
#ifndef TENTER_H
#define TENTER_H

#include "guest.h"

#if defined(EXPORTS_TENTER_HOOKS_INGEST_MOMENT_ON_TASK_START)
#define TENTER_INGEST 1
#endif
#if defined(EXPORTS_TENTER_HOOKS_SNAPSHOT_MOMENT_SNAPSHOT_INIT)
#define TENTER_SNAPSHOT 1
#endif
#if defined(EXPORTS_TENTER_HOOKS_UPDATE_MOMENT_UPDATE_RECORD)
#define TENTER_UPDATE 1
#endif
#if defined(EXPORTS_TENTER_HOOKS_SCHEDULE_MOMENT_CRON)
#define TENTER_SCHEDULE 1
#endif
#if defined(EXPORTS_TENTER_HOOKS_CASES_MOMENT_BEFORE)
#define TENTER_CASES 1
#endif
#if defined(TENTER_HOOKS_VIEWS_VIEW_ERROR_DENIED)
#define TENTER_VIEWS 1
#endif
#if defined(TENTER_HOOKS_TYPES_HISTORY_PLAIN)
#define TENTER_RECORDS 1
#endif
#define TENTER_NO_FAMILY(name) __attribute__((unavailable("add \"" name "\" to `families` in tenter.toml")))
#define TENTER_NO_IMPORT(name) __attribute__((unavailable("add \"" name "\" to `imports` in tenter.toml")))

// ---- Words of the contract

typedef guest_string_t tenter_string; // text in UTF-8, or bytes; not terminated
typedef tenter_hooks_types_entity_ref_t tenter_entity;
typedef tenter_hooks_types_scalar_t tenter_scalar;
typedef tenter_hooks_types_value_t tenter_value;
typedef tenter_hooks_types_datapoint_t tenter_datapoint;
typedef tenter_hooks_types_task_t tenter_task;
typedef int64_t tenter_time; // microseconds since 1970-01-01T00:00:00Z

#define TENTER_SECOND INT64_C(1000000)
#define TENTER_MINUTE (60 * TENTER_SECOND)
#define TENTER_HOUR (60 * TENTER_MINUTE)
#define TENTER_DAY (24 * TENTER_HOUR)

typedef struct {
  tenter_string *ptr;
  size_t len;
} tenter_strings;

// ---- Memory and strings. Functions that take `tenter_string` have a macro of the same name below that takes `char *` too.

void *tenter_alloc(size_t size); // zeroed; never NULL
tenter_string tenter_text(const char *terminated); // refers to it, without a copy
tenter_string tenter_bytes(const void *ptr, size_t len);
tenter_string tenter_format(const char *format, ...) __attribute__((format(printf, 1, 2))); // "%.*s" takes TENTER_ARG(string)
char *tenter_terminated(tenter_string text); // a copy with a zero behind it
tenter_string tenter_lower(tenter_string text); // ASCII letters
bool (tenter_equal)(tenter_string a, tenter_string b);
bool (tenter_contains)(tenter_string text, tenter_string part);
bool (tenter_starts)(tenter_string text, tenter_string part);
bool (tenter_ends)(tenter_string text, tenter_string part);
tenter_string (tenter_join)(tenter_strings parts, tenter_string between);

#define TENTER_ARG(string) (int)(string).len, (const char *)(string).ptr
static inline tenter_string tenter_same(tenter_string text) { return text; }
#define TENTER_STRING(text) _Generic((text), tenter_string: tenter_same, default: tenter_text)(text)
#define tenter_equal(a, b) (tenter_equal)(TENTER_STRING(a), TENTER_STRING(b))
#define tenter_contains(text, part) (tenter_contains)(TENTER_STRING(text), TENTER_STRING(part))
#define tenter_starts(text, part) (tenter_starts)(TENTER_STRING(text), TENTER_STRING(part))
#define tenter_ends(text, part) (tenter_ends)(TENTER_STRING(text), TENTER_STRING(part))
#define tenter_join(parts, between) (tenter_join)(parts, TENTER_STRING(between))

// ---- Errors. A hook returns NULL, or one of these.

typedef struct {
  tenter_hooks_types_hook_error_t hook;
  const char *code; // of an error of the host: the name of its case, such as "not-found"; else NULL
} tenter_error_info;
typedef const tenter_error_info *tenter_error;

tenter_error tenter_invalid(const char *format, ...) __attribute__((format(printf, 1, 2))); // the data is to blame
tenter_error tenter_unavailable(const char *format, ...) __attribute__((format(printf, 1, 2))); // try again
tenter_error tenter_failed(const char *format, ...) __attribute__((format(printf, 1, 2))); // the module is to blame

#define TENTER_TRY(call) do { tenter_error tenter_tried = (call); if (tenter_tried) return tenter_tried; } while (0)

// ---- JSON, of the configuration and of case objects. All functions take NULL for what is not there.

typedef enum { TENTER_NULL, TENTER_BOOLEAN, TENTER_NUMBER, TENTER_TEXT, TENTER_LIST, TENTER_OBJECT } tenter_json_kind;
typedef struct tenter_json {
  tenter_json_kind kind;
  tenter_string text; // of a text, or the digits of a number
  bool boolean;
  size_t len; // of a list or an object
  struct tenter_json *items;
  tenter_string *names; // of an object's items
} tenter_json;

const tenter_json *tenter_json_parse(tenter_string text); // NULL when it is no JSON
const tenter_json *tenter_json_get(const tenter_json *object, const char *name);
const tenter_json *tenter_json_at(const tenter_json *list, size_t index);
tenter_string tenter_json_text(const tenter_json *json, const char *otherwise);
double tenter_json_real(const tenter_json *json, double otherwise);
int64_t tenter_json_integer(const tenter_json *json, int64_t otherwise);
bool tenter_json_boolean(const tenter_json *json, bool otherwise);
tenter_string (tenter_json_quote)(tenter_string text); // as JSON, with the quotes
#define tenter_json_quote(text) (tenter_json_quote)(TENTER_STRING(text))

// ---- Entities and values

tenter_entity (tenter_entity_of)(tenter_string etype, tenter_string eid);
bool tenter_same_entity(const tenter_entity *a, const tenter_entity *b);
#define tenter_entity_of(etype, eid) (tenter_entity_of)(TENTER_STRING(etype), TENTER_STRING(eid))

tenter_value tenter_boolean(bool value);
tenter_value tenter_integer(int64_t value);
tenter_value tenter_real(double value);
tenter_value (tenter_text_value)(tenter_string text);
tenter_value tenter_time_value(tenter_time time);
tenter_value (tenter_address)(tenter_string text); // IPv4, IPv6 or MAC
tenter_value (tenter_json_value)(tenter_string json); // JSON text; the host reads it by the specification, for any data type
tenter_value tenter_link(tenter_entity target); // without data; `val.link.data` holds some
tenter_value tenter_links(const tenter_entity *targets, size_t len);
tenter_value tenter_items(const tenter_scalar *items, size_t len); // array or set
tenter_value tenter_texts(const tenter_string *items, size_t len);
tenter_value tenter_members(const char *const *names, const tenter_scalar *values, size_t len); // dictionary
tenter_scalar tenter_scalar_of(tenter_value value); // of a primitive
tenter_value tenter_value_of(tenter_scalar scalar);
#define tenter_text_value(text) (tenter_text_value)(TENTER_STRING(text))
#define tenter_address(text) (tenter_address)(TENTER_STRING(text))
#define tenter_json_value(json) (tenter_json_value)(TENTER_STRING(json))

// A value as a type; false when it is of another kind, or not there. An integer reads as a real too.
bool tenter_read_boolean(const tenter_value *value, bool *out);
bool tenter_read_integer(const tenter_value *value, int64_t *out);
bool tenter_read_real(const tenter_value *value, double *out);
bool tenter_read_text(const tenter_value *value, tenter_string *out); // of texts, addresses and JSON
const tenter_entity *tenter_read_link(const tenter_value *value); // NULL for others
const tenter_scalar *tenter_member(const tenter_value *value, const char *name); // of a dictionary

// ---- Tasks. Pointers to tasks stay; one to a datapoint is good until the next is added to the task.

typedef struct {
  tenter_task **ptr;
  size_t len;
} tenter_tasks;

tenter_task *tenter_add_task(tenter_tasks *tasks, tenter_entity entity);
tenter_task *tenter_copy_task(tenter_tasks *tasks, const tenter_task *task);
tenter_datapoint *tenter_add_datapoint(tenter_task *task, tenter_datapoint datapoint);
tenter_datapoint *(tenter_plain)(tenter_task *task, tenter_string attr, tenter_value value);
tenter_datapoint *(tenter_observation)(tenter_task *task, tenter_string attr, tenter_value value, tenter_time t1, tenter_time t2);
// With the times and the confidence of the datapoint that the value was derived from.
tenter_datapoint *(tenter_alongside)(tenter_task *task, tenter_string attr, tenter_value value, const tenter_datapoint *of);
void tenter_confidence(tenter_datapoint *datapoint, double confidence);
void (tenter_src)(tenter_datapoint *datapoint, tenter_string src);
void (tenter_ttl)(tenter_task *task, tenter_string name, tenter_time until);
void (tenter_tag)(tenter_task *task, tenter_string tag);
void tenter_remove_entity(tenter_task *task); // needs the grant delete-entity
#define tenter_plain(task, attr, value) (tenter_plain)(task, TENTER_STRING(attr), value)
#define tenter_observation(task, attr, value, t1, t2) (tenter_observation)(task, TENTER_STRING(attr), value, t1, t2)
#define tenter_alongside(task, attr, value, of) (tenter_alongside)(task, TENTER_STRING(attr), value, of)
#define tenter_src(datapoint, src) (tenter_src)(datapoint, TENTER_STRING(src))
#define tenter_ttl(task, name, until) (tenter_ttl)(task, TENTER_STRING(name), until)
#define tenter_tag(task, tag) (tenter_tag)(task, TENTER_STRING(tag))

// ---- The module

typedef struct {
  const char *name;
  const char *kind; // string, secret, boolean, integer, float, json, html or markdown
  const char *title; // the name without it
  const char *description;
  const char *section;
  bool mandatory;
  const char *default_json; // JSON text such as "\"text\"", "5" or "[]"
} tenter_parameter;

typedef struct {
  const char *title;
  const char *description;
  const char *version; // 0.1.0 without it
  const tenter_parameter *parameters; // ends with one without a name
  // Registers hooks and asks for capabilities; called first in every instance, and again with another configuration. It MUST
  // follow from the configuration alone. An error refuses the configuration.
  tenter_error (*setup)(const tenter_json *config);
} tenter_module_info;

extern const tenter_module_info tenter_module; // which the module defines

void (tenter_request)(tenter_string capability, tenter_string scope); // asked is not granted; the scope may be ""
#define tenter_request(capability, scope) (tenter_request)(TENTER_STRING(capability), TENTER_STRING(scope))

// A registration; these refine it. The default id is made of the kind and what it is about, such as
// `on-new-attribute:ip.open_ports`. Keep ids over versions: stored rows name them.
typedef struct tenter_hook tenter_hook;
typedef const char *const *tenter_paths; // walks over links such as "site.name"; ends with NULL
#define TENTER_PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})
void tenter_id(tenter_hook *hook, const char *id);
void tenter_refresh(tenter_hook *hook, tenter_paths may_change); // run again in the next snapshot after a change of configuration
void tenter_whole(tenter_hook *hook); // see all current values, not only what the hook depends on
void tenter_grace(tenter_hook *hook, uint32_t seconds); // how late a missed slot may be caught up; 1 without it
void tenter_arguments(tenter_hook *hook, const char *json); // what the handler of a timer gets
void tenter_synchronous(tenter_hook *hook); // the request waits for `after`

#include "src/hooks.h"
#include "src/host.h"

#endif
