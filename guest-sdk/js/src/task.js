// Tasks and datapoints: what hooks of the ingestion get, and what most hooks return.

import { Failed, shown } from "./errors.js";
import { Timestamp, microsOf } from "./time.js";
import { Entity, Link, Typed, chunk, typed, wellFormed } from "./value.js";

const micros = (time) => (time === undefined || time === null ? null : microsOf(time));
const timestamp = (time) => (time === undefined || time === null ? null : new Timestamp(time));

export class Datapoint {
  constructor(attr, value, { t1, t2, confidence, src } = {}) {
    this.attr = attr;
    this.typed = typed(value);
    this.t1 = t1 === undefined || t1 === null ? null : Timestamp.from(t1);
    this.t2 = t2 === undefined || t2 === null ? null : Timestamp.from(t2);
    this.confidence = confidence ?? null;
    this.src = src ?? null;
  }

  get value() {
    return this.typed.value;
  }
}

export class Task {
  constructor(entity, eid) {
    const { etype, eid: id } = Entity.of(entity, eid);
    this.entity = new Entity(etype, id);
    this.datapoints = [];
    this.ttlTokens = [];
    this.tags = [];
    this.removeEntity = false;
  }

  static on(entity) {
    return new Task(entity);
  }

  static of(etype, eid) {
    return new Task(new Entity(etype, eid));
  }

  with(datapoint) {
    this.datapoints.push(datapoint);
    return this;
  }

  plain(attr, value, options) {
    return this.with(new Datapoint(attr, value, options));
  }

  link(attr, target, data) {
    return this.plain(attr, new Link(target, data));
  }

  observation(attr, value, t1, t2, options) {
    return this.with(new Datapoint(attr, value, { ...options, t1, t2: t2 ?? t1 }));
  }

  timeseries(attr, t1, t2, columns, options) {
    return this.observation(attr, columns instanceof Typed ? columns : chunk(columns), t1, t2, options);
  }

  alongside(attr, value, { t1, t2, confidence }, options) {
    return this.with(new Datapoint(attr, value, { t1, t2, confidence, ...options }));
  }

  ttl(name, until) {
    this.ttlTokens.push({ name, until: until === undefined || until === null ? null : Timestamp.from(until) });
    return this;
  }

  tag(tag) {
    this.tags.push(tag);
    return this;
  }

  delete() {
    this.removeEntity = true;
    return this;
  }

  datapointsOf(attr) {
    return this.datapoints.filter((dp) => dp.attr === attr);
  }
}

class Denial {
  constructor(reason) {
    this.reason = String(reason);
  }
}

export const deny = (reason) => new Denial(reason);
export const isDenial = (value) => value instanceof Denial;

export function taskIn(given) {
  const task = new Task(given.entity);
  task.datapoints = given.datapoints.map(datapointIn);
  task.ttlTokens = given.ttlTokens.map(tokenIn);
  task.tags = given.tags;
  task.removeEntity = given.removeEntity;
  return task;
}

/** As it came; without the constructor, which reads values and times of authors. */
export function datapointIn({ attr, value, src, t1, t2, confidence }) {
  const dp = Object.create(Datapoint.prototype);
  dp.attr = attr;
  dp.typed = new Typed(value.tag, value.val);
  dp.t1 = timestamp(t1);
  dp.t2 = timestamp(t2);
  dp.confidence = confidence;
  dp.src = src;
  return dp;
}

export const tokenIn = ({ name, until }) => ({ name, until: timestamp(until) });

export function taskOut(task) {
  if (!(task instanceof Task)) throw new Failed(`expected a Task, found ${shown(task)}`);
  return {
    entity: { etype: task.entity.etype, eid: wellFormed(task.entity.eid) },
    datapoints: task.datapoints.map(datapointOut),
    ttlTokens: task.ttlTokens.map(({ name, until }) => ({ name, until: micros(until) })),
    tags: task.tags.map(wellFormed),
    removeEntity: task.removeEntity,
  };
}

function datapointOut(dp) {
  return {
    attr: dp.attr,
    value: dp.typed,
    src: dp.src === null ? null : wellFormed(dp.src),
    t1: micros(dp.t1),
    t2: micros(dp.t2),
    confidence: dp.confidence,
  };
}

/** What a handler returned, flat and without what is nothing: a task, tasks, or nothing. */
export function* all(returned) {
  if (returned === undefined || returned === null || returned === false) return;
  if (typeof returned === "object" && typeof returned[Symbol.iterator] === "function") {
    for (const each of returned) yield* all(each);
  } else {
    yield returned;
  }
}

export const tasksOut = (returned) => Array.from(all(returned), taskOut);
