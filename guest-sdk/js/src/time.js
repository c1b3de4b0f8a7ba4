// Times of the contract are microseconds; a Date has milliseconds. A Timestamp is a Date that keeps the rest.

import { InvalidInput, shown } from "./errors.js";

const FRACTION = /\.(\d{4,})/;

export class Timestamp extends Date {
  static SECOND = 1_000_000;
  static MINUTE = 60 * Timestamp.SECOND;
  static HOUR = 60 * Timestamp.MINUTE;
  static DAY = 24 * Timestamp.HOUR;

  #rest;

  constructor(micros) {
    if (typeof micros === "bigint") {
      const rest = Number(((micros % 1000n) + 1000n) % 1000n);
      super(Number((micros - BigInt(rest)) / 1000n));
      this.#rest = rest;
    } else {
      const millis = Math.floor(micros / 1000);
      super(millis);
      this.#rest = micros - millis * 1000;
    }
  }

  /** From microseconds, a Date, or text such as "2026-01-31T12:00:00Z". */
  static from(time) {
    if (time instanceof Timestamp) return time;
    return new Timestamp(typeof time === "bigint" ? time : microsOf(time));
  }

  get micros() {
    return this.getTime() * 1000 + this.#rest;
  }

  /** As `micros`, but a bigint where a number is not exact, which is from the year 2255 on. */
  get exact() {
    return Number.isSafeInteger(this.micros) ? this.micros : BigInt(this.getTime()) * 1000n + BigInt(this.#rest);
  }

  plus(micros) {
    return new Timestamp(this.micros + micros);
  }

  minus(micros) {
    return new Timestamp(this.micros - micros);
  }

  toISOString() {
    const whole = super.toISOString();
    const micros = (this.getUTCMilliseconds() * 1000 + this.#rest).toString().padStart(6, "0").replace(/0+$/, "");
    return whole.slice(0, -5) + (micros ? `.${micros}Z` : "Z");
  }

  toJSON() {
    return this.toISOString();
  }
}

/** Microseconds of a time in any of its forms. */
export function microsOf(time) {
  if (time instanceof Timestamp) return time.micros;
  if (typeof time === "number" && Number.isFinite(time)) return Math.round(time);
  if (typeof time === "bigint") return Number(time);
  const date = typeof time === "string" ? new Date(zoned(time)) : time;
  const millis = date instanceof Date ? date.getTime() : NaN;
  if (Number.isNaN(millis)) {
    throw new InvalidInput(
      `${shown(time)} is not a time: expected a Date, a Timestamp, microseconds, or text such as "2026-01-31T12:00:00Z"`,
    );
  }
  const digits = typeof time === "string" ? FRACTION.exec(time)?.[1] : undefined;
  return millis * 1000 + (digits ? Number(digits.slice(3, 6).padEnd(3, "0")) : 0);
}

/** Without a zone a time is in UTC, as the host reads it; Date would take the machine's. */
function zoned(text) {
  const time = text.trim().replace(" ", "T");
  return /T.*(Z|z|[+-]\d\d:?\d\d)$/.test(time) || !time.includes("T") ? time : `${time}Z`;
}
