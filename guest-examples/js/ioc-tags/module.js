// Tags indicators by rules, and notes on them why.

import { defineModule, Patch } from "tenter";

export default defineModule({
  title: "Tag indicators by rules",
  parameters: {
    rules: {
      kind: "json",
      title: "Rules",
      description: 'A list of {"ends_with", "tag", "note"}.',
      default: [{ ends_with: ".onion", tag: "tor", note: "a hidden service of Tor" }],
    },
  },

  register(on, { rules }) {
    function look(context, event, written) {
      return written.map(({ old, new: ioc }) => {
        if (!ioc) return null;
        const value = valueOf(ioc);
        if (old && valueOf(old) === value) return null;
        const fitting = rules.filter((rule) => value.endsWith(rule.ends_with));
        return fitting.length > 0 && noted(Patch.of(ioc), fitting);
      });
    }

    on.after("ioc", "create", look);
    on.after("ioc", "update", look);
    on.request("case-write", "ioc");
  },
});

/** Tags, the reasons below the description, and the rules in a tab of their own. */
function noted(patch, fitting) {
  for (const { tag, note } of fitting) patch.addTag(tag).appendDescription(`Tagged ${tag}: ${note}.`);
  return patch.setCustomField("Rules", "Matched", fitting.map((rule) => rule.ends_with).join(", "));
}

const valueOf = (ioc) => (ioc.body.ioc_value ?? "").toLowerCase();
