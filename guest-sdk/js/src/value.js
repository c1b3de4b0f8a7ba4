// Values, between the contract and what is natural in JavaScript.
//
// `Typed` is the contract's own form, a tag and what it carries; `natural` and `typed` go from one to the other. An integer
// is carried in two halves of 32 bits, the low one first, as build.mjs explains. What
// JavaScript has no type of its own for goes to the host as text or JSON, which it reads by the entity specification:
// so an address may be a string, a dictionary an object, and a big integer a bigint.

import { Failed, shown } from "./errors.js";
import { Timestamp, microsOf } from "./time.js";

export class Entity {
  constructor(etype, eid) {
    this.etype = String(etype);
    this.eid = String(eid);
  }

  static of(entity, eid) {
    if (eid !== undefined) return new Entity(entity, eid);
    if (entity instanceof Entity) return entity;
    if (entity?.etype !== undefined && entity?.eid !== undefined) return new Entity(entity.etype, entity.eid);
    throw new Failed(`${shown(entity)} names no entity: expected an entity, or its type and id`);
  }

  equals(other) {
    return this.etype === other?.etype && this.eid === other?.eid;
  }

  toString() {
    return `${this.etype}/${this.eid}`;
  }
}

export class Link extends Entity {
  constructor(target, data) {
    const { etype, eid } = Entity.of(target);
    super(etype, eid);
    if (data !== undefined) this.data = data;
  }
}

export class Typed {
  constructor(tag, val) {
    this.tag = tag;
    this.val = val;
  }

  get value() {
    return natural(this);
  }
}

export const boolean = (value) => new Typed("boolean", Boolean(value));
export const integer = (value) => new Typed("integer", halves(value));
export const real = (value) => new Typed("real", Number(value));
export const text = (value) => new Typed("text", wellFormed(value));
export const time = (value) => new Typed("time", halves(Timestamp.from(value).exact));
export const address = (value) => new Typed("address", wellFormed(value));
export const items = (values) => new Typed("items", Array.from(values, scalar));
export const members = (object) => new Typed("members", membersOf(object));
export const json = (value) => new Typed("json", wellFormed(jsonText(value)));
export const rawJson = (text) => new Typed("json", wellFormed(text));
export const links = (values) => new Typed("links", Array.from(values, linkOf));
export const chunk = (columns) =>
  new Typed("chunk", Object.entries(columns).map(([name, column]) => ({ name, column: columnOf(name, column) })));

/** Text without halves of surrogate pairs, which the contract's strings cannot hold. */
export const wellFormed = (value) => String(value).toWellFormed();

/** JSON text. What JSON has no word for becomes text, which the host reads by the specification. */
export function jsonText(value) {
  const text = JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v instanceof Typed ? v.value : v));
  if (text === undefined) throw new Failed(`${shown(value)} cannot be written as JSON`);
  return text;
}

/** The contract's form of a natural value. */
export function typed(value) {
  if (value instanceof Typed) return value;
  if (Array.isArray(value) || value instanceof Set) {
    const all = Array.from(value);
    return all.length > 0 && all.every((v) => v instanceof Entity) ? links(all) : items(all);
  }
  if (value instanceof Entity) return new Typed("link", linkOf(value));
  return scalar(value);
}

function scalar(value) {
  switch (typeof value) {
    case "boolean":
      return new Typed("boolean", value);
    case "string":
      return new Typed("text", wellFormed(value));
    case "number":
      return Number.isSafeInteger(value) ? integer(value) : real(value);
    case "bigint":
      return integer(value);
    case "object":
      if (value instanceof Typed) return value;
      if (value instanceof Date) return time(value);
      if (value instanceof Map) return json(Object.fromEntries(value));
      if (value !== null) return json(value);
  }
  throw new Failed(`${shown(value)} is no value of an attribute; leave out what has no value`);
}

/** The low and the high half of an integer, both with a sign. */
function halves(value) {
  if (Number.isSafeInteger(value)) return [value | 0, Math.floor(value / 2 ** 32) | 0];
  if (typeof value !== "bigint") throw new Failed(`${shown(value)} is no exact integer: expected one up to 2^53, or a bigint`);
  if (BigInt.asIntN(64, value) !== value) throw new Failed(`${value} is beyond the range of 64-bit signed integers`);
  return [Number(BigInt.asIntN(32, value)), Number(value >> 32n)];
}

/** A number where it is exact, else a bigint. */
export function whole([low, high]) {
  const number = high * 2 ** 32 + (low >>> 0);
  return Number.isSafeInteger(number) ? number : (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function membersOf(object) {
  const entries = object instanceof Map ? Array.from(object) : Object.entries(object);
  return entries.filter(([, v]) => v !== null && v !== undefined).map(([name, v]) => ({ name: wellFormed(name), value: scalar(v) }));
}

function linkOf(link) {
  const { etype, eid } = Entity.of(link);
  const target = { etype, eid: wellFormed(eid) };
  const { data } = link;
  if (data === undefined || data === null) return { target, data: null };
  if (Array.isArray(data)) return { target, data: new Typed("items", data.map(scalar)) };
  if (data instanceof Typed) return { target, data: new Typed("one", data) };
  const plain = typeof data === "object" && !(data instanceof Date);
  return { target, data: plain ? new Typed("members", membersOf(data)) : new Typed("one", scalar(data)) };
}

function columnOf(name, column) {
  if (column instanceof Typed) return column;
  const all = Array.from(column);
  if (all.length > 0 && all.every((v) => v instanceof Date)) return new Typed("times", all.map(microsOf));
  const wrong = all.findIndex((v) => typeof v !== "bigint" && Number.isNaN(Number(v)));
  if (wrong >= 0) throw new Failed(`column ${shown(name)}, item ${wrong}: expected a number, found ${shown(all[wrong])}`);
  const whole = all.every((v) => typeof v === "bigint" || Number.isSafeInteger(v));
  return whole ? new Typed("integers", all.map(halves)) : new Typed("reals", all.map(Number));
}

/** What is natural in JavaScript for a value of the contract. */
export function natural({ tag, val }) {
  switch (tag) {
    case "integer":
      return whole(val);
    case "time":
      return new Timestamp(whole(val));
    case "json":
      return JSON.parse(val);
    case "items":
      return val.map(natural);
    case "members":
      return Object.fromEntries(val.map((m) => [m.name, natural(m.value)]));
    case "link":
      return naturalLink(val);
    case "links":
      return val.map(naturalLink);
    case "chunk":
      return columnsOf(val);
    default:
      return val;
  }
}

/** The columns of a chunk by name. */
export const columnsOf = (series) => Object.fromEntries(series.map((s) => [s.name, columnValues(s.column)]));

function columnValues({ tag, val }) {
  if (tag === "times") return val.map((v) => new Timestamp(v));
  return tag === "integers" ? val.map(whole) : val;
}

/** Of a link: an entity, with `data` where it carries some. */
export function naturalLink({ target, data }) {
  if (!data) return new Link(target);
  const { tag, val } = data;
  return new Link(target, tag === "one" ? natural(val) : natural(data));
}
