/**
 * Modules for Tenter: `export default defineModule({ ... })`.
 *
 * Handlers are synchronous, and so is all that the host gives. What a handler throws becomes an error of the hook.
 */

// ---- The module

/** Kinds of configuration entries. */
export type ParameterKind = "string" | "secret" | "boolean" | "integer" | "float" | "json" | "html" | "markdown";

/** One entry of the module's configuration. */
export interface Parameter {
  kind: ParameterKind;
  /** For forms; the name without it. */
  title?: string;
  description?: string;
  /** Groups it with others of the same section. */
  section?: string;
  /** There is no module without it. */
  mandatory?: boolean;
  /** What the host fills in. */
  default?: unknown;
}

/** A module. `C` is the type of its configuration. */
export interface ModuleDefinition<C = any> {
  /** For people, one line. */
  title: string;
  description?: string;
  /** A semantic version; 0.1.0 without it. */
  version?: string;
  parameters?: Record<string, Parameter>;
  /**
   * Names the moments that the module wants, and asks for capabilities. Called first in every instance, and again after a
   * change of the configuration; the host may drop an instance between any two calls, so that variables are a cache. It
   * MUST follow from the configuration alone. What it throws refuses the configuration.
   */
  register(on: Registrar, config: C): void;
}

/** What `defineModule` makes; the default export of the module's file. */
export interface Module {
  readonly descriptor: object;
  readonly register: (on: Registrar, config: any) => void;
}

/** Checks a definition while the component is built. */
export function defineModule<C = any>(definition: ModuleDefinition<C>): Module;

// ---- Registering

/** A walk over attributes of linked entities: `"site.name"`, or `["site", "name"]`. */
export type Path = string | readonly string[];

/** What every subscription may set. */
export interface Options {
  /**
   * The default is made of the kind and what it is about, such as `on-new-attribute:ip.open_ports`. Keep ids over versions:
   * stored rows name them.
   */
  id?: string;
}

export interface RefreshOptions extends Options {
  /** Runs the hook again in the next snapshot after a change of configuration; such a run may set these paths. */
  refresh?: readonly Path[];
}

export interface CorrelationWishes extends Options {
  /** What the hook reads; decides which links are loaded, and the order of hooks. */
  dependsOn?: readonly Path[];
  /** What it sets. */
  mayChange?: readonly Path[];
  /** Sees all current values of the entity, not only those that `dependsOn` names. Dearer. */
  whole?: boolean;
}

/**
 * Fields as of cron, with weekday 0 = Monday. A field less significant than the least one given is its minimum, any
 * other that is absent matches all: `{ hour: 3 }` is at 03:00:00 of every day.
 */
export interface CronFields {
  year?: string | number;
  month?: string | number;
  day?: string | number;
  week?: string | number;
  dayOfWeek?: string | number;
  hour?: string | number;
  minute?: string | number;
  second?: string | number;
  /** Such as `Europe/Prague`; UTC without it. */
  timezone?: string;
}

export interface TimerOptions extends Options {
  /** How late, in seconds, a missed slot may still be caught up; 1 without it. */
  grace?: number;
  /** What the handler gets at each call: anything that JSON can hold. */
  arguments?: unknown;
}

export interface AfterOptions extends Options {
  /** The request waits, and the effects are applied before it is answered. */
  synchronous?: boolean;
}

type Nothing = void | undefined | null | false;
/** Nothing, one, or several of them, as deep as you like. */
export type Some<T> = T | Nothing | Iterable<Some<T>>;

/** Collects the module's wishes: a method per kind of hook. */
export interface Registrar {
  /** Asks the operator for a capability; asked is not granted. `scope` is its argument, where it has one. */
  request(capability: string, scope?: string): void;

