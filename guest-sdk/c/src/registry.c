// Which moments the module wants, and which function answers. Part of tenter.c.

typedef enum {
  ON_TASK_START, ALLOW_ENTITY_CREATION, ON_ENTITY_CREATION, ON_NEW_ATTRIBUTE,
  SNAPSHOT_INIT, SNAPSHOT_FINALIZE, TIMESERIES, CORRELATE, CORRELATE_WITH_RECORD,
  UPDATE_RECORD, UPDATE_ENTITY, CRON, BEFORE, AFTER, MANUAL,
} kind;

static const char *const KINDS[] = {
    "on-task-start", "allow-entity-creation", "on-entity-creation", "on-new-attribute",
    "snapshot-init", "snapshot-finalize", "timeseries", "correlate", "correlate-with-record",
    "update-record", "update-entity", "cron", "before", "after", "manual",
};

/** All that any kind needs to know; texts are the module's, and stay. */
struct tenter_hook {
  tenter_hook *next;
  kind kind;
  tenter_string id;
  void (*handler)(void);
  tenter_string etype, attr; // or object and action, or object and title
  tenter_paths depends_on, may_change;
  bool refresh, whole, synchronous;
  uint64_t period;
  uint32_t grace;
  tenter_string arguments;
  const char *fields[9]; // of cron; none at all is once at start
};

static tenter_hook *hooks, **hooks_end = &hooks;
static struct {
  exports_tenter_hooks_module_request_t *ptr;
  size_t len;
} requests;

/** An id in lower case, with `-` for what an id cannot hold, at most 64 characters. */
static tenter_string clean(tenter_string id) {
  id = tenter_lower(id);
  if (id.len > 64) id.len = 64;
  for (size_t i = 0; i < id.len; i++) {
    uint8_t c = id.ptr[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':' || c == '-')) id.ptr[i] = '-';
  }
  return id;
}

__attribute__((unused)) static tenter_hook *add(kind kind, tenter_string id, void (*handler)(void)) {
  tenter_hook *hook = tenter_alloc(sizeof *hook);
  *hook = (tenter_hook){.kind = kind, .id = clean(id), .handler = handler, .grace = 1, .arguments = tenter_text("null")};
  *hooks_end = hook;
  hooks_end = &hook->next;
  return hook;
}

#define PARTS(...) tenter_join(((tenter_strings){(tenter_string[]){__VA_ARGS__}, sizeof((tenter_string[]){__VA_ARGS__}) / sizeof(tenter_string)}), "")

__attribute__((unused)) static tenter_hook *about(kind kind, const char *etype, const char *attr, void (*handler)(void)) {
  tenter_string name = tenter_text(KINDS[kind]);
  if (etype) name = PARTS(name, tenter_text(":"), tenter_text(etype));
  if (attr) name = PARTS(name, tenter_text("."), tenter_text(attr));
  tenter_hook *hook = add(kind, name, handler);
  hook->etype = copied(tenter_text(etype));
  hook->attr = copied(tenter_text(attr));
  return hook;
}

#define HANDLER(handler) (void (*)(void))(handler)

static tenter_paths kept_paths(tenter_paths paths) {
  size_t len = 0;
  while (paths && paths[len]) len++;
  const char **copy = tenter_alloc((len + 1) * sizeof *copy);
  for (size_t i = 0; i < len; i++) copy[i] = tenter_terminated(tenter_text(paths[i]));
  return copy;
}

void (tenter_request)(tenter_string capability, tenter_string scope) {
  *ADD(requests) = (exports_tenter_hooks_module_request_t){copied(capability), copied(scope)};
}

void tenter_id(tenter_hook *hook, const char *id) { hook->id = copied(tenter_text(id)); }
void tenter_whole(tenter_hook *hook) { hook->whole = true; }
void tenter_grace(tenter_hook *hook, uint32_t seconds) { hook->grace = seconds; }
void tenter_arguments(tenter_hook *hook, const char *json) { hook->arguments = copied(tenter_text(json)); }
void tenter_synchronous(tenter_hook *hook) { hook->synchronous = true; }

void tenter_refresh(tenter_hook *hook, tenter_paths may_change) {
  hook->refresh = true;
  hook->may_change = kept_paths(may_change);
}

