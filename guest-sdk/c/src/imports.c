// The host's functions, with its errors as those of hooks: what may pass is `unavailable`, which the host retries where the
// kind of hook has retries. Part of tenter.c.

void tenter_log(tenter_hooks_log_level_t level, tenter_string message) { tenter_hooks_log_write(level, &message); }

#define LOGS(name, level)                         \
  void name(const char *format, ...) {            \
    FORMATTED(text);                              \
    tenter_log(TENTER_HOOKS_LOG_LEVEL_##level, text); \
  }
LOGS(tenter_debug, DEBUG)
LOGS(tenter_info, INFO)
LOGS(tenter_warning, WARNING)
LOGS(tenter_log_error, ERROR)

tenter_time tenter_now(void) { return tenter_hooks_call_now(); }
uint64_t tenter_random(void) { return tenter_hooks_call_random(); }
bool (tenter_resume_after)(uint32_t seconds, tenter_string memo) { return tenter_hooks_call_resume_after(seconds, &memo); }
bool tenter_memo(tenter_string *out) { return tenter_hooks_call_memo(out); }

tenter_string tenter_call_id(void) {
  tenter_string id;
  tenter_hooks_call_id(&id);
  return id;
}

const char *tenter_call_cause(void) {
  static const char *const causes[] = {"normal", "refresh", "retry", "replay"};
  return causes[tenter_hooks_call_cause() & 3];
}

#define FAILED TENTER_HOOKS_TYPES_HOOK_ERROR_FAILED
#define UNAVAILABLE TENTER_HOOKS_TYPES_HOOK_ERROR_UNAVAILABLE
#define INVALID TENTER_HOOKS_TYPES_HOOK_ERROR_INVALID_INPUT

/** What each case of an import's error means for the hook, by the case's number. */
typedef struct {
  uint8_t tag;
  const char *code, *words;
} meaning;

__attribute__((unused)) static tenter_error host_error(const meaning *of, size_t len, uint8_t tag, const char *name, tenter_string detail) {
  meaning last = {UNAVAILABLE, "other", name};
  const meaning *m = tag < len ? &of[tag] : &last;
  tenter_string text = tenter_text(m->words);
  if (detail.len) text = PARTS(text, tenter_text(": "), detail);
  return error_of(m->tag, text, m->code);
}
#define HOST_ERROR(of, name, err, with_text) \
  host_error(of, sizeof(of) / sizeof *(of), (err).tag, name, (with_text) ? (err).val.other : tenter_text(NULL))
#define NOT_GRANTED(capability) \
  {FAILED, "denied", capability ": not granted; ask with tenter_request(\"" capability "\", ...), and the operator grants it"}

#ifdef TENTER_HOOKS_STATE_STATE_ERROR_DENIED
static tenter_error state_error(tenter_hooks_state_state_error_t err) {
  static const meaning of[] = {
      NOT_GRANTED("state"),
      {FAILED, "too-large", "state: the key or the value is too large"},
      {FAILED, "quota", "state: the module's room is used up"},
  };
  return HOST_ERROR(of, "state", err, err.tag == TENTER_HOOKS_STATE_STATE_ERROR_OTHER);
}
#define STATE(call) tenter_hooks_state_state_error_t err; return (call) ? NULL : state_error(err)

tenter_error (tenter_state_fetch)(tenter_string key, tenter_string *out, bool *found) {
  tenter_hooks_state_state_error_t err;
  guest_option_list_u8_t value;
  if (!tenter_hooks_state_fetch(&key, &value, &err)) return state_error(err);
  *found = value.is_some;
  *out = value.is_some ? tenter_bytes(value.val.ptr, value.val.len) : tenter_text(NULL);
  return NULL;
}

tenter_error (tenter_state_store)(tenter_string key, tenter_string value, uint64_t keep_seconds) {
  guest_list_u8_t bytes = {value.ptr, value.len};
  STATE(tenter_hooks_state_store(&key, &bytes, keep_seconds ? &keep_seconds : NULL, &err));
}

tenter_error (tenter_state_discard)(tenter_string key) { STATE(tenter_hooks_state_discard(&key, &err)); }

tenter_error (tenter_state_increment)(tenter_string key, int64_t by) { STATE(tenter_hooks_state_increment(&key, by, &err)); }

tenter_error (tenter_state_keys)(tenter_string prefix, const tenter_string *after, uint32_t limit, tenter_strings *out) {
  STATE(tenter_hooks_state_keys(&prefix, (tenter_string *)after, limit, (guest_list_string_t *)out, &err));
}
#endif

#ifdef TENTER_HOOKS_ENTITIES_READ_ERROR_DENIED
static tenter_error read_error(tenter_hooks_entities_read_error_t err) {
  static const meaning of[] = {
      NOT_GRANTED("read-entities"),
      {FAILED, "unknown-type", "entities: no such entity type"},
      {FAILED, "too-large", "entities: the record is larger than a call may read"},
  };
  return HOST_ERROR(of, "entities", err, err.tag == TENTER_HOOKS_ENTITIES_READ_ERROR_OTHER);
}

tenter_error tenter_read_record(tenter_entity entity, const tenter_record **out) {
  tenter_hooks_entities_read_error_t err;
  tenter_hooks_entities_option_master_record_t *record = tenter_alloc(sizeof *record);
  if (!tenter_hooks_entities_read_record(&entity, record, &err)) return read_error(err);
  *out = record->is_some ? &record->val : NULL;
  return NULL;
}

tenter_error tenter_known(tenter_entity entity, bool *out) {
  tenter_hooks_entities_read_error_t err;
  return tenter_hooks_entities_known(&entity, out, &err) ? NULL : read_error(err);
}

tenter_string tenter_schema(void) {
  tenter_string schema;
  tenter_hooks_entities_schema(&schema);
  return schema;
}

tenter_strings tenter_case_hooks(void) {
  guest_list_string_t names;
  tenter_hooks_entities_case_hooks(&names);
  return (tenter_strings){names.ptr, names.len};
}
#endif

#ifdef TENTER_VIEWS
tenter_error tenter_fetch_view(tenter_entity entity, const tenter_entity_view **out) {
  static const meaning of[] = {
      {FAILED, "denied", "views: not granted; ask with tenter_request(\"read-entities\", TYPE), and the operator grants it; only "
                         "correlations may ask for views"},
      {FAILED, "unknown-type", "views: no such entity type"},
  };
  tenter_hooks_views_view_error_t err;
  tenter_hooks_views_option_entity_view_t *view = tenter_alloc(sizeof *view);
  if (!tenter_hooks_views_fetch(&entity, view, &err)) return HOST_ERROR(of, "views", err, err.tag == TENTER_HOOKS_VIEWS_VIEW_ERROR_OTHER);
  *out = view->is_some ? &view->val : NULL;
  return NULL;
}
#endif

#ifdef TENTER_HOOKS_TASKS_SUBMIT_ERROR_DENIED
tenter_error tenter_submit(const tenter_tasks *tasks, tenter_strings *ids) {
  static const meaning of[] = {
      {FAILED, "denied", "tasks: only `cron` hooks submit; other hooks return tasks"},
      {FAILED, "invalid", "tasks"},
      {FAILED, "budget", "tasks: more than a call may submit"},
  };
  tenter_hooks_tasks_submit_error_t err;
  tenter_hooks_tasks_list_task_t all = {flat_tasks(tasks), tasks->len};
  guest_list_string_t given;
  if (!tenter_hooks_tasks_submit(&all, &given, &err)) {
    bool text = err.tag == TENTER_HOOKS_TASKS_SUBMIT_ERROR_INVALID || err.tag == TENTER_HOOKS_TASKS_SUBMIT_ERROR_OTHER;
    return HOST_ERROR(of, "tasks", err, text);
  }
  if (ids) *ids = (tenter_strings){given.ptr, given.len};
  return NULL;
}
#endif

#ifdef TENTER_HOOKS_HTTP_HTTP_ERROR_DENIED
tenter_http *(tenter_http_request)(const char *method, tenter_string url) {
  tenter_http *request = tenter_alloc(sizeof *request);
  request->method = tenter_text(method);
  request->url = url;
  return request;
}

static tenter_hooks_http_parameter_t clear(tenter_string name, tenter_string value) {
  return (tenter_hooks_http_parameter_t){name, {TENTER_HOOKS_HTTP_SENSITIVE_CLEAR, {.clear = value}}};
}

void (tenter_http_query)(tenter_http *request, tenter_string name, tenter_string value) { *ADD(request->query) = clear(name, value); }

void (tenter_http_header)(tenter_http *request, tenter_string name, tenter_string value) { *ADD(request->headers) = clear(name, value); }

void (tenter_http_secret)(tenter_http *request, tenter_string name, tenter_string prefix, tenter_string secret) {
  *ADD(request->headers) =
      (tenter_hooks_http_parameter_t){name, {TENTER_HOOKS_HTTP_SENSITIVE_SECRET, {.secret = {prefix, secret}}}};
}

void (tenter_http_body)(tenter_http *request, tenter_string body) {
  request->body = (guest_option_list_u8_t){true, {body.ptr, body.len}};
}

void tenter_http_timeout(tenter_http *request, uint32_t millis) { request->timeout_ms = (guest_option_u32_t){true, millis}; }

tenter_error tenter_http_send(tenter_http *request, tenter_response *out) {
  static const meaning of[] = {
      {FAILED, "denied", "http: not granted"},
      {FAILED, "invalid", "http: invalid request"},
      {UNAVAILABLE, "timed-out", "http: timed out"},
      {FAILED, "too-large", "http: the answer is larger than a call may read"},
      {UNAVAILABLE, "unreachable", "http"},
  };
  tenter_hooks_http_http_error_t err;
  if (tenter_hooks_http_send(request, out, &err)) return NULL;
  return HOST_ERROR(of, "http", err, err.tag != TENTER_HOOKS_HTTP_HTTP_ERROR_TIMED_OUT && err.tag != TENTER_HOOKS_HTTP_HTTP_ERROR_TOO_LARGE);
}
#endif

#ifdef TENTER_HOOKS_RESOLVER_RESOLVE_ERROR_DENIED
static tenter_error resolve_error(tenter_hooks_resolver_resolve_error_t err) {
  static const meaning of[] = {
      NOT_GRANTED("resolver"),
      {INVALID, "not-found", "resolver: no such name"},
      {UNAVAILABLE, "timed-out", "resolver: timed out"},
  };
  return HOST_ERROR(of, "resolver", err, err.tag == TENTER_HOOKS_RESOLVER_RESOLVE_ERROR_OTHER);
}

tenter_error (tenter_lookup)(tenter_string name, const char *kind, const char *server, tenter_strings *out) {
  tenter_hooks_resolver_resolve_error_t err;
  tenter_string k = tenter_text(kind), s = tenter_text(server);
  bool ok = tenter_hooks_resolver_lookup(&name, &k, server ? &s : NULL, (guest_list_string_t *)out, &err);
  return ok ? NULL : resolve_error(err);
}

tenter_error (tenter_reverse)(tenter_string address, const char *server, tenter_strings *out) {
  tenter_hooks_resolver_resolve_error_t err;
  tenter_string s = tenter_text(server);
  return tenter_hooks_resolver_reverse(&address, server ? &s : NULL, (guest_list_string_t *)out, &err) ? NULL : resolve_error(err);
}
#endif

#ifdef TENTER_HOOKS_SECRETS_SECRET_ERROR_DENIED
tenter_strings tenter_secrets(void) {
  guest_list_string_t names;
  tenter_hooks_secrets_available(&names);
  return (tenter_strings){names.ptr, names.len};
}

tenter_error (tenter_hmac_sha256)(tenter_string name, tenter_string message, tenter_string *out) {
  static const meaning of[] = {
      NOT_GRANTED("secret"),
      {FAILED, "not-set", "secrets: granted but not set"},
  };
  tenter_hooks_secrets_secret_error_t err;
  guest_list_u8_t bytes = {message.ptr, message.len}, made;
  if (!tenter_hooks_secrets_hmac_sha256(&name, &bytes, &made, &err))
    return HOST_ERROR(of, "secrets", err, err.tag == TENTER_HOOKS_SECRETS_SECRET_ERROR_OTHER);
  *out = tenter_bytes(made.ptr, made.len);
  return NULL;
}
#endif
