// The risk of an address follows from the domains that resolve to it.
#include <math.h>
#include <tenter.h>

// Each reason counts by its own; together they are the chance that not all of them are harmless.
static tenter_error address(const tenter_view *view, tenter_changes *out) {
  const tenter_entity ip = view->root.entity;
  tenter_views domains = tenter_follow(view, &view->root, "domains");
  tenter_string *reasons = tenter_alloc((domains.len + 1) * sizeof *reasons);
  size_t len = 0;
  double harmless = 1;

  if (tenter_get(&view->root, "indicator")) {
    reasons[len++] = tenter_text("indicator");
    harmless *= 1 - 0.8;
  }
  for (size_t i = 0; i < domains.len; i++) {
    double risk;
    if (!tenter_read_real(tenter_get(domains.ptr[i], "risk"), &risk)) continue;
    const tenter_entity *domain = &domains.ptr[i]->entity;
    reasons[len++] = tenter_format("%.*s/%.*s", TENTER_ARG(domain->etype), TENTER_ARG(domain->eid));
    harmless *= 1 - risk;
  }

  if (len == 0) {
    tenter_remove(out, ip, "risk");
    tenter_remove(out, ip, "risk_from");
  } else {
    tenter_set(out, ip, "risk", tenter_real(round((1 - harmless) * 1000) / 1000));
    tenter_set(out, ip, "risk_from", tenter_texts(reasons, len));
  }
  return NULL;
}

static tenter_error setup(const tenter_json *config) {
  (void)config;
  tenter_correlate("ip", TENTER_PATHS("indicator", "domains.risk"), TENTER_PATHS("risk", "risk_from"), address);
  tenter_request("write-entities", "ip.risk");
  tenter_request("write-entities", "ip.risk_from");
  return NULL;
}

const tenter_module_info tenter_module = {.title = "Risk from linked domains", .setup = setup};
