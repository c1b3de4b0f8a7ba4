// What case hooks see and answer.

import { Failed, InvalidInput, shown } from "./errors.js";
import { Task, all, isDenial, taskOut } from "./task.js";
import { Typed, jsonText, wellFormed } from "./value.js";

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInput(`body of the object: ${error.message}`);
  }
}

class Bodied {
  #body;

  constructor(text) {
    this.json = text;
  }

  get body() {
    return (this.#body ??= parsed(this.json));
  }
}

export class Proposal extends Bodied {
  constructor({ id, body }) {
    super(body);
    this.id = id;
  }
}

export class CaseObject extends Bodied {
  constructor({ target, uuid, version, body }) {
    super(body);
    this.object = target.object;
    this.id = target.id;
    this.uuid = uuid;
    this.version = version;
  }
}

class Effect {
  constructor(tag, val) {
    this.tag = tag;
    this.val = val;
  }
}

export class Patch {
  static of(object) {
    return new Patch(object, object.version);
  }

  constructor({ object, id }, expectedVersion) {
    this.target = { object, id };
    this.expectedVersion = expectedVersion ?? null;
    this.edits = [];
  }

  anyVersion() {
    this.expectedVersion = null;
    return this;
  }

  addTag(tag) {
    return this.#edit("add-tag", wellFormed(tag));
  }

  removeTag(tag) {
    return this.#edit("remove-tag", wellFormed(tag));
  }

  appendDescription(text) {
    return this.#edit("append-description", wellFormed(text));
  }

  setField(name, value) {
    return this.#edit("set-field", { name, json: textOf(value) });
  }

  setCustomField(tab, name, value, kind = "input_string") {
    return this.#edit("set-custom-field", { tab, name, kind, json: textOf(value) });
  }

  #edit(tag, val) {
    this.edits.push({ tag, val });
    return this;
  }
}

/** JSON text of a value; what `json(...)` or `rawJson(...)` made is taken as it is. */
const textOf = (value) => (value instanceof Typed && value.tag === "json" ? value.val : wellFormed(jsonText(value)));

export const create = (object, body, { caseId, attachments } = {}) =>
  new Effect("create", {
    object,
    caseId: caseId ?? null,
    body: textOf(body),
    attachments: (attachments ?? []).map(({ name, mediaType, content }) => ({ name, mediaType, content })),
  });

class Report {
  constructor(message, media, content) {
    this.message = wellFormed(message);
    this.media = media;
    this.content = wellFormed(content);
  }
}

const MEDIA = ["text", "markdown", "json"];

export function report(message, content = "", media = typeof content === "string" ? "text" : "json") {
  if (!MEDIA.includes(media)) throw new Failed(`${shown(media)} is no kind of report: expected one of ${MEDIA.join(", ")}`);
  return new Report(message, media, typeof content === "string" ? content : textOf(content));
}

export const contextIn = ({ caseId, caseName, user, trigger }) => ({ caseId, caseName, user, trigger });
export const writtenIn = (w) => ({ old: w.old && new CaseObject(w.old), new: w.new && new CaseObject(w.new), attachments: w.attachments });

export function judgementOut(returned) {
  if (returned === undefined || returned === null) return { tag: "unchanged" };
  if (isDenial(returned)) return { tag: "denied", val: wellFormed(returned.reason) };
  if (returned instanceof Proposal) return { tag: "replaced", val: wellFormed(jsonText(returned.body)) };
  if (typeof returned === "object" && !Array.isArray(returned)) return { tag: "replaced", val: textOf(returned) };
  throw new Failed(`\`before\` returns nothing, the whole changed body, or deny(reason); found ${shown(returned)}`);
}

function sorted(returned, kinds, withReport) {
  const out = { effects: [], tasks: [] };
  if (withReport) out.report = null;
  for (const each of all(returned)) {
    if (each instanceof Patch) {
      out.effects.push({ tag: "patch", val: { target: each.target, expectedVersion: each.expectedVersion, edits: each.edits } });
    } else if (each instanceof Effect) {
      out.effects.push({ tag: each.tag, val: each.val });
    } else if (each instanceof Task) {
      out.tasks.push(taskOut(each));
    } else if (withReport && each instanceof Report) {
      out.report = { message: each.message, media: each.media, content: each.content };
    } else {
      throw new Failed(`${kinds}; found ${shown(each)}`);
    }
  }
  return out;
}

export const outcomeOut = (returned) => sorted(returned, "`after` returns patches, create(...) and tasks", false);
export const manualOut = (returned) => sorted(returned, "`manual` returns patches, create(...), tasks and a report(...)", true);
