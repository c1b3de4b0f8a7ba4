// What the host gives.

import * as host from "./imports.js";
import { Failed, InvalidInput, shown } from "./errors.js";
import { MasterRecord } from "./record.js";
import { tasksOut } from "./task.js";
import { Timestamp } from "./time.js";
import { Entity, jsonText, wellFormed } from "./value.js";
import { fetchView } from "./view.js";
import { decode, encode } from "./utf8.js";

const write = (level) => (message) => host.writeLog(level, wellFormed(message));

export const log = { debug: write("debug"), info: write("info"), warning: write("warning"), error: write("error") };

export const call = {
  now: () => new Timestamp(host.call.now()),
  id: () => host.call.id(),
  cause: () => host.call.cause(),
  // The top 53 bits are what a number holds exactly.
  random: () => Math.min(Math.floor(host.call.random() / 2048), 2 ** 53 - 1) / 2 ** 53,
  resumeAfter: (seconds, memo = "") => host.call.resumeAfter(seconds, wellFormed(memo)),
  memo: () => host.call.memo(),
};

const bytesOf = (value) => (value instanceof Uint8Array ? value : value instanceof ArrayBuffer ? new Uint8Array(value) : encode(value));

export const state = {
  fetch: (key) => host.stateFetch(key),
  fetchText(key) {
    const bytes = host.stateFetch(key);
    return bytes && decode(bytes);
  },
  fetchJson(key) {
    const bytes = host.stateFetch(key);
    return bytes && JSON.parse(decode(bytes));
  },
  store: (key, value, keepSeconds) => host.stateStore(key, bytesOf(value), keepSeconds ?? null),
  storeJson: (key, value, keepSeconds) => host.stateStore(key, encode(jsonText(value)), keepSeconds ?? null),
  discard: (key) => host.stateDiscard(key),
  increment(key, by = 1) {
    if (!Number.isSafeInteger(Number(by))) throw new Failed(`state: ${shown(by)} is no integer to add`);
    host.stateIncrement(key, Number(by));
  },
  keys: (prefix = "", { after, limit } = {}) => host.stateKeys(prefix, after ?? null, limit ?? 1000),
};

const plainEntity = (entity, eid) => {
  const { etype, eid: id } = Entity.of(entity, eid);
  return { etype, eid: id };
};

export const entities = {
  readRecord(entity, eid) {
    const found = host.readRecord(plainEntity(entity, eid));
    return found ? new MasterRecord(found) : null;
  },
  known: (entity, eid) => host.entityKnown(plainEntity(entity, eid)),
  schema: () => JSON.parse(host.schema()),
  caseHooks: () => host.caseHooks(),
};

export const views = { fetch: (entity, eid) => fetchView(Entity.of(entity, eid)) };

export const tasks = { submit: (...given) => host.tasksSubmit(tasksOut(given)) };

class Secret {
  constructor(name, prefix) {
    this.name = name;
    this.prefix = prefix;
  }
}

export const secret = (name, prefix = "") => new Secret(name, prefix);

const sensitive = (value) =>
  value instanceof Secret
    ? { tag: "secret", val: { prefix: value.prefix, name: value.name } }
    : { tag: "clear", val: wellFormed(value) };

function parameters(given) {
  const pairs = Array.isArray(given) ? given : Object.entries(given ?? {});
  return pairs.map(([name, value]) => ({ name, value: sensitive(value) }));
}

class Response {
  constructor({ status, headers, body }) {
    this.status = status;
    this.headers = headers.map(({ name, value }) => [name, value]);
    this.body = body;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  header(name) {
    return this.headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1];
  }

  text() {
    return decode(this.body);
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new InvalidInput(`http: the answer is no JSON: ${error.message}`);
    }
  }
}

export const http = {
  send({ method = "GET", url, query, headers, body, json, timeoutMs }) {
    const fields = parameters(headers);
    if (json !== undefined && !fields.some(({ name }) => name.toLowerCase() === "content-type")) {
      fields.push({ name: "content-type", value: sensitive("application/json") });
    }
    const content = json !== undefined ? encode(jsonText(json)) : body === undefined || body === null ? null : bytesOf(body);
    return new Response(
      host.httpSend({
        method,
        url: String(url),
        query: parameters(query),
        headers: fields,
        body: content,
        timeoutMs: timeoutMs ?? null,
      }),
    );
  },
  get: (url, options) => http.send({ ...options, method: "GET", url }),
  post: (url, options) => http.send({ ...options, method: "POST", url }),
};

export const resolver = {
  lookup: (name, kind = "A", server) => host.resolverLookup(name, kind, server ?? null),
  reverse: (address, server) => host.resolverReverse(address, server ?? null),
};

export const secrets = {
  available: () => host.secretsAvailable(),
  hmacSha256: (name, message) => host.secretsHmac(name, bytesOf(message)),
};