/** What is wrong with the registrations, if anything. */
static tenter_error check(void) {
  for (tenter_hook *hook = hooks; hook; hook = hook->next) {
    uint8_t c = hook->id.len ? hook->id.ptr[0] : 0;
    if (!tenter_equal(hook->id, clean(hook->id)) || !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
      return tenter_failed(
          "subscription id \"%.*s\" of %s is not valid: expected a lower-case letter or digit, then lower-case letters, digits, "
          "_ . : or -, at most 64 characters; set one with tenter_id", TENTER_ARG(hook->id), KINDS[hook->kind]);
    for (tenter_hook *other = hook->next; other; other = other->next)
      if (tenter_equal(hook->id, other->id))
        return tenter_failed("two subscriptions have the id \"%.*s\"; give one of them another with tenter_id", TENTER_ARG(hook->id));
  }
  return NULL;
}

static tenter_error no_handler(kind kind, tenter_string id) {
  return tenter_failed("no handler for %s subscription \"%.*s\"", KINDS[kind], TENTER_ARG(id));
}

__attribute__((unused)) static const tenter_hook *find(kind kind, tenter_string id) {
  for (const tenter_hook *hook = hooks; hook; hook = hook->next)
    if (hook->kind == kind && tenter_equal(hook->id, id)) return hook;
  return NULL;
}

/** Paths as the contract has them: each a list of names. */
__attribute__((unused)) static tenter_hooks_types_path_t *steps(tenter_paths paths, size_t *len) {
  struct {
    tenter_hooks_types_path_t *ptr;
    size_t len;
  } all = {0};
  for (; paths && *paths; paths++) {
    tenter_strings names = {0};
    for (const char *at = *paths;; at++) {
      const char *end = at;
      while (*end && *end != '.') end++;
      *ADD(names) = tenter_bytes(at, (size_t)(end - at));
      if (!*end) break;
      at = end;
    }
    *ADD(all) = (tenter_hooks_types_path_t){names.ptr, names.len};
  }
  *len = all.len;
  return all.ptr;
}

#ifdef TENTER_INGEST
tenter_hook *tenter_on_task_start(tenter_error (*handler)(const tenter_task *)) {
  return about(ON_TASK_START, NULL, NULL, HANDLER(handler));
}

tenter_hook *tenter_allow_entity_creation(const char *etype, tenter_error (*handler)(const tenter_task *, tenter_verdict *)) {
  return about(ALLOW_ENTITY_CREATION, etype, NULL, HANDLER(handler));
}

tenter_hook *tenter_on_entity_creation(const char *etype, tenter_error (*handler)(const tenter_task *, tenter_tasks *)) {
  return about(ON_ENTITY_CREATION, etype, NULL, HANDLER(handler));
}

tenter_hook *tenter_on_new_attribute(
    const char *etype, const char *attr, tenter_error (*handler)(const tenter_entity *, const tenter_datapoint *, tenter_tasks *)) {
  return about(ON_NEW_ATTRIBUTE, etype, attr, HANDLER(handler));
}
#endif

#ifdef TENTER_SNAPSHOT
tenter_hook *tenter_snapshot_init(tenter_error (*handler)(const tenter_run *, tenter_tasks *)) {
  return about(SNAPSHOT_INIT, NULL, NULL, HANDLER(handler));
}

tenter_hook *tenter_snapshot_finalize(tenter_error (*handler)(const tenter_run *, tenter_tasks *)) {
  return about(SNAPSHOT_FINALIZE, NULL, NULL, HANDLER(handler));
}

tenter_hook *tenter_timeseries(
    const char *etype, const char *attr,
    tenter_error (*handler)(const tenter_entity *, tenter_string, const tenter_chunk *, size_t, tenter_tasks *)) {
  return about(TIMESERIES, etype, attr, HANDLER(handler));
}

static tenter_hook *correlation(kind kind, const char *etype, tenter_paths depends_on, tenter_paths may_change, void (*handler)(void)) {
  tenter_hook *hook = about(kind, etype, NULL, handler);
  hook->depends_on = kept_paths(depends_on);
  hook->may_change = kept_paths(may_change);
  return hook;
}

tenter_hook *tenter_correlate(
    const char *etype, tenter_paths depends_on, tenter_paths may_change, tenter_error (*handler)(const tenter_view *, tenter_changes *)) {
  return correlation(CORRELATE, etype, depends_on, may_change, HANDLER(handler));
}

tenter_hook *tenter_correlate_with_record(
    const char *etype, tenter_paths depends_on, tenter_paths may_change,
    tenter_error (*handler)(const tenter_view *, const tenter_record *, tenter_changes *)) {
  return correlation(CORRELATE_WITH_RECORD, etype, depends_on, may_change, HANDLER(handler));
}
#endif

#ifdef TENTER_UPDATE
tenter_hook *tenter_update_record(const char *etype, uint64_t period_seconds, tenter_error (*handler)(const tenter_record *, tenter_tasks *)) {
  tenter_hook *hook = about(UPDATE_RECORD, etype, NULL, HANDLER(handler));
  hook->period = period_seconds;
  return hook;
}

tenter_hook *tenter_update_entity(const char *etype, uint64_t period_seconds, tenter_error (*handler)(const tenter_entity *, tenter_tasks *)) {
  tenter_hook *hook = about(UPDATE_ENTITY, etype, NULL, HANDLER(handler));
  hook->period = period_seconds;
  return hook;
}
#endif

#ifdef TENTER_SCHEDULE
/** Part of a default id. What an id cannot hold would make different expressions alike. */
static tenter_string spelt(const char *expression) {
  tenter_strings parts = {0};
  for (; *expression; expression++) {
    const char *word = *expression == '*' ? "any" : *expression == '/' ? ".by." : *expression == ',' ? ".and." : NULL;
    *ADD(parts) = word ? tenter_text(word) : tenter_bytes(expression, 1);
  }
  return tenter_join(parts, "");
}

tenter_hook *tenter_cron(tenter_cron_fields f, tenter_error (*handler)(tenter_string)) {
  static const char *const names[] = {"y", "mo", "d", "w", "wd", "h", "mi", "s"};
  const char *given[] = {f.year, f.month, f.day, f.week, f.day_of_week, f.hour, f.minute, f.second};
  tenter_string id = tenter_text("cron");
  for (size_t i = 0; i < 8; i++)
    if (given[i]) id = PARTS(id, tenter_text(":"), tenter_text(names[i]), tenter_text("."), spelt(given[i]));
  tenter_hook *hook = add(CRON, id, HANDLER(handler));
  for (size_t i = 0; i < 8; i++) hook->fields[i] = given[i] ? tenter_terminated(tenter_text(given[i])) : NULL;
  hook->fields[8] = f.timezone ? tenter_terminated(tenter_text(f.timezone)) : "UTC";
  return hook;
}

tenter_hook *tenter_once_at_start(tenter_error (*handler)(tenter_string)) {
  return add(CRON, tenter_text("cron:once-at-start"), HANDLER(handler));
}
#endif

#ifdef TENTER_CASES
static tenter_hook *of_case(kind kind, const char *object, const char *action, void (*handler)(void)) {
  tenter_string any = tenter_text("any"), o = tenter_text(object), a = tenter_text(action);
  tenter_string id = PARTS(
      tenter_text(KINDS[kind]), tenter_text(":"), tenter_equal(o, "*") ? any : o, tenter_text(kind == MANUAL ? ":" : "."),
      kind != MANUAL && tenter_equal(a, "*") ? any : a);
  tenter_hook *hook = add(kind, id, handler);
  hook->etype = copied(o);
  hook->attr = copied(a);
  return hook;
}

tenter_hook *tenter_before(
    const char *object, const char *action,
    tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_proposal *, tenter_judgement *)) {
  return of_case(BEFORE, object, action, HANDLER(handler));
}

tenter_hook *tenter_after(
    const char *object, const char *action,
    tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_written *, size_t, tenter_effects *)) {
  return of_case(AFTER, object, action, HANDLER(handler));
}

tenter_hook *tenter_manual(
    const char *object, const char *title,
    tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_object *, size_t, tenter_effects *)) {
  return of_case(MANUAL, object, title, HANDLER(handler));
}
#endif
