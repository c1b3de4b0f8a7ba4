// The risk of an address follows from the domains that resolve to it.

import { defineModule } from "tenter";

export default defineModule({
  title: "Risk from linked domains",

  register(on) {
    on.correlate("ip", { dependsOn: ["indicator", "domains.risk"], mayChange: ["risk", "risk_from"] }, address);
    on.request("write-entities", "ip.risk");
    on.request("write-entities", "ip.risk_from");
  },
});

/** Each reason counts by its own; together they are the chance that not all of them are harmless. */
function address(view) {
  /** @type {[string, number][]} */
  const reasons = view.has("indicator") ? [["indicator", 0.8]] : [];
  for (const domain of view.follow("domains")) {
    const risk = domain.value("risk");
    if (risk !== undefined) reasons.push([String(domain.entity), risk]);
  }
  if (reasons.length === 0) return view.changes().remove("risk").remove("risk_from");
  const harmless = reasons.reduce((chance, [, risk]) => chance * (1 - risk), 1);
  const names = reasons.map(([name]) => name);
  return view.changes().set("risk", Math.round((1 - harmless) * 1000) / 1000).set("risk_from", names);
}
