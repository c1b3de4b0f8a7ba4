// The host's functions, with its errors as those of hooks: what may pass is `Unavailable`, which the host retries where
// the kind of hook has retries. `code` keeps the name of the error's case, such as "not-found", for who catches it.

import * as callImport from "tenter:hooks/call@0.1.0";
import * as entitiesImport from "tenter:hooks/entities@0.1.0";
import * as httpImport from "tenter:hooks/http@0.1.0";
import * as logImport from "tenter:hooks/log@0.1.0";
import * as resolverImport from "tenter:hooks/resolver@0.1.0";
import * as secretsImport from "tenter:hooks/secrets@0.1.0";
import * as stateImport from "tenter:hooks/state@0.1.0";
import * as tasksImport from "tenter:hooks/tasks@0.1.0";
import * as viewsImport from "tenter:hooks/views@0.1.0";
import { Failed, InvalidInput, Unavailable } from "./errors.js";

const notGranted = (capability) =>
  `${capability}: not granted; ask with \`on.request("${capability}", ...)\`, and the operator grants it`;

const WORDS = {
  state: {
    denied: [Failed, notGranted("state")],
    "too-large": [Failed, "state: the key or the value is too large"],
    quota: [Failed, "state: the module's room is used up"],
  },
  entities: {
    denied: [Failed, notGranted("read-entities")],
    "unknown-type": [Failed, "entities: no such entity type"],
    "too-large": [Failed, "entities: the record is larger than a call may read"],
  },
  views: {
    denied: [Failed, `${notGranted("read-entities")}; only correlations may ask for views`],
    "unknown-type": [Failed, "views: no such entity type"],
  },
  tasks: {
    denied: [Failed, "tasks: only `cron` hooks submit; other hooks return tasks"],
    budget: [Failed, "tasks: more than a call may submit"],
    invalid: [Failed, "tasks"],
  },
  http: {
    denied: [Failed, "http: not granted"],
    invalid: [Failed, "http: invalid request"],
    "timed-out": [Unavailable, "http: timed out"],
    "too-large": [Failed, "http: the answer is larger than a call may read"],
    unreachable: [Unavailable, "http"],
  },
  resolver: {
    denied: [Failed, notGranted("resolver")],
    "not-found": [InvalidInput, "resolver: no such name"],
    "timed-out": [Unavailable, "resolver: timed out"],
  },
  secrets: {
    denied: [Failed, notGranted("secret")],
    "not-set": [Failed, "secrets: granted but not set"],
  },
};

/** A function of the host whose errors become those of hooks. */
function checked(name, call) {
  return (...given) => {
    try {
      return call(...given);
    } catch (error) {
      const payload = error?.payload;
      if (typeof payload?.tag !== "string") throw error;
      const [Kind, words] = WORDS[name][payload.tag] ?? [Unavailable, name];
      throw new Kind(payload.val ? `${words}: ${payload.val}` : words, payload.tag);
    }
  };
}

export const call = callImport;
export const writeLog = logImport.write;
export const stateFetch = checked("state", stateImport.fetch);
export const stateStore = checked("state", stateImport.store);
export const stateDiscard = checked("state", stateImport.discard);
export const stateIncrement = checked("state", stateImport.increment);
export const stateKeys = checked("state", stateImport.keys);
export const readRecord = checked("entities", entitiesImport.readRecord);
export const entityKnown = checked("entities", entitiesImport.known);
export const { schema, caseHooks } = entitiesImport;
export const viewsFetch = checked("views", viewsImport.fetch);
export const tasksSubmit = checked("tasks", tasksImport.submit);
export const httpSend = checked("http", httpImport.send);
export const resolverLookup = checked("resolver", resolverImport.lookup);
export const resolverReverse = checked("resolver", resolverImport.reverse);
export const secretsAvailable = secretsImport.available;
export const secretsHmac = checked("secrets", secretsImport.hmacSha256);
