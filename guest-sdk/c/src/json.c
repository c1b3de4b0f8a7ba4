// Reading and writing JSON. Part of tenter.c.

typedef struct {
  const char *at, *end;
  int depth;
} reader;

static bool read_json(reader *r, tenter_json *out);

static void skip(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

static bool literal(reader *r, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) return false;
  r->at += len;
  return true;
}

static int hex4(reader *r) {
  int code = 0;
  if (r->end - r->at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = *r->at++;
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

static char *utf8(char *out, int code) {
  if (code < 0x80) {
    *out++ = (char)code;
    return out;
  }
  if (code < 0x800) {
    *out++ = (char)(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    *out++ = (char)(0xe0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
  } else {
    *out++ = (char)(0xf0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3f));
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
  }
  *out++ = (char)(0x80 | (code & 0x3f));
  return out;
}

/** The code of `\uXXXX`; a half of a surrogate pair without the other is U+FFFD. */
static int escaped(reader *r) {
  int code = hex4(r);
  if (code < 0xd800 || code > 0xdfff) return code;
  const char *before = r->at;
  if (code < 0xdc00 && literal(r, "\\u")) {
    int low = hex4(r);
    if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  r->at = before;
  return 0xfffd;
}

static bool read_text(reader *r, tenter_string *out) {
  const char *end = ++r->at;
  while (end < r->end && *end != '"') end += *end == '\\' ? 2 : 1;
  if (end >= r->end) return false;
  char *text = take(current, (size_t)(end - r->at) + 1, 1), *to = text;
  while (r->at < end) {
    char c = *r->at++;
    if ((unsigned char)c < 0x20) return false;
    if (c != '\\') {
      *to++ = c;
      continue;
    }
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    c = *r->at++;
    const char *found = c ? strchr(from, c) : NULL;
    if (found) {
      *to++ = into[found - from];
    } else {
      int code = c == 'u' ? escaped(r) : -1;
      if (code < 0) return false;
      to = utf8(to, code);
    }
  }
  r->at = end + 1;
  *to = 0;
  *out = tenter_bytes(text, (size_t)(to - text));
  return true;
}

static bool read_number(reader *r, tenter_json *out) {
  const char *begin = r->at;
  while (r->at < r->end && strchr("+-.eE0123456789", *r->at) && *r->at) r->at++;
  out->kind = TENTER_NUMBER;
  out->text = copied(tenter_bytes(begin, (size_t)(r->at - begin)));
  char *stop;
  strtod((const char *)out->text.ptr, &stop);
  return r->at > begin && *stop == 0 && *begin != '+' && *begin != '.';
}

static bool read_all(reader *r, tenter_json *out, char close) {
  struct {
    tenter_json *ptr;
    size_t len;
  } items = {0};
  tenter_strings names = {0};
  r->at++;
  skip(r);
  bool first = true;
  while (r->at < r->end && *r->at != close) {
    if (!first) {
      if (*r->at++ != ',') return false;
      skip(r);
    }
    first = false;
    if (close == '}') {
      if (r->at >= r->end || *r->at != '"' || !read_text(r, ADD(names))) return false;
      skip(r);
      if (r->at >= r->end || *r->at++ != ':') return false;
    }
    tenter_json item = {0};
    if (!read_json(r, &item)) return false;
    *ADD(items) = item;
    skip(r);
  }
  if (r->at >= r->end) return false;
  r->at++;
  out->kind = close == '}' ? TENTER_OBJECT : TENTER_LIST;
  out->items = items.ptr;
  out->len = items.len;
  out->names = names.ptr;
  return true;
}

static bool read_json(reader *r, tenter_json *out) {
  skip(r);
  if (r->at >= r->end || r->depth > 128) return false;
  r->depth++;
  bool read;
  switch (*r->at) {
  case '{': read = read_all(r, out, '}'); break;
  case '[': read = read_all(r, out, ']'); break;
  case '"': out->kind = TENTER_TEXT, read = read_text(r, &out->text); break;
  case 't': out->kind = TENTER_BOOLEAN, out->boolean = true, read = literal(r, "true"); break;
  case 'f': out->kind = TENTER_BOOLEAN, read = literal(r, "false"); break;
  case 'n': read = literal(r, "null"); break;
  default: read = read_number(r, out);
  }
  r->depth--;
  return read;
}

const tenter_json *tenter_json_parse(tenter_string text) {
  reader r = {(const char *)text.ptr, (const char *)text.ptr + text.len, 0};
  tenter_json *out = tenter_alloc(sizeof *out);
  if (!read_json(&r, out)) return NULL;
  skip(&r);
  return r.at == r.end ? out : NULL;
}

const tenter_json *tenter_json_get(const tenter_json *object, const char *name) {
  if (!object || object->kind != TENTER_OBJECT) return NULL;
  for (size_t i = 0; i < object->len; i++)
    if (tenter_equal(object->names[i], name)) return &object->items[i];
  return NULL;
}

const tenter_json *tenter_json_at(const tenter_json *list, size_t index) {
  return list && list->kind == TENTER_LIST && index < list->len ? &list->items[index] : NULL;
}

tenter_string tenter_json_text(const tenter_json *json, const char *otherwise) {
  return json && json->kind == TENTER_TEXT ? json->text : tenter_text(otherwise);
}

double tenter_json_real(const tenter_json *json, double otherwise) {
  return json && json->kind == TENTER_NUMBER ? strtod((const char *)json->text.ptr, NULL) : otherwise;
}

int64_t tenter_json_integer(const tenter_json *json, int64_t otherwise) {
  return json && json->kind == TENTER_NUMBER ? strtoll((const char *)json->text.ptr, NULL, 10) : otherwise;
}

bool tenter_json_boolean(const tenter_json *json, bool otherwise) {
  return json && json->kind == TENTER_BOOLEAN ? json->boolean : otherwise;
}

tenter_string (tenter_json_quote)(tenter_string text) {
  static const char digits[] = "0123456789abcdef";
  uint8_t *out = take(current, text.len * 6 + 3, 1), *to = out;
  *to++ = '"';
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.ptr[i];
    if (c == '"' || c == '\\') *to++ = '\\';
    if (c >= 0x20) {
      *to++ = c;
    } else {
      memcpy(to, "\\u00", 4);
      to[4] = (uint8_t)digits[c >> 4];
      to[5] = (uint8_t)digits[c & 15];
      to += 6;
    }
  }
  *to++ = '"';
  return tenter_bytes(out, (size_t)(to - out));
}
