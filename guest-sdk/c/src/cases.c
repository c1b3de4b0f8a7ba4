// Hooks of cases: what the host calls, and patches, objects and reports. Part of tenter.c.
#ifdef TENTER_CASES

static guest_option_string_t named(tenter_string name) { return (guest_option_string_t){!tenter_equal(name, "*"), name}; }

void exports_tenter_hooks_cases_subscriptions(exports_tenter_hooks_cases_list_subscription_t *ret) {
  begin();
  *ret = (exports_tenter_hooks_cases_list_subscription_t){0};
  for (const tenter_hook *h = hooks; h; h = h->next) {
    exports_tenter_hooks_cases_moment_t moment = {0};
    switch (h->kind) {
    case BEFORE:
      moment.tag = EXPORTS_TENTER_HOOKS_CASES_MOMENT_BEFORE;
      moment.val.before = (exports_tenter_hooks_cases_case_filter_t){named(h->etype), named(h->attr)};
      break;
    case AFTER:
      moment.tag = EXPORTS_TENTER_HOOKS_CASES_MOMENT_AFTER;
      moment.val.after = (exports_tenter_hooks_cases_after_filter_t){named(h->etype), named(h->attr), h->synchronous};
      break;
    case MANUAL:
      moment.tag = EXPORTS_TENTER_HOOKS_CASES_MOMENT_MANUAL;
      moment.val.manual = (exports_tenter_hooks_cases_menu_entry_t){h->etype, h->attr};
      break;
    default: continue;
    }
    *ADD(*ret) = (exports_tenter_hooks_cases_subscription_t){h->id, moment};
  }
  over = true;
}

static bool fits(const tenter_hook *hook, const tenter_event *event) {
  if (!tenter_equal(hook->etype, "*") && !tenter_equal(hook->etype, event->object)) return false;
  if (hook->kind == MANUAL || tenter_equal(hook->attr, "*")) return true;
  return event->action.is_some && tenter_equal(hook->attr, event->action.val);
}

/** A registration that an operator made is served by the hook of its kind that fits the event, else by the first. */
static const tenter_hook *find_case(kind kind, tenter_string id, const tenter_event *event) {
  if (!tenter_starts(id, "operator:")) return find(kind, id);
  const tenter_hook *first = NULL;
  for (const tenter_hook *hook = hooks; hook; hook = hook->next) {
    if (hook->kind != kind) continue;
    if (fits(hook, event)) return hook;
    if (!first) first = hook;
  }
  return first;
}

#define FOUND_CASE(kind)                                \
  begin();                                              \
  const tenter_hook *hook = find_case(kind, *id, event); \
  if (!hook) return ended(no_handler(kind, *id), err)

static tenter_effect *flat_effects(const tenter_effects *out) {
  tenter_effect *all = tenter_alloc(out->len * sizeof *all);
  for (size_t i = 0; i < out->len; i++) all[i] = *out->ptr[i];
  return all;
}

bool exports_tenter_hooks_cases_before(
    guest_string_t *id, tenter_context *context, tenter_event *event, tenter_proposal *proposal, tenter_judgement *ret,
    tenter_hooks_types_hook_error_t *err) {
  FOUND_CASE(BEFORE);
  *ret = (tenter_judgement){.tag = EXPORTS_TENTER_HOOKS_CASES_JUDGEMENT_UNCHANGED};
  typedef tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_proposal *, tenter_judgement *);
  return ended(((handler)hook->handler)(context, event, proposal, ret), err);
}

bool exports_tenter_hooks_cases_after(
    guest_string_t *id, tenter_context *context, tenter_event *event, exports_tenter_hooks_cases_list_written_t *objects,
    exports_tenter_hooks_cases_outcome_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND_CASE(AFTER);
  typedef tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_written *, size_t, tenter_effects *);
  tenter_effects out = {0};
  tenter_error error = ((handler)hook->handler)(context, event, objects->ptr, objects->len, &out);
  if (!error && out.report.is_some) error = tenter_failed("`after` has nobody to report to; only `manual` reports");
  *ret = (exports_tenter_hooks_cases_outcome_t){{flat_effects(&out), out.len}, {flat_tasks(&out.tasks), out.tasks.len}};
  return ended(error, err);
}

