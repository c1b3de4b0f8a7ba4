// The guest of the conformance suite, as tests/conformance/README.md describes it.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <tenter.h>

static tenter_string command;

static bool told(const char *word) { return tenter_equal(command, word); }

static tenter_error obey(void) {
  if (told("invalid-input")) return tenter_invalid("the data is to blame");
  if (told("unavailable")) return tenter_unavailable("something outside is to blame");
  if (told("failed")) return tenter_failed("the module is to blame");
  if (told("exception")) return tenter_failed("thrown");
  if (told("loop"))
    for (volatile int turns = 0;; turns++) {}
  if (told("memory"))
    for (;;) {
      volatile char *block = malloc(1 << 20);
      for (size_t at = 0; at < 1 << 20; at += 4096) block[at] = 1;
    }
  return NULL;
}
#define OBEY() TENTER_TRY(obey())

static const char *yes(bool value) { return value ? "true" : "false"; }

// ---- ingest

static tenter_error task_start(const tenter_task *task) {
  OBEY();
  tenter_info("task %.*s/%.*s %zu", TENTER_ARG(task->entity.etype), TENTER_ARG(task->entity.eid), task->datapoints.len);
  return NULL;
}

static tenter_error allow(const tenter_task *task, tenter_verdict *verdict) {
  OBEY();
  if (tenter_starts(task->entity.eid, "deny")) tenter_deny(verdict, task->entity.eid);
  return NULL;
}

static tenter_error created(const tenter_task *task, tenter_tasks *out) {
  OBEY();
  tenter_copy_task(out, task);
  return NULL;
}

static void tell_log(void) {
  tenter_debug("debug");
  tenter_info("info");
  tenter_warning("warning");
  tenter_log_error("error");
  tenter_info("é🦀");
  tenter_log(TENTER_HOOKS_LOG_LEVEL_INFO, tenter_bytes("a\0b", 3));
}

static void tell_call(void) {
  tenter_string id = tenter_call_id(), memo;
  tenter_info("now %" PRId64, tenter_now());
  tenter_info("id %.*s", TENTER_ARG(id));
  tenter_info("cause %s", tenter_call_cause());
  uint64_t first = tenter_random();
  tenter_info("random %s", yes(first != tenter_random()));
  tenter_info("resume-after %s", yes(tenter_resume_after(60, "m")));
  bool left = tenter_memo(&memo);
  if (!left) memo = tenter_text("-");
  tenter_info("memo %.*s", TENTER_ARG(memo));
}

static tenter_error tell_state(void) {
  tenter_string value;
  bool found;
  TENTER_TRY(tenter_state_store("k", tenter_bytes("\0\1\xff", 3), 0));
  TENTER_TRY(tenter_state_fetch("k", &value, &found));
  tenter_strings bytes = {tenter_alloc((value.len + 1) * sizeof(tenter_string)), value.len};
  for (size_t i = 0; i < value.len; i++) bytes.ptr[i] = tenter_format("%d", value.ptr[i]);
  tenter_string list = found ? tenter_join(bytes, ",") : tenter_text("-");
  tenter_info("k %.*s", TENTER_ARG(list));
  TENTER_TRY(tenter_state_store("t", "x", 60));
  TENTER_TRY(tenter_state_increment("n", 2));
  TENTER_TRY(tenter_state_increment("n", -5));
  TENTER_TRY(tenter_state_fetch("n", &value, &found));
  tenter_info("n %.*s", TENTER_ARG(value));
  tenter_strings keys;
  TENTER_TRY(tenter_state_keys("", NULL, 10, &keys));
  list = tenter_join(keys, ",");
  tenter_info("keys %.*s", TENTER_ARG(list));
  TENTER_TRY(tenter_state_discard("t"));
  char *key = tenter_alloc(514);
  memset(key, 'k', 513);
  tenter_error error = tenter_state_store(key, "x", 0);
  tenter_info("error %s", error ? error->code : "none");
  return NULL;
}

static void tell_entities(const tenter_entity *entity) {
  const tenter_entity both[] = {*entity, tenter_entity_of("other", "1")};
  for (size_t i = 0; i < 2; i++) {
    bool known;
    const tenter_record *record;
    tenter_error error = tenter_known(both[i], &known);
    tenter_info("known %s", error ? error->code : yes(known));
    error = tenter_read_record(both[i], &record);
    tenter_info("record %s", error ? error->code : yes(record != NULL));
  }
  tenter_info("hooks %zu", tenter_case_hooks().len);
  tenter_info("schema %s", yes(tenter_contains(tenter_schema(), "\"thing\"")));
}

