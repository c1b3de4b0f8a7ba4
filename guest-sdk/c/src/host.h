// What the host gives. Included by tenter.h. What needs a capability answers an error with the code "denied" until the operator
// grants it.

// ---- Log and call, which every module has
void tenter_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tenter_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tenter_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tenter_log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tenter_log(tenter_hooks_log_level_t level, tenter_string message);

tenter_time tenter_now(void); // stands still while the call runs
tenter_string tenter_call_id(void); // the same when the call is repeated after a crash
const char *tenter_call_cause(void); // normal, refresh, retry or replay
uint64_t tenter_random(void); // seeded from the id of the call; not for secrets
bool (tenter_resume_after)(uint32_t seconds, tenter_string memo); // in `after` and `manual`: call again later
bool tenter_memo(tenter_string *out); // what the call that asked for this one left
#define tenter_resume_after(seconds, memo) (tenter_resume_after)(seconds, TENTER_STRING(memo))

// ---- state: keys and values private to the module; writes commit with the call
#ifdef TENTER_HOOKS_STATE_STATE_ERROR_DENIED
tenter_error (tenter_state_fetch)(tenter_string key, tenter_string *out, bool *found);
tenter_error (tenter_state_store)(tenter_string key, tenter_string value, uint64_t keep_seconds); // 0: for ever
tenter_error (tenter_state_discard)(tenter_string key);
tenter_error (tenter_state_increment)(tenter_string key, int64_t by); // concurrent calls add up
tenter_error (tenter_state_keys)(tenter_string prefix, const tenter_string *after, uint32_t limit, tenter_strings *out);
#define tenter_state_fetch(key, out, found) (tenter_state_fetch)(TENTER_STRING(key), out, found)
#define tenter_state_store(key, value, keep) (tenter_state_store)(TENTER_STRING(key), TENTER_STRING(value), keep)
#define tenter_state_discard(key) (tenter_state_discard)(TENTER_STRING(key))
#define tenter_state_increment(key, by) (tenter_state_increment)(TENTER_STRING(key), by)
#define tenter_state_keys(prefix, after, limit, out) (tenter_state_keys)(TENTER_STRING(prefix), after, limit, out)
#else
TENTER_NO_IMPORT("state") tenter_error tenter_state_fetch(const void *, ...);
TENTER_NO_IMPORT("state") tenter_error tenter_state_store(const void *, ...);
TENTER_NO_IMPORT("state") tenter_error tenter_state_discard(const void *, ...);
TENTER_NO_IMPORT("state") tenter_error tenter_state_increment(const void *, ...);
TENTER_NO_IMPORT("state") tenter_error tenter_state_keys(const void *, ...);
#endif

// ---- entities: what is stored, as of the last commit
#ifdef TENTER_HOOKS_ENTITIES_READ_ERROR_DENIED
tenter_error tenter_read_record(tenter_entity entity, const tenter_record **out); // NULL for one that is not known
tenter_error tenter_known(tenter_entity entity, bool *out);
tenter_string tenter_schema(void); // the entity specification as JSON; also in `setup`
tenter_strings tenter_case_hooks(void);
#else
TENTER_NO_IMPORT("entities") tenter_error tenter_read_record(tenter_entity, ...);
TENTER_NO_IMPORT("entities") tenter_error tenter_known(tenter_entity, ...);
TENTER_NO_IMPORT("entities") tenter_string tenter_schema(void);
TENTER_NO_IMPORT("entities") tenter_strings tenter_case_hooks(void);
#endif

// ---- views: current values of linked entities, in correlations
#ifdef TENTER_VIEWS
tenter_error tenter_fetch_view(tenter_entity entity, const tenter_entity_view **out); // NULL for one of another group
#else
TENTER_NO_IMPORT("views") tenter_error tenter_fetch_view(tenter_entity, ...);
#endif

// ---- tasks: from `cron`, which returns none
#ifdef TENTER_HOOKS_TASKS_SUBMIT_ERROR_DENIED
tenter_error tenter_submit(const tenter_tasks *tasks, tenter_strings *ids); // all or none; `ids` may be NULL
#else
TENTER_NO_IMPORT("tasks") tenter_error tenter_submit(const void *, ...);
#endif

// ---- http: requests to outside services; an answer of any status is a success
#ifdef TENTER_HOOKS_HTTP_HTTP_ERROR_DENIED
typedef tenter_hooks_http_request_t tenter_http;
typedef tenter_hooks_http_response_t tenter_response;
tenter_http *(tenter_http_request)(const char *method, tenter_string url);
void (tenter_http_query)(tenter_http *request, tenter_string name, tenter_string value);
void (tenter_http_header)(tenter_http *request, tenter_string name, tenter_string value);
// The host puts a secret in behind the module's back, after the prefix.
void (tenter_http_secret)(tenter_http *request, tenter_string name, tenter_string prefix, tenter_string secret);
void (tenter_http_body)(tenter_http *request, tenter_string body);
void tenter_http_timeout(tenter_http *request, uint32_t millis);
tenter_error tenter_http_send(tenter_http *request, tenter_response *out);
#define tenter_http_request(method, url) (tenter_http_request)(method, TENTER_STRING(url))
#define tenter_http_query(request, name, value) (tenter_http_query)(request, TENTER_STRING(name), TENTER_STRING(value))
#define tenter_http_header(request, name, value) (tenter_http_header)(request, TENTER_STRING(name), TENTER_STRING(value))
#define tenter_http_secret(request, name, prefix, secret) \
  (tenter_http_secret)(request, TENTER_STRING(name), TENTER_STRING(prefix), TENTER_STRING(secret))
#define tenter_http_body(request, body) (tenter_http_body)(request, TENTER_STRING(body))
#else
TENTER_NO_IMPORT("http") void *tenter_http_request(const void *, ...);
#endif

// ---- resolver: name look-ups; `server` is the address of a name server, NULL for the host's
#ifdef TENTER_HOOKS_RESOLVER_RESOLVE_ERROR_DENIED
tenter_error (tenter_lookup)(tenter_string name, const char *kind, const char *server, tenter_strings *out);
tenter_error (tenter_reverse)(tenter_string address, const char *server, tenter_strings *out);
#define tenter_lookup(name, kind, server, out) (tenter_lookup)(TENTER_STRING(name), kind, server, out)
#define tenter_reverse(address, server, out) (tenter_reverse)(TENTER_STRING(address), server, out)
#else
TENTER_NO_IMPORT("resolver") tenter_error tenter_lookup(const void *, ...);
TENTER_NO_IMPORT("resolver") tenter_error tenter_reverse(const void *, ...);
#endif

// ---- secrets: by name; their text stays with the host
#ifdef TENTER_HOOKS_SECRETS_SECRET_ERROR_DENIED
tenter_strings tenter_secrets(void); // names that are granted and set
tenter_error (tenter_hmac_sha256)(tenter_string name, tenter_string message, tenter_string *out);
#define tenter_hmac_sha256(name, message, out) (tenter_hmac_sha256)(TENTER_STRING(name), TENTER_STRING(message), out)
#else
TENTER_NO_IMPORT("secrets") tenter_strings tenter_secrets(void);
TENTER_NO_IMPORT("secrets") tenter_error tenter_hmac_sha256(const void *, ...);
#endif
