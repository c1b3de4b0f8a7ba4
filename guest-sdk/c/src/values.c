// Entities, values and tasks. Part of tenter.c.

#define TAG(name) TENTER_HOOKS_TYPES_VALUE_##name

tenter_entity (tenter_entity_of)(tenter_string etype, tenter_string eid) { return (tenter_entity){etype, eid}; }

bool tenter_same_entity(const tenter_entity *a, const tenter_entity *b) {
  return tenter_equal(a->etype, b->etype) && tenter_equal(a->eid, b->eid);
}

tenter_value tenter_boolean(bool value) { return (tenter_value){TAG(BOOLEAN), {.boolean = value}}; }
tenter_value tenter_integer(int64_t value) { return (tenter_value){TAG(INTEGER), {.integer = value}}; }
tenter_value tenter_real(double value) { return (tenter_value){TAG(REAL), {.real = value}}; }
tenter_value (tenter_text_value)(tenter_string text) { return (tenter_value){TAG(TEXT), {.text = text}}; }
tenter_value tenter_time_value(tenter_time time) { return (tenter_value){TAG(TIME), {.time = time}}; }
tenter_value (tenter_address)(tenter_string text) { return (tenter_value){TAG(ADDRESS), {.address = text}}; }
tenter_value (tenter_json_value)(tenter_string json) { return (tenter_value){TAG(JSON), {.json = json}}; }
tenter_value tenter_link(tenter_entity target) { return (tenter_value){TAG(LINK), {.link = {.target = target}}}; }

tenter_value tenter_links(const tenter_entity *targets, size_t len) {
  tenter_hooks_types_link_t *links = tenter_alloc(len * sizeof *links);
  for (size_t i = 0; i < len; i++) links[i].target = targets[i];
  return (tenter_value){TAG(LINKS), {.links = {links, len}}};
}

tenter_value tenter_items(const tenter_scalar *items, size_t len) {
  tenter_scalar *copy = tenter_alloc(len * sizeof *copy);
  if (len) memcpy(copy, items, len * sizeof *copy);
  return (tenter_value){TAG(ITEMS), {.items = {copy, len}}};
}

tenter_value tenter_texts(const tenter_string *items, size_t len) {
  tenter_scalar *copy = tenter_alloc(len * sizeof *copy);
  for (size_t i = 0; i < len; i++) copy[i] = tenter_scalar_of(tenter_text_value(items[i]));
  return (tenter_value){TAG(ITEMS), {.items = {copy, len}}};
}

tenter_value tenter_members(const char *const *names, const tenter_scalar *values, size_t len) {
  tenter_hooks_types_member_t *members = tenter_alloc(len * sizeof *members);
  for (size_t i = 0; i < len; i++) members[i] = (tenter_hooks_types_member_t){tenter_text(names[i]), values[i]};
  return (tenter_value){TAG(MEMBERS), {.members = {members, len}}};
}

/** The first six cases of both are the same; JSON alone has another place. */
tenter_scalar tenter_scalar_of(tenter_value value) {
  tenter_scalar scalar = {value.tag == TAG(JSON) ? TENTER_HOOKS_TYPES_SCALAR_JSON : value.tag, {0}};
  switch (value.tag) {
  case TAG(BOOLEAN): scalar.val.boolean = value.val.boolean; break;
  case TAG(INTEGER): scalar.val.integer = value.val.integer; break;
  case TAG(REAL): scalar.val.real = value.val.real; break;
  case TAG(TIME): scalar.val.time = value.val.time; break;
  case TAG(TEXT): case TAG(ADDRESS): case TAG(JSON): scalar.val.text = value.val.text; break;
  default: return (tenter_scalar){TENTER_HOOKS_TYPES_SCALAR_JSON, {.json = tenter_text("null")}};
  }
  return scalar;
}

tenter_value tenter_value_of(tenter_scalar scalar) {
  switch (scalar.tag) {
  case TENTER_HOOKS_TYPES_SCALAR_BOOLEAN: return tenter_boolean(scalar.val.boolean);
  case TENTER_HOOKS_TYPES_SCALAR_INTEGER: return tenter_integer(scalar.val.integer);
  case TENTER_HOOKS_TYPES_SCALAR_REAL: return tenter_real(scalar.val.real);
  case TENTER_HOOKS_TYPES_SCALAR_TIME: return tenter_time_value(scalar.val.time);
  case TENTER_HOOKS_TYPES_SCALAR_TEXT: return tenter_text_value(scalar.val.text);
  case TENTER_HOOKS_TYPES_SCALAR_ADDRESS: return tenter_address(scalar.val.address);
  default: return tenter_json_value(scalar.val.json);
  }
}