static void tell_answer(tenter_http *request) {
  tenter_response answer;
  tenter_error error = tenter_http_send(request, &answer);
  if (error) {
    tenter_info("http %s", error->code);
    return;
  }
  // A body may have zeros in it, where a format ends.
  tenter_string words[] = {tenter_text("http"), tenter_format("%d", answer.status), tenter_bytes(answer.body.ptr, answer.body.len)};
  tenter_log(TENTER_HOOKS_LOG_LEVEL_INFO, tenter_join(((tenter_strings){words, 3}), " "));
  for (size_t i = 0; i < answer.headers.len; i++) {
    const tenter_hooks_http_header_t *header = &answer.headers.ptr[i];
    tenter_info("header %.*s %.*s", TENTER_ARG(header->name), TENTER_ARG(header->value));
  }
}

static void tell_http(void) {
  tenter_http *request = tenter_http_request("POST", "https://echo.example/in");
  tenter_http_query(request, "q", "a b&c");
  tenter_http_header(request, "x-echo", "yes");
  tenter_http_secret(request, "authorization", "Bearer ", "echo");
  tenter_http_body(request, "hello");
  tenter_http_timeout(request, 1000);
  tell_answer(request);
  tell_answer(tenter_http_request("GET", "https://other.example/"));
}

static void tell_names(const char *asked, tenter_error error, tenter_strings found) {
  tenter_string text = error ? tenter_text(error->code) : tenter_join(found, ",");
  tenter_info("%s %.*s", asked, TENTER_ARG(text));
}

static void tell_resolver(void) {
  tenter_strings found;
  tenter_error error = tenter_lookup("echo.example", "A", NULL, &found);
  tell_names("echo.example", error, found);
  error = tenter_lookup("none.example", "TXT", NULL, &found);
  tell_names("none.example", error, found);
  error = tenter_reverse("192.0.2.1", NULL, &found);
  tell_names("192.0.2.1", error, found);
  error = tenter_lookup("echo.example", "A", "192.0.2.53", &found);
  tell_names("echo.example", error, found);
}

static void tell_secrets(void) {
  tenter_string names = tenter_join(tenter_secrets(), ",");
  tenter_info("available %.*s", TENTER_ARG(names));
  const char *const secrets[] = {"echo", "other"};
  for (size_t i = 0; i < 2; i++) {
    tenter_string hmac;
    tenter_error error = tenter_hmac_sha256(secrets[i], "hello", &hmac);
    if (error) {
      tenter_info("hmac %s", error->code);
      continue;
    }
    tenter_strings hex = {tenter_alloc((hmac.len + 1) * sizeof(tenter_string)), hmac.len};
    for (size_t j = 0; j < hmac.len; j++) hex.ptr[j] = tenter_format("%02x", hmac.ptr[j]);
    tenter_string text = tenter_join(hex, "");
    tenter_info("hmac %.*s", TENTER_ARG(text));
  }
}

static tenter_error new_value(const tenter_entity *entity, const tenter_datapoint *datapoint, tenter_tasks *out) {
  OBEY();
  tenter_datapoint echo = *datapoint;
  echo.attr = tenter_text("echo");
  if (told("log")) tell_log();
  if (told("call")) tell_call();
  if (told("state")) TENTER_TRY(tell_state());
  if (told("entities")) tell_entities(entity);
  if (told("http")) tell_http();
  if (told("resolver")) tell_resolver();
  if (told("secrets")) tell_secrets();
  if (told("large")) {
    char *text = tenter_alloc((2 << 20) + 1);
    memset(text, 'x', 2 << 20);
    echo.value = tenter_text_value(text);
  }
  for (int left = told("many") ? 300 : 1; left > 0; left--) tenter_add_datapoint(tenter_add_task(out, *entity), echo);
  return NULL;
}

// ---- snapshot

static tenter_error at_time(const tenter_run *run, tenter_tasks *out) {
  OBEY();
  tenter_plain(tenter_add_task(out, tenter_entity_of("thing", run->id)), "echo", tenter_time_value(run->time));
  return NULL;
}

static void add_chunks(tenter_task *task, tenter_string attr, const tenter_chunk *chunks, size_t len) {
  for (size_t i = 0; i < len; i++) tenter_observation(task, attr, tenter_chunk_value(&chunks[i]), chunks[i].t1, chunks[i].t2);
}

static tenter_error history(const tenter_entity *entity, tenter_string attr, const tenter_chunk *chunks, size_t len, tenter_tasks *out) {
  OBEY();
  add_chunks(tenter_add_task(out, *entity), attr, chunks, len);
  return NULL;
}

