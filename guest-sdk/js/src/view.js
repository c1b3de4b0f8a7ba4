// What snapshot hooks see and change: current values of an entity and of those that it is linked with.

import { Failed, shown } from "./errors.js";
import { Timestamp } from "./time.js";
import { Task, all, taskOut } from "./task.js";
import { Entity, Typed, naturalLink, typed } from "./value.js";
import { viewsFetch } from "./imports.js";

export class EntityView {
  constructor({ entity, values }) {
    this.entity = new Entity(entity.etype, entity.eid);
    this.current = values.map(({ attr, value, confidence }) => new Current(attr, value, confidence));
  }

  all(attr) {
    return this.current.filter((v) => v.attr === attr);
  }

  has(attr) {
    return this.current.some((v) => v.attr === attr);
  }

  value(attr) {
    return this.current.find((v) => v.attr === attr)?.value;
  }

  values(attr) {
    return this.all(attr).map((v) => v.value);
  }

  confidence(attr) {
    return this.current.find((v) => v.attr === attr)?.confidence ?? undefined;
  }

  targets(attr) {
    return this.all(attr).flatMap(({ typed: { tag, val } }) => {
      if (tag === "link") return [naturalLink(val)];
      return tag === "links" ? val.map(naturalLink) : [];
    });
  }
}

class Current {
  constructor(attr, { tag, val }, confidence) {
    this.attr = attr;
    this.typed = new Typed(tag, val);
    this.confidence = confidence;
  }

  get value() {
    return this.typed.value;
  }
}

export class View {
  #places;

  constructor({ root, linked }) {
    this.root = new EntityView(root);
    this.linked = linked.map((each) => new EntityView(each));
  }

  get entity() {
    return this.root.entity;
  }

  has(attr) {
    return this.root.has(attr);
  }

  value(attr) {
    return this.root.value(attr);
  }

  values(attr) {
    return this.root.values(attr);
  }

  confidence(attr) {
    return this.root.confidence(attr);
  }

  find(entity) {
    if (!this.#places) {
      this.#places = new Map();
      for (const each of [this.root, ...this.linked]) {
        const key = String(each.entity);
        if (!this.#places.has(key)) this.#places.set(key, each);
      }
    }
    return this.#places.get(String(entity));
  }

  follow(attr, from = this.root) {
    return from.targets(attr).map((target) => this.find(target)).filter((held) => held !== undefined);
  }

  walk(path) {
    let at = [this.root];
    for (const attr of pathOf(path)) {
      const next = new Map();
      for (const entity of at) {
        // The view holds what paths name: the link that is walked now may be missing from it.
        const whole = entity.has(attr) ? entity : (granted(entity.entity) ?? entity);
        for (const target of whole.targets(attr)) {
          const key = String(target);
          if (next.has(key)) continue;
          next.set(key, this.find(target) ?? granted(target));
        }
      }
      at = Array.from(next.values()).filter((held) => held);
    }
    return at;
  }

  changes() {
    return new Changes(this.entity);
  }
}

/** The view of an entity, if the module may ask for it. */
function granted(entity) {
  try {
    return fetchView(entity);
  } catch (error) {
    if (error.code === "denied") return null;
    throw error;
  }
}

export function fetchView(entity) {
  const { etype, eid } = Entity.of(entity);
  const found = viewsFetch({ etype, eid });
  return found ? new EntityView(found) : null;
}

export class Changes {
  constructor(root) {
    this.entity = root;
    this.list = [];
    this.tasks = [];
  }

  set(attr, value, confidence) {
    return this.setOn(this.entity, attr, value, confidence);
  }

  replace(attr, values) {
    return this.replaceOn(this.entity, attr, values);
  }

  remove(attr) {
    return this.replaceOn(this.entity, attr, []);
  }

  setOn(entity, attr, value, confidence) {
    return this.replaceOn(entity, attr, [{ value, confidence }]);
  }

  replaceOn(entity, attr, values) {
    const { etype, eid } = Entity.of(entity.entity ?? entity);
    const weighted = values.map(({ value, confidence }) => ({ value: typed(value), confidence: confidence ?? null }));
    this.list.push({ entity: { etype, eid }, attr, values: weighted });
    return this;
  }

  removeOn(entity, attr) {
    return this.replaceOn(entity, attr, []);
  }

  task(task) {
    this.tasks.push(task);
    return this;
  }
}

export function correlatedOut(returned) {
  const out = { changes: [], tasks: [] };
  for (const each of all(returned)) {
    if (each instanceof Changes) {
      out.changes.push(...each.list);
      out.tasks.push(...each.tasks.map(taskOut));
    } else if (each instanceof Task) {
      out.tasks.push(taskOut(each));
    } else {
      throw new Failed(`a correlation returns changes or tasks, such as view.changes().set("risk", 0.5); found ${shown(each)}`);
    }
  }
  return out;
}

export const runIn = ({ id, time }) => ({ id, time: new Timestamp(time) });

/** A walk over attributes: "site.name" or ["site", "name"]. */
export const pathOf = (path) => (Array.isArray(path) ? path.map(String) : String(path).split("."));