  /** First for every task, also for one that removes its entity. */
  onTaskStart(handler: (task: Task) => void, options?: Options): void;
  /** An unknown entity of that type, before any side effect: may it come into being? */
  allowEntityCreation(etype: string, handler: (task: Task) => boolean | Denial, options?: Options): void;
  /** The unknown entity was accepted. */
  onEntityCreation(etype: string, handler: (task: Task) => Some<Task>, options?: RefreshOptions): void;
  /** A datapoint of that attribute came in. */
  onNewAttribute(
    etype: string,
    attr: string,
    handler: (entity: Entity, datapoint: Datapoint) => Some<Task>,
    options?: RefreshOptions,
  ): void;

  /** A snapshot run begins. */
  snapshotInit(handler: (run: Run) => Some<Task>, options?: Options): void;
  /** A snapshot run ends. */
  snapshotFinalize(handler: (run: Run) => Some<Task>, options?: Options): void;
  /** A stored timeseries, before current values are computed. */
  timeseries(
    etype: string,
    attr: string,
    handler: (entity: Entity, attr: string, chunks: Chunk[]) => Some<Task>,
    options?: Options,
  ): void;
  /** Current values of an entity and of those that it is linked with. */
  correlate(etype: string, wishes: CorrelationWishes, handler: (view: View) => Some<Changes | Task>): void;
  /** As `correlate`, with the master record of the entity. */
  correlateWithRecord(
    etype: string,
    wishes: CorrelationWishes,
    handler: (view: View, record: MasterRecord) => Some<Changes | Task>,
  ): void;

  /** Every stored entity of that type, with its master record, once per period. */
  updateRecord(etype: string, periodSeconds: number, handler: (record: MasterRecord) => Some<Task>, options?: Options): void;
  /** Every stored entity of that type, once per period. */
  updateEntity(etype: string, periodSeconds: number, handler: (entity: Entity) => Some<Task>, options?: Options): void;

  /** Times of the clock. Tasks go through `tasks.submit`. */
  cron(fields: CronFields, handler: (given: any) => void, options?: TimerOptions): void;
  /** Once, when the runtime starts. */
  onceAtStart(handler: (given: any) => void, options?: TimerOptions): void;

  /**
   * Before a case object is written; `"*"` means every object or action. Nothing leaves the data as it is; the whole changed
   * body, or the proposal with a changed body, replaces it; `deny(reason)` refuses it.
   */
  before(
    object: string,
    action: string,
    handler: (context: Context, event: CaseEvent, proposal: Proposal) => void | null | Proposal | Typed | Denial | Record<string, unknown>,
    options?: Options,
  ): void;
  /** After a case object was written; `"*"` means every object or action. */
  after(
    object: string,
    action: string,
    handler: (context: Context, event: CaseEvent, objects: Written[]) => Some<Patch | NewObject | Task>,
    options?: AfterOptions,
  ): void;
  /** A person clicks the menu entry of that title on objects of that kind. */
  manual(
    object: string,
    title: string,
    handler: (context: Context, event: CaseEvent, objects: CaseObject[]) => Some<Patch | NewObject | Task | Report>,
    options?: Options,
  ): void;
}

// ---- Errors

/** Why a hook has no result. Anything else that is thrown counts as `failed`, and its stack goes to the log. */
export class HookError extends Error {
  readonly kind: "invalid-input" | "unavailable" | "failed";
  /** Of an error of the host: the name of its case, such as `denied`, `not-found` or `timed-out`. */
  readonly code: string | null;
}
/** The data is to blame. */
export class InvalidInput extends HookError {
  constructor(message: string, code?: string);
}
/** Something outside failed; the host tries again where the kind of hook has retries. */
export class Unavailable extends HookError {
  constructor(message: string, code?: string);
}
/** The module is to blame. */
export class Failed extends HookError {
  constructor(message: string, code?: string);
}

// ---- Times

/** A time in any of its forms; a number is microseconds since 1970, and text without a zone is in UTC. */
export type Time = Date | Timestamp | number | bigint | string;

