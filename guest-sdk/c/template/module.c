// Greets every new address.
#include <tenter.h>

static tenter_error greet(const tenter_task *task, tenter_tasks *out) {
  tenter_string greeting = tenter_format("Hello, %.*s!", TENTER_ARG(task->entity.eid));
  tenter_plain(tenter_add_task(out, task->entity), "greeting", tenter_text_value(greeting));
  return NULL;
}

static tenter_error setup(const tenter_json *config) {
  (void)config;
  tenter_on_entity_creation("ip", greet);
  tenter_request("write-entities", "ip.greeting");
  return NULL;
}

const tenter_module_info tenter_module = {.title = "Greet new addresses", .setup = setup};
