// What JavaScript programs expect to be there and the engine has not, or has from a clock and dice that modules do not
// see: `console` writes to the module's log; the time is that of the call, and randomness follows from its id, so
// that a call is a function of its inputs.

import * as host from "./imports.js";
import { call } from "./host.js";
import { decode, encode } from "./utf8.js";

let running = false;
let early = [];

/** From the first call of the host on; before it, while the component is built, there is no host. */
export function begin() {
  if (running) return;
  running = true;
  for (const [level, message] of early) host.writeLog(level, message);
  early = [];
}

function write(level, ...given) {
  const message = given.map(printed).join(" ").toWellFormed();
  if (running) host.writeLog(level, message);
  else early.push([level, message]);
}

function printed(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return described(value);
  if (typeof value === "object" && value !== null) {
    try {
      return JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v)) ?? String(value);
    } catch {
      return String(value);
    }
  }
  return typeof value === "bigint" ? `${value}n` : String(value);
}

/** An error with where it came from. */
export function described(error) {
  const stack = String(error.stack ?? "").trim().replace(/\s*\n\s*/g, "; ");
  return stack ? `${error} (${stack})` : String(error);
}

globalThis.console = {
  debug: (...given) => write("debug", ...given),
  trace: (...given) => write("debug", ...given),
  log: (...given) => write("info", ...given),
  info: (...given) => write("info", ...given),
  warn: (...given) => write("warning", ...given),
  error: (...given) => write("error", ...given),
};

function inCall(what, read) {
  if (running) return read();
  throw new Error(`${what} is known in calls of hooks alone, not while the module is loaded; move this into a handler or \`register\``);
}

const millis = () => inCall("the time", () => Math.floor(host.call.now() / 1000));

globalThis.Date = new Proxy(Date, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [millis()] : given, newTarget),
  apply: (target) => new target(millis()).toString(),
});
Date.now = millis;
Math.random = () => inCall("randomness", call.random);
globalThis.performance = { now: millis, timeOrigin: 0 };

globalThis.TextEncoder ??= class TextEncoder {
  encoding = "utf-8";
  encode = (text = "") => encode(text);
};

globalThis.TextDecoder ??= class TextDecoder {
  encoding = "utf-8";

  constructor(label = "utf-8", { fatal = false } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`TextDecoder reads UTF-8 alone, not ${label}`);
    this.fatal = fatal;
  }

  decode(bytes = new Uint8Array()) {
    const view = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
    return decode(view, this.fatal).replace(/^\ufeff/, "");
  }
};