/** A Date that keeps microseconds. */
export class Timestamp extends Date {
  /** Microseconds of a second, and so on: `call.now().plus(Timestamp.HOUR)`. */
  static readonly SECOND: number;
  static readonly MINUTE: number;
  static readonly HOUR: number;
  static readonly DAY: number;
  constructor(micros: number | bigint);
  static from(time: Time): Timestamp;
  /** Microseconds since 1970-01-01T00:00:00Z. */
  readonly micros: number;
  /** As `micros`, but a bigint where a number is not exact, which is from the year 2255 on. */
  readonly exact: number | bigint;
  plus(micros: number): Timestamp;
  minus(micros: number): Timestamp;
}

// ---- Entities and values

/** An entity: its type and the text of its id. */
export class Entity {
  constructor(etype: string, eid: string | number | bigint);
  readonly etype: string;
  readonly eid: string;
  equals(other: { etype: string; eid: string } | null | undefined): boolean;
  /** `TYPE/ID` */
  toString(): string;
}

/** What names an entity. */
export type EntityLike = Entity | { etype: string; eid: string | number };

/** What a link may carry. */
export type LinkData = Scalar | readonly Scalar[] | { [name: string]: Scalar };

/** A relation to another entity, with what it carries. */
export class Link extends Entity {
  constructor(target: EntityLike, data?: LinkData);
  readonly data?: any;
}

/** One primitive, as it goes to the host. */
export type Scalar = boolean | number | bigint | string | Date | Typed | { [name: string]: unknown };

/**
 * What an attribute may be set to. The host reads it by the entity specification: text for addresses, objects for
 * dictionaries and JSON, entities for links, lists for arrays and sets. Integers beyond 2^53 are a `bigint`.
 */
export type Value = Scalar | Entity | readonly (Scalar | Entity)[] | ReadonlySet<Scalar | Entity> | ReadonlyMap<string, unknown>;

/** The names of the contract's cases. */
export type ValueTag =
  | "boolean" | "integer" | "real" | "text" | "time" | "address" | "items" | "members" | "link" | "links" | "chunk" | "json";

/** A value with the contract's word for what it is; the functions below make one where JavaScript's type does not tell. */
export class Typed {
  constructor(tag: ValueTag, val: any);
  readonly tag: ValueTag;
  /** In the contract's form; an integer or a time is two halves of 32 bits, the low one first. */
  readonly val: any;
  /** What is natural in JavaScript. */
  readonly value: any;
}

export function boolean(value: unknown): Typed;
/** 64 bits; beyond 2^53 a bigint. */
export function integer(value: number | bigint): Typed;
export function real(value: number): Typed;
export function text(value: unknown): Typed;
export function time(value: Time): Typed;
/** An IPv4, IPv6 or MAC address. */
export function address(value: string): Typed;
/** An array or set of primitives. */
export function items(values: Iterable<Scalar>): Typed;
/** A dictionary of primitives; entries without a value are left out. */
export function members(object: Record<string, Scalar | null | undefined> | ReadonlyMap<string, Scalar | null | undefined>): Typed;
/** Anything that JSON can hold. */
export function json(value: unknown): Typed;
/** JSON text as it is. */
export function rawJson(text: string): Typed;
/** An array or set of links. */
export function links(targets: Iterable<EntityLike | Link>): Typed;
/** A chunk of a timeseries. */
export function chunk(columns: Columns): Typed;

/** Columns of a timeseries chunk, all of one length. */
export type Columns = Record<string, readonly (number | bigint | Date)[] | Typed>;

// ---- Tasks

export interface DatapointOptions {
  /** 0 to 1. */
  confidence?: number | null;
  /** Names the source; the module's name without it. */
  src?: string | null;
}

/** A statement about one attribute of one entity. */
export class Datapoint {
  constructor(attr: string, value: Value, options?: DatapointOptions & { t1?: Time | null; t2?: Time | null });
  attr: string;
  typed: Typed;
  /** What is natural in JavaScript; an integer beyond 2^53 is a bigint. */
  readonly value: any;
  t1: Timestamp | null;
  t2: Timestamp | null;
  confidence: number | null;
  src: string | null;
}

export interface TtlToken {
  name: string;
  until: Timestamp | null;
}

