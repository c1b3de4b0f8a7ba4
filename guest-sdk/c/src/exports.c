// What the host calls: finds the handler, and hands out what it answered. Part of tenter.c.

/** The end of a call: what it answered stays until the next. True is success, as the bindings have it. */
static bool ended(tenter_error error, tenter_hooks_types_hook_error_t *err) {
  over = true;
  if (error) *err = error->hook;
  return !error;
}

void exports_tenter_hooks_module_describe(exports_tenter_hooks_module_descriptor_t *ret) {
  begin();
  const tenter_module_info *m = &tenter_module;
  *ret = (exports_tenter_hooks_module_descriptor_t){
      tenter_text(m->title), tenter_text(m->description), tenter_text(m->version ? m->version : "0.1.0"), {0}};
  for (const tenter_parameter *p = m->parameters; p && p->name; p++) {
    *ADD(ret->parameters) = (exports_tenter_hooks_module_parameter_t){
        .name = tenter_text(p->name),
        .title = tenter_text(p->title ? p->title : p->name),
        .description = tenter_text(p->description),
        .kind = tenter_text(p->kind),
        .section = {p->section != NULL, tenter_text(p->section)},
        .mandatory = p->mandatory,
        .default_value = {p->default_json != NULL, tenter_text(p->default_json)},
    };
  }
  over = true;
}

static tenter_error configured(tenter_string config) {
  const tenter_json *json = tenter_json_parse(config);
  if (!json) return tenter_invalid("configuration: expected JSON");
  tenter_error error = tenter_module.setup ? tenter_module.setup(json) : NULL;
  return error ? error : check();
}

bool exports_tenter_hooks_module_configure(
    guest_string_t *config, exports_tenter_hooks_module_list_request_t *ret, exports_tenter_hooks_module_hook_error_t *err) {
  begin();
  hooks = NULL;
  hooks_end = &hooks;
  requests.len = 0;
  requests.ptr = NULL;
  empty(&of_setup);
  current = &of_setup;
  tenter_error error = configured(*config);
  current = &of_call;
  *ret = (exports_tenter_hooks_module_list_request_t){requests.ptr, requests.len};
  return ended(error, err);
}

#define FOUND(kind)                                   \
  begin();                                            \
  const tenter_hook *hook = find(kind, *id);          \
  if (!hook) return ended(no_handler(kind, *id), err)

#define ANSWER_TASKS(call)                                  \
  tenter_tasks out = {0};                                   \
  tenter_error error = (call);                              \
  ret->ptr = flat_tasks(&out);                              \
  ret->len = out.len;                                       \
  return ended(error, err)

#ifdef TENTER_INGEST
void exports_tenter_hooks_ingest_subscriptions(exports_tenter_hooks_ingest_list_subscription_t *ret) {
  begin();
  *ret = (exports_tenter_hooks_ingest_list_subscription_t){0};
  for (const tenter_hook *h = hooks; h; h = h->next) {
    exports_tenter_hooks_ingest_moment_t moment = {0};
    switch (h->kind) {
    case ON_TASK_START: moment.tag = EXPORTS_TENTER_HOOKS_INGEST_MOMENT_ON_TASK_START; break;
    case ALLOW_ENTITY_CREATION:
      moment.tag = EXPORTS_TENTER_HOOKS_INGEST_MOMENT_ALLOW_ENTITY_CREATION;
      moment.val.allow_entity_creation = h->etype;
      break;
    case ON_ENTITY_CREATION:
      moment.tag = EXPORTS_TENTER_HOOKS_INGEST_MOMENT_ON_ENTITY_CREATION;
      moment.val.on_entity_creation = (exports_tenter_hooks_ingest_creation_t){.etype = h->etype, .refresh = h->refresh};
      moment.val.on_entity_creation.may_change.ptr = steps(h->may_change, &moment.val.on_entity_creation.may_change.len);
      break;
    case ON_NEW_ATTRIBUTE:
      moment.tag = EXPORTS_TENTER_HOOKS_INGEST_MOMENT_ON_NEW_ATTRIBUTE;
      moment.val.on_new_attribute =
          (exports_tenter_hooks_ingest_attribute_watch_t){.etype = h->etype, .attr = h->attr, .refresh = h->refresh};
      moment.val.on_new_attribute.may_change.ptr = steps(h->may_change, &moment.val.on_new_attribute.may_change.len);
      break;
    default: continue;
    }
    *ADD(*ret) = (exports_tenter_hooks_ingest_subscription_t){h->id, moment};
  }
  over = true;
}

