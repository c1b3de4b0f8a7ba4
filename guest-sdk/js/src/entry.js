// From a definition to the contract's exports. Nothing that a handler throws leaves as it is: what the contract has no
// word for would stop the instance without a message.

import { begin, described } from "./globals.js";
import { Failed, HookError, InvalidInput } from "./errors.js";
import { writeLog } from "./imports.js";
import { Registrar } from "./register.js";
import { wellFormed } from "./value.js";

function guarded(call) {
  begin();
  try {
    return call();
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error) {
  if (error instanceof HookError) return { tag: error.kind, val: wellFormed(error.message) };
  writeLog("error", wellFormed(error instanceof Error ? described(error) : `thrown: ${String(error)}`));
  return { tag: "failed", val: wellFormed(String(error)) };
}

function parsedConfig(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInput(`configuration: ${error.message}`);
  }
}

export function serve(definition) {
  if (typeof definition?.register !== "function" || !definition.descriptor) {
    throw new TypeError("the module's file needs `export default defineModule({ ... })`");
  }
  let on = new Registrar();

  const hook = (kind) => (id, ...given) => guarded(() => on.run(kind, id, given));
  const subscriptions = (...kinds) => () => on.subscriptions(...kinds);

  return {
    module: {
      describe: () => definition.descriptor,
      configure: (config) =>
        guarded(() => {
          const next = new Registrar();
          const returned = definition.register(next, parsedConfig(config));
          if (typeof returned?.then === "function") throw new Failed("`register` returned a promise; it is synchronous");
          on = next;
          return on.requests;
        }),
    },
    ingest: {
      subscriptions: subscriptions("on-task-start", "allow-entity-creation", "on-entity-creation", "on-new-attribute"),
      onTaskStart: hook("on-task-start"),
      allowEntityCreation: hook("allow-entity-creation"),
      onEntityCreation: hook("on-entity-creation"),
      onNewAttribute: hook("on-new-attribute"),
    },
    snapshot: {
      subscriptions: subscriptions("snapshot-init", "snapshot-finalize", "timeseries", "correlate", "correlate-with-record"),
      snapshotInit: hook("snapshot-init"),
      snapshotFinalize: hook("snapshot-finalize"),
      timeseries: hook("timeseries"),
      correlate: hook("correlate"),
      correlateWithRecord: hook("correlate-with-record"),
    },
    update: {
      subscriptions: subscriptions("update-record", "update-entity"),
      updateRecord: hook("update-record"),
      updateEntity: hook("update-entity"),
    },
    schedule: { subscriptions: subscriptions("cron"), cron: hook("cron") },
    cases: {
      subscriptions: subscriptions("before", "after", "manual"),
      before: hook("before"),
      after: hook("after"),
      manual: hook("manual"),
    },
  };
}