static void same_values(tenter_changes *out, const tenter_entity_view *view) {
  for (size_t i = 0; i < view->values.len; i++) {
    const tenter_current *current = &view->values.ptr[i];
    tenter_replace(out, view->entity, current->attr, (&(tenter_weighted){current->value, current->confidence}), 1);
  }
}

static void same_view(tenter_changes *out, const tenter_view *view) {
  same_values(out, &view->root);
  for (size_t i = 0; i < view->linked.len; i++) same_values(out, &view->linked.ptr[i]);
}

static tenter_error correlated(const tenter_view *view, tenter_changes *out) {
  OBEY();
  const char *const beyond[] = {"beyond", "none"};
  for (size_t i = 0; told("views") && i < 2; i++) {
    const tenter_entity_view *found;
    tenter_error error = tenter_fetch_view(tenter_entity_of("thing", beyond[i]), &found);
    tenter_string text = error ? tenter_text(error->code) : found ? tenter_format("%zu", found->values.len) : tenter_text("-");
    tenter_info("%s %.*s", beyond[i], TENTER_ARG(text));
  }
  same_view(out, view);
  return NULL;
}

static void of_record(const tenter_record *record, tenter_tasks *out) {
  tenter_task *task = tenter_add_task(out, record->entity);
  task->ttl_tokens = record->ttl_tokens;
  tenter_tag(task, tenter_format("revision %" PRIu64, record->revision));
  tenter_tag(task, record->created.is_some ? tenter_format("created %" PRId64, record->created.val) : tenter_text("created -"));
  for (size_t i = 0; i < record->attributes.len; i++) {
    tenter_string attr = record->attributes.ptr[i].attr;
    const tenter_history *stored = &record->attributes.ptr[i].history;
    switch (stored->tag) {
    case TENTER_HOOKS_TYPES_HISTORY_PLAIN: {
      tenter_datapoint datapoint = {.attr = attr, .value = stored->val.plain.value, .t1 = {true, stored->val.plain.updated}};
      tenter_add_datapoint(task, datapoint);
      break;
    }
    case TENTER_HOOKS_TYPES_HISTORY_OBSERVATIONS:
      for (size_t row = 0; row < stored->val.observations.t1.len; row++) {
        const tenter_hooks_types_observations_t *rows = &stored->val.observations;
        tenter_value value = tenter_column_at(&rows->values, row);
        tenter_confidence(tenter_observation(task, attr, value, rows->t1.ptr[row], rows->t2.ptr[row]), rows->confidence.ptr[row]);
      }
      break;
    default: add_chunks(task, attr, stored->val.timeseries.ptr, stored->val.timeseries.len);
    }
  }
}

static tenter_error correlated_with_record(const tenter_view *view, const tenter_record *record, tenter_changes *out) {
  OBEY();
  same_view(out, view);
  of_record(record, &out->tasks);
  return NULL;
}

// ---- update and schedule

static tenter_error updated_record(const tenter_record *record, tenter_tasks *out) {
  OBEY();
  of_record(record, out);
  return NULL;
}

static tenter_error updated_entity(const tenter_entity *entity, tenter_tasks *out) {
  OBEY();
  tenter_plain(tenter_add_task(out, *entity), "echo", tenter_text_value(entity->eid));
  return NULL;
}

static tenter_error slot(tenter_string arguments) {
  OBEY();
  tenter_tasks tasks = {0};
  tenter_strings ids;
  tenter_plain(tenter_add_task(&tasks, tenter_entity_of("thing", "cron")), "echo", tenter_json_value(arguments));
  TENTER_TRY(tenter_submit(&tasks, &ids));
  tenter_info("submitted %zu", ids.len);
  return NULL;
}

// ---- cases

static tenter_string or_none(guest_option_string_t text) { return text.is_some ? text.val : tenter_text("-"); }

static tenter_string number(guest_option_s64_t number) {
  return number.is_some ? tenter_format("%" PRId64, number.val) : tenter_text("-");
}

static void log_context(const tenter_context *context, const tenter_event *event) {
  static const char *const triggers[] = {"api", "manual", "csv", "template", "module"};
  tenter_string words[] = {
      number(context->case_id), or_none(context->case_name), context->user.is_some ? context->user.val.login : tenter_text("-"),
      tenter_text(triggers[context->trigger]), event->object, or_none(event->action)};
  tenter_log(TENTER_HOOKS_LOG_LEVEL_INFO, tenter_join(((tenter_strings){words, 6}), " "));
}

static tenter_error before(const tenter_context *context, const tenter_event *event, const tenter_proposal *proposal, tenter_judgement *out) {
  OBEY();
  log_context(context, event);
  tenter_string id = number(proposal->id);
  tenter_info("proposal %.*s", TENTER_ARG(id));
  if (told("deny")) tenter_deny_change(out, "denied");
  else if (!told("keep")) tenter_replace_body(out, proposal->body);
  return NULL;
}

