// What authors import from "tenter". The types, with what each thing is for, stand in index.d.ts.
export { defineModule } from "./module.js";
export { HookError, InvalidInput, Unavailable, Failed } from "./errors.js";
export { Timestamp } from "./time.js";
export { Entity, Link, Typed, boolean, integer, real, text, time, address, items, members, json, rawJson, links, chunk } from "./value.js";
export { Task, Datapoint, deny } from "./task.js";
export { View, EntityView, Changes } from "./view.js";
export { MasterRecord } from "./record.js";
export { CaseObject, Proposal, Patch, create, report } from "./cases.js";
export { log, call, state, entities, views, tasks, http, secret, resolver, secrets } from "./host.js";
