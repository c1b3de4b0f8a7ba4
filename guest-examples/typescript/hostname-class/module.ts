// Tells what kind of machine a host name hints at.

import { defineModule, InvalidInput, Task, type Datapoint, type Entity } from "tenter";

type Rule = [part: string, hint: string];

interface Config {
  entity: string;
  attributes: string[];
  rules: Rule[];
}

const USUAL: Rule[] = [
  ["dhcp", "dynamic"], ["dyn", "dynamic"], ["pool", "dynamic"], ["dsl", "access"], ["cable", "access"],
  ["mail", "mail"], ["smtp", "mail"], ["vpn", "vpn"], ["proxy", "proxy"], ["www", "web"],
];

export default defineModule<Config>({
  title: "Classify hosts by name",
  parameters: {
    entity: { kind: "string", title: "Entity type", default: "ip" },
    attributes: { kind: "json", title: "Attributes with names", default: ["hostname"] },
    rules: {
      kind: "json",
      title: "Rules",
      description: "A list of [part of a name in lower case, class]; the first that fits counts.",
      default: USUAL,
    },
  },

  register(on, { entity, attributes, rules }) {
    for (const [part] of rules) {
      if (part === "" || part !== part.toLowerCase()) {
        throw new InvalidInput(`rules: ${JSON.stringify(part)} fits no name: expected a part of a name in lower case`);
      }
    }

    function classify(host: Entity, { value: name }: Datapoint): Task | undefined {
      if (typeof name !== "string") return undefined;
      const lower = name.toLowerCase();
      const rule = rules.find(([part]) => lower.includes(part));
      return rule && Task.on(host).plain("class", rule[1]);
    }

    for (const attribute of attributes) on.onNewAttribute(entity, attribute, classify, { refresh: ["class"] });
    on.request("write-entities", `${entity}.class`);
  },
});
