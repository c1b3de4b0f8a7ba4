// Makes a component of a module: node build.mjs --source FILE --wit DIR --work DIR --out FILE --esbuild PROGRAM --componentize-qjs PROGRAM
//
// 1. esbuild makes one file of the module, the SDK and what the module imports from npm, and takes the types off TypeScript.
// 2. componentize-qjs makes a component of it that has the engine inside.
// 3. Integers of 64 bits. The engine's bindings carry them as numbers, which are exact up to 2^53. So the component is built for
//    a contract with two halves of 32 bits in the place of an integer, which lie in memory just as it does; then the
//    component's types get their integers back. That holds for values of attributes, which always cross in memory: a variant
//    that has a float in another case is aligned as with an integer, and so are lists. Other integers (ids in cases, times of
//    datapoints) stay numbers. The host checks the types as those of any component.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const WORLD = "everything";
const HALVES = "tuple<s32, s32>";
/** What is replaced in the contract's types, and how often it stands there. */
const TYPES_FILE = "types.wit";
const INTEGERS = /(?<=\b(?:integer|time)\()(?:s64|timestamp)(?=\))|(?<=\bintegers\(list<)s64(?=>\))/g;
const TIMES = 6;
/** The definitions of the two types in a component. */
const DEFINED_HALVES = Buffer.from([0x6f, 2, 0x7a, 0x7a]);
const DEFINED_INTEGER = Buffer.from([0x78]);
/** Sections of a component: one that it holds, and types. */
const COMPONENT = 4;
const TYPES = 7;

const names = ["source", "wit", "work", "out", "esbuild", "componentize-qjs"];
const { values: given } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
for (const name of names) if (!given[name]) fail(`--${name} is missing`);
const sdk = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

const bundle = join(given.work, "module.js");
const built = join(given.work, "built.wasm");
makeBundle();
makeComponent(contractWithHalves());
writeFileSync(given.out, withIntegers(readFileSync(built)));

function makeBundle() {
  const entry = join(given.work, "entry.js");
  writeFileSync(
    entry,
    `import { serve } from "tenter/entry";
import definition from ${JSON.stringify(resolve(given.source))};
export const { module, ingest, snapshot, update, schedule, cases } = serve(definition);
`,
  );
  run(given.esbuild, [
    entry, "--bundle", "--format=esm", "--platform=neutral", "--main-fields=module,main", "--conditions=import", "--target=es2023",
    "--charset=utf8", "--log-level=warning", `--alias:tenter=${join(sdk, "src/index.js")}`,
    `--alias:tenter/entry=${join(sdk, "src/entry.js")}`, "--external:tenter:hooks/*", `--outfile=${bundle}`,
  ]);
}

/** A copy of the contract; returns its folder. */
function contractWithHalves() {
  const folder = join(given.work, "contract");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(given.wit).filter((name) => name.endsWith(".wit"))) {
    const text = readFileSync(join(given.wit, file), "utf8");
    const found = file === TYPES_FILE ? (text.match(INTEGERS)?.length ?? 0) : TIMES;
    if (found !== TIMES) fail(`${join(given.wit, file)} has ${found} places of integers; this SDK knows ${TIMES}: take both from one version`);
    writeFileSync(join(folder, file), file === TYPES_FILE ? text.replace(INTEGERS, HALVES) : text);
  }
  return folder;
}

/** `--sync`: hosts may not have asynchronous calls. `--stub-wasi`: a module is not given WASI, and the SDK needs none of it. */
function makeComponent(wit) {
  run(given["componentize-qjs"], ["--wit", wit, "--js", bundle, "--world", WORLD, "--stub-wasi", "--sync", "--output", built]);
}

/** The component with integers in its types, where the build had halves; also in components that it holds. */
function withIntegers(component) {
  const parts = [component.subarray(0, 8)];
  for (let at = 8; at < component.length; ) {
    const id = component[at];
    let size = 0;
    let shift = 0;
    do size += (component[++at] & 0x7f) * 2 ** shift, (shift += 7);
    while (component[at] & 0x80);
    let content = component.subarray(++at, (at += size));
    if (id === COMPONENT) content = withIntegers(content);
    if (id === TYPES) content = replaced(content, DEFINED_HALVES, DEFINED_INTEGER);
    parts.push(Buffer.from([id]), leb(content.length), content);
  }
  return Buffer.concat(parts);
}

function replaced(bytes, from, to) {
  const parts = [];
  let done = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, done)) {
    parts.push(bytes.subarray(done, at), to);
    done = at + from.length;
  }
  return Buffer.concat([...parts, bytes.subarray(done)]);
}

/** A length as sections have it. */
function leb(number) {
  const bytes = [];
  do bytes.push((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
  while ((number >>>= 7) > 0);
  return Buffer.from(bytes);
}

/** Runs a program; scripts of Node.js run in this one. */
function run(program, args) {
  const script = readFileSync(program).subarray(0, 64).toString("latin1").startsWith("#!/usr/bin/env node") || extname(program) === ".mjs";
  const done = spawnSync(script ? process.execPath : program, script ? [program, ...args] : args, { encoding: "utf8" });
  if (done.error) fail(`cannot run ${program}: ${done.error.message}`);
  if (done.status === 0) return;
  process.stderr.write(done.stdout + done.stderr);
  process.exit(done.status ?? 1);
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}
