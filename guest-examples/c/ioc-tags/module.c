// Tags indicators by rules, and notes on them why.
#include <tenter.h>

static const tenter_json *rules;

static tenter_string value_of(const tenter_object *ioc) {
  return tenter_lower(tenter_json_text(tenter_json_get(tenter_json_parse(ioc->body), "ioc_value"), ""));
}

// Tags, the reasons below the description, and the rules in a tab of their own.
static void note(tenter_effects *out, const tenter_object *ioc, tenter_string value) {
  tenter_patch *patch = NULL;
  tenter_string matched = tenter_text("");
  for (size_t i = 0; i < rules->len; i++) {
    const tenter_json *rule = &rules->items[i];
    tenter_string ending = tenter_json_text(tenter_json_get(rule, "ends_with"), "");
    if (!tenter_ends(value, ending)) continue;
    if (!patch) patch = tenter_patch_of(out, ioc);
    tenter_string tag = tenter_json_text(tenter_json_get(rule, "tag"), "");
    tenter_string why = tenter_json_text(tenter_json_get(rule, "note"), "");
    tenter_add_tag(patch, tag);
    tenter_append_description(patch, tenter_format("Tagged %.*s: %.*s.", TENTER_ARG(tag), TENTER_ARG(why)));
    matched = tenter_format("%.*s%s%.*s", TENTER_ARG(matched), matched.len ? ", " : "", TENTER_ARG(ending));
  }
  if (patch) tenter_set_custom_field(patch, "Rules", "Matched", "input_string", tenter_json_quote(matched));
}

static tenter_error look(
    const tenter_context *context, const tenter_event *event, const tenter_written *objects, size_t len, tenter_effects *out) {
  (void)context, (void)event;
  for (size_t i = 0; i < len; i++) {
    if (!objects[i].new_.is_some) continue;
    tenter_string value = value_of(&objects[i].new_.val);
    // What was noted for the old value is not noted again for the same one.
    if (objects[i].old.is_some && tenter_equal(value_of(&objects[i].old.val), value)) continue;
    note(out, &objects[i].new_.val, value);
  }
  return NULL;
}

static tenter_error setup(const tenter_json *config) {
  rules = tenter_json_get(config, "rules");
  if (!rules || rules->kind != TENTER_LIST) return tenter_invalid("rules: expected a list");
  tenter_after("ioc", "create", look);
  tenter_after("ioc", "update", look);
  tenter_request("case-write", "ioc");
  return NULL;
}

const tenter_module_info tenter_module = {
    .title = "Tag indicators by rules",
    .parameters = (const tenter_parameter[]){
        {.name = "rules", .kind = "json", .title = "Rules", .description = "A list of {\"ends_with\", \"tag\", \"note\"}.",
         .default_json = "[{\"ends_with\": \".onion\", \"tag\": \"tor\", \"note\": \"a hidden service of Tor\"}]"},
        {0}},
    .setup = setup,
};
