// Reading what is stored: master records and their histories.

import { microsOf, Timestamp } from "./time.js";
import { tokenIn } from "./task.js";
import { Entity, Typed, columnsOf, time } from "./value.js";

const OF_COLUMN = {
  integers: (value) => new Typed("integer", value),
  reals: (value) => new Typed("real", value),
  texts: (value) => new Typed("text", value),
  times: time,
  addresses: (value) => new Typed("address", value),
  mixed: ({ tag, val }) => new Typed(tag, val),
};

export class MasterRecord {
  #histories;

  constructor({ entity, created, revision, ttlTokens, attributes }) {
    this.entity = new Entity(entity.etype, entity.eid);
    this.created = created === null ? null : new Timestamp(created);
    this.revision = revision;
    this.ttlTokens = ttlTokens.map(tokenIn);
    this.#histories = new Map(attributes.map((a) => [a.attr, a.history]));
  }

  attributes() {
    return Array.from(this.#histories, ([attr, { tag }]) => ({ attr, kind: tag }));
  }

  plain(attr) {
    const stored = this.#of(attr, "plain");
    if (!stored) return undefined;
    return new Stored(new Typed(stored.value.tag, stored.value.val), { updated: new Timestamp(stored.updated) });
  }

  observations(attr) {
    const stored = this.#of(attr, "observations");
    if (!stored) return [];
    const { tag, val } = stored.values;
    return stored.t1.map((t1, i) => {
      return new Stored(OF_COLUMN[tag](val[i]), { t1: new Timestamp(t1), t2: new Timestamp(stored.t2[i]), confidence: stored.confidence[i] });
    });
  }

  observedAt(attr, time) {
    const at = microsOf(time);
    return this.observations(attr).filter(({ t1, t2 }) => t1.micros <= at && at <= t2.micros);
  }

  timeseries(attr) {
    return (this.#of(attr, "timeseries") ?? []).map(chunkIn);
  }

  #of(attr, kind) {
    const history = this.#histories.get(attr);
    return history?.tag === kind ? history.val : undefined;
  }
}

class Stored {
  constructor(typed, facts) {
    this.typed = typed;
    Object.assign(this, facts);
  }

  get value() {
    return this.typed.value;
  }
}

export const chunkIn = ({ t1, t2, columns }) => new Chunk(new Timestamp(t1), new Timestamp(t2), columns);

class Chunk {
  constructor(t1, t2, columns) {
    this.t1 = t1;
    this.t2 = t2;
    this.typed = new Typed("chunk", columns);
  }

  get columns() {
    return columnsOf(this.typed.val);
  }
}