/** Work on one entity. It must hold a datapoint or a token, or ask for removal. Methods add to it and return it. */
export class Task {
  constructor(entity: EntityLike);
  constructor(etype: string, eid: string | number | bigint);
  static on(entity: EntityLike): Task;
  static of(etype: string, eid: string | number | bigint): Task;
  entity: Entity;
  datapoints: Datapoint[];
  ttlTokens: TtlToken[];
  tags: string[];
  removeEntity: boolean;
  with(datapoint: Datapoint): this;
  /** A value of a plain attribute. */
  plain(attr: string, value: Value, options?: DatapointOptions): this;
  /** A link of a plain attribute. */
  link(attr: string, target: EntityLike, data?: LinkData): this;
  /** A value that holds from `t1` to `t2`, which is `t1` without it. */
  observation(attr: string, value: Value, t1: Time, t2?: Time | null, options?: DatapointOptions): this;
  /** A chunk of a timeseries, from `t1` to `t2`. */
  timeseries(attr: string, t1: Time, t2: Time, columns: Columns | Typed, options?: DatapointOptions): this;
  /** A value with the times and the confidence of the datapoint that it was derived from. */
  alongside(attr: string, value: Value, of: Datapoint, options?: DatapointOptions): this;
  /** Keeps an entity with a limited lifetime alive until a time. */
  ttl(name: string, until?: Time | null): this;
  /** Free text that travels with the task. */
  tag(tag: string): this;
  /** Asks for removal of the entity. Needs the capability `delete-entity`. */
  delete(): this;
  datapointsOf(attr: string): Datapoint[];
}

/** A refusal with its reason. */
export interface Denial {
  readonly reason: string;
}
/** Refuses an entity that would come into being, or a change of a case object. */
export function deny(reason: string): Denial;

// ---- Snapshots

export interface Run {
  id: string;
  /** What the values are computed for. */
  time: Timestamp;
}

/** One chunk of a stored timeseries. */
export interface Chunk {
  readonly t1: Timestamp;
  readonly t2: Timestamp;
  readonly columns: Record<string, any[]>;
  readonly typed: Typed;
}

export interface CurrentValue {
  readonly attr: string;
  readonly value: any;
  readonly typed: Typed;
  /** Null for plain attributes. */
  readonly confidence: number | null;
}

/** What holds of one entity at the time of a snapshot run. An attribute with several values is there once per value. */
export class EntityView {
  readonly entity: Entity;
  readonly current: readonly CurrentValue[];
  all(attr: string): CurrentValue[];
  has(attr: string): boolean;
  /** The first value, or undefined. */
  value(attr: string): any;
  values(attr: string): any[];
  /** Of the first value; undefined for plain attributes. */
  confidence(attr: string): number | undefined;
  /** Targets of a link, of one with several values, of an array or set, and of a mirror; loaded or not. */
  targets(attr: string): Link[];
}

/** An entity with those that it is linked with. */
export class View {
  readonly root: EntityView;
  readonly linked: readonly EntityView[];
  readonly entity: Entity;
  has(attr: string): boolean;
  value(attr: string): any;
  values(attr: string): any[];
  confidence(attr: string): number | undefined;
  /** An entity of the view; undefined for one that is not loaded. */
  find(entity: EntityLike): EntityView | undefined;
  /** The entities that a link attribute leads to, as far as they are loaded: name an attribute of theirs in `dependsOn`. */
  follow(attr: string, from?: EntityView): EntityView[];
  /**
   * The entities at the end of a walk over links, each once. What the view does not hold is asked of the host, as far as
   * `read-entities` is granted.
   */
  walk(path: Path): EntityView[];
  /** Changes of the root and of linked entities, none yet. */
  changes(): Changes;
}