bool exports_tenter_hooks_ingest_on_task_start(guest_string_t *id, tenter_task *task, tenter_hooks_types_hook_error_t *err) {
  FOUND(ON_TASK_START);
  return ended(((tenter_error (*)(const tenter_task *))hook->handler)(task), err);
}

bool exports_tenter_hooks_ingest_allow_entity_creation(
    guest_string_t *id, tenter_task *task, tenter_verdict *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(ALLOW_ENTITY_CREATION);
  *ret = (tenter_verdict){.tag = TENTER_HOOKS_TYPES_VERDICT_ALLOW};
  return ended(((tenter_error (*)(const tenter_task *, tenter_verdict *))hook->handler)(task, ret), err);
}

bool exports_tenter_hooks_ingest_on_entity_creation(
    guest_string_t *id, tenter_task *task, exports_tenter_hooks_ingest_list_task_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(ON_ENTITY_CREATION);
  ANSWER_TASKS(((tenter_error (*)(const tenter_task *, tenter_tasks *))hook->handler)(task, &out));
}

bool exports_tenter_hooks_ingest_on_new_attribute(
    guest_string_t *id, tenter_entity *entity, tenter_datapoint *datapoint, exports_tenter_hooks_ingest_list_task_t *ret,
    tenter_hooks_types_hook_error_t *err) {
  FOUND(ON_NEW_ATTRIBUTE);
  ANSWER_TASKS(((tenter_error (*)(const tenter_entity *, const tenter_datapoint *, tenter_tasks *))hook->handler)(entity, datapoint, &out));
}

void (tenter_deny)(tenter_verdict *verdict, tenter_string reason) {
  *verdict = (tenter_verdict){TENTER_HOOKS_TYPES_VERDICT_DENY, {reason}};
}
#endif

#ifdef TENTER_SNAPSHOT
void exports_tenter_hooks_snapshot_subscriptions(exports_tenter_hooks_snapshot_list_subscription_t *ret) {
  begin();
  *ret = (exports_tenter_hooks_snapshot_list_subscription_t){0};
  for (const tenter_hook *h = hooks; h; h = h->next) {
    if (h->kind < SNAPSHOT_INIT || h->kind > CORRELATE_WITH_RECORD) continue;
    exports_tenter_hooks_snapshot_moment_t moment = {.tag = (uint8_t)(h->kind - SNAPSHOT_INIT)};
    if (h->kind == TIMESERIES) moment.val.timeseries = (tenter_hooks_types_attribute_ref_t){h->etype, h->attr};
    if (h->kind >= CORRELATE) {
      exports_tenter_hooks_snapshot_correlation_t wish = {.etype = h->etype, .whole = h->whole};
      wish.depends_on.ptr = steps(h->depends_on, &wish.depends_on.len);
      wish.may_change.ptr = steps(h->may_change, &wish.may_change.len);
      moment.val.correlate = wish;
    }
    *ADD(*ret) = (exports_tenter_hooks_snapshot_subscription_t){h->id, moment};
  }
  over = true;
}

bool exports_tenter_hooks_snapshot_snapshot_init(
    guest_string_t *id, tenter_run *run, exports_tenter_hooks_snapshot_list_task_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(SNAPSHOT_INIT);
  ANSWER_TASKS(((tenter_error (*)(const tenter_run *, tenter_tasks *))hook->handler)(run, &out));
}

bool exports_tenter_hooks_snapshot_snapshot_finalize(
    guest_string_t *id, tenter_run *run, exports_tenter_hooks_snapshot_list_task_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(SNAPSHOT_FINALIZE);
  ANSWER_TASKS(((tenter_error (*)(const tenter_run *, tenter_tasks *))hook->handler)(run, &out));
}

bool exports_tenter_hooks_snapshot_timeseries(
    guest_string_t *id, tenter_entity *entity, guest_string_t *attr, exports_tenter_hooks_snapshot_list_chunk_t *history,
    exports_tenter_hooks_snapshot_list_task_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(TIMESERIES);
  typedef tenter_error (*handler)(const tenter_entity *, tenter_string, const tenter_chunk *, size_t, tenter_tasks *);
  ANSWER_TASKS(((handler)hook->handler)(entity, *attr, history->ptr, history->len, &out));
}