bool tenter_read_boolean(const tenter_value *value, bool *out) {
  if (!value || value->tag != TAG(BOOLEAN)) return false;
  *out = value->val.boolean;
  return true;
}

bool tenter_read_integer(const tenter_value *value, int64_t *out) {
  if (!value || value->tag != TAG(INTEGER)) return false;
  *out = value->val.integer;
  return true;
}

bool tenter_read_real(const tenter_value *value, double *out) {
  if (!value || (value->tag != TAG(REAL) && value->tag != TAG(INTEGER))) return false;
  *out = value->tag == TAG(REAL) ? value->val.real : (double)value->val.integer;
  return true;
}

bool tenter_read_text(const tenter_value *value, tenter_string *out) {
  if (!value || (value->tag != TAG(TEXT) && value->tag != TAG(ADDRESS) && value->tag != TAG(JSON))) return false;
  *out = value->val.text;
  return true;
}

const tenter_entity *tenter_read_link(const tenter_value *value) {
  return value && value->tag == TAG(LINK) ? &value->val.link.target : NULL;
}

const tenter_scalar *tenter_member(const tenter_value *value, const char *name) {
  if (!value || value->tag != TAG(MEMBERS)) return NULL;
  for (size_t i = 0; i < value->val.members.len; i++)
    if (tenter_equal(value->val.members.ptr[i].name, name)) return &value->val.members.ptr[i].value;
  return NULL;
}

tenter_task *tenter_add_task(tenter_tasks *tasks, tenter_entity entity) {
  tenter_task *task = tenter_alloc(sizeof *task);
  task->entity = entity;
  return *ADD(*tasks) = task;
}

/** `ADD` grows lists whose length is a power of two, so that lists of the host, which are just full, may be added to. */
tenter_task *tenter_copy_task(tenter_tasks *tasks, const tenter_task *task) {
  tenter_task *copy = tenter_add_task(tasks, task->entity);
  for (size_t i = 0; i < task->datapoints.len; i++) *ADD(copy->datapoints) = task->datapoints.ptr[i];
  for (size_t i = 0; i < task->ttl_tokens.len; i++) *ADD(copy->ttl_tokens) = task->ttl_tokens.ptr[i];
  for (size_t i = 0; i < task->tags.len; i++) *ADD(copy->tags) = task->tags.ptr[i];
  copy->remove_entity = task->remove_entity;
  return copy;
}

tenter_datapoint *tenter_add_datapoint(tenter_task *task, tenter_datapoint datapoint) {
  tenter_datapoint *added = ADD(task->datapoints);
  *added = datapoint;
  return added;
}

tenter_datapoint *(tenter_plain)(tenter_task *task, tenter_string attr, tenter_value value) {
  return tenter_add_datapoint(task, (tenter_datapoint){.attr = attr, .value = value});
}

tenter_datapoint *(tenter_observation)(tenter_task *task, tenter_string attr, tenter_value value, tenter_time t1, tenter_time t2) {
  return tenter_add_datapoint(task, (tenter_datapoint){.attr = attr, .value = value, .t1 = {true, t1}, .t2 = {true, t2}});
}

tenter_datapoint *(tenter_alongside)(tenter_task *task, tenter_string attr, tenter_value value, const tenter_datapoint *of) {
  tenter_datapoint datapoint = {.attr = attr, .value = value, .t1 = of->t1, .t2 = of->t2, .confidence = of->confidence};
  return tenter_add_datapoint(task, datapoint);
}

void tenter_confidence(tenter_datapoint *datapoint, double confidence) { datapoint->confidence = (guest_option_f64_t){true, confidence}; }

void (tenter_src)(tenter_datapoint *datapoint, tenter_string src) { datapoint->src = (guest_option_string_t){true, src}; }

void (tenter_ttl)(tenter_task *task, tenter_string name, tenter_time until) {
  *ADD(task->ttl_tokens) = (tenter_hooks_types_ttl_token_t){name, {true, until}};
}

void (tenter_tag)(tenter_task *task, tenter_string tag) { *ADD(task->tags) = tag; }

void tenter_remove_entity(tenter_task *task) { task->remove_entity = true; }

/** Tasks side by side, as the contract has them. */
static tenter_task *flat_tasks(const tenter_tasks *tasks) {
  tenter_task *all = tenter_alloc(tasks->len * sizeof *all);
  for (size_t i = 0; i < tasks->len; i++) all[i] = *tasks->ptr[i];
  return all;
}