/** Changes of current values, and tasks. A change is part of the snapshot; it is not stored as a datapoint. */
export class Changes {
  set(attr: string, value: Value, confidence?: number | null): this;
  replace(attr: string, values: readonly { value: Value; confidence?: number | null }[]): this;
  remove(attr: string): this;
  setOn(entity: EntityView | EntityLike, attr: string, value: Value, confidence?: number | null): this;
  replaceOn(entity: EntityView | EntityLike, attr: string, values: readonly { value: Value; confidence?: number | null }[]): this;
  removeOn(entity: EntityView | EntityLike, attr: string): this;
  task(task: Task): this;
}

// ---- Master records

export interface StoredPlain {
  readonly value: any;
  readonly typed: Typed;
  readonly updated: Timestamp;
}

export interface Observation {
  readonly value: any;
  readonly typed: Typed;
  readonly t1: Timestamp;
  readonly t2: Timestamp;
  readonly confidence: number;
}

/** All that is stored of one entity. */
export class MasterRecord {
  readonly entity: Entity;
  /** Null for an entity that is being created. */
  readonly created: Timestamp | null;
  /** Grows with each write. */
  readonly revision: number;
  readonly ttlTokens: readonly TtlToken[];
  attributes(): { attr: string; kind: "plain" | "observations" | "timeseries" }[];
  plain(attr: string): StoredPlain | undefined;
  observations(attr: string): Observation[];
  observedAt(attr: string, time: Time): Observation[];
  timeseries(attr: string): Chunk[];
}

// ---- Cases

export interface Context {
  caseId: number | null;
  caseName: string | null;
  user: { id: number; login: string; name: string } | null;
  trigger: "api" | "manual" | "csv" | "template" | "module";
}

/** `action` is null for a click. */
export interface CaseEvent {
  object: string;
  action: string | null;
}

/** What is about to be written. `id` is null on create. */
export class Proposal {
  readonly id: number | null;
  readonly body: any;
  /** The body as it came. */
  readonly json: string;
}

export class CaseObject {
  readonly object: string;
  readonly id: number;
  readonly uuid: string | null;
  readonly version: number;
  readonly body: any;
  /** The body as it came. */
  readonly json: string;
}

export interface Attachment {
  name: string;
  mediaType: string;
  content: Uint8Array;
}

/** A deleted object has no `new`, a created one no `old`. */
export interface Written {
  old: CaseObject | null;
  new: CaseObject | null;
  attachments: Attachment[];
}

/** Changes of one case object. Methods add to it and return it. */
export class Patch {
  /** Refused when the object has changed since. */
  static of(object: CaseObject): Patch;
  constructor(target: { object: string; id: number }, expectedVersion?: number | null);
  /** Lets the last write win. */
  anyVersion(): this;
  addTag(tag: string): this;
  removeTag(tag: string): this;
  appendDescription(text: string): this;
  setField(name: string, value: unknown): this;
  /** `kind` as in IRIS, such as input_string, input_textfield, input_checkbox, input_select, input_date, html. */
  setCustomField(tab: string, name: string, value: unknown, kind?: string): this;
}

/** An object that comes into being. */
export interface NewObject {
  readonly tag: "create";
}
export function create(object: string, body: unknown, options?: { caseId?: number | null; attachments?: Attachment[] }): NewObject;

/** What the person who clicked gets to see. */
export interface Report {
  readonly message: string;
  readonly media: "text" | "markdown" | "json";
  readonly content: string;
}
/** `media` is text for a string, and json for anything else. */
export function report(message: string, content?: unknown, media?: "text" | "markdown" | "json"): Report;

// ---- What the host gives. What needs a capability throws, with the code "denied", until the operator grants it.

/** The module's log; `console` writes there too. */
export const log: {
  debug(message: string): void;
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
};

/** Facts about the running call. `new Date()` and `Date.now()` tell its time too, and `Math.random()` its randomness. */
export const call: {
  /** Stands still while the call runs. */
  now(): Timestamp;
  /** The same when the call is repeated after a crash: an idempotency key. */
  id(): string;
  cause(): "normal" | "refresh" | "retry" | "replay";
  /** 0 to 1, seeded from the id of the call; not for secrets. */
  random(): number;
  /** Only in `after` and `manual`: asks for this call again later. False where that cannot be. */
  resumeAfter(seconds: number, memo?: string): boolean;
  /** What the call that asked for this one left. */
  memo(): string | null;
};