#define ANSWER_CHANGES(call)                                                             \
  tenter_changes out = {0};                                                              \
  tenter_error error = (call);                                                           \
  *ret = (exports_tenter_hooks_snapshot_correlated_t){out.changes, {flat_tasks(&out.tasks), out.tasks.len}}; \
  return ended(error, err)

bool exports_tenter_hooks_snapshot_correlate(
    guest_string_t *id, tenter_view *view, exports_tenter_hooks_snapshot_correlated_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(CORRELATE);
  ANSWER_CHANGES(((tenter_error (*)(const tenter_view *, tenter_changes *))hook->handler)(view, &out));
}

bool exports_tenter_hooks_snapshot_correlate_with_record(
    guest_string_t *id, tenter_view *view, tenter_record *master, exports_tenter_hooks_snapshot_correlated_t *ret,
    tenter_hooks_types_hook_error_t *err) {
  FOUND(CORRELATE_WITH_RECORD);
  ANSWER_CHANGES(((tenter_error (*)(const tenter_view *, const tenter_record *, tenter_changes *))hook->handler)(view, master, &out));
}
#endif

#ifdef TENTER_UPDATE
void exports_tenter_hooks_update_subscriptions(exports_tenter_hooks_update_list_subscription_t *ret) {
  begin();
  *ret = (exports_tenter_hooks_update_list_subscription_t){0};
  for (const tenter_hook *h = hooks; h; h = h->next) {
    if (h->kind != UPDATE_RECORD && h->kind != UPDATE_ENTITY) continue;
    exports_tenter_hooks_update_moment_t moment = {(uint8_t)(h->kind - UPDATE_RECORD), {{h->etype, h->period}}};
    *ADD(*ret) = (exports_tenter_hooks_update_subscription_t){h->id, moment};
  }
  over = true;
}

bool exports_tenter_hooks_update_update_record(
    guest_string_t *id, tenter_record *master, exports_tenter_hooks_update_list_task_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(UPDATE_RECORD);
  ANSWER_TASKS(((tenter_error (*)(const tenter_record *, tenter_tasks *))hook->handler)(master, &out));
}

bool exports_tenter_hooks_update_update_entity(
    guest_string_t *id, tenter_entity *entity, exports_tenter_hooks_update_list_task_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND(UPDATE_ENTITY);
  ANSWER_TASKS(((tenter_error (*)(const tenter_entity *, tenter_tasks *))hook->handler)(entity, &out));
}
#endif

#ifdef TENTER_SCHEDULE
static guest_option_string_t perhaps(const char *text) { return (guest_option_string_t){text != NULL, tenter_text(text)}; }

void exports_tenter_hooks_schedule_subscriptions(exports_tenter_hooks_schedule_list_subscription_t *ret) {
  begin();
  *ret = (exports_tenter_hooks_schedule_list_subscription_t){0};
  for (const tenter_hook *h = hooks; h; h = h->next) {
    if (h->kind != CRON) continue;
    const char *const *f = h->fields;
    exports_tenter_hooks_schedule_timing_t timing = {.tag = EXPORTS_TENTER_HOOKS_SCHEDULE_TIMING_ONCE_AT_START};
    if (f[8]) {
      timing.tag = EXPORTS_TENTER_HOOKS_SCHEDULE_TIMING_FIELDS;
      timing.val.fields = (exports_tenter_hooks_schedule_cron_fields_t){
          perhaps(f[0]), perhaps(f[1]), perhaps(f[2]), perhaps(f[3]), perhaps(f[4]),
          perhaps(f[5]), perhaps(f[6]), perhaps(f[7]), tenter_text(f[8])};
    }
    *ADD(*ret) = (exports_tenter_hooks_schedule_subscription_t){
        h->id, {EXPORTS_TENTER_HOOKS_SCHEDULE_MOMENT_CRON, {{timing, h->grace, h->arguments}}}};
  }
  over = true;
}

bool exports_tenter_hooks_schedule_cron(guest_string_t *id, guest_string_t *arguments, tenter_hooks_types_hook_error_t *err) {
  FOUND(CRON);
  return ended(((tenter_error (*)(tenter_string))hook->handler)(*arguments), err);
}
#endif