#ifdef TENTER_RECORDS
const tenter_history *(tenter_history_of)(const tenter_record *record, tenter_string attr) {
  for (size_t i = 0; i < record->attributes.len; i++)
    if (tenter_equal(record->attributes.ptr[i].attr, attr)) return &record->attributes.ptr[i].history;
  return NULL;
}

const tenter_value *(tenter_stored_plain)(const tenter_record *record, tenter_string attr) {
  const tenter_history *history = tenter_history_of(record, attr);
  return history && history->tag == TENTER_HOOKS_TYPES_HISTORY_PLAIN ? &history->val.plain.value : NULL;
}

tenter_value tenter_column_at(const tenter_hooks_types_value_column_t *column, size_t index) {
  switch (column->tag) {
  case TENTER_HOOKS_TYPES_VALUE_COLUMN_INTEGERS: return tenter_integer(column->val.integers.ptr[index]);
  case TENTER_HOOKS_TYPES_VALUE_COLUMN_REALS: return tenter_real(column->val.reals.ptr[index]);
  case TENTER_HOOKS_TYPES_VALUE_COLUMN_TEXTS: return tenter_text_value(column->val.texts.ptr[index]);
  case TENTER_HOOKS_TYPES_VALUE_COLUMN_TIMES: return tenter_time_value(column->val.times.ptr[index]);
  case TENTER_HOOKS_TYPES_VALUE_COLUMN_ADDRESSES: return tenter_address(column->val.addresses.ptr[index]);
  default: return column->val.mixed.ptr[index];
  }
}

tenter_value tenter_chunk_value(const tenter_chunk *chunk) { return (tenter_value){TAG(CHUNK), {.chunk = chunk->columns}}; }
#endif

#if defined(TENTER_SNAPSHOT) || defined(TENTER_VIEWS)
const tenter_current *(tenter_current_of)(const tenter_entity_view *view, tenter_string attr) {
  for (size_t i = 0; i < view->values.len; i++)
    if (tenter_equal(view->values.ptr[i].attr, attr)) return &view->values.ptr[i];
  return NULL;
}

const tenter_value *(tenter_get)(const tenter_entity_view *view, tenter_string attr) {
  const tenter_current *found = tenter_current_of(view, attr);
  return found ? &found->value : NULL;
}
#endif

#ifdef TENTER_SNAPSHOT
const tenter_entity_view *tenter_find(const tenter_view *view, const tenter_entity *entity) {
  if (tenter_same_entity(&view->root.entity, entity)) return &view->root;
  for (size_t i = 0; i < view->linked.len; i++)
    if (tenter_same_entity(&view->linked.ptr[i].entity, entity)) return &view->linked.ptr[i];
  return NULL;
}

tenter_views (tenter_follow)(const tenter_view *view, const tenter_entity_view *from, tenter_string attr) {
  tenter_views out = {0};
  size_t next = 0; // the host gives linked entities in the order in which links reach them
  for (size_t i = 0; i < from->values.len; i++) {
    const tenter_current *each = &from->values.ptr[i];
    if (!tenter_equal(each->attr, attr)) continue;
    bool one = each->value.tag == TAG(LINK), many = each->value.tag == TAG(LINKS);
    for (size_t j = 0, len = one ? 1 : many ? each->value.val.links.len : 0; j < len; j++) {
      const tenter_entity *target = one ? &each->value.val.link.target : &each->value.val.links.ptr[j].target;
      const tenter_entity_view *found = next < view->linked.len && tenter_same_entity(&view->linked.ptr[next].entity, target)
                                            ? &view->linked.ptr[next]
                                            : tenter_find(view, target);
      if (!found) continue;
      if (found != &view->root) next = (size_t)(found - view->linked.ptr) + 1;
      *ADD(out) = found;
    }
  }
  return out;
}

void (tenter_replace)(tenter_changes *out, tenter_entity entity, tenter_string attr, const tenter_weighted *values, size_t len) {
  tenter_weighted *copy = tenter_alloc(len * sizeof *copy);
  if (len) memcpy(copy, values, len * sizeof *copy);
  *ADD(out->changes) = (exports_tenter_hooks_snapshot_change_t){entity, attr, {copy, len}};
}

void (tenter_set)(tenter_changes *out, tenter_entity entity, tenter_string attr, tenter_value value) {
  tenter_replace(out, entity, attr, &(tenter_weighted){.value = value}, 1);
}

void (tenter_set_weighted)(tenter_changes *out, tenter_entity entity, tenter_string attr, tenter_value value, double confidence) {
  tenter_replace(out, entity, attr, (&(tenter_weighted){value, {true, confidence}}), 1);
}
#endif