bool exports_tenter_hooks_cases_manual(
    guest_string_t *id, tenter_context *context, tenter_event *event, exports_tenter_hooks_cases_list_case_object_t *objects,
    exports_tenter_hooks_cases_manual_outcome_t *ret, tenter_hooks_types_hook_error_t *err) {
  FOUND_CASE(MANUAL);
  typedef tenter_error (*handler)(const tenter_context *, const tenter_event *, const tenter_object *, size_t, tenter_effects *);
  tenter_effects out = {0};
  tenter_error error = ((handler)hook->handler)(context, event, objects->ptr, objects->len, &out);
  *ret = (exports_tenter_hooks_cases_manual_outcome_t){
      {flat_effects(&out), out.len}, {flat_tasks(&out.tasks), out.tasks.len}, out.report};
  return ended(error, err);
}

void (tenter_replace_body)(tenter_judgement *out, tenter_string json) {
  *out = (tenter_judgement){EXPORTS_TENTER_HOOKS_CASES_JUDGEMENT_REPLACED, {.replaced = json}};
}

void (tenter_deny_change)(tenter_judgement *out, tenter_string reason) {
  *out = (tenter_judgement){EXPORTS_TENTER_HOOKS_CASES_JUDGEMENT_DENIED, {.denied = reason}};
}

static tenter_effect *add_effect(tenter_effects *out, uint8_t tag) {
  tenter_effect *effect = tenter_alloc(sizeof *effect);
  effect->tag = tag;
  return *ADD(*out) = effect;
}

tenter_patch *tenter_patch_of(tenter_effects *out, const tenter_object *object) {
  tenter_patch *patch = &add_effect(out, EXPORTS_TENTER_HOOKS_CASES_EFFECT_PATCH)->val.patch;
  *patch = (tenter_patch){object->target, {true, object->version}, {0}};
  return patch;
}

static void add_edit(tenter_patch *patch, uint8_t tag, tenter_string text) {
  *ADD(patch->edits) = (exports_tenter_hooks_cases_edit_t){tag, {.add_tag = text}};
}

void (tenter_add_tag)(tenter_patch *patch, tenter_string tag) { add_edit(patch, EXPORTS_TENTER_HOOKS_CASES_EDIT_ADD_TAG, tag); }

void (tenter_remove_tag)(tenter_patch *patch, tenter_string tag) { add_edit(patch, EXPORTS_TENTER_HOOKS_CASES_EDIT_REMOVE_TAG, tag); }

void (tenter_append_description)(tenter_patch *patch, tenter_string text) {
  add_edit(patch, EXPORTS_TENTER_HOOKS_CASES_EDIT_APPEND_DESCRIPTION, text);
}

void (tenter_set_field)(tenter_patch *patch, tenter_string name, tenter_string json) {
  *ADD(patch->edits) =
      (exports_tenter_hooks_cases_edit_t){EXPORTS_TENTER_HOOKS_CASES_EDIT_SET_FIELD, {.set_field = {name, json}}};
}

void (tenter_set_custom_field)(tenter_patch *patch, tenter_string tab, tenter_string name, tenter_string kind, tenter_string json) {
  *ADD(patch->edits) = (exports_tenter_hooks_cases_edit_t){
      EXPORTS_TENTER_HOOKS_CASES_EDIT_SET_CUSTOM_FIELD, {.set_custom_field = {tab, name, kind, json}}};
}

tenter_new_object *(tenter_create)(tenter_effects *out, tenter_string object, tenter_string body) {
  tenter_new_object *made = &add_effect(out, EXPORTS_TENTER_HOOKS_CASES_EFFECT_CREATE)->val.create;
  *made = (tenter_new_object){.object = object, .body = body};
  return made;
}

void (tenter_attach)(tenter_new_object *object, tenter_string name, tenter_string media_type, tenter_string content) {
  *ADD(object->attachments) = (exports_tenter_hooks_cases_attachment_t){name, media_type, {content.ptr, content.len}};
}

void (tenter_report)(tenter_effects *out, tenter_string message, const char *media, tenter_string content) {
  uint8_t tag = strcmp(media, "markdown") == 0 ? EXPORTS_TENTER_HOOKS_CASES_MEDIA_MARKDOWN
                : strcmp(media, "json") == 0   ? EXPORTS_TENTER_HOOKS_CASES_MEDIA_JSON
                                               : EXPORTS_TENTER_HOOKS_CASES_MEDIA_TEXT;
  out->report = (exports_tenter_hooks_cases_option_report_t){true, {message, tag, content}};
}

#endif
