// What a module says of itself.

import { jsonText } from "./value.js";
import { shown } from "./errors.js";

const KINDS = ["string", "secret", "boolean", "integer", "float", "json", "html", "markdown"];

function parameter([name, { kind, title, description, section, mandatory, default: value }]) {
  if (!KINDS.includes(kind)) {
    throw new TypeError(`parameter ${shown(name)}: ${shown(kind)} is no kind: expected one of ${KINDS.join(", ")}`);
  }
  return {
    name,
    title: title ?? name,
    description: description ?? "",
    kind,
    section: section ?? null,
    mandatory: mandatory === true,
    defaultValue: value === undefined ? null : jsonText(value),
  };
}

/** Checks a definition while the component is built, so that what is wrong is told there. */
export function defineModule({ title, description, version, parameters, register }) {
  if (typeof title !== "string" || title === "") throw new TypeError("defineModule: a module needs a `title`");
  if (typeof register !== "function") throw new TypeError("defineModule: a module needs `register(on, config)`");
  const descriptor = {
    title,
    description: description ?? "",
    version: version ?? "0.1.0",
    parameters: Object.entries(parameters ?? {}).map(parameter),
  };
  return { descriptor, register };
}
