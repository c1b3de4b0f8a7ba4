// Tells what kind of machine a host name hints at.
#include <tenter.h>

// The rules of the configuration, which stay while it does.
static const tenter_json *rules;

static tenter_error classify(const tenter_entity *host, const tenter_datapoint *name, tenter_tasks *out) {
  tenter_string text;
  if (!tenter_read_text(&name->value, &text)) return NULL;
  text = tenter_lower(text);
  for (size_t i = 0; i < rules->len; i++) {
    const tenter_json *rule = &rules->items[i];
    if (!tenter_contains(text, tenter_json_text(tenter_json_at(rule, 0), ""))) continue;
    tenter_string hint = tenter_json_text(tenter_json_at(rule, 1), "");
    tenter_plain(tenter_add_task(out, *host), "class", tenter_text_value(hint));
    return NULL;
  }
  return NULL;
}

static tenter_error setup(const tenter_json *config) {
  const char *entity = tenter_terminated(tenter_json_text(tenter_json_get(config, "entity"), "ip"));
  const tenter_json *attributes = tenter_json_get(config, "attributes");
  rules = tenter_json_get(config, "rules");
  if (!attributes || attributes->kind != TENTER_LIST) return tenter_invalid("attributes: expected a list of names");
  if (!rules || rules->kind != TENTER_LIST) return tenter_invalid("rules: expected a list of [part of a name, class]");
  for (size_t i = 0; i < rules->len; i++) {
    tenter_string part = tenter_json_text(tenter_json_at(&rules->items[i], 0), "");
    if (part.len == 0 || !tenter_equal(part, tenter_lower(part)))
      return tenter_invalid("rules: \"%.*s\" fits no name: expected a part of a name in lower case", TENTER_ARG(part));
  }
  for (size_t i = 0; i < attributes->len; i++) {
    const char *attribute = tenter_terminated(tenter_json_text(&attributes->items[i], ""));
    tenter_refresh(tenter_on_new_attribute(entity, attribute, classify), TENTER_PATHS("class"));
  }
  tenter_request("write-entities", tenter_format("%s.class", entity));
  return NULL;
}

const tenter_module_info tenter_module = {
    .title = "Classify hosts by name",
    .parameters = (const tenter_parameter[]){
        {.name = "entity", .kind = "string", .title = "Entity type", .default_json = "\"ip\""},
        {.name = "attributes", .kind = "json", .title = "Attributes with names", .default_json = "[\"hostname\"]"},
        {.name = "rules", .kind = "json", .title = "Rules",
         .description = "A list of [part of a name in lower case, class]; the first that fits counts.",
         .default_json = "[[\"dhcp\",\"dynamic\"],[\"dyn\",\"dynamic\"],[\"pool\",\"dynamic\"],[\"dsl\",\"access\"],[\"cable\",\"access\"],"
                         "[\"mail\",\"mail\"],[\"smtp\",\"mail\"],[\"vpn\",\"vpn\"],[\"proxy\",\"proxy\"],[\"www\",\"web\"]]"},
        {0}},
    .setup = setup,
};
