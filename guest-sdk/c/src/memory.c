// Memory of a call and of the set-up, errors, and strings. Part of tenter.c.

typedef struct block {
  struct block *before;
  size_t size, used;
} block;

typedef struct {
  block *last;
} arena;

static arena of_call, of_setup;
static arena *current = &of_call;
static bool over; // the call has ended; what it left is read by the host until the next begins

#define BLOCK ((size_t)64 * 1024 - 64)

/** Keeps the largest block, so that a busy instance does not ask for memory again and again. */
static void empty(arena *a) {
  block *kept = a->last;
  for (block *b = kept ? kept->before : NULL; b;) {
    block *before = b->before;
    if (b->size > kept->size) {
      block *swap = kept;
      kept = b;
      b = swap;
    }
    free(b);
    b = before;
  }
  if (kept) {
    kept->before = NULL;
    kept->used = 0;
  }
  a->last = kept;
}

/** Where in the block something of that alignment fits next. */
static size_t place(const block *b, size_t align) {
  uintptr_t start = (uintptr_t)(b + 1);
  return (size_t)(((start + b->used + align - 1) & ~(uintptr_t)(align - 1)) - start);
}

static void *take(arena *a, size_t size, size_t align) {
  block *b = a->last;
  size_t at = b ? place(b, align) : 0;
  if (!b || at > b->size || size > b->size - at) {
    size_t room = size + align > BLOCK ? size + align : BLOCK;
    // Blocks double, so that a large call has few of them.
    if (b && b->size < ((size_t)4 << 20) && room < 2 * b->size) room = 2 * b->size;
    block *next = room < size ? NULL : malloc(sizeof(block) + room);
    if (!next) abort();
    *next = (block){b, room, 0};
    a->last = b = next;
    at = place(b, align);
  }
  b->used = at + size;
  return (char *)(b + 1) + at;
}

static void begin(void) {
  if (over) {
    empty(&of_call);
    over = false;
  }
}

/** What the host asks memory with, for what it hands in. */
static void *tenter_grow(void *old, size_t old_size, size_t align, size_t size) {
  begin();
  void *fresh = take(current, size, align < 8 ? 8 : align);
  if (old && old_size) memcpy(fresh, old, old_size < size ? old_size : size);
  return fresh;
}

void *tenter_alloc(size_t size) { return memset(take(current, size ? size : 1, 16), 0, size); }

/** A list with room for one more; rooms double, so that the length alone tells when one is full. */
static void *more(void *list, size_t len, size_t item) {
  if (len & (len - 1)) return list;
  void *fresh = tenter_alloc((len ? 2 * len : 1) * item);
  if (len) memcpy(fresh, list, len * item);
  return fresh;
}
#define ADD(list) ((list).ptr = more((list).ptr, (list).len, sizeof *(list).ptr), &(list).ptr[(list).len++])

tenter_string tenter_text(const char *terminated) {
  return (tenter_string){(uint8_t *)terminated, terminated ? strlen(terminated) : 0};
}

tenter_string tenter_bytes(const void *ptr, size_t len) { return (tenter_string){(uint8_t *)ptr, len}; }

static tenter_string formatted(const char *format, va_list given) {
  va_list again;
  va_copy(again, given);
  int len = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (len < 0) return tenter_text("");
  char *text = take(current, (size_t)len + 1, 1);
  vsnprintf(text, (size_t)len + 1, format, given);
  return tenter_bytes(text, (size_t)len);
}

#define FORMATTED(into)            \
  va_list given;                   \
  va_start(given, format);         \
  tenter_string into = formatted(format, given); \
  va_end(given)

tenter_string tenter_format(const char *format, ...) {
  FORMATTED(text);
  return text;
}

static tenter_error error_of(uint8_t tag, tenter_string message, const char *code) {
  tenter_error_info *error = tenter_alloc(sizeof *error);
  error->hook.tag = tag;
  error->hook.val.failed = message;
  error->code = code;
  return error;
}

tenter_error tenter_invalid(const char *format, ...) {
  FORMATTED(text);
  return error_of(TENTER_HOOKS_TYPES_HOOK_ERROR_INVALID_INPUT, text, NULL);
}

tenter_error tenter_unavailable(const char *format, ...) {
  FORMATTED(text);
  return error_of(TENTER_HOOKS_TYPES_HOOK_ERROR_UNAVAILABLE, text, NULL);
}

tenter_error tenter_failed(const char *format, ...) {
  FORMATTED(text);
  return error_of(TENTER_HOOKS_TYPES_HOOK_ERROR_FAILED, text, NULL);
}

char *tenter_terminated(tenter_string text) {
  char *copy = take(current, text.len + 1, 1);
  if (text.len) memcpy(copy, text.ptr, text.len);
  copy[text.len] = 0;
  return copy;
}

static tenter_string copied(tenter_string text) { return tenter_bytes(tenter_terminated(text), text.len); }

tenter_string tenter_lower(tenter_string text) {
  tenter_string lower = copied(text);
  for (size_t i = 0; i < lower.len; i++)
    if (lower.ptr[i] >= 'A' && lower.ptr[i] <= 'Z') lower.ptr[i] += 'a' - 'A';
  return lower;
}

bool (tenter_equal)(tenter_string a, tenter_string b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

bool (tenter_starts)(tenter_string text, tenter_string part) {
  return text.len >= part.len && tenter_equal(tenter_bytes(text.ptr, part.len), part);
}

bool (tenter_ends)(tenter_string text, tenter_string part) {
  return text.len >= part.len && tenter_equal(tenter_bytes(text.ptr + (text.len - part.len), part.len), part);
}

bool (tenter_contains)(tenter_string text, tenter_string part) {
  if (part.len == 0) return true;
  const uint8_t *at = text.ptr, *end = text.ptr + text.len;
  while ((size_t)(end - at) >= part.len && (at = memchr(at, part.ptr[0], (size_t)(end - at) - part.len + 1))) {
    if (memcmp(at, part.ptr, part.len) == 0) return true;
    at++;
  }
  return false;
}

tenter_string (tenter_join)(tenter_strings parts, tenter_string between) {
  size_t len = 0;
  for (size_t i = 0; i < parts.len; i++) len += parts.ptr[i].len + (i ? between.len : 0);
  tenter_string out = tenter_bytes(take(current, len + 1, 1), 0);
  for (size_t i = 0; i < parts.len; i++) {
    if (i && between.len) memcpy(out.ptr + out.len, between.ptr, between.len), out.len += between.len;
    if (parts.ptr[i].len) memcpy(out.ptr + out.len, parts.ptr[i].ptr, parts.ptr[i].len), out.len += parts.ptr[i].len;
  }
  return out;
}