/** Keys and values private to the module; writes commit with the call. Needs `state`. */
export const state: {
  fetch(key: string): Uint8Array | null;
  /** As text, also what `increment` counted. */
  fetchText(key: string): string | null;
  fetchJson(key: string): any;
  store(key: string, value: string | Uint8Array | ArrayBuffer, keepSeconds?: number): void;
  storeJson(key: string, value: unknown, keepSeconds?: number): void;
  discard(key: string): void;
  /** Concurrent calls add up. */
  increment(key: string, by?: number | bigint): void;
  /** Committed keys in byte order, at most `limit`, 1 to 1000. */
  keys(prefix?: string, options?: { after?: string; limit?: number }): string[];
};

/** What is stored, as of the last commit. Needs `read-entities` with the type, but for the last two. */
export const entities: {
  readRecord(entity: EntityLike): MasterRecord | null;
  readRecord(etype: string, eid: string | number): MasterRecord | null;
  known(entity: EntityLike): boolean;
  known(etype: string, eid: string | number): boolean;
  /** The entity specification, also in `register`. */
  schema(): any;
  /** Names of case hooks, such as `on_postload_ioc_create`. */
  caseHooks(): string[];
};

/** Current values of entities linked to the root, for correlations alone. Needs `read-entities` with the type. */
export const views: {
  fetch(entity: EntityLike): EntityView | null;
  fetch(etype: string, eid: string | number): EntityView | null;
};

/** Tasks from hooks that return none: for `cron` alone. */
export const tasks: {
  /** All or none; returns their ids. */
  submit(...tasks: Some<Task>[]): string[];
};

/** A secret that the host puts in behind the module's back, after `prefix`. Needs `secret` with its name. */
export function secret(name: string, prefix?: string): Secret;
export interface Secret {
  readonly name: string;
  readonly prefix: string;
}

/** Names with values, of a query or of headers. */
export type Fields = Record<string, string | number | boolean | Secret> | readonly (readonly [string, string | number | boolean | Secret])[];

export interface RequestOptions {
  query?: Fields;
  headers?: Fields;
  body?: string | Uint8Array | ArrayBuffer | null;
  /** A body of JSON. */
  json?: unknown;
  timeoutMs?: number | null;
}

export interface Response {
  readonly status: number;
  /** 200 to 299. */
  readonly ok: boolean;
  readonly headers: [string, string][];
  readonly body: Uint8Array;
  /** The first header of that name, in any case. */
  header(name: string): string | undefined;
  text(): string;
  json(): any;
}

/** Requests to outside services; an answer of any status is a success. Needs `http` with the address as scope. */
export const http: {
  send(request: RequestOptions & { method?: string; url: string }): Response;
  get(url: string, options?: RequestOptions): Response;
  post(url: string, options?: RequestOptions): Response;
};

/** Name look-ups; `server` is the address of a name server. Needs `resolver`. */
export const resolver: {
  lookup(name: string, kind?: "A" | "AAAA" | "PTR" | "TXT" | "MX" | "NS" | "CNAME", server?: string): string[];
  reverse(address: string, server?: string): string[];
};

/** Secrets by name; their text stays with the host. */
export const secrets: {
  /** Names that are granted and set. */
  available(): string[];
  hmacSha256(name: string, message: string | Uint8Array): Uint8Array;
};

// ---- What the engine has beside the language itself

declare global {
  /** Writes to the module's log. */
  var console: {
    debug(...values: unknown[]): void;
    trace(...values: unknown[]): void;
    log(...values: unknown[]): void;
    info(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
  };
  /** UTF-8. */
  class TextEncoder {
    encode(text?: string): Uint8Array;
  }
  /** UTF-8. */
  class TextDecoder {
    constructor(label?: "utf-8" | "utf8", options?: { fatal?: boolean });
    decode(bytes?: ArrayBuffer | ArrayBufferView): string;
  }
}
