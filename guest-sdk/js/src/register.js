// The registrar: which moments a module wants, and which function answers.

import { CaseObject, Proposal, contextIn, judgementOut, manualOut, outcomeOut, writtenIn } from "./cases.js";
import { Failed, shown } from "./errors.js";
import { MasterRecord, chunkIn } from "./record.js";
import { datapointIn, isDenial, taskIn, tasksOut } from "./task.js";
import { Entity, jsonText, wellFormed } from "./value.js";
import { View, correlatedOut, pathOf, runIn } from "./view.js";

const CRON_FIELDS = { year: "y", month: "mo", day: "d", week: "w", dayOfWeek: "wd", hour: "h", minute: "mi", second: "s" };
const ID = /^[a-z0-9][a-z0-9_.:-]{0,63}$/;

const entityIn = ({ etype, eid }) => new Entity(etype, eid);
const paths = (given) => Array.from(given ?? [], pathOf);
/** `"*"` is every name. */
const named = (name) => (name === "*" ? null : name);
const caseId = (phase, object, action) => `${phase}:${object === "*" ? "any" : object}.${action === "*" ? "any" : action}`;
const clean = (id) => id.toLowerCase().replace(/[^a-z0-9_.:-]/g, "-").slice(0, 64);

function verdictOut(returned) {
  if (returned === true) return { tag: "allow" };
  if (returned === false) return { tag: "deny", val: "refused without a reason" };
  if (isDenial(returned)) return { tag: "deny", val: wellFormed(returned.reason) };
  throw new Failed(`\`allowEntityCreation\` returns true or deny(reason); found ${shown(returned)}`);
}

function nothingOut(returned) {
  if (returned !== undefined && returned !== null) throw new Failed(`this hook returns nothing; found ${shown(returned)}`);
}

/** Per kind: how arguments come in, and how what the handler returns goes out. */
const KINDS = {
  "on-task-start": [(task) => [taskIn(task)], nothingOut],
  "allow-entity-creation": [(task) => [taskIn(task)], verdictOut],
  "on-entity-creation": [(task) => [taskIn(task)], tasksOut],
  "on-new-attribute": [(entity, dp) => [entityIn(entity), datapointIn(dp)], tasksOut],
  "snapshot-init": [(run) => [runIn(run)], tasksOut],
  "snapshot-finalize": [(run) => [runIn(run)], tasksOut],
  timeseries: [(entity, attr, history) => [entityIn(entity), attr, history.map(chunkIn)], tasksOut],
  correlate: [(view) => [new View(view)], correlatedOut],
  "correlate-with-record": [(view, master) => [new View(view), new MasterRecord(master)], correlatedOut],
  "update-record": [(master) => [new MasterRecord(master)], tasksOut],
  "update-entity": [(entity) => [entityIn(entity)], tasksOut],
  cron: [(given) => [JSON.parse(given)], nothingOut],
  before: [(context, event, proposal) => [contextIn(context), event, new Proposal(proposal)], judgementOut],
  after: [(context, event, objects) => [contextIn(context), event, objects.map(writtenIn)], outcomeOut],
  manual: [(context, event, objects) => [contextIn(context), event, objects.map((o) => new CaseObject(o))], manualOut],
};

export class Registrar {
  constructor() {
    this.requests = [];
    this.hooks = new Map(Object.keys(KINDS).map((kind) => [kind, new Map()]));
  }

  request(capability, scope = "") {
    this.requests.push({ capability: String(capability), scope: String(scope) });
  }

  onTaskStart(handler, { id } = {}) {
    this.#add("on-task-start", id ?? "on-task-start", undefined, handler);
  }

  allowEntityCreation(etype, handler, { id } = {}) {
    this.#add("allow-entity-creation", id ?? `allow-entity-creation:${etype}`, etype, handler);
  }

  onEntityCreation(etype, handler, { id, refresh } = {}) {
    const details = { etype, refresh: refresh !== undefined, mayChange: paths(refresh) };
    this.#add("on-entity-creation", id ?? `on-entity-creation:${etype}`, details, handler);
  }

  onNewAttribute(etype, attr, handler, { id, refresh } = {}) {
    const details = { etype, attr, refresh: refresh !== undefined, mayChange: paths(refresh) };
    this.#add("on-new-attribute", id ?? `on-new-attribute:${etype}.${attr}`, details, handler);
  }

  snapshotInit(handler, { id } = {}) {
    this.#add("snapshot-init", id ?? "snapshot-init", undefined, handler);
  }

  snapshotFinalize(handler, { id } = {}) {
    this.#add("snapshot-finalize", id ?? "snapshot-finalize", undefined, handler);
  }

  timeseries(etype, attr, handler, { id } = {}) {
    this.#add("timeseries", id ?? `timeseries:${etype}.${attr}`, { etype, attr }, handler);
  }