static tenter_error after(
    const tenter_context *context, const tenter_event *event, const tenter_written *objects, size_t len, tenter_effects *out) {
  OBEY();
  log_context(context, event);
  for (size_t i = 0; i < len; i++) {
    const tenter_written *written = &objects[i];
    if (!written->new_.is_some) tenter_info("deleted %" PRId64, written->old.val.target.id);
    for (size_t j = 0; j < written->attachments.len; j++) {
      const exports_tenter_hooks_cases_attachment_t *file = &written->attachments.ptr[j];
      tenter_info("attachment %.*s %.*s %zu", TENTER_ARG(file->name), TENTER_ARG(file->media_type), file->content.len);
    }
    if (!written->new_.is_some) continue;
    const tenter_object *object = &written->new_.val;
    tenter_patch *patch = tenter_patch_of(out, object);
    tenter_add_tag(patch, "echo");
    tenter_remove_tag(patch, "old");
    tenter_append_description(patch, "echoed");
    tenter_set_field(patch, "ioc_value", object->body);
    tenter_set_custom_field(patch, "Echo", "Body", "input_string", "\"echoed\"");
    tenter_entity thing = tenter_entity_of("thing", tenter_format("%" PRId64, object->target.id));
    tenter_plain(tenter_add_task(&out->tasks, thing), "echo", tenter_json_value(object->body));
  }
  tenter_attach(
      tenter_create(out, "ioc", "{\"ioc_value\":\"made\"}"), "echo.bin", "application/octet-stream", tenter_bytes("\0\1\xfe\xff", 4));
  return NULL;
}

static tenter_error clicked(
    const tenter_context *context, const tenter_event *event, const tenter_object *objects, size_t len, tenter_effects *out) {
  OBEY();
  log_context(context, event);
  for (size_t i = 0; i < len; i++) {
    tenter_patch *patch = tenter_patch_of(out, &objects[i]);
    patch->expected_version.is_some = false;
    tenter_add_tag(patch, "echo");
  }
  tenter_report(out, tenter_format("%zu objects", len), "json", len ? objects[0].body : tenter_text("null"));
  return NULL;
}

// ---- the module

static tenter_error setup(const tenter_json *config) {
  command = tenter_json_text(tenter_json_get(config, "command"), "echo");
  if (told("refuse")) return tenter_failed("refused");
  tenter_request("state", "");
  tenter_request("read-entities", "thing");
  tenter_request("delete-entity", "thing");
  tenter_request("http", "* https://echo.example/*");
  tenter_request("resolver", "");
  tenter_request("secret", "echo");
  tenter_request("case-write", "ioc");

  tenter_on_task_start(task_start);
  tenter_id(tenter_allow_entity_creation("thing", allow), "allow-entity-creation");
  tenter_id(tenter_on_entity_creation("thing", created), "on-entity-creation");
  tenter_id(tenter_on_new_attribute("thing", "value", new_value), "on-new-attribute");

  tenter_snapshot_init(at_time);
  tenter_snapshot_finalize(at_time);
  tenter_id(tenter_timeseries("thing", "series", history), "timeseries");
  tenter_paths reads = TENTER_PATHS("value", "link.value"), sets = TENTER_PATHS("echo");
  tenter_hook *plain = tenter_correlate("thing", reads, sets, correlated);
  tenter_hook *with_record = tenter_correlate_with_record("thing", reads, sets, correlated_with_record);
  tenter_id(plain, "correlate");
  tenter_whole(plain);
  tenter_id(with_record, "correlate-with-record");
  tenter_whole(with_record);

  tenter_id(tenter_update_record("thing", 3600, updated_record), "update-record");
  tenter_id(tenter_update_entity("thing", 3600, updated_entity), "update-entity");
  tenter_hook *timer = tenter_cron((tenter_cron_fields){.minute = "0"}, slot);
  tenter_id(timer, "cron");
  tenter_grace(timer, 60);
  tenter_arguments(timer, "{\"n\":1}");

  tenter_id(tenter_before("ioc", "create", before), "before");
  tenter_id(tenter_after("ioc", "*", after), "after");
  tenter_id(tenter_manual("ioc", "Echo", clicked), "manual");
  return NULL;
}

const tenter_module_info tenter_module = {
    .title = "Echo",
    .version = "1.0.0",
    .parameters = (const tenter_parameter[]){
        {.name = "command", .kind = "string", .title = "Command", .default_json = "\"echo\""}, {0}},
    .setup = setup,
};
