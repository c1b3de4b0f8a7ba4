// Why a hook has no result. Whatever else a handler throws counts as `failed`, and its stack goes to the log.

export class HookError extends Error {
  constructor(kind, message, code) {
    super(message);
    this.name = new.target.name;
    this.kind = kind;
    this.code = code ?? null;
  }
}

export class InvalidInput extends HookError {
  constructor(message, code) {
    super("invalid-input", message, code);
  }
}

export class Unavailable extends HookError {
  constructor(message, code) {
    super("unavailable", message, code);
  }
}

export class Failed extends HookError {
  constructor(message, code) {
    super("failed", message, code);
  }
}

/** A value for a message: short, and never throwing. */
export function shown(value) {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? value.slice(0, 60) + "…" : value);
  if (typeof value === "function") return `the function ${value.name || "without a name"}`;
  if (typeof value === "object" && value !== null) {
    const name = value.constructor?.name;
    return name && name !== "Object" ? `an object of ${name}` : "an object";
  }
  return String(value);
}