  correlate(etype, wishes, handler) {
    this.#correlation("correlate", etype, wishes, handler);
  }

  correlateWithRecord(etype, wishes, handler) {
    this.#correlation("correlate-with-record", etype, wishes, handler);
  }

  updateRecord(etype, periodSeconds, handler, { id } = {}) {
    this.#add("update-record", id ?? `update-record:${etype}`, { etype, periodSeconds }, handler);
  }

  updateEntity(etype, periodSeconds, handler, { id } = {}) {
    this.#add("update-entity", id ?? `update-entity:${etype}`, { etype, periodSeconds }, handler);
  }

  cron(fields, handler, { id, grace, arguments: given } = {}) {
    const all = { timezone: fields.timezone ?? "UTC" };
    let name = "cron";
    for (const [field, short] of Object.entries(CRON_FIELDS)) {
      const expression = fields[field];
      all[field] = expression === undefined || expression === null ? null : String(expression);
      // What an id cannot hold would make different expressions alike.
      if (all[field] !== null) {
        name += `:${short}.${all[field].replaceAll("*", "any").replaceAll("/", ".by.").replaceAll(",", ".and.")}`;
      }
    }
    const unknown = Object.keys(fields).find((field) => field !== "timezone" && !(field in CRON_FIELDS));
    if (unknown !== undefined) {
      throw new Failed(`cron: there is no field ${shown(unknown)}; there are ${Object.keys(CRON_FIELDS).join(", ")} and timezone`);
    }
    this.#timer({ tag: "fields", val: all }, id ?? name, grace, given, handler);
  }

  onceAtStart(handler, { id, grace, arguments: given } = {}) {
    this.#timer({ tag: "once-at-start" }, id ?? "cron:once-at-start", grace, given, handler);
  }

  before(object, action, handler, { id } = {}) {
    this.#add("before", id ?? caseId("before", object, action), { object: named(object), action: named(action) }, handler);
  }

  after(object, action, handler, { id, synchronous } = {}) {
    const details = { object: named(object), action: named(action), synchronous: synchronous === true };
    this.#add("after", id ?? caseId("after", object, action), details, handler);
  }

  manual(object, title, handler, { id } = {}) {
    this.#add("manual", id ?? `manual:${object}:${title}`, { object, title }, handler);
  }

  #correlation(kind, etype, { id, dependsOn, mayChange, whole } = {}, handler) {
    const details = { etype, dependsOn: paths(dependsOn), mayChange: paths(mayChange), whole: whole === true };
    this.#add(kind, id ?? `${kind}:${etype}`, details, handler);
  }

  #timer(timing, id, grace, given, handler) {
    this.#add("cron", id, { timing, graceSeconds: grace ?? 1, arguments: jsonText(given ?? null) }, handler);
  }

  #add(kind, wish, details, handler) {
    const id = clean(String(wish));
    if (!ID.test(id)) {
      throw new Failed(
        `subscription id ${shown(wish)} of ${kind} is not valid: expected a letter or digit, then letters, digits, _ . : or -, at most 64; set one with { id: "..." }`,
      );
    }
    if (typeof handler !== "function") throw new Failed(`${kind} ${shown(id)}: expected a function as handler, found ${shown(handler)}`);
    for (const hooks of this.hooks.values()) {
      if (hooks.has(id)) throw new Failed(`two subscriptions have the id ${shown(id)}; give one of them another with { id: "..." }`);
    }
    this.hooks.get(kind).set(id, { details, handler });
  }

  subscriptions(...kinds) {
    return kinds.flatMap((kind) =>
      Array.from(this.hooks.get(kind), ([id, { details }]) => ({
        id,
        moment: details === undefined ? { tag: kind } : { tag: kind, val: details },
      })),
    );
  }

  run(kind, id, given) {
    const { handler } = this.#find(kind, id, given[1]);
    const [take, give] = KINDS[kind];
    const returned = handler(...take(...given));
    if (typeof returned?.then === "function") {
      throw new Failed(`the handler of ${shown(id)} returned a promise; hooks are synchronous, and so is all that the host gives: write it without async and await`);
    }
    return give(returned);
  }

  /** A registration that an operator made is served by the hook of its kind that fits the event, else by the first. */
  #find(kind, id, event) {
    const hooks = this.hooks.get(kind);
    const own = hooks.get(id);
    if (own) return own;
    if (id.startsWith("operator:")) {
      const fits = ({ details: { object, action } }) =>
        (object ?? event.object) === event.object && (action ?? event.action) === event.action;
      const all = Array.from(hooks.values());
      const found = all.find(fits) ?? all[0];
      if (found) return found;
    }
    throw new Failed(`no handler for ${kind} subscription ${shown(id)}`);
  }
}
